"""A real HTTP server on 127.0.0.1 that answers from a script and can be made to misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came in; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What to answer. `cut` sends so many bytes fewer than promised and hangs up."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0


Route = Answered | bytes | dict | list | Callable[[Asked], Any]


def answered(value: Any, asked: Asked) -> Answered:
    if callable(value):
        return answered(value(asked), asked)
    if isinstance(value, Answered):
        return value
    if isinstance(value, bytes):
        return Answered(body=value)
    return Answered(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


class ScriptedServer:
    """`routes` maps a path to bytes, JSON, an Answered, or a callable that gets the request and returns one of these.

    `failing` (an Answered or a callable) goes before all routes while it is set; `slow` makes every request hang until
    the server stops. `requests` holds everything asked, in order.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.failing: Route | None = None
        self.slow = False
        self.requests: list[Asked] = []
        self.stopped = threading.Event()
        self.url = ""

    @property
    def address(self) -> str:
        """host:port, as `net.allow` wants it."""
        return urlsplit(self.url).netloc

    def answer(self, asked: Asked) -> Answered:
        self.requests.append(asked)
        if self.slow:
            self.stopped.wait(30)
            return Answered(status=503)
        if self.failing is not None:
            return answered(self.failing, asked)
        if asked.path not in self.routes:
            return Answered(status=404, body=f"no route {asked.path}".encode())
        return answered(self.routes[asked.path], asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that gave up
            super().handle()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        answer = self.script.answer(asked)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.cut:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            if answer.cut:
                self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = _serve  # noqa: N815 - the name http.server calls
    do_POST = _serve  # noqa: N815 - the name http.server calls

    def log_message(self, *_args: Any) -> None:
        """Tests are quiet."""


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    script = ScriptedServer()
    handler = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
