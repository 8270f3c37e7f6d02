"""Walks over invented sources: nothing is lost, whatever page the crash comes after and whatever arrives meanwhile."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.paging import Answer, newest_first, oldest_first
from monitor.errors import ResponseNotUnderstood
from monitor.model import Cursor, Page
from tests.contracts.connector import ConnectorContract, Record
from tests.factories import a_mention

SOURCE = "timeline"


class Timeline:
    """A source whose posts are numbered 1..n; asked newest first or oldest first, `size` a page."""

    source_id = SOURCE

    def __init__(self, posts: int, *, size: int = 3, newest: bool = True, max_pages: int = 100) -> None:
        self.posts, self.size, self.newest, self.max_pages = posts, size, newest, max_pages
        self.asked = 0

    def ask(self, token: str | None, mark: int | None) -> Answer:
        self.asked += 1
        if self.newest:
            top = self.posts if token is None else int(token)
            low = max(top - self.size, mark or 0)
            ids = list(range(top, low, -1))
            return Answer(
                mentions=tuple(a_mention(source_id=SOURCE, native_id=str(no)) for no in ids),
                mark=ids[0] if ids else None,
                next=str(low) if low > (mark or 0) else None,
            )
        start = mark or 0
        ids = list(range(start + 1, min(start + self.size, self.posts) + 1))
        return Answer(
            mentions=tuple(a_mention(source_id=SOURCE, native_id=str(no)) for no in ids),
            mark=ids[-1] if ids else None,
            next=f"after {ids[-1]}" if ids and ids[-1] < self.posts else None,
        )

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        walk = newest_first if self.newest else oldest_first
        return walk(cursor, self.ask, max_pages=self.max_pages)

    def read(self, content: bytes, name: str) -> Page:
        message = f"{name} is nothing a timeline says: {content[:10]!r}"
        raise ResponseNotUnderstood(message)


class MovesItsCursorAtOnce(Timeline):
    """The mutant: its first page already carries the mark of the whole walk."""

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        done = Cursor(source_id=SOURCE, value={"mark": self.posts})
        for page in super().fetch(cursor):
            yield Page(mentions=page.mentions, cursor=done)


class TestNewestFirst(ConnectorContract):
    expected = 10
    pages = 4

    @pytest.fixture
    def make(self):
        return lambda: Timeline(10)

    test_one_malformed_mention_costs_one_mention = None
    test_what_was_skipped_can_be_read_again = None


class TestOldestFirst(TestNewestFirst):
    @pytest.fixture
    def make(self):
        return lambda: Timeline(10, newest=False)


def test_the_contract_catches_a_cursor_that_moves_too_early_and_nothing_else():
    contract = TestNewestFirst()

    def mutant() -> MovesItsCursorAtOnce:
        return MovesItsCursorAtOnce(10)

    with pytest.raises(AssertionError, match="a crash after page 1 lost"):
        contract.test_a_crash_after_any_page_loses_nothing(mutant)
    contract.test_it_finds_what_the_source_holds(mutant)
    contract.test_ids_are_unique_and_the_same_in_every_run(mutant)
    contract.test_times_are_utc_and_addresses_are_absolute(mutant)
    contract.test_a_second_run_adds_nothing(mutant)
    contract.test_rubbish_is_a_clear_error_and_never_a_silent_nothing(mutant)


def found(record: Record) -> set[int]:
    return {int(mention.native_id) for mention in record.mentions.values()}


@given(
    newest=st.booleans(),
    max_pages=st.integers(1, 4),
    runs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=12),
)
def test_crashes_caps_and_new_posts_in_any_order_leave_no_hole(newest, max_pages, runs):
    timeline = Timeline(7, newest=newest, max_pages=max_pages)
    record = Record(SOURCE)
    for arrived, crash_after in runs:
        timeline.posts += arrived
        record.collect(timeline, crash_after=crash_after or None)
    for _ in range(timeline.posts):  # a walk may only pass what is known already, and yet get on
        record.collect(timeline)
    assert found(record) == set(range(1, timeline.posts + 1))


def test_a_capped_walk_goes_on_where_it_stopped_before_it_looks_at_newer_posts():
    timeline = Timeline(9, max_pages=1)
    record = Record(SOURCE)
    record.collect(timeline)
    timeline.posts = 12
    record.collect(timeline)
    assert found(record) == {9, 8, 7, 6, 5, 4}
    record.collect(timeline)
    assert record.cursor.value == {"mark": 9}
    record.collect(timeline)
    assert found(record) == set(range(1, 13))


def test_pages_repeat_the_old_cursor_until_the_last_one():
    old = Cursor(source_id=SOURCE, value={"mark": 2})
    pages = list(newest_first(old, Timeline(10).ask, max_pages=10))
    assert [page.cursor.value for page in pages] == [{"mark": 2}, {"mark": 2}, {"mark": 10}]


def test_an_empty_answer_keeps_the_mark():
    old = Cursor(source_id=SOURCE, value={"mark": 10})
    assert [page.cursor for page in newest_first(old, Timeline(10).ask, max_pages=10)] == [old]


@pytest.mark.parametrize("walk", [newest_first, oldest_first])
def test_a_source_that_pages_in_a_circle_is_not_followed(walk):
    def ask(token, _mark):
        return Answer(mentions=(), mark=1, next="b" if token == "a" else "a")

    pages = walk(Cursor(source_id=SOURCE), ask, max_pages=1000)
    with pytest.raises(ResponseNotUnderstood, match="circle"):
        list(pages)


def test_a_circle_does_not_move_the_mark_of_a_walk_from_the_newest():
    def ask(_token, _mark):
        return Answer(mentions=(), mark=9, next="a")

    seen = []
    with pytest.raises(ResponseNotUnderstood):
        seen.extend(page.cursor.value for page in newest_first(Cursor(source_id=SOURCE), ask, max_pages=9))
    assert all("mark" not in value for value in seen)
