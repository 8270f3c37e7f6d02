"""What the races and the kills run in processes of their own."""

import os
import random
import signal
from dataclasses import replace
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from monitor.errors import Conflict
from monitor.model import Author, Collected, Engagement, Mention, Page
from monitor.store import SqlStore, open_store
from monitor.store.cursors import save_cursor
from monitor.store.tables import case_events, cases
from tests.contracts.store import a_page, an_event
from tests.factories import NOON, a_mention

PAGE = 20


def page_number(number: int, text: str = "Waar blijft mijn pakket?") -> Page:
    """Page `number` of a source without end, with the cursor after it. Some of its people wrote other pages too."""
    found = [
        a_mention(
            native_id=f"{number}-{place}", text=text, author=Author(native_id=str((number * place) % 97), name="N")
        )
        for place in range(PAGE)
    ]
    return a_page(*found, at=number + 1)


def next_page(store: SqlStore) -> int:
    return int(store.cursors.get("praatpaal").value.get("at", 0))


def collect_until_killed(url: str, begun: Any) -> None:
    store = open_store(url)
    begun.set()
    while True:
        store.mentions.save_page(page_number(next_page(store)), NOON)


def collect_cursor_first(url: str, begun: Any) -> None:
    """The mutant: the mark moves before what it stands for is stored."""
    store = open_store(url)
    begun.set()
    while True:
        page = page_number(next_page(store))
        store._database.write(lambda conn, page=page: save_cursor(conn, page.cursor, NOON))
        store.mentions.save_page(page, NOON)


def save_and_die(url: str, number: int, statement: int) -> None:
    """Die right before the given statement of saving a page; end well if it has fewer."""
    store = open_store(url)
    passed = 0

    @event.listens_for(store._database._engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(store._database._engine, "commit")
    def commit(_: sa.Connection) -> None:
        count()

    store.mentions.save_page(a_page(*changed_mentions(), at=number), NOON + timedelta(minutes=1))


def changed_mentions() -> list[Mention]:
    """New, edited, counted, renamed and removed: every branch of saving a page."""
    return [
        a_mention(native_id="new", raw={"a": 1}),
        a_mention(native_id="edited", text="Anders", author=Author(native_id="u1", name="Fatima B.")),
        a_mention(native_id="counted", engagement=Engagement(likes=5)),
        a_mention(native_id="removed", removed_at=NOON),
    ]


def save_shuffled(url: str, seed: int, pages: int, barrier: Barrier, told: "Queue[list[Collected]]") -> None:
    """The same pages as everybody, in an order of one's own: first, then edited, then with counters, then again."""
    store = open_store(url)
    sums = []
    for text, likes in (("een", None), ("twee", None), ("twee", 7), ("twee", 7)):
        order = list(range(pages))
        random.Random(f"{seed} {text} {likes}").shuffle(order)  # noqa: S311 - an order, not a secret
        barrier.wait()
        total = Collected()
        for number in order:
            page = page_number(number, text)
            engaged = [replace(mention, engagement=Engagement(likes=likes)) for mention in page.mentions]
            random.Random(seed).shuffle(engaged)  # noqa: S311 - the same
            total += store.mentions.save_page(replace(page, mentions=tuple(engaged)), NOON)
        sums.append(total)
    store.close()
    told.put(sums)


def claim_all(url: str, agent: str, ids: list[int], barrier: Barrier, told: "Queue[list[int]]") -> None:
    store = open_store(url)
    won = []
    for case_id in ids:
        case = store.cases.get(case_id)
        assert case is not None
        barrier.wait()
        ahead = replace(case, version=case.version + 1, assignee=agent)
        try:
            store.cases.move(ahead, an_event(ahead, "claim", agent))
            won.append(case_id)
        except Conflict:
            pass
    store.close()
    told.put(won)


def claim_by_looking_first(url: str, agent: str, ids: list[int], barrier: Barrier, told: "Queue[list[int]]") -> None:
    """The mutant: read, then write, as if nobody came in between."""
    store = open_store(url)
    won = []
    for case_id in ids:
        case = store.cases.get(case_id)
        assert case is not None
        barrier.wait()
        if case.assignee is None:

            def take(conn: sa.Connection, case_id: int = case_id) -> None:
                change = sa.update(cases).where(cases.c.id == case_id).returning(cases.c.version)
                version = conn.execute(change.values(assignee=agent, version=cases.c.version + 1)).scalar_one()
                row = {"case_id": case_id, "version": version, "at": NOON, "actor": agent, "action": "claim"}
                conn.execute(sa.insert(case_events), {**row, "before": {}, "after": {}, "note": "", "opens": False})

            store._database.write(take)
            won.append(case_id)
    store.close()
    told.put(won)


def upgrade(url: str, barrier: Barrier, told: "Queue[str]") -> None:
    store = open_store(url)
    barrier.wait()
    try:
        store.upgrade()
        told.put("ok")
    except Exception as error:  # noqa: BLE001 - the test shows whatever it was
        told.put(repr(error))
    store.close()


def deliver_all(url: str, agent: str, barrier: Barrier, told: "Queue[list[int]]") -> None:
    store = open_store(url)
    barrier.wait()
    taken = []
    while part := store.alerts.take_due(agent, NOON, 7):
        taken += [delivery.id for delivery in part]
    store.close()
    told.put(taken)
