"""A record of its own for each test, and processes that share it."""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.store import SqlStore, open_store


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty record, migrated once: a copy of it saves each test the migration."""
    path = tmp_path_factory.mktemp("fresh") / "monitor.db"
    store = open_store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def url(fresh_file: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(fresh_file, tmp_path / 'monitor.db')}"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def processes() -> Any:
    """Processes that have imported the store already, so that a life of one takes milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.workers"])
    return context


@pytest.fixture
def side_by_side(processes: Any) -> Callable[..., list[Any]]:
    """Run a worker several times at once; what each told. Workers get their arguments, a barrier and a queue."""

    def run(worker: Callable[..., None], arguments: list[tuple[Any, ...]]) -> list[Any]:
        barrier, told = processes.Barrier(len(arguments)), processes.Queue()
        running = [processes.Process(target=worker, args=(*own, barrier, told)) for own in arguments]
        for process in running:
            process.start()
        answers = [told.get(timeout=120) for _ in running]
        for process in running:
            process.join()
            process.close()
        told.close()
        told.join_thread()
        return answers

    return run
