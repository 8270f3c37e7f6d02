"""The record: everything that must not be lost, in SQL."""

from __future__ import annotations

from monitor.store.sqlstore import SqlStore

__all__ = ["SqlStore", "open_store"]


def open_store(url: str) -> SqlStore:
    """The record at a SQLAlchemy URL (sqlite:///path or postgresql+psycopg://…). Call `upgrade` before use."""
    return SqlStore(url)
