"""Groene Vingers: a Discourse forum. Post ids rise with time; lists run newest first."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from monitor.demo.answers import Answer, Request, as_html, iso, json_answer, made_up_number
from monitor.demo.script import Said, Town, Version

PAGE = 20
"""Posts in one answer of /posts.json."""

_TOPIC = re.compile(r"/t/(?:[^/]+/)?(\d+)(?:/\d+)?(?:\.json)?")
_TOPIC_POSTS = re.compile(r"/t/(\d+)/posts(?:\.json)?")
_POST = re.compile(r"/posts/(\d+)(?:\.json)?")


def answer(town: Town, now: datetime, request: Request) -> Answer:
    """The endpoints of the source, and 404 as the software says it."""
    posts = _posts(town, now)
    path = request.path
    if path in {"/posts.json", "/posts"}:
        return _newest(posts, request)
    if path in {"/latest.json", "/latest"}:
        return _latest(posts, request)
    if path in {"/search.json", "/search"}:
        return _search(posts, request)
    found: Any = None
    if match := _TOPIC_POSTS.fullmatch(path):
        found = _stream(_of_topic(posts, match.group(1)), only=request.query.get("post_ids[]"))
    elif match := _TOPIC.fullmatch(path):
        found = _topic(_of_topic(posts, match.group(1)))
    elif match := _POST.fullmatch(path):
        found = next((post for post in posts if str(post["id"]) == match.group(1)), None)
    if found is None:
        said = "The requested URL or resource could not be found."
        return json_answer({"errors": [said], "error_type": "not_found"}, 404)
    return json_answer(found)


def topic_id(root: Said) -> int:
    """The number of a conversation, made from its first post's."""
    return int(root.native_id) - 90_000


def _posts(town: Town, now: datetime) -> list[dict[str, Any]]:
    """All posts, oldest first. Numbers within a topic count what was ever said in it, so they stay."""
    script = town.script
    numbers: dict[str, int] = {}
    counts: dict[str, int] = {}
    for said in script.by_source["groenevingers"]:
        root = script.root(said).id
        counts[root] = counts.get(root, 0) + 1
        numbers[said.id] = counts[root]
    return [_post(version, town, numbers) for version in town.published("groenevingers", now)]


def _post(version: Version, town: Town, numbers: dict[str, int]) -> dict[str, Any]:
    said = version.said
    root = town.script.root(said)
    title = root.topic_title or said.topic_title or "Zonder titel"
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "topic"
    place = numbers[said.id]
    answered = numbers[said.parent] if said.parent else None
    return {
        "id": int(said.native_id),
        "username": said.handle,
        "name": said.name,
        "created_at": iso(version.published_at),
        "cooked": as_html(version.text),
        "raw": version.text,
        "post_number": place,
        "post_type": 1,
        "updated_at": iso(version.edited_at or version.published_at),
        "reply_count": said.replies or 0,
        "reply_to_post_number": None if answered in {None, 1} else answered,
        "reads": 5 * place,
        "score": 1.2,
        "topic_id": topic_id(root),
        "topic_slug": slug,
        "topic_title": title,
        "category_id": 4,
        "version": version.number,
        "actions_summary": [{"id": 2, "count": said.likes}] if said.likes else [],
        "user_id": made_up_number("forum", said.handle, digits=6),
        "trust_level": 1,
        "deleted_at": None,
        "hidden": False,
        "post_url": f"/t/{slug}/{topic_id(root)}/{place}",
    }


def _newest(posts: list[dict[str, Any]], request: Request) -> Answer:
    before = request.query.get("before", "")
    shown = [post for post in reversed(posts) if not before.isdecimal() or post["id"] < int(before)]
    return json_answer({"latest_posts": shown[:PAGE]})


def _latest(posts: list[dict[str, Any]], request: Request) -> Answer:
    topics: dict[int, dict[str, Any]] = {}
    for post in posts:
        known = topics.setdefault(post["topic_id"], _topic_facts(post))
        known |= {
            "highest_post_number": post["post_number"],
            "posts_count": known["posts_count"] + 1,
            "last_posted_at": post["created_at"],
            "bumped_at": post["created_at"],
        }
    order = "created_at" if request.query.get("order") == "created" else "bumped_at"
    listed = sorted(topics.values(), key=lambda topic: str(topic[order]), reverse=True)
    page = int(request.query.get("page", "0") or 0)
    shown = listed[page * 30 : (page + 1) * 30]
    return json_answer({"users": [], "topic_list": {"per_page": 30, "topics": shown}})


def _topic_facts(post: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": post["topic_id"],
        "title": post["topic_title"],
        "slug": post["topic_slug"],
        "posts_count": 0,
        "created_at": post["created_at"],
        "category_id": post["category_id"],
    }


def _search(posts: list[dict[str, Any]], request: Request) -> Answer:
    """Words of the question that are no filter must all stand in the post."""
    words = [word.strip('"').lower() for word in request.query.get("q", "").split() if ":" not in word]
    found = [post for post in reversed(posts) if all(word in post["raw"].lower() for word in words)]
    shown = [
        {
            **{key: post[key] for key in ("id", "username", "created_at", "post_number", "topic_id")},
            "blurb": post["raw"],
        }
        for post in found[:50]
    ]
    return json_answer(
        {
            "posts": shown,
            "topics": [],
            "grouped_search_result": {
                "more_full_page_results": None,
                "post_ids": [post["id"] for post in shown],
                "error": None,
            },
        }
    )


def _of_topic(posts: list[dict[str, Any]], told: str) -> list[dict[str, Any]]:
    return [post for post in posts if str(post["topic_id"]) == told]


def _stream(posts: list[dict[str, Any]], only: str | None = None) -> dict[str, Any] | None:
    shown = [post for post in posts if only is None or str(post["id"]) == only]
    return {"post_stream": {"posts": shown, "stream": [post["id"] for post in posts]}} if posts else None


def _topic(posts: list[dict[str, Any]]) -> dict[str, Any] | None:
    stream = _stream(posts)
    if stream is None:
        return None
    first = posts[0]
    return {**stream, **_topic_facts(first), "posts_count": len(posts), "highest_post_number": posts[-1]["post_number"]}
