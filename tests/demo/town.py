"""What the tests of the town share: a server under a clock that jumps, and plain clients that walk each API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from monitor.demo.clock import TownClock, jumping
from monitor.demo.script import Town, steps
from monitor.demo.server import TownServer

TOWN = Town()
STEP = timedelta(hours=6)
AUTH = {"Authorization": "Bearer town", "apikey": "town"}


@contextmanager
def served(town: Town = TOWN, **options: Any) -> Iterator[tuple[TownServer, TownClock]]:
    clock = jumping(town.opens_at)
    with TownServer(town, clock, **options) as server:
        yield server, clock


def ask(server: TownServer, path: str, headers: dict[str, str] | None = None, **query: Any) -> tuple[int, Any, bytes]:
    """(status, headers, body) of one GET, errors included."""
    address = server.base_url + path + ("?" + urlencode(query) if query else "")
    request = urllib.request.Request(address, headers={**AUTH, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def ask_json(server: TownServer, path: str, **query: Any) -> Any:
    status, _headers, body = ask(server, path, **query)
    assert status == 200, (path, query, status, body[:300])
    return json.loads(body)


def walked(town: Town = TOWN, step: timedelta = STEP) -> Iterator[Any]:
    return steps(town, step)
