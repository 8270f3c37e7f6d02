"""What is gone at its source loses its text here too."""

from datetime import timedelta

import pytest

from monitor.errors import SourceUnavailable
from monitor.model import Cursor, Page, Source
from monitor.stages.recheck import recheck
from monitor.store import open_store
from tests.factories import NOON, a_mention

SOURCE = Source(id="praatpaal", connector="x", name="Praatpaal", channel="x")


class Asked:
    """A connector that can tell, and remembers what it was asked."""

    source_id = "praatpaal"

    def __init__(self, gone=(), error=None):
        self._gone, self._error, self.asked = frozenset(gone), error, []

    def fetch(self, cursor):
        return iter(())

    def read(self, content, name):
        raise NotImplementedError

    def gone(self, native_ids):
        self.asked.append(list(native_ids))
        if self._error:
            raise self._error
        return self._gone


class Silent:
    """A connector that cannot tell."""

    source_id = "praatpaal"

    def fetch(self, cursor):
        return iter(())

    def read(self, content, name):
        raise NotImplementedError


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/monitor.db")
    opened.upgrade()
    cursor = Cursor(source_id="praatpaal", value={"mark": "7"})
    opened.mentions.save_page(
        Page(mentions=(a_mention(), a_mention(native_id="2", text="blijft")), cursor=cursor), NOON
    )
    yield opened
    opened.close()


def later():
    return NOON + timedelta(hours=1)


def test_what_is_gone_keeps_no_text_and_its_neighbour_does(store):
    assert recheck(SOURCE, lambda _: Asked(gone=["1"]), store, later) == 1
    held = store.mentions.get([a_mention().id, a_mention(native_id="2").id])
    assert held[a_mention().id].mention.text == ""
    assert held[a_mention().id].mention.removed_at == later()
    assert held[a_mention(native_id="2").id].mention.text == "blijft"


def test_the_cursor_stays_where_it_was(store):
    recheck(SOURCE, lambda _: Asked(gone=["1"]), store, later)
    assert store.cursors.get("praatpaal").value == {"mark": "7"}


def test_what_is_gone_already_is_not_asked_again(store):
    asked = Asked(gone=["1"])
    recheck(SOURCE, lambda _: asked, store, later)
    recheck(SOURCE, lambda _: asked, store, later)
    assert asked.asked == [["1", "2"], ["2"]]


def test_a_source_is_asked_no_more_often_than_wanted(store):
    asked = Asked()
    for _ in range(3):
        recheck(SOURCE, lambda _: asked, store, later, every=timedelta(hours=8))
    assert len(asked.asked) == 1


def test_a_source_that_fails_or_cannot_tell_loses_nothing(store):
    assert recheck(SOURCE, lambda _: Asked(error=SourceUnavailable("down")), store, later) == 0
    assert recheck(SOURCE, lambda _: Silent(), store, later) == 0
    assert store.mentions.get([a_mention().id])[a_mention().id].mention.text
