"""A figure: CPU time first, the median of three. And the table of them."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RUNS = 3


@dataclass(frozen=True)
class Row:
    """`budget` is a bound in words; `kept` None where none was set."""

    id: str
    what: str
    figure: float
    unit: str
    budget: str = ""
    kept: bool | None = None


def at_most(bound: float, id: str, what: str, figure: float, unit: str) -> Row:  # noqa: A002 - as in the table
    return Row(id, what, figure, unit, f"≤ {bound:g}", figure <= bound)


def at_least(bound: float, id: str, what: str, figure: float, unit: str) -> Row:  # noqa: A002 - as in the table
    return Row(id, what, figure, unit, f"≥ {bound:g}", figure >= bound)


def cpu(work: Callable[[int], object], runs: int = RUNS) -> float:
    """CPU seconds of this process, all threads; `work` is told which run it is, so that it can take fresh texts."""
    spent = []
    for run in range(runs):
        start = time.process_time()
        work(run)
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def milliseconds(works: list[Callable[[], object]]) -> tuple[float, float]:
    """Wall p50 and p95 of these calls, in ms."""
    spent = []
    for work in works:
        start = time.perf_counter()
        work()
        spent.append((time.perf_counter() - start) * 1000)
    spent.sort()
    return spent[len(spent) // 2], spent[int(len(spent) * 0.95)]


def machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load}"


def shown(row: Row) -> str:
    mark = {True: "kept", False: "BROKEN", None: ""}[row.kept]
    size = 0 if row.figure >= 100 else 2
    return f"{row.id:<5}{row.what:<62}{row.figure:>12,.{size}f} {row.unit:<14}{row.budget:<9}{mark}"


def written(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")
    sys.stderr.write(f"written to {path}\n")
