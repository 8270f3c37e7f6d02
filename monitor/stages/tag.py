"""tag: what changed in the store gets an enrichment."""

from __future__ import annotations

from collections.abc import Callable

from monitor.protocols import Store, Tagger

BATCH = 256


def tag(tagger: Tagger, store: Store, progress: Callable[[int], None] = lambda _: None) -> int:
    """Tag whatever no enrichment has seen yet, batch by batch; how many mentions were tagged."""
    total = 0
    while batch := store.mentions.to_tag(BATCH):
        enrichments = tagger.tag([stored.mention for stored in batch])
        store.enrichments.save(list(zip(batch, enrichments, strict=True)))
        total += len(batch)
        progress(total)
    return total
