"""Connections to the record: the one module that knows which SQLite library is used, and with which settings."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import OperationalError as SqlOperationalError

from monitor.errors import StoreError

try:
    import pysqlite3.dbapi2 as _sqlite
except ImportError:  # no wheel for this platform
    import sqlite3 as _sqlite

SAFE_WAL = (3, 51, 3)
"""Older versions can corrupt a file in WAL mode when two connections write and checkpoint at once."""

_REMEDIES = {
    "disk is full": "the disk is full: make room, then run the same command again; nothing that was stored is lost",
    "disk I/O error": "the disk cannot be written: check its space and health",
    "readonly database": "the file is read-only: change its permissions, or set MONITOR_STORE elsewhere",
    "read-only": "the file is read-only: change its permissions, or set MONITOR_STORE elsewhere",
    "unable to open": "the file cannot be opened: check that its folder exists and may be written",
    "database is locked": "another program holds the record for too long: stop it, then try again",
    "malformed": "the file is damaged: restore the last backup",
    "not a database": "this file is no record of Luisterpost: choose another path",
}


def sqlite() -> ModuleType:
    """The SQLite library of this process: two on one file undo each other's locks, so nothing may use another."""
    module: ModuleType = _sqlite
    return module


def wal_is_safe() -> bool:
    """Whether this SQLite may use the write-ahead log."""
    return tuple(int(part) for part in str(_sqlite.sqlite_version).split(".")[:3]) >= SAFE_WAL


def set_up(connection: Any) -> None:
    """The settings of every SQLite connection to a file of ours."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute(f"PRAGMA journal_mode={'WAL' if wal_is_safe() else 'DELETE'}")
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Database:
    """Reads and writes of one record. A write is one function's work in one transaction; a failure leaves nothing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.path: Path | None = None
        self._lock: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        common: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads, "hide_parameters": True}
        if make_url(url).get_backend_name() == "sqlite":
            self._lock = threading.RLock()
            self.path = _folder_made(url)
            self.engine: Engine = create_engine(
                url, module=_sqlite, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=10,
                max_overflow=30, **common,
            )  # fmt: skip
            event.listen(self.engine, "connect", lambda connection, _record: set_up(connection))
            event.listen(self.engine, "begin", _begin)
        else:
            self.engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30, **common)
        self._writing = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        self._process = os.getpid()

    @property
    def dialect(self) -> str:
        """Which SQL is spoken: sqlite or postgresql."""
        return self.engine.dialect.name

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot."""
        self._after_fork()
        with self._sentences(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its start."""
        self._after_fork()
        with self._lock, self._sentences(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _after_fork(self) -> None:
        if os.getpid() != self._process:
            self.engine.dispose(close=False)
            self._process = os.getpid()

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except SqlOperationalError as error:
            raise StoreError(f"{self.path or 'the record'}: {_remedy(str(error.orig))}") from error
        except DBAPIError as error:
            raise StoreError(f"{self.path or 'the record'}: {_remedy(str(error.orig))}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self.path or 'the record'}: {type(error).__name__}") from error


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _folder_made(url: str) -> Path | None:
    name = make_url(url).database
    if not name or name == ":memory:":
        return None
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _remedy(said: str) -> str:
    for part, remedy in _REMEDIES.items():
        if part in said:
            return remedy
    return said


def _dumps(value: Any) -> str:
    return orjson.dumps(value, default=list).decode()
