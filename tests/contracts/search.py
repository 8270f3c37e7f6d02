"""What every search index promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import QueryError
from monitor.model import Case, CaseStatus, Engagement, Enrichment, Sentiment, Stored
from monitor.search.document import document
from tests.factories import NOON, a_mention


def a_document(no, *, text="Waar blijft mijn pakket?", minutes=0, revision=1, enriched=None, case=None, **changes):
    moment = NOON + timedelta(minutes=minutes)
    mention = a_mention(native_id=str(no), text=text, published_at=moment, **changes)
    enrichment = None
    if enriched is not None:
        enrichment = Enrichment(mention_id=mention.id, content_hash=mention.content_hash, model="m", **enriched)
    stored = Stored(no=no, mention=mention, revision=revision, content_revision=1, enrichment=enrichment, case=case)
    return document(stored)


class SearchContract:
    """Subclasses give the fixture `index`."""

    def ids(self, index, query, **options):
        found = index.search(query, limit=100, **options)
        assert found.total == len(found.ids)
        return set(found.ids)

    def test_words_phrases_and_fields_are_found(self, index):
        one = a_document(1, text="Pakket niet geleverd", enriched={"intents": ("complaint",), "language": "nl"})
        two = a_document(2, text="Geleverd, maar niet mijn pakket", title="Top")
        index.write([one, two])
        assert self.ids(index, "pakket") == {one.id, two.id}
        assert self.ids(index, '"niet geleverd"') == {one.id}
        assert self.ids(index, "intent:complaint") == {one.id}
        assert self.ids(index, "title:top") == {two.id}
        assert self.ids(index, "NOT language:nl") == {two.id}
        assert self.ids(index, "") == {one.id, two.id}

    def test_newest_come_first_and_pages_follow_on(self, index):
        documents = [a_document(n, minutes=n % 7) for n in range(1, 40)]
        index.write(documents)
        seen, after = [], None
        while True:
            found = index.search("pakket", limit=10, after=after)
            seen.extend(found.ids)
            after = found.next_after
            if after is None:
                break
        expected = sorted(documents, key=lambda d: (d.when, d.no), reverse=True)
        assert seen == [d.id for d in expected]

    def test_an_older_revision_never_overwrites_a_newer_one(self, index):
        new = a_document(1, text="nieuw", revision=5)
        index.write([new])
        index.write([replace(a_document(1, text="oud"), revision=4)])
        assert self.ids(index, "nieuw") == {new.id}
        assert self.ids(index, "oud") == set()

    def test_an_update_leaves_no_trace_of_the_old_words(self, index):
        index.write([a_document(1, text="geheim", revision=1)])
        index.write([a_document(1, text="openbaar", revision=2)])
        assert self.ids(index, "geheim") == set()
        assert self.ids(index, "geh*m") == set()
        assert index.count() == 1

    def test_what_is_gone_is_gone(self, index):
        index.write([a_document(1), a_document(2)])
        index.write([], gone=[1])
        assert index.count() == 1

    def test_the_state_of_a_case_is_searched(self, index):
        case = Case(
            id=1, thread_key="t", channel="x", source_id="s", queue="delivery", opened_at=NOON, last_customer_at=NOON,
            status=CaseStatus.OPEN, assignee="Sanne Visser", labels=("vip",),
        )  # fmt: skip
        held = a_document(1, case=case)
        index.write([held, a_document(2)])
        assert self.ids(index, 'status:open assignee:"sanne visser" label:vip') == {held.id}

    def test_numbers_and_dates_have_bounds(self, index):
        one = a_document(1, rating=1.0, rating_max=5.0, engagement=Engagement(likes=10))
        two = a_document(2, rating=4.0, rating_max=5.0, minutes=60 * 24)
        index.write([one, two])
        assert self.ids(index, "rating:<3") == {one.id}
        assert self.ids(index, "rating:[1 TO 4}") == {one.id}
        assert self.ids(index, "likes:>=10") == {one.id}
        assert self.ids(index, "NOT likes:>=10") == {two.id}
        assert self.ids(index, "published:2026-06-01") == {one.id}
        assert self.ids(index, "published:>2026-06-01") == {two.id}

    def test_facets_count_each_value_of_a_hit(self, index):
        tagged = {"intents": ("complaint", "question"), "sentiment": Sentiment(label="negative", score=0.9)}
        index.write([a_document(1, enriched=tagged), a_document(2), a_document(3, text="iets anders")])
        facets = index.search("pakket", limit=10, facets=True).facets
        assert facets["intent"] == {"complaint": 1, "question": 1}
        assert facets["sentiment"] == {"negative": 1}
        assert facets["channel"] == {"x": 2}
        assert facets["month"] == {"2026-06": 2}

    def test_a_fault_in_a_query_points_at_its_character(self, index):
        with pytest.raises(QueryError) as caught:
            index.search('pakket "niet', limit=10)
        assert caught.value.at == 7

    def test_rebuilding_empties_it_and_changes_its_generation(self, index):
        index.write([a_document(1)])
        before = index.generation
        index.rebuild()
        assert index.count() == 0
        assert index.generation != before

    @pytest.mark.parametrize(
        "text",
        ['"', "NEAR(", "*", "a OR", "body:*", "'; DROP TABLE doc;--", "a" * 5000, "{x", "\x00", "\ud800", "fts:x", "-",
         "title:", "~", "^", "a AND AND b", "\u202e", "😡", "(" * 40, "%", "_", "\\", "null", "1e400", "score:1e999"],
    )  # fmt: skip
    def test_hostile_text_gets_an_answer_or_a_pointed_fault(self, index, text):
        index.write([a_document(1)])
        try:
            index.search(text, limit=5, facets=True)
        except QueryError as error:
            at = error.at
        else:
            at = 0
        assert 0 <= at <= len(text)
