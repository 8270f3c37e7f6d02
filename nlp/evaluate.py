"""`python -m nlp.evaluate FILE [SECOND]`: how the tagger does on labelled texts it has not seen, a language at a time.

A file holds rows with id, lang, text, brand and the labels; SECOND the labels of another reader of the same ids.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nlp.batch import tag_lines
from nlp.labels import GROUPS, MANY
from nlp.tagger import SpacyTagger, load_tagger

DRAWS = 500
Truth = dict[str, Any]


def load(path: Path) -> list[Truth]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def tagged(rows: Sequence[Truth], tagger: SpacyTagger) -> list[Truth]:
    """What the tagger says of each row, given its text, language, channel, title and brand only."""
    asked = ("id", "lang", "text", "channel", "brand", "title")
    return list(tag_lines((json.dumps({k: row[k] for k in asked if row.get(k) is not None}) for row in rows), tagger))


def columns(rows: Sequence[Truth], kind: str, labels: Sequence[str]) -> Any:
    """One row a text, one column a label: 1 where it is set."""
    if kind in GROUPS:
        return np.array([[row[kind] == label for label in labels] for row in rows], dtype=bool)
    return np.array([[label in row[f"{kind}s"] for label in labels] for row in rows], dtype=bool)


def f1s(truth: Any, found: Any) -> Any:
    """F1 of each column; 0 where neither occurs."""
    return 2 * (truth & found).sum(axis=0) / np.maximum(truth.sum(axis=0) + found.sum(axis=0), 1)


def interval(truth: Any, found: Any) -> tuple[float, float, float]:
    """Macro-F1 over the labels that occur, with the 95 % of a bootstrap over texts (fixed seed)."""
    held = truth.any(axis=0)
    truth, found = truth[:, held], found[:, held]
    random = np.random.default_rng(0)
    draws = [f1s(truth[pick], found[pick]).mean() for pick in random.integers(0, len(truth), (DRAWS, len(truth)))]
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(f1s(truth, found).mean()), float(low), float(high)


def table(rows: Sequence[Truth], found: Sequence[Truth]) -> list[str]:
    """Lines of text: a heading a language and kind, then each label with its F1 and how often it is true and found."""
    lines: list[str] = []
    for language in sorted({row["lang"] for row in rows}):
        mine = [(row, tags) for row, tags in zip(rows, found, strict=True) if row["lang"] == language]
        truths, tags = [row for row, _ in mine], [tag for _, tag in mine]
        lines.append(f"{language}: {len(mine)} texts")
        for kind, labels in {**GROUPS, **MANY}.items():
            truth, said = columns(truths, kind, labels), columns(tags, kind, labels)
            mean, low, high = interval(truth, said)
            each = zip(labels, f1s(truth, said), truth.sum(axis=0), said.sum(axis=0), strict=True)
            detail = "  ".join(f"{label} {value:.2f} ({true}/{set_})" for label, value, true, set_ in each)
            lines.append(f"  {kind:<12} macro-F1 {mean:.3f} [{low:.3f}, {high:.3f}]  {detail}")
    return lines


def main(arguments: Sequence[str]) -> None:
    """Print the table for one or two readers."""
    if len(arguments) not in {1, 2}:
        sys.exit("usage: python -m nlp.evaluate FILE [SECOND]")
    rows = load(Path(arguments[0]))
    found = tagged(rows, load_tagger(()))
    lines = table(rows, found)
    for path in arguments[1:]:
        second = {row["id"]: row for row in load(Path(path))}
        lines += ["", f"second reader ({path})", *table([row | second[row["id"]] for row in rows], found)]
        lines += ["", "the two readers against each other", *table(rows, [second[row["id"]] for row in rows])]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
