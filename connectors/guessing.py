"""Which connector reads a file or an answer, by what it looks like."""

from __future__ import annotations

import re
from pathlib import PurePath

from connectors.documents import is_document
from connectors.mail import looks_like_mail
from connectors.parsing import parse_json, shown, unwrap
from connectors.transcripts import is_json_transcript
from monitor.errors import ResponseNotUnderstood
from monitor.model import Json

_FEED = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_ASKED = (
    ("x", re.compile(r"//api\.(?:twitter|x)\.com/2/")),
    ("trustpilot", re.compile(r"//api\.trustpilot\.com/")),
    ("hackernews", re.compile(r"//hn\.algolia\.com/|//hacker-news\.firebaseio\.com/")),
    ("mastodon", re.compile(r"/api/v[12]/(?:statuses|timelines|notifications|search|accounts)\b")),
)
_STATUS = {"account", "content", "uri", "visibility"}
_POST = {"cooked", "topic_id"}
_NOTIFICATION = {"type", "account", "created_at", "id"}


def guess(content: bytes, name: str) -> str:
    """A name in CONNECTORS. ResponseNotUnderstood, saying what to do, where nothing fits."""
    recorded = unwrap(content, name)
    if recorded.url:
        asked = next((kind for kind, address in _ASKED if address.search(recorded.url)), None)
        if asked:
            return asked
    body = recorded.body
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body.startswith(b"\x1f\x8b") or (start.startswith(b"<") and _FEED.search(start[:4000])):
        return "rss"
    if looks_like_mail(body):
        return "files"
    if start.startswith((b"{", b"[")):
        found = _guess_json(body, name)
        if found:
            return found
    elif is_document(body, name):
        return "files"
    by_name = next((part for part in PurePath(name).parts[:-1] if part in {kind for kind, _address in _ASKED}), None)
    if by_name:
        return by_name
    raise ResponseNotUnderstood(
        f"{name}: no connector knows this kind of file; name one with --as, for instance --as files. "
        f"It begins: {shown(body)}",
        raw=body,
    )


def _guess_json(body: bytes, name: str) -> str | None:
    try:
        told = parse_json(body, name)
    except ResponseNotUnderstood:
        return "files" if is_document(body, name) else None
    if isinstance(told, dict):
        found = _guess_object(told)
    else:
        first = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
        found = _guess_row(first)
    return found or ("files" if is_json_transcript(told) or is_document(body, name) else None)


def _guess_object(told: dict[str, Json]) -> str | None:
    keys = told.keys()
    rows = told.get("data")
    shapes = {
        "rss": isinstance(told.get("items"), list)
        and ("jsonfeed.org" in str(told.get("version")) or _is_feed_entry(told["items"][:1])),
        "mastodon": keys >= {"statuses", "accounts"} or keys >= {"ancestors", "descendants"} or keys >= _NOTIFICATION,
        "discourse": bool(
            keys & {"latest_posts", "post_stream", "topic_list", "grouped_search_result", "user_actions"}
        ),
        "trustpilot": _holds(told.get("reviews"), {"stars"}) or keys >= {"stars", "consumer"},
        "hackernews": _holds(told.get("hits"), {"objectID"}) or keys >= {"objectID", "_tags"},
        "x": isinstance(told.get("meta"), dict)
        and (rows is None or _holds(rows, {"id", "text"}))
        and "result_count" in told["meta"],
    }
    return next((kind for kind, fits in shapes.items() if fits), None) or _guess_row(told)


def _guess_row(row: dict[str, Json]) -> str | None:
    keys = row.keys()
    shapes = {
        "mastodon": keys >= _STATUS or (keys >= _NOTIFICATION and isinstance(row.get("account"), dict)),
        "discourse": keys >= _POST,
        "trustpilot": keys >= {"stars", "consumer"},
        "hackernews": keys >= {"objectID", "_tags"},
        "x": keys >= {"id", "text", "edit_history_tweet_ids"} or keys >= {"id", "text", "author_id", "conversation_id"},
    }
    return next((kind for kind, fits in shapes.items() if fits), None)


def _is_feed_entry(rows: list[Json]) -> bool:
    return any(
        isinstance(row, dict) and row.keys() & {"content_html", "content_text", "date_published"} for row in rows
    )


def _holds(rows: Json, keys: set[str]) -> bool:
    return isinstance(rows, list) and (not rows or (isinstance(rows[0], dict) and rows[0].keys() >= keys))
