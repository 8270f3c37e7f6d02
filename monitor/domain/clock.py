"""The service-level clock: how long a promise lasts when only opening hours count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.config import Policy, ServiceLevel
from monitor.model import Priority

_HORIZON_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When the team works: opening hours by weekday (0 = Monday) in one time zone. No hours at all: always open."""

    zone: ZoneInfo
    hours: dict[int, tuple[time, time]]

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The moment at which `duration` of opening time has passed since `start`, in UTC.

        Days without hours are skipped; a night in which the clock is set counts its real length.
        """
        if not self.hours:
            return start + duration
        left = duration
        day = start.astimezone(self.zone).date()
        for _ in range(_HORIZON_DAYS):
            span = self.hours.get(day.weekday())
            if span is not None:
                opens = datetime.combine(day, span[0], self.zone).astimezone(UTC)
                closes = datetime.combine(day, span[1], self.zone).astimezone(UTC)
                begin = max(start, opens)
                if begin < closes:
                    if begin + left <= closes:
                        return begin + left
                    left -= closes - begin
            day += timedelta(days=1)
        return start + duration


def calendar_of(policy: Policy, time_zone: str) -> Calendar:
    """The policy's opening hours in this time zone (an IANA name)."""
    return Calendar(zone=ZoneInfo(time_zone), hours=dict(policy.hours))


def service_level(policy: Policy, *, intents: tuple[str, ...], channel: str, priority: Priority) -> ServiceLevel | None:
    """The first promise whose conditions this case meets; None where nothing is promised."""
    for level in policy.service_levels:
        if (
            (not level.intents or set(level.intents) & set(intents))
            and (not level.channels or channel in level.channels)
            and (not level.priorities or priority in level.priorities)
        ):
            return level
    return None


def due_at(level: ServiceLevel | None, start: datetime, calendar: Calendar) -> datetime | None:
    """When this promise runs out, counted from the customer's words."""
    if level is None:
        return None
    return start + level.within if level.around_the_clock else calendar.add(start, level.within)
