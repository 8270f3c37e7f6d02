"""What all pages share: the things they work with, who is looking, and how a template is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.config import Settings
from monitor.domain.clock import Calendar
from monitor.domain.health import is_due
from monitor.model import CaseStatus, Source, SourceHealth, SourceStatus
from monitor.protocols import CaseCounts, Clock, SearchIndex, Store
from monitor.text.clean import one_line
from monitor.web.security import CSRF_COOKIE, new_token
from monitor.web.view import initials
from monitor.web.words import LANGUAGES, Words

AGENT_COOKIE, SAID_COOKIE = "agent", "said"
_YEAR = 365 * 24 * 3600
_DIGITS = 17  # below 2**63
_VIEWS = ("mine", "unassigned", "pending", "snoozed", "buying")
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["initials"] = initials


@dataclass(frozen=True)
class Desk:
    """The things that every page works with."""

    store: Store
    index: SearchIndex
    settings: Settings
    now: Clock
    calendar: Calendar
    town: bool

    @property
    def sources(self) -> dict[str, Source]:
        """Configured sources by id."""
        return {source.id: source for source in self.settings.sources}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who is looking, and how they like it."""

    agent: str | None
    language: str
    theme: str
    letters: bool


def desk_of(request: Request) -> Desk:
    """The desk of this application."""
    desk: Desk = request.app.state.desk
    return desk


def viewer_of(request: Request) -> Viewer:
    """Read from cookies; nothing here is trusted beyond display and the name under a move."""
    cookies = request.cookies
    name = one_line(unquote(cookies.get(AGENT_COOKIE, "")), 60) or None
    accepted = request.headers.get("accept-language", "")[:2].lower()
    wanted = cookies.get("language", "")
    default = desk_of(request).settings.language
    language = next((code for code in (wanted, accepted if not wanted else "", default) if code in LANGUAGES), "nl")
    theme = cookies.get("theme", "")
    return Viewer(
        agent=name,
        language=language,
        theme=theme if theme in {"light", "dark"} else "system",
        letters=cookies.get("letters", "on") != "off",
    )


def words_for(request: Request) -> Words:
    """The words for this viewer."""
    return Words(viewer_of(request).language, desk_of(request).settings.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How many sources are current, for the header."""

    current: int
    total: int
    lag: int


def health_of(desk: Desk, now: datetime) -> Health:
    """A source is current when its last attempt went well and the next one is not long overdue."""
    known = desk.store.sources.health()
    good = {SourceStatus.CURRENT, SourceStatus.SILENT}
    current = sum(
        1
        for source in desk.settings.sources
        if (health := known.get(source.id)) is not None and health.status in good and not overdue(source, health, now)
    )
    return Health(current=current, total=len(desk.settings.sources), lag=desk.store.mentions.index_lag())


def overdue(source: Source, health: SourceHealth, now: datetime) -> bool:
    """Nobody has asked this source for three times its interval and an hour."""
    patience = source.every * 3 + timedelta(hours=1)
    return is_due(source, health, now - patience)


def draw(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page in the frame: the rail with its counts, the said line, the viewer's language and theme."""
    desk, viewer, words = desk_of(request), viewer_of(request), words_for(request)
    now = desk.now()
    token = request.cookies.get(CSRF_COOKIE) or new_token()
    frame = {
        "t": words,
        "now": now,
        "desk": desk,
        "viewer": viewer,
        "token": token,
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "rail": _rail(desk, viewer, now),
        "health": health_of(desk, now),
        "said": said_of(request),
        "views": _VIEWS,
    }
    html = _templates.get_template(template).render(frame | values)
    response = HTMLResponse(html, status_code=status)
    if CSRF_COOKIE not in request.cookies:
        response.set_cookie(CSRF_COOKIE, token, max_age=_YEAR, httponly=True, samesite="lax")
    return response


def draw_alone(request: Request, template: str, status: int, **values: Any) -> Response:
    """A page without the frame, which asks nothing of the record: for when the record itself does not answer."""
    frame = {"t": words_for(request), "viewer": viewer_of(request)}
    return HTMLResponse(_templates.get_template(template).render(frame | values), status_code=status)


def _rail(desk: Desk, viewer: Viewer, now: datetime) -> dict[str, Any]:
    counts: CaseCounts = desk.store.cases.counts(now)
    by_assignee = counts.by_assignee or {}
    open_alerts = sum(1 for alert in desk.store.alerts.newest(50) if alert.acknowledged_by is None)
    return {
        "counts": counts,
        "queues": counts.by_queue or {},
        "mine": by_assignee.get(viewer.agent or "", 0),
        "unassigned": counts.unassigned,
        "pending": counts.pending,
        "snoozed": counts.snoozed,
        "alerts": open_alerts,
    }


def back(target: str) -> RedirectResponse:
    """Go on after a form."""
    return RedirectResponse(target, status_code=303)


def remember(response: Response, name: str, value: str) -> None:
    """A preference of this browser."""
    response.set_cookie(name, quote(value), max_age=_YEAR, httponly=True, samesite="lax")


def say(response: Response, key: str, *, who: str, case_id: int, version: int) -> None:
    """What just happened, shown until the next action, with the version that an undo takes back."""
    text = quote(f"{key}|{case_id}|{version}|{one_line(who, 60)}")
    response.set_cookie(SAID_COOKIE, text, max_age=3600, httponly=True, samesite="lax")


def said_of(request: Request) -> dict[str, Any] | None:
    """The said line, or None."""
    parts = unquote(request.cookies.get(SAID_COOKIE, "")).split("|", 3)
    if len(parts) != 4:  # noqa: PLR2004 - as `say` writes it
        return None
    case_id, version = number_of(parts[1]), number_of(parts[2])
    if case_id is None or version is None:
        return None
    words = words_for(request)
    if not words.known(f"said.{parts[0]}"):
        return None
    undo = parts[0] not in {"undo", "conflict"}
    return {
        "text": words(f"said.{parts[0]}", name=parts[3]),
        "case_id": case_id,
        "version": version,
        "undo": undo,
    }


def number_of(text: str) -> int | None:
    """A row's number as an address or a cookie has it; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def place_of(text: str) -> tuple[datetime, int] | None:
    """Where a page begins, "moment~number"; None for anything else."""
    moment, _, last = text.partition("~")
    number = number_of(last)
    if number is None:
        return None
    try:
        when = datetime.fromisoformat(moment)
        return (when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)), number
    except (ValueError, OverflowError):
        return None


ACTIVE = tuple(status for status in CaseStatus if status.is_active)
