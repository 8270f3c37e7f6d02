"""replay: dead letters are read again, now that the code or the configuration is mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.errors import MonitorError, StoreError
from monitor.model import DeadLetter, Source
from monitor.protocols import Clock, Connector, Store

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many letters became mentions, and how many stay."""

    stored: int = 0
    kept: int = 0


def replay(
    store: Store,
    sources: Mapping[str, Source],
    connect: Callable[[Source], Connector],
    now: Clock,
    only: str | None = None,
) -> Replayed:
    """Read each letter once more with its source's connector; one that fails again stays, with the new reason."""
    stored = kept = 0
    for letter in store.dead_letters.waiting(only, BATCH):
        if _settled(letter, store, sources, connect, now):
            stored += 1
        else:
            kept += 1
    return Replayed(stored=stored, kept=kept)


def _settled(
    letter: DeadLetter,
    store: Store,
    sources: Mapping[str, Source],
    connect: Callable[[Source], Connector],
    now: Clock,
) -> bool:
    source = sources.get(letter.source_id)
    if source is None:
        store.dead_letters.settle(letter, None, f"no source called {letter.source_id} in sources.yaml", now())
        return False
    try:
        page = connect(source).read(letter.raw, f"dead letter {letter.id}")
    except StoreError:
        raise
    except MonitorError as error:
        store.dead_letters.settle(letter, None, str(error), now())
        return False
    except Exception as error:  # noqa: BLE001 - a fault in one connector must not stop the others
        reason = f"the connector failed ({type(error).__name__})"
        store.dead_letters.settle(letter, None, reason, now())
        return False
    if not page.mentions:
        reason = page.skipped[0].reason if page.skipped else "no mention in it"
        store.dead_letters.settle(letter, None, reason, now())
        return False
    store.dead_letters.settle(letter, page, "", now())
    return True
