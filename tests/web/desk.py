"""A desk on a real record and a real index, filled through the real stages; only the tags are made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from monitor.config import Policy, Queue, ServiceLevel, Settings
from monitor.domain.clock import calendar_of
from monitor.model import (
    Case,
    Cursor,
    Enrichment,
    Entity,
    Evidence,
    Mention,
    Page,
    Rule,
    RuleKind,
    Sentiment,
    Severity,
    Source,
    Topic,
    TopicKind,
)
from monitor.protocols import CaseFilter
from monitor.search.document import document
from monitor.search.sqlite import SqliteIndex
from monitor.stages.collect import attempt
from monitor.stages.index import index
from monitor.stages.open_cases import open_cases
from monitor.stages.raise_alerts import raise_alerts
from monitor.stages.tag import tag
from monitor.store import SqlStore, open_store
from monitor.web.app import create_app
from tests.factories import NOON, a_mention

HOST = "http://127.0.0.1"
AGENTS = ("Noor", "Sem", "Bram")
SOURCE = Source(id="praatpaal", connector="x", name="Praatpaal", channel="x")
POLICY = Policy(
    service_levels=(ServiceLevel(name="gewoon", within=timedelta(hours=4)),),
    queues=(
        Queue(id="klachten", names={"nl": "Klachten", "en": "Complaints"}, intents=("complaint",)),
        Queue(id="overig", names={"nl": "Overig", "en": "Other"}),
    ),
    agents=AGENTS,
    rules=(Rule(id="klachten", name="Klachten", kind=RuleKind.ANY, query="intent:complaint", severity=Severity.HIGH),),
)


def settings_in(folder: Path, source: Source = SOURCE) -> Settings:
    return Settings(
        folder=folder,
        brand="Zonnekade",
        sources=(source,),
        topics=(Topic(id="zonnekade", name="Zonnekade", kind=TopicKind.BRAND, query="zonnekade"),),
        policy=POLICY,
    )


def an_enrichment(mention: Mention) -> Enrichment:
    """A complaint about delivery, with evidence on the first word of the text."""
    word = len(mention.text.split(" ")[0])
    return Enrichment(
        mention_id=mention.id,
        content_hash=mention.content_hash,
        model="by hand",
        language="nl",
        topics=("zonnekade",),
        sentiment=Sentiment(label="negative", score=0.91),
        intents=("complaint",),
        stage="aftersales",
        needs_reply="yes",
        themes=("delivery",),
        entities=(Entity(type="order_number", text="ZK-1", start=0, end=min(4, word)),),
        scores={"intent:complaint": 0.8},
        evidence=(Evidence(label="sentiment:negative", start=0, end=word, reason="zo begint een klacht"),),
    )


@dataclass(frozen=True)
class ByHand:
    """Tags what it is given with one function."""

    enrich: Callable[[Mention], Enrichment] = an_enrichment
    model: str = "by hand"

    def tag(self, mentions: Sequence[Mention]) -> list[Enrichment]:
        return [self.enrich(mention) for mention in mentions]


@dataclass(frozen=True)
class Given:
    """A connector that gives these mentions."""

    mentions: Sequence[Mention]
    source_id: str = SOURCE.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        yield Page(mentions=tuple(self.mentions), cursor=Cursor(source_id=cursor.source_id, value={"at": 1}))


def several(number: int) -> list[Mention]:
    """As many people with one complaint each, a minute apart."""
    return [
        a_mention(
            native_id=str(place),
            text=f"Waar blijft mijn pakket ZK-{place} van Zonnekade?",
            published_at=NOON - timedelta(minutes=place),
        )
        for place in range(number)
    ]


class Office:
    """A record, its index and the application on top of them, at noon on the first of June 2026."""

    def __init__(self, folder: Path, *, fresh: Path | None = None, source: Source = SOURCE) -> None:
        path = folder / "monitor.db"
        if fresh is not None:
            shutil.copy(fresh, path)
        self.store: SqlStore = open_store(f"sqlite:///{path}")
        if fresh is None:
            self.store.upgrade()
        self.index = SqliteIndex(f"sqlite:///{folder / 'search.db'}")
        self.settings = settings_in(folder, source)
        self.calendar = calendar_of(POLICY, self.settings.time_zone)
        self.moment = NOON
        self.app: FastAPI = create_app(self.store, self.index, self.settings, self.now)
        self._room = ExitStack()
        self._portal = self._room.enter_context(start_blocking_portal())

    def now(self):
        return self.moment

    def fill(self, mentions: Sequence[Mention], enrich: Callable[[Mention], Enrichment] = an_enrichment) -> None:
        """Collect, tag, open cases, raise alerts, index."""
        source = self.settings.sources[0]
        outcome = attempt(source, lambda _: Given(mentions, source.id), self.store, self.now)
        assert outcome.error is None
        tag(ByHand(enrich), self.store)
        open_cases(self.store, POLICY, self.calendar, self.now)
        raise_alerts(self.store, POLICY.rules, document, self.now)
        index(self.store, self.index, document)

    def cases(self) -> list[Case]:
        return self.store.cases.find(CaseFilter(), now=self.moment, limit=2_000)

    def browser(self, agent: str | None = "Noor", *, language: str = "nl") -> Browser:
        """Somebody at a browser without script, with the cookies of a first visit."""
        browser = Browser(transport=InProcess(self.app, self._portal), base_url=HOST)
        browser.cookies.set("language", language)
        if agent:
            browser.cookies.set("agent", agent)
        browser.get("/me")
        return browser

    def close(self) -> None:
        self._room.close()
        self.index.close()
        self.store.close()


class InProcess(httpx.BaseTransport):
    """Calls the application without a socket, on the event loop of a portal."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()

        async def call() -> httpx.Response:
            answer = await self._inner.handle_async_request(request)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return self._portal.call(call)


class Browser(httpx.Client):
    """Sends forms as a page does."""

    def send_form(self, path: str, fields: Mapping[str, object] | None = None, **more) -> httpx.Response:
        return self.post(path, data={"token": self.cookies.get("csrf"), **(fields or {})}, **more)
