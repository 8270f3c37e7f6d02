"""Trustpilot: reviews of one business, and the company's answers under them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.fields import id_of, moment, object_in, object_of, objects_in, text_of, words
from connectors.paging import Answer, newest_first
from connectors.parsing import NotAMention, WebAddress, count_of, each, options_of, recorded_json, rows_of
from connectors.streams import bounded_first_look
from monitor.errors import AccessDenied
from monitor.model import Author, Cursor, Engagement, Json, Mention, Page, Source
from monitor.protocols import Clock, Http

PER_PAGE = 100
STARS = 5
OVERLAP = timedelta(hours=48)
LOOK_BACK, LOOK_BACK_EVERY = timedelta(days=30), timedelta(days=7)
"""An edit or a late answer changes nothing in the order: once a week the last month is read again."""
REVIEW_EVENTS = {"service-review-created", "service-review-updated", "service-review-deleted"}


class TrustpilotConnector:
    """Newest first by `createdAt`. The cursor keeps the time of the newest review and of the last look back."""

    kind = "trustpilot"
    title = "Trustpilot reviews of one business"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        business_unit: str = Field(min_length=1, description="id of the business unit")
        api_key: SecretStr | None = Field(default=None, description="API key, for the public reviews")
        access_token: SecretStr | None = Field(default=None, description="token of a business user, for all details")
        base_url: WebAddress = Field(default="https://api.trustpilot.com", description="address of the API")
        max_pages: int = Field(default=50, ge=1, le=1000, description="most pages of 100 reviews asked in one run")

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Reviews since the mark, and the 48 hours before it again; once a week the last 30 days."""
        if self.options.api_key is None and self.options.access_token is None:
            raise AccessDenied(
                f"source {self.source_id!r} has neither api_key nor access_token; give it one in sources.yaml"
            )
        started = self.now()
        pages = self.options.max_pages

        def ask(token: str | None, mark: Json) -> Answer:
            return self._ask(int(token or 1), mark, started)

        yield from newest_first(cursor, bounded_first_look(ask, pages), max_pages=pages)

    def read(self, content: bytes, name: str) -> Page:
        """What a recorded answer, the body of a webhook or a single review holds."""
        told = recorded_json(content, name)
        if isinstance(told, dict) and isinstance(told.get("events"), list):
            rows: list[Json] = told["events"]
        elif isinstance(told, dict) and told.keys() & {"stars", "consumer", "reply_to", "eventData"}:
            rows = [told]
        else:
            rows = rows_of(told, "reviews", name)
        mentions, skipped = each(with_replies(rows), self._mention, native_id=id_of)
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def _ask(self, page: int, mark: Json, started: datetime) -> Answer:
        options = self.options
        private = "private/" if options.access_token else ""
        url = (
            f"{options.base_url.rstrip('/')}/v1/{private}business-units/{quote(options.business_unit, safe='')}/reviews"
        )
        headers = {}
        if options.access_token:
            headers["Authorization"] = f"Bearer {options.access_token.get_secret_value()}"
        elif options.api_key:
            headers["apikey"] = options.api_key.get_secret_value()
        params = {"perPage": str(PER_PAGE), "page": str(page), "orderBy": "createdat.desc"}
        told, response = self.http.json(url, params=params, headers=headers)
        reviews = rows_of(told, "reviews", response.url)
        mentions, skipped = each(with_replies(reviews), self._mention, native_id=id_of)
        times = [time for review in objects_in(reviews) if (time := moment(review.get("createdAt"), started))]
        newest, looked_back = _known(mark, started)
        is_due = newest is not None and (looked_back is None or started - looked_back >= LOOK_BACK_EVERY)
        until = None if newest is None else newest - (LOOK_BACK if is_due else OVERLAP)
        is_met = until is not None and bool(times) and min(times) < until
        new = None
        if times:
            # A date to come would hide everything that is written until then.
            latest = min(max([*times, newest] if newest else times), started)
            back = started if newest is None or is_due or looked_back is None else looked_back
            new = {"at": latest.isoformat(), "looked_back": back.isoformat()}
        is_last = is_met or len(reviews) < PER_PAGE
        return Answer(mentions=mentions, skipped=skipped, mark=new, next=None if is_last else str(page + 1))

    def _mention(self, told: Json) -> Mention:
        row = object_of(told, "a review")
        if "eventData" in row:
            return self._of_event(row)
        if "reply_to" in row:
            return self._reply(row)
        return self._review(row)

    def _of_event(self, event: Any) -> Mention:
        name = event.get("eventName")
        if name not in REVIEW_EVENTS:
            raise NotAMention(f"an event of another kind: {name!r}"[:100], keep=False)
        gone = self.now() if name == "service-review-deleted" else None
        return self._review(object_of(event["eventData"], "eventData"), removed_at=gone)

    def _review(self, row: Any, *, removed_at: datetime | None = None) -> Mention:
        now = self.now()
        native_id = id_of(row)
        stars = count_of(row.get("stars"))
        if stars is None or not 1 <= stars <= STARS:
            raise ValueError(f"a review with {row.get('stars')!r} stars"[:100])
        consumer = object_of(row.get("consumer") or {}, "consumer")
        name = words(consumer.get("displayName")) or words(consumer.get("name"))
        author_id = words(consumer.get("id"))
        published, updated = moment(row.get("createdAt"), now), moment(row.get("updatedAt"), now)
        kept = ("referenceId", "experiencedAt", "source", "isVerified", "tags", "location", "locationId", "status")
        return Mention(
            source_id=self.source_id,
            origin="trustpilot",
            native_id=native_id,
            channel=self.source.channel,
            url=f"https://www.trustpilot.com/reviews/{quote(native_id, safe='')}",
            title=words(row.get("title")),
            text="" if row.get("text") is None else text_of(row, "text").strip(),
            author=Author(
                native_id=author_id,
                name=name,
                url=f"https://www.trustpilot.com/users/{quote(author_id, safe='')}" if author_id else None,
            )
            if name or author_id
            else None,
            language=words(row.get("language")) or self.source.language,
            published_at=published,
            edited_at=updated if updated and (published is None or updated > published) else None,
            fetched_at=now,
            thread_id=native_id,
            rating=float(stars),
            rating_max=float(STARS),
            engagement=Engagement(likes=count_of(row.get("numberOfLikes"))),
            removed_at=removed_at,
            raw={key: row[key] for key in kept if row.get(key) not in (None, [], "")},
        )

    def _reply(self, row: Any) -> Mention:
        now = self.now()
        reply = object_of(row["companyReply"], "companyReply")
        review = id_of(row, "reply_to")
        unit = object_in(row, "businessUnit")
        unit_id = words(unit.get("id")) or self.options.business_unit
        published, updated = moment(reply.get("createdAt"), now), moment(reply.get("updatedAt"), now)
        return Mention(
            source_id=self.source_id,
            origin="trustpilot",
            native_id=id_of(row),
            channel=self.source.channel,
            url=f"https://www.trustpilot.com/reviews/{quote(review, safe='')}",
            text=text_of(reply, "text").strip(),
            author=Author(native_id=f"business:{unit_id}", name=words(unit.get("displayName"))),
            language=words(row.get("language")) or self.source.language,
            published_at=published,
            edited_at=updated if updated and (published is None or updated > published) else None,
            fetched_at=now,
            parent_id=review,
            thread_id=review,
            is_own=True,
        )


def with_replies(reviews: list[Json]) -> list[Json]:
    """Each review, and after it the company's answer as a row of its own, which can be kept and read alone."""
    rows: list[Json] = []
    for review in reviews:
        rows.append(review)
        if isinstance(review, dict) and review.get("companyReply") and review.get("id") and "reply_to" not in review:
            rows.append(
                {
                    "id": f"{review['id']}:reply",
                    "reply_to": review["id"],
                    "companyReply": review["companyReply"],
                    "businessUnit": review.get("businessUnit"),
                    "language": review.get("language"),
                }
            )
    return rows


def _known(mark: Json, now: datetime) -> tuple[datetime | None, datetime | None]:
    """(time of the newest review, time of the last look back) of a cursor's mark."""
    told = mark if isinstance(mark, dict) else {"at": mark}
    return moment(told.get("at"), now), moment(told.get("looked_back"), now)
