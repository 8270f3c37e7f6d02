"""Hacker News: stories and comments by keyword, through the search API that Algolia runs for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.fields import handle, handles, id_of, moment, object_of, objects_in, words
from connectors.paging import Answer, newest_first
from connectors.parsing import WebAddress, count_of, each, options_of, recorded_json, rows_of
from connectors.streams import bounded_first_look
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Cursor, Engagement, Json, Mention, Page, Source
from monitor.protocols import Clock, Http
from monitor.text.html import to_text

SITE = "https://news.ycombinator.com"
HITS = 100
DAY_SECONDS = 86_400
OVERLAP_SECONDS = 600
"""The index lags: so far behind the mark is read again."""


class HackerNewsConnector:
    """Searches by date, newest first. The cursor keeps the time of the newest hit.

    Pages go back by time, because Algolia gives no more than 1,000 hits by page number.
    """

    kind = "hackernews"
    title = "Hacker News by keyword"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        query: str = Field(min_length=1, description='words to search for; a "phrase" stands in quotes')
        base_url: WebAddress = Field(default="https://hn.algolia.com", description="address of the search API")
        own: list[str] = Field(default=[], description="names of our own accounts")
        max_pages: int = Field(default=10, ge=1, le=1000, description="most pages of 100 hits asked in one run")

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now
        self._own = handles(self.options.own)

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Hits since the mark; the first time the newest ones."""
        pages = self.options.max_pages
        given: set[str] = set()

        def ask(token: str | None, mark: Json) -> Answer:
            return self._ask(token, mark, given)

        yield from newest_first(cursor, bounded_first_look(ask, pages), max_pages=pages)

    def read(self, content: bytes, name: str) -> Page:
        """What a recorded answer or a single hit holds."""
        told = recorded_json(content, name)
        rows = [told] if isinstance(told, dict) and "objectID" in told else rows_of(told, "hits", name)
        mentions, skipped = each(rows, self._mention, native_id=id_at_hand)
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def _ask(self, token: str | None, mark: Json, given: set[str]) -> Answer:
        filters = [f"created_at_i>{int(mark) - OVERLAP_SECONDS}"] if mark is not None else []
        filters += [f"created_at_i<={token}"] if token is not None else []
        params = {
            "query": self.options.query,
            "tags": "(story,comment)",
            "advancedSyntax": "true",
            "hitsPerPage": str(HITS),
        }
        if filters:
            params["numericFilters"] = ",".join(filters)
        told, response = self.http.json(f"{self.options.base_url.rstrip('/')}/api/v1/search_by_date", params=params)
        hits = rows_of(told, "hits", response.url)
        # Hits of the second in which a page ends come again on the next one.
        fresh = [hit for hit in hits if not isinstance(hit, dict) or str(hit.get("objectID")) not in given]
        given.update(str(hit.get("objectID")) for hit in objects_in(fresh) if hit.get("objectID"))
        mentions, skipped = each(fresh, self._mention, native_id=id_at_hand)
        told_times = [hit.get("created_at_i") for hit in objects_in(hits)]
        # A time to come would hide everything that is written until then.
        latest = int(self.now().timestamp()) + DAY_SECONDS
        times = [time for time in told_times if type(time) is int and 0 < time <= latest]
        following = None
        if len(hits) >= HITS:
            if not times:
                raise ResponseNotUnderstood(f"{response.url}: no hit tells its created_at_i", raw=response.body)
            oldest = min(times)
            # A whole page within one second: step over it, or the walk would stand still.
            following = str(oldest - 1 if str(oldest) == token else oldest)
        return Answer(mentions=mentions, skipped=skipped, mark=max(times, default=None), next=following)

    def _mention(self, hit: Json) -> Mention:
        row = object_of(hit, "a hit")
        native_id = id_of(row, "objectID")
        text = row.get("comment_text") or row.get("story_text") or ""
        title = words(row.get("title"))
        if not isinstance(text, str):
            raise TypeError(f"the text is no text but {type(text).__name__}")
        if not title and not text:
            raise ValueError("a hit without title and text")
        author = words(row.get("author"))
        story = row.get("story_id")
        return Mention(
            source_id=self.source_id,
            origin="hackernews",
            native_id=native_id,
            channel=self.source.channel,
            url=f"{SITE}/item?id={native_id}",
            title=title,
            text=to_text(text).strip(),
            author=Author(native_id=author, handle=author, url=f"{SITE}/user?id={author}") if author else None,
            language=self.source.language,
            published_at=moment(row.get("created_at_i"), self.now()) or moment(row.get("created_at"), self.now()),
            fetched_at=self.now(),
            parent_id=None if row.get("parent_id") is None else id_of(row, "parent_id"),
            thread_id=native_id if story is None else id_of(row, "story_id"),
            engagement=Engagement(likes=count_of(row.get("points")), replies=count_of(row.get("num_comments"))),
            is_own=handle(author) in self._own,
            raw={key: row[key] for key in ("url", "story_title", "story_url", "_tags") if row.get(key)},
        )


def id_at_hand(hit: Mapping[str, Any]) -> str:
    """The id of a hit that may be malformed elsewhere."""
    return id_of(hit, "objectID")
