"""The alerts that the fortnight calls for: on which rule, from when, and by when at the latest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from monitor.demo.script import Moment
from monitor.model import Severity


def _at(day: int, clock: str) -> Moment:
    return Moment(day, time.fromisoformat(clock))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An alert that must be raised (or raised further) between `since` and `by`.

    It must stand at `severity` or above and rest on at least one of the mentions named by script id (none named: any).
    """

    number: str
    what: str
    rule_id: str
    since: Moment
    by: Moment
    severity: Severity = Severity.LOW
    rests_on: tuple[str, ...] = ()


DUE = (
    Due(
        number="1a",
        what="delivery complaints rise: the strike",
        rule_id="delivery-wave",
        since=_at(4, "06:30"),
        by=_at(4, "10:45"),
    ),
    Due(
        number="1b",
        what="it grows after the statement",
        rule_id="delivery-wave",
        since=_at(5, "11:00"),
        by=_at(5, "18:30"),
        severity=Severity.HIGH,
    ),
    Due(
        number="1c",
        what="the press asks",
        rule_id="press",
        since=_at(5, "14:05"),
        by=_at(5, "14:20"),
        rests_on=("t-0200",),
    ),
    Due(
        number="1d",
        what="a law suit is threatened",
        rule_id="legal",
        since=_at(5, "10:02"),
        by=_at(5, "10:15"),
        rests_on=("t-0181",),
    ),
    Due(
        number="2a",
        what="danger: the first charger",
        rule_id="danger",
        since=_at(7, "10:42"),
        by=_at(7, "10:55"),
        rests_on=("t-0298",),
    ),
    Due(
        number="2b",
        what="danger: a second case elsewhere",
        rule_id="danger",
        since=_at(7, "20:51"),
        by=_at(7, "21:05"),
        severity=Severity.CRITICAL,
        rests_on=("t-0330",),
    ),
    Due(
        number="2c",
        what="danger: three cases in 48 hours",
        rule_id="danger",
        since=_at(9, "07:41"),
        by=_at(9, "07:55"),
        severity=Severity.CRITICAL,
        rests_on=("t-0458",),
    ),
    Due(
        number="2d",
        what="a consumer programme asks",
        rule_id="press",
        since=_at(9, "20:15"),
        by=_at(9, "20:25"),
        rests_on=("t-0503", "t-0504"),
    ),
    Due(number="3", what="fraud in our name", rule_id="fraud", since=_at(8, "07:48"), by=_at(8, "08:30")),
    Due(number="4", what="buying signals rise", rule_id="buying-rise", since=_at(9, "09:00"), by=_at(9, "12:00")),
    Due(number="5", what="site and discount code", rule_id="site", since=_at(11, "07:00"), by=_at(11, "09:10")),
    Due(
        number="6",
        what="reach: a large account praises",
        rule_id="reach",
        since=_at(12, "10:42"),
        by=_at(12, "11:00"),
        rests_on=("t-0622",),
    ),
    Due(number="7", what="churn over the fee", rule_id="churn", since=_at(13, "07:45"), by=_at(13, "09:45")),
)

ALLOWED: Mapping[str, tuple[tuple[Moment, Moment], ...]] = {
    "delivery-wave": ((_at(4, "06:30"), _at(10, "23:59")),),
    "press": ((_at(5, "14:05"), _at(14, "23:59")),),
    "legal": ((_at(5, "10:02"), _at(14, "23:59")),),
    "danger": ((_at(7, "10:42"), _at(14, "23:59")),),
    "fraud": ((_at(8, "07:48"), _at(11, "23:59")),),
    "buying-rise": ((_at(9, "07:00"), _at(11, "23:59")), (_at(14, "07:00"), _at(14, "23:59"))),
    "site": ((_at(11, "07:00"), _at(12, "15:00")),),
    "reach": ((_at(12, "10:42"), _at(13, "23:59")),),
    "churn": ((_at(13, "07:45"), _at(14, "23:59")),),
}
"""When an alert of a rule may be opened; one opened at another time is false. Rules not named are not judged."""
