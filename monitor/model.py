"""The nouns of Luisterpost: frozen values without I/O. Times are aware UTC; `None` means "not told", never zero."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

Json = Any  # any JSON value: str, int, float, bool, None, and lists and mappings of these


def digest(*parts: str | None) -> str:
    """32 hex characters that name these parts, in this order; None and "" differ."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = b"\x00" if part is None else b"\x01" + part.encode("utf-8", "surrogatepass")
        hasher.update(len(encoded).to_bytes(8, "big"))
        hasher.update(encoded)
    return hasher.hexdigest()


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC, cut to milliseconds as the search index keeps it. A naive time raises ValueError."""
    if moment.tzinfo is None:
        message = f"a time without zone is not a moment: {moment.isoformat()}"
        raise ValueError(message)
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote a mention: with the text, the personal data in the record. Erased as one unit."""

    native_id: str | None = None
    name: str | None = None
    handle: str | None = None
    url: str | None = None
    followers: int | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """What others did with a mention. Refreshed at each look; never part of the content hash."""

    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One utterance found at a source. Found by two searches it is still one mention: its id says so."""

    source_id: str
    origin: str
    native_id: str
    channel: str
    text: str
    fetched_at: datetime
    url: str | None = None
    title: str | None = None
    author: Author | None = None
    language: str | None = None
    published_at: datetime | None = None
    edited_at: datetime | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    rating: float | None = None
    rating_max: float | None = None
    engagement: Engagement = Engagement()
    is_private: bool = False
    is_own: bool = False
    is_automatic: bool = False
    removed_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def id(self) -> str:
        """hash(origin, native_id)."""
        return digest(self.origin, self.native_id)

    @property
    def content_hash(self) -> str:
        """Changes when what was said changes: title, text, stars, or that it is gone. Counters do not count."""
        rating = None if self.rating is None else f"{self.rating:g}/{self.rating_max or 0:g}"
        return digest(self.title, self.text, rating, "removed" if self.removed_at else None)

    @property
    def when(self) -> datetime:
        """When it was said, or, where the source does not tell, when it was first seen."""
        return self.published_at or self.fetched_at

    @property
    def author_key(self) -> str | None:
        """One person at one origin; None where the source names nobody."""
        if self.author is None:
            return None
        name = self.author.native_id or self.author.handle or self.author.name
        return digest(self.origin, name) if name else None

    @property
    def thread_key(self) -> str:
        """One conversation at one origin: the thread's first mention, or this one."""
        return digest(self.origin, self.thread_id or self.parent_id or self.native_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionVersion:
    """What a mention said before it was edited; `seen_at` is when this version was first seen."""

    content_hash: str
    title: str | None
    text: str
    rating: float | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a source has been read. Only its connector understands `value`; the empty mapping means "start"."""

    source_id: str
    value: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something fetched that is no mention. With `raw` it becomes a dead letter; without, it is only counted."""

    reason: str
    raw: bytes | None = None
    native_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """These mentions, and the cursor that is safe once they are stored."""

    mentions: tuple[Mention, ...]
    cursor: Cursor
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Where everything fetched ended: each mention in exactly one of the four counters."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    pages: int = 0

    @property
    def fetched(self) -> int:
        """All that the source gave."""
        return self.new + self.changed + self.unchanged + self.skipped

    def __add__(self, other: Collected) -> Collected:
        return Collected(
            new=self.new + other.new,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            skipped=self.skipped + other.skipped,
            pages=self.pages + other.pages,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured place. `options` are the connector's own; `missing` names what a person must still supply."""

    id: str
    connector: str
    name: str
    channel: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    every: timedelta = timedelta(minutes=15)
    language: str | None = None
    missing: tuple[str, ...] = ()
    paused: bool = False


class SourceStatus(StrEnum):
    """The closed list of what a source's health can be called."""

    WAITING = "waiting"
    CURRENT = "current"
    DELAYED = "delayed"
    SILENT = "silent"
    LIMITED = "limited"
    NO_ACCESS = "no_access"
    NOT_UNDERSTOOD = "not_understood"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source is doing. `failures` is weighted: a soft failure counts less than a hard one; success clears it."""

    source_id: str
    status: SourceStatus = SourceStatus.WAITING
    attempts: int = 0
    failures: float = 0.0
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    next_attempt_at: datetime | None = None
    token_expires_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Something fetched that could not be understood, kept whole with the reason until it can."""

    id: int
    source_id: str
    raw: bytes = field(repr=False)
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime


class TopicKind(StrEnum):
    """Why a topic is watched."""

    BRAND = "brand"
    PRODUCT = "product"
    COMPETITOR = "competitor"
    MARKET = "market"
    CRISIS = "crisis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What we watch for: a query, and the languages and channels it holds in (empty: all)."""

    id: str
    name: str
    kind: TopicKind
    query: str
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The characters [start, end) of `field` that made the tagger set `label`, and the reason in words.

    `label` is "kind:value": "sentiment:negative", "intent:complaint", "theme:delivery", "entity:order_number",
    "stage:aftersales", "needs_reply:yes", "urgency:high", "topic:zonnekade".
    """

    label: str
    start: int
    end: int
    reason: str
    field: str = "text"
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A span that names something: `type` as docs/labels.md lists them."""

    type: str
    text: str
    start: int
    end: int
    field: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """The author's attitude; `score` is the calibrated confidence in `label`, 0 to 1; `towards` a topic id."""

    label: str
    score: float
    towards: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """What one model says of one version of a mention. No sentiment means "not tagged", which is not neutral."""

    mention_id: str
    content_hash: str
    model: str
    language: str | None = None
    topics: tuple[str, ...] = ()
    sentiment: Sentiment | None = None
    intents: tuple[str, ...] = ()
    stage: str = "none"
    needs_reply: str = "no"
    themes: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = ()
    urgency: str = "normal"
    cluster_id: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()


class CaseStatus(StrEnum):
    """Where a case stands. Snoozed and escalated are fields, not states."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"

    @property
    def is_active(self) -> bool:
        """Still something to do or to wait for."""
        return self in {CaseStatus.NEW, CaseStatus.OPEN, CaseStatus.PENDING}


class Priority(StrEnum):
    """How soon, in four words."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One conversation with one person about one matter. Moved only by monitor.domain.case.act.

    `id` 0 means "not stored yet". `due_at` None: no clock runs. `reasons` are the words or numbers behind the priority.
    """

    id: int = 0
    version: int = 0
    mention_ids: tuple[str, ...] = ()
    topic_id: str | None = None
    author_key: str | None = None
    author_name: str | None = None
    thread_key: str
    channel: str
    source_id: str
    status: CaseStatus = CaseStatus.NEW
    priority: Priority = Priority.NORMAL
    reasons: tuple[str, ...] = ()
    queue: str
    assignee: str | None = None
    due_at: datetime | None = None
    snoozed_until: datetime | None = None
    escalated_to: str | None = None
    labels: tuple[str, ...] = ()
    opened_at: datetime
    last_customer_at: datetime
    first_reply_at: datetime | None = None
    is_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One thing that happened to a case. Append-only; `version` is the case's version after it.

    `before` and `after` hold the changed fields only, as JSON values.
    """

    case_id: int
    version: int
    at: datetime
    actor: str
    action: str
    before: Mapping[str, Json] = field(default_factory=dict)
    after: Mapping[str, Json] = field(default_factory=dict)
    note: str = ""


class RuleKind(StrEnum):
    """When a rule fires: at any match, at so many in a window, or at more than the usual number."""

    ANY = "any"
    FREQUENCY = "frequency"
    SPIKE = "spike"


class Severity(StrEnum):
    """How loudly an alert calls."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition over mentions. `threshold` counts distinct authors; `realert` is the shortest time between firings.

    `group_by` names a document field ("theme", "entity", "topic") whose values alert apart; None: one group.
    """

    id: str
    name: str
    kind: RuleKind
    query: str
    severity: Severity = Severity.MEDIUM
    window: timedelta = timedelta(hours=1)
    threshold: int = 1
    factor: float = 3.0
    group_by: str | None = None
    realert: timedelta = timedelta(hours=24)
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule's firing. `id` = hash(rule, window, group), so that raising it twice is raising it once.

    `expected` is the usual number for the window, None where the rule knows none. `updates` counts severity raises.
    """

    id: str
    rule_id: str
    severity: Severity
    title: str
    summary: str
    group: str
    window_start: datetime
    opened_at: datetime
    updated_at: datetime
    mention_ids: tuple[str, ...]
    count: int
    expected: float | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


class DeliveryState(StrEnum):
    """Where one attempt to tell one channel stands."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One outbox row: this alert, on this channel. `note` says why it failed last."""

    id: int = 0
    alert_id: str
    channel: str
    state: DeliveryState = DeliveryState.QUEUED
    attempts: int = 0
    next_at: datetime
    note: str = ""
    severity: Severity = Severity.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A mention as the record holds it, with the revision that was read with it."""

    no: int
    mention: Mention
    revision: int
    content_revision: int
    enrichment: Enrichment | None = None
    case: Case | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDocument:
    """One mention with its newest enrichment and its case's state, as it is searched. Never read back as truth.

    `tokens` and `title_tokens` are canonical (monitor.text.tokens), the `_cs` twins keep the case.
    `fields` holds the values of the query language's equality, number and date fields.
    """

    no: int
    id: str
    revision: int
    title_tokens: tuple[str, ...]
    tokens: tuple[str, ...]
    title_tokens_cs: tuple[str, ...]
    tokens_cs: tuple[str, ...]
    fields: Mapping[str, Any]
    when: datetime
