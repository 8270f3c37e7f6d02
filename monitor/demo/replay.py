"""The fortnight played in steps: the clock jumps, due files drop, the line runs, the alerts are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from monitor.demo.clock import TownClock
from monitor.demo.dropbox import drop
from monitor.demo.script import Town
from monitor.model import Alert

STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An alert as it was right after a change, and the town's moment at which it was so."""

    at: datetime
    alert: Alert


@dataclass(slots=True)
class AlertLog:
    """Every state that an alert went through, in order."""

    seen: list[Seen] = field(default_factory=list)
    _last: dict[str, Alert] = field(default_factory=dict)

    def look(self, now: datetime, alerts: Sequence[Alert]) -> None:
        """Keep those that are new or differ from what they were."""
        for alert in sorted(alerts, key=lambda alert: (alert.opened_at, alert.id)):
            if self._last.get(alert.id) != alert:
                self._last[alert.id] = alert
                self.seen.append(Seen(at=now, alert=alert))


def eventful(town: Town, step: timedelta = STEP) -> Iterator[datetime]:
    """The ends of those steps of the fortnight in which something happens; the last is the town's end."""
    last: datetime | None = None
    for moment in town.moments():
        slots = -((town.opens_at - moment) // step)  # rounded up: nothing is looked for before it is said
        end = min(town.opens_at + slots * step, town.closes_at)
        if end != last:
            last = end
            yield end
    if last != town.closes_at:
        yield town.closes_at


def replay(
    town: Town,
    clock: TownClock,
    folder: Path,
    run_line: Callable[[datetime], None],
    *,
    step: timedelta = STEP,
) -> int:
    """Play the whole fortnight; returns how many steps had anything in them.

    At each step the town's clock (which must also be the line's) is set, what is due is dropped under `folder`, and
    `run_line(now)` runs the stages.
    """
    count = 0
    last: datetime | None = None
    for now in eventful(town, step):
        clock.set(now)
        drop(town, folder, now, last)
        last = now
        run_line(now)
        count += 1
    return count
