"""From a Doc to what the models read: words with brands masked, and the features of the second step."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from spacy.tokens import Doc

from nlp.linear import Floats, Scored
from nlp.rules import Fired
from nlp.words import Word, as_word, clauses

BRAND = "BRAND"
KEEP_FORMS = 200_000
SHORT = 12  # words; a thank-you that long is only that
_forms: dict[int, Word] = {}

EXTRAS = ("clause_best", "clause_worst", "clause_last", "length", "english", "exclaims", "thanks_alone")


@lru_cache(maxsize=4096)
def brand_pattern(name: str) -> re.Pattern[str] | None:
    """Finds a brand by name, handle or hashtag; None for a name without letters or digits."""
    parts = re.findall(r"\w+", name)
    if not parts:
        return None
    joined = r"[\s_\-&.']{0,3}".join(re.escape(part) for part in parts)
    return re.compile(rf"(?<![\w@#])(?:[@#]{joined}\w*|{joined}(?:'?s)?(?!\w))", re.IGNORECASE)


def brand_spans(text: str, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Where the brand is named, in order."""
    found: list[tuple[int, int]] = []
    for name in names:
        pattern = brand_pattern(name)
        if pattern is not None:
            found.extend(match.span() for match in pattern.finditer(text))
    return tuple(sorted(set(found)))


def words_of(doc: Doc, brands: tuple[tuple[int, int], ...]) -> list[Word]:
    """One word a token; the tokens of a brand's name are BRAND and nothing."""
    if len(_forms) > KEEP_FORMS:
        _forms.clear()
    words = []
    for orth in doc.to_array("ORTH").tolist():
        word = _forms.get(orth)
        if word is None:
            word = _forms[orth] = as_word(doc.vocab.strings[orth])
        words.append(word)
    if not brands:
        return words
    starts = doc.to_array("IDX").tolist()
    for start, end in brands:
        first = True
        for at, index in enumerate(starts):
            if index >= end:
                break
            if index + words[at].size > start:
                words[at] = Word(BRAND if first else "", is_word=first, size=words[at].size)
                first = False
    return words


@dataclass(frozen=True, slots=True)
class Reading:
    """What the second step needs to know of a text, beside its scores."""

    words: list[Word]
    fired: list[Fired]
    language: str


def second_features(
    scored: Sequence[Scored], readings: Sequence[Reading], flags: Sequence[str], labels: Sequence[str]
) -> Floats:
    """One row a text: all scores of the first step, the rules that fire, and how the clauses differ."""
    width = len(labels)
    features = np.zeros((len(scored), width + len(flags) + len(EXTRAS)), dtype=np.float32)
    features[:, :width] = [one.scores for one in scored]
    good, bad = labels.index("sentiment:positive"), labels.index("sentiment:negative")
    places = {flag: width + at for at, flag in enumerate(flags)}
    clause_starts: list[int] = []
    text_starts: list[int] = []
    size = 0
    for at, reading in enumerate(readings):
        for one in reading.fired:
            features[at, places[one.rule.flag]] = 1.0
        text_starts.append(len(clause_starts))
        clause_starts.extend(size + start for start in clauses(reading.words))
        size += len(reading.words)
        count = sum(word.is_word for word in reading.words)
        thanks = count <= SHORT and any(one.rule.flag == "thanks" for one in reading.fired)
        exclaims = any(word.form == "!" for word in reading.words)
        features[at, -4:] = (math.log1p(count), reading.language == "en", exclaims, thanks)
    rows = np.concatenate([one.rows[:, good] - one.rows[:, bad] for one in scored])
    tone = np.add.reduceat(rows, clause_starts)
    features[:, -7] = np.maximum.reduceat(tone, text_starts)
    features[:, -6] = np.minimum.reduceat(tone, text_starts)
    features[:, -5] = tone[[*(start - 1 for start in text_starts[1:]), len(tone) - 1]]
    return features
