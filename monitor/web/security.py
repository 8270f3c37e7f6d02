"""What every answer carries and every request must meet: headers, loopback names, origin, form token, sizes."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
CSRF_COOKIE = "csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not "no-referrer": browsers then send "Origin: null" with our own forms, which is what a sandboxed page sends.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Shield:
    """ASGI middleware: refuses foreign hosts, cross-site writes and large bodies; adds the security headers.

    It stands around everything, so it also answers (through `failed`) what nobody else caught: those answers carry
    the headers too.
    """

    def __init__(self, app: ASGIApp, failed: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge the request, then hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _Guarded(scope, send)
        refused = _refused(scope["method"], Headers(scope=scope))
        if refused is not None:
            await refused(scope, receive, guarded)
            return
        kept = _Bounded(receive, guarded)
        answer: Response | None = None
        try:
            await self._app(scope, kept.receive, kept.send)
        except Exception as error:
            if guarded.started:
                raise
            if not kept.is_beyond:
                answer = await self._failed(Request(scope), error)
        if kept.is_beyond and not guarded.started:
            answer = _too_large()
        if answer is not None:
            await answer(scope, receive, guarded)


class _Guarded:
    """Sends on, with the security headers on the start of the answer."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if not self._scope["path"].startswith("/static/"):
                headers.setdefault("cache-control", "no-store")
        await self._send(message)


def _refused(method: str, headers: Headers) -> PlainTextResponse | None:
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in _HOSTS:
        return PlainTextResponse("This inbox answers on 127.0.0.1 and localhost only.", status_code=421)
    if method in _SAFE:
        return None
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 10) or int(length) > MAX_BODY:  # noqa: PLR2004 - digits
        return _too_large()
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
        return PlainTextResponse("This request comes from another site.", status_code=403)
    if site is not None and site not in {"same-origin", "none"}:
        return PlainTextResponse("This request comes from another site.", status_code=403)
    return None


def _too_large() -> PlainTextResponse:
    return PlainTextResponse("This request is too large.", status_code=413)


class _Bounded:
    """A body without a told length is cut off at the limit; what the application answers to half a body is dropped."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._seen = 0
        self.is_beyond = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        self.is_beyond = self.is_beyond or self._seen > MAX_BODY
        return {"type": "http.disconnect"} if self.is_beyond else message

    async def send(self, message: Message) -> None:
        if not self.is_beyond:
            await self._send(message)


def new_token() -> str:
    """A form token."""
    return secrets.token_urlsafe(24)


def token_holds(request: Request, sent: str | None) -> bool:
    """Whether the token of the form is the one of the cookie."""
    kept = request.cookies.get(CSRF_COOKIE, "")
    return bool(kept) and hmac.compare_digest(kept.encode(), (sent or "").encode("utf-8", "replace"))


def own_path(target: str | None) -> str:
    """A path of ours to go on to; anything else is the inbox."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return "/"
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc and target.isprintable() else "/"
