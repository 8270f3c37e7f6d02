"""What the town's webcare team did before you came: yesterday's cases are answered, a few are still theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.config import Policy
from monitor.domain.case import Action, act
from monitor.domain.clock import Calendar
from monitor.errors import Conflict, NotAllowed
from monitor.model import Case, CaseStatus, Priority
from monitor.protocols import CaseFilter, Store

_HANDLED_AFTER = timedelta(hours=14)
_CRISIS_HANDLED_AFTER = timedelta(hours=36)
_ANSWERED_WITHIN = timedelta(minutes=50)
_PAGE = 200
_ANSWER = {
    "nl": "Dank voor je bericht. We zoeken het uit en komen er vandaag bij je op terug.",
    "note": "Afgehandeld door het team van de proefstad.",
}
_TODO = (CaseStatus.NEW, CaseStatus.OPEN)


def work_off(store: Store, policy: Policy, calendar: Calendar, now: datetime) -> int:
    """Answer or close what came in before last night, in the agents' names and at the time they would have done so.

    Crises of yesterday stay open. Of the rest of the day every fourth case is taken by an agent. Returns how many were closed.
    """
    handled = 0
    for number, case in enumerate(_waiting(store, now)):
        agent = policy.agents[number % len(policy.agents)]
        handled_after = _CRISIS_HANDLED_AFTER if case.priority is Priority.CRITICAL else _HANDLED_AFTER
        if now - case.last_customer_at < handled_after:
            if number % 4 == 0:
                _moves(store, policy, calendar, case, [Action(name="claim", actor=agent)], now)
            continue
        at = min(case.last_customer_at + _ANSWERED_WITHIN, now)
        _moves(store, policy, calendar, case, _steps(case, agent, number), at)
        handled += 1
    return handled


def _waiting(store: Store, now: datetime) -> list[Case]:
    found: list[Case] = []
    after = None
    while True:
        page = store.cases.find(CaseFilter(statuses=_TODO), now=now, limit=_PAGE, after=after)
        found.extend(page)
        last = page[-1] if page else None
        if last is None or last.due_at is None or len(page) < _PAGE:
            return found
        after = (last.due_at, last.id)


def _steps(case: Case, agent: str, number: int) -> list[Action]:
    taken = Action(name="claim", actor=agent)
    answer = Action(name="answer", actor=agent, note=_ANSWER["nl"])
    if case.due_at is None:
        return [Action(name="dismiss", actor=agent, value="no_reply_needed")]
    if number % 7 == 0:
        return [taken, answer]
    return [taken, answer, Action(name="resolve", actor=agent, note=_ANSWER["note"])]


def _moves(  # noqa: PLR0913, PLR0917 - what a move is made with
    store: Store, policy: Policy, calendar: Calendar, case: Case, actions: list[Action], at: datetime
) -> None:
    for step, action in enumerate(actions):
        try:
            case = store.cases.move(*act(case, action, at + timedelta(minutes=step * 3), policy, calendar))
        except (Conflict, NotAllowed):
            return
