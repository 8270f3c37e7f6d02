"""The one HTTP client. Public addresses only, bounded in size, time and redirects, gzip only, truthful and polite."""

from __future__ import annotations

import json
import logging
import socket
import threading
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from monitor.config import NetSettings
from monitor.errors import AccessDenied, RateLimited, ResponseNotUnderstood, SourceUnavailable
from monitor.net.guard import Deadline, GuardedBackend, Refused, Resolve, checked_address, resolve
from monitor.net.polite import reset_after, retry_after
from monitor.protocols import Clock, Response
from monitor.text.redact import scrub_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})
_RAW_CHUNK, _DECODED_CHUNK = 16_384, 65_536
_GZIP_OR_ZLIB = 47
_GZIP_START = b"\x1f\x8b"
_OK, _NOT_MODIFIED = range(200, 300), 304
_MAX_DEPTH = 100


def _now() -> datetime:
    return datetime.now(UTC)


class _WithoutSecrets(logging.Filter):
    """httpx writes every address that it asks to its log, with user, password and parameters."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(scrub_url(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx").addFilter(_WithoutSecrets())
logging.getLogger("httpcore").setLevel(logging.INFO)  # at DEBUG it writes whole headers: tokens, cookies, redirects


class HttpClient:
    """Implements monitor.protocols.Http. Safe to share between threads."""

    def __init__(self, settings: NetSettings, *, resolver: Resolve = resolve, now: Clock = _now) -> None:
        self._settings = settings
        self._allow = frozenset(entry.lower() for entry in settings.allow)
        self._resolver = resolver
        self._now = now
        self._local = threading.local()
        transport = httpx.HTTPTransport(trust_env=False, retries=0)
        # httpx offers no way to choose the network backend: its pool gives way to a guarded one of the same kind.
        transport._pool.close()  # noqa: SLF001 - see above
        transport._pool = httpcore.ConnectionPool(  # noqa: SLF001 - see above
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=20,
            max_keepalive_connections=5,
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(settings.allow, resolver, self._deadline),
        )
        self._client = httpx.Client(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(settings.total_seconds, connect=settings.connect_seconds),
            headers={"User-Agent": user_agent(settings.contact), "Accept-Encoding": "gzip"},
        )

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> Response:
        """GET within the limits. 401 and 403 raise AccessDenied, 429 RateLimited, 5xx and time-outs SourceUnavailable.

        Any other status besides 2xx and 304 raises ResponseNotUnderstood with `status` and the raw answer.
        """
        wanted = dict(headers or {}) | ({"Accept": accept} if accept else {})
        return self._judged(self.exchange("GET", url, headers=wanted, params=params))

    def json(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, Response]:
        """GET and parse JSON; integers keep every digit."""
        response = self.get(url, params=params, headers=headers, accept="application/json")
        if response.not_modified:
            return None, response
        try:
            parsed = json.loads(response.body, parse_constant=_no_constant)
            _check_depth(parsed)
        except (ValueError, RecursionError):
            kind = response.headers.get("content-type", "no content type")
            raise ResponseNotUnderstood(
                f"{scrub_url(response.url)} did not answer in JSON ({kind}); is this the right address?",
                raw=response.body,
            ) from None
        return parsed, response

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """POST once; a redirect is an error."""
        return self._judged(self.exchange("POST", url, headers=headers, body=body))

    def connect(self, host: str, port: int, *, seconds: float) -> socket.socket:
        """A TCP connection for other protocols than HTTP, to the address that was judged. Raises SourceUnavailable."""
        try:
            address = checked_address(host, port, self._allow, self._resolver)
            return socket.create_connection((address, port), timeout=seconds)
        except Refused as error:
            raise SourceUnavailable(str(error)) from None
        except (OSError, UnicodeError) as error:
            raise SourceUnavailable(f"{host}:{port} cannot be reached ({error})") from None

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """One request with its redirects, whatever the status of the last answer. Raises SourceUnavailable."""
        self._local.deadline = Deadline(self._settings.total_seconds)
        shown = scrub_url(url)
        try:
            start = httpx.URL(url)
            return self._follow(method, start.copy_merge_params(dict(params)) if params else start, headers or {}, body)
        except Refused as error:
            raise SourceUnavailable(f"{shown}: {error}") from None
        except (httpx.TimeoutException, httpcore.TimeoutException):
            raise SourceUnavailable(f"{shown} did not answer in time") from None
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise SourceUnavailable(f"{shown}: this is no address that can be asked") from None
        except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise SourceUnavailable(f"{shown} cannot be reached ({type(error).__name__})") from None

    def _follow(self, method: str, start: httpx.URL, headers: Mapping[str, str], body: bytes | None) -> Response:
        shown, current, sent = scrub_url(str(start)), start, dict(headers)
        for _ in range(self._settings.max_redirects + 1):
            if current.scheme not in {"http", "https"} or not current.host:
                raise SourceUnavailable(f"{shown}: only http and https addresses can be asked")
            response = self._once(method, current, sent, body)
            target = response.headers.get("location")
            if response.status not in _REDIRECTS or not target:
                return response
            if method != "GET":
                raise SourceUnavailable(f"{shown} answers a {method} with a redirect, which is not followed")
            following = httpx.URL(urljoin(str(current), target))
            if current.scheme == "https" and following.scheme == "http":
                raise SourceUnavailable(f"{shown} redirects from https to http, which is not followed")
            if _origin(str(current)) != _origin(str(following)):
                sent = {name: value for name, value in sent.items() if name.lower() in _KEPT_ACROSS_ORIGINS}
            current = following
        raise SourceUnavailable(f"{shown} redirects more than {self._settings.max_redirects} times")

    def _deadline(self) -> Deadline:
        found: Deadline = self._local.deadline
        return found

    def _once(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None) -> Response:
        request = self._client.build_request(method, url, headers=dict(headers), content=body)
        response = self._client.send(request, stream=True)
        try:
            content = self._read(response)
        finally:
            response.close()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Response(status=response.status_code, headers=found, body=content, url=str(url.copy_with(userinfo=b"")))

    def _read(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        shown = scrub_url(str(response.url))
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise SourceUnavailable(f"{shown} answers in an encoding nobody asked for ({encoding[:40]})")
        unzip = zlib.decompressobj(_GZIP_OR_ZLIB) if "gzip" in encoding else None
        parts: list[bytes] = []
        size = 0
        for raw in response.iter_raw(_RAW_CHUNK):
            left = raw
            if unzip and unzip.eof:
                if not _GZIP_START.startswith(left[:2]):
                    break  # whatever follows the end of the stream is not part of the answer, however long it is
                unzip = zlib.decompressobj(_GZIP_OR_ZLIB)
            while left:
                try:
                    part = unzip.decompress(left, _DECODED_CHUNK) if unzip else left
                except zlib.error:
                    raise SourceUnavailable(f"{shown} sent a broken gzip stream") from None
                left = unzip.unconsumed_tail if unzip else b""
                if unzip and unzip.eof and _GZIP_START.startswith(unzip.unused_data[:2]) and unzip.unused_data:
                    left, unzip = unzip.unused_data, zlib.decompressobj(_GZIP_OR_ZLIB)
                size += len(part)
                if size > self._settings.max_bytes:
                    raise SourceUnavailable(f"{shown} is larger than {self._settings.max_bytes:,} bytes")
                parts.append(part)
        if unzip and parts and not unzip.eof:
            raise SourceUnavailable(f"{shown} broke off in the middle of its answer")
        return b"".join(parts)

    def _judged(self, response: Response) -> Response:
        status, shown = response.status, scrub_url(response.url)
        if status in _OK or status == _NOT_MODIFIED:
            return response
        wait = retry_after(response.headers.get("retry-after"), self._now(), self._settings.max_retry_after)
        if status in {401, 403}:
            raise AccessDenied(f"{shown} refuses access ({status}); check the token or the permissions")
        if status == 429 or (status == 503 and wait is not None):  # noqa: PLR2004 - status codes are their own names
            wait = wait or reset_after(response.headers, self._now(), self._settings.max_retry_after)
            raise RateLimited(f"{shown} asks for patience ({status})", retry_after=wait)
        if status >= 500 or status in {408, 425}:  # noqa: PLR2004 - the same
            raise SourceUnavailable(f"{shown} is out of order ({status})")
        error = ResponseNotUnderstood(f"{shown} answers with status {status}; is the address right?", raw=response.body)
        error.status = status
        raise error


def user_agent(contact: str) -> str:
    """Who asks, in which version, and whom to write to."""
    try:
        release = version("luisterpost")
    except PackageNotFoundError:
        release = "0"
    return f"Luisterpost/{release}" + (f" (+{contact})" if contact else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    return [inner for inner in value if isinstance(inner, dict | list)] if isinstance(value, list) else []
