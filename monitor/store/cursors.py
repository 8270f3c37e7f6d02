"""How far each source has been read. A cursor is only ever saved together with its page."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import Cursor
from monitor.store.codec import clean
from monitor.store.engine import Database
from monitor.store.tables import cursors, per_engine


def _upsert(insert: Any) -> Any:
    statement = insert(cursors)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source_id"], set_={"value": new.value, "moved_at": new.moved_at}
    )


_SAVE = per_engine(_upsert)
_GET = sa.select(cursors.c.value).where(cursors.c.source_id == sa.bindparam("source_id"))


def save_cursor(conn: sa.Connection, cursor: Cursor, now: datetime) -> None:
    """Part of saving a page, and its last statement."""
    row = {"source_id": cursor.source_id, "value": clean(dict(cursor.value)), "moved_at": now}
    conn.execute(_SAVE[conn.dialect.name], row)


class SqlCursors:
    """Cursors of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source_id: str) -> Cursor:
        value = self._database.read(lambda conn: conn.execute(_GET, {"source_id": source_id}).scalar())
        return Cursor(source_id=source_id, value=value or {})
