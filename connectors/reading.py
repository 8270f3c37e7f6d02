"""What the readers of files and mails need to know besides the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Json, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """For which source, when, and in which time zone dates without one are meant.

    `own` is our own mail address; `beside` the JSON that lies next to a transcript.
    """

    source: Source
    now: datetime
    zone: str
    own: str | None = None
    beside: Mapping[str, Json] | None = None
