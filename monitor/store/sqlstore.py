"""The record behind the protocol: SQLAlchemy Core over one database."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from monitor.store import meta, schema
from monitor.store.alerts import SqlAlerts
from monitor.store.cases import SqlCases
from monitor.store.cursors import SqlCursors
from monitor.store.dead_letters import SqlDeadLetters
from monitor.store.engine import Database
from monitor.store.enrichments import SqlEnrichments
from monitor.store.mentions import SqlMentions
from monitor.store.sources import SqlSources


class SqlStore:
    """Store of monitor.protocols. Threads may share one; a forked child gets connections of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.warnings = database.warnings
        self.cursors = SqlCursors(database)
        self.mentions = SqlMentions(database)
        self.enrichments = SqlEnrichments(database)
        self.cases = SqlCases(database)
        self.alerts = SqlAlerts(database)
        self.sources = SqlSources(database)
        self.dead_letters = SqlDeadLetters(database)

    def upgrade(self) -> None:
        schema.upgrade(self._database)

    def close(self) -> None:
        self._database.close()

    def lease(self, name: str, worker: str, now: datetime, seconds: float) -> AbstractContextManager[bool]:
        return meta.lease(self._database, name, worker, now, seconds)

    def get_meta(self, name: str) -> str | None:
        return meta.get_meta(self._database, name)

    def set_meta(self, name: str, value: str) -> None:
        meta.set_meta(self._database, name, value)


def open_store(url: str) -> SqlStore:
    """The record at `sqlite:///folder/monitor.db`, made if it is not there. Call `upgrade()` before its first use.

    Raises StoreError if it cannot be opened, or was written by a newer version.
    """
    database = Database(url)
    try:
        schema.check(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database)
