"""From a Doc to what the models read: words with brands masked, rules that fire, and the features of the second step."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import numpy as np
from spacy.tokens import Doc

from nlp.linear import Floats, Scored
from nlp.rules import Fired
from nlp.words import Word, as_word, clauses

BRAND = Word("BRAND", is_word=True)
INSIDE = Word("")
KEEP_FORMS = 200_000
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
    for orth, token in zip(doc.to_array("ORTH").tolist(), doc, strict=True):
        word = _forms.get(orth)
        if word is None:
            word = _forms[orth] = as_word(token.text)
        words.append(word)
    for start, end in brands:
        first = True
        for at, token in enumerate(doc):
            if token.idx >= end:
                break
            if token.idx + len(token) > start:
                words[at] = BRAND if first else INSIDE
                first = False
    return words


def second_features(
    scored: Scored,
    words: list[Word],
    fired: list[Fired],
    language: str,
    flags: tuple[str, ...],
    labels: tuple[str, ...],
) -> Floats:
    """What the second step weighs: all scores of the first, the rules that fire, and how the clauses differ."""
    width = len(labels)
    features = np.zeros(width + len(flags) + len(EXTRAS), dtype=np.float32)
    features[:width] = scored.scores
    for one in fired:
        features[width + flags.index(one.rule.flag)] = 1.0
    good, bad = labels.index("sentiment:positive"), labels.index("sentiment:negative")
    starts = clauses(words)
    tone = np.add.reduceat(scored.rows[:, good] - scored.rows[:, bad], starts)
    count = sum(word.is_word for word in words)
    features[width + len(flags) :] = (
        float(tone.max()),
        float(tone.min()),
        float(tone[-1]),
        math.log1p(count),
        float(language == "en"),
        float(any(word.form == "!" for word in words)),
        float(count <= 12 and any(one.rule.flag == "thanks" for one in fired)),
    )
    return features
