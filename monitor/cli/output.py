"""What a command prints: a table for people or JSON for programs on standard output, progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool) -> None:
    """Rows as a table, or with `as_json` as one JSON array of objects."""
    listed = [list(row) for row in rows]
    if as_json:
        write_json([dict(zip(columns, row, strict=True)) for row in listed])
        return
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column.replace("_", " "), overflow="fold")
    for row in listed:
        drawn.add_row(*["–" if cell is None else visible(str(cell)) for cell in row])
    out.print(drawn)


def visible(text: str) -> str:
    """Text of strangers made safe for a terminal: no control characters, no markup."""
    return escape("".join(c if c.isprintable() or c == " " else "\ufffd" for c in text.replace("\n", " ")))


def write_json(value: Any) -> None:
    """One JSON value and a newline."""
    sys.stdout.write(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode() + "\n")


def write_line(value: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")


class Progress:
    """Says what is being done and how far it is: in place on a terminal, one line a stage elsewhere."""

    def __init__(self) -> None:
        self._stage = ""
        self._words = ""
        self._status = err.status("starting") if err.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
        self.done()

    def __call__(self, stage: str, words: str) -> None:
        """`stage` is at `words`."""
        if stage != self._stage:
            self.done()
        self._stage, self._words = stage, visible(words)
        if self._status is not None:
            self._status.update(f"{stage}: {self._words}")

    def done(self) -> None:
        """The stage is ready: what it came to stays on the screen."""
        if self._stage:
            err.print(f"  {self._stage:<13}{self._words}")
        self._stage = ""
