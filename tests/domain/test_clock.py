"""Promises counted in opening hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Policy, ServiceLevel
from monitor.domain.clock import Calendar, calendar_of, due_at, service_level
from monitor.model import Priority

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OFFICE = Calendar(zone=AMSTERDAM, hours=dict.fromkeys(range(5), (time(9), time(17))))


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=AMSTERDAM).astimezone(UTC)


def test_an_hour_within_the_day_is_an_hour():
    assert OFFICE.add(local(2026, 6, 1, 10), timedelta(hours=1)) == local(2026, 6, 1, 11)


def test_what_comes_in_at_night_counts_from_the_morning():
    assert OFFICE.add(local(2026, 6, 1, 23), timedelta(hours=1)) == local(2026, 6, 2, 10)


def test_friday_afternoon_runs_on_into_monday():
    assert OFFICE.add(local(2026, 6, 5, 16, 30), timedelta(hours=2)) == local(2026, 6, 8, 10, 30)


def test_a_day_on_which_the_clock_is_set_counts_its_real_length():
    always = Calendar(zone=AMSTERDAM, hours=dict.fromkeys(range(7), (time(0), time(12))))
    assert always.add(local(2026, 3, 29, 0), timedelta(hours=11)) == local(2026, 3, 29, 12)


def test_without_hours_the_clock_never_stops():
    start = datetime(2026, 6, 6, 23, tzinfo=UTC)
    assert calendar_of(Policy(), "Europe/Amsterdam").add(start, timedelta(hours=3)) == start + timedelta(hours=3)


@given(
    minutes=st.integers(0, 366 * 24 * 60),
    first=st.integers(0, 3000),
    second=st.integers(0, 3000),
)
def test_waiting_twice_is_waiting_once_for_both(minutes, first, second):
    start = local(2026, 1, 1) + timedelta(minutes=minutes)
    a, b = timedelta(minutes=first), timedelta(minutes=second)
    if first:
        assert OFFICE.add(OFFICE.add(start, a), b) == OFFICE.add(start, a + b)
    assert OFFICE.add(start, a) >= start


def test_the_first_level_that_fits_counts():
    policy = Policy(
        service_levels=(
            ServiceLevel(name="crisis", within=timedelta(minutes=30), intents=("crisis",), around_the_clock=True),
            ServiceLevel(name="mail", within=timedelta(hours=1), channels=("mail",)),
            ServiceLevel(name="rest", within=timedelta(days=1)),
        )
    )
    found = service_level(policy, intents=("crisis",), channel="mail", priority=Priority.NORMAL)
    assert found is not None
    assert found.name == "crisis"
    night = local(2026, 6, 1, 23)
    assert due_at(found, night, OFFICE) == night + timedelta(minutes=30)
    plain = service_level(policy, intents=(), channel="x", priority=Priority.LOW)
    assert plain is not None
    assert plain.name == "rest"
    assert due_at(None, night, OFFICE) is None
