"""`make bench`: measures, prints a table, writes build/bench.json as rows {id, what, figure, unit, budget, kept}."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import cases, index, reading, tagging
from tests.benchmarks.measure import Figure

ROOT = Path(__file__).parents[2]
PARTS: dict[str, Callable[[Path, bool], Iterator[Figure]]] = {
    "reading": reading.figures,
    "tagging": tagging.figures,
    "index": index.figures,
    "cases": cases.figures,
}


def main() -> None:
    """Each part in a process of its own, so that none pays for another's memory."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--large", action="store_true", help="a million documents in the search index")
    wanted = parser.parse_args()
    if wanted.part:
        with tempfile.TemporaryDirectory(prefix="luisterpost-bench-") as folder:
            for figure in PARTS[wanted.part](Path(folder), wanted.large):
                print(json.dumps(figure.row()), flush=True)  # noqa: T201 - read by the parent
        return
    rows = []
    console = Console(stderr=True)
    for part in PARTS:
        console.print(f"measuring {part} …")
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks", "--part", part] + (
            ["--large"] if wanted.large else []
        )
        told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        rows += [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(rows, indent=1), "utf-8")
    _show(rows)


def _show(rows: list[dict[str, object]]) -> None:
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    title = f"{machine}, load {load:.1f}"
    table = Table(title=title, title_justify="left")
    for column in ("id", "what", "figure", "unit", "budget", "kept"):
        table.add_column(column, justify="right" if column == "figure" else "left")
    words = {True: "kept", False: "BROKEN", None: "–"}
    for row in rows:
        figure = f"{row['figure']:,.2f}" if float(str(row["figure"])) < 100 else f"{row['figure']:,.0f}"
        table.add_row(
            str(row["id"]),
            str(row["what"]),
            figure,
            str(row["unit"]),
            str(row["budget"]),
            words[row["kept"]],  # type: ignore[index]
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
