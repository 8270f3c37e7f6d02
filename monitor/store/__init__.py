"""The record: everything that must not be lost, in SQL."""

from monitor.store.sqlstore import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
