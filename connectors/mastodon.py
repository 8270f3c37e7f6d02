"""Mastodon: the statuses under hashtags, and of a search, as one instance sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.fields import handle, handles, highest, id_of, lowest, moment, object_of, objects_in, text_of, words
from connectors.paging import Answer, newest_first, oldest_first
from connectors.parsing import (
    NotAMention,
    Recorded,
    WebAddress,
    as_json,
    count_of,
    each,
    fail_on_status,
    options_of,
    parse_json,
    rows_of,
    shown,
    text_or_none,
    unwrap,
)
from connectors.streams import Walk, bounded_first_look, one_after_another
from monitor.errors import AccessDenied, ResponseNotUnderstood
from monitor.model import Author, Cursor, Engagement, Json, Mention, Page, Source
from monitor.protocols import Clock, Http
from monitor.text.html import to_text
from monitor.text.urls import absolute

LIMIT = 40
SHORT = 20
"""A page with fewer statuses than any instance gives at most is the last one; a filter may leave gaps in a page."""
LATE_MS = 600_000
"""A status may arrive late from another instance, with the id of the time it was written: read so far back again."""
LOOK_UPS = 20
"""So many answers of a page are looked up for the conversation above them: instances allow 300 requests in 5 min."""
WITH_STATUS = {"mention", "status", "update", "quote", "quoted_update"}
"""Notifications about something said; the others are about following, liking, boosting."""

Family = dict[str, tuple[str, str | None]]
"""An instance's id of a status -> its address, and the address of the first status of its thread where known."""


class MastodonConnector:
    """Each hashtag is a walk of its own: the first one back from now, all later ones forward from the mark."""

    kind = "mastodon"
    title = "Mastodon hashtags"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        base_url: WebAddress = Field(default="https://mastodon.nl", description="address of the instance")
        tag: str | None = Field(default=None, description="a hashtag to follow")
        tags: list[str] = Field(default=[], description="hashtags to follow")
        query: str | None = Field(default=None, description="words to search for; needs access_token")
        access_token: SecretStr | None = Field(default=None, description="token with read:search and read:statuses")
        own: list[str] = Field(default=[], description="our own accounts, as name@instance")
        max_pages: int = Field(default=10, ge=1, le=1000, description="most pages of 40 asked in one run, for each tag")

        @model_validator(mode="after")
        def _search_has_a_token(self) -> MastodonConnector.Options:
            if self.query and self.access_token is None:
                raise ValueError("query needs access_token: instances search statuses for users only")
            return self

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now
        self._own = handles(self.options.own)
        self._base = self.options.base_url.rstrip("/")
        self._host = (urlsplit(self._base).hostname or "").lower()
        named = [self.options.tag or "", *self.options.tags]
        self._tags = list(dict.fromkeys(tag.strip().lstrip("#") for tag in named if tag.strip().lstrip("#")))

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Statuses under the tags since their marks, then those of the search."""
        family: Family = {}
        walks: dict[str, Walk] = {f"tag:{tag.lower()}": self._tag_walk(tag, family) for tag in self._tags}
        if self.options.query:
            walks["search"] = self._search_walk(self.options.query, family)
        if not walks:
            raise ResponseNotUnderstood(f"source {self.source_id!r} names no tag; give it tags in sources.yaml")
        yield from one_after_another(cursor, walks)

    def read(self, content: bytes, name: str) -> Page:
        """What a recorded answer holds: a timeline, notifications, a search, a context, or one status."""
        recorded = unwrap(content, name)
        fail_on_status(recorded, name)
        rows = _rows_in(_body(recorded, name), name)
        mentions, skipped = self._statuses(rows, {})
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def _tag_walk(self, tag: str, family: Family) -> Walk:
        url = f"{self._base}/api/v1/timelines/tag/{quote(tag, safe='')}"
        pages = self.options.max_pages

        def back(token: str | None, _mark: Json) -> Answer:
            rows = self._ask(url, {"max_id": token} if token else {})
            self._look_up(rows, family)
            mentions, skipped = self._statuses(rows, family)
            ids = [row.get("id") for row in objects_in(rows)]
            newest = highest(ids)
            mark = None if newest is None else {"id": newest, "caught_up": True}
            following = lowest(ids) if len(rows) >= SHORT else None
            return Answer(mentions=mentions, skipped=skipped, mark=mark, next=following)

        def forward(token: str | None, mark: Json) -> Answer:
            # Only a walk that caught up looks back: one that was cut short would never come past a busy hour.
            start = _a_little_before(mark["id"]) if mark["caught_up"] else mark["id"]
            rows = self._ask(url, {"min_id": token or start})
            self._look_up(rows, family)
            mentions, skipped = self._statuses(rows, family)
            newest = highest(row.get("id") for row in objects_in(rows))
            following = newest if len(rows) >= SHORT else None
            reached = {"id": highest([newest, mark["id"]]), "caught_up": following is None}
            return Answer(mentions=mentions, skipped=skipped, mark=reached, next=following)

        def walk(cursor: Cursor) -> Iterator[Page]:
            if cursor.value.get("mark") is None:
                return newest_first(cursor, bounded_first_look(back, pages), max_pages=pages)
            return oldest_first(cursor, forward, max_pages=pages)

        return walk

    def _search_walk(self, query: str, family: Family) -> Walk:
        """Search goes by offset and knows no order by id: read back until a page brings nothing above the mark."""

        def back(token: str | None, mark: Json) -> Answer:
            told = self._json(
                f"{self._base}/api/v2/search",
                {"q": query, "type": "statuses", "limit": str(LIMIT), "offset": token or "0"},
            )
            rows = rows_of(told, "statuses", f"{self._host}: search")
            mentions, skipped = self._statuses(rows, family)
            newest = highest(row.get("id") for row in objects_in(rows))
            is_met = newest is None or len(rows) < SHORT or (mark is not None and int(newest) <= int(mark))
            following = None if is_met else str(int(token or 0) + len(rows))
            return Answer(mentions=mentions, skipped=skipped, mark=highest([newest, mark]), next=following)

        pages = self.options.max_pages
        return lambda cursor: newest_first(cursor, bounded_first_look(back, pages), max_pages=pages)

    def _ask(self, url: str, params: dict[str, str]) -> list[Json]:
        told = self._json(url, {"limit": str(LIMIT)} | params)
        if not isinstance(told, list):
            raise ResponseNotUnderstood(f"{url} did not answer with a list of statuses", raw=as_json(told))
        return told

    def _json(self, url: str, params: Mapping[str, str]) -> Json:
        token = self.options.access_token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        return self.http.json(url, params=params, headers=headers)[0]

    def _look_up(self, rows: list[Json], family: Family) -> None:
        """Ask what stands above answers whose parent is not at hand; where it is not told, the parent stays unknown."""
        _learn(rows, family)
        orphans = [
            local
            for row in objects_in(rows)
            if (above := text_or_none(row.get("in_reply_to_id"))) and above not in family
            if (local := text_or_none(row.get("id")))
        ]
        for local in orphans[:LOOK_UPS]:
            try:
                told = self._json(f"{self._base}/api/v1/statuses/{quote(local, safe='')}/context", {})
            except (AccessDenied, ResponseNotUnderstood):
                continue
            _learn(told.get("ancestors") if isinstance(told, dict) else None, family)

    def _statuses(self, rows: list[Json], family: Family) -> tuple[Any, Any]:
        """Read the rows, and the statuses that boosts among them carry."""
        known = {text_or_none(row.get("uri")) for row in objects_in(rows)}
        carried: dict[str | None, Json] = {}
        for row in objects_in(rows):
            inner = row.get("reblog")
            if isinstance(inner, dict) and text_or_none(inner.get("uri")) not in known:
                carried.setdefault(text_or_none(inner.get("uri")), inner)
        everything = [*rows, *carried.values()]
        _learn(everything, family)
        return each(everything, lambda row: self._mention(row, family), native_id=_id_at_hand)

    def _mention(self, told: Json, family: Family) -> Mention:
        row = object_of(told, "a status")
        if "type" in row and "content" not in row:
            if row.get("type") not in WITH_STATUS:
                raise NotAMention(f"a notification of the kind {row.get('type')!r}"[:80], keep=False)
            row = object_of(row.get("status"), "the notification's status")
        elif "last_status" in row and "content" not in row:
            row = object_of(row["last_status"], "the conversation's last status")
        if row.get("reblog") is not None:
            raise NotAMention("repost", keep=False)
        now = self.now()
        uri = id_of(row, "uri")
        account = object_of(row.get("account"), "account")
        acct = id_of(account, "acct")
        local = text_or_none(row.get("id")) or ""
        parent = family.get(text_or_none(row.get("in_reply_to_id")) or "", (None, None))[0]
        visibility = words(row.get("visibility"))
        kept = ("id", "in_reply_to_id", "visibility", "sensitive", "media_attachments", "tags", "card", "quote", "poll")
        return Mention(
            source_id=self.source_id,
            origin="mastodon",
            native_id=uri,
            channel=self.source.channel,
            url=absolute(words(row.get("url"))) or absolute(uri),
            title=words(row.get("spoiler_text")),
            text=to_text(text_of(row, "content")).strip(),
            author=Author(
                # An account's number counts on one instance only; its address names it everywhere.
                native_id=words(account.get("uri")) or words(account.get("url")) or acct,
                name=words(account.get("display_name")),
                handle=acct,
                url=absolute(words(account.get("url"))),
                followers=count_of(account.get("followers_count")),
            ),
            language=words(row.get("language")) or self.source.language,
            published_at=moment(row.get("created_at"), now),
            edited_at=moment(row.get("edited_at"), now),
            fetched_at=now,
            parent_id=parent,
            thread_id=_root(local, family),
            engagement=Engagement(
                likes=count_of(row.get("favourites_count")),
                replies=count_of(row.get("replies_count")),
                shares=count_of(row.get("reblogs_count")),
            ),
            is_private=visibility in {"private", "direct"},
            is_own=bool(self._own & {handle(acct), f"{handle(acct)}@{self._host}"}),
            raw={key: row[key] for key in kept if row.get(key)} | ({"bot": True} if account.get("bot") is True else {}),
        )


def _a_little_before(mark: str) -> str:
    """The id of some minutes earlier: the upper bits of an id are milliseconds. Small numbers are no such ids."""
    earlier = int(mark) - (LATE_MS << 16)
    return str(earlier) if earlier > 0 else mark


def _learn(rows: Json, family: Family) -> None:
    for row in objects_in(rows):
        inner = row.get("status")
        status = inner if isinstance(inner, dict) else row
        local, uri = text_or_none(status.get("id")), text_or_none(status.get("uri"))
        if local and uri:
            family[local] = (uri, text_or_none(status.get("in_reply_to_id")))


def _root(local: str, family: Family) -> str | None:
    """The address of the first known status above this one; for a status that answers nothing its own."""
    seen: set[str] = set()
    found: str | None = None
    while local in family and local not in seen:
        seen.add(local)
        found, above = family[local]
        if above is None:
            return found
        local = above
    # The first status is not at hand: one that is in between still holds the conversation together.
    return found if len(seen) > 1 else None


def _body(recorded: Recorded, name: str) -> Json:
    told = parse_json(recorded.body, name)
    if recorded.status >= 400 or (isinstance(told, dict) and "error" in told and "uri" not in told):  # noqa: PLR2004 - the first status of a failure
        said = told.get("error") if isinstance(told, dict) else None
        raise ResponseNotUnderstood(
            f"{name}: the instance gave an error ({recorded.status}): {words(said) or shown(recorded.body)}",
            raw=recorded.body,
        )
    return told


def _rows_in(told: Json, name: str) -> list[Json]:
    if isinstance(told, list):
        return told
    if isinstance(told, dict) and "statuses" in told:
        return rows_of(told, "statuses", name)
    if isinstance(told, dict) and told.keys() >= {"ancestors", "descendants"}:
        return [*rows_of(told, "ancestors", name), *rows_of(told, "descendants", name)]
    if isinstance(told, dict) and told.keys() & {"uri", "content", "account"}:
        return [told]
    raise ResponseNotUnderstood(
        f"{name}: neither a status nor a list of them: {shown(as_json(told))}", raw=as_json(told)
    )


def _id_at_hand(row: Mapping[str, Any]) -> str:
    return id_of(row, "uri" if "uri" in row else "id")
