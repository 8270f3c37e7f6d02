"""What could not be understood: kept whole with the reason, one row for the same bytes however often they come."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import Collected, DeadLetter, Page, Skipped
from monitor.store.codec import clean
from monitor.store.engine import Database
from monitor.store.pages import save_mentions
from monitor.store.tables import dead_letters, per_engine


def _upsert(insert: Any) -> Any:
    statement = insert(dead_letters)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source_id", "raw_hash"],
        set_={"attempts": dead_letters.c.attempts + 1, "reason": new.reason, "last_at": new.last_at},
    )


_KEEP = per_engine(_upsert)
_OLDEST = sa.select(dead_letters).order_by(dead_letters.c.id).limit(sa.bindparam("limit"))
_OLDEST_OF = _OLDEST.where(dead_letters.c.source_id == sa.bindparam("source_id"))
_COUNTS = sa.select(dead_letters.c.source_id, sa.func.count().label("number")).group_by(dead_letters.c.source_id)
_DROP = sa.delete(dead_letters).where(dead_letters.c.id == sa.bindparam("letter_id"))
_FAILED_AGAIN = (
    sa.update(dead_letters)
    .where(dead_letters.c.id == sa.bindparam("letter_id"))
    .values(attempts=dead_letters.c.attempts + 1, reason=sa.bindparam("why"), last_at=sa.bindparam("now"))
)


def keep_letters(conn: sa.Connection, source_id: str, skipped: Iterable[Skipped], now: datetime) -> set[str]:
    """Part of saving a page: a letter for everything skipped that has bytes; returns the hashes of these bytes."""
    rows = {
        raw_hash(one.raw): {
            "source_id": source_id,
            "raw_hash": raw_hash(one.raw),
            "raw": one.raw,
            "reason": clean(one.reason),
            "attempts": 1,
            "first_at": now,
            "last_at": now,
        }
        for one in skipped
        if one.raw is not None
    }
    if rows:
        conn.execute(_KEEP[conn.dialect.name], [rows[key] for key in sorted(rows)])
    return set(rows)


def raw_hash(raw: bytes) -> str:
    """Names these bytes."""
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


class SqlDeadLetters:
    """DeadLetters of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, source_id: str | None, limit: int) -> list[DeadLetter]:
        statement = _OLDEST if source_id is None else _OLDEST_OF
        values = {"limit": limit} if source_id is None else {"limit": limit, "source_id": source_id}
        rows = self._database.read(lambda conn: conn.execute(statement, values).mappings().all())
        return [DeadLetter(**{name: row[name] for name in _FIELDS}) for row in rows]

    def counts(self) -> dict[str, int]:
        return self._database.read(lambda conn: {row.source_id: row.number for row in conn.execute(_COUNTS)})

    def settle(self, letter: DeadLetter, page: Page | None, reason: str, now: datetime) -> Collected:
        def work(conn: sa.Connection) -> Collected:
            if page is None:
                conn.execute(_FAILED_AGAIN, {"letter_id": letter.id, "why": clean(reason), "now": now})
                return Collected()
            collected, refused = save_mentions(conn, page, now)
            again = keep_letters(conn, letter.source_id, refused, now)
            if raw_hash(letter.raw) not in again:
                conn.execute(_DROP, {"letter_id": letter.id})
            return collected

        return self._database.write(work)


_FIELDS = ("id", "source_id", "raw", "reason", "attempts", "first_at", "last_at")
