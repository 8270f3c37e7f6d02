"""python -m tests.benchmarks [--large]: measure, print the table, write build/bench.json."""

import sys
import warnings
from pathlib import Path

from tests.benchmarks import storing, tagging
from tests.benchmarks.measure import Row, machine, shown, written


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    warnings.simplefilter("ignore")
    size = 1_000_000 if "--large" in sys.argv[1:] else 50_000
    parts = [
        ("parsing", tagging.parse),
        ("tagging", tagging.tag),
        ("start and memory", tagging.start_and_memory),
        ("storing", storing.store),
        ("collect, tag and store", storing.end_to_end),
        ("cases and the inbox", storing.cases),
        ("indexing and searching", lambda: storing.search(size)),
    ]
    rows: list[Row] = []
    say(machine())
    for number, (name, part) in enumerate(parts, 1):
        sys.stderr.write(f"{number}/{len(parts)} {name}\n")
        for row in part():
            rows.append(row)
            say(shown(row))
    say(machine())
    written(rows, Path("build/bench.json"))
    return int(any(row.kept is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
