"""A town that is open: its server answers, its clock runs, its files drop. What `monitor demo` stands on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.config import Settings
from monitor.demo.clock import TownClock
from monitor.demo.config import demo_settings
from monitor.demo.dropbox import drop
from monitor.demo.replay import Stage
from monitor.demo.script import ZONE, Town
from monitor.demo.server import Mode, TownServer
from monitor.protocols import Clock

PORT = 8090
"""Always the same one where it is free: addresses in the record stay good from run to run."""
TODAY_IS_DAY = 10
"""The day of the fortnight on which a town is first opened: a product is withdrawn, another one sells out."""
DROP_EVERY = 1.0
"""Real seconds between two looks at what is due in the drop folder."""


@dataclass
class LiveTown:
    """A context manager. `clock` is the line's clock too. Nothing moves before `play`."""

    town: Town
    clock: TownClock
    folder: Path
    port: int = 0
    modes: Mapping[str, Mode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = TownServer(self.town, self.clock, port=self.port, modes=self.modes)
        self._closing = threading.Event()
        self._dropping = threading.Thread(target=self._keep_dropping, name="town-drop", daemon=True)

    def __enter__(self) -> Self:
        drop(self.town, self.drop_folder, self.town.opens_at)
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def drop_folder(self) -> Path:
        """Where mails, phone notes and transcripts appear."""
        return self.folder / "drop"

    @property
    def settings(self) -> Settings:
        """Settings that point at this town."""
        return demo_settings(self.folder, self.server.base_url, self.drop_folder)

    @property
    def stage(self) -> Stage:
        """What `replay` plays on."""
        return Stage(town=self.town, clock=self.clock, folder=self.drop_folder)

    def play(self) -> None:
        """Drop what is due now, and go on dropping as the clock runs."""
        drop(self.town, self.drop_folder, self.clock())
        self._dropping.start()

    def close(self) -> None:
        """Close the town; safe to call twice."""
        self._closing.set()
        self.server.close()
        if self._dropping.is_alive():
            self._dropping.join(timeout=5)

    def _keep_dropping(self) -> None:
        last: datetime | None = None
        while not self._closing.wait(DROP_EVERY):
            now = self.clock()
            drop(self.town, self.drop_folder, now, last)
            last = now - timedelta(hours=1)  # a clock that is set back must not leave a gap


def town_of_today(folder: Path, real: Clock, *, speed: float = 1.0, port: int = PORT) -> LiveTown:
    """A town whose tenth day is the day it was first opened in this folder; later runs go on with the same town.

    Its clock shows the real time, running `speed` times as fast. X lets a first look see the whole fortnight.
    """
    now = real()
    town = Town(first_day=_first_day(folder, now), x_reach=timedelta(days=3650))
    return LiveTown(town=town, clock=TownClock(now, real=real, speed=speed), folder=folder, port=port)


def _first_day(folder: Path, now: datetime) -> date:
    """As kept in the folder: were the town to move with the calendar, its record would tell two different times."""
    kept = folder / "first-day"
    with contextlib.suppress(FileNotFoundError, ValueError):
        return date.fromisoformat(kept.read_text("utf-8").strip())
    found = now.astimezone(ZONE).date() - timedelta(days=TODAY_IS_DAY - 1)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(".part")
    unfinished.write_text(found.isoformat(), "utf-8")
    unfinished.replace(kept)
    return found


def town_of_june(folder: Path, real: Clock, *, port: int = 0) -> LiveTown:
    """The fortnight on its own dates, at its beginning, with a clock that stands still: for replays."""
    town = Town()
    return LiveTown(town=town, clock=TownClock(town.opens_at, real=real, speed=0.0), folder=folder, port=port)
