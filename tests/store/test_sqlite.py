"""The contract on SQLite."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.protocols import Store
from monitor.store import open_store
from tests.contracts.store import StoreContract


@pytest.fixture(scope="module")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty record, migrated once: a copy of it saves each test the migration."""
    path = tmp_path_factory.mktemp("fresh") / "monitor.db"
    store = open_store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


class TestSqlite(StoreContract):
    @pytest.fixture
    def reopen(self, fresh_file: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        path = shutil.copy(fresh_file, tmp_path / "monitor.db")
        stores: list[Store] = []

        def open_again() -> Store:
            stores.append(open_store(f"sqlite:///{path}"))
            return stores[-1]

        yield open_again
        for store in stores:
            store.close()
