"""The town's HTTP server: one address for all its sources, told apart by path, each of which can be made to fail.

Beside the sources it answers `GET /_town` (clock, modes, requests counted per source) and
`POST /_town` with {"modes": {"x": "broken"}, "now": "2026-06-07T08:42:00Z", "speed": 60}, each key optional.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor.demo.answers import Answer, Handler, Request, iso, json_answer
from monitor.demo.apis import discourse, feeds, mastodon, trustpilot, x
from monitor.demo.clock import TownClock
from monitor.demo.limits import Limits
from monitor.demo.script import FEEDS, Town

RETRY_AFTER = 30
"""Seconds that a rate limited source asks to wait."""
HANG_SECONDS = 300.0
LONGEST_BODY = 64 * 1024


class Mode(StrEnum):
    """How a source behaves."""

    OK = "ok"
    SLOW = "slow"
    BROKEN = "broken"
    RUBBISH = "rubbish"
    RATE_LIMITED = "rate_limited"
    REVOKED = "revoked"
    HANG = "hang"


_HANDLERS: Mapping[str, Handler] = {
    "x": x.answer,
    "fediverse": mastodon.answer,
    "groenevingers": discourse.answer,
    "sterrenplein": trustpilot.answer,
}
HTTP_SOURCES = (*_HANDLERS, *FEEDS)
_PATHS = (
    ("x", re.compile(r"/2/")),
    ("fediverse", re.compile(r"/api/v[12]/")),
    ("sterrenplein", re.compile(r"/v1/")),
    ("groenevingers", re.compile(r"/(?:posts|latest|search|t)(?:[./]|$)")),
    *((source, re.compile(re.escape(feeds.path_of(source)) + "$")) for source in FEEDS),
)


def source_of(path: str) -> str | None:
    """Which source a path belongs to."""
    return next((source for source, pattern in _PATHS if pattern.match(path)), None)


def answer(town: Town, now: datetime, request: Request) -> Answer:
    """What a source that works says."""
    source = source_of(request.path)
    if source is None:
        return Answer(status=404, body=b"there is nothing at this address of the town\n", content_type="text/plain")
    if source in FEEDS:
        return feeds.answer(source, town, now, request)
    return _HANDLERS[source](town, now, request)


class TownServer:
    """Serves a town on 127.0.0.1 from threads of its own. `port` 0 takes any free one. OSError if it is taken.

    A context manager; `close` also frees whoever hangs in a source that hangs.
    """

    def __init__(
        self,
        town: Town,
        clock: TownClock,
        *,
        port: int = 0,
        modes: Mapping[str, Mode] | None = None,
        slow_seconds: float = 2.0,
    ) -> None:
        self.town = town
        self.clock = clock
        self.slow_seconds = slow_seconds
        self.closing = threading.Event()
        self.limits = Limits()
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._modes: dict[str, Mode] = dict.fromkeys(HTTP_SOURCES, Mode.OK)
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="town", daemon=True)
        for source, mode in (modes or {}).items():
            self.set_mode(source, mode)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """host:port, as `net.allow` wants it."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """Where all sources stand."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering; safe to call twice."""
        self.closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()

    def set_mode(self, source: str, mode: Mode | str) -> None:
        """Make a source behave. ValueError names an unknown source or mode."""
        if source not in HTTP_SOURCES:
            message = f"the town has no source {source!r} over HTTP; it has: {', '.join(HTTP_SOURCES)}"
            raise ValueError(message)
        chosen = Mode(mode)
        with self._lock:
            self._modes[source] = chosen

    def mode(self, source: str) -> Mode:
        """How a source behaves now."""
        with self._lock:
            return self._modes[source]

    def requests(self) -> dict[str, int]:
        """How often each source was asked, as it counted itself: failures included."""
        with self._lock:
            return dict(self._requests)

    def answer(self, request: Request) -> Answer | None:
        """By the source's mode. None: say nothing and hang up."""
        if request.path == "/_town":
            return self._state()
        source = source_of(request.path)
        if source is None:
            return answer(self.town, self.clock(), request)
        with self._lock:
            self._requests[source] += 1
            mode = self._modes[source]
        if mode is Mode.HANG:
            self.closing.wait(HANG_SECONDS)
            return None
        if mode is Mode.SLOW:
            self.closing.wait(self.slow_seconds)
        failed = _failing(mode)
        if failed is not None:
            return failed
        now = self.clock()
        return self.limits.apply(source, now, lambda: answer(self.town, now, request))

    def control(self, told: Mapping[str, Any]) -> Answer:
        """Change modes and clock as `POST /_town` asks."""
        try:
            for source, mode in dict(told.get("modes") or {}).items():
                self.set_mode(source, mode)
            if told.get("now") is not None or told.get("speed") is not None:
                now = datetime.fromisoformat(told["now"]) if told.get("now") is not None else self.clock()
                speed = None if told.get("speed") is None else float(told["speed"])
                self.clock.set(now, speed=speed)
        except (TypeError, ValueError, AttributeError) as error:
            return json_answer({"error": str(error)}, 400)
        return self._state()

    def _state(self) -> Answer:
        with self._lock:
            modes = {source: mode.value for source, mode in self._modes.items()}
            asked = dict(self._requests)
        return json_answer({"now": iso(self.clock()), "modes": modes, "requests": asked})


def _failing(mode: Mode) -> Answer | None:
    """The answer of a source that does not work."""
    if mode is Mode.BROKEN:
        return json_answer({"error": "Internal Server Error"}, 500)
    if mode is Mode.RUBBISH:
        page = b"<!doctype html><html><head><title>Inloggen</title></head><body><h1>Log in</h1></body></html>"
        return Answer(body=page, content_type="text/html; charset=utf-8")
    if mode is Mode.RATE_LIMITED:
        return json_answer({"error": "Too many requests"}, 429, {"Retry-After": str(RETRY_AFTER)})
    if mode is Mode.REVOKED:
        return json_answer({"error": "The access token was revoked"}, 401)
    return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, town: TownServer, port: int) -> None:
        self.town = town
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is no error of the town."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Town/1"
    timeout = 30
    wbufsize = -1  # headers and body leave together: apart they wait for one another, 40 ms an answer
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        town = self.server.town
        self._send(town.answer(self._request()))

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if self.path != "/_town" or not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self._send(json_answer({"error": "the town takes no such request"}, 405))
            return
        try:
            told = json.loads(self.rfile.read(int(length)))
        except ValueError:
            told = None
        is_object = isinstance(told, dict)
        self._send(self.server.town.control(told) if is_object else json_answer({"error": "not a JSON object"}, 400))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        """Say nothing: the town counts its requests instead."""

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        pairs: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            pairs[name] = f"{pairs[name]},{value}" if name.endswith("[]") and name in pairs else value
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(path=unquote(parts.path), query=pairs, headers=headers, base=self.server.town.base_url)

    def _send(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:  # noqa: PLR2004 - the status code is its own name
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status != 304:  # noqa: PLR2004 - the same
            self.wfile.write(answer.body)
