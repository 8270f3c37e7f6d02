"""index: what changed in the record goes to the search index, at least once, in any order."""

from __future__ import annotations

from collections.abc import Callable

from monitor.model import SearchDocument, Stored
from monitor.protocols import SearchIndex, Store

BATCH = 250
_GENERATION = "index_generation"


def index(
    store: Store,
    search: SearchIndex,
    document: Callable[[Stored], SearchDocument],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Send what is behind as whole documents, then mark the revision that was read; how many documents were sent."""
    if store.get_meta(_GENERATION) != search.generation:
        store.mentions.forget_indexed()
        store.set_meta(_GENERATION, search.generation)
    total = 0
    while batch := store.mentions.to_index(BATCH):
        search.write([document(stored) for stored in batch])
        store.mentions.mark_indexed([(stored.no, stored.revision) for stored in batch])
        total += len(batch)
        progress(total)
    return total
