"""Near-duplicate clusters across batches, within a bounded window. Runs over a batch in order, whatever the languages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rensa import RMinHash, RMinHashLSH

from monitor.model import digest

HASHES, BANDS, SEED = 128, 32, 7
ALIKE = 0.7  # estimated overlap of word triples
SHORT = 6  # words; below, only the same words by the same person are one
WINDOW = 20_000  # texts of one generation; two are kept, about 2 KiB a text

_NOISE = re.compile(r"^rt\s+@\w+:?|https?://\S+|www\.\S+|@\w+", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


class _Generation:
    """Texts seen, by their exact words and by their MinHash."""

    def __init__(self) -> None:
        self.exact: dict[str, str] = {}
        self.ids: list[str] = []
        self.hashes: list[RMinHash] = []
        self.near = RMinHashLSH(threshold=ALIKE, num_perm=HASHES, num_bands=BANDS)

    def find(self, key: str, sketch: RMinHash | None) -> str | None:
        if key in self.exact:
            return self.exact[key]
        if sketch is None:
            return None
        best = max(((sketch.jaccard(self.hashes[at]), -at) for at in self.near.query(sketch)), default=(0.0, 0))
        return self.ids[-best[1]] if best[0] >= ALIKE else None

    def add(self, key: str, cluster: str, sketch: RMinHash | None) -> None:
        self.exact[key] = cluster
        if sketch is not None:
            self.near.insert(len(self.ids), sketch)
            self.ids.append(cluster)
            self.hashes.append(sketch)


class FindDuplicates:
    """Remembers texts in the order given: the first mention of a text names its cluster."""

    def __init__(self) -> None:
        self._now = _Generation()
        self._before = _Generation()

    def cluster(self, mention_id: str, text: str, author: str | None = None) -> str | None:
        """The id of the first mention that says the same; its own id if it is the first; None without words."""
        words = _WORDS.findall(_NOISE.sub(" ", text).lower())
        if not words:
            return None
        if len(words) < SHORT:
            key, sketch = digest(" ".join(words), author or mention_id), None
        else:
            key, sketch = digest(" ".join(words)), RMinHash(num_perm=HASHES, seed=SEED)
            sketch.update([" ".join(words[at : at + 3]) for at in range(len(words) - 2)])
        found = self._now.find(key, sketch) or self._before.find(key, sketch) or mention_id
        if key not in self._now.exact:
            if len(self._now.exact) >= WINDOW:
                self._before, self._now = self._now, _Generation()
            self._now.add(key, found, sketch)
        return found

    def seed(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Mentions of an earlier run, (cluster or mention id, text), oldest first."""
        for mention_id, text in pairs:
            self.cluster(mention_id, text)
