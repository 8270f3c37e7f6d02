"""What the components of one pipeline share about one text. It hangs on the Doc, and never leaves the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitor.model import Entity, Evidence, Mention, Sentiment

KEY = "note"  # in Doc.user_data


@dataclass(slots=True)
class Note:
    """The mention, and what has been found so far. `whole` is title, newline and text; spans are of `whole`."""

    mention: Mention
    mention_id: str
    whole: str
    title_size: int  # characters of title and newline before the text
    brand: str
    language: str | None
    words: list[Any] = field(default_factory=list)
    fired: list[Any] = field(default_factory=list)
    scored: Any = None
    decided: Any = None
    topics: tuple[str, ...] = ()
    brand_spans: tuple[tuple[int, int], ...] = ()
    sentiment: Sentiment | None = None
    intents: tuple[str, ...] = ()
    stage: str = "none"
    needs_reply: str = "no"
    themes: tuple[str, ...] = ()
    urgency: str = "normal"
    entities: list[tuple[str, int, int]] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    evidence: list[tuple[str, int, int, str, float | None]] = field(default_factory=list)
    cluster_id: str | None = None

    def place(self, start: int, end: int) -> tuple[str, int, int] | None:
        """A span of `whole` as (field, start, end); over the border, the larger part; None if nothing is left."""
        border = self.title_size
        if start >= border:
            found = ("text", start - border, end - border)
        elif end <= border or border - start > end - border:
            found = ("title", start, min(end, border - 1))
        else:
            found = ("text", 0, end - border)
        return found if found[1] < found[2] else None

    def anew(self) -> Note:
        """The same mention with nothing found yet."""
        fresh = Note(self.mention, self.mention_id, self.whole, self.title_size, self.brand, self.language)
        fresh.cluster_id = self.cluster_id
        return fresh

    def evidences(self) -> tuple[Evidence, ...]:
        """The spans in the fields they belong to, each once, in order."""
        found: dict[tuple[str, str, int, int], Evidence] = {}
        for label, start, end, reason, weight in self.evidence:
            placed = self.place(start, end) if self.title_size else ("text", start, end)
            if placed is not None and (label, *placed) not in found:
                name, first, last = placed
                found[label, name, first, last] = Evidence(
                    label=label, start=first, end=last, reason=reason, field=name, weight=weight
                )
        return tuple(found.values())

    def named(self) -> tuple[Entity, ...]:
        """The entities, in the fields they belong to."""
        found = []
        for kind, start, end in sorted(self.entities, key=lambda one: one[1]):
            placed = self.place(start, end)
            if placed is not None:
                name, first, last = placed
                words = (self.mention.text if name == "text" else self.mention.title or "")[first:last]
                found.append(Entity(type=kind, text=words, start=first, end=last, field=name))
        return tuple(found)
