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
"""Every deadline of the fortnight can be met by a line that runs this often."""


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


def eventful(town: Town, step: timedelta = STEP, until: datetime | None = None) -> Iterator[datetime]:
    """The ends of those steps of the fortnight in which something happens; the last is `until`, or the town's end."""
    end = min(until or town.closes_at, town.closes_at)
    last: datetime | None = None
    for moment in town.moments():
        if moment > end:
            break
        slots = -((town.opens_at - moment) // step)  # rounded up: nothing is looked for before it is said
        slot = min(town.opens_at + slots * step, end)
        if slot != last:
            last = slot
            yield slot
    if last != end:
        yield end


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A town, the clock that it and the line share, and the folder its files drop into."""

    town: Town
    clock: TownClock
    folder: Path


def replay(
    stage: Stage, run_line: Callable[[datetime], None], *, step: timedelta = STEP, until: datetime | None = None
) -> int:
    """Play the fortnight (up to `until`); returns how many steps had anything in them.

    At each step the clock is set, what is due is dropped, and `run_line(now)` runs the stages. Rules look back over
    their window only: a step longer than the shortest window lets alerts pass unseen.
    """
    count = 0
    last: datetime | None = None
    for now in eventful(stage.town, step, until):
        stage.clock.set(now)
        drop(stage.town, stage.folder, now, last)
        run_line(now)
        last = now
        count += 1
    return count
