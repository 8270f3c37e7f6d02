"""config/*.yaml and the environment, as typed settings. Every fault names file, line and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path

from monitor.model import Rule, Source, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """How soon a first answer is promised. Empty conditions hold for every case; the first level that fits counts."""

    name: str
    within: timedelta
    intents: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    around_the_clock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Who answers what: the first queue whose intents and themes fit (empty: any) takes the case."""

    id: str
    names: Mapping[str, str]
    intents: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the team promised, and how work is divided. `hours`: weekday (0 = Monday) to opening and closing."""

    hours: Mapping[int, tuple[time, time]] = field(default_factory=dict)
    service_levels: tuple[ServiceLevel, ...] = ()
    queues: tuple[Queue, ...] = ()
    agents: tuple[str, ...] = ()
    dismiss_reasons: tuple[str, ...] = ("not_about_us", "no_reply_needed", "spam", "duplicate")
    rules: tuple[Rule, ...] = ()
    notify: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSettings:
    """Limits of the HTTP client. `allow` names host:port pairs that may be private; nothing else private is reached."""

    allow: tuple[str, ...] = ()
    contact: str = ""
    connect_seconds: float = 10.0
    total_seconds: float = 60.0
    max_bytes: int = 15 * 1024 * 1024
    max_redirects: int = 5
    max_retry_after: float = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person configured."""

    folder: Path
    brand: str
    language: str = "nl"
    languages: tuple[str, ...] = ("nl", "en")
    time_zone: str = "Europe/Amsterdam"
    store: str = "sqlite:///var/monitor.db"
    search: str = "sqlite:///var/search.db"
    host: str = "127.0.0.1"
    port: int = 8080
    net: NetSettings = NetSettings()
    sources: tuple[Source, ...] = ()
    topics: tuple[Topic, ...] = ()
    policy: Policy = Policy()
