from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.demo.clock import TownClock, jumping
from monitor.demo.script import DAYS, SOURCES, Moment, Town, first_day_ending, script_of, steps
from tests.demo.town import TOWN

LABELS = {
    "intents": {"complaint", "question", "compliment", "buying_signal", "idea", "churn_risk"}
    | {"crisis", "thanks", "promotion"},
    "themes": {"delivery", "product", "price", "payment", "returns", "service", "stock", "site", "store"}
    | {"terms", "company"},
}


def test_the_script_is_whole():
    script = TOWN.script
    assert len(script.lines) == 671
    assert len(script.by_id) == 671
    assert len({(said.source, said.native_id) for said in script.lines}) == 671
    assert sum(map(len, script.by_source.values())) == 671
    for said in script.lines:
        assert said.source in SOURCES
        assert 1 <= said.at.day <= DAYS
        assert said.text.strip(), said.id
        assert said.truth.sentiment in {"negative", "neutral", "positive", "mixed"}
        assert said.truth.intents <= LABELS["intents"]
        assert said.truth.themes <= LABELS["themes"]
        for _kind, text in said.truth.entities:
            assert text in f"{said.title or ''}\n{said.text}", (said.id, text)


def test_what_a_line_points_at_was_said_before_it():
    script = TOWN.script
    for said in script.lines:
        for other in (said.parent, said.thread, said.repost_of, said.duplicate_of):
            if other:
                assert script.by_id[other].at <= said.at, (said.id, other)
        if said.parent:
            assert script.root(script.by_id[said.parent]) == script.root(said)
        changes = [edit.at for edit in said.edits] + ([said.deleted] if said.deleted else [])
        assert all(said.at < change for change in changes)


def test_posts_of_x_are_edited_within_the_hour_that_x_allows():
    edited = [said for said in TOWN.script.by_source["x"] if said.edits]
    assert edited
    for said in edited:
        assert TOWN.when(said.edits[-1].at) - TOWN.when(said.at) <= timedelta(hours=1), said.id


def test_day_one_is_a_monday_in_amsterdam():
    assert TOWN.opens_at == datetime(2026, 5, 31, 22, 0, tzinfo=UTC)
    assert TOWN.opens_at.astimezone(ZoneInfo("Europe/Amsterdam")).weekday() == 0
    assert TOWN.closes_at - TOWN.opens_at == timedelta(days=14)


def test_a_line_lives_from_its_minute_over_its_edit_to_its_deletion():
    edited = TOWN.script.by_id["t-0242"]
    deleted = TOWN.script.by_id["t-0196"]
    assert TOWN.version(edited, TOWN.when(edited.at) - timedelta(seconds=1)) is None
    first = TOWN.version(edited, TOWN.when(edited.at))
    then = TOWN.version(edited, TOWN.when(edited.edits[0].at))
    assert (first.rating, first.number, first.edited_at) == (2, 1, None)
    assert (then.rating, then.number, then.text) == (5, 2, edited.edits[0].text)
    assert then.published_at == first.published_at
    assert TOWN.version(deleted, TOWN.when(deleted.deleted) - timedelta(seconds=1)) is not None
    assert TOWN.version(deleted, TOWN.when(deleted.deleted)) is None


def test_the_fortnight_can_end_today_also_across_a_change_of_the_clocks():
    now = datetime(2026, 10, 30, 9, 0, tzinfo=UTC)
    town = Town(script=TOWN.script, first_day=first_day_ending(now))
    assert town.first_day == date(2026, 10, 17)
    assert town.opens_at < now < town.closes_at
    summer, winter = town.when(Moment(1, time(8, 0))), town.when(Moment(14, time(8, 0)))
    assert (summer.hour, winter.hour) == (6, 7)


def test_a_quote_has_its_own_words_and_a_repost_none():
    assert TOWN.script.by_id["t-0191"].is_quote
    assert not TOWN.script.by_id["t-0191"].is_repost
    assert TOWN.script.by_id["t-0037"].is_repost
    assert sum(said.is_repost for said in TOWN.script.lines) == 22


def test_steps_begin_with_the_first_and_end_with_the_last_moment():
    found = list(steps(TOWN, timedelta(hours=5)))
    assert found[0] == TOWN.opens_at + timedelta(hours=5)
    assert found[-1] == TOWN.closes_at
    assert found == sorted(set(found))


def test_the_clock_runs_as_fast_as_it_is_told_and_jumps():
    real = [datetime(2030, 1, 1, tzinfo=UTC)]
    clock = TownClock(TOWN.opens_at, real=lambda: real[0], speed=60)
    real[0] += timedelta(minutes=1)
    assert clock() == TOWN.opens_at + timedelta(hours=1)
    clock.set(TOWN.closes_at, speed=0)
    real[0] += timedelta(days=1)
    assert clock() == TOWN.closes_at
    still = jumping(TOWN.opens_at)
    still.set(TOWN.closes_at)
    assert still() == TOWN.closes_at


def test_a_row_that_lacks_a_key_is_refused():
    with pytest.raises(KeyError):
        script_of([{"id": "t-1", "text": "hoi"}])
