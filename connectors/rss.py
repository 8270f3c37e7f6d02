"""News and blogs: RSS 0.9 to 2.0, RDF, Atom, JSON Feed and podcast feeds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from connectors.feedentry import Entry, Feed
from connectors.feeds import parse_feed
from connectors.parsing import (
    NotAMention,
    WebAddress,
    ZoneName,
    as_json,
    count_of,
    each,
    fail_on_status,
    options_of,
    parse_json,
    unwrap,
)
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Cursor, Engagement, Mention, Page, Skipped, Source, digest
from monitor.protocols import Clock, Http
from monitor.text.clean import clean
from monitor.text.dates import parse_date
from monitor.text.html import to_text
from monitor.text.urls import absolute

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.8, "
    "application/json;q=0.7, */*;q=0.1"
)
ENTRIES_A_PAGE = 500
LONGEST_ID = 500
"""A longer id is kept as its hash."""
WORLDWIDE_LENGTH = 24
"""An id this long, or one that is an address, names the same entry in every feed of a site; "42" does not."""
MANY = 3
"""So many entries that come back under a new id, at the same address, show that the feed makes up its ids."""


class RssConnector:
    """Reads one feed. The cursor keeps the validators for a conditional GET and which entries were taken before."""

    kind = "rss"
    title = "News and blogs: any RSS, Atom or JSON feed"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        url: WebAddress = Field(description="address of the feed")
        limit: int = Field(default=1000, ge=1, le=10_000, description="new entries taken in one run")
        zone: ZoneName = Field(default="Europe/Amsterdam", description="time zone of dates that name none")

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.http = http
        self.now = now
        parts = urlsplit(self.options.url)
        self._site = (parts.hostname or "").lower()
        self._feed = f"{self._site}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """One GET. Entries known already are given again, so that edits are seen; only new ones count for the limit."""
        state = cursor.value
        asked = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("modified")}
        headers = {name: value for name, value in asked.items() if value}
        response = self.http.get(self.options.url, headers=headers, accept=ACCEPT)
        if response.not_modified:
            yield Page(mentions=(), cursor=cursor)
            return
        feed = parse_feed(response.body, self.options.url, content_type=response.headers.get("content-type", ""))
        seen: Mapping[str, str] = state.get("seen") or {}
        made_up = bool(state.get("made_up_ids")) or _ids_are_made_up(feed.entries, seen)
        named, doubled = self._named(feed.entries, made_up=made_up)
        new = [key for key in named if _short(key) not in seen]
        waiting = set(new[self.options.limit :])
        taken = {key: entry for key, entry in named.items() if key not in waiting}
        value: dict[str, Any] = {"seen": {_short(key): _short(entry.link or "") for key, entry in taken.items()}}
        if made_up:
            value["made_up_ids"] = True
        if feed.whole and not waiting:
            validators = {"etag": response.headers.get("etag"), "modified": response.headers.get("last-modified")}
            value |= {name: told for name, told in validators.items() if told}
        skipped = [*doubled, *_left_out(feed)]
        if waiting:
            skipped.append(
                Skipped(reason=f"limit of {self.options.limit} new entries a run: {len(waiting)} wait for the next run")
            )
        yield from self._pages(
            list(taken.items()), feed, cursor, Cursor(source_id=self.source_id, value=value), skipped
        )

    def read(self, content: bytes, name: str) -> Page:
        """What a feed file, a recorded answer or a kept entry holds."""
        cursor = Cursor(source_id=self.source_id)
        recorded = unwrap(content, name)
        fail_on_status(recorded, name)
        kept = _kept_entry(recorded.body, name)
        feed = kept or parse_feed(recorded.body, name, content_type=recorded.headers.get("content-type", ""))
        named, doubled = self._named(feed.entries, made_up=False)
        mentions, skipped = self._mentions(list(named.items()), feed)
        return Page(mentions=mentions, cursor=cursor, skipped=(*skipped, *doubled, *_left_out(feed)))

    def _pages(
        self, taken: list[tuple[str, Entry]], feed: Feed, old: Cursor, new: Cursor, skipped: list[Skipped]
    ) -> Iterator[Page]:
        """Slices of the feed; the old cursor goes with all but the last."""
        while len(taken) > ENTRIES_A_PAGE:
            slice_, taken = taken[:ENTRIES_A_PAGE], taken[ENTRIES_A_PAGE:]
            mentions, bad = self._mentions(slice_, feed)
            yield Page(mentions=mentions, cursor=old, skipped=bad)
        mentions, bad = self._mentions(taken, feed)
        yield Page(mentions=mentions, cursor=new, skipped=(*bad, *skipped))

    def _mentions(self, taken: list[tuple[str, Entry]], feed: Feed) -> tuple[tuple[Mention, ...], tuple[Skipped, ...]]:
        return each(
            taken,
            lambda pair: self._mention(pair[0], pair[1], feed),
            raw=lambda pair: as_json(
                {"entry": asdict(pair[1]), "feed": {"title": feed.title, "language": feed.language, "link": feed.link}}
            ),
            native_id=lambda pair: pair[0],
        )

    def _named(self, entries: list[Entry], *, made_up: bool) -> tuple[dict[str, Entry], list[Skipped]]:
        """Entries by their native id. An id or a link that several different entries share names none of them."""
        stories: dict[tuple[str, str], set[tuple[str | None, str | None]]] = {}
        for entry in entries:
            if entry.id:
                stories.setdefault(("id", entry.id), set()).add((entry.link, None if entry.link else entry.title))
            if entry.link:
                stories.setdefault(("link", entry.link), set()).add((None, entry.title))
        shared = {key for key, told in stories.items() if len(told) > 1}
        named: dict[str, Entry] = {}
        doubled = 0
        for entry in entries:
            usable_id = None if made_up or ("id", entry.id) in shared else entry.id
            usable_link = None if ("link", entry.link) in shared else entry.link
            key = _native_id(usable_id, usable_link, entry)
            if key in named:
                doubled += 1
                if (entry.updated or "") <= (named[key].updated or ""):
                    continue
            named[key] = entry
        extra = [Skipped(reason=f"{doubled} entries stand in the feed twice")] if doubled else []
        return named, extra

    def _mention(self, native_id: str, entry: Entry, feed: Feed) -> Mention:
        now = self.now()
        title = _text(entry.title, is_html=entry.title_is_html) or None
        text = _text(entry.text, is_html=entry.text_is_html)
        base = self._base(entry, feed)
        url = self._address(entry.link, base)
        if title is None and not text and url is None:
            raise NotAMention("an entry without title, text or link", keep=False)
        published = parse_date(entry.published or "", zone=self.options.zone, now=now)
        updated = parse_date(entry.updated or "", zone=self.options.zone, now=now)
        edited = updated.moment if published.moment and updated.moment and updated.moment > published.moment else None
        author = Author(name=clean(entry.author), url=self._address(entry.author_url, base)) if entry.author else None
        raw = {
            "feed": feed.title,
            "id": entry.id,
            "link": entry.link,
            "published": entry.published,
            "date_note": published.note,
        }
        return Mention(
            source_id=self.source_id,
            origin=self._site if _is_worldwide(native_id) else self._feed,
            native_id=native_id,
            channel=self.source.channel,
            url=url,
            title=title,
            text=text,
            author=author,
            language=_language(entry.language or feed.language) or self.source.language,
            published_at=published.moment,
            edited_at=edited,
            fetched_at=now,
            parent_id=entry.parent or None,
            engagement=Engagement(replies=count_of(entry.replies)),
            raw={key: value for key, value in {**raw, **entry.extra}.items() if value},
        )

    def _base(self, entry: Entry, feed: Feed) -> str:
        """Where relative links start: where the entry says so, else at the feed; a file alone has no place."""
        home = absolute(feed.link) if self._site.endswith(".invalid") else None
        home = home or self.options.url
        return absolute(entry.base, home) or home

    def _address(self, link: str | None, base: str) -> str | None:
        """An absolute address; the real one behind a Google Alerts redirect."""
        url = absolute(link, base) if link and re.search(r"\w", link) else None
        parts = urlsplit(url or "")
        if (parts.hostname or "").startswith("www.google.") and parts.path == "/url":
            behind = parse_qs(parts.query).get("url") or parse_qs(parts.query).get("q")
            return absolute(behind[0], url) if behind and url else url
        return url


def _native_id(usable_id: str | None, link: str | None, entry: Entry) -> str:
    """The entry's id, else its link, else what it says: never the text where there is a title, as texts get edited."""
    if usable_id:
        return usable_id if len(usable_id) <= LONGEST_ID else "hash:" + digest(usable_id)
    if link:
        return link if len(link) <= LONGEST_ID else "hash:" + digest(link)
    said = entry.title or entry.text[:200]
    return "hash:" + digest(said, entry.published, entry.link)


def _ids_are_made_up(entries: list[Entry], seen: Mapping[str, str]) -> bool:
    """True if entries come back at the same address under another id: the feed makes up a new id at every look."""
    links = Counter(entry.link for entry in entries if entry.link)
    known = set(seen.values())
    moved = [
        entry
        for entry in entries
        if entry.id
        and entry.link
        and links[entry.link] == 1
        and _short(_native_id(entry.id, None, entry)) not in seen
        and _short(entry.link) in known
    ]
    return len(moved) >= min(MANY, len(entries)) > 0


def _is_worldwide(native_id: str) -> bool:
    return (len(native_id) >= WORLDWIDE_LENGTH and not native_id.startswith("hash:")) or "://" in native_id


def _short(text: str) -> str:
    return digest(text)[:10]


def _text(value: str | None, *, is_html: bool) -> str:
    return clean(to_text(value) if is_html else value).strip() if value else ""


def _language(told: str | None) -> str | None:
    found = re.match(r"[A-Za-z]{2,3}(?![A-Za-z])", told.strip()) if told else None
    return found.group().lower() if found else None


def _left_out(feed: Feed) -> list[Skipped]:
    found = [Skipped(reason="an entry that is no object", raw=as_json({"items": [row]})) for row in feed.unreadable]
    if feed.silent and not feed.entries:
        found.append(Skipped(reason=f"{feed.silent} entries of the feed say nothing at all"))
    if feed.left_out:
        found.append(Skipped(reason=f"the feed is too long: its last {feed.left_out} entries were not read"))
    return found


def _kept_entry(content: bytes, name: str) -> Feed | None:
    """The feed around an entry that was kept as a dead letter; None for anything else."""
    if not content.startswith(b'{"entry": '):
        return None
    told = parse_json(content, name)
    try:
        return Feed(version="kept", entries=[Entry(**told["entry"])], **told["feed"])
    except (TypeError, LookupError) as error:
        raise ResponseNotUnderstood(f"{name}: not an entry that was kept ({error})", raw=content) from None
