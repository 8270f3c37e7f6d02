"""Component: which topics a mention belongs to, with the words that say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick
from spacy.tokens import Doc

from monitor.model import Topic
from nlp.note import KEY, Note

_PIECE = re.compile(r'"([^"]+)"|(-?[\w@#&\'’.+*-]+)')


@dataclass(frozen=True, slots=True)
class Terms:
    """A query's words: one of `wanted` must stand in the text, none of `unwanted` may."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def terms_of(query: str) -> Terms:
    """Words and "phrases" of a query; what follows NOT or "-" is unwanted."""
    wanted: list[str] = []
    unwanted: list[str] = []
    negated = False
    for phrase, word in _PIECE.findall(query):
        term = (phrase or word).lower()
        if word in {"AND", "OR"}:
            continue
        if word == "NOT":
            negated = True
            continue
        (unwanted if negated or term.startswith("-") else wanted).append(term.lstrip("-"))
        negated = False
    return Terms(tuple(wanted), tuple(unwanted))


class SetTopics:
    """Looks for all topics' words in one pass over the text."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = list(topics)
        self._terms = [terms_of(topic.query) for topic in topics]
        owners: dict[str, list[tuple[int, bool]]] = {}
        for at, terms in enumerate(self._terms):
            for term in terms.wanted:
                owners.setdefault(term.rstrip("*"), []).append((at, True))
            for term in terms.unwanted:
                owners.setdefault(term.rstrip("*"), []).append((at, False))
        owners.pop("", None)
        self._owners = list(owners.values())
        self._open = [any(f"{word}*" in (*t.wanted, *t.unwanted) for t in self._terms) for word in owners]
        self._automaton = AhoCorasick(list(owners)) if owners else None

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        if self._automaton is None:
            return doc
        lowered = note.whole.lower()
        if len(lowered) != len(note.whole):  # a few letters grow when lowered; offsets must not move
            lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in note.whole)
        hits: dict[int, list[tuple[int, int]]] = {}
        unwanted: set[int] = set()
        for number, start, end in self._automaton.find_matches_as_indexes(lowered, overlapping=True):
            if not self._bounded(lowered, start, end, is_open=self._open[number]):
                continue
            for at, wanted in self._owners[number]:
                if wanted:
                    hits.setdefault(at, []).append((start, end))
                else:
                    unwanted.add(at)
        found = []
        for at in sorted(hits):
            topic = self._topics[at]
            if at in unwanted or not self._holds(topic, note):
                continue
            found.append(topic.id)
            words = topic.name
            note.evidence.extend(
                (f"topic:{topic.id}", start, end, f"topic: {words}", None) for start, end in hits[at][:3]
            )
        note.topics = tuple(found)
        return doc

    @staticmethod
    def _bounded(text: str, start: int, end: int, *, is_open: bool) -> bool:
        before = start == 0 or not (text[start - 1].isalnum() or text[start - 1] == "_")
        after = is_open or end == len(text) or not (text[end].isalnum() or text[end] == "_")
        return before and after

    @staticmethod
    def _holds(topic: Topic, note: Note) -> bool:
        channel = not topic.channels or note.mention.channel in topic.channels
        return channel and (not topic.languages or note.language is None or note.language in topic.languages)
