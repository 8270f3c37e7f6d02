"""Keeps requests outside: the address that is connected to is judged, after DNS, on every connection.

The network stream is wrapped as well, so that one deadline ends a server that drips; read time-outs alone never do.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> addresses. Raises OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
# Translators of one network, and the site-local range of old: the standard library calls all three global.
_INSIDE = tuple(ipaddress.ip_network(block) for block in ("64:ff9b:1::/48", "::ffff:0:0:0/96", "fec0::/10"))


class Refused(Exception):
    """The address lies inside. Not an OSError, so that nothing retries it."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether a literal address lies in the public internet, looked at through every way of wrapping IPv4 in IPv6."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    for _ in range(3):
        inner = _unwrapped(ip)
        if inner is None:
            break
        ip = inner
    if any(ip in block for block in _INSIDE):
        return False
    return ip.is_global and not (
        ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_unspecified
    )


def _unwrapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def checked_address(host: str, port: int, allow: Iterable[str], resolver: Resolve = resolve) -> str:
    """The address to connect to. Refused if any of the host's addresses is not public and host:port is not allowed."""
    bare = host.strip("[]").rstrip(".").lower()
    addresses = resolver(bare, port)
    if not addresses:
        raise OSError(f"{host} has no address")
    if f"{bare}:{port}" in allow:
        return addresses[0]
    for address in addresses:
        if not is_public(address):
            raise Refused(f"{bare}:{port} is an inside address; name it under net.allow in monitor.yaml to allow it")
    return addresses[0]


class Deadline:
    """How much of the total time is left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, timeout: float | None = None) -> float:
        """Seconds left, at most `timeout`. Raises httpcore.ReadTimeout when none are."""
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise httpcore.ReadTimeout("the total time is used up")
        return rest if timeout is None else min(rest, timeout)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: GuardedBackend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.deadline().left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.deadline().left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._backend.deadline().left(timeout))
        return _Stream(secured, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves, judges and connects in one place; `deadline` tells the one of the request under way in this thread."""

    def __init__(self, allow: Iterable[str], resolver: Resolve, deadline: Callable[[], Deadline]) -> None:
        self._allow = frozenset(entry.lower() for entry in allow)
        self._resolver = resolver
        self._inner = httpcore.SyncBackend()
        self.deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the address that was judged, and to no other."""
        try:
            address = checked_address(host, port, self._allow, self._resolver)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be found ({error})") from error
        stream = self._inner.connect_tcp(
            address, port, self.deadline().left(timeout), local_address, list(socket_options or ())
        )
        return _Stream(stream, self)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        del timeout, socket_options
        raise Refused(f"{path}: no requests to sockets of this machine")
