"""X, API v2: recent search, which reaches back a week only, and an account's mentions; both newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.demo.answers import Answer, Request, iso, json_answer, made_up_number, number
from monitor.demo.apis.x_query import matches
from monitor.demo.script import Said, Town, Version

OWN = "zonnekade"
SHORT = 280
"""A longer post comes cut short in `text` and whole in `note_tweet`."""
_EPOCH = 1288834974657

_MENTIONS = re.compile(r"/2/users/(\d+)/mentions")
_BY_NAME = re.compile(r"/2/users/by/username/(\w+)")
_ONE = re.compile(r"/2/tweets/(\d+)")
_PROBLEM = "https://api.twitter.com/2/problems/"


def user_id(handle: str) -> str:
    """The number of an account, made from its name."""
    return str(made_up_number("x", handle.lower(), digits=12))


def answer(town: Town, now: datetime, request: Request) -> Answer:
    """The endpoints of the source; 401 without a bearer token."""
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return json_answer(
            {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}, 401
        )
    posts = _posts(town, now)
    if request.path == "/2/tweets/search/recent":
        return _search(town, now, posts, request)
    if match := _MENTIONS.fullmatch(request.path):
        names = [
            handle for handle in {said.handle for said in town.script.by_source["x"]} if user_id(handle) == match[1]
        ]
        chosen = [post for post in posts if any(f"@{name.lower()}" in post.heard for name in names)]
        return _page(town, chosen, request, lowest=5)
    return _named(town, posts, request)


def _named(town: Town, posts: list[Post], request: Request) -> Answer:
    """An account by its name, posts by their ids."""
    if match := _BY_NAME.fullmatch(request.path):
        known = next((said for said in town.script.by_source["x"] if said.handle.lower() == match[1].lower()), None)
        return _missing("user", match[1]) if known is None else json_answer({"data": _user(known)})
    if request.path == "/2/tweets":
        return _lookup(town, posts, request.query.get("ids", "").split(","), many=True)
    if match := _ONE.fullmatch(request.path):
        return _lookup(town, posts, [match[1]], many=False)
    return _missing("endpoint", request.path, status=404)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A version with the ids that its edits gave it; `heard` is all that a keyword can match in it, lower case."""

    version: Version
    ids: tuple[str, ...]
    heard: str

    @property
    def id(self) -> str:
        """The id of the newest version."""
        return self.ids[-1]


def _posts(town: Town, now: datetime) -> list[Post]:
    found = [
        Post(version=version, ids=_ids(version, town), heard=_heard(version, town))
        for version in town.published("x", now)
    ]
    return sorted(found, key=lambda post: int(post.id), reverse=True)


def _ids(version: Version, town: Town) -> tuple[str, ...]:
    """The edit history: every edit is a new id, made from the first by the milliseconds in between."""
    said = version.said
    first = int(said.native_id)
    later = [
        str(first + (round((town.when(edit.at) - version.published_at).total_seconds() * 1000) << 22))
        for edit in said.edits[: version.number - 1]
    ]
    return (said.native_id, *later)


def _heard(version: Version, town: Town) -> str:
    """The text, the handles that a reply carries unseen, and what is quoted."""
    script = town.script
    parts = [version.text]
    above = version.said
    while above.parent:
        above = script.by_id[above.parent]
        parts += [f"@{above.handle}", *re.findall(r"@\w+", above.text)]
    if version.said.repost_of:
        parts.append(script.by_id[version.said.repost_of].text)
        parts.append(f"@{script.by_id[version.said.repost_of].handle}")
    return "\n".join(parts).lower()


def _search(town: Town, now: datetime, posts: list[Post], request: Request) -> Answer:
    query = request.query.get("query", "")
    oldest = now - town.x_reach
    if not query.strip() or len(query) > 512:  # noqa: PLR2004 - the length that the vendor documents
        return _invalid("query", query, "Invalid 'query': it must have 1 to 512 characters")
    since = request.query.get("since_id", "")
    if since.isdecimal() and _moment_ms(int(since)) < oldest.timestamp() * 1000 - _drift(town):
        return _invalid("since_id", since, "'since_id' must be a tweet id created after the last seven days")
    start = request.query.get("start_time")
    if start is not None and datetime.fromisoformat(start) < oldest:
        return _invalid(
            "start_time", start, f"Invalid 'start_time':'{start}'. 'start_time' must be on or after {iso(oldest)}"
        )
    chosen = [
        post
        for post in posts
        if not post.version.said.is_repost
        and (post.version.edited_at or post.version.published_at) >= oldest
        and matches(query, post.heard, author=post.version.said.handle, language=post.version.said.language)
    ]
    return _page(town, chosen, request, lowest=10)


def _moment_ms(post_id: int) -> float:
    return (post_id >> 22) + _EPOCH


def _drift(town: Town) -> float:
    """Ids tell the time of the fortnight as it was, whatever date the town is played on. Milliseconds."""
    return (town.opens_at - Town(script=town.script).opens_at).total_seconds() * 1000


def _page(town: Town, posts: list[Post], request: Request, *, lowest: int) -> Answer:
    query = request.query
    size = number(query.get("max_results"), 10, low=lowest, high=100)
    since, until = query.get("since_id", ""), query.get("until_id", "")
    start, end = query.get("start_time"), query.get("end_time")
    token = query.get("next_token") or query.get("pagination_token") or ""
    before = int(token[1:], 36) if re.fullmatch(r"b[0-9a-z]+", token) else None
    if token and before is None:
        return _invalid("next_token", token, "Invalid 'next_token'")
    chosen = [
        post
        for post in posts
        if (not since.isdecimal() or int(post.id) > int(since))
        and (not until.isdecimal() or int(post.id) < int(until))
        and (before is None or int(post.id) < before)
        and (start is None or post.version.published_at >= datetime.fromisoformat(start))
        and (end is None or post.version.published_at < datetime.fromisoformat(end))
    ]
    shown = chosen[:size]
    if not shown:
        return json_answer({"meta": {"result_count": 0}})
    meta: dict[str, Any] = {"newest_id": shown[0].id, "oldest_id": shown[-1].id, "result_count": len(shown)}
    if len(chosen) > size:
        meta["next_token"] = "b" + _base36(int(shown[-1].id))
    return json_answer({"data": [_post(post, town) for post in shown], "includes": _includes(shown), "meta": meta})


def _lookup(town: Town, posts: list[Post], wanted: list[str], *, many: bool) -> Answer:
    """Posts by id, any id of an edit history; what is deleted comes back as an error beside the data."""
    by_id = {name: post for post in posts for name in post.ids}
    found = list({by_id[name].id: by_id[name] for name in wanted if name in by_id}.values())
    errors = [_problem("tweet", name) for name in wanted if name and name not in by_id]
    told: dict[str, Any] = {}
    if found:
        told["data"] = [_post(post, town) for post in found] if many else _post(found[0], town)
        told["includes"] = _includes(found)
    return json_answer(told | ({"errors": errors} if errors else {}))


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, rest = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


def _problem(kind: str, value: str) -> dict[str, str]:
    return {
        "value": value,
        "resource_id": value,
        "resource_type": kind,
        "title": "Not Found Error",
        "detail": f"Could not find {kind} with id: [{value}].",
        "type": _PROBLEM + "resource-not-found",
    }


def _missing(kind: str, value: str, status: int = 200) -> Answer:
    return json_answer({"errors": [_problem(kind, value)]}, status)


def _invalid(name: str, value: str, said: str) -> Answer:
    return json_answer(
        {
            "errors": [{"parameters": {name: [value]}, "message": said}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": _PROBLEM + "invalid-request",
        },
        400,
    )


def _user(said: Said) -> dict[str, Any]:
    return {
        "id": user_id(said.handle),
        "username": said.handle,
        "name": said.name,
        "verified": False,
        "public_metrics": {
            "followers_count": said.followers or 0,
            "following_count": 1,
            "tweet_count": 50,
            "listed_count": 0,
        },
    }


def _includes(posts: list[Post]) -> dict[str, Any]:
    return {"users": list({post.version.said.handle: _user(post.version.said) for post in posts}.values())}


def _post(post: Post, town: Town) -> dict[str, Any]:
    version, script = post.version, town.script
    said = version.said
    referenced = []
    text = version.text
    if said.parent:
        referenced.append({"type": "replied_to", "id": script.by_id[said.parent].native_id})
    if said.repost_of:
        other = script.by_id[said.repost_of]
        referenced.append({"type": "quoted" if said.is_quote else "retweeted", "id": other.native_id})
        if said.is_repost:
            text = f"RT @{other.handle}: {text}"
    is_long = len(text) > SHORT
    found: dict[str, Any] = {
        "id": post.id,
        "text": text[: SHORT - 1] + "…" if is_long else text,
        "author_id": user_id(said.handle),
        "conversation_id": script.root(said).native_id,
        "created_at": iso(version.edited_at or version.published_at),
        "lang": said.language,
        "edit_history_tweet_ids": list(post.ids),
        "edit_controls": {"edits_remaining": 6 - version.number, "is_edit_eligible": True},
        "public_metrics": {
            "retweet_count": version.shares or 0,
            "reply_count": said.replies or 0,
            "like_count": said.likes or 0,
            "quote_count": 0,
            "bookmark_count": 0,
            "impression_count": 0,
        },
        "entities": {
            "mentions": [
                {"start": match.start(), "end": match.end(), "username": match[1], "id": user_id(match[1])}
                for match in re.finditer(r"@(\w+)", text)
            ]
        },
        "possibly_sensitive": False,
        "reply_settings": "everyone",
    }
    if is_long:
        found["note_tweet"] = {"text": text}
    if referenced:
        found["referenced_tweets"] = referenced
    if said.parent:
        found["in_reply_to_user_id"] = user_id(script.by_id[said.parent].handle)
    return found
