"""Small stand-ins, written by hand: sources that do as they are told, a tagger that knows by heart, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.model import (
    Alert,
    Cursor,
    Delivery,
    Enrichment,
    Mention,
    Page,
    SearchDocument,
    Sentiment,
    Skipped,
    Source,
    Stored,
)
from monitor.store import SqlStore
from tests.factories import NOON, a_mention


@dataclass
class Clock:
    moment: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


def a_source(source_id: str = "praatpaal", **changes: Any) -> Source:
    values = {"id": source_id, "connector": "x", "name": source_id.title(), "channel": "x"}
    return Source(**(values | changes))


@dataclass
class Scripted:
    """A connector that plays its script: a number is a page, an error is raised, a callable is called."""

    source_id: str
    script: Sequence[Any]
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        self.asked.append(dict(cursor.value))
        for step in self.script:
            if isinstance(step, BaseException):
                raise step
            if callable(step):
                step()
                continue
            if step > cursor.value.get("at", 0):
                yield a_page(self.source_id, step)

    def read(self, content: bytes, name: str) -> Page:
        del name
        text = content.decode()
        found = () if text == "still odd" else (a_mention(source_id=self.source_id, native_id=text, text=text),)
        skipped = () if found else (Skipped(reason="still not a mention"),)
        return Page(mentions=found, cursor=Cursor(source_id=self.source_id), skipped=skipped)


def a_page(source_id: str, number: int, *skipped: Skipped) -> Page:
    mention = a_mention(source_id=source_id, origin=source_id, native_id=str(number), text=f"bericht {number}")
    return Page(mentions=(mention,), cursor=Cursor(source_id=source_id, value={"at": number}), skipped=skipped)


def save(store: SqlStore, *mentions: Mention) -> None:
    cursor = Cursor(source_id="praatpaal", value={"at": mentions[-1].native_id})
    store.mentions.save_page(Page(mentions=mentions, cursor=cursor), NOON)


@dataclass
class ByHeart:
    """Tags a mention as it was told to; a plain complaint about our brand where it was told nothing."""

    model: str = "by-heart-1"
    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def tag(self, mentions: Sequence[Mention]) -> list[Enrichment]:
        usual: dict[str, Any] = {
            "topics": ("zonnekade",),
            "intents": ("complaint",),
            "needs_reply": "yes",
            "sentiment": Sentiment(label="negative", score=0.9),
        }
        return [
            Enrichment(
                mention_id=m.id,
                content_hash=m.content_hash,
                model=self.model,
                **(usual | dict(self.known.get(m.native_id, {}))),
            )
            for m in mentions
        ]


@dataclass
class Channel:
    """A way to tell people that fails as it is told: `faults` are raised one by one, then it works."""

    channel: str
    faults: list[Exception] = field(default_factory=list)
    always: Exception | None = None
    told: list[tuple[str, str]] = field(default_factory=list)

    def send(self, alert: Alert, delivery: Delivery) -> None:
        if self.always is not None:
            raise self.always
        if self.faults:
            raise self.faults.pop(0)
        self.told.append((alert.id, delivery.severity.value))


@dataclass
class Shelf:
    """A search index that only keeps what it is given."""

    generation: str = "one"
    documents: dict[int, SearchDocument] = field(default_factory=dict)
    written: int = 0
    before_write: Callable[[], None] = lambda: None

    def write(self, documents: Sequence[SearchDocument], gone: Sequence[int] = ()) -> None:
        self.before_write()
        for document in documents:
            self.documents[document.no] = document
            self.written += 1
        for no in gone:
            self.documents.pop(no, None)


def retagged(stored: Stored, **changes: Any) -> Enrichment:
    assert stored.enrichment is not None
    return replace(stored.enrichment, **changes)
