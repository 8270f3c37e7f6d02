"""Whatever a server says of patience, the wait is sane."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.net.polite import reset_after, retry_after

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAP = 3600.0
ODD = st.one_of(st.text(), st.integers().map(str), st.floats().map(str), st.datetimes().map(str), st.dates().map(str))


@given(ODD)
def test_no_header_makes_the_wait_absurd(header):
    for wait in (retry_after(header, NOW, CAP), reset_after({"x-ratelimit-reset": header}, NOW, CAP)):
        assert wait is None or 1 <= wait <= CAP


@given(st.integers(min_value=1, max_value=3600))
def test_seconds_and_dates_say_the_same(seconds):
    moment = NOW + timedelta(seconds=seconds)
    assert retry_after(str(seconds), NOW, CAP) == seconds
    assert retry_after(format_datetime(moment, usegmt=True), NOW, CAP) == seconds
    assert reset_after({"x-rate-limit-reset": str(int(moment.timestamp()))}, NOW, CAP) == seconds
    assert reset_after({"x-ratelimit-reset": moment.isoformat()}, NOW, CAP) == seconds


@pytest.mark.parametrize(
    ("header", "wait"),
    [(None, None), ("", None), ("soon", None), ("nan", None), ("-5", 1), ("0", 1), ("999999999", CAP), ("inf", CAP),
     ("Monday, 01-Jun-26 12:02:00 GMT", 120), ("Mon Jun  1 12:02:00 2026", 120), ("Mon, 01 Jun 1970 12:00:00 GMT", 1)],
)  # fmt: skip
def test_each_form_of_retry_after(header, wait):
    assert retry_after(header, NOW, CAP) == wait
