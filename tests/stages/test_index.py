"""index: the search index is told everything at least once."""

import pytest

from monitor.errors import SearchUnavailable
from monitor.search.document import document
from monitor.stages.index import index
from monitor.stages.tag import tag
from tests.factories import a_mention
from tests.stages.fakes import ByHeart, Shelf, save


@pytest.fixture
def filled(store):
    save(store, *[a_mention(native_id=str(n)) for n in range(600)])
    return store


def test_everything_is_sent_once_in_batches_and_the_lag_falls_to_nothing(filled):
    shelf, told = Shelf(), []
    assert filled.mentions.index_lag() == 600
    assert index(filled, shelf, document, told.append) == 600
    assert (len(shelf.documents), shelf.written, filled.mentions.index_lag()) == (600, 600, 0)
    assert told == [250, 500, 600]
    assert index(filled, shelf, document) == 0


def test_what_the_tagger_adds_is_sent_again(filled):
    shelf = Shelf()
    index(filled, shelf, document)
    tag(ByHeart(), filled)
    assert index(filled, shelf, document) == 600
    assert all("negative" in document.fields["sentiment"] for document in shelf.documents.values())


def test_an_index_that_cannot_be_written_lags_and_is_caught_up_later(filled):
    def fail():
        raise SearchUnavailable("the search index cannot be reached")

    broken = Shelf(before_write=fail)
    with pytest.raises(SearchUnavailable):
        index(filled, broken, document)
    assert filled.mentions.index_lag() == 600
    assert index(filled, Shelf(), document) == 600


def test_an_index_that_was_made_anew_gets_everything_again(filled):
    index(filled, Shelf(generation="one"), document)
    anew = Shelf(generation="two")
    assert index(filled, anew, document) == 600
    assert len(anew.documents) == 600
    assert index(filled, anew, document) == 0


def test_what_changes_while_it_is_being_sent_is_sent_again(filled):
    (first,) = filled.mentions.to_index(1)

    def edit():
        shelf.before_write = lambda: None
        save(filled, a_mention(native_id=first.mention.native_id, text="Al gevonden, dank!"))

    shelf = Shelf(before_write=edit)
    assert index(filled, shelf, document) == 601
    assert "gevonden" in " ".join(max(shelf.documents.values(), key=lambda d: d.revision).tokens)
