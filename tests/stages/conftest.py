"""A real record for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store import SqlStore, open_store


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty record, migrated once."""
    path = tmp_path_factory.mktemp("fresh") / "monitor.db"
    store = open_store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def store(fresh_file: Path, tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{shutil.copy(fresh_file, tmp_path / 'monitor.db')}")
    yield opened
    opened.close()
