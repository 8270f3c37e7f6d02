"""Measuring fairly: CPU time, the median of several runs, a ratio to a floor taken in the same run."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row. `kept` None: nothing is promised. `budget` in words, as the figure is held to it."""

    id: str
    what: str
    figure: float
    unit: str
    budget: str = ""
    kept: bool | None = None

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def cpu(work: Callable[[], object], runs: int = 3) -> float:
    """Median CPU seconds of this process over some runs."""
    found = []
    for _ in range(runs):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def fresh(work: Callable[[int], object], runs: int = 3) -> float:
    """As `cpu`, each run with its number, for work that may not see the same input twice."""
    found = []
    for number in range(runs):
        start = time.process_time()
        work(number)
        found.append(time.process_time() - start)
    return statistics.median(found)


def wall_ms(work: Callable[[int], object], times: int) -> tuple[float, float]:
    """(p50, p95) wall milliseconds of one call."""
    found = []
    for number in range(times):
        start = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - start) * 1000)
    return percentile(found, 50), percentile(found, 95)


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` per cent lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * share // 100, len(ordered) - 1)]


def peak_mib() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
