"""Claims and the inbox at ten thousand cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from monitor.config import Policy, ServiceLevel, Settings
from monitor.domain.case import Action, act, opened
from monitor.domain.clock import calendar_of
from monitor.model import Author, Cursor, Enrichment, Page, Sentiment, Stored
from monitor.protocols import CaseFilter
from monitor.search.sqlite import SqliteIndex
from monitor.store import open_store
from monitor.web.app import create_app
from tests.benchmarks.measure import Figure, wall_ms
from tests.benchmarks.texts import texts
from tests.factories import NOON, a_mention

CASES, CLAIMS, PAGES = 10_000, 1_000, 60
POLICY = Policy(service_levels=(ServiceLevel(name="all", within=timedelta(hours=4)),))
CALENDAR = calendar_of(POLICY, "Europe/Amsterdam")


def figures(folder: Path, _large: bool) -> Iterator[Figure]:  # noqa: FBT001 - the part's signature
    """Open cases, claim some, and draw pages."""
    store = open_store(f"sqlite:///{folder}/monitor.db")
    store.upgrade()
    found = texts(CASES)
    for begin in range(0, CASES, 500):
        mentions = tuple(
            a_mention(
                native_id=str(n),
                text=found[n],
                author=Author(native_id=str(n), name=f"Klant {n}"),
                published_at=NOON - timedelta(minutes=n % 1000),
            )
            for n in range(begin, begin + 500)
        )
        store.mentions.save_page(Page(mentions=mentions, cursor=Cursor(source_id="praatpaal")), NOON)
    while batch := store.mentions.to_tag(500):
        store.enrichments.save([(stored, _enrichment(stored)) for stored in batch])
    ids: list[int] = []
    while batch := store.mentions.to_triage(500):
        for stored in batch:
            case, event = opened(stored.mention, _enrichment(stored), NOON, POLICY, CALENDAR)
            ids.append(store.cases.open(case, event, stored).id)

    def claim(n: int) -> None:
        case = store.cases.get(ids[n])
        assert case is not None
        store.cases.move(*act(case, Action(name="claim", actor="Sanne"), NOON, POLICY, CALENDAR))

    p50, p95 = wall_ms(claim, CLAIMS)
    yield Figure(id="C1", what="claim with its read and event, p50", figure=p50, unit="ms")
    yield Figure(
        id="B10",
        what="claim with its read and event, p95",
        figure=p95,
        unit="ms",
        budget="<= 1 at 1,000,000",
        kept=_kept(p95, 1),
    )
    _, p95 = wall_ms(lambda _: store.cases.find(CaseFilter(unassigned=True), now=NOON, limit=50), PAGES)
    yield Figure(id="C2", what="inbox query of 50 cases, p95", figure=p95, unit="ms")
    index = SqliteIndex(f"sqlite:///{folder}/search.db")
    settings = Settings(folder=folder, brand="Bench", policy=replace(POLICY, agents=("Sanne",)))
    client = TestClient(create_app(store, index, settings, lambda: NOON), base_url="http://127.0.0.1")
    client.cookies.set("agent", "Sanne")
    size = len(client.get("/").content)
    _, p95 = wall_ms(lambda _: client.get("/"), PAGES)
    yield Figure(
        id="B14",
        what="inbox page at 10,000 cases, p95",
        figure=p95,
        unit="ms",
        budget="<= 50 at 100,000",
        kept=_kept(p95, 50),
    )
    _, p95 = wall_ms(lambda n: client.get(f"/cases/{ids[n]}"), PAGES)
    yield Figure(
        id="B14b", what="case page, p95", figure=p95, unit="ms", budget="<= 50 at 100,000", kept=_kept(p95, 50)
    )
    yield Figure(
        id="W1",
        what="weight of an inbox page of 50 rows",
        figure=size / 1000,
        unit="kB",
        budget="<= 55",
        kept=size <= 55_000,
    )
    index.close()
    store.close()


def _kept(milliseconds: float, budget: float) -> bool | None:
    """Broken where it is too slow at this size already; kept can only be said at the budget's own size."""
    return False if milliseconds > budget else None


def _enrichment(stored: Stored) -> Enrichment:
    return Enrichment(
        mention_id=stored.mention.id,
        content_hash=stored.mention.content_hash,
        model="bench",
        language="nl",
        topics=("brand",),
        sentiment=Sentiment(label="negative", score=0.9),
        intents=("complaint",),
        needs_reply="yes",
        themes=("delivery",),
    )
