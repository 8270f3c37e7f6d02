"""Search: find any mention, also dismissed or answered ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from monitor.errors import QueryError, SearchUnavailable
from monitor.protocols import Found
from monitor.query import parse
from monitor.query.lint import lint
from monitor.query.matcher import highlight
from monitor.web.page import desk_of, draw, place_of, words_for
from monitor.web.view import cut, tags_of

_PAGE = 50
_FACETS = ("channel", "sentiment", "intent", "theme", "month")
_SHOWN = 8
router = APIRouter(include_in_schema=False)


@router.get("/search")
def search(
    request: Request,
    q: Annotated[str, Query(max_length=70_000)] = "",
    after: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Results newest first with what matched marked, facets as links; a fault points at its character."""
    desk, words = desk_of(request), words_for(request)
    found, error, down, took, warnings = Found(ids=(), total=0), None, False, 0.0, []
    started = datetime.now(UTC)
    try:
        node = parse(q, zone=desk.settings.time_zone, now=desk.now())
        warnings = lint(node, q)
        found = desk.index.search(q, limit=_PAGE, after=place_of(after), facets=True)
    except QueryError as fault:
        error = fault
    except SearchUnavailable:
        down = True
    took = (datetime.now(UTC) - started).total_seconds() * 1000
    held = desk.store.mentions.get(found.ids)
    rows = []
    for stored in (held[i] for i in found.ids if i in held):
        title, text = stored.mention.title or "", stored.mention.text[:600]
        spans = highlight(node, title, text)
        rows.append(
            {
                "stored": stored,
                "title": cut(title, [(s, e, "hit") for f, s, e in spans if f == "title"]),
                "text": cut(text, [(s, e, "hit") for f, s, e in spans if f == "text"]),
                "tags": tags_of(stored.enrichment, words),
                "source": desk.sources.get(stored.mention.source_id),
            }
        )
    following = ""
    if found.next_after:
        following = "/search?" + urlencode(
            {"q": q, "after": f"{found.next_after[0].isoformat()}~{found.next_after[1]}"}
        )
    return draw(
        request, "search.html", q=q, error=error, down=down, found=found, rows=rows, warnings=warnings,
        facets=[(name, list((found.facets or {}).get(name, {}).items())[:_SHOWN]) for name in _FACETS],
        narrowed=lambda field, value: "/search?" + urlencode({"q": _narrowed(q, field, value)}),
        following=following, took=took,
    )  # fmt: skip


def _narrowed(query: str, field: str, value: str) -> str:
    if field == "month":
        year, month = value.split("-")
        last = f"{int(year) + (month == '12')}-{int(month) % 12 + 1:02}-01"
        term = f"published:>={value}-01 published:<{last}"
    else:
        term = f'{field}:"{value}"' if " " in value else f"{field}:{value}"
    return f"({query}) {term}" if " OR " in query else f"{query} {term}".strip()
