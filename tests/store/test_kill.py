"""kill -9, at random and between every two statements."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from monitor.store import SqlStore, open_store
from monitor.store.tables import metadata
from tests.contracts.store import a_page
from tests.factories import NOON, a_mention
from tests.store import workers

KILLS = 60


@pytest.mark.parametrize(
    "worker",
    [
        pytest.param(workers.collect_until_killed, id="page and cursor in one transaction"),
        pytest.param(
            workers.collect_cursor_first,
            id="cursor first",
            marks=pytest.mark.xfail(reason="a kill in between loses the page", strict=True, raises=AssertionError),
        ),
    ],
)
def test_no_kill_loses_or_doubles_a_mention(
    url: str, store: SqlStore, processes: Any, worker: Callable[..., None]
) -> None:
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
    for _ in range(KILLS):
        begun = processes.Event()
        process = processes.Process(target=worker, args=(url, begun))
        process.start()
        assert begun.wait(timeout=60)
        process.join(timeout=chance.uniform(0.001, 0.06))
        process.kill()
        process.join()
        process.close()
    pages = workers.next_page(store)
    promised = {mention.id for number in range(pages) for mention in workers.page_number(number).mentions}
    if len(promised) < 1000:
        pytest.skip(f"void: only {len(promised)} mentions were promised")
    assert whole(store) == "ok"
    assert store.mentions.get(sorted(promised)).keys() == promised
    assert store.mentions.count() == len(promised)


def test_a_kill_between_any_two_statements_is_as_if_it_never_was(
    fresh_file: Path, tmp_path: Path, processes: Any
) -> None:
    expected = snapshot(saved(fresh_file, tmp_path / "whole.db", [lambda url: workers.save_and_die(url, 2, 0)]))
    deaths = 0
    for statement in range(1, 40):

        def die(url: str, statement: int = statement) -> None:
            nonlocal deaths
            process = processes.Process(target=workers.save_and_die, args=(url, 2, statement))
            process.start()
            process.join()
            deaths += process.exitcode == -9

        steps = [die, lambda url: workers.save_and_die(url, 2, 0)]
        if deaths + 1 < statement:
            break  # the save has no more statements to die before
        assert snapshot(saved(fresh_file, tmp_path / f"{statement}.db", steps)) == expected, f"died at {statement}"
    assert deaths >= 12


def saved(fresh_file: Path, path: Path, steps: list[Callable[[str], None]]) -> str:
    """A record with four known mentions, after these steps."""
    path.write_bytes(fresh_file.read_bytes())
    url = f"sqlite:///{path}"
    store = open_store(url)
    names = ("edited", "counted", "removed", "untouched")
    store.mentions.save_page(a_page(*(a_mention(native_id=name, raw={"n": name}) for name in names)), NOON)
    store.close()
    for step in steps:
        step(url)
    return url


def snapshot(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    store = open_store(url)

    def rows(conn: sa.Connection) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        for table in metadata.sorted_tables:
            yield table.name, sorted(map(tuple, conn.execute(sa.select(table))), key=repr)

    found = store._database.read(lambda conn: dict(rows(conn)))
    store.close()
    return found


def whole(store: SqlStore) -> str:
    return str(store._database.read(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar_one()))
