"""Dutch texts to measure with: a recorded collection where it is at hand, else made from the training texts."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORDED = Path(os.environ.get("LUISTERPOST_TEXTS", ROOT.parent / "shared/data/real/texts/load_nl.jsonl"))


def texts(count: int, seed: int = 1) -> list[str]:
    """So many different texts, the same ones for the same seed."""
    base = [
        json.loads(line)["text"] for file in sorted((ROOT / "nlp/training").glob("*.jsonl")) for line in file.open()
    ]
    if RECORDED.exists():
        base += [json.loads(line)["text"] for line in RECORDED.open()]
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    rng.shuffle(base)
    found = base[:count]
    while len(found) < count:
        left, right = rng.choice(base).split(), rng.choice(base).split()
        found.append(" ".join(left[: len(left) // 2] + right[len(right) // 2 :]) + f" {len(found)}")
    return found
