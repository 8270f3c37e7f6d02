"""replay: what was set apart is read again."""

import pytest

from monitor.errors import ConfigError, SourceUnavailable
from monitor.model import Skipped
from monitor.stages.replay import replay
from tests.factories import NOON
from tests.stages.fakes import Clock, Scripted, a_page, a_source

SOURCES = {"praatpaal": a_source(), "other": a_source("other")}


@pytest.fixture
def letters(store):
    odd = [Skipped(reason="odd", raw=raw) for raw in (b"now fine", b"still odd")]
    store.mentions.save_page(a_page("praatpaal", 1, *odd), NOON)
    store.mentions.save_page(a_page("other", 1, Skipped(reason="odd", raw=b"from other")), NOON)
    return store


def connect(source):
    return Scripted(source.id, [])


def test_what_can_be_read_now_is_stored_and_the_rest_stays_with_its_new_reason(letters):
    done = replay(letters, SOURCES, connect, Clock())
    assert (done.stored, done.kept) == (2, 1)
    (left,) = letters.dead_letters.waiting(None, 10)
    assert (left.raw, left.reason, left.attempts) == (b"still odd", "still not a mention", 2)
    assert letters.mentions.count() == 4
    assert letters.cursors.get("praatpaal").value == {"at": 1}  # a replay moves no cursor


def test_replaying_again_doubles_nothing(letters):
    replay(letters, SOURCES, connect, Clock())
    assert replay(letters, SOURCES, connect, Clock()).stored == 0
    assert letters.mentions.count() == 4


def test_one_source_can_be_replayed_alone(letters):
    assert replay(letters, SOURCES, connect, Clock(), only="other").stored == 1
    assert letters.dead_letters.counts() == {"praatpaal": 2}


def test_letters_of_a_source_that_was_taken_away_are_kept(letters):
    done = replay(letters, {"other": SOURCES["other"]}, connect, Clock())
    assert (done.stored, done.kept) == (1, 2)
    assert {letter.reason for letter in letters.dead_letters.waiting(None, 9)} == {
        "no source called praatpaal in sources.yaml"
    }


@pytest.mark.parametrize("error", [ConfigError("set X_TOKEN"), SourceUnavailable("x"), ZeroDivisionError("x")])
def test_a_source_that_cannot_be_read_keeps_its_letters_and_the_others_go_on(letters, error):
    def trouble(source):
        if source.id == "praatpaal":
            raise error
        return connect(source)

    done = replay(letters, SOURCES, trouble, Clock())
    assert (done.stored, done.kept) == (1, 2)
    assert letters.dead_letters.counts() == {"praatpaal": 2}
