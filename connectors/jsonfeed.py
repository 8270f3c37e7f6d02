"""JSON Feed 1 and 1.1 (jsonfeed.org): the document as entries."""

from __future__ import annotations

from typing import Any

from connectors.feedentry import Entry, Feed
from connectors.parsing import SHAPE_ERRORS, parse_json, rows_of, text_or_none
from monitor.model import Json


def looks_like(content: bytes) -> bool:
    """True for a JSON object; whether it is a feed is for `parse` to say."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def parse(content: bytes, name: str) -> Feed:
    """Entries in the document's order; what is no object is kept as unreadable. ResponseNotUnderstood otherwise."""
    if b"\x00" not in content:  # no UTF-16: a wrong byte costs a character, not the feed
        content = content.decode("utf-8", "replace").encode()
    told = parse_json(content, name)
    feed = Feed(
        version=str(told.get("version") or "json"),
        language=text_or_none(told.get("language")),
        title=text_or_none(told.get("title")),
        link=text_or_none(told.get("home_page_url")) or text_or_none(told.get("feed_url")),
    )
    for row in rows_of(told, "items", name):
        try:
            feed.entries.append(_entry(row))
        except SHAPE_ERRORS:
            feed.unreadable.append(row)
    return feed


def _entry(row: Json) -> Entry:
    author = row.get("author") or next(iter(row.get("authors") or []), None) or {}
    html, plain = _text(row.get("content_html")), _text(row.get("content_text"))
    extra: dict[str, Any] = {
        key: row[key] for key in ("tags", "attachments", "image", "banner_image", "external_url") if row.get(key)
    }
    return Entry(
        id=text_or_none(row.get("id")),
        link=_text(row.get("url")) or _text(row.get("external_url")),
        title=_text(row.get("title")),
        text=html or plain or _text(row.get("summary")) or "",
        text_is_html=bool(html),
        published=_text(row.get("date_published")) or _text(row.get("date_modified")),
        updated=_text(row.get("date_modified")),
        author=_text(author.get("name")),
        author_url=_text(author.get("url")),
        language=_text(row.get("language")),
        extra=extra,
    )


def _text(value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    message = f"a text was expected, not {value!r:.60}"
    raise TypeError(message)
