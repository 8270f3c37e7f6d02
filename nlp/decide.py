"""The second step at run time: scores, rules and clauses weighed into labels, with the words behind each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from spacy.tokens import Doc

from nlp.labels import GROUPS, LABELS, MANY, SILENT
from nlp.linear import Floats, LinearModel, Scored
from nlp.note import KEY, Note
from nlp.reading import BRAND, Reading, second_features

STRONGEST = 3  # spans a label
ONE_THREAD = 30_000  # multiplications that OpenBLAS still does in the calling thread
ENOUGH = 0.3  # of the strongest word's share, to be named beside it

_AT = {label: at for at, label in enumerate(LABELS)}
_GROUPS = {kind: [_AT[f"{kind}:{label}"] for label in group] for kind, group in GROUPS.items()}
_MANY = {kind: [(_AT[f"{kind}:{label}"], label) for label in group] for kind, group in MANY.items()}
_GOOD = frozenset({"sentiment:positive", "intent:compliment"})
_BAD = frozenset({"sentiment:negative", "intent:complaint"})
# The model may learn that annoyance often opens a happy story; to a reader it explains nothing.
_CONTRARY = {"still_waiting": _GOOD, "blame": _GOOD, "sarcasm": _GOOD, "danger": _GOOD, "repeat": _GOOD, "praise": _BAD}
# Set by hand, on top of what was learned: the writers of the training texts avoided the everyday words of judgement,
# so that their letters alone mislead ("terrible" looks like a word of praise to the n-grams).
_PRIOR = {
    "blame": {
        "sentiment:negative": 1.0,
        "sentiment:positive": -1.0,
        "intent:complaint": 1.0,
        "intent:compliment": -0.5,
    },
    "praise": {"sentiment:positive": 0.4, "sentiment:negative": -0.2, "intent:compliment": 0.4},
}
# What alarms a team or asks for thought needs words that say so: one of these rules, or else a model that is sure
# (at this probability) without the brand's name, which stands more often in news than in talk.
_NEEDS = {
    "intent:crisis": (frozenset({"danger", "leak", "fraud", "legal", "press", "many", "alarm"}), 0.5),
    "intent:idea": (frozenset({"idea"}), 0.5),
    "intent:promotion": (frozenset({"promotion"}), 0.5),
}
Span = tuple[int, int, str, float | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """One text's probabilities and choices, as columns of LABELS; `ranked` lists a group's labels, best first.

    `shares` has one row a token, what it adds to each label (in a group: beyond the group's mean); `pair_shares` one a
    pair that stands on `pair_spans`.
    """

    probabilities: list[float]
    held: list[bool]
    ranked: dict[str, list[int]]
    starts: list[int]
    shares: Floats
    pair_shares: Floats
    pair_spans: tuple[tuple[int, int], ...]


class SecondStep:
    """Weighs the features of texts. Built from the same tables as the first step."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.flags: tuple[str, ...] = tuple(str(tables["flags"]).split("\n"))
        self._weights: Floats = tables["second_weights"].astype(np.float32)
        for flag, pushes in _PRIOR.items():
            for label, push in pushes.items():
                self._weights[len(LABELS) + self.flags.index(flag), _AT[label]] += push
        self._bias: Floats = tables["second_bias"].astype(np.float32)
        self._limits: Floats = tables["limits"].astype(np.float32)
        lift = self._weights.copy()
        for where in _GROUPS.values():
            lift[:, where] -= lift[:, where].mean(axis=1, keepdims=True)
        self._lift = lift[: len(LABELS)]
        places = enumerate(self.flags, len(LABELS))
        self._flag_lift: dict[str, list[float]] = {flag: lift[at].tolist() for at, flag in places}

    def decide(self, features: Floats, scored: Sequence[Scored], docs: Sequence[Doc]) -> list[Decided]:
        """Softmax inside a group, logistic for the rest; the limits move decisions, not confidence."""
        scores = _product(features, self._weights) + self._bias
        moved = scores + self._limits
        probabilities = 1.0 / (1.0 + np.exp(-scores))
        ranked = {}
        for kind, where in _GROUPS.items():
            powers = np.exp(scores[:, where] - scores[:, where].max(axis=1, keepdims=True))
            probabilities[:, where] = powers / powers.sum(axis=1, keepdims=True)
            ranked[kind] = (where[0] + np.argsort(-moved[:, where], axis=1, kind="stable")).tolist()
        held = (moved > 0).tolist()
        shares = _product(np.concatenate([one.rows for one in scored]), self._lift)
        pair_shares = _product(np.concatenate([one.pair_rows for one in scored]), self._lift)
        found, at, pair_at = [], 0, 0
        for number, (one, chances, doc) in enumerate(zip(scored, probabilities.tolist(), docs, strict=True)):
            end, pair_end = at + len(one.rows), pair_at + len(one.pair_rows)
            order = {kind: rows[number] for kind, rows in ranked.items()}
            starts = doc.to_array("IDX").tolist()
            mine, mine_pairs = shares[at:end], pair_shares[pair_at:pair_end]
            found.append(Decided(chances, held[number], order, starts, mine, mine_pairs, one.pair_spans))
            at, pair_at = end, pair_end
        return found

    def spans(self, note: Note, at: int) -> list[Span]:
        """What lifts label `at`: rules that fire, then the strongest words. Empty: nothing does."""
        found: list[Span] = []
        for fired in note.fired:
            weight = self._flag_lift[fired.rule.flag][at]
            if (
                weight > 0
                and fired.start < fired.end
                and not (fired.rule.flag in _CONTRARY and LABELS[at] in _CONTRARY[fired.rule.flag])
            ):
                found.append((fired.start, fired.end, f"{fired.rule.id}: {fired.rule.why[0]}", round(weight, 3)))
        found.sort(key=_by_weight)
        found = [one for number, one in enumerate(found) if not any(_overlap(one, other) for other in found[:number])]
        return found[:2] + _words(note, at)[: STRONGEST - min(len(found), 2)]


def _product(left: Floats, right: Floats) -> Floats:
    """Left @ right in pieces too small for BLAS to wake its threads, which cost more than they bring."""
    size = max(ONE_THREAD // right.size, 1)
    return np.concatenate([left[at : at + size] @ right for at in range(0, max(len(left), 1), size)])


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _by_weight(span: Span) -> float:
    return -(span[3] or 0.0)


def _words(note: Note, at: int) -> list[Span]:
    """The words, or pairs of words, that add most to a label; neighbours are one span.

    Signs and the brand's name explain nothing; small words do only where no other word adds anything.
    """
    decided: Decided = note.decided
    words = note.words
    shown = [
        (share, place, place)
        for place, share in enumerate(decided.shares[:, at].tolist())
        if share > 0 and words[place].shows
    ]
    for share, (first, second) in zip(decided.pair_shares[:, at].tolist(), decided.pair_spans, strict=True):
        if share > 0 and words[first].shows and words[second].shows:
            shown.append((share, first, second))
    chosen = [one for one in shown if not (words[one[1]].small and words[one[2]].small)] or shown
    if not chosen:
        return []
    chosen.sort(reverse=True)
    least = ENOUGH * chosen[0][0]
    taken: dict[int, int] = {}  # a word's place: the rank of what it was chosen with
    shares: list[float] = []
    for share, first, second in chosen:
        if share < least or len(shares) == STRONGEST:
            break
        if first not in taken and second not in taken:
            taken[first] = taken[second] = len(shares)
            shares.append(share)
    return _joined(note, taken, shares)


def _joined(note: Note, taken: dict[int, int], shares: list[float]) -> list[Span]:
    """Spans of the chosen words, strongest first; a weight counts once, where its first word stands."""
    starts, words = note.decided.starts, note.words
    runs: list[list[int]] = []
    for place in sorted(taken):
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    found: list[Span] = []
    for run in runs:
        start, end = starts[run[0]], starts[run[-1]] + words[run[-1]].size
        weight = sum(shares[rank] for rank in {taken[place] for place in run})
        found.append((start, end, f"model: {note.whole[start:end]}", round(weight, 3)))
    found.sort(key=_by_weight)
    return found


class Weigh:
    """Component: both steps of the model, over many texts at once, before the components that choose."""

    def __init__(self, first: LinearModel, second: SecondStep) -> None:
        self.first = first
        self.second = second

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Many texts; one without any word or sign is passed on undecided."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            self._weigh([doc for doc in batch if any(word.form for word in doc.user_data[KEY].words)])
            yield from batch

    def _weigh(self, docs: list[Doc]) -> None:
        if not docs:
            return
        notes: list[Note] = [doc.user_data[KEY] for doc in docs]
        scored = self.first.score_all([note.words for note in notes])
        readings = [Reading(note.words, note.fired, note.language or "nl") for note in notes]
        features = second_features(scored, readings, self.second.flags, LABELS)
        for note, decided in zip(notes, self.second.decide(features, scored, docs), strict=True):
            note.decided = decided


def choose_one(second: SecondStep, note: Note, kind: str) -> str:
    """The best label of a group that something speaks for; its evidence goes into the note."""
    chosen = -1
    for at in note.decided.ranked[kind]:
        label = LABELS[at]
        if label in SILENT:
            chosen = at
            break
        spans = second.spans(note, at)
        if spans:
            chosen = at
            note.evidence.extend((label, *span) for span in spans)
            break
    label = LABELS[chosen]
    note.scores[label] = round(note.decided.probabilities[chosen], 4)
    return label.partition(":")[2]


def choose_many(second: SecondStep, note: Note, kind: str) -> tuple[str, ...]:
    """The labels of a kind that hold, strongest first; one that nothing lifts is not set."""
    decided: Decided = note.decided
    found = []
    for at, name in _MANY[kind]:
        if decided.held[at] and _is_backed(note, at) and (spans := second.spans(note, at)):
            label = LABELS[at]
            found.append((-decided.probabilities[at], name))
            note.scores[label] = round(decided.probabilities[at], 4)
            note.evidence.extend((label, *span) for span in spans)
    return tuple(name for _, name in sorted(found))


def _is_backed(note: Note, at: int) -> bool:
    flags, enough = _NEEDS.get(LABELS[at], (None, 0.0))
    if flags is None or any(one.rule.flag in flags for one in note.fired):
        return True
    decided: Decided = note.decided
    named = sum(decided.shares[place, at] for place, word in enumerate(note.words) if word.form == BRAND)
    chance = decided.probabilities[at]
    score = math.log(max(chance, 1e-9) / max(1 - chance, 1e-9))
    return bool(score - max(named, 0.0) > math.log(enough / (1 - enough)))
