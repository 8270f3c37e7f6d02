"""X: what one answer holds, as mentions. Reads the older field names (tweet) and the newer ones (post)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.fields import handle, id_of, moment, object_in, object_of, objects_in, text_of, words
from connectors.parsing import NotAMention, as_json, count_of, each, rows_of, text_or_none
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Engagement, Json, Mention, Skipped, Source
from monitor.protocols import Clock

KEPT = ("id", "attachments", "geo", "edit_controls", "entities", "reply_settings", "possibly_sensitive", "withheld")
_OLD_REPOST = re.compile(r"RT @\w{1,15}: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """Reads answers for one source. `own` are handles in small letters, `own_ids` ids of accounts."""

    source: Source
    now: Clock
    own: frozenset[str]
    own_ids: frozenset[str]

    def read(self, told: Json, name: str) -> tuple[tuple[Mention, ...], tuple[Skipped, ...]]:
        """Mentions and skipped ones of any answer that gives posts or direct messages, or of one post."""
        rows, includes = _rows_in(told, name)
        users = {text_or_none(user.get("id")): user for user in objects_in(includes.get("users"))}
        media = {text_or_none(one.get("media_key")): one for one in objects_in(includes.get("media"))}
        originals = _reposted(rows, includes)
        return each(
            [*rows, *originals],
            lambda row: self._mention(row, users, media),
            # What is kept must be readable alone: its author stands elsewhere in the answer.
            raw=lambda row: as_json(_alone(row, users)),
            native_id=id_of,
        )

    def _mention(self, told: Json, users: Mapping[Any, Any], media: Mapping[Any, Any]) -> Mention:
        row = object_of(told, "a post")
        if "event_type" in row:
            return self._message(row, users)
        referenced = {words(one.get("type")): id_of(one) for one in _references(row)}
        text = _text(row)
        if "retweeted" in referenced or "reposted" in referenced or (_is_bare(row) and _OLD_REPOST.match(text)):
            raise NotAMention("repost", keep=False)
        now = self.now()
        newest = id_of(row)
        history = row.get("edit_history_tweet_ids") or row.get("edit_history_post_ids") or [newest]
        if not isinstance(history, list):
            raise TypeError("the edit history is no list")
        first = text_or_none(history[0])
        if first is None:
            raise ValueError("the edit history names no id")
        created = moment(row.get("created_at"), now)
        is_edited = len(history) > 1
        user = users.get(text_or_none(row.get("author_id"))) or object_in(row, "author")
        author = _author(user, text_or_none(row.get("author_id")))
        metrics = object_in(row, "public_metrics")
        reposts, quotes = (
            count_of(metrics.get("retweet_count", metrics.get("repost_count"))),
            count_of(metrics.get("quote_count")),
        )
        quoted = referenced.get("quoted")
        keys = object_in(row, "attachments").get("media_keys")
        raw = {key: row[key] for key in KEPT if row.get(key)} | ({"quoted": quoted} if quoted else {})
        if isinstance(keys, list) and keys:
            raw["media"] = [media[key] for key in keys if isinstance(key, str) and key in media]
        return Mention(
            source_id=self.source.id,
            origin="x",
            native_id=first,
            channel=self.source.channel,
            url=f"https://x.com/{author.handle if author and author.handle else 'i'}/status/{newest}",
            text=text,
            author=author,
            language=_language(row.get("lang")) or self.source.language,
            published_at=created - _since(first, newest) if created and is_edited else created,
            edited_at=created if is_edited else None,
            fetched_at=now,
            parent_id=referenced.get("replied_to"),
            thread_id=text_or_none(row.get("conversation_id")),
            engagement=Engagement(
                likes=count_of(metrics.get("like_count")),
                replies=count_of(metrics.get("reply_count")),
                shares=None if reposts is None and quotes is None else (reposts or 0) + (quotes or 0),
                views=count_of(metrics.get("impression_count")),
            ),
            is_own=self._is_own(author),
            raw=raw,
        )

    def _message(self, row: Mapping[str, Any], users: Mapping[Any, Any]) -> Mention:
        """A direct message: private, in the conversation that it names."""
        if row.get("event_type") != "MessageCreate":
            raise NotAMention(f"an event that is no message: {row.get('event_type')!r}"[:80], keep=False)
        sender = text_or_none(row.get("sender_id"))
        author = _author(users.get(sender) or {}, sender)
        return Mention(
            source_id=self.source.id,
            origin="x",
            native_id=id_of(row),
            channel=self.source.channel,
            text=_unescaped(text_of(row, "text")),
            author=author,
            language=self.source.language,
            published_at=moment(row.get("created_at"), self.now()),
            fetched_at=self.now(),
            thread_id=text_or_none(row.get("dm_conversation_id")),
            is_private=True,
            is_own=self._is_own(author),
            raw={key: row[key] for key in ("attachments", "event_type") if row.get(key)},
        )

    def _is_own(self, author: Author | None) -> bool:
        return author is not None and (handle(author.handle) in self.own or author.native_id in self.own_ids)


def _rows_in(told: Json, name: str) -> tuple[list[Json], Mapping[str, Any]]:
    """The posts of an answer, and what it includes. An answer without posts must say that there are none."""
    if isinstance(told, list):
        return told, {}
    if not isinstance(told, dict):
        raise ResponseNotUnderstood(f"{name}: X answers with an object, this is none", raw=as_json(told))
    includes = object_in(told, "includes")
    rows = told.get("data")
    if isinstance(rows, list):
        return rows, includes
    if isinstance(rows, dict):
        return [rows], includes
    if rows is None and object_in(told, "meta").get("result_count") == 0:
        return [], includes
    if rows is None and "text" in told:
        return [told], includes
    problems = [words(one.get("detail")) or words(one.get("message")) for one in objects_in(told.get("errors"))]
    said = "; ".join(filter(None, [words(told.get("detail")), *problems]))
    if said:
        raise ResponseNotUnderstood(f"{name}: X says: {said[:300]}", raw=as_json(told))
    return rows_of(told, "data", name), includes


def _references(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return objects_in(row.get("referenced_tweets") or row.get("referenced_posts"))


def _reposted(rows: list[Json], includes: Mapping[str, Any]) -> Iterator[Json]:
    """The originals of the reposts among the rows, where the answer carries them and does not list them anyway."""
    listed = {text_or_none(row.get("id")) for row in objects_in(rows)}
    carried = {text_or_none(one.get("id")): one for one in objects_in(includes.get("tweets") or includes.get("posts"))}
    for row in objects_in(rows):
        for one in _references(row):
            native_id = text_or_none(one.get("id"))
            if words(one.get("type")) in {"retweeted", "reposted"} and native_id in carried and native_id not in listed:
                listed.add(native_id)
                yield carried[native_id]


def _alone(row: Json, users: Mapping[Any, Any]) -> Json:
    user = users.get(text_or_none(row.get("author_id"))) if isinstance(row, dict) else None
    return {**row, "author": user} if user else row


def _is_bare(row: Mapping[str, Any]) -> bool:
    """True if the answer was asked without the fields that tell a repost from a post that begins like one."""
    return not row.keys() & {"author_id", "created_at", "referenced_tweets", "referenced_posts", "conversation_id"}


def _text(row: Mapping[str, Any]) -> str:
    """The whole text: a long post is cut short in `text`. X escapes <, > and &."""
    note = object_in(row, "note_tweet") or object_in(row, "note_post")
    found = note if words(note.get("text")) else row
    return _unescaped(text_of(found, "text"))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _author(user: Mapping[str, Any], native_id: str | None) -> Author | None:
    username = words(user.get("username"))
    if native_id is None and username is None:
        return None
    verified = user.get("verified")
    return Author(
        native_id=native_id or text_or_none(user.get("id")),
        name=words(user.get("name")),
        handle=username,
        url=f"https://x.com/{username}" if username and re.fullmatch(r"\w+", username) else None,
        followers=count_of(object_in(user, "public_metrics").get("followers_count")),
        verified=verified if isinstance(verified, bool) else None,
    )


def _since(first: str, newest: str) -> timedelta:
    """Time between two ids: their upper bits count milliseconds."""
    if not (first.isdecimal() and newest.isdecimal()):
        return timedelta(0)
    return timedelta(milliseconds=min(max((int(newest) >> 22) - (int(first) >> 22), 0), 86_400_000))


def _language(told: Json) -> str | None:
    """X says "und", "qme", "zxx" and the like where it does not know."""
    found = words(told)
    return None if found is None or found in {"und", "zxx"} or found.startswith("q") else found
