"""The record, put together: one database, one object a noun."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import delete, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite

from monitor.errors import StoreError
from monitor.store.alerts import SqlAlerts
from monitor.store.cases import SqlCases
from monitor.store.engine import SAFE_WAL, Database, wal_is_safe
from monitor.store.enrichments import SqlEnrichments
from monitor.store.mentions import SqlCursors, SqlMentions
from monitor.store.sources import SqlDeadLetters, SqlSources
from monitor.store.tables import leases, meta

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 6_407_215


class SqlStore:
    """Implements monitor.protocols.Store on SQLite and, with the same statements, PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.cursors = SqlCursors(self._database)
        self.mentions = SqlMentions(self._database)
        self.enrichments = SqlEnrichments(self._database)
        self.cases = SqlCases(self._database)
        self.alerts = SqlAlerts(self._database)
        self.sources = SqlSources(self._database)
        self.dead_letters = SqlDeadLetters(self._database, self.mentions)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about this record."""
        if self._database.dialect == "sqlite" and not wal_is_safe():
            needed = ".".join(map(str, SAFE_WAL))
            return (f"this SQLite is older than {needed}: the record uses the slower journal; readers may wait",)
        return ()

    def upgrade(self) -> None:
        """Bring the schema to the newest version, under the record's write lock. A newer record is refused."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.set_main_option("path_separator", "os")
        with self._database.write() as connection:
            if self._database.dialect == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            script = ScriptDirectory.from_config(config)
            if inspect(connection).has_table("alembic_version"):
                current = connection.scalar(text("SELECT version_num FROM alembic_version"))
                if current == script.get_current_head():
                    return
                if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
                    raise StoreError(
                        f"{self._database.path or 'the record'} was written by a newer Luisterpost; update this one"
                    )
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise StoreError(f"the record cannot be brought up to date: {error}") from error

    def close(self) -> None:
        """Let go of files and connections."""
        self._database.close()

    @contextlib.contextmanager
    def lease(self, name: str, worker: str, now: datetime, seconds: float) -> Iterator[bool]:
        """True inside while nobody else holds `name`; given back at the end, or when its time is over."""
        mine = f"{worker}:{uuid.uuid4().hex}"
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = insert(leases).values(name=name, worker=mine, until=now + timedelta(seconds=seconds))
        statement = statement.on_conflict_do_update(
            index_elements=[leases.c.name],
            set_={"worker": statement.excluded.worker, "until": statement.excluded.until},
            where=leases.c.until < now,
        )
        with self._database.write() as connection:
            connection.execute(statement)
            taken = connection.scalar(select(leases.c.worker).where(leases.c.name == name)) == mine
        try:
            yield taken
        finally:
            if taken:
                with self._database.write() as connection:
                    connection.execute(delete(leases).where(leases.c.name == name, leases.c.worker == mine))

    def get_meta(self, name: str) -> str | None:
        """A small named value."""
        with self._database.read() as connection:
            return connection.scalar(select(meta.c.value).where(meta.c.name == name))

    def set_meta(self, name: str, value: str) -> None:
        """Keep a small named value."""
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        statement = insert(meta).values(name=name, value=value)
        statement = statement.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": value})
        with self._database.write() as connection:
            connection.execute(statement)
