"""What changes while a page is open: one stream of counts. Rows never move by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from monitor.web.page import Desk, desk_of, health_of, viewer_of

_EVERY = 10.0
_LONGEST = 360
router = APIRouter(include_in_schema=False)
Moment = Annotated[float, Query(ge=0, le=4e9, allow_inf_nan=False)]


@router.get("/live")
async def live(request: Request, since: Moment) -> StreamingResponse:
    """Counts, and how many cases are new since `since` (epoch seconds), every ten seconds for at most an hour."""
    desk, agent = desk_of(request), viewer_of(request).agent
    moment = datetime.fromtimestamp(since, UTC)

    async def told() -> AsyncIterator[bytes]:
        for _ in range(_LONGEST):
            if await request.is_disconnected():
                return
            state = await run_in_threadpool(state_of, desk, agent, moment)
            yield b"data: " + orjson.dumps(state) + b"\n\n"
            await asyncio.sleep(_EVERY)

    return StreamingResponse(told(), media_type="text/event-stream")


def state_of(desk: Desk, agent: str | None, since: datetime) -> dict[str, Any]:
    """The numbers of the rail and the header."""
    now = desk.now()
    counts, health = desk.store.cases.counts(now), health_of(desk, now)
    return {
        "new": desk.store.cases.opened_since(since),
        "todo": counts.todo,
        "late": counts.late,
        "unassigned": counts.unassigned,
        "pending": counts.pending,
        "snoozed": counts.snoozed,
        "mine": (counts.by_assignee or {}).get(agent or "", 0),
        "queues": counts.by_queue or {},
        "current": health.current,
        "lag": health.lag,
    }
