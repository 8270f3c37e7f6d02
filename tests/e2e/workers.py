"""What is killed: a process that collects one source after another, as the line does, until all is read."""

import random
from collections.abc import Iterator
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import connectors
from monitor.demo.config import demo_settings
from monitor.model import Cursor, Page, Source
from monitor.net.client import HttpClient
from monitor.protocols import Connector
from monitor.stages.collect import collect
from monitor.store import SqlStore, open_store
from monitor.store.cursors import save_cursor
from tests.factories import a_mention

for _kind in connectors.CONNECTORS:
    connectors.load(_kind)  # before the fork: a life then takes milliseconds

PAGES, PAGE = 300, 10


class Firehose:
    """3,000 mentions in many small pages, beside the few hundred of the town."""

    source_id = "firehose"

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        for number in range(int(cursor.value.get("at", 0)), PAGES):
            yield firehose_page(number)

    def read(self, content: bytes, name: str) -> Page:
        raise NotImplementedError


def firehose_page(number: int) -> Page:
    found = [
        a_mention(source_id="firehose", origin="firehose", native_id=f"{number}-{place}", text=f"bericht {place}")
        for place in range(PAGE)
    ]
    return Page(mentions=tuple(found), cursor=Cursor(source_id="firehose", value={"at": number + 1}))


class CursorFirst:
    """The mutant: a record whose mark moves before what it stands for is stored."""

    def __init__(self, store: SqlStore) -> None:
        self.cursors = store.cursors
        self._store = store

    @property
    def mentions(self) -> "CursorFirst":
        return self

    def save_page(self, page: Page, now: datetime) -> Any:
        self._store._database.write(lambda conn: save_cursor(conn, page.cursor, now))
        return self._store.mentions.save_page(page, now)


class Telling:
    """A record that tells the test before and after each page, so that a kill can be aimed anywhere in one."""

    def __init__(self, store: Any, told: Connection) -> None:
        self.cursors = store.cursors
        self._store, self._told = store, told

    @property
    def mentions(self) -> "Telling":
        return self

    def save_page(self, page: Page, now: datetime) -> Any:
        self._told.send_bytes(b"p")
        return self._store.mentions.save_page(page, now)


def collect_all(
    url: str,
    folder: str,
    base_url: str,
    moment: datetime,
    seed: int,
    mutant: bool,  # noqa: FBT001 - a process takes its arguments by place
    told: Connection | None,
) -> None:
    """The town's sources and the firehose, once each, in an order of this life's own; "." at the end."""
    settings = demo_settings(Path(folder), base_url, Path(folder) / "drop")
    store = open_store(url)
    now = lambda: moment  # noqa: E731 - the town's clock stands still
    http = HttpClient(settings.net, now=now)
    record: Any = CursorFirst(store) if mutant else store
    record = Telling(record, told) if told else record

    def connect(source: Source | None) -> Connector:
        if source is None:
            return Firehose()
        made: Connector = connectors.load(source.connector)(source, http, now)
        return made

    order = [*settings.sources, None]
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    if seed % 3:
        order.sort(key=lambda source: source is not None)  # the longest one first: most lives end in it
    for source in order:
        collect(connect(source), record, now)
    http.close()
    store.close()
    if told:
        told.send_bytes(b".")
