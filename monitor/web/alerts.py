"""Alerts: know in ten seconds what happens, how unusual it is, and who has it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from monitor.errors import Conflict
from monitor.model import Alert, Stored
from monitor.web.page import back, desk_of, draw, viewer_of, words_for
from monitor.web.security import token_holds
from monitor.web.view import quoted
from monitor.web.words import Words

_LISTED, _QUOTES, _HOURS = 50, 3, 24
_WIDTH, _HEIGHT = 560, 120
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour: a rectangle in the chart, and its words."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Mentions an hour on the band of what is usual (None: no band is known)."""

    bars: tuple[Bar, ...]
    band: float | None
    top: int


@router.get("/alerts")
def alerts_page(request: Request) -> Response:
    """The list, with the newest opened beside it."""
    newest = desk_of(request).store.alerts.newest(_LISTED)
    return _page(request, newest[0].id if newest else None)


@router.get("/alerts/{alert_id}")
def alert_page(request: Request, alert_id: str) -> Response:
    """One alert."""
    return _page(request, alert_id)


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge(request: Request, alert_id: str, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """I take this. The first one has it."""
    if not token_holds(request, token):
        raise HTTPException(403)
    desk, viewer, words = desk_of(request), viewer_of(request), words_for(request)
    if viewer.agent is None:
        return draw(request, "start.html", status=403, agents=desk.settings.policy.agents)
    if desk.store.alerts.get(alert_id) is None:
        raise HTTPException(404)
    try:
        desk.store.alerts.acknowledge(alert_id, viewer.agent, desk.now())
    except Conflict as conflict:
        message = words("conflict", name=conflict.winner or words("somebody"))
        return draw(request, "refused.html", status=409, case=None, message=message, draft="")
    return back(f"/alerts/{alert_id}")


def _page(request: Request, alert_id: str | None) -> Response:
    desk, words = desk_of(request), words_for(request)
    listed = desk.store.alerts.newest(_LISTED)
    alert = desk.store.alerts.get(alert_id) if alert_id else None
    if alert_id and alert is None:
        raise HTTPException(404)
    held = list(desk.store.mentions.get(alert.mention_ids).values()) if alert else []
    held.sort(key=lambda stored: stored.mention.when)
    rule = next((r for r in desk.settings.policy.rules if alert and r.id == alert.rule_id), None)
    sources = Counter(stored.mention.source_id for stored in held)
    return draw(
        request,
        "alerts.html",
        listed=listed,
        alert=alert,
        rule=rule,
        quotes=_quotes(held),
        pieces=lambda stored: quoted(stored.mention, stored.enrichment),
        chart=chart_of(alert, held, rule.window if rule else timedelta(hours=1), words) if alert else None,
        deliveries=desk.store.alerts.deliveries(alert.id) if alert else [],
        spread=[(desk.sources[s].name if s in desk.sources else s, n) for s, n in sources.most_common(6)],
        first=held[0].mention.when if held else None,
        cases=sorted({stored.case.id for stored in held if stored.case}),
    )


def chart_of(alert: Alert, held: list[Stored], window: timedelta, words: Words) -> Chart:
    """The last 24 hours up to the newest mention; the band is the usual number an hour."""
    end = alert.updated_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = [end - timedelta(hours=n) for n in range(_HOURS, 0, -1)]
    counted: Counter[datetime] = Counter(
        stored.mention.when.replace(minute=0, second=0, microsecond=0) for stored in held
    )
    usual = None if alert.expected is None else alert.expected / (window / timedelta(hours=1))
    top = max([*(counted[hour] for hour in hours), 4])
    step = _WIDTH / _HOURS
    bars = tuple(
        Bar(
            x=round(n * step + 2, 1),
            y=round(_HEIGHT - _HEIGHT * counted[hour] / top, 1),
            width=round(step - 4, 1),
            height=round(_HEIGHT * counted[hour] / top, 1),
            label=words.time(hour),
            count=counted[hour],
            beyond=usual is not None and counted[hour] > usual * 2,
        )
        for n, hour in enumerate(hours)
    )
    band = None if usual is None else round(_HEIGHT - min(_HEIGHT * usual / top, _HEIGHT), 1)
    return Chart(bars=bars, band=band, top=top)


def _quotes(held: list[Stored]) -> list[Stored]:
    """The first mention and the two with the widest reach."""
    rest = sorted(held[1:], key=lambda s: (s.mention.author.followers or 0) if s.mention.author else 0, reverse=True)
    return held[:1] + rest[: _QUOTES - 1]
