"""The connection to the record: which SQLite, how a transaction begins, and what a failure means for a person.

The only module that imports a SQLite library. POSIX locks belong to the process, so two SQLite libraries on one file
undo each other's locks: nothing in a process may open the record with another one.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy import event, exc

from monitor.errors import StoreError

try:
    import pysqlite3.dbapi2 as bundled

    sqlite: ModuleType = bundled
except ImportError:  # no wheel for this platform: the system's library, whatever its age
    import sqlite3

    sqlite = sqlite3

SAFE_WAL = (3, 51, 3)
"""Older SQLite can corrupt a file in WAL mode when two connections write and checkpoint at once."""

T = TypeVar("T")


class RuleBroken(StoreError):
    """A unique key or a reference of the tables stood in the way."""


class Database:
    """One file, with a read face and a write face. Threads may share it; after a fork it starts afresh in the child."""

    def __init__(self, url: str, version: tuple[int, ...] = sqlite.sqlite_version_info) -> None:
        self.path = _path(url)
        self.warnings: tuple[str, ...] = ()
        self._journal = "WAL"
        if version < SAFE_WAL:
            self._journal = "DELETE"
            warning = (
                f"SQLite {'.'.join(map(str, version))} can damage a file in WAL mode, so {self.path} is kept in a "
                "slower mode. Remedy: a platform with a wheel of pysqlite3 (SQLite 3.51.3 or newer), or PostgreSQL."
            )
            self.warnings = (warning,)
        self._engine = self._create(url, foreign_keys=True)
        self._url = url
        self._writing = threading.Lock()
        os.register_at_fork(after_in_child=_forget_parent(weakref.ref(self)))

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on one snapshot."""
        with self._explained(), self._engine.begin() as conn:
            return work(conn)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction that holds the write lock from its start. `work` must bear being run again."""
        with self._explained(), self._writing, self._engine.execution_options(begin="BEGIN IMMEDIATE").begin() as conn:
            return work(conn)

    def migrate(self, work: Callable[[sa.Connection], T]) -> T:
        """As `write`, on an engine without foreign keys: rebuilding a table would else delete what points at it."""
        engine = self._create(self._url, foreign_keys=False)
        try:
            with self._explained(), engine.execution_options(begin="BEGIN IMMEDIATE").begin() as conn:
                return work(conn)
        finally:
            engine.dispose()

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def start_afresh(self) -> None:
        """Forget the parent's connections without closing them: they are still the parent's."""
        self._engine.dispose(close=False)
        self._writing = threading.Lock()

    def _create(self, url: str, *, foreign_keys: bool) -> sa.Engine:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder of {self.path} cannot be made ({error.strerror}). Choose another.") from error
        engine = sa.create_engine(
            url,
            module=sqlite,
            connect_args={"timeout": 30},
            pool_size=10,
            max_overflow=30,
            hide_parameters=True,  # else a mention's text lands in logs
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # else the driver begins when it likes, and never for SELECT
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout = 30000")
            if cursor.execute("PRAGMA journal_mode").fetchone()[0].upper() != self._journal:
                cursor.execute(f"PRAGMA journal_mode = {self._journal}")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def begin(conn: sa.Connection) -> None:
            conn.exec_driver_sql(conn.get_execution_options().get("begin", "BEGIN"))

        return engine

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except exc.IntegrityError as error:
            raise RuleBroken(f"{self.path} refused what breaks a rule of its tables: {error.orig}.") from error
        except exc.DatabaseError as error:
            raise StoreError(explain(str(error.orig), self.path)) from error


def explain(fault: str, path: Path) -> str:
    """A driver's complaint as a sentence for a person: what, where, what to do next."""
    remedies = {
        "locked": f"{path} is held by another program for more than 30 seconds. End it, or try again.",
        "is full": f"The disk of {path} is full; nothing half was kept. Make room and try again.",
        "readonly": f"{path} may not be written. Give this user the right to write to it and to its folder.",
        "unable to open": f"{path} cannot be opened. Check that its folder exists and that this user may write there.",
        "not a database": f"{path} is not a record of Luisterpost. Name another file, or move this one away.",
        "malformed": f"{path} is damaged. Stop everything that uses it and put back the newest backup.",
        "no such": f"{path} has not the tables of this version ({fault}). Run `monitor db upgrade`.",
        "disk i/o": f"The disk of {path} does not answer ({fault}). Check the disk, then try again.",
    }
    for sign, sentence in remedies.items():
        if sign in fault.lower():
            return sentence
    return f"{path} could not be used: {fault}."


def _path(url: str) -> Path:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(
            f"The store {parsed.render_as_string()} is not known. Write it as sqlite:///folder/monitor.db."
        )
    return Path(parsed.database)


def _forget_parent(database: weakref.ref[Database]) -> Callable[[], None]:
    def forget() -> None:
        if (alive := database()) is not None:
            alive.start_afresh()

    return forget
