"""Sources and their health: see what we do not see, and mend it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from monitor.model import Source, SourceHealth, SourceStatus
from monitor.web.page import Desk, desk_of, draw, overdue

_WORST_FIRST = (
    SourceStatus.NO_ACCESS,
    SourceStatus.NOT_UNDERSTOOD,
    SourceStatus.DELAYED,
    SourceStatus.LIMITED,
    SourceStatus.SILENT,
    SourceStatus.WAITING,
    SourceStatus.PAUSED,
    SourceStatus.CURRENT,
)
_GLYPHS = {
    SourceStatus.CURRENT: "ok",
    SourceStatus.SILENT: "warn",
    SourceStatus.DELAYED: "warn",
    SourceStatus.LIMITED: "warn",
    SourceStatus.NO_ACCESS: "stop",
    SourceStatus.NOT_UNDERSTOOD: "stop",
    SourceStatus.WAITING: "wait",
    SourceStatus.PAUSED: "wait",
}
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source in the table."""

    source: Source
    health: SourceHealth
    glyph: str
    set_aside: int

    @property
    def needs_a_person(self) -> bool:
        """Waiting does not mend it."""
        return self.glyph == "stop" or bool(self.source.missing)


@router.get("/sources")
def sources_page(request: Request) -> Response:
    """Worst first, with the reason in words and what to do."""
    desk = desk_of(request)
    lines = lines_of(desk, desk.now())
    return draw(
        request,
        "sources.html",
        lines=lines,
        urgent=[line for line in lines if line.needs_a_person],
        current=sum(line.health.status is SourceStatus.CURRENT for line in lines),
        set_aside=sum(line.set_aside for line in lines),
        mentions=desk.store.mentions.count(),
        lag=desk.store.mentions.index_lag(),
    )


def lines_of(desk: Desk, now: datetime) -> list[Line]:
    """Every configured source; one that should have been asked long ago is delayed, whatever it says."""
    known, dead = desk.store.sources.health(), desk.store.dead_letters.counts()
    lines = []
    for source in desk.settings.sources:
        health = known.get(source.id) or SourceHealth(source_id=source.id)
        if source.paused:
            health = replace(health, status=SourceStatus.PAUSED)
        elif health.status in {SourceStatus.CURRENT, SourceStatus.SILENT} and overdue(source, health, now):
            health = replace(health, status=SourceStatus.DELAYED)
        lines.append(Line(source=source, health=health, glyph=_GLYPHS[health.status], set_aside=dead.get(source.id, 0)))
    return sorted(lines, key=lambda line: (_WORST_FIRST.index(line.health.status), line.source.name.casefold()))
