"""Near-duplicate clusters across batches, within a bounded window; runs in order, whatever the languages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rensa import RMinHash, RMinHashLSH

from monitor.model import Mention

HASHES, BANDS, SEED = 128, 32, 7
CONTENT = 4  # letters of a word that carries content
SHORT = 6  # content words; below, only the same words by the same person are one
LONG = 18  # content words; from here, half of them in common is a copy in other words
ALIKE, ALIKE_LONG = 0.75, 0.45  # estimated share of content words in common
WINDOW = 20_000  # texts of one generation; two are kept, about 2 KiB a text

_NOISE = re.compile(r"^rt\s+@\w+:?|https?://\S+|www\.\S+|@\w+", re.IGNORECASE)
_TAGS = re.compile(r"#\w+")
_WORDS = re.compile(r"\w+")


class _Generation:
    """Texts seen, by their exact words and by their MinHash."""

    def __init__(self) -> None:
        self.exact: dict[str, str] = {}
        self.ids: list[str] = []
        self.hashes: list[RMinHash] = []
        self.near = RMinHashLSH(threshold=ALIKE_LONG, num_perm=HASHES, num_bands=BANDS)

    def find(self, key: str, sketch: RMinHash | None, alike: float) -> str | None:
        if key in self.exact or sketch is None:
            return self.exact.get(key)
        best = max(((sketch.jaccard(self.hashes[at]), -at) for at in self.near.query(sketch)), default=(0.0, 0))
        return self.ids[-best[1]] if best[0] >= alike else None

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

    def cluster(self, mention_id: str, text: str, mention: Mention | None = None) -> str | None:
        """The id of the first mention that says the same; its own id if it is the first; None without words.

        Emoji, handles and hashtags are no words: two people's (or one's) flames are no copies.
        """
        cleaned = _NOISE.sub(" ", text).lower()
        words = _WORDS.findall(cleaned)
        if not words or ("#" in cleaned and not _WORDS.search(_TAGS.sub(" ", cleaned))):
            return None
        content = list({word for word in words if len(word) >= CONTENT})
        key, sketch = " ".join(words), None
        if len(content) < SHORT:
            author = mention.author_key if mention else None
            key = f"{author or mention_id} {' '.join(text.split())}"
        else:
            if (same := self._now.exact.get(key)) is not None:
                return same
            sketch = RMinHash(num_perm=HASHES, seed=SEED)
            sketch.update(content)
        alike = ALIKE_LONG if len(content) >= LONG else ALIKE
        found = self._now.find(key, sketch, alike) or self._before.find(key, sketch, alike) or mention_id
        if key not in self._now.exact:
            if len(self._now.exact) >= WINDOW:
                self._before, self._now = self._now, _Generation()
            self._now.add(key, found, sketch)
        return found

    def seed(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Mentions of an earlier run, (cluster or mention id, text), oldest first."""
        for mention_id, text in pairs:
            self.cluster(mention_id, text)
