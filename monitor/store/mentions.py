"""What was found, with its newest enrichment and its case."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import Collected, MentionVersion, Page, Stored
from monitor.store.cases import cases_by_id
from monitor.store.codec import read_enrichment, read_mention
from monitor.store.cursors import save_cursor
from monitor.store.dead_letters import keep_letters
from monitor.store.engine import Database
from monitor.store.pages import save_mentions
from monitor.store.revisions import SLICE, mark_triaged
from monitor.store.tables import (
    TO_INDEX,
    TO_TAG,
    TO_TRIAGE,
    Utc,
    authors,
    case_mentions,
    enrichments,
    mention_versions,
    mentions,
)

_M = mentions.c
_E = enrichments.c
_other = enrichments.alias("other")
_newest = (
    sa.select(sa.func.max(_other.c.id))
    .where(_other.c.mention_no == _M.no, _other.c.content_hash == _M.content_hash)
    .scalar_subquery()
)
_case_id = sa.select(sa.func.max(case_mentions.c.case_id)).where(case_mentions.c.mention_no == _M.no).scalar_subquery()
_STORED = (
    sa.select(
        mentions,
        *(authors.c[name].label(f"author_{name}") for name in ("native_id", "name", "handle", "url", "verified")),
        _E.model.label("enrichment_model"),
        _E.data.label("enrichment_data"),
        _case_id.label("case_id"),
    )
    .outerjoin(authors, authors.c.key == _M.author_key)
    .outerjoin(enrichments, _E.id == _newest)
)
_limit = sa.bindparam("limit", type_=sa.Integer)
_BY_ID = _STORED.where(_M.id.in_(sa.bindparam("ids", expanding=True)))
# The conditions of the partial indexes stand here as literals: a bound value would not find them.
_TO_TAG = _STORED.where(sa.text(TO_TAG)).order_by(_M.no).limit(_limit)
_TO_TRIAGE = _STORED.where(sa.text(TO_TRIAGE)).order_by(_M.when_at, _M.no).limit(_limit)
_TO_INDEX = _STORED.where(sa.text(TO_INDEX)).order_by(_M.revision, _M.no).limit(_limit)
_LAG = sa.select(sa.func.count()).select_from(mentions).where(sa.text(TO_INDEX))
_COUNT = sa.select(sa.func.count()).select_from(mentions)
_OF_AUTHOR = _STORED.where(_M.author_key == sa.bindparam("key")).order_by(_M.when_at.desc(), _M.no.desc()).limit(_limit)
_BETWEEN = (
    _STORED.where(
        _M.when_at >= sa.bindparam("start", type_=Utc),
        _M.when_at < sa.bindparam("end", type_=Utc),
        sa.or_(
            _M.when_at > sa.bindparam("start", type_=Utc),
            _M.no > sa.bindparam("after", type_=sa.BigInteger),
        ),
    )
    .order_by(_M.when_at, _M.no)
    .limit(_limit)
)
_MARK_INDEXED = (
    sa.update(mentions)
    .where(_M.no == sa.bindparam("mention"), _M.indexed_revision < sa.bindparam("read"))
    .values(indexed_revision=sa.bindparam("read"))
)
_FORGET_INDEXED = sa.update(mentions).values(indexed_revision=0).where(_M.indexed_revision > 0)
_VERSIONS = (
    sa.select(mention_versions)
    .join(mentions, _M.no == mention_versions.c.mention_no)
    .where(_M.id == sa.bindparam("mention_id"))
    .order_by(mention_versions.c.content_revision)
)


def load(conn: sa.Connection, statement: Any, values: dict[str, Any]) -> list[Stored]:
    """The mentions of a statement made from `_STORED`. The revision is read before anything that could be newer."""
    rows = conn.execute(statement, values).mappings().all()
    known = cases_by_id(conn, sorted({row["case_id"] for row in rows if row["case_id"] is not None}))
    return [
        Stored(
            no=row["no"],
            mention=read_mention(row),
            revision=row["revision"],
            content_revision=row["content_revision"],
            enrichment=None
            if row["enrichment_data"] is None
            else read_enrichment(row["id"], row["content_hash"], row["enrichment_model"], row["enrichment_data"]),
            case=known.get(row["case_id"]),
        )
        for row in rows
    ]


class SqlMentions:
    """Mentions of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_page(self, page: Page, now: datetime) -> Collected:
        def work(conn: sa.Connection) -> Collected:
            collected, skipped = save_mentions(conn, page, now)
            keep_letters(conn, page.cursor.source_id, skipped, now)
            save_cursor(conn, page.cursor, now)
            return collected

        return self._database.write(work)

    def get(self, ids: Sequence[str]) -> dict[str, Stored]:
        def work(conn: sa.Connection) -> list[Stored]:
            parts = (ids[start : start + SLICE] for start in range(0, len(ids), SLICE))
            return [one for part in parts for one in load(conn, _BY_ID, {"ids": list(part)})]

        return {one.mention.id: one for one in self._database.read(work)}

    def to_tag(self, limit: int) -> list[Stored]:
        return self._load(_TO_TAG, limit=limit)

    def to_triage(self, limit: int) -> list[Stored]:
        return self._load(_TO_TRIAGE, limit=limit)

    def mark_triaged(self, stored: Sequence[Stored]) -> None:
        self._database.write(lambda conn: mark_triaged(conn, stored))

    def to_index(self, limit: int) -> list[Stored]:
        return self._load(_TO_INDEX, limit=limit)

    def mark_indexed(self, indexed: Sequence[tuple[int, int]]) -> None:
        rows = [{"mention": no, "read": revision} for no, revision in sorted(indexed)]
        if rows:
            self._database.write(lambda conn: conn.execute(_MARK_INDEXED, rows))

    def index_lag(self) -> int:
        return self._number(_LAG)

    def forget_indexed(self) -> None:
        self._database.write(lambda conn: conn.execute(_FORGET_INDEXED))

    def between(self, start: datetime, end: datetime) -> Iterator[Stored]:
        after = -1
        while part := self._load(_BETWEEN, start=start, end=end, after=after, limit=SLICE):
            yield from part
            start, after = part[-1].mention.when, part[-1].no

    def of_author(self, author_key: str, limit: int) -> list[Stored]:
        return self._load(_OF_AUTHOR, key=author_key, limit=limit)

    def versions(self, mention_id: str) -> list[MentionVersion]:
        rows = self._database.read(lambda conn: conn.execute(_VERSIONS, {"mention_id": mention_id}).mappings().all())
        names = ("content_hash", "title", "text", "rating", "seen_at")
        return [MentionVersion(**{name: row[name] for name in names}) for row in rows]

    def count(self) -> int:
        return self._number(_COUNT)

    def _load(self, statement: Any, **values: Any) -> list[Stored]:
        return self._database.read(lambda conn: load(conn, statement, values))

    def _number(self, statement: Any) -> int:
        return int(self._database.read(lambda conn: conn.execute(statement).scalar_one()))
