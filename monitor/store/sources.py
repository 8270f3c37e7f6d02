"""The health of each source, as the last attempt left it."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from monitor.model import SourceHealth, SourceStatus
from monitor.store.codec import clean
from monitor.store.engine import Database
from monitor.store.tables import per_engine, source_health


def _upsert(insert: Any) -> Any:
    statement = insert(source_health)
    names = [column.name for column in source_health.columns if not column.primary_key]
    return statement.on_conflict_do_update(
        index_elements=["source_id"], set_={name: statement.excluded[name] for name in names}
    )


_SAVE = per_engine(_upsert)
_ALL = sa.select(source_health).order_by(source_health.c.source_id)


class SqlSources:
    """Sources of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def health(self) -> dict[str, SourceHealth]:
        rows = self._database.read(lambda conn: conn.execute(_ALL).mappings().all())
        return {row["source_id"]: SourceHealth(**{**row, "status": SourceStatus(row["status"])}) for row in rows}

    def save_health(self, health: SourceHealth) -> None:
        row = {**asdict(health), "status": str(health.status), "note": clean(health.note)}
        self._database.write(lambda conn: conn.execute(_SAVE[conn.dialect.name], row))
