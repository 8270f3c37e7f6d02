"""collect: from sources into the store. Each source by itself, several side by side; its health says how it went."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import structlog

from monitor.domain import health as judge
from monitor.errors import MonitorError, SourceUnavailable, StoreError
from monitor.model import Collected, Source, SourceHealth
from monitor.protocols import Clock, Connector, Store

SIDE_BY_SIDE = 4
_LEASE_SECONDS = 180.0
"""A process that was killed holds its source no longer than this; two walks of one source side by side lose nothing."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt at one source ended. `error` None: well. `health` None: somebody else was collecting it."""

    source: Source
    collected: Collected
    error: MonitorError | None
    health: SourceHealth | None


def collect(connector: Connector, store: Store, now: Clock) -> Collected:
    """Store each page with the cursor that is safe after it: a crash repeats work, never loses it."""
    total = Collected()
    for page in connector.fetch(store.cursors.get(connector.source_id)):
        total += store.mentions.save_page(page, now())
    return total


def attempt(source: Source, connect: Callable[[Source], Connector], store: Store, now: Clock) -> Outcome:
    """Collect one source and keep its health. Only StoreError escapes: without the record nothing can go on."""
    with store.lease(f"collect:{source.id}", f"collect-{uuid.uuid4()}", now(), _LEASE_SECONDS) as mine:
        if not mine:
            return Outcome(source=source, collected=Collected(), error=None, health=None)
        before = store.sources.health().get(source.id) or SourceHealth(source_id=source.id)
        collected, error = Collected(), None
        try:
            collected = collect(connect(source), store, now)
        except StoreError:
            raise
        except MonitorError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001 - a fault in one connector must not stop the others
            _log.exception("connector failed", source=source.id)
            error = SourceUnavailable(f"{source.name}: the connector failed ({type(failure).__name__}); see the log")
        after = (
            judge.after_failure(before, source, error, now())
            if error
            else judge.after_success(before, source, collected, now())
        )
        store.sources.save_health(after)
    return Outcome(source=source, collected=collected, error=error, health=after)


class Collecting:
    """Collects sources side by side. One that hangs holds only its own place; the rest keep their schedule."""

    def __init__(self, connect: Callable[[Source], Connector], store: Store, now: Clock) -> None:
        self._connect = connect
        self._store = store
        self._now = now
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE * 2, thread_name_prefix="collect")
        self._running: dict[str, Future[Outcome]] = {}

    def due(self, sources: Iterable[Source]) -> list[Source]:
        """Those that may be asked now and are not being asked already."""
        known = self._store.sources.health()
        return [s for s in sources if s.id not in self._running and judge.is_due(s, known.get(s.id), self._now())]

    def run(
        self,
        sources: Iterable[Source],
        *,
        patience: float | None = None,
        progress: Callable[[Outcome], None] = lambda _: None,
    ) -> list[Outcome]:
        """Start these and wait at most `patience` seconds (None: until all end); late ones are told next time."""
        for source in sources:
            self._running[source.id] = self._pool.submit(attempt, source, self._connect, self._store, self._now)
        ended: list[Outcome] = []
        names = {future: source_id for source_id, future in self._running.items()}
        with contextlib.suppress(TimeoutError):
            for future in as_completed(names, timeout=patience):
                del self._running[names[future]]  # before its result: one that failed is no longer under way either
                outcome = future.result()
                progress(outcome)
                ended.append(outcome)
        return sorted(ended, key=lambda outcome: outcome.source.id)

    def close(self) -> None:
        """Start nothing more; what is under way ends by its own deadline and is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
