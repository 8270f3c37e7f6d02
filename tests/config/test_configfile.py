"""config/*.yaml: every fault names file, line and remedy."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from monitor.configfile import duration, load_settings
from monitor.configwrite import add_entry, add_secret
from monitor.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config"


def fault(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(folder, {})
    return str(caught.value)


def test_the_shipped_configuration_loads():
    settings = load_settings(SHIPPED, {})
    assert settings.policy.hours[0] == (time(8, 30), time(17, 30))
    assert settings.policy.rules


def test_an_empty_folder_means_the_defaults(tmp_path):
    settings = load_settings(tmp_path / "config", {})
    assert settings.store == f"sqlite:///{tmp_path}/var/monitor.db"


def test_a_misspelt_key_is_named_with_its_line_and_the_right_word(tmp_path):
    said = fault(tmp_path, "sources.yaml", "sources:\n  - id: a\n    connector: rss\n    evry: 5m\n")
    assert "sources.yaml:4" in said
    assert "did you mean 'every'?" in said


def test_a_missing_key_is_named(tmp_path):
    assert "topics.yaml:2" in fault(tmp_path, "topics.yaml", "topics:\n  - id: a\n    name: A\n")


def test_broken_yaml_is_named_with_its_line(tmp_path):
    assert "monitor.yaml:2" in fault(tmp_path, "monitor.yaml", "brand: x\nnet: }\n")


def test_a_wrong_duration_says_how_to_write_one(tmp_path):
    said = fault(tmp_path, "sources.yaml", "sources:\n  - id: a\n    connector: rss\n    every: often\n")
    assert "write a duration as" in said
    assert duration("90s") == timedelta(seconds=90)


def test_two_sources_of_one_name_are_refused(tmp_path):
    assert "twice" in fault(
        tmp_path, "sources.yaml", "sources:\n  - {id: a, connector: rss}\n  - {id: a, connector: rss}\n"
    )


def test_wrong_opening_hours_are_named(tmp_path):
    assert "policy.yaml:2" in fault(tmp_path, "policy.yaml", "hours:\n  mon-fry: 9-17\n")


def test_a_secret_comes_from_the_environment_and_a_missing_one_is_named(tmp_path):
    (tmp_path / "sources.yaml").write_text(
        "sources:\n  - {id: a, connector: x, options: {bearer_token: '${X_TOKEN}'}}\n", "utf-8"
    )
    assert load_settings(tmp_path, {}).sources[0].missing == ("X_TOKEN",)
    filled = load_settings(tmp_path, {"X_TOKEN": "canary"})
    assert filled.sources[0].options["bearer_token"] == "canary"
    assert "canary" not in repr(filled)


def test_adding_a_source_keeps_every_comment(tmp_path):
    file = tmp_path / "sources.yaml"
    file.write_text("# my own words\nsources:\n  - id: a  # the first\n    connector: rss\n", "utf-8")
    add_entry(file, "sources", {"id": "b", "connector": "rss", "options": {"url": "https://example.org/feed"}})
    text = file.read_text("utf-8")
    assert "# my own words" in text
    assert "# the first" in text
    assert [s.id for s in load_settings(tmp_path, {}).sources] == ["a", "b"]
    add_entry(file, "sources", {"id": "b", "connector": "rss", "name": "B"})
    assert [s.name for s in load_settings(tmp_path, {}).sources] == ["a", "B"]


def test_adding_to_the_shipped_files_works(tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text((SHIPPED / "topics.yaml").read_text("utf-8"), "utf-8")
    add_entry(file, "topics", {"id": "b", "name": "B", "query": '"b c"'})
    assert [t.query for t in load_settings(tmp_path, {}).topics] == ['"b c"']


def test_a_secret_is_kept_for_the_owner_only(tmp_path):
    file = tmp_path / ".env"
    add_secret(file, "TOKEN", "one")
    add_secret(file, "TOKEN", "two")
    assert file.read_text("utf-8") == "TOKEN=two\n"
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError):
        add_secret(file, "TOKEN", "a\nb")
