"""recheck: what is gone at its source loses its text here too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.errors import SourceError
from monitor.model import Page, Source
from monitor.protocols import Clock, Connector, Rechecks, Store

REACH = timedelta(days=7)
_LEASE_SECONDS = 300.0


def recheck(
    source: Source,
    connect: Callable[[Source], Connector],
    store: Store,
    now: Clock,
    every: timedelta | None = None,
) -> int:
    """Ask a source that can tell about its mentions of the last week; how many were gone.

    With `every` only if the last look lies so far back. A source that cannot tell, or fails, loses nothing: 0.
    """
    name = f"rechecked:{source.id}"
    last = store.get_meta(name)
    if every is not None and last is not None and now() - datetime.fromisoformat(last) < every:
        return 0
    connector = connect(source)
    if not isinstance(connector, Rechecks):
        return 0
    with store.lease(f"collect:{source.id}", "recheck", now(), _LEASE_SECONDS) as mine:
        if not mine:
            return 0
        known = {
            stored.mention.native_id: stored.mention
            for stored in store.mentions.between(now() - REACH, now())
            if stored.mention.source_id == source.id and stored.mention.removed_at is None
        }
        try:
            gone = connector.gone(sorted(known))
        except SourceError:
            return 0
        at = now()
        ours = sorted(gone & known.keys())
        removed = tuple(replace(known[native_id], removed_at=at, fetched_at=at) for native_id in ours)
        if removed:
            store.mentions.save_page(Page(mentions=removed, cursor=store.cursors.get(source.id)), at)
        store.set_meta(name, at.isoformat())
    return len(removed)
