"""The tables of the record, as SQLAlchemy Core sees them. The migrations must lead to exactly these.

Keys never come back after a deletion, times are aware UTC, and nothing that is sorted by is ever null. `revision` of a
mention rises with every change that its search document shows; see `next_revision`.
"""

# ruff: noqa: D102 - SQLAlchemy describes the methods of its types
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

ACTIVE = ("new", "open", "pending")
NO_DUE = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no clock runs", so that due times sort alike on every engine."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Utc(sa.types.TypeDecorator[datetime]):
    """An aware moment: microseconds since 1970 on SQLite, TIMESTAMP WITH TIME ZONE elsewhere. Naive times raise."""

    impl = sa.TIMESTAMP(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.BigInteger() if dialect.name == "sqlite" else sa.TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a time without zone cannot be stored: {value.isoformat()}"
            raise ValueError(message)
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = _EPOCH + value * _MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return moment


class Key(sa.types.TypeDecorator[int]):
    """A 64-bit number that the engine gives out. SQLite numbers rows only in a column called INTEGER."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else sa.BigInteger())


class Data(sa.types.TypeDecorator[Any]):
    """JSON; None is SQL's NULL. JSONB on PostgreSQL, which orders keys anew: compare parsed values only."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        kind = sa.JSON if dialect.name == "sqlite" else postgresql.JSONB
        return dialect.type_descriptor(kind(none_as_null=True))


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Any) -> sa.Table:
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=any(_is_numbered(part) for part in parts))


def _is_numbered(part: Any) -> bool:
    return isinstance(part, sa.Column) and isinstance(part.type, Key) and part.primary_key and not part.foreign_keys


def _due(name: str, *columns: Any, where: str, unique: bool = False) -> sa.Index:
    """An index over only the rows that still wait for something; statements must repeat its condition as a literal."""
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


TO_INDEX = "revision > indexed_revision"
TO_TAG = "content_revision > tagged_revision"
TO_TRIAGE = "tagged_revision >= content_revision AND triaged_revision < content_revision"
IS_ACTIVE = "status IN ('new', 'open', 'pending')"
IS_UNSENT = "state IN ('queued', 'sending')"

authors = _table(
    "authors",
    _column("key", sa.Text, primary_key=True),
    sa.Column("native_id", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("handle", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("verified", sa.Boolean),
)

mentions = _table(
    "mentions",
    _column("no", Key, primary_key=True),
    _column("id", sa.Text, unique=True),
    _column("source_id", sa.Text),
    _column("origin", sa.Text),
    _column("native_id", sa.Text),
    _column("channel", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("title", sa.Text),
    _column("text", sa.Text),
    sa.Column("author_key", sa.Text, sa.ForeignKey("authors.key")),
    sa.Column("followers", sa.BigInteger),
    sa.Column("language", sa.Text),
    sa.Column("published_at", Utc),
    _column("fetched_at", Utc),
    _column("when_at", Utc),
    sa.Column("edited_at", Utc),
    sa.Column("parent_id", sa.Text),
    sa.Column("thread_id", sa.Text),
    sa.Column("rating", sa.Double),
    sa.Column("rating_max", sa.Double),
    sa.Column("likes", sa.BigInteger),
    sa.Column("replies", sa.BigInteger),
    sa.Column("shares", sa.BigInteger),
    sa.Column("views", sa.BigInteger),
    _column("is_private", sa.Boolean),
    _column("is_own", sa.Boolean),
    _column("is_automatic", sa.Boolean),
    sa.Column("removed_at", Utc),
    _column("content_hash", sa.Text),
    _column("content_at", Utc),  # when this version of the content was first seen
    _column("revision", sa.BigInteger),
    _column("created_revision", sa.BigInteger),
    _column("content_revision", sa.BigInteger),
    _column("indexed_revision", sa.BigInteger),
    _column("tagged_revision", sa.BigInteger),
    _column("triaged_revision", sa.BigInteger),
    _due("ix_mentions_to_index", "revision", where=TO_INDEX),
    _due("ix_mentions_to_tag", "no", where=TO_TAG),
    _due("ix_mentions_to_triage", "when_at", "no", where=TO_TRIAGE),
    sa.Index(None, "when_at", "no"),
    sa.Index(None, "author_key", "when_at", "no"),
)

mention_versions = _table(
    "mention_versions",
    sa.Column("mention_no", Key, sa.ForeignKey("mentions.no"), primary_key=True, autoincrement=False),
    _column("content_revision", sa.BigInteger, primary_key=True, autoincrement=False),
    _column("content_hash", sa.Text),
    sa.Column("title", sa.Text),
    _column("text", sa.Text),
    sa.Column("rating", sa.Double),
    _column("seen_at", Utc),
)

raw_answers = _table(
    "raw_answers",
    sa.Column("mention_no", Key, sa.ForeignKey("mentions.no"), primary_key=True, autoincrement=False),
    _column("compressed", sa.LargeBinary),
)

tombstones = _table(
    "tombstones",
    _column("mention_id", sa.Text, primary_key=True),
    _column("reason", sa.Text),
    _column("at", Utc),
)

cursors = _table(
    "cursors",
    _column("source_id", sa.Text, primary_key=True),
    _column("value", Data),
    _column("moved_at", Utc),
)

enrichments = _table(
    "enrichments",
    _column("id", Key, primary_key=True),
    sa.Column("mention_no", Key, sa.ForeignKey("mentions.no"), nullable=False),
    _column("content_hash", sa.Text),
    _column("model", sa.Text),
    _column("data", Data),
    sa.UniqueConstraint("mention_no", "content_hash", "model"),
)

cases = _table(
    "cases",
    _column("id", Key, primary_key=True),
    _column("version", sa.Integer),
    sa.Column("topic_id", sa.Text),
    sa.Column("author_key", sa.Text),
    sa.Column("author_name", sa.Text),
    _column("thread_key", sa.Text),
    _column("channel", sa.Text),
    _column("source_id", sa.Text),
    _column("status", sa.Text),
    _column("priority", sa.Text),
    _column("reasons", Data),
    _column("queue", sa.Text),
    sa.Column("assignee", sa.Text),
    _column("due_at", Utc),
    sa.Column("snoozed_until", Utc),
    sa.Column("escalated_to", sa.Text),
    _column("labels", Data),
    _column("opened_at", Utc),
    _column("last_customer_at", Utc),
    sa.Column("first_reply_at", Utc),
    _column("is_private", sa.Boolean),
    _column("matter", sa.Text),  # topic, author and thread in one: two active cases never share it
    _column("intents", sa.Text),  # "|complaint|question|": what its mentions want, for the list's filter
    _due("ix_cases_due", "due_at", "id", where=IS_ACTIVE),
    _due("ix_cases_queue_due", "queue", "due_at", "id", where=IS_ACTIVE),
    _due("ix_cases_assignee_due", "assignee", "due_at", "id", where=IS_ACTIVE),
    sa.Index(None, "status", "due_at", "id"),
    sa.Index(None, "thread_key"),
    sa.Index(None, "author_key"),
    _due("uq_cases_active_matter", "matter", where=IS_ACTIVE, unique=True),
)

case_mentions = _table(
    "case_mentions",
    sa.Column("case_id", Key, sa.ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    sa.Column("mention_no", Key, sa.ForeignKey("mentions.no"), primary_key=True, autoincrement=False),
    sa.Index(None, "mention_no"),
)

case_events = _table(
    "case_events",
    sa.Column("case_id", Key, sa.ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    _column("version", sa.Integer, primary_key=True, autoincrement=False),
    _column("at", Utc),
    _column("actor", sa.Text),
    _column("action", sa.Text),
    _column("before", Data),
    _column("after", Data),
    _column("note", sa.Text),
    _column("opens", sa.Boolean),  # the case had something to do after it, and not before
    sa.Index(None, "at", "case_id", "version"),
)

alerts = _table(
    "alerts",
    _column("id", sa.Text, primary_key=True),
    _column("rule_id", sa.Text),
    _column("severity", sa.Text),
    _column("title", sa.Text),
    _column("summary", sa.Text),
    _column("group_value", sa.Text),
    _column("window_start", Utc),
    _column("opened_at", Utc),
    _column("updated_at", Utc),
    _column("mention_ids", Data),
    _column("count", sa.Integer),
    sa.Column("expected", sa.Double),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("acknowledged_at", Utc),
    sa.Index(None, "opened_at"),
    sa.Index(None, "rule_id", "group_value", "opened_at"),
)

deliveries = _table(
    "deliveries",
    _column("id", Key, primary_key=True),
    sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.id"), nullable=False),
    _column("channel", sa.Text),
    _column("severity", sa.Text),
    _column("state", sa.Text),
    _column("attempts", sa.Integer),
    _column("next_at", Utc),
    _column("note", sa.Text),
    sa.Column("lease_until", Utc),
    sa.Column("worker", sa.Text),
    sa.UniqueConstraint("alert_id", "channel", "severity"),
    _due("ix_deliveries_unsent", "next_at", "id", where=IS_UNSENT),
)

source_health = _table(
    "source_health",
    _column("source_id", sa.Text, primary_key=True),
    _column("status", sa.Text),
    _column("attempts", sa.Integer),
    _column("failures", sa.Double),
    sa.Column("last_attempt_at", Utc),
    sa.Column("last_success_at", Utc),
    sa.Column("last_new_at", Utc),
    sa.Column("next_attempt_at", Utc),
    sa.Column("token_expires_at", Utc),
    _column("note", sa.Text),
)

dead_letters = _table(
    "dead_letters",
    _column("id", Key, primary_key=True),
    _column("source_id", sa.Text),
    _column("raw_hash", sa.Text),
    _column("raw", sa.LargeBinary),
    _column("reason", sa.Text),
    _column("attempts", sa.Integer),
    _column("first_at", Utc),
    _column("last_at", Utc),
    sa.UniqueConstraint("source_id", "raw_hash"),
)

leases = _table(
    "leases",
    _column("name", sa.Text, primary_key=True),
    _column("worker", sa.Text),
    _column("until", Utc),
)

meta = _table(
    "meta",
    _column("name", sa.Text, primary_key=True),
    _column("value", sa.Text),
)


def next_revision(moment_ms: Any) -> sa.ColumnElement[int]:
    """max(revision + 1, now in epoch ms) as both engines understand it: rises always, and never starts anew."""
    return sa.case((moment_ms > mentions.c.revision, moment_ms), else_=mentions.c.revision + 1)


Statements = Mapping[str, Any]
"""One statement in each engine's words, by dialect name: `conn.execute(SAVE[conn.dialect.name], rows)`."""


def per_engine(build: Callable[[Any], Any]) -> Statements:
    """Build a statement once for each engine; `build` gets the engine's own `insert`, which knows ON CONFLICT."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}
