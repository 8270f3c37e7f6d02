"""The command line as it is typed: sentences, exit statuses, and no secret anywhere."""

import csv
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app, main
from monitor.model import Cursor, Page
from monitor.store import open_store
from tests.factories import NOON, a_mention

SECRET = "canary-9f8e7d6c5b4a"
COMMANDS = (
    "run", "collect", "tag", "open-cases", "index", "raise-alerts", "deliver", "replay", "serve", "db",
    "watch", "add", "try", "check", "search", "sources", "export", "demo",
)  # fmt: skip


@pytest.fixture
def config(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "monitor.yaml").write_text("brand: Zonnekade\n")
    monkeypatch.setenv("MONITOR_STORE", f"sqlite:///{tmp_path / 'monitor.db'}")
    monkeypatch.setenv("MONITOR_SEARCH", f"sqlite:///{tmp_path / 'search.db'}")
    monkeypatch.setenv("MONITOR_CONFIG", str(folder))
    return folder


@pytest.fixture
def monitor(config, capfd, monkeypatch):
    """Runs a command as the console script does; (exit status, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["monitor", *map(str, arguments)])
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = stopped.code if isinstance(stopped.code, int) else int(bool(stopped.code))
        out, err = capfd.readouterr()
        assert SECRET not in out + err
        assert "Traceback" not in out + err
        return status, out, err

    return run


def fill(*mentions):
    store = open_store(os.environ["MONITOR_STORE"])
    store.upgrade()
    store.mentions.save_page(Page(mentions=mentions, cursor=Cursor(source_id="praatpaal")), NOON)
    store.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_no_command_is_missing_from_these_tests():
    names = {c.name or c.callback.__name__.replace("_", "-") for c in app.registered_commands}
    assert names | {group.name for group in app.registered_groups} == set(COMMANDS)


def test_watching_a_brand_writes_what_check_finds_valid_keeps_comments_and_is_the_same_twice(monitor, config):
    (config / "topics.yaml").write_text("# ours, by hand\ntopics: []\n")
    assert monitor("watch", "Coolblue", "--lang", "nl", "--no-collect")[0] == 0
    first = {path.name: path.read_text() for path in config.iterdir()}
    assert "# ours, by hand" in first["topics.yaml"]
    assert "coolblue" in first["sources.yaml"]
    assert monitor("check")[0] == 0
    assert monitor("watch", "Coolblue", "--lang", "nl", "--no-collect")[0] == 0
    assert {path.name: path.read_text() for path in config.iterdir()} == first


@pytest.mark.parametrize("brand", ["", "   ", '"', "!!!"])
def test_a_name_without_a_letter_is_refused_in_a_sentence(monitor, brand):
    status, _, err = monitor("watch", brand, "--no-collect")
    assert status == 1
    assert "letter or digit" in err


def test_adding_a_source_writes_it_and_its_secret_elsewhere(monitor, config):
    assert monitor("add", "rss", "--id", "nieuws", "--set", "url=https://nieuws.example/rss")[0] == 0
    added = monitor("add", "x", "--id", "praat", "--set", f"bearer_token={SECRET}", "--set", "query=zonnekade")
    assert added[0] == 0, added
    assert SECRET not in (config / "sources.yaml").read_text()
    assert SECRET in (config / ".env").read_text()
    assert (config / ".env").stat().st_mode & 0o077 == 0
    for command in (("check",), ("sources",), ("sources", "--json"), ("export", "mentions"), ("search",)):
        monitor(*command)  # the fixture looks for the secret in all that is said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rss", "--id", "n", "--set", "nonsense=1", "--set", "url=https://a.example"), "nonsense"),
        (("rss", "--id", "n", "--set", "url"), "name=value"),
        (("nosuch", "--id", "n"), "nosuch"),
        (("rss", "--id", "Not An Id", "--set", "url=https://a.example"), "not-an-id"),
        (("rss", "--id", "n", "--set", f"url=no address {SECRET[:3]}"), "url"),
    ],
)
def test_a_source_that_cannot_be_added_says_why(monitor, config, arguments, says):
    status, _, err = monitor("add", *arguments)
    assert status == 1
    assert says in err
    assert not (config / "sources.yaml").exists() or "id: n" not in (config / "sources.yaml").read_text()


def test_trying_files_tells_what_was_found_and_what_cannot_be_read(monitor, tmp_path):
    feed = tmp_path / "feed.xml"
    feed.write_text(
        '<rss version="2.0"><channel><title>N</title><item><title>Storing bij Zonnekade</title>'
        "<link>https://nieuws.example/1</link><guid>1</guid><description>Al uren geen internet!</description>"
        "</item></channel></rss>"
    )
    missing, odd = tmp_path / "missing.xml", tmp_path / "odd.bin"
    odd.write_bytes(b"\x00\x01\x02")
    _, out, _ = monitor("try", feed, missing, odd, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["title"] == "Storing bij Zonnekade"
    assert lines[0]["sentiment"] in {"negative", "neutral", "positive", None}
    assert [set(line) for line in lines[1:]] == [{"from", "error"}, {"from", "error"}]
    assert [line["from"] for line in lines[1:]] == [str(missing), str(odd)]
    assert not Path(os.environ["MONITOR_STORE"].removeprefix("sqlite:///")).exists()


def test_texts_of_a_file_are_tagged_line_by_line(monitor, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": "a", "text": "Waar blijft mijn pakket? Slecht!", "lang": "nl"}\nnot json\n')
    assert monitor("tag", "--input", source, "--output", target)[0] == 0
    told = [json.loads(line) for line in target.read_text().splitlines()]
    assert told[0]["id"] == "a"
    assert len(told) == 2
    assert "error" in told[1]


def test_check_names_file_and_line(monitor, config):
    (config / "topics.yaml").write_text('topics:\n  - id: a\n    name: A\n    kind: brand\n    query: "(a OR"\n')
    status, out, err = monitor("check")
    assert status == 1
    assert "topics.yaml:5" in (out + err).replace("\n", "")


def test_search_and_export_tell_what_is_stored_safe_for_a_spreadsheet(monitor):
    fill(
        a_mention(native_id="1", text='=HYPERLINK("http://kwaad.example")'),
        a_mention(native_id="2", text="+31 bel mij"),
        a_mention(native_id="3", text="gewoon [red]tekst[/]"),
    )
    assert monitor("index")[0] == 0
    status, out, _ = monitor("search", "gewoon", "--json")
    assert (status, [row["text"] for row in json.loads(out)]) == (0, ["gewoon [red]tekst[/]"])
    assert "[red]" in monitor("search", "gewoon")[1]  # shown as it was written, not as a colour
    rows = list(csv.DictReader(io.StringIO(monitor("export", "mentions", "--format", "csv")[1])))
    assert len(rows) == 3
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@"))]
    assert len(monitor("export", "mentions")[1].splitlines()) == 3
    assert monitor("export", "cases", "--format", "csv")[0] == 0


def test_a_query_that_cannot_be_read_is_answered_with_its_place(monitor):
    status, _, err = monitor("search", "(klacht OR")
    assert status == 1
    assert "at " in err


@pytest.mark.usefixtures("config")
def test_a_port_that_is_in_use_is_told_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in (["serve", "--port", port], ["demo", "--port", port, "--folder", str(tmp_path / "demo")]):
            program = [sys.executable, "-c", "from monitor.cli import main; main()", *command]
            done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 1, done.stderr
            assert "in use" in done.stderr.replace("\n", " ")
            assert "Traceback" not in done.stderr


def test_a_record_that_cannot_be_opened_is_told_in_a_sentence(monitor, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file, no folder")
    monkeypatch.setenv("MONITOR_STORE", f"sqlite:///{tmp_path / 'file' / 'monitor.db'}")
    status, _, err = monitor("search")
    assert status == 1
    assert err.startswith("error:")


@pytest.mark.parametrize(("number", "says"), [(28, "disk is full"), (30, "read-only"), (13, "may not be used")])
def test_a_disk_in_trouble_is_told_with_what_to_do(monitor, monkeypatch, number, says):
    def fail(*_arguments, **_words):
        raise OSError(number, "said by the system", "/var/monitor.db")

    monkeypatch.setattr("monitor.cli.context.load_settings", fail)
    status, _, err = monitor("sources")
    assert status == 1
    assert says in err.replace("\n", " ")
