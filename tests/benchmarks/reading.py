"""Reading a feed against feedparser alone, and the store against bare SQL."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import feedparser

from connectors.rss import RssConnector
from monitor.config import NetSettings
from monitor.model import Cursor, Page, Source
from monitor.net.client import HttpClient
from monitor.store import open_store
from tests.benchmarks.measure import Figure, fresh, percentile, wall_ms
from tests.benchmarks.texts import texts
from tests.factories import NOON, a_mention

ENTRIES, PAGE, PAGES = 400, 500, 8


def figures(folder: Path, _large: bool) -> Iterator[Figure]:  # noqa: FBT001 - the part's signature
    """Feeds, then pages into the store."""
    feeds = [_feed(texts(ENTRIES, seed)) for seed in range(3)]
    source = Source(id="b", connector="rss", name="b", channel="news", options={"url": "https://example.org/feed"})
    http = HttpClient(NetSettings())
    connector = RssConnector(source, http, lambda: NOON)
    floor = fresh(lambda n: feedparser.parse(feeds[n], sanitize_html=False, resolve_relative_uris=False))
    ours = fresh(lambda n: connector.read(feeds[n], "feed"))
    http.close()
    yield Figure(id="P1", what="parse: entries of a feed to mentions", figure=ENTRIES / ours, unit="mentions/CPU s")
    yield Figure(id="P2", what="parse: cost against feedparser alone", figure=ours / floor, unit="x")
    store = open_store(f"sqlite:///{folder}/monitor.db")
    store.upgrade()
    pages = [
        Page(
            mentions=tuple(
                a_mention(native_id=f"{number}-{n}", text=text) for n, text in enumerate(texts(PAGE, number))
            ),
            cursor=Cursor(source_id="praatpaal", value={"page": number}),
        )
        for number in range(PAGES)
    ]
    new = fresh(lambda n: store.mentions.save_page(pages[n], NOON), PAGES)
    again = fresh(lambda n: store.mentions.save_page(pages[n], NOON), PAGES)
    yield Figure(id="S1", what="store: new mentions, pages of 500", figure=PAGE / new, unit="mentions/CPU s")
    yield Figure(id="S2", what="store: unchanged mentions", figure=PAGE / again, unit="mentions/CPU s")
    _, p95 = wall_ms(lambda n: store.mentions.save_page(pages[n % PAGES], NOON), PAGES * 2)
    yield Figure(id="S3", what="store: one page of unchanged mentions, p95", figure=percentile([p95], 50), unit="ms")
    store.close()


def _feed(found: list[str]) -> bytes:
    entries = "".join(
        f"<item><guid>https://example.org/{n}</guid><link>https://example.org/{n}</link><title>{html.escape(text[:60])}</title>"
        f"<description>{html.escape('<p>' + html.escape(text) + '</p>')}</description>"
        f"<pubDate>Mon, 01 Jun 2026 10:{n % 60:02}:00 GMT</pubDate></item>"
        for n, text in enumerate(found)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>b</title>{entries}</channel></rss>'.encode()
