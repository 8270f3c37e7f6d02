"""Canonical tokens: text cut once, here, so that the matcher and every search engine see the same words.

Signs are kept on hashtags and handles ("#te_laat", "@ah.nl"); other words are split at apostrophe, dot and hyphen.
Case is folded and accents are dropped; one emoji is one token. Every engine splits the stored tokens at spaces only.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = {
    "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
    "ß": "ss", "ẞ": "SS", "ı": "i", "’": "'", "‘": "'", "ʼ": "'", "\u200b": " ",
}  # fmt: skip
_DROPPED = frozenset("\u00ad\u200c\u200d\u2060\ufeff\u0345\u037a")
_LONGEST_UNITS = 200
_TOKEN = re.compile(
    r"""
      [^\W_]+(?:_+[^\W_]+)*                         # a word; apostrophe, dot and hyphen end it
    | (?<!\w)@[^\W_]+(?:['.\-_]+[^\W_]+)*           # a handle keeps dots and hyphens
    | (?<!\w)\#[^\W_]+(?:_+[^\W_]+)*                # a hashtag ends at a hyphen, as on the platforms
    | [\u203c\u2049\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d]
    | [\U0001f000-\U0001faff]
    """,
    re.VERBOSE,
)


def _fold(char: str, *, keep_case: bool) -> str:
    if char in _DROPPED or "\ufe00" <= char <= "\ufe0f":
        return ""
    for _ in range(2):  # a letter may only show itself once its marks are gone
        char = "".join(_LETTERS.get(c, c) for c in unicodedata.normalize("NFKC", char))
        char = char if keep_case else char.casefold()
        char = "".join(c for c in unicodedata.normalize("NFD", char) if unicodedata.category(c)[0] != "M")
        char = unicodedata.normalize("NFC", char)
    return "".join(c for c in char if c not in _DROPPED)


class _Table(dict[int, str]):
    """Character -> what it is folded to, made when first met."""

    def __init__(self, *, keep_case: bool) -> None:
        super().__init__()
        self._keep_case = keep_case

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code), keep_case=self._keep_case)
        return folded


_FOLDED = _Table(keep_case=False)
_CASED = _Table(keep_case=True)


def canonical(text: str) -> tuple[str, ...]:
    """The tokens of a text, folded."""
    return _cut(text.lower() if text.isascii() else text.translate(_FOLDED))


def canonical_cs(text: str) -> tuple[str, ...]:
    """The same tokens with their case kept: as many, in the same order."""
    if text.isascii():  # folding ASCII neither joins nor splits
        return _cut(text)
    cased = _cut(text.translate(_CASED))
    spanned = spans(text) if len(cased) != len(canonical(text)) else None
    if spanned is None:
        return cased
    return tuple(_short("".join(text[start:end].translate(_CASED).split())) or token for token, start, end in spanned)


def spans(text: str) -> list[tuple[str, int, int]]:
    """Each token with [start, end) in the text as given."""
    folded = text.translate(_FOLDED)
    if len(folded) == len(text) and all(len(_FOLDED[ord(c)]) == 1 for c in set(text)):
        return [(_short(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(folded)]
    origin: list[int] = []
    for position, char in enumerate(text):
        origin.extend([position] * len(_FOLDED[ord(char)]))
    return [(_short(match[0]), origin[match.start()], origin[match.end() - 1] + 1) for match in _TOKEN.finditer(folded)]


def _cut(text: str) -> tuple[str, ...]:
    found: list[str] = _TOKEN.findall(text)
    if any(len(token) * 2 > _LONGEST_UNITS for token in found):
        return tuple(map(_short, found))
    return tuple(found)


def _short(token: str) -> str:
    """At most 200 UTF-16 units: Elasticsearch breaks longer ones."""
    if len(token) * 2 <= _LONGEST_UNITS:
        return token
    units = 0
    for position, char in enumerate(token):
        units += 2 if ord(char) > 0xFFFF else 1  # noqa: PLR2004 - the end of the basic plane
        if units > _LONGEST_UNITS:
            return token[:position].rstrip("_.-'")  # a joiner at the cut joins nothing
    return token
