"""Connectors: one module a kind of source. A new kind is one module and one line in `CONNECTORS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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


def load(name: str) -> Any:
    """The class of a connector: `kind`, `title`, `Options`, and made with (source, http, now)."""
    if name not in CONNECTORS:
        raise ConfigError(f"there is no connector {name!r}; there are: {', '.join(sorted(CONNECTORS))}")
    module, _, cls = CONNECTORS[name].partition(":")
    return getattr(import_module(module), cls)
