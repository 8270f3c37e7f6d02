"""The JSON API under /api/v1. Bodies are read as bytes, bounded and parsed strictly; the loser of a race gets 409."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from monitor.domain.case import Action, act
from monitor.errors import Conflict, NotAllowed
from monitor.model import Case, CaseEvent, CaseStatus
from monitor.protocols import NO_DUE, CaseFilter
from monitor.text.clean import clean, one_line
from monitor.web.case import Verb, value_of
from monitor.web.page import Desk, desk_of, health_of, place_of, words_for

_MAX_DEPTH = 20
_BIGGEST = 2**53
router = APIRouter(prefix="/api/v1")
CaseId = Annotated[int, Path(ge=1, le=_BIGGEST)]


class Move(BaseModel):
    """Who moves which version of a case. `value`: the agent, the moment, the reason; `note`: the words."""

    model_config = ConfigDict(extra="forbid", strict=True)
    agent: str = Field(min_length=1, max_length=60)
    version: int = Field(ge=0, le=_BIGGEST)
    note: str = Field("", max_length=10_000)
    value: str = Field("", max_length=200)


@router.get("/cases")
def cases(  # noqa: PLR0913, PLR0917 - the query of an address
    request: Request,
    status: Annotated[CaseStatus | None, Query()] = None,
    queue: Annotated[str | None, Query(max_length=100)] = None,
    assignee: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> JSONResponse:
    """Cases by due time; `after` is `next` of the page before."""
    desk = desk_of(request)
    wanted = CaseFilter(statuses=(status,) if status else (), queue=queue, assignee=assignee)
    found = desk.store.cases.find(wanted, now=desk.now(), limit=limit + 1, after=_place(after))
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = f"{(found[-1].due_at or NO_DUE).isoformat()}~{found[-1].id}"
    return JSONResponse({"cases": [case_json(case) for case in found], "next": following})


@router.get("/cases/{case_id}")
def case(request: Request, case_id: CaseId) -> JSONResponse:
    """One case with its events."""
    desk = desk_of(request)
    found = _found(desk, case_id)
    return JSONResponse(case_json(found) | {"events": [event_json(e) for e in desk.store.cases.events(case_id)]})


@router.post(
    "/cases/{case_id}/{verb}",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Move.model_json_schema()}}}
    },
    responses={
        400: {"description": "This is no JSON that we read."},
        404: {"description": "No such case."},
        409: {"description": "Somebody was first (`winner`), or the case cannot make this move."},
        413: {"description": "Too large."},
        415: {"description": "Not application/json."},
    },
)
async def move(request: Request, case_id: CaseId, verb: Verb) -> JSONResponse:
    """Make one move with the version that was seen."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send application/json")
    wanted = _read(await request.body())
    return await run_in_threadpool(_moved, request, case_id, verb, wanted)


def _moved(request: Request, case_id: int, verb: Verb, wanted: Move) -> JSONResponse:
    desk, agent = desk_of(request), one_line(wanted.agent, 60)
    if not agent:
        raise HTTPException(422, [{"field": "agent", "error": "a name has letters"}])
    found = _found(desk, case_id)
    try:
        if found.version != wanted.version:
            events = desk.store.cases.events(case_id)
            winner = found.assignee or (events[-1].actor if events else None)
            raise Conflict(f"{winner or 'somebody'} was first; look at the case again", winner=winner)  # noqa: TRY301
        value = value_of(desk, found, verb, clean(wanted.value), words_for(request))
        action = Action(name=verb.value, actor=agent, note=clean(wanted.note), value=value)
        moved, event = act(found, action, desk.now(), desk.settings.policy, desk.calendar)
        saved = desk.store.cases.move(moved, event)
    except Conflict as conflict:
        return JSONResponse({"error": str(conflict), "winner": conflict.winner}, status_code=409)
    except NotAllowed as refusal:
        return JSONResponse({"error": str(refusal), "winner": found.assignee}, status_code=409)
    return JSONResponse(case_json(saved))


def _read(body: bytes) -> Move:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400, "this is no JSON that we read") from None
    if not isinstance(value, dict) or _depth(value) > _MAX_DEPTH:
        raise HTTPException(400, "send one flat JSON object")
    try:
        return Move.model_validate(value)
    except ValidationError as error:
        faults = [{"field": ".".join(map(str, f["loc"])), "error": f["msg"]} for f in error.errors(include_input=False)]
        raise HTTPException(422, faults) from None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= _MAX_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def _found(desk: Desk, case_id: int) -> Case:
    found = desk.store.cases.get(case_id)
    if found is None:
        raise HTTPException(404, "no such case")
    return found


def _place(after: str | None) -> tuple[datetime, int] | None:
    if after is None:
        return None
    place = place_of(after.replace(" ", "+"))
    if place is None:
        raise HTTPException(400, "`after` is the value of `next` of the page before")
    return place


def case_json(found: Case) -> dict[str, Any]:
    """A case as JSON."""
    return {
        "id": found.id,
        "version": found.version,
        "status": found.status.value,
        "priority": found.priority.value,
        "reasons": list(found.reasons),
        "queue": found.queue,
        "assignee": found.assignee,
        "author": found.author_name,
        "channel": found.channel,
        "source": found.source_id,
        "topic": found.topic_id,
        "due_at": _iso(found.due_at),
        "snoozed_until": _iso(found.snoozed_until),
        "escalated_to": found.escalated_to,
        "labels": list(found.labels),
        "opened_at": _iso(found.opened_at),
        "first_reply_at": _iso(found.first_reply_at),
        "is_private": found.is_private,
        "mentions": list(found.mention_ids),
    }


def event_json(event: CaseEvent) -> dict[str, Any]:
    """An event as JSON."""
    return {
        "version": event.version,
        "at": _iso(event.at),
        "actor": event.actor,
        "action": event.action,
        "before": dict(event.before),
        "after": dict(event.after),
        "note": event.note,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def health_json(desk: Desk) -> dict[str, Any]:
    """Whether the record answers, how many sources are current, and how far search is behind."""
    health = health_of(desk, desk.now())
    return {
        "status": "ok",
        "sources": {"current": health.current, "total": health.total},
        "index_lag": health.lag,
        "mentions": desk.store.mentions.count(),
    }
