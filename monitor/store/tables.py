"""The tables of the record. docs/operate.md says what each is for; migrations/ holds how they came to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Utc(TypeDecorator[datetime]):
    """A moment: TIMESTAMP WITH TIME ZONE on PostgreSQL, integer microseconds on SQLite. Naive times raise."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type in this dialect."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone is not a moment")
        if dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            moment: datetime = value.astimezone(UTC)
            return moment
        return _EPOCH + timedelta(microseconds=value)


Big = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
ACTIVE = "status IN ('new', 'open', 'pending')"


def _serial() -> Column[int]:
    return Column("id", Big, primary_key=True, autoincrement=True)


mentions = Table(
    "mentions",
    metadata,
    Column("no", Big, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("source_id", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("native_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("url", Text),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("language", Text),
    Column("author_key", Text),
    Column("published_at", Utc),
    Column("fetched_at", Utc, nullable=False),
    Column("when_at", Utc, nullable=False),
    Column("edited_at", Utc),
    Column("removed_at", Utc),
    Column("parent_id", Text),
    Column("thread_id", Text),
    Column("rating", Float),
    Column("rating_max", Float),
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("shares", BigInteger),
    Column("views", BigInteger),
    Column("is_private", Boolean, nullable=False),
    Column("is_own", Boolean, nullable=False),
    Column("is_automatic", Boolean, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("created_revision", BigInteger, nullable=False),
    Column("content_revision", BigInteger, nullable=False),
    Column("indexed_revision", BigInteger, nullable=False),
    Column("tagged_revision", BigInteger, nullable=False),
    Column("triaged_revision", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
_due = {
    "mentions_to_index": (("revision",), "revision > indexed_revision"),
    "mentions_to_tag": (("content_revision",), "content_revision > tagged_revision"),
    "mentions_to_triage": (("when_at", "no"), "tagged_revision > triaged_revision"),
}
for _name, (_columns, _where) in _due.items():
    Index(_name, *(mentions.c[c] for c in _columns), sqlite_where=text(_where), postgresql_where=text(_where))
Index("mentions_when", mentions.c.when_at, mentions.c.no)
Index("mentions_author", mentions.c.author_key, mentions.c.when_at)

mention_versions = Table(
    "mention_versions",
    metadata,
    _serial(),
    Column("mention_no", Big, ForeignKey("mentions.no", ondelete="CASCADE"), nullable=False, index=True),
    Column("content_hash", Text, nullable=False),
    Column("title", Text),
    Column("text", Text, nullable=False),
    Column("rating", Float),
    Column("seen_until", Utc, nullable=False),
    sqlite_autoincrement=True,
)
raw_answers = Table(
    "raw_answers",
    metadata,
    Column("mention_no", Big, ForeignKey("mentions.no", ondelete="CASCADE"), primary_key=True),
    Column("raw", LargeBinary, nullable=False),
)
authors = Table(
    "authors",
    metadata,
    Column("key", Text, primary_key=True),
    Column("native_id", Text),
    Column("name", Text),
    Column("handle", Text),
    Column("url", Text),
    Column("followers", BigInteger),
    Column("verified", Boolean),
)
cursors = Table(
    "cursors",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("moved_at", Utc, nullable=False),
)
source_health = Table(
    "source_health",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("failures", Float, nullable=False),
    Column("last_attempt_at", Utc),
    Column("last_success_at", Utc),
    Column("last_new_at", Utc),
    Column("next_attempt_at", Utc),
    Column("token_expires_at", Utc),
    Column("note", Text, nullable=False),
)
enrichments = Table(
    "enrichments",
    metadata,
    Column("mention_no", Big, ForeignKey("mentions.no", ondelete="CASCADE"), primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("data", Json, nullable=False),
    Column("saved_revision", BigInteger, nullable=False),
)
cases = Table(
    "cases",
    metadata,
    _serial(),
    Column("version", BigInteger, nullable=False),
    Column("topic_id", Text),
    Column("author_key", Text),
    Column("author_name", Text),
    Column("person_key", Text, nullable=False),
    Column("thread_key", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("queue", Text, nullable=False),
    Column("assignee", Text),
    Column("due_at", Utc, nullable=False),
    Column("snoozed_until", Utc),
    Column("escalated_to", Text),
    Column("labels", Json, nullable=False),
    Column("intents", Text, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("last_customer_at", Utc, nullable=False),
    Column("first_reply_at", Utc),
    Column("is_private", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
_active: dict[str, Any] = {"sqlite_where": text(ACTIVE), "postgresql_where": text(ACTIVE)}
Index("cases_one_active", cases.c.person_key, cases.c.thread_key, unique=True, **_active)
Index("cases_due", cases.c.due_at, cases.c.id, **_active)
Index("cases_queue_due", cases.c.queue, cases.c.due_at, cases.c.id, **_active)
Index("cases_assignee_due", cases.c.assignee, cases.c.due_at, cases.c.id, **_active)
Index("cases_status_due", cases.c.status, cases.c.due_at, cases.c.id)
Index("cases_author", cases.c.author_key)

case_mentions = Table(
    "case_mentions",
    metadata,
    Column("case_id", Big, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("mention_no", Big, ForeignKey("mentions.no", ondelete="CASCADE"), primary_key=True, index=True),
)
case_events = Table(
    "case_events",
    metadata,
    Column("case_id", Big, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("at", Utc, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("note", Text, nullable=False),
)
alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("group_value", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("window_start", Utc, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("mention_ids", Json, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("expected", Float),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Utc),
)
Index("alerts_of_rule", alerts.c.rule_id, alerts.c.group_value, alerts.c.opened_at)
deliveries = Table(
    "deliveries",
    metadata,
    _serial(),
    Column("alert_id", Text, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("lease_until", Utc),
    Column("worker", Text),
    Column("note", Text, nullable=False),
    UniqueConstraint("alert_id", "channel", "severity"),
    sqlite_autoincrement=True,
)
_waiting = text("state IN ('queued', 'sending')")
Index("deliveries_due", deliveries.c.next_at, sqlite_where=_waiting, postgresql_where=_waiting)
dead_letters = Table(
    "dead_letters",
    metadata,
    _serial(),
    Column("source_id", Text, nullable=False),
    Column("raw_hash", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("first_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    UniqueConstraint("source_id", "raw_hash"),
    sqlite_autoincrement=True,
)
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("until", Utc, nullable=False),
)
meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
