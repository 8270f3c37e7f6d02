"""Tokens as the linear model sees them: normalised words, pairs, negation, clauses.

Pure; positions stay those of the Doc's tokens.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

NEGATIONS = frozenset(
    [
        "niet",
        "geen",
        "nooit",
        "niks",
        "niets",
        "nergens",
        "zonder",
        "nauwelijks",
        "noch",
        "amper",
        "not",
        "no",
        "never",
        "without",
        "nothing",
        "neither",
        "hardly",
        "n't",
        "nt",
        "dont",
        "doesnt",
        "didnt",
        "cant",
        "wont",
        "isnt",
        "wasnt",
    ]
)
TURNS = frozenset(
    ["maar", "echter", "alleen", "helaas", "gelukkig", "but", "however", "though", "unfortunately", "luckily", "except"]
)
STOPS = frozenset([".", "!", "?", "…", "...", ";", "!!", "??", "?!", "!?"])
LONGEST_STOP = 4  # "?!?!"
SHORTEST_CLAUSE = 3
NEGATION_REACH = 4  # words that a negation colours, unless its clause ends before

_SHOWN = re.compile(r"[^\W_]|[\u203c\u2049\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_SMALL_FILE = Path(__file__).parent / "lexicons" / "small_words.toml"
_SMALL = frozenset(
    word
    for words in tomllib.loads(_SMALL_FILE.read_text(encoding="utf-8")).values()
    for word in words.replace("’", "'").split()
)
_LONG = re.compile(r"(.)\1{2,}")
_DIGIT = re.compile(r"\d")
_URL = re.compile(r"(https?://|www\.)\S+|[\w-]+\.(nl|be|com|org|eu|net)(/\S*)?", re.IGNORECASE)
_MAIL = re.compile(r"\S+@\S+\.\w+")


@dataclass(frozen=True, slots=True)
class Word:
    """A token's form for the model; `form` "" means that it carries nothing (white space)."""

    form: str
    negates: bool = False
    opens: bool = False  # a clause starts with it
    closes: bool = False  # a clause ends after it
    is_word: bool = False
    size: int = 0  # characters of the token
    shows: bool = False  # a reader can be pointed to it: it holds a letter, a digit or an emoji
    small: bool = False  # "de", "een", "of": says little by itself


def shows(text: str) -> bool:
    """Whether it holds a letter, a digit or an emoji: a lone sign explains nothing."""
    return _SHOWN.search(text) is not None


def as_word(token: str) -> Word:
    """The normalised form: lower case, digits as 0, lengthening cut to two, URLs and handles by their kind."""
    if token.isspace() or not token:
        return Word("", closes="\n" in token, size=len(token))
    lowered = token.lower().replace("’", "'")
    if lowered[0] == "@" and len(lowered) > 1:
        form = "@user"
    elif _MAIL.fullmatch(lowered):
        form = "@mail"
    elif _URL.fullmatch(lowered):
        form = "@url"
    else:
        form = _LONG.sub(r"\1\1", _DIGIT.sub("0", lowered))[:40]
    return Word(
        form,
        negates=form in NEGATIONS,
        opens=form in TURNS,
        closes=token in STOPS or (token[-1] in ".!?…" and len(token) <= LONGEST_STOP and not token[0].isalnum()),
        is_word=form[0].isalnum() or form[0] == "@",
        size=len(token),
        shows=shows(token),
        small=form in _SMALL or form == "00" or len(form) == 1,
    )


def clauses(words: list[Word]) -> list[int]:
    """Where clauses start, as token positions; the first is 0. Clauses of fewer than three words join the next."""
    starts = [0]
    size = 0
    pending = False
    for position, word in enumerate(words):
        if (pending or word.opens) and size >= SHORTEST_CLAUSE:
            starts.append(position)
            size = 0
        pending = (pending and not word.is_word) or word.closes
        size += word.is_word
    return starts


def pairs(words: list[Word]) -> list[tuple[str, int, int]]:
    """Neighbouring words as "a b", and words under a negation as "¬ b"; each with the two positions it stands on."""
    found: list[tuple[str, int, int]] = []
    previous, previous_at = "", -1
    cue, left = -1, 0
    for position, word in enumerate(words):
        form = word.form
        if not form:
            if word.closes:
                previous, left = "", 0
            continue
        if previous:
            found.append((f"{previous} {form}", previous_at, position))
        if left and word.is_word:
            found.append((f"¬ {form}", cue, position))
            left -= 1
        if word.negates:
            cue, left = position, NEGATION_REACH
        if word.closes or word.opens:
            left = 0
        previous, previous_at = form, position
    return found
