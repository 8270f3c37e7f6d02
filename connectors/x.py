"""X (Twitter), API v2 through tweepy: recent search, and the posts that mention an account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import tweepy
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.fields import handles, highest, objects_in
from connectors.paging import Answer, newest_first
from connectors.parsing import WebAddress, options_of, parse_json, recorded_json, shown
from connectors.streams import Walk, one_after_another
from connectors.x_posts import Posts
from monitor.errors import AccessDenied, RateLimited, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Cursor, Json, Page, Source
from monitor.net.client import HttpClient
from monitor.net.polite import reset_after, retry_after
from monitor.net.requests_adapter import GuardedAdapter
from monitor.protocols import Clock, Http

# tweepy writes request headers, and with them the token, to its log at this level.
logging.getLogger("tweepy.client").setLevel(logging.INFO)

PER_PAGE = 100
REACH = timedelta(days=6, hours=23)
"""Recent search looks back seven days; an hour is left for clocks that differ."""
LATE_MS = 600_000
"""A post may be indexed late: so far behind the mark is read again. X charges a post once a day, however often read."""
_GONE = ("resource-not-found", "not-authorized-for-resource")
LONGEST_WAIT = 3600.0
"""Windows are 15 minutes long; a longer wait is a fault of a clock."""
ASKED: dict[str, Any] = {
    "tweet_fields": [
        "created_at",
        "author_id",
        "conversation_id",
        "lang",
        "public_metrics",
        "entities",
        "referenced_tweets",
        "in_reply_to_user_id",
        "attachments",
        "geo",
        "edit_history_tweet_ids",
        "edit_controls",
        "note_tweet",
        "reply_settings",
        "possibly_sensitive",
    ],
    "expansions": ["author_id", "attachments.media_keys", "referenced_tweets.id"],
    "user_fields": ["username", "name", "verified", "public_metrics"],
    "media_fields": ["url", "preview_image_url", "type", "alt_text"],
}


class XConnector:
    """Both walks go newest first; each keeps the newest id of its first page, and its place when the guard cuts it."""

    kind = "x"
    title = "X (Twitter): search and mentions of an account"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        bearer_token: SecretStr = Field(description="bearer token of an X app")
        query: str | None = Field(default=None, max_length=4096, description="search query in X's own language")
        user_id: str | None = Field(default=None, pattern=r"^\d+$", description="number of the account mentioned")
        base_url: WebAddress = Field(default="https://api.x.com", description="address of the API")
        own: list[str] = Field(default=[], description="names of our own accounts")
        max_pages: int = Field(
            default=5, ge=1, le=1000, description="cost guard: most pages of 100 posts asked in one run of a walk"
        )

        @model_validator(mode="before")
        @classmethod
        def _ids_are_text(cls, told: Any) -> Any:
            """YAML reads an unquoted id as a number; every digit is still there."""
            is_number = isinstance(told, dict) and isinstance(told.get("user_id"), int)
            return {**told, "user_id": str(told["user_id"])} if is_number else told

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now
        own_ids = frozenset({self.options.user_id} if self.options.user_id else ())
        self._posts = Posts(source=source, now=now, own=handles(self.options.own), own_ids=own_ids)

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Posts that mention the account, then those of the search, since their marks."""
        client = a_client(self.http, self.options.base_url, self.options.bearer_token.get_secret_value(), self.now)
        walks: dict[str, Walk] = {}
        if self.options.user_id:
            user_id = self.options.user_id
            walks["mentions"] = self._walk(
                lambda **told: client.get_users_mentions(user_id, **told), "pagination_token"
            )
        if self.options.query:
            query = self.options.query
            walks["search"] = self._walk(lambda **told: client.search_recent_tweets(query, **told), "next_token")
        if not walks:
            raise ResponseNotUnderstood(
                f"source {self.source_id!r} asks nothing; give it query or user_id in sources.yaml"
            )
        yield from one_after_another(cursor, walks)

    def read(self, content: bytes, name: str) -> Page:
        """What a recorded answer or a single post holds."""
        mentions, skipped = self._posts.read(recorded_json(content, name), name)
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Posts that X does not give any more: deleted, protected, suspended or withheld. Each is charged as a read."""
        client = a_client(self.http, self.options.base_url, self.options.bearer_token.get_secret_value(), self.now)
        found: set[str] = set()
        for start in range(0, len(native_ids), PER_PAGE):
            asked = list(native_ids[start : start + PER_PAGE])
            response = client.get_tweets(asked)
            told = parse_json(response.content, urlsplit(response.url).path)
            for error in objects_in(told.get("errors")) if isinstance(told, dict) else ():
                named = error.get("resource_id") or error.get("value")
                if str(error.get("type", "")).endswith(_GONE) and str(named) in asked:
                    found.add(str(named))
        return frozenset(found)

    def _walk(self, call: Callable[..., requests.Response], token_name: str) -> Walk:
        def walk(cursor: Cursor) -> Iterator[Page]:
            reached: dict[str, str] = {}

            def ask(token: str | None, mark: Json) -> Answer:
                place = {token_name: token} if token else {}
                if mark is not None and not reached:
                    try:
                        return self._answer(
                            call(**ASKED, **place, max_results=PER_PAGE, since_id=_a_little_before(mark))
                        )
                    except _TooOld:
                        reached["start_time"] = (self.now() - REACH).strftime("%Y-%m-%dT%H:%M:%SZ")
                return self._answer(call(**ASKED, **place, max_results=PER_PAGE, **reached))

            begun = False
            try:
                for page in newest_first(cursor, ask, max_pages=self.options.max_pages):
                    begun = True
                    yield page
            except _PlaceForgotten:
                if begun or "resume" not in cursor.value:
                    raise
                # The place where the guard cut the last walk is gone: walk again from now to the old mark.
                old = {key: value for key, value in cursor.value.items() if key != "resume"}
                yield from newest_first(
                    Cursor(source_id=cursor.source_id, value=old), ask, max_pages=self.options.max_pages
                )

        return walk

    def _answer(self, response: requests.Response) -> Answer:
        name = urlsplit(response.url).path
        told = parse_json(response.content, name)
        if not isinstance(told, dict):
            raise ResponseNotUnderstood(f"{name} did not answer with an object", raw=response.content)
        mentions, skipped = self._posts.read(told, name)
        meta = told.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        newest = highest([meta.get("newest_id")]) or highest(row.get("id") for row in objects_in(told.get("data")))
        following = meta.get("next_token")
        if following is not None and not isinstance(following, str):
            raise ResponseNotUnderstood(f"{name}: next_token is no text", raw=response.content)
        return Answer(mentions=mentions, skipped=skipped, mark=newest, next=following or None)


class _TooOld(ResponseNotUnderstood):
    """The mark lies further back than recent search reaches."""


class _PlaceForgotten(ResponseNotUnderstood):
    """The token of a page is not accepted any more."""


class _Adapter(GuardedAdapter):
    """Sends what tweepy asks to `base_url`, which tweepy cannot be told, and turns refusals into our errors."""

    def __init__(self, http: Http, base_url: str, now: Clock) -> None:
        super().__init__(cast("HttpClient", http))
        self._base = base_url.rstrip("/")
        self._now = now

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send; any status but 2xx raises a SourceError."""
        parts = urlsplit(request.url or "")
        request.url = f"{self._base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        response = super().send(request, *args, **options)
        self._fail_on(response, parts.path)
        return response

    def _fail_on(self, response: requests.Response, path: str) -> None:
        status, body = response.status_code, response.content
        if 200 <= status < 300:  # noqa: PLR2004 - the statuses of success
            return
        said = _problem(body)
        where = f"X {path}"
        if status in {401, 402, 403} or "usage-capped" in said:
            raise AccessDenied(f"{where} refuses access ({status}): {said}; check the token, the plan and its credits")
        if status == 429 or (status == 503 and "retry-after" in response.headers):  # noqa: PLR2004 - statuses
            headers = {key.lower(): value for key, value in response.headers.items()}
            wait = retry_after(headers.get("retry-after"), self._now(), LONGEST_WAIT)
            wait = wait or reset_after(headers, self._now(), LONGEST_WAIT)
            raise RateLimited(f"{where} asks for patience ({status})", retry_after=wait)
        if status >= 500 or status == 408:  # noqa: PLR2004 - statuses
            raise SourceUnavailable(f"{where} is out of order ({status})")
        kind: type[ResponseNotUnderstood] = ResponseNotUnderstood
        if status == 400:  # noqa: PLR2004 - status
            is_about = {name for name in ("since_id", "next_token", "pagination_token") if name in said}
            kind = _TooOld if "since_id" in is_about else _PlaceForgotten if is_about else kind
        error = kind(f"{where} refuses the question ({status}): {said}; check query and user_id", raw=body)
        error.status = status
        raise error


def a_client(http: Http, base_url: str, token: str, now: Clock) -> tweepy.Client:
    """A tweepy client whose every request goes through `http` to `base_url`; it answers with plain responses."""
    client = tweepy.Client(bearer_token=token, return_type=requests.Response, wait_on_rate_limit=False)
    # No proxy and no ~/.netrc of the machine: that would replace the token.
    client.session.trust_env = False
    adapter = _Adapter(http, base_url, now)
    client.session.mount("https://", adapter)
    client.session.mount("http://", adapter)
    return client


def _a_little_before(mark: Json) -> str:
    """The id of some minutes earlier: the upper bits of an id are milliseconds. Small numbers are no such ids."""
    earlier = int(mark) - (LATE_MS << 22)
    return str(earlier) if earlier > 0 else str(mark)


def _problem(body: bytes) -> str:
    """What X says is wrong, in its own words: kind, detail and the messages."""
    try:
        told = parse_json(body, "X")
    except ResponseNotUnderstood:
        return shown(body)
    if not isinstance(told, dict):
        return shown(body)
    inner = objects_in(told.get("errors"))
    texts = [told.get("type"), told.get("detail"), *(one.get("message") or one.get("detail") for one in inner)]
    return "; ".join(str(text) for text in texts if text)[:400] or shown(body)
