"""Bytes of a feed -> entries: RSS 0.9 to 2.0, RDF, Atom (feedparser) and JSON Feed. No network; bounded time.

As a program (`python -m connectors.feeds`) it reads a feed from standard input and writes the entries as JSON: that is
how a very large or deeply nested feed is parsed, in a process of its own that may be ended.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from connectors import jsonfeed
from connectors.feedentry import Entry, Feed
from connectors.parsing import as_json, shown
from monitor.errors import ResponseNotUnderstood

MAX_ENTRIES = 10_000
"""Entries read of one feed, in its order; the rest is counted."""

MAX_BYTES = 15 * 1024 * 1024
"""Of an unpacked feed; the HTTP client has the same limit."""

TAGS_AT_HOME = 100_000
"""A document with more tags than this is parsed in a process of its own (feedparser: 4 s for 200,000 nested tags)."""

CHILD_SECONDS = 30.0
CHILD_BYTES = 1 << 30

_START = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#([xX][0-9a-fA-F]{1,8}|[0-9]{1,10});")
_DECLARED = re.compile(rb"""(<\?xml[^>]{0,200}?encoding\s*=\s*["'])([\w.:-]{1,40})(["'])""")
_ALTERNATE = re.compile(
    rb"""<link[^>]{0,300}type=["']application/(?:rss|atom|feed)\+(?:xml|json)["'][^>]{0,300}>""", re.IGNORECASE
)
_HREF = re.compile(rb"""href=["']([^"'<>\s]{1,500})["']""", re.IGNORECASE)


def parse_feed(content: bytes, name: str, *, content_type: str = "") -> Feed:
    """What a feed holds. Not a feed, or one that takes too long: ResponseNotUnderstood with the raw answer."""
    content = unpacked(content, name)
    if jsonfeed.looks_like(content):
        return jsonfeed.parse(content, name)
    kept, left_out = _first_entries(content)
    kept, content_type = _as_it_is_encoded(_REFERENCE.sub(_character, kept), content_type)
    is_large = kept.count(b"<") > TAGS_AT_HOME
    feed = _parse_apart(kept, name, content_type) if is_large else _parse(kept, content_type)
    if feed is None:
        raise ResponseNotUnderstood(_not_a_feed(content, name), raw=content)
    feed.left_out = left_out
    feed.whole = feed.whole and not left_out
    return feed


def unpacked(content: bytes, name: str) -> bytes:
    """The content of a gzip file up to the size limit; anything else as it is."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise ResponseNotUnderstood(f"{name}: a gzip file that cannot be unpacked ({error})", raw=content) from None
    if not unpacker.eof:
        why = "is larger than 15 MB unpacked" if unpacker.unconsumed_tail else "was cut short"
        raise ResponseNotUnderstood(f"{name}: a gzip file that {why}", raw=content[:MAX_BYTES])
    return plain


def _first_entries(content: bytes) -> tuple[bytes, int]:
    """The document with at most MAX_ENTRIES entries, still closed as it was, and how many were left out."""
    starts = [match.start() for match in _START.finditer(content)]
    if len(starts) <= MAX_ENTRIES:
        return content, 0
    last = max((match.end() for match in _END.finditer(content)), default=len(content))
    return content[: starts[MAX_ENTRIES]] + content[max(last, starts[MAX_ENTRIES]) :], len(starts) - MAX_ENTRIES


def _as_it_is_encoded(content: bytes, content_type: str) -> tuple[bytes, str]:
    """Bytes that are valid UTF-8 beyond ASCII are UTF-8, whatever prolog and header say: they lie more often."""
    if content.isascii() or b"\x00" in content[:200]:
        return content, content_type
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content, content_type
    return _DECLARED.sub(rb"\g<1>utf-8\g<3>", content, count=1), ""


def _character(reference: re.Match[bytes]) -> bytes:
    """A reference to a character that cannot be stands for U+FFFD: feedparser would give up the whole feed."""
    digits = reference.group(1).decode()
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    good = code in {9, 10, 13} or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF  # noqa: PLR2004 - XML's own list
    return reference.group() if good else b"&#xFFFD;"


def _parse(content: bytes, content_type: str) -> Feed | None:
    import feedparser  # noqa: PLC0415 - slow to import, and only feeds need it

    headers = {"content-type": content_type} if content_type else {}
    try:
        parsed = feedparser.parse(content, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    except Exception:  # noqa: BLE001 - feedparser trips over some broken input in ways of its own: then it is no feed
        return None
    if not parsed.get("version") and not parsed.entries:
        return None
    is_atom = str(parsed.get("version")).startswith("atom")
    # feedparser opens a second, empty entry for an <item/> inside an item: that one says nothing at all
    told = [entry for entry in parsed.entries if entry.keys() - {"links"}]
    return Feed(
        version=parsed.get("version") or "",
        language=parsed.feed.get("language"),
        title=parsed.feed.get("title"),
        link=parsed.feed.get("link"),
        entries=[_entry(entry, is_atom=is_atom) for entry in told],
        silent=len(parsed.entries) - len(told),
        whole=bool(re.search(rb"</[^<>]{1,40}>\s*(?:<!--.*)?$", content[-2000:].rstrip(b"\x00"), re.DOTALL)),
    )


def _entry(entry: Mapping[str, Any], *, is_atom: bool) -> Entry:
    # feedparser's own get() answers "updated" with "published", with a warning: ask the plain dictionary
    told: dict[str, Any] = dict(entry.items())
    bodies = [part for part in [*(told.get("content") or []), told.get("summary_detail") or {}] if part.get("value")]
    body = bodies[0] if bodies else {"value": told.get("summary") or "", "type": "text/html"}
    title = told.get("title_detail") or {}
    who = told.get("author_detail") or {}
    reply_to = told.get("thr_in-reply-to") or {}
    kept = ("tags", "comments", "source", "enclosures", "media_content", "media_thumbnail", "image", "wfw_commentrss")
    return Entry(
        id=told.get("id"),
        link=told.get("feedburner_origlink") or told.get("link"),
        base=body.get("base") or title.get("base"),
        title=told.get("title"),
        title_is_html=not is_atom or "html" in str(title.get("type")),
        text=body["value"],
        text_is_html=not is_atom or "html" in str(body.get("type")) or "xml" in str(body.get("type")),
        published=told.get("published") or told.get("created") or told.get("updated"),
        updated=told.get("updated"),
        author=who.get("name") or told.get("author"),
        author_url=who.get("href"),
        language=body.get("language") or title.get("language"),
        replies=told.get("slash_comments") or told.get("thr_total"),
        parent=reply_to.get("ref"),
        extra={key: told[key] for key in kept if told.get(key)} | _enclosures(told),
    )


def _enclosures(told: Mapping[str, Any]) -> dict[str, Any]:
    found = [dict(link) for link in told.get("links") or [] if link.get("rel") == "enclosure"]
    return {"enclosures": found} if found else {}


def _parse_apart(content: bytes, name: str, content_type: str) -> Feed | None:
    try:
        done = subprocess.run(  # noqa: S603 - our own module, the feed goes in as standard input
            [sys.executable, "-m", "connectors.feeds", content_type],
            input=content,
            capture_output=True,
            timeout=CHILD_SECONDS,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired:
        raise ResponseNotUnderstood(f"{name}: reading this feed takes too long; it was given up", raw=content) from None
    if done.returncode != 0:
        raise ResponseNotUnderstood(f"{name}: reading this feed takes too much memory or failed", raw=content)
    told = json.loads(done.stdout)
    return None if told is None else Feed(**(told | {"entries": [Entry(**entry) for entry in told["entries"]]}))


def _not_a_feed(content: bytes, name: str) -> str:
    if not content.strip():
        return f"{name}: an empty answer, where a feed was expected"
    found = [href for link in _ALTERNATE.findall(content[:500_000]) for href in _HREF.findall(link)]
    if found:
        there = ", ".join(href.decode("utf-8", "replace") for href in found[:3])
        return f"{name} is a web page, not a feed. It names these feeds: {there}"
    if re.search(rb"<html|<!doctype html", content[:5000], re.IGNORECASE):
        return f"{name} is a web page (a login, a consent or a challenge page?), not a feed: {shown(content)}"
    return f"{name} is not a feed: {shown(content)}"


def _main() -> None:
    try:
        import resource  # noqa: PLC0415 - only where the system has it

        resource.setrlimit(resource.RLIMIT_AS, (CHILD_BYTES, CHILD_BYTES))
    except (ImportError, ValueError, OSError):
        pass  # no such limit on this system: the time limit of the parent still holds
    content_type = sys.argv[1] if len(sys.argv) > 1 else ""
    feed = _parse(sys.stdin.buffer.read(), content_type)
    sys.stdout.buffer.write(as_json(None if feed is None else asdict(feed)))


if __name__ == "__main__":
    _main()
