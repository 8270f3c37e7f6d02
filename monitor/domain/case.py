"""The life of a case as a pure state machine: (case, action, now) gives (case, event) or NotAllowed.

new -> open -> pending -> resolved, new or open -> dismissed with a reason, back to open when the customer writes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.config import Policy
from monitor.domain.clock import Calendar, due_at, service_level
from monitor.domain.priority import highest, judge
from monitor.domain.routing import queue_for
from monitor.errors import NotAllowed
from monitor.model import Case, CaseEvent, CaseStatus, Enrichment, Json, Mention, Priority

MACHINE = "monitor"
"""The actor of moves that nobody made by hand."""

_TIMES = frozenset({"due_at", "snoozed_until", "opened_at", "last_customer_at", "first_reply_at"})
_TUPLES = frozenset({"labels", "reasons", "mention_ids"})
_UNLOGGED = frozenset({"id", "version"})
_NOT_UNDOABLE = frozenset({"opened", "customer_wrote", "customer_edited", "copied", "own_reply", "undo", "wake"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody wants to do with a case. `value` depends on the name: see act."""

    name: str
    actor: str
    note: str = ""
    value: Any = None


def act(case: Case, action: Action, now: datetime, policy: Policy, calendar: Calendar) -> tuple[Case, CaseEvent]:
    """Make one move.

    claim, release, assign (value: agent), note (note), answer (note: the words sent), snooze (value: aware datetime),
    escalate (value: to whom), resolve, dismiss (value: one of policy.dismiss_reasons), reopen,
    label (value: tuple of labels), undo (value: the CaseEvent to take back, the case's newest). Raises NotAllowed.
    """
    move = _MOVES.get(action.name)
    if move is None:
        raise NotAllowed(f"there is no action called {action.name}")
    return _moved(case, move(case, action, now, policy, calendar), action, now)


def _moved(case: Case, after: Case, action: Action, now: datetime) -> tuple[Case, CaseEvent]:
    after = replace(after, version=case.version + 1)
    before_values, after_values = changed_fields(case, after)
    event = CaseEvent(
        case_id=case.id,
        version=after.version,
        at=now,
        actor=action.actor,
        action=action.name,
        before=before_values,
        after=after_values,
        note=action.note,
    )
    return after, event


def changed_fields(before: Case, after: Case) -> tuple[dict[str, Json], dict[str, Json]]:
    """The fields that differ, as JSON values, on either side."""
    names = [
        f.name for f in fields(Case) if f.name not in _UNLOGGED and getattr(before, f.name) != getattr(after, f.name)
    ]
    return {n: _to_json(getattr(before, n)) for n in names}, {n: _to_json(getattr(after, n)) for n in names}


def _to_json(value: Any) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, StrEnum) else value


def _from_json(values: Mapping[str, Json]) -> dict[str, Any]:
    def read(name: str, value: Json) -> Any:
        if value is None:
            return None
        if name in _TIMES:
            return datetime.fromisoformat(str(value))
        if name in _TUPLES:
            return tuple(value)
        if name == "status":
            return CaseStatus(value)
        return Priority(value) if name == "priority" else value

    return {name: read(name, value) for name, value in values.items()}


def _must_be_active(case: Case, verb: str) -> None:
    if not case.status.is_active:
        raise NotAllowed(f"a case that is {case.status.value} cannot be {verb}; reopen it first")


_Move = Callable[[Case, Action, datetime, Policy, Calendar], Case]


def _claim(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "taken")
    if case.assignee == action.actor:
        raise NotAllowed("this case is yours already")
    if case.assignee is not None:
        raise NotAllowed(f"{case.assignee} has this case; ask them to let go, or assign it")
    status = CaseStatus.OPEN if case.status is CaseStatus.NEW else case.status
    return replace(case, assignee=action.actor, status=status)


def _release(case: Case, _action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "let go")
    if case.assignee is None:
        raise NotAllowed("nobody has this case")
    return replace(case, assignee=None)


def _assign(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "given away")
    agent = str(action.value or "").strip()
    if not agent:
        raise NotAllowed("say to whom")
    if agent == case.assignee:
        raise NotAllowed(f"{agent} has this case already")
    status = CaseStatus.OPEN if case.status is CaseStatus.NEW else case.status
    return replace(case, assignee=agent, status=status)


def _note(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    if not action.note.strip():
        raise NotAllowed("a note without words is no note")
    return case


def _answer(case: Case, action: Action, now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "answered")
    if not action.note.strip():
        raise NotAllowed("an answer without words is no answer")
    return replace(
        case,
        status=CaseStatus.PENDING,
        due_at=None,
        snoozed_until=None,
        assignee=case.assignee or action.actor,
        first_reply_at=case.first_reply_at or now,
    )


def _snooze(case: Case, action: Action, now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "snoozed")
    if not isinstance(action.value, datetime) or action.value.tzinfo is None or action.value <= now:
        raise NotAllowed("snooze until a moment that is still to come")
    return replace(case, snoozed_until=action.value)


def _wake(case: Case, _action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    if case.snoozed_until is None:
        raise NotAllowed("this case is not snoozed")
    return replace(case, snoozed_until=None)


def _escalate(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "escalated")
    target = str(action.value or "").strip() or "lead"
    if case.escalated_to == target:
        raise NotAllowed("this case is escalated already")
    return replace(case, escalated_to=target, priority=highest(case.priority, Priority.HIGH))


def _resolve(case: Case, _action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    _must_be_active(case, "resolved")
    return replace(case, status=CaseStatus.RESOLVED, due_at=None, snoozed_until=None)


def _dismiss(case: Case, action: Action, _now: datetime, policy: Policy, _calendar: Calendar) -> Case:
    if case.status not in {CaseStatus.NEW, CaseStatus.OPEN}:
        raise NotAllowed(f"a case that is {case.status.value} cannot be dismissed")
    if action.value not in policy.dismiss_reasons:
        raise NotAllowed(f"say why: one of {', '.join(policy.dismiss_reasons)}")
    return replace(case, status=CaseStatus.DISMISSED, due_at=None, snoozed_until=None)


def _reopen(case: Case, _action: Action, now: datetime, policy: Policy, calendar: Calendar) -> Case:
    if case.status.is_active:
        raise NotAllowed("this case is open already")
    level = service_level(policy, intents=(), channel=case.channel, priority=case.priority)
    return replace(case, status=CaseStatus.OPEN, due_at=due_at(level, now, calendar))


def _label(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    labels = tuple(dict.fromkeys(str(label).strip() for label in action.value or () if str(label).strip()))
    if labels == case.labels:
        raise NotAllowed("these are its labels already")
    return replace(case, labels=labels)


def _undo(case: Case, action: Action, _now: datetime, _policy: Policy, _calendar: Calendar) -> Case:
    event = action.value
    if not isinstance(event, CaseEvent) or event.case_id != case.id or event.version != case.version:
        raise NotAllowed("only the newest step of a case can be taken back")
    if event.action in _NOT_UNDOABLE:
        raise NotAllowed("what the customer or the machine did cannot be taken back")
    return replace(case, **_from_json(event.before))


_MOVES: Mapping[str, _Move] = {
    "claim": _claim,
    "release": _release,
    "assign": _assign,
    "note": _note,
    "answer": _answer,
    "snooze": _snooze,
    "wake": _wake,
    "escalate": _escalate,
    "resolve": _resolve,
    "dismiss": _dismiss,
    "reopen": _reopen,
    "label": _label,
    "undo": _undo,
}
ACTIONS = tuple(_MOVES)


def opened(
    mention: Mention, enrichment: Enrichment, now: datetime, policy: Policy, calendar: Calendar
) -> tuple[Case, CaseEvent]:
    """A new case for this mention, with its first event. The clock runs from the customer's words."""
    priority, reasons = judge(mention, enrichment)
    level = service_level(policy, intents=enrichment.intents, channel=mention.channel, priority=priority)
    start = min(mention.when, now)
    author = mention.author
    case = Case(
        version=1,
        mention_ids=(mention.id,),
        topic_id=enrichment.topics[0] if enrichment.topics else None,
        author_key=mention.author_key,
        author_name=(author.name or author.handle) if author else None,
        thread_key=mention.thread_key,
        channel=mention.channel,
        source_id=mention.source_id,
        priority=priority,
        reasons=(*reasons, *([f"level:{level.name}"] if level else [])),
        queue=queue_for(mention, enrichment, policy),
        due_at=None if enrichment.needs_reply == "no" and priority is Priority.LOW else due_at(level, start, calendar),
        opened_at=now,
        last_customer_at=mention.when,
        is_private=mention.is_private,
    )
    event = CaseEvent(
        case_id=0,
        version=1,
        at=now,
        actor=MACHINE,
        action="opened",
        after={
            "status": case.status.value,
            "queue": case.queue,
            "priority": case.priority.value,
            "due_at": _to_json(case.due_at),
            "mention_ids": [mention.id],
        },
    )
    return case, event


def joined(  # noqa: PLR0913, PLR0917 - a follow-up is judged by all of these
    case: Case, mention: Mention, enrichment: Enrichment, now: datetime, policy: Policy, calendar: Calendar
) -> tuple[Case, CaseEvent]:
    """The case after a follow-up: our own words stop the clock, the customer's start it, bare thanks do neither."""
    after = case
    if mention.id not in case.mention_ids:
        after = replace(after, mention_ids=(*case.mention_ids, mention.id))
        name = "own_reply" if mention.is_own else "customer_wrote"
    else:
        name = "customer_edited"
    if name == "own_reply":
        if case.status.is_active:
            after = replace(
                after, status=CaseStatus.PENDING, due_at=None, first_reply_at=case.first_reply_at or mention.when
            )
    elif name == "customer_wrote" and not is_bare_thanks(enrichment):
        priority, reasons = judge(mention, enrichment)
        raised = highest(case.priority, priority)
        level = service_level(policy, intents=enrichment.intents, channel=mention.channel, priority=raised)
        due = due_at(level, min(mention.when, now), calendar)
        waiting = case.status in {CaseStatus.NEW, CaseStatus.OPEN}
        after = replace(
            after,
            status=case.status if waiting else CaseStatus.OPEN,
            due_at=case.due_at if waiting and case.due_at is not None else due,
            priority=raised,
            reasons=tuple(dict.fromkeys((*(reasons if raised != case.priority else ()), *case.reasons))),
            snoozed_until=None,
            last_customer_at=max(case.last_customer_at, mention.when),
        )
    return _moved(case, after, Action(name=name, actor=MACHINE), now)


def copied(case: Case, mention: Mention, now: datetime) -> tuple[Case, CaseEvent]:
    """The case after another copy of its text was found: a fact, not a new message."""
    after = replace(case, mention_ids=(*case.mention_ids, mention.id))
    return _moved(case, after, Action(name="copied", actor=MACHINE), now)


def is_bare_thanks(enrichment: Enrichment) -> bool:
    """A message that only closes the conversation."""
    return "thanks" in enrichment.intents and not {"question", "complaint", "crisis", "churn_risk"} & set(
        enrichment.intents
    )


def deserves_case(mention: Mention, enrichment: Enrichment, *, news_channels: frozenset[str]) -> bool:
    """Whether a mention that belongs to no case yet opens one.

    Somebody has to look at what could not be tagged, at what came in private, at what expects or deserves an answer,
    at every crisis and at news about us. Our own words, automatic mail, bare thanks and advertising open none.
    """
    if mention.is_own or mention.is_automatic or mention.removed_at is not None or is_bare_thanks(enrichment):
        return False
    if not mention.is_private and not enrichment.topics:
        return False
    if "crisis" in enrichment.intents or enrichment.urgency in {"critical", "high"}:
        return True
    if "promotion" in enrichment.intents:
        return False
    if enrichment.sentiment is None or mention.is_private:
        return True
    return enrichment.needs_reply in {"yes", "optional"} or mention.channel in news_channels
