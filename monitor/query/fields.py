"""The fields of the query language: what kind each is, and which values are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.text.clean import one_line


class Kind(StrEnum):
    """How a field is compared."""

    TEXT = "text"
    EQUALITY = "equality"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field by the name that people type. `known_when`: collected, tagged or triaged."""

    name: str
    kind: Kind
    known_when: str
    many: bool = False


def _of(kind: Kind, known_when: str, *names: str, many: bool = False) -> dict[str, Field]:
    return {name: Field(name=name, kind=kind, known_when=known_when, many=many) for name in names}


FIELDS: dict[str, Field] = (
    _of(Kind.TEXT, "collected", "text", "title")
    | _of(Kind.EQUALITY, "collected", "language", "source", "channel", "site", "author", "handle", "private", "own")
    | _of(Kind.NUMBER, "collected", "rating", "followers", "likes", "replies", "shares", "views")
    | _of(Kind.DATE, "collected", "published", "fetched")
    | _of(Kind.EQUALITY, "tagged", "topic", "theme", "intent", "entity", many=True)
    | _of(Kind.EQUALITY, "tagged", "sentiment", "stage", "urgency", "cluster")
    | _of(Kind.NUMBER, "tagged", "score")
    | _of(Kind.EQUALITY, "triaged", "status", "queue", "assignee", "priority")
    | _of(Kind.EQUALITY, "triaged", "label", many=True)
)
FOR_TOPICS = frozenset(name for name, found in FIELDS.items() if found.known_when == "collected")
FOR_RULES = frozenset(name for name, found in FIELDS.items() if found.known_when != "triaged")
FOR_SEARCHES = frozenset(FIELDS)


def canonical_value(value: str) -> str:
    """A value as it is stored and compared: one line, case folded."""
    return one_line(value, 200).casefold()
