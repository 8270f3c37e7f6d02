"""Rate limits as the vendors announce them: counted down in headers, and refused with 429 when used up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.demo.answers import Answer, iso, json_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests in a window. `prefix` begins the header names; `epoch` says how the reset is written."""

    requests: int
    window: timedelta
    prefix: str | None = None
    epoch: bool = True


LIMITS: Mapping[str, Limit] = {
    "x": Limit(requests=450, window=timedelta(minutes=15), prefix="x-rate-limit"),
    "fediverse": Limit(requests=300, window=timedelta(minutes=5), prefix="X-RateLimit", epoch=False),
    "groenevingers": Limit(requests=200, window=timedelta(minutes=1)),
    "sterrenplein": Limit(requests=833, window=timedelta(minutes=5)),
}


class Limits:
    """Counts by the town's clock. Safe between threads."""

    def __init__(self, limits: Mapping[str, Limit] = LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, int]] = {}

    def apply(self, source: str, now: datetime, ask: Callable[[], Answer]) -> Answer:
        """The answer with the limit's headers on it, or 429 with the time to wait."""
        limit = self._limits.get(source)
        if limit is None:
            return ask()
        length = int(limit.window.total_seconds())
        number = int(now.timestamp()) // length
        with self._lock:
            known, used = self._windows.get(source, (number, 0))
            used = used + 1 if known == number else 1
            self._windows[source] = (number, used)
        reset = (number + 1) * length
        headers: dict[str, str] = {}
        if limit.prefix:
            headers = {
                f"{limit.prefix}-limit": str(limit.requests),
                f"{limit.prefix}-remaining": str(max(0, limit.requests - used)),
                f"{limit.prefix}-reset": str(reset) if limit.epoch else iso(datetime.fromtimestamp(reset, now.tzinfo)),
            }
        if used > limit.requests:
            wait = {"Retry-After": str(max(1, reset - int(now.timestamp())))}
            return json_answer({"title": "Too Many Requests", "error": "Too many requests"}, 429, headers | wait)
        answer = ask()
        return replace(answer, headers={**answer.headers, **headers})
