"""Discourse forums: the newest posts of a whole forum."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.fields import handle, handles, highest, id_of, lowest, moment, object_in, object_of, objects_in, words
from connectors.paging import Answer, newest_first
from connectors.parsing import (
    NotAMention,
    WebAddress,
    as_json,
    count_of,
    each,
    options_of,
    recorded_json,
    rows_of,
    text_or_none,
)
from connectors.streams import bounded_first_look
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Cursor, Engagement, Json, Mention, Page, Source
from monitor.protocols import Clock, Http
from monitor.text.html import to_text
from monitor.text.urls import absolute

LIKE = 2
"""The number of "like" in a post's `actions_summary`."""
SMALL_ACTION = 3
"""The `post_type` of a notice that the forum itself leaves in a topic."""
SAYING = {4, 5, 6, 7, 9}
"""The kinds of `user_actions` that are posts: new topic, reply, response, mention, quote."""
_ASIDE = re.compile(r"<aside\b([^>]*)>|</aside\s*>", re.IGNORECASE)
_LINK = re.compile(r'<a\b[^>]{0,500}?\bhref="(https?://[^"]{1,2000})"')
_PICTURE = re.compile(r'<img\b[^>]{0,500}?\bsrc="(https?://[^"]{1,2000})"')
_ONEBOX = re.compile(r'data-onebox-src="([^"]*)"')


class DiscourseConnector:
    """Reads /posts.json, newest first. The cursor keeps the highest post id; edits are seen on the newest page."""

    kind = "discourse"
    title = "A Discourse forum"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        base_url: WebAddress = Field(description="address of the forum")
        api_key: SecretStr | None = Field(default=None, description="API key, for a forum that is not public")
        api_username: str = Field(default="system", description="user whom the API key belongs to")
        own: list[str] = Field(default=[], description="names of our own accounts")
        max_pages: int = Field(default=50, ge=1, le=1000, description="most pages asked in one run")

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now
        self._own = handles(self.options.own)
        self._base = self.options.base_url.rstrip("/")
        self._site = urlsplit(self._base).netloc.rpartition("@")[2].lower()

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Posts since the mark; the first time the newest ones."""
        pages = self.options.max_pages
        numbers: dict[tuple[str, str], str] = {}

        def ask(token: str | None, mark: Json) -> Answer:
            return self._ask(token, mark, numbers)

        yield from newest_first(cursor, bounded_first_look(ask, pages), max_pages=pages)

    def read(self, content: bytes, name: str) -> Page:
        """What a recorded answer holds (newest posts, a topic, a search, a user's posts) or a single post."""
        told = recorded_json(content, name)
        posts = _posts_in(told, name)
        numbers: dict[tuple[str, str], str] = {}
        _learn(posts, numbers)
        mentions, skipped = each(posts, lambda post: self._mention(post, numbers), native_id=_id_at_hand)
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def _ask(self, token: str | None, mark: Json, numbers: dict[tuple[str, str], str]) -> Answer:
        headers = {}
        if self.options.api_key:
            headers = {"Api-Key": self.options.api_key.get_secret_value(), "Api-Username": self.options.api_username}
        params = {"before": token} if token else {}
        told, response = self.http.json(f"{self._base}/posts.json", params=params, headers=headers)
        posts = rows_of(told, "latest_posts", response.url)
        _learn(posts, numbers)
        mentions, skipped = each(posts, lambda post: self._mention(post, numbers), native_id=_id_at_hand)
        ids = [post.get("id") for post in objects_in(posts)]
        oldest = lowest(ids)
        is_met = oldest is None or int(oldest) <= 1 or (mark is not None and int(oldest) <= int(mark))
        return Answer(mentions=mentions, skipped=skipped, mark=highest([*ids, mark]), next=None if is_met else oldest)

    def _mention(self, told: Json, numbers: Mapping[tuple[str, str], str]) -> Mention:
        post = object_of(told, "a post")
        if "action_type" in post:
            return self._of_action(post)
        if "last_poster_username" in post or ("fancy_title" in post and "post_number" not in post):
            return self._of_topic(post)
        if post.get("post_type") == SMALL_ACTION:
            raise NotAMention("a notice of the forum", keep=False)
        topic, number = id_of(post, "topic_id"), id_of(post, "post_number")
        published, updated = moment(post.get("created_at"), self.now()), moment(post.get("updated_at"), self.now())
        is_edited = (count_of(post.get("version")) or 1) > 1 and updated and (published is None or updated > published)
        removed = moment(post.get("deleted_at"), self.now())
        if post.get("user_deleted") is True and removed is None:
            removed = updated or self.now()
        likes = [
            count_of(action.get("count"))
            for action in objects_in(post.get("actions_summary"))
            if action.get("id") == LIKE
        ]
        title = words(post.get("topic_title")) or words(post.get("title")) if number == "1" else None
        answered = text_or_none(post.get("reply_to_post_number"))
        return self._said(
            post,
            native_id=id_of(post),
            title=title,
            text=_said_in(post),
            place=words(post.get("post_url")) or f"/t/{words(post.get('topic_slug')) or 'topic'}/{topic}/{number}",
            topic=topic,
            published_at=published,
            edited_at=updated if is_edited else None,
            removed_at=removed,
            parent_id=numbers.get((topic, answered)) if answered else None,
            engagement=Engagement(
                likes=likes[0] if likes else count_of(post.get("like_count")),
                replies=count_of(post.get("reply_count")),
                views=count_of(post.get("reads")),
            ),
        )

    def _of_action(self, action: Mapping[str, Any]) -> Mention:
        if action.get("action_type") not in SAYING:
            raise NotAMention(f"an action that is no post: {action.get('action_type')!r}"[:80], keep=False)
        topic, number = id_of(action, "topic_id"), id_of(action, "post_number")
        return self._said(
            {**action, "user_id": action.get("acting_user_id"), "username": action.get("acting_username")}
            if action.get("acting_username")
            else action,
            native_id=id_of(action, "post_id"),
            title=words(action.get("title")) if number == "1" else None,
            text=to_text(str(action.get("excerpt") or "")).strip(),
            place=f"/t/{words(action.get('slug')) or 'topic'}/{topic}/{number}",
            topic=topic,
            published_at=moment(action.get("created_at"), self.now()),
            removed_at=self.now() if action.get("deleted") is True else None,
        )

    def _of_topic(self, topic: Mapping[str, Any]) -> Mention:
        """A topic in a list of topics: its title, and the beginning of its first post where that is told."""
        native_id = id_of(topic)
        title = words(topic.get("title"))
        if not title:
            raise ValueError("a topic without title")
        return self._said(
            object_in(topic, "opened_by"),
            native_id=f"topic:{native_id}",
            title=title,
            text=to_text(str(topic.get("excerpt") or "")).strip(),
            place=f"/t/{words(topic.get('slug')) or 'topic'}/{native_id}",
            topic=native_id,
            published_at=moment(topic.get("created_at"), self.now()),
            engagement=Engagement(
                likes=count_of(topic.get("like_count")),
                replies=count_of(topic.get("reply_count")),
                views=count_of(topic.get("views")),
            ),
        )

    def _said(self, by: Mapping[str, Any], *, place: str, topic: str, **told: Any) -> Mention:
        username = words(by.get("username"))
        edited: datetime | None = told.pop("edited_at", None)
        kept = ("category_id", "post_number", "reply_to_post_number", "version", "trust_level", "hidden")
        return Mention(
            source_id=self.source_id,
            origin=self._site,
            channel=self.source.channel,
            url=absolute(place, f"{self._base}/"),
            author=Author(
                native_id=text_or_none(by.get("user_id")) or username,
                name=words(by.get("name")),
                handle=username,
                url=absolute(f"/u/{quote(username, safe='')}", f"{self._base}/"),
            )
            if username
            else None,
            language=self.source.language,
            fetched_at=self.now(),
            edited_at=edited,
            thread_id=topic,
            is_own=handle(username) in self._own,
            raw={key: by[key] for key in kept if by.get(key) not in (None, False)},
            **told,
        )


def without_quotes(cooked: str) -> str:
    """The HTML without what others said: quotes go, a preview of a link becomes the link. Linear in its length."""
    parts: list[str] = []
    depth, start = 0, 0
    for match in _ASIDE.finditer(cooked):
        attributes = match.group(1)
        if attributes is None:
            if depth:
                depth -= 1
                start = match.end() if depth == 0 else start
        elif depth:
            depth += 1
        elif re.search(r"\b(?:quote|onebox)\b", attributes):
            parts.append(cooked[start : match.start()])
            link = _ONEBOX.search(attributes)
            parts.append(f"<p>{link.group(1)}</p>" if link else "")
            depth = 1
            start = match.end()
    # An aside that never ends hides nothing.
    parts.append(cooked[start:])
    return "".join(parts)


def _said_in(post: Mapping[str, Any]) -> str:
    cooked = post.get("cooked", post.get("blurb"))
    if not isinstance(cooked, str):
        raise TypeError(f"the post's text is no text but {type(cooked).__name__}")
    if "cooked" not in post:
        return unescape(to_text(cooked)).strip()
    text = to_text(without_quotes(cooked)).strip() or to_text(cooked).strip()
    # A post may be a video or a picture only: then the addresses are what was said.
    return text or "\n".join(dict.fromkeys(map(unescape, _LINK.findall(cooked) or _PICTURE.findall(cooked))))


def _learn(posts: list[Json], numbers: dict[tuple[str, str], str]) -> None:
    """Remember which post has which number in its topic, so that an answer can name its parent."""
    for post in objects_in(posts):
        topic, number, native_id = (text_or_none(post.get(key)) for key in ("topic_id", "post_number", "id"))
        if topic and number and native_id:
            numbers[topic, number] = native_id


def _posts_in(told: Json, name: str) -> list[Json]:
    """The posts of any answer of the forum, each with what the answer says about it elsewhere."""
    if not isinstance(told, dict):
        raise ResponseNotUnderstood(f"{name}: a forum answers with an object, this is none", raw=as_json(told))
    if isinstance(told.get("errors"), list):
        said = "; ".join(map(str, told["errors"]))[:200]
        raise ResponseNotUnderstood(f"{name}: the forum says: {said}", raw=as_json(told))
    posts: list[Json]
    if isinstance(told.get("post"), dict):
        return [told["post"]]
    if "post_stream" in told:
        outer = {"topic_title": told.get("title"), "topic_slug": told.get("slug")}
        posts = [
            {**outer, **post} if isinstance(post, dict) else post
            for post in rows_of(told["post_stream"], "posts", name)
        ]
    elif "topic_list" in told:
        users = {text_or_none(user.get("id")): user for user in objects_in(told.get("users"))}
        posts = [_opened(topic, users) for topic in rows_of(told["topic_list"], "topics", name)]
    elif "grouped_search_result" in told:
        topics = {text_or_none(topic.get("id")): topic for topic in objects_in(told.get("topics"))}
        posts = [_found(post, topics) for post in rows_of(told, "posts", name)]
    elif "latest_posts" not in told and told.keys() & {"cooked", "topic_id", "fancy_title", "post_number"}:
        posts = [told]
    else:
        posts = rows_of(told, "user_actions" if "user_actions" in told else "latest_posts", name)
    return posts


def _opened(topic: Json, users: Mapping[str | None, Mapping[str, Any]]) -> Json:
    if not isinstance(topic, dict):
        return topic
    first = next((one for one in objects_in(topic.get("posters")) if "Original" in str(one.get("description"))), {})
    user = users.get(text_or_none(first.get("user_id")), {})
    by = {"user_id": user.get("id"), "username": user.get("username"), "name": user.get("name")}
    return {"fancy_title": topic.get("title"), **topic, "opened_by": by}


def _found(post: Json, topics: Mapping[str | None, Mapping[str, Any]]) -> Json:
    topic = topics.get(text_or_none(post.get("topic_id")), {}) if isinstance(post, dict) else {}
    return {"topic_title": topic.get("title"), "topic_slug": topic.get("slug"), **post} if topic else post


def _id_at_hand(post: Mapping[str, Any]) -> str:
    return id_of(post, "post_id" if "action_type" in post else "id")
