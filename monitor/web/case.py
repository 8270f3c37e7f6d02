"""A case: answer well, once, in time. Each action is a form that works without script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from monitor.domain.case import Action, act
from monitor.errors import Conflict, NotAllowed
from monitor.model import Case, CaseEvent, Stored
from monitor.protocols import CaseFilter
from monitor.text.urls import absolute
from monitor.web.page import ACTIVE, Desk, back, desk_of, draw, say, viewer_of, words_for
from monitor.web.security import own_path, token_holds
from monitor.web.view import (
    ACCOUNT_DATA,
    case_pieces,
    clock_of,
    event_words,
    explained_tags,
    reason_words,
    why,
)
from monitor.web.words import Words

SNOOZES = ("1h", "3h", "tomorrow", "monday")
_MESSAGES = 50
router = APIRouter(include_in_schema=False)
Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=10_000)]
Address = Annotated[str, Form(max_length=50_000)]


class Verb(StrEnum):
    """What can be done with a case."""

    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    NOTE = "note"
    ANSWER = "answer"
    SNOOZE = "snooze"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    LABEL = "label"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step in the thread: a mention, or something that we wrote."""

    at: datetime
    kind: str
    who: str
    text: str = ""
    stored: Stored | None = None


@router.get("/cases/{case_id}")
def case_page(request: Request, case_id: int) -> Response:
    """The conversation, its evidence, what can be done, and what is known of this person."""
    desk, viewer, words = desk_of(request), viewer_of(request), words_for(request)
    case = _case(desk, case_id)
    events = desk.store.cases.events(case.id)
    held = desk.store.mentions.get(case.mention_ids)
    mentions = [held[i] for i in case.mention_ids if i in held]
    earlier = desk.store.cases.of_author(case.author_key) if case.author_key else []
    theirs = [stored for stored in mentions if not stored.mention.is_own] or mentions
    before, after, place = _neighbours(desk, case)
    return draw(
        request,
        "case.html",
        case=case,
        entries=thread(mentions, events)[-_MESSAGES:],
        hidden=max(len(thread(mentions, events)) - _MESSAGES, 0),
        clock=clock_of(case, desk.now(), words),
        source=desk.sources.get(case.source_id),
        newest=theirs[-1] if theirs else None,
        link=next((absolute(s.mention.url) for s in reversed(theirs) if absolute(s.mention.url)), None),
        tags=lambda stored: explained_tags(stored.enrichment, words),
        why=lambda stored, tag: why(stored.enrichment, tag.label, stored.mention.text, stored.mention.title or ""),
        pieces=lambda stored, tags, field="text": case_pieces(stored.mention, stored.enrichment, tags, field),
        entities=_entities(theirs),
        reasons=[reason_words(reason, words) for reason in case.reasons],
        earlier=[other for other in earlier if other.id != case.id][:5],
        timeline=[(event, event_words(event, words, viewer.agent)) for event in reversed(events)][:12],
        newest_event=events[-1] if events else None,
        snoozes=SNOOZES,
        reasons_to_dismiss=desk.settings.policy.dismiss_reasons,
        agents=[name for name in desk.settings.policy.agents if name != case.assignee],
        versions=desk.store.mentions.versions,
        before=before,
        after=after,
        place=place,
        queue=next((q for q in desk.settings.policy.queues if q.id == case.queue), None),
    )


def thread(mentions: Sequence[Stored], events: Sequence[CaseEvent]) -> list[Entry]:
    """What was said and written, in order of time; a note or answer that was taken back is left out."""
    found = [
        Entry(
            at=stored.mention.when,
            kind="own" if stored.mention.is_own else "customer",
            who=_name(stored),
            stored=stored,
        )
        for stored in mentions
    ]
    undone = {event.version - 1 for event in events if event.action == "undo"}
    found += [
        Entry(at=event.at, kind=event.action, who=event.actor, text=event.note)
        for event in events
        if event.action in {"note", "answer"} and event.version not in undone
    ]
    return sorted(found, key=lambda entry: entry.at)


@router.post("/cases/{case_id}/{name}")
def do(  # noqa: PLR0913, PLR0917 - a form's fields
    request: Request,
    case_id: int,
    name: Verb,
    version: Annotated[int, Form()],
    token: Short = "",
    note: Long = "",
    value: Short = "",
    next: Address = "/",  # noqa: A002 - the field's name in every form
) -> Response:
    """One move. Somebody else was first: the page says who, and nothing that was typed is lost."""
    if not token_holds(request, token):
        raise HTTPException(403)
    desk, viewer, words = desk_of(request), viewer_of(request), words_for(request)
    if viewer.agent is None:
        return draw(request, "start.html", status=403, agents=desk.settings.policy.agents)
    case = _case(desk, case_id)
    target = own_path(next)
    try:
        if case.version != version and name is not Verb.NOTE:
            raise _late(desk, case)
        moved, event = act(
            case,
            Action(name=name.value, actor=viewer.agent, note=note, value=value_of(desk, case, name, value, words)),
            desk.now(),
            desk.settings.policy,
            desk.calendar,
        )
        desk.store.cases.move(moved, event)
    except Conflict as conflict:
        return _refused(request, case, 409, words("conflict", name=conflict.winner or words("somebody")), note)
    except NotAllowed as refusal:
        return _refused(request, case, 409, str(refusal), note)
    answer = back(target)
    say(answer, name.value, who=case.author_name or words("nobody_named"), case_id=case.id, version=moved.version)
    return answer


def _late(desk: Desk, case: Case) -> Conflict:
    last = desk.store.cases.events(case.id)[-1]
    return Conflict("", winner=case.assignee or last.actor)


def _refused(request: Request, case: Case, status: int, message: str, draft: str) -> Response:
    return draw(request, "refused.html", status=status, case=case, message=message, draft=draft)


def value_of(desk: Desk, case: Case, name: Verb, value: str, words: Words) -> Any:
    """The value of an action from what a form or the API sends. Raises NotAllowed."""
    if name is Verb.SNOOZE:
        return snooze_until(value, desk.now(), words)
    if name is Verb.UNDO:
        events = desk.store.cases.events(case.id)
        return events[-1] if events else None
    if name is Verb.LABEL:
        return tuple(part.strip() for part in value.split(","))
    return value or None


def snooze_until(choice: str, now: datetime, words: Words) -> datetime:
    """When a snoozed case comes back: in one or three hours, tomorrow or Monday at nine, or an ISO moment."""
    local = now.astimezone(words.zone)
    nine = local.replace(hour=9, minute=0, second=0, microsecond=0)
    if choice in {"1h", "3h"}:
        return now + timedelta(hours=int(choice[0]))
    if choice == "tomorrow":
        return (nine + timedelta(days=1)).astimezone(now.tzinfo)
    if choice == "monday":
        return (nine + timedelta(days=7 - local.weekday())).astimezone(now.tzinfo)
    try:
        moment = datetime.fromisoformat(choice)
        return moment.astimezone(now.tzinfo) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise NotAllowed("snooze until 1h, 3h, tomorrow, monday or a moment such as 2026-11-30T09:00+01:00") from None


def _case(desk: Desk, case_id: int) -> Case:
    case = desk.store.cases.get(case_id) if 0 < case_id < 2**62 else None
    if case is None:
        raise HTTPException(404)
    return case


def _neighbours(desk: Desk, case: Case) -> tuple[int | None, int | None, tuple[int, int] | None]:
    """The cases before and after this one in its queue, and its place there."""
    wanted = CaseFilter(statuses=ACTIVE, queue=case.queue, snoozed=False)
    ids = [other.id for other in desk.store.cases.find(wanted, now=desk.now(), limit=200)]
    if case.id not in ids:
        return None, ids[0] if ids else None, None
    at = ids.index(case.id)
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None), (at + 1, len(ids))


def _entities(mentions: Sequence[Stored]) -> list[tuple[str, str]]:
    found = {
        (entity.type, re.sub(r"\s+", " ", entity.text))
        for stored in mentions
        for entity in (stored.enrichment.entities if stored.enrichment else ())
        if entity.type in ACCOUNT_DATA
    }
    return sorted(found, key=lambda pair: (ACCOUNT_DATA.index(pair[0]), pair[1]))


def _name(stored: Stored) -> str:
    author = stored.mention.author
    return (author.name or author.handle or "") if author else ""
