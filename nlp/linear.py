"""The linear model at run time: tables of rounded weights, one score row a word, kept once computed. numpy only.

score[label] = bias + (words + pairs) / norm1 + n-grams / norm2, where a word's n-grams are those of `<word>`.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.words import Word, pairs

BUCKETS = 1 << 17
SHORTEST, LONGEST = 2, 5
KEEP_WORDS = 60_000  # rows kept; then the memory starts anew, so that odd texts cannot fill it

Floats = NDArray[np.float32]


def buckets(form: str) -> list[int]:
    """The hashed n-grams of a word with its borders."""
    marked = f"<{form}>"
    size, crc32, last = len(marked), zlib.crc32, BUCKETS - 1
    if marked.isascii():  # slices of bytes are slices of letters
        raw = marked.encode()
        return [crc32(raw[at : at + n]) & last for n in range(SHORTEST, LONGEST + 1) for at in range(size - n + 1)]
    return [
        crc32(marked[at : at + n].encode()) & last for n in range(SHORTEST, LONGEST + 1) for at in range(size - n + 1)
    ]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of one text: a score a label, one row a token, and the pairs that count."""

    scores: Floats
    rows: Floats
    pair_rows: Floats
    pair_spans: tuple[tuple[int, int], ...]


class LinearModel:
    """Reads the tables and scores texts. Not safe for use by two threads at once."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.labels: tuple[str, ...] = tuple(str(tables["labels"]).split("\n"))
        width = len(self.labels)
        self._bias = tables["bias"].astype(np.float32)
        self._words = {w: at for at, w in enumerate(str(tables["words"]).split("\n"))}
        self._word_rows = tables["word_rows"].astype(np.float32) * tables["word_scale"]
        self._word_idf = tables["word_idf"].astype(np.float32)
        self._pairs = {w: at for at, w in enumerate(str(tables["pairs"]).split("\n"))}
        self._pair_rows = tables["pair_rows"].astype(np.float32) * tables["pair_scale"]
        self._pair_squares = (tables["pair_idf"].astype(np.float32) ** 2).tolist()
        self._gram_rows = tables["gram_rows"]
        self._gram_scale = tables["gram_scale"].astype(np.float32)
        self._gram_squares = tables["gram_idf"].astype(np.float32) ** 2
        self._at: dict[str, int] = {}
        self._known = np.zeros((1024, 2, width), dtype=np.float32)
        self._squares = np.zeros((1024, 2), dtype=np.float32)

    def _learn(self, form: str) -> int:
        """Compute a word's rows and keep them."""
        at = len(self._at)
        if at == len(self._known):
            self._known = np.concatenate([self._known, np.zeros_like(self._known)])
            self._squares = np.concatenate([self._squares, np.zeros_like(self._squares)])
        self._known[at] = 0.0
        self._squares[at] = 0.0
        number = self._words.get(form) if form else None
        if number is not None:
            self._known[at, 0] = self._word_rows[number]
            self._squares[at, 0] = self._word_idf[number] ** 2
        if form:
            where = buckets(form)
            self._known[at, 1] = np.add.reduce(self._gram_rows.take(where, axis=0), axis=0, dtype=np.int32)
            self._known[at, 1] *= self._gram_scale
            self._squares[at, 1] = np.add.reduce(self._gram_squares.take(where))
        self._at[form] = at
        return at

    def score(self, words: list[Word]) -> Scored:
        """Scores of one text; see `score_all`."""
        return self.score_all([words])[0]

    def score_all(self, texts: Sequence[list[Word]]) -> list[Scored]:
        """Scores of many texts at once. Rows are divided by the text's norms already, so they add up to the score."""
        if len(self._at) > KEEP_WORDS:
            self._at.clear()
        known = self._at
        index: list[int] = []
        numbers: list[int] = []
        ends, pair_ends, squares, spans = [], [], [], []
        for words in texts:
            for word in words:
                at = known.get(word.form)
                index.append(self._learn(word.form) if at is None else at)
            ends.append(len(index))
            square, mine = 0.0, []
            for pair, first, second in pairs(words):
                number = self._pairs.get(pair)
                if number is not None:
                    numbers.append(number)
                    mine.append((first, second))
                    square += self._pair_squares[number]
            pair_ends.append(len(numbers))
            squares.append(square)
            spans.append(tuple(mine))
        starts = [0, *ends[:-1]]
        sizes = np.diff([0, *ends])
        norms = np.add.reduceat(self._squares[index], starts, axis=0)
        first_norms = 1.0 / np.sqrt(np.maximum(norms[:, 0] + np.array(squares, dtype=np.float32), 1e-6))
        second_norms = 1.0 / np.sqrt(np.maximum(norms[:, 1], 1e-6))
        gathered = self._known[index]
        rows = gathered[:, 0] * np.repeat(first_norms, sizes)[:, None]
        rows += gathered[:, 1] * np.repeat(second_norms, sizes)[:, None]
        total = self._bias + np.add.reduceat(rows, starts, axis=0)
        pair_rows = self._pair_rows[numbers] * np.repeat(first_norms, np.diff([0, *pair_ends]))[:, None]
        found = []
        for at, (end, pair_end) in enumerate(zip(ends, pair_ends, strict=True)):
            mine_rows = pair_rows[pair_ends[at - 1] if at else 0 : pair_end]
            scores = total[at] + mine_rows.sum(axis=0) if len(mine_rows) else total[at]
            found.append(Scored(scores, rows[starts[at] : end], mine_rows, spans[at]))
        return found


def load_tables(path: Path) -> dict[str, Any]:
    """The arrays of an .npz file, texts as 0-dimensional strings."""
    with np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def save_tables(path: Path, tables: dict[str, Any]) -> None:
    """An .npz whose bytes depend on the arrays alone: names sorted, no time of writing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(tables):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(tables[name]), allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9
            )
