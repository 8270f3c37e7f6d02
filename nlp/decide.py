"""The second step at run time: scores, rules and clauses weighed into labels, with confidence and the words behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.tokens import Doc

from nlp.labels import GROUPS, LABELS, MANY, SILENT
from nlp.linear import Floats, LinearModel, Scored
from nlp.note import Note
from nlp.reading import second_features

STRONGEST = 3  # spans of the model a label
ENOUGH = 0.25  # of the strongest word's share, to be named beside it

_AT = {label: at for at, label in enumerate(LABELS)}
_GROUPS = {kind: [_AT[f"{kind}:{label}"] for label in group] for kind, group in GROUPS.items()}
_SINGLE = [_AT[f"{kind}:{label}"] for kind, group in MANY.items() for label in group]
Span = tuple[int, int, str, float | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """Probabilities and choices, as columns of LABELS; `ranked` lists a group's labels, best first."""

    probabilities: Floats
    set_singles: frozenset[int]
    ranked: dict[str, list[int]]


class SecondStep:
    """Weighs the features of a text. Built from the same tables as the first step."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.flags: tuple[str, ...] = tuple(str(tables["flags"]).split("\n"))
        self._weights: Floats = tables["second_weights"].astype(np.float32)
        self._bias: Floats = tables["second_bias"].astype(np.float32)
        self._limits: Floats = tables["limits"].astype(np.float32)
        self._first = self._weights[: len(LABELS)]

    def decide(self, features: Floats) -> Decided:
        """Softmax inside a group, logistic for the rest; the limits move decisions, not confidence."""
        scores = features @ self._weights + self._bias
        moved = scores + self._limits
        probabilities = 1.0 / (1.0 + np.exp(-scores))
        ranked = {}
        for kind, where in _GROUPS.items():
            powers = np.exp(scores[where] - scores[where].max())
            probabilities[where] = powers / powers.sum()
            ranked[kind] = sorted(where, key=lambda at: -float(moved[at]))
        return Decided(probabilities, frozenset(at for at in _SINGLE if moved[at] > 0), ranked)

    def spans(self, note: Note, doc: Doc, at: int, rival: int | None) -> list[Span]:
        """What lifts label `at` (over `rival`, in a group): rules that fire, then the strongest words. Empty: nothing does."""
        scored: Scored = note.scored
        column = self._first[:, at] - (self._first[:, rival] if rival is not None else 0)
        found: list[Span] = []
        base = len(LABELS)
        for fired in note.fired:
            row = base + self.flags.index(fired.rule.flag)
            weight = float(self._weights[row, at] - (self._weights[row, rival] if rival is not None else 0))
            if weight > 0:
                reason = f"{fired.rule.id}: {fired.rule.why[0]}"
                found.append((fired.start, fired.end, reason, round(weight, 3)))
        found.sort(key=lambda span: -(span[3] or 0))
        return found[:2] + self._words(scored, note, doc, scored.rows @ column, scored.pair_rows @ column)

    def _words(self, scored: Scored, note: Note, doc: Doc, shares: Floats, pair_shares: Floats) -> list[Span]:
        candidates: list[tuple[float, int, int]] = []
        for position in np.argsort(-shares)[: STRONGEST + 2].tolist():
            if note.words[position].is_word or note.words[position].form:
                candidates.append((float(shares[position]), position, position))
        for number in np.argsort(-pair_shares)[:STRONGEST].tolist():
            first, second = scored.pair_spans[number]
            candidates.append((float(pair_shares[number]), first, second))
        candidates.sort(reverse=True)
        found: list[Span] = []
        taken: set[int] = set()
        for share, first, second in candidates:
            if share <= 0 or len(found) == STRONGEST or (found and share < ENOUGH * candidates[0][0]):
                break
            if taken & {first, second}:
                continue
            taken |= {first, second}
            words = doc[first].text if first == second else f"{doc[first].text} {doc[second].text}"
            if second - first <= 1:
                end = doc[second].idx + len(doc[second])
                found.append((doc[first].idx, end, f"model: “{words}”", round(share, 3)))
            else:
                found.extend(
                    (doc[one].idx, doc[one].idx + len(doc[one]), f"model: “{words}”", round(share, 3))
                    for one in (first, second)
                )
        return found


class Weigh:
    """Component: both steps of the model, before the components that choose."""

    def __init__(self, first: LinearModel, second: SecondStep) -> None:
        self.first = first
        self.second = second

    def __call__(self, doc: Doc) -> Doc:
        note: Note = doc.user_data["note"]
        note.scored = self.first.score(note.words)
        language = note.language or "nl"
        features = second_features(note.scored, note.words, note.fired, language, self.second.flags, LABELS)
        note.decided = self.second.decide(features)
        return doc


def choose_one(second: SecondStep, note: Note, doc: Doc, kind: str) -> str:
    """The best label of a group that something speaks for; its evidence goes into the note."""
    ranked: list[int] = note.decided.ranked[kind]
    chosen = next(at for at in ranked if LABELS[at] in SILENT)
    for place, at in enumerate(ranked):
        if LABELS[at] in SILENT:
            chosen = at
            break
        rival = ranked[0] if place else ranked[1]
        spans = second.spans(note, doc, at, rival)
        if spans:
            chosen = at
            note.evidence.extend((LABELS[at], *span) for span in spans)
            break
    note.scores[LABELS[chosen]] = round(float(note.decided.probabilities[chosen]), 4)
    return LABELS[chosen].partition(":")[2]


def choose_many(second: SecondStep, note: Note, doc: Doc, kind: str) -> tuple[str, ...]:
    """The labels of a kind that hold, strongest first; one that no word lifts is not set."""
    probabilities = note.decided.probabilities
    found = []
    for name in MANY[kind]:
        label = f"{kind}:{name}"
        at = _AT[label]
        if at not in note.decided.set_singles:
            continue
        spans = second.spans(note, doc, at, None)
        if spans:
            found.append((float(probabilities[at]), name))
            note.scores[label] = round(float(probabilities[at]), 4)
            note.evidence.extend((label, *span) for span in spans)
    return tuple(name for _, name in sorted(found, key=lambda one: -one[0]))
