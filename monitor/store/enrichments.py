"""What the taggers said of each version of a mention."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from monitor.model import Enrichment, Stored
from monitor.store.codec import enrichment_data
from monitor.store.engine import Database
from monitor.store.revisions import lock
from monitor.store.tables import enrichments, mentions, next_revision, per_engine

_M = mentions.c


def _insert(insert: Any) -> Any:
    return (
        insert(enrichments)
        .on_conflict_do_nothing(index_elements=["mention_no", "content_hash", "model"])
        .returning(enrichments.c.mention_no)
    )


_SAVE = per_engine(_insert)
_read = sa.bindparam("read", type_=sa.BigInteger)
_MARK = (
    sa.update(mentions)
    .where(
        _M.no == sa.bindparam("mention"), sa.or_(_M.tagged_revision < _read, sa.bindparam("is_new", type_=sa.Boolean))
    )
    .values(
        tagged_revision=sa.case((_M.tagged_revision < _read, _read), else_=_M.tagged_revision),
        revision=next_revision(sa.bindparam("now_ms", type_=sa.BigInteger)),
    )
)


class SqlEnrichments:
    """Enrichments of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, enriched: Sequence[tuple[Stored, Enrichment]]) -> int:
        if not enriched:
            return 0

        def work(conn: sa.Connection) -> int:
            there = set(lock(conn, (one.no for one, _ in enriched)))
            pairs = sorted((pair for pair in enriched if pair[0].no in there), key=lambda pair: pair[0].no)
            if not pairs:
                return 0
            rows = [
                {
                    "mention_no": one.no,
                    "content_hash": enrichment.content_hash,
                    "model": enrichment.model,
                    "data": enrichment_data(enrichment),
                }
                for one, enrichment in pairs
            ]
            new = conn.execute(_SAVE[conn.dialect.name], rows).scalars().all()
            fresh, now_ms = set(new), time.time_ns() // 1_000_000
            marks = [
                {"mention": one.no, "read": one.content_revision, "is_new": one.no in fresh, "now_ms": now_ms}
                for one, _ in pairs
            ]
            conn.execute(_MARK, marks)
            return len(new)

        return self._database.write(work)
