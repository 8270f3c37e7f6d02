"""Dates as sites write them: the value is checked, not only that something came back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.dates import parse_date

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-23T10:00:00Z", "2026-01-23T10:00"),
        ("2026-01-23T10:00:00+0100", "2026-01-23T09:00"),
        ("2026-01-23 10:00", "2026-01-23T09:00"),
        ("2026-07-23 10:00", "2026-07-23T08:00"),
        ("2026-07-23", "2026-07-22T22:00"),
        ("Fri, 23 Jan 2026 10:00:00 GMT", "2026-01-23T10:00"),
        ("Fri, 23 Jan 2026 10:00:00 +0200", "2026-01-23T08:00"),
        ("vr, 23 jan 2026 10:00:00 +0100", "2026-01-23T09:00"),
        ("Di, 23 Jan", "2026-01-22T23:00"),
        ("Nov. 2020", "2020-10-31T23:00"),
        ("23 januari 2026", "2026-01-22T23:00"),
        ("1 maart 2026 om 14:30", "2026-03-01T13:30"),
        ("3. März 2026", "2026-03-02T23:00"),
        ("14 août 2025", "2025-08-13T22:00"),
        ("January 23, 2026 4:05 pm", "2026-01-23T15:05"),
        ("23-01-2026 10:00", "2026-01-23T09:00"),
        ("1520932969", "2018-03-13T09:22:49"),
        (1520932969000, "2018-03-13T09:22:49"),
        ("2026-01-23T10:00:00+15:00", "2026-01-23T09:00"),
        ("Fri, 23 Jan 2026 10:00:00 EST", "2026-01-23T15:00"),
    ],
)
def test_each_form_gives_its_moment(text, moment):
    assert parse_date(text, now=NOW).moment == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-07-23 10:00", "2026-07-23", "2026-01-23T10:00:00+15:00", "23 januari 2026"])
def test_an_assumed_zone_is_said(text):
    read = parse_date(text)
    assert read.assumed_zone
    assert "Europe/Amsterdam" in read.note


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        " ",
        "30 Feb 2026",
        "2026-02-30",
        "2026-13-01",
        "gisteren",
        float("nan"),
        pytest.param(10**5000, id="many digits"),
        "31-04-2026",
    ],
)
def test_what_cannot_be_is_none(value):
    assert parse_date(value, now=NOW).moment is None


def test_a_far_future_is_flagged():
    assert parse_date("2029-01-01T00:00:00Z", now=NOW).note == "lies in the future"
    assert parse_date("2026-06-02T11:00:00Z", now=NOW).note == ""


@given(st.one_of(st.text(), st.integers(), st.floats(), st.text("0123456789:-+TZ ,.janfebmr")))
def test_nothing_makes_it_raise(value):
    moment = parse_date(value, now=NOW).moment
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_written_out_and_read_again_is_the_same(moment):
    moment = moment.replace(microsecond=0)
    assert parse_date(moment.isoformat()).moment == moment
    assert parse_date(moment.strftime("%a, %d %b %Y %H:%M:%S +0000")).moment == moment
    assert parse_date(str(int(moment.timestamp()))).moment == moment or moment.timestamp() < 315_532_800


def test_a_megabyte_is_no_date_and_takes_no_time():
    assert parse_date("jan " * 250_000).moment is None
