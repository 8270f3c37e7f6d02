"""The town's script: who says what where and when, what is edited, deleted and reposted, and the truth of each.

Pure: times in the script are wall-clock times of a day (1 to 14) in Amsterdam; a `Town` pins day 1 to a date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST_DAY = date(2026, 6, 1)
"""Day 1 as it was: a Monday. Texts name its weekdays."""
DAYS = 14

FEEDS = ("nieuwsplein", "polderkoerier", "handelsblik", "balkongeluk")
DROPPED = ("mail", "phone", "radio")
SOURCES = ("x", "fediverse", "groenevingers", "sterrenplein", *FEEDS, *DROPPED)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A minute of the fortnight."""

    day: int
    clock: time

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Moment:
        """From the keys `day` and `time` ("HH:MM")."""
        return cls(day=int(told["day"]), clock=time.fromisoformat(told["time"]))


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit left standing; None: as it was."""

    at: Moment
    text: str
    title: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What a careful reader says of the mention, by the labels' definitions."""

    sentiment: str
    intents: frozenset[str]
    stage: str
    needs_reply: str
    themes: frozenset[str]
    entities: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the script. `parent`, `thread`, `repost_of` and `duplicate_of` name other lines by id."""

    id: str
    source: str
    native_id: str
    at: Moment
    text: str
    language: str
    handle: str
    name: str
    truth: Truth
    title: str | None = None
    followers: int | None = None
    parent: str | None = None
    thread: str | None = None
    topic_title: str | None = None
    rating: int | None = None
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    own: bool = False
    about: bool = True
    event: int = 0
    repost_of: str | None = None
    is_quote: bool = False
    duplicate_of: str | None = None
    edits: tuple[Edit, ...] = ()
    deleted: Moment | None = None

    @property
    def is_repost(self) -> bool:
        """A plain repost: engagement of its parent, no mention of its own."""
        return self.repost_of is not None and not self.is_quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A line as it stands at some moment; times in UTC. `number` is 1 until the first edit."""

    said: Said
    published_at: datetime
    text: str
    title: str | None
    rating: int | None
    edited_at: datetime | None
    number: int
    shares: int | None


@dataclass(frozen=True)
class Script:
    """All lines, in the order they are said."""

    lines: tuple[Said, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Said]:
        """Lines by script id."""
        return {said.id: said for said in self.lines}

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Said, ...]]:
        """Lines of each source, in order."""
        return {source: tuple(said for said in self.lines if said.source == source) for source in SOURCES}

    def root(self, said: Said) -> Said:
        """The first line of its conversation."""
        return self.by_id[said.thread] if said.thread else said


def load_script() -> Script:
    """The fortnight that comes with the product."""
    folder = resources.files("monitor.demo") / "town"
    rows = [
        json.loads(line)
        for name in ("mentions-a.jsonl", "mentions-b.jsonl")
        for line in (folder / name).read_text("utf-8").splitlines()
        if line.strip()
    ]
    return script_of(rows)


def script_of(rows: list[Mapping[str, Any]]) -> Script:
    """A script from its rows as they stand in the files."""
    texts = {row["id"]: row["text"] for row in rows}
    lines = sorted((_said(row, texts) for row in rows), key=lambda said: (said.at, said.id))
    return Script(lines=tuple(lines))


def _said(row: Mapping[str, Any], texts: Mapping[str, str]) -> Said:
    author, truth, engagement = row["author"], row["truth"], row.get("engagement") or {}
    reposted = row.get("repost_of")
    return Said(
        id=row["id"],
        source=row["source"],
        native_id=row["native_id"],
        at=Moment.read(row),
        text=row["text"],
        title=row.get("title"),
        language=row["lang"],
        handle=author["handle"],
        name=author["name"],
        followers=author.get("followers"),
        parent=row.get("parent"),
        thread=row.get("thread"),
        topic_title=row.get("topic_title"),
        rating=row.get("rating"),
        likes=engagement.get("likes"),
        replies=engagement.get("replies"),
        shares=engagement.get("shares"),
        own=bool(row.get("own")),
        about=bool(row["about"]),
        event=int(row["event"]),
        repost_of=reposted,
        is_quote=reposted is not None and texts[reposted] != row["text"],
        duplicate_of=row.get("duplicate_of"),
        edits=tuple(
            Edit(at=Moment.read(edit), text=edit["text"], title=edit.get("title"), rating=edit.get("rating"))
            for edit in row.get("edits", ())
        ),
        deleted=Moment.read(row["deleted"]) if row.get("deleted") else None,
        truth=Truth(
            sentiment=truth["sentiment"],
            intents=frozenset(truth["intents"]),
            stage=truth["stage"],
            needs_reply=truth["needs_reply"],
            themes=frozenset(truth["themes"]),
            entities=frozenset((entity["type"], entity["text"]) for entity in truth.get("entities", ())),
        ),
    )


@dataclass(frozen=True)
class Town:
    """The script pinned to a calendar: day 1 is `first_day`. `x_reach`: how far back the recent search of X goes."""

    script: Script = field(default_factory=load_script)
    first_day: date = FIRST_DAY
    x_reach: timedelta = timedelta(days=7)

    def when(self, moment: Moment) -> datetime:
        """The moment in UTC. A time that a clock change skips is moved on with the clock."""
        local = datetime.combine(self.first_day + timedelta(days=moment.day - 1), moment.clock, tzinfo=ZONE)
        return local.astimezone(UTC)

    @property
    def opens_at(self) -> datetime:
        """Midnight at which day 1 begins."""
        return self.when(Moment(1, time(0, 0)))

    @property
    def closes_at(self) -> datetime:
        """Midnight at which day 14 ends."""
        return self.when(Moment(DAYS + 1, time(0, 0)))

    def published(self, source: str, now: datetime) -> list[Version]:
        """What stands at the source at `now`, oldest first, each in its newest version; deleted lines are gone."""
        return [version for said in self.script.by_source[source] if (version := self.version(said, now)) is not None]

    def version(self, said: Said, now: datetime) -> Version | None:
        """The line as it stands; None before it is said and after it is deleted."""
        published = self.when(said.at)
        if published > now or (said.deleted is not None and self.when(said.deleted) <= now):
            return None
        found = Version(
            said=said,
            published_at=published,
            text=said.text,
            title=said.title,
            rating=said.rating,
            edited_at=None,
            number=1,
            shares=self._shares(said, now),
        )
        for edit in said.edits:
            if self.when(edit.at) > now:
                break
            found = replace(
                found,
                text=edit.text,
                title=edit.title if edit.title is not None else found.title,
                rating=edit.rating if edit.rating is not None else found.rating,
                edited_at=self.when(edit.at),
                number=found.number + 1,
            )
        return found

    def moments(self) -> list[datetime]:
        """Every moment at which something changes anywhere, in order."""
        found: set[Moment] = set()
        for said in self.script.lines:
            found.add(said.at)
            found.update(edit.at for edit in said.edits)
            if said.deleted:
                found.add(said.deleted)
        return sorted(self.when(moment) for moment in found)

    def _shares(self, said: Said, now: datetime) -> int | None:
        """The count that the script ends with, less the reposts of the script that are still to come."""
        if said.shares is None:
            return None
        to_come = sum(1 for other in self._reposts.get(said.id, ()) if self.when(other.at) > now)
        return max(0, said.shares - to_come)

    @cached_property
    def _reposts(self) -> Mapping[str, list[Said]]:
        found: dict[str, list[Said]] = {}
        for said in self.script.lines:
            if said.repost_of:
                found.setdefault(said.repost_of, []).append(said)
        return found


def steps(town: Town, step: timedelta, until: datetime | None = None) -> Iterator[datetime]:
    """Moments to look at the town, `step` apart from its first word to its end (or `until`), the end included."""
    end = until or town.closes_at
    moment = town.opens_at + step
    while moment < end:
        yield moment
        moment += step
    yield end
