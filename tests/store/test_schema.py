"""The migrations lead to the tables that the code knows, and to nothing newer."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from monitor.errors import StoreError
from monitor.store import SqlStore, open_store
from monitor.store.engine import Database
from monitor.store.tables import metadata


def shape(database: Database) -> dict[str, list[str]]:
    """The text of every table and index, part by part, without the order and blanks that only writing gives it."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%alembic%'"
    rows = database.read(lambda conn: list(conn.exec_driver_sql(query)))
    return {name: sorted(" ".join(part.split()).rstrip(") ") for part in text.split(",")) for name, text in rows}


def test_a_migrated_record_has_the_tables_of_the_code(store: SqlStore, tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'made.db'}")
    made.write(metadata.create_all)
    assert shape(store._database) == shape(made)
    made.close()
    assert store._database.read(lambda conn: compare_metadata(MigrationContext.configure(conn), metadata)) == []


def test_a_second_upgrade_changes_nothing(store: SqlStore) -> None:
    before = shape(store._database)
    store.upgrade()
    assert shape(store._database) == before


def test_a_record_of_a_newer_version_is_left_alone(url: str, store: SqlStore) -> None:
    store._database.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StoreError, match="written by a newer Luisterpost"):
        store.upgrade()
    with pytest.raises(StoreError, match="written by a newer Luisterpost"):
        open_store(url)
