"""What the parts of the line ask of one another. Every engine and every fake passes the same contract test."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from monitor.model import (
    Alert,
    Case,
    CaseEvent,
    CaseStatus,
    Collected,
    Cursor,
    DeadLetter,
    Delivery,
    Enrichment,
    Mention,
    MentionVersion,
    Page,
    SearchDocument,
    SourceHealth,
    Stored,
)

Clock = Callable[[], datetime]
"""Tells the time, in UTC. Passed as an argument wherever time matters."""

NO_DUE = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no clock runs" where cases are ordered by due time."""


# --- collecting -------------------------------------------------------------------------------------------------------


class Connector(Protocol):
    """Reads one source, page by page. Raises SourceError only; never stores, never sleeps, never keeps a cursor."""

    @property
    def source_id(self) -> str:
        """The source this connector reads."""

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Walk on from `cursor`. A page's cursor never promises anything that has not been yielded yet."""

    def read(self, content: bytes, name: str) -> Page:
        """What one recorded answer or file of this kind of source holds, without network; `name` is shown in errors.

        Used for `monitor try FILE` and for replaying dead letters. Raises ResponseNotUnderstood.
        """


@runtime_checkable
class Rechecks(Protocol):
    """A connector whose source can be asked whether mentions are still there. Optional beside Connector."""

    def gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Those that were deleted, protected or withheld. Raises SourceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer over HTTP, read whole and decoded: header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def not_modified(self) -> bool:
        """The source has nothing new since the validators that were sent."""
        return self.status == 304  # noqa: PLR2004 - the status code is its own name


class Http(Protocol):
    """The one HTTP client. Every failure comes back as a SourceError; 304 is the only status besides 2xx returned."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> Response:
        """GET within the limits of size, time and redirects. 401/403, 429, 5xx and timeouts raise."""

    def json(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, Response]:
        """GET and parse JSON. What is not JSON raises ResponseNotUnderstood with the raw answer."""

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """POST once; never redirected."""

    def connect(self, host: str, port: int, *, seconds: float) -> socket.socket:
        """A TCP connection for another protocol, under the same guard. Raises SourceUnavailable."""


# --- understanding ----------------------------------------------------------------------------------------------------


class Tagger(Protocol):
    """Mentions in, enrichments out, in the same order. One bad text costs one text."""

    @property
    def model(self) -> str:
        """Name and version; part of an enrichment's key."""

    def tag(self, mentions: Sequence[Mention]) -> list[Enrichment]:
        """Tag a batch. The same mention and model give the same enrichment (clusters aside)."""


# --- the record -------------------------------------------------------------------------------------------------------


class Cursors(Protocol):
    """How far each source has been read. Written by Mentions.save_page only."""

    def get(self, source_id: str) -> Cursor:
        """The last cursor saved, or the empty one."""


class Mentions(Protocol):
    """What was found."""

    def save_page(self, page: Page, now: datetime) -> Collected:
        """Mentions, dead letters and cursor in one transaction, the cursor last."""

    def get(self, ids: Sequence[str]) -> dict[str, Stored]:
        """By id, with newest enrichment and case; unknown ids are left out."""

    def to_tag(self, limit: int) -> list[Stored]:
        """Mentions whose content no enrichment has seen yet, oldest first."""

    def to_triage(self, limit: int) -> list[Stored]:
        """Tagged mentions that open_cases has not looked at since they changed, in order of `when`."""

    def mark_triaged(self, stored: Sequence[Stored]) -> None:
        """open_cases looked at this revision of these mentions and left them without a case."""

    def to_index(self, limit: int) -> list[Stored]:
        """Mentions that changed since the search index saw them, lowest revision first, from one snapshot."""

    def mark_indexed(self, indexed: Sequence[tuple[int, int]]) -> None:
        """(no, revision as it was read): an older mark never overwrites a newer one."""

    def index_lag(self) -> int:
        """How many mentions the search index is behind."""

    def forget_indexed(self) -> None:
        """Send everything to the search index again."""

    def between(self, start: datetime, end: datetime) -> Iterator[Stored]:
        """Mentions with start <= when < end, in order of `when`, with enrichment and case; read in slices."""

    def of_author(self, author_key: str, limit: int) -> list[Stored]:
        """The newest mentions of one author."""

    def versions(self, mention_id: str) -> list[MentionVersion]:
        """What it said before each edit, oldest first; empty once it is removed at its source."""

    def count(self) -> int:
        """All mentions."""


class Enrichments(Protocol):
    """What the taggers said."""

    def save(self, enriched: Sequence[tuple[Stored, Enrichment]]) -> int:
        """Keep enrichments of the content that was read and mark the mentions tagged; how many were new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases a list shows; None or empty: all. `snoozed` False hides cases that sleep at `now`."""

    statuses: tuple[CaseStatus, ...] = ()
    queue: str | None = None
    assignee: str | None = None
    unassigned: bool = False
    channel: str | None = None
    author_key: str | None = None
    intent: str | None = None
    snoozed: bool | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts:
    """Numbers for the inbox's rail, from the record. All count active cases that are not snoozed unless named so."""

    todo: int = 0
    late: int = 0
    unassigned: int = 0
    pending: int = 0
    snoozed: int = 0
    by_queue: Mapping[str, int] | None = None
    by_assignee: Mapping[str, int] | None = None


class Cases(Protocol):
    """Conversations and their event log: every move is one compare-and-set with its event, in one transaction."""

    def open(self, case: Case, event: CaseEvent, stored: Stored) -> Case:
        """Store a new case with its first event; returns it with its id. An open twin raises Conflict."""

    def move(self, case: Case, event: CaseEvent, stored: Sequence[Stored] = ()) -> Case:
        """Store `case`, which must be one version ahead of the record, with its event; `stored` join the case.

        Somebody else was first: Conflict with `winner` (the record's assignee or last actor).
        """

    def get(self, case_id: int) -> Case | None:
        """One case, with its mention ids in order of `when`."""

    def events(self, case_id: int) -> list[CaseEvent]:
        """Its log, oldest first."""

    def in_thread(self, thread_key: str) -> list[Case]:
        """Cases of one conversation, newest first, any status."""

    def of_author(self, author_key: str) -> list[Case]:
        """A person's cases, newest first, any status."""

    def find(
        self, wanted: CaseFilter, *, now: datetime, limit: int, after: tuple[datetime, int] | None = None
    ) -> list[Case]:
        """By due time then id; `after` is (due, id) of the last row seen. No due time sorts last, as NO_DUE."""

    def opened_since(self, moment: datetime) -> int:
        """How many cases were opened or reopened after `moment`."""

    def counts(self, now: datetime) -> CaseCounts:
        """The rail's numbers, in one read."""

    def wake(self, now: datetime) -> list[Case]:
        """Cases whose snooze has run out."""

    def log(self, start: datetime, end: datetime) -> Iterator[CaseEvent]:
        """All events with start <= at < end, in order: what every figure is computed from."""


class Alerts(Protocol):
    """What the rules raised, and the outbox of telling people."""

    def raise_(self, alert: Alert, deliveries: Sequence[Delivery]) -> bool:
        """Keep the alert and one outbox row a channel; False (and nothing written) if this id is known already.

        An alert known already with a lower severity or count is updated; deliveries are added when severity rose.
        """

    def get(self, alert_id: str) -> Alert | None:
        """One alert."""

    def newest(self, limit: int) -> list[Alert]:
        """Newest first."""

    def last_of(self, rule_id: str, group: str) -> Alert | None:
        """The newest alert of a rule and group: decides about realerting."""

    def acknowledge(self, alert_id: str, agent: str, at: datetime) -> Alert:
        """The first one to say so has it; a later one gets Conflict with the winner."""

    def deliveries(self, alert_id: str) -> list[Delivery]:
        """The outbox rows of an alert."""

    def take_due(self, worker: str, now: datetime, limit: int) -> list[Delivery]:
        """Lease queued deliveries that are due; a lease that ran out is queued again."""

    def record(self, delivery: Delivery) -> None:
        """How an attempt ended."""


class Sources(Protocol):
    """The health of each source."""

    def health(self) -> dict[str, SourceHealth]:
        """All that is known, by source id."""

    def save_health(self, health: SourceHealth) -> None:
        """The outcome of an attempt."""


class DeadLetters(Protocol):
    """What could not be understood, kept until it can."""

    def waiting(self, source_id: str | None, limit: int) -> list[DeadLetter]:
        """Oldest first."""

    def counts(self) -> dict[str, int]:
        """How many wait, by source id."""

    def settle(self, letter: DeadLetter, page: Page | None, reason: str, now: datetime) -> Collected:
        """Replayed well (`page`): store its mentions and drop the letter, in one transaction.

        Otherwise (`page` None): the same letter, attempts + 1, the new reason.
        """


class Store(Protocol):
    """The record: everything that the product promises not to lose. Raises StoreError."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about where the record is kept, in sentences."""

    @property
    def cursors(self) -> Cursors:
        """How far each source has been read."""

    @property
    def mentions(self) -> Mentions:
        """What was found."""

    @property
    def enrichments(self) -> Enrichments:
        """What the taggers said."""

    @property
    def cases(self) -> Cases:
        """Conversations and their log."""

    @property
    def alerts(self) -> Alerts:
        """Alerts and their outbox."""

    @property
    def sources(self) -> Sources:
        """The health of each source."""

    @property
    def dead_letters(self) -> DeadLetters:
        """What could not be understood."""

    def upgrade(self) -> None:
        """Bring the schema to the newest version; safe to run from several processes at once."""

    def close(self) -> None:
        """Let go of files and connections."""

    def lease(self, name: str, worker: str, now: datetime, seconds: float) -> AbstractContextManager[bool]:
        """True inside while nobody else holds `name`."""

    def get_meta(self, name: str) -> str | None:
        """A small named value."""

    def set_meta(self, name: str, value: str) -> None:
        """Keep a small named value."""


# --- searching --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids of what matched, newest first; `total` is exact, or a floor when `more_than`. `next_after` pages on."""

    ids: tuple[str, ...]
    total: int
    more_than: bool = False
    facets: Mapping[str, Mapping[str, int]] | None = None
    next_after: tuple[datetime, int] | None = None


class SearchIndex(Protocol):
    """Derived from the record and disposable. Raises SearchUnavailable; a query's fault raises QueryError."""

    def write(self, documents: Iterable[SearchDocument], gone: Iterable[int] = ()) -> None:
        """Put documents in, an older revision never over a newer one; take the numbers in `gone` out."""

    def search(
        self, query: str, *, limit: int, after: tuple[datetime, int] | None = None, facets: bool = False
    ) -> Found:
        """What matches a query as written by a person; the empty query matches all."""

    def count(self) -> int:
        """All documents."""

    def rebuild(self) -> None:
        """Empty the index, keeping nothing."""

    @property
    def generation(self) -> str:
        """A name that changes when the index was made anew: the record then sends everything again."""

    def close(self) -> None:
        """Let go of files and connections."""


# --- telling people ---------------------------------------------------------------------------------------------------


class Notifier(Protocol):
    """Tells one channel about one alert. Raises NotifyError; sends once for one delivery."""

    @property
    def channel(self) -> str:
        """The name in policy.yaml."""

    def send(self, alert: Alert, delivery: Delivery) -> None:
        """Title and summary as plain text: nothing in a mention pings people or breaks a header."""
