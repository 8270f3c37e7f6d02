"""Small named values, and leases: who may do what only one may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.store.engine import Database
from monitor.store.tables import Utc, leases, meta, per_engine


def _set(insert: Any) -> Any:
    statement = insert(meta)
    return statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})


def _take(insert: Any) -> Any:
    statement = insert(leases)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"worker": new.worker, "until": new.until},
        where=leases.c.until <= sa.bindparam("now", type_=Utc),
    ).returning(leases.c.name)


_SET = per_engine(_set)
_TAKE = per_engine(_take)
_GET = sa.select(meta.c.value).where(meta.c.name == sa.bindparam("name"))
_LET_GO = sa.delete(leases).where(
    leases.c.name == sa.bindparam("lease"),
    leases.c.worker == sa.bindparam("by"),
    leases.c.until == sa.bindparam("end", type_=Utc),
)


def get_meta(database: Database, name: str) -> str | None:
    """A small named value, None if it was never set."""
    return database.read(lambda conn: conn.execute(_GET, {"name": name}).scalar())


def set_meta(database: Database, name: str, value: str) -> None:
    """Keep a small named value."""
    database.write(lambda conn: conn.execute(_SET[conn.dialect.name], {"name": name, "value": value}))


@contextmanager
def lease(database: Database, name: str, worker: str, now: datetime, seconds: float) -> Iterator[bool]:
    """True inside while nobody else holds `name`; let go at the end, or by itself after so many seconds."""
    until = now + timedelta(seconds=seconds)
    row = {"name": name, "worker": worker, "until": until, "now": now}
    taken = database.write(lambda conn: conn.execute(_TAKE[conn.dialect.name], row).first() is not None)
    try:
        yield taken
    finally:
        if taken:
            database.write(lambda conn: conn.execute(_LET_GO, {"lease": name, "by": worker, "end": until}))
