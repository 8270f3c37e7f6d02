"""Connectors: one module a kind of source. A new kind is one module and one line in `CONNECTORS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydantic import BaseModel

from monitor.errors import ConfigError

CONNECTORS = {
    "rss": "connectors.rss:RssConnector",
    "mastodon": "connectors.mastodon:MastodonConnector",
    "discourse": "connectors.discourse:DiscourseConnector",
    "trustpilot": "connectors.trustpilot:TrustpilotConnector",
    "x": "connectors.x:XConnector",
    "hackernews": "connectors.hackernews:HackerNewsConnector",
    "imap": "connectors.imap:ImapConnector",
    "files": "connectors.files:FilesConnector",
}
"""Name in sources.yaml -> where its class lives; imported when first used, so that the command line starts fast."""

NO_PLACE = "https://example.invalid/"
"""The address of a source that is only read from a file."""


def load(name: str) -> Any:
    """The class of a connector: `kind`, `title`, `Options`, and made with (source, http, now)."""
    if name not in CONNECTORS:
        raise ConfigError(f"there is no connector {name!r}; there are: {', '.join(sorted(CONNECTORS))}")
    module, _, cls = CONNECTORS[name].partition(":")
    return getattr(import_module(module), cls)


def guess(content: bytes, name: str) -> str:
    """Which connector reads this file or answer. ResponseNotUnderstood where nothing fits."""
    return str(import_module("connectors.guessing").guess(content, name))


def sample_options(kind: str, name: str) -> dict[str, Any]:
    """Options to `read` a file or an answer with, never to fetch: what has no default is filled with a stand-in."""
    options: type[BaseModel] = load(kind).Options
    found: dict[str, Any] = {}
    for field, told in options.model_fields.items():
        if not told.is_required():
            continue
        address = name if name.startswith(("https://", "http://")) else NO_PLACE
        value: Any = address if "url" in field else "example"
        found[field] = [value] if str(told.annotation).startswith(("list", "tuple")) else value
    return found
