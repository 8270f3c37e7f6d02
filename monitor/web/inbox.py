"""The inbox: decide in two seconds what to take next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from monitor.errors import QueryError, SearchUnavailable
from monitor.model import Case, CaseStatus, Stored
from monitor.protocols import NO_DUE, CaseFilter
from monitor.web.page import ACTIVE, Desk, Viewer, desk_of, draw, place_of, viewer_of, words_for
from monitor.web.view import Row, group_of, row_of
from monitor.web.words import Words

PAGE = 50
_CRISES = 20
_MATCHES = 2_000
GROUPS = ("crisis", "late", "hour", "today", "later")
_TODO = (CaseStatus.NEW, CaseStatus.OPEN)
router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=4000)]


@router.get("/")
def inbox(  # noqa: PLR0913, PLR0917 - the query of an address
    request: Request,
    q: Text = "",
    queue: Text = "",
    view: Text = "",
    channel: Text = "",
    intent: Text = "",
    after: Text = "",
) -> Response:
    """The list, grouped by what comes first."""
    desk, viewer, words = desk_of(request), viewer_of(request), words_for(request)
    if viewer.agent is None and not desk.town:
        return draw(request, "start.html", agents=desk.settings.policy.agents)
    now = desk.now()
    wanted = _wanted(viewer, queue=queue, view=view, channel=channel, intent=intent)
    error: QueryError | None = None
    if q.strip():
        try:
            wanted = _only(wanted, _matching(desk, q))
        except QueryError as fault:
            error = fault
        except SearchUnavailable:
            wanted = _only(wanted, ())
    cases = [] if error else _cases(desk, wanted, now, place_of(after))
    more = len(cases) > PAGE
    cases = cases[:PAGE]
    rows = rows_for(desk, cases, viewer, words)
    grouped: dict[str, list[Row]] = {name: [] for name in GROUPS}
    for row, held in rows:
        intents = held.enrichment.intents if held.enrichment else ()
        grouped[group_of(row.case, intents, now, words)].append(row)
    chosen = {"q": q, "queue": queue, "view": view, "channel": channel, "intent": intent}
    following = ""
    if more:
        last = cases[-1]
        due = last.due_at or NO_DUE
        following = "/?" + urlencode({k: v for k, v in chosen.items() if v} | {"after": f"{due.isoformat()}~{last.id}"})
    return draw(
        request,
        "inbox.html",
        groups=[(name, grouped[name]) for name in GROUPS if grouped[name]],
        following=following,
        chosen=chosen,
        error=error,
        channels=sorted({source.channel for source in desk.settings.sources}),
        loaded=now,
    )


def rows_for(desk: Desk, cases: Sequence[Case], viewer: Viewer, words: Words) -> list[tuple[Row, Stored]]:
    """Rows with the mention that each shows; one read for all of them."""
    ids = [mention_id for case in cases for mention_id in case.mention_ids]
    held = desk.store.mentions.get(ids)
    found = []
    for case in cases:
        mentions = [held[i] for i in case.mention_ids if i in held]
        if not mentions:
            continue
        theirs = [stored for stored in mentions if not stored.mention.is_own] or mentions
        row = row_of(case, mentions, sources=desk.sources, now=desk.now(), words=words, agent=viewer.agent)
        found.append((row, theirs[-1]))
    return found


def _wanted(viewer: Viewer, *, queue: str, view: str, channel: str, intent: str) -> CaseFilter:
    values: dict[str, Any] = {"statuses": _TODO, "snoozed": False}
    if view == "mine":
        values |= {"assignee": viewer.agent or ""}
    elif view == "unassigned":
        values |= {"unassigned": True}
    elif view == "pending":
        values |= {"statuses": (CaseStatus.PENDING,)}
    elif view == "snoozed":
        values |= {"statuses": ACTIVE, "snoozed": True}
    elif view == "done":
        values |= {"statuses": (CaseStatus.RESOLVED, CaseStatus.DISMISSED), "snoozed": None}
    elif view == "buying":
        values |= {"intent": "buying_signal"}
    values |= {name: value for name, value in (("queue", queue), ("channel", channel), ("intent", intent)) if value}
    return CaseFilter(**values)


def _only(wanted: CaseFilter, ids: tuple[int, ...]) -> CaseFilter:
    return replace(wanted, ids=ids)


def _matching(desk: Desk, query: str) -> tuple[int, ...]:
    found = desk.index.search(query, limit=_MATCHES)
    held = desk.store.mentions.get(found.ids)
    return tuple(sorted({stored.case.id for stored in held.values() if stored.case is not None}))


def _cases(desk: Desk, wanted: CaseFilter, now: datetime, after: tuple[datetime, int] | None) -> list[Case]:
    """A page of cases; the first page begins with the crises, wherever their clocks stand."""
    first: list[Case] = []
    if after is None and wanted.intent is None:
        first = desk.store.cases.find(replace(wanted, intent="crisis"), now=now, limit=_CRISES)
    seen = {case.id for case in first}
    rest = desk.store.cases.find(wanted, now=now, limit=PAGE + 1 + len(first), after=after)
    return (first + [case for case in rest if case.id not in seen])[: PAGE + 1]
