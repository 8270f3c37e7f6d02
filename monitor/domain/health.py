"""How a source is doing, decided from how its last attempt ended. Times out of here are when to try again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.errors import AccessDenied, MonitorError, RateLimited, ResponseNotUnderstood
from monitor.model import Collected, Source, SourceHealth, SourceStatus, digest

LONGEST_WAIT = timedelta(hours=6)
SILENT_AFTER = timedelta(days=7)
_JITTER = 0.1


def is_due(source: Source, health: SourceHealth | None, now: datetime) -> bool:
    """Whether a source may be asked now. Paused or incomplete sources never are."""
    if source.paused or source.missing:
        return False
    return health is None or health.next_attempt_at is None or health.next_attempt_at <= now


def after_success(health: SourceHealth, source: Source, collected: Collected, now: datetime) -> SourceHealth:
    """A walk came to its end."""
    last_new = now if collected.new else health.last_new_at
    quiet = last_new is not None and now - last_new > SILENT_AFTER
    return replace(
        health,
        status=SourceStatus.SILENT if quiet else SourceStatus.CURRENT,
        attempts=health.attempts + 1,
        failures=0.0,
        last_attempt_at=now,
        last_success_at=now,
        last_new_at=last_new,
        next_attempt_at=now + source.every,
        note="",
    )


def after_failure(health: SourceHealth, source: Source, error: MonitorError, now: datetime) -> SourceHealth:
    """An attempt failed: the back-off doubles with the weighted failures, spread by a jitter of its own."""
    status, weight = _verdict(error)
    failures = health.failures + weight
    wait = min(source.every * 2**failures, LONGEST_WAIT)
    if isinstance(error, AccessDenied):
        wait = LONGEST_WAIT
    spread = int(digest(source.id, str(health.attempts))[:8], 16) / 0xFFFFFFFF * 2 - 1
    next_attempt = now + wait * (1 + _JITTER * spread)
    if isinstance(error, RateLimited) and error.retry_after is not None:
        next_attempt = now + timedelta(seconds=min(max(error.retry_after, 1.0), LONGEST_WAIT.total_seconds()))
    return replace(
        health,
        status=status,
        attempts=health.attempts + 1,
        failures=failures,
        last_attempt_at=now,
        next_attempt_at=next_attempt,
        note=str(error),
    )


def _verdict(error: MonitorError) -> tuple[SourceStatus, float]:
    if isinstance(error, RateLimited):
        return SourceStatus.LIMITED, 0.25
    if isinstance(error, AccessDenied):
        return SourceStatus.NO_ACCESS, 1.0
    if isinstance(error, ResponseNotUnderstood):
        return SourceStatus.NOT_UNDERSTOOD, 1.0
    return SourceStatus.DELAYED, 0.5
