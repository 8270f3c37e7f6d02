"""What every dialect of feed tells about an entry. Nothing is interpreted yet: dates and addresses are as written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry; `base` is the address that relative links start from, where the feed names one."""

    id: str | None = None
    link: str | None = None
    base: str | None = None
    title: str | None = None
    title_is_html: bool = False
    text: str = ""
    text_is_html: bool = False
    published: str | None = None
    updated: str | None = None
    author: str | None = None
    author_url: str | None = None
    language: str | None = None
    replies: Any = None
    parent: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Feed:
    """A feed as it was read. `whole` is False when its end is missing.

    `left_out` counts entries over the limit, `silent` those that hold nothing.
    """

    version: str
    language: str | None = None
    title: str | None = None
    link: str | None = None
    entries: list[Entry] = field(default_factory=list)
    whole: bool = True
    left_out: int = 0
    silent: int = 0
    unreadable: list[Any] = field(default_factory=list)
