"""An office of its own for each test; the empty record is migrated once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store import open_store
from tests.web.desk import Browser, Office, several


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fresh") / "monitor.db"
    store = open_store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def office(tmp_path: Path, fresh_file: Path) -> Iterator[Office]:
    """Three complaints, three cases, one alert."""
    opened = Office(tmp_path, fresh=fresh_file)
    opened.fill(several(3))
    yield opened
    opened.close()


@pytest.fixture
def noor(office: Office) -> Browser:
    return office.browser("Noor")
