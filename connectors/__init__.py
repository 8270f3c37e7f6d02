"""Connectors: one module a kind of source. A new kind is one module and one line in `CONNECTORS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydantic import BaseModel

from monitor.errors import ConfigError
from monitor.model import Source
from monitor.protocols import Clock, Connector, Http

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


def guess(content: bytes, name: str) -> str:
    """Which connector reads this file or answer. ResponseNotUnderstood where nothing fits."""
    return str(import_module("connectors.guessing").guess(content, name))


def reader(kind: str, http: Http, now: Clock, *, name: str = "try") -> Connector:
    """A connector to `read` files with and never to fetch: what its options require is filled with stand-ins."""
    cls = load(kind)
    source = Source(id=name, connector=kind, name=name, channel=kind, options=_stand_ins(cls.Options))
    connector: Connector = cls(source, http, now)
    return connector


def _stand_ins(options: type[BaseModel]) -> dict[str, Any]:
    """A value for each option that has no default."""
    needed = [name for name, told in options.model_fields.items() if told.is_required()]
    lists = {name for name in needed if str(options.model_fields[name].annotation).startswith(("list", "tuple"))}
    return {
        name: ["example"] if name in lists else "https://example.invalid/" if "url" in name else "example"
        for name in needed
    }
