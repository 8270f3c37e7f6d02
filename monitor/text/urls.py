"""Addresses: absolute and http(s), or nothing."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

_SCHEMES = frozenset({"http", "https"})
_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(r"^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid|yclid|_hsenc|_hsmi|ref_src)$")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST = 2_000


def absolute(url: str | None, base: str | None = None) -> str | None:
    """`url`, joined to `base` where that is known. None for other schemes, for no host, and for what is no address."""
    if not url:
        return None
    found = _UNSEEN.sub("", url).strip().replace(" ", "%20")
    if "\\" in found.split("?", 1)[0]:
        return None
    try:
        if base:
            found = urljoin(base, found)
        parts = urlsplit(found)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or not host or len(found) > _LONGEST:
        return None
    return found


def canonical(url: str) -> str:
    """The same place under one name: small scheme and host, no default port, fragment or tracking parameters."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    scheme, name = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    if ":" in name:
        name = f"[{name}]"
    if port and port != _PORTS.get(scheme):
        name = f"{name}:{port}"
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        kept = [pair for pair in pairs if not _TRACKING.match(pair[0])]
        if len(kept) != len(pairs):
            query = urlencode(kept, errors="replace")
    return urlunsplit((scheme, name, parts.path or "/", query, ""))


def host(url: str | None) -> str | None:
    """The host in small letters without "www."."""
    try:
        name = urlsplit(url or "").hostname
    except ValueError:
        return None
    return name.removeprefix("www.") if name else None
