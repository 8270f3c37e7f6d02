"""The fediverse, seen from one instance. Boosts show as a count only: a tag's timeline holds no reblogs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from monitor.demo.answers import Answer, Request, as_html, iso, json_answer, made_up_number, number
from monitor.demo.script import Said, Town, Version

TAG = "zonnekade"
"""Every post of the script carries this tag: whoever wrote it typed it or the instance's relay added it."""
LIMIT = 300
WINDOW = timedelta(minutes=5)

_TIMELINE = re.compile(r"/api/v1/timelines/tag/([^/]+)")
_STATUS = re.compile(r"/api/v1/statuses/(\d+)")
_CONTEXT = re.compile(r"/api/v1/statuses/(\d+)/context")


def answer(town: Town, now: datetime, request: Request) -> Answer:
    """The endpoints of the source."""
    statuses = [
        _status(version, town, now) for version in town.published("fediverse", now) if not version.said.is_repost
    ]
    if match := _TIMELINE.fullmatch(request.path):
        wanted = {match.group(1).lower(), *(part.lower() for part in request.query.get("any[]", "").split(",") if part)}
        chosen = [status for status in statuses if wanted & {tag["name"] for tag in status["tags"]}]
        return _page(chosen, request, default=20)
    if request.path == "/api/v1/timelines/public":
        return _page(statuses, request, default=20)
    if match := _STATUS.fullmatch(request.path):
        found = next((status for status in statuses if status["id"] == match.group(1)), None)
        return _gone() if found is None else json_answer(found)
    if match := _CONTEXT.fullmatch(request.path):
        return _context(statuses, match.group(1))
    if request.path == "/api/v2/search":
        return _search(statuses, request)
    return _gone()


def uri_of(said: Said) -> str:
    """The address that names a status everywhere in the fediverse."""
    name, host = said.handle.split("@", 1)
    return f"https://{host}/users/{name}/statuses/{said.native_id}"


def _gone() -> Answer:
    return json_answer({"error": "Record not found"}, 404)


def _page(statuses: list[dict[str, Any]], request: Request, *, default: int) -> Answer:
    """Newest first. `min_id`: what comes right after it; `since_id`: the newest above it; `max_id`: what is older."""
    size = number(request.query.get("limit"), default, low=1, high=40)
    low, since, high = (request.query.get(name, "") for name in ("min_id", "since_id", "max_id"))
    chosen = [
        status
        for status in statuses
        if (not high.isdecimal() or int(status["id"]) < int(high))
        and (not low.isdecimal() or int(status["id"]) > int(low))
        and (not since.isdecimal() or int(status["id"]) > int(since))
    ]
    shown = chosen[:size] if low.isdecimal() else chosen[-size:]
    shown.reverse()
    headers = {}
    if shown:
        address = f"{request.base}{request.path}"
        older = urlencode({"limit": size, "max_id": shown[-1]["id"]})
        newer = urlencode({"limit": size, "min_id": shown[0]["id"]})
        headers["Link"] = f'<{address}?{older}>; rel="next", <{address}?{newer}>; rel="prev"'
    return json_answer(shown, headers=headers)


def _context(statuses: list[dict[str, Any]], wanted: str) -> Answer:
    by_id = {status["id"]: status for status in statuses}
    if wanted not in by_id:
        return _gone()
    ancestors: list[dict[str, Any]] = []
    above = by_id[wanted]["in_reply_to_id"]
    while above in by_id:
        ancestors.insert(0, by_id[above])
        above = by_id[above]["in_reply_to_id"]
    below = {wanted}
    descendants = []
    for status in statuses:
        if status["in_reply_to_id"] in below:
            below.add(status["id"])
            descendants.append(status)
    return json_answer({"ancestors": ancestors, "descendants": descendants})


def _search(statuses: list[dict[str, Any]], request: Request) -> Answer:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return json_answer({"error": "This method requires an authenticated user"}, 401)
    word = request.query.get("q", "").lower()
    size = number(request.query.get("limit"), 20, low=1, high=40)
    start = number(request.query.get("offset"), 0, low=0, high=10_000)
    found = [status for status in reversed(statuses) if word and word in status["content"].lower()]
    return json_answer({"accounts": [], "statuses": found[start : start + size], "hashtags": []})


def _account(said: Said) -> dict[str, Any]:
    name, host = said.handle.split("@", 1)
    return {
        "id": str(made_up_number("fediverse", said.handle, digits=18)),
        "username": name,
        "acct": said.handle,
        "display_name": said.name,
        "locked": False,
        "bot": False,
        "url": f"https://{host}/@{name}",
        "followers_count": said.followers or 0,
        "following_count": 1,
        "statuses_count": 40,
    }


def _status(version: Version, town: Town, now: datetime) -> dict[str, Any]:
    said = version.said
    name, host = said.handle.split("@", 1)
    parent = town.script.by_id[said.parent] if said.parent else None
    quoted = town.script.by_id[said.repost_of] if said.repost_of else None
    quote = town.version(quoted, now) if quoted else None
    tags = {TAG, *(word.lower() for word in re.findall(r"#(\w+)", version.text))}
    return {
        "id": said.native_id,
        "uri": uri_of(said),
        "url": f"https://{host}/@{name}/{said.native_id}",
        "created_at": iso(version.published_at),
        "edited_at": iso(version.edited_at) if version.edited_at else None,
        "in_reply_to_id": parent.native_id if parent else None,
        "in_reply_to_account_id": _account(parent)["id"] if parent else None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": said.language,
        "content": as_html(version.text),
        "account": _account(said),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": tag, "url": f"https://{host}/tags/{tag}"} for tag in sorted(tags)],
        "emojis": [],
        "replies_count": said.replies or 0,
        "reblogs_count": version.shares or 0,
        "favourites_count": said.likes or 0,
        "reblog": None,
        "quote": {"state": "accepted", "quoted_status": _status(quote, town, now)} if quote else None,
        "card": None,
        "poll": None,
    }
