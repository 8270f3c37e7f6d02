"""How a source is doing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.health import LONGEST_WAIT, after_failure, after_success, is_due
from monitor.errors import AccessDenied, RateLimited, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Collected, Source, SourceHealth, SourceStatus
from tests.factories import NOON

SOURCE = Source(id="forum", connector="discourse", name="Forum", channel="forum")
FRESH = SourceHealth(source_id="forum")


@pytest.mark.parametrize(
    ("error", "status", "weight"),
    [
        (SourceUnavailable("down"), SourceStatus.DELAYED, 0.5),
        (RateLimited("slow", retry_after=60), SourceStatus.LIMITED, 0.25),
        (AccessDenied("no"), SourceStatus.NO_ACCESS, 1.0),
        (ResponseNotUnderstood("what"), SourceStatus.NOT_UNDERSTOOD, 1.0),
    ],
)
def test_each_failure_has_a_status_and_a_weight(error, status, weight):
    health = after_failure(FRESH, SOURCE, error, NOON)
    assert (health.status, health.failures, health.note) == (status, weight, str(error))


def test_a_source_that_said_when_is_asked_again_then_and_not_before():
    health = after_failure(FRESH, SOURCE, RateLimited("slow", retry_after=60), NOON)
    assert health.next_attempt_at == NOON + timedelta(seconds=60)
    assert not is_due(SOURCE, health, NOON + timedelta(seconds=59))
    assert is_due(SOURCE, health, NOON + timedelta(seconds=60))


@given(failures=st.lists(st.sampled_from([SourceUnavailable("x"), ResponseNotUnderstood("x")]), max_size=60))
def test_waiting_grows_but_never_beyond_the_longest_wait(failures):
    health = FRESH
    for error in failures:
        health = after_failure(health, SOURCE, error, NOON)
        assert health.next_attempt_at is not None
        assert timedelta(0) < health.next_attempt_at - NOON <= LONGEST_WAIT * 1.1


@given(told=st.floats(allow_nan=False))
def test_no_retry_after_makes_us_hot_or_silent_for_ever(told):
    health = after_failure(FRESH, SOURCE, RateLimited("x", retry_after=told), NOON)
    assert health.next_attempt_at is not None
    assert timedelta(seconds=1) <= health.next_attempt_at - NOON <= LONGEST_WAIT


def test_success_clears_what_was_wrong():
    ill = after_failure(FRESH, SOURCE, AccessDenied("no"), NOON)
    well = after_success(ill, SOURCE, Collected(new=3), NOON)
    assert (well.failures, well.status, well.note) == (0.0, SourceStatus.CURRENT, "")


def test_a_source_without_anything_new_for_a_week_is_silent():
    quiet = replace(FRESH, last_new_at=NOON - timedelta(days=8))
    assert after_success(quiet, SOURCE, Collected(unchanged=5), NOON).status is SourceStatus.SILENT


def test_what_is_paused_or_incomplete_is_never_due():
    assert not is_due(replace(SOURCE, paused=True), None, NOON)
    assert not is_due(replace(SOURCE, missing=("TOKEN",)), None, NOON)
    assert is_due(SOURCE, None, NOON)
