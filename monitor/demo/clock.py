"""What time it is in the town: real, fast, or set by hand."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from monitor.protocols import Clock


class TownClock:
    """Shows `start` when made and runs `speed` times as fast as `real`; speed 0 stands still. Safe between threads."""

    def __init__(self, start: datetime, *, real: Clock, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._real = real
        self._start = start
        self._since = real()
        self._speed = speed

    def __call__(self) -> datetime:
        """The town's moment, in UTC."""
        with self._lock:
            return self._start + (self._real() - self._since) * self._speed

    def set(self, moment: datetime, *, speed: float | None = None) -> None:
        """Jump to a moment, and run at `speed` from there (None: as before)."""
        with self._lock:
            self._start = moment
            self._since = self._real()
            self._speed = self._speed if speed is None else speed


def jumping(start: datetime) -> TownClock:
    """A clock that moves only when it is set."""
    return TownClock(start, real=lambda: start, speed=0.0)


def seconds_until(clock: Clock, moment: datetime) -> float:
    """How many seconds of the town's time are left; 0 when past."""
    return max(timedelta(0), moment - clock()).total_seconds()
