"""The connection: which mode, which failure says what, and who may import SQLite."""

import ast
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

import monitor
from monitor import store as store_package
from monitor.errors import StoreError
from monitor.model import Cursor, Page
from monitor.store import SqlStore, open_store
from monitor.store.engine import SAFE_WAL, Database, explain
from tests.contracts.store import a_page, stored_after
from tests.factories import NOON, a_mention


def pragma(database: Database, name: str) -> Any:
    return database.read(lambda conn: conn.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def test_a_safe_library_writes_ahead_and_an_old_one_does_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    new = Database(url, version=SAFE_WAL)
    assert (pragma(new, "journal_mode"), new.warnings) == ("wal", ())
    assert [pragma(new, name) for name in ("synchronous", "foreign_keys", "secure_delete")] == [2, 1, 1]
    new.close()
    old = Database(url, version=(3, 40, 1))
    assert pragma(old, "journal_mode") == "delete"
    (warning,) = old.warnings
    assert "3.40.1" in warning
    old.close()


def test_an_old_library_keeps_the_record_all_the_same(url: str) -> None:
    store = SqlStore(Database(url, version=(3, 40, 1)))
    assert stored_after(store, a_mention()).mention == a_mention()
    assert store.warnings
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "mysql://u:secret@h/d", "sqlite:///:memory:"])
def test_an_unknown_kind_of_store_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:///folder/monitor\.db") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_the_folder_is_made(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a' / 'b' / 'monitor.db'}")
    store.upgrade()
    assert store.mentions.count() == 0
    store.close()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"folder of .*monitor\.db cannot be made"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'monitor.db'}")


def test_another_kind_of_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_text("geen database, maar een boodschappenlijst" * 100)
    with pytest.raises(StoreError, match="not a record of Luisterpost"):
        open_store(f"sqlite:///{path}")


def test_a_record_without_tables_says_what_to_run(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    with pytest.raises(StoreError, match="monitor db upgrade"):
        store.mentions.count()
    store.close()


def test_a_full_disk_is_a_sentence_and_nothing_half_is_kept(url: str, store: SqlStore) -> None:
    stored_after(store, a_mention())
    store._database.read(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1"))
    many = [a_mention(native_id=f"n{number}", text="x" * 5000) for number in range(200)]
    with pytest.raises(StoreError, match=r"disk of .* is full"):
        store.mentions.save_page(a_page(*many, at=2), NOON)
    store.close()
    again = open_store(url)
    assert (again.mentions.count(), again.cursors.get("praatpaal").value) == (1, {"at": 1})
    again.close()


def test_a_record_that_another_holds_is_a_sentence(url: str) -> None:
    holder, waiter = Database(url), Database(url)
    waiter.read(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 1"))

    def hold(_: sa.Connection) -> None:
        with pytest.raises(StoreError, match="held by another program"):
            waiter.write(lambda _: None)

    holder.write(hold)
    holder.close()
    waiter.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("attempt to write a readonly database", "may not be written"),
        ("unable to open database file", "cannot be opened"),
        ("database disk image is malformed", "newest backup"),
        ("disk I/O error", "does not answer"),
        ("something nobody knew", "something nobody knew"),
    ],
)
def test_every_fault_names_the_file_and_what_to_do(fault: str, said: str) -> None:
    sentence = explain(fault, Path("var/monitor.db"))
    assert "var/monitor.db" in sentence
    assert said in sentence


def test_no_error_carries_what_people_wrote(store: SqlStore) -> None:
    page = Page(mentions=(a_mention(text="mijn geheim"),), cursor=Cursor(source_id="praatpaal", value={"a": object()}))
    with pytest.raises(Exception, match="serializable") as refused:
        store.mentions.save_page(page, NOON)
    assert "geheim" not in str(refused.value)


def test_threads_share_a_store(store: SqlStore) -> None:
    def save(number: int) -> None:
        for place in range(10):
            store.mentions.save_page(a_page(a_mention(native_id=f"{number}-{place}")), NOON)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.mentions.count() == 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(store: SqlStore) -> None:
    stored_after(store, a_mention())
    child = os.fork()
    if child == 0:
        store.mentions.save_page(a_page(a_mention(native_id="2")), NOON)
        os._exit(0 if store.mentions.count() == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert stored_after(store, a_mention(native_id="3")).no == 3
    assert store.mentions.count() == 3


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_only_the_engine_imports_a_sqlite_library_for_the_record() -> None:
    folder = Path(store_package.__file__ or "").parent
    found = {path.name for path in folder.rglob("*.py") if imports(path) & {"sqlite3", "pysqlite3", "apsw"}}
    assert found == {"engine.py"}
    assert monitor.__file__ is not None


def test_every_statement_is_also_one_for_postgresql() -> None:
    dialect = postgresql.dialect()
    compiled = 0
    for name in (
        "alerts",
        "cases",
        "cursors",
        "dead_letters",
        "enrichments",
        "mentions",
        "meta",
        "pages",
        "revisions",
        "sources",
    ):
        module = __import__(f"monitor.store.{name}", fromlist=["_"])
        for value in vars(module).values():
            statement = value.get("postgresql") if isinstance(value, dict) and "postgresql" in value else value
            if isinstance(statement, sa.Executable) and isinstance(statement, sa.ClauseElement):
                statement.compile(dialect=dialect)
                compiled += 1
    assert compiled > 50
