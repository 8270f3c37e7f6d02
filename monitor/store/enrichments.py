"""What the taggers said of each version of a mention."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import Enrichment, Stored
from monitor.store import codec
from monitor.store.engine import Database
from monitor.store.mentions import RAISE
from monitor.store.tables import enrichments, mentions

_MARK = (
    update(mentions)
    .where(mentions.c.no == bindparam("n"), mentions.c.tagged_revision < bindparam("r"))
    .values(tagged_revision=bindparam("r"))
)


@cache
def _save(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(enrichments).on_conflict_do_nothing().returning(enrichments.c.mention_no)


class SqlEnrichments:
    """Kept by (mention, content, model): tagging again is safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, enriched: Sequence[tuple[Stored, Enrichment]]) -> int:
        """Keep enrichments, mark the content that was read as tagged, raise the revision; how many were new."""
        if not enriched:
            return 0
        ordered = sorted(enriched, key=lambda pair: pair[0].no)
        ms = time.time_ns() // 1_000_000
        rows = [
            {
                "mention_no": stored.no,
                "content_hash": stored.mention.content_hash,
                "model": enrichment.model,
                "data": codec.enrichment_data(enrichment),
                "saved_revision": max(stored.revision, ms),
            }
            for stored, enrichment in ordered
        ]
        with self._database.write() as connection:
            new = connection.execute(_save(self._database.dialect), rows).all()
            connection.execute(_MARK, [{"n": stored.no, "r": stored.content_revision} for stored, _ in ordered])
            if new:
                connection.execute(RAISE, {"nos": sorted(row.mention_no for row in new), "ms": ms})
        return len(new)
