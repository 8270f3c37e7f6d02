"""What a source says about patience and about what has not changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from monitor.protocols import Response


def retry_after(header: str | None, now: datetime, cap: float) -> float | None:
    """Seconds to wait, from `Retry-After` as seconds or as an HTTP date; at least 1, at most `cap`. None: not told."""
    if header is None:
        return None
    text = header.strip()
    seconds: float | None = None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (moment - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 1.0), cap)


def reset_after(headers: Mapping[str, str], now: datetime, cap: float) -> float | None:
    """Seconds until a limit resets: `x-rate-limit-reset` (epoch) or `x-ratelimit-reset` (ISO 8601, seconds)."""
    for name in ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset"):
        value = headers.get(name)
        if value is None:
            continue
        try:
            moment = datetime.fromisoformat(value.strip())
            seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
        except ValueError:
            try:
                number = float(value)
            except ValueError:
                continue
            if math.isnan(number):
                continue
            epoch = number > timedelta(days=3650).total_seconds()
            seconds = number - now.timestamp() if epoch else number
        return min(max(seconds, 1.0), cap)
    return None


def validators(response: Response) -> dict[str, str]:
    """What to send with the next request so that an unchanged answer costs nothing."""
    found = {"If-None-Match": response.headers.get("etag"), "If-Modified-Since": response.headers.get("last-modified")}
    return {name: value for name, value in found.items() if value}
