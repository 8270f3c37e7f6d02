"""The contract on SQLite."""

from collections.abc import Callable, Iterator

import pytest

from monitor.protocols import Store
from monitor.store import open_store
from tests.contracts.store import StoreContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def reopen(self, url: str) -> Iterator[Callable[[], Store]]:
        stores: list[Store] = []

        def open_again() -> Store:
            stores.append(open_store(url))
            return stores[-1]

        yield open_again
        for store in stores:
            store.close()
