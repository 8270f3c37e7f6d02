"""open_cases: tagged mentions become cases, or join the one that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.config import Policy
from monitor.domain import case as life
from monitor.domain.clock import Calendar
from monitor.errors import Conflict
from monitor.model import Case, Enrichment, Stored, digest
from monitor.protocols import Clock, Store

BATCH = 200
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the mentions went."""

    opened: int = 0
    joined: int = 0
    left: int = 0

    def __add__(self, other: Opened) -> Opened:
        return Opened(opened=self.opened + other.opened, joined=self.joined + other.joined, left=self.left + other.left)


def open_cases(  # noqa: PLR0913, PLR0917 - policy, calendar and clock are what a case is opened by
    store: Store,
    policy: Policy,
    calendar: Calendar,
    now: Clock,
    news_channels: frozenset[str] = frozenset({"news"}),
    progress: Callable[[int], None] = lambda _: None,
) -> Opened:
    """Look at each tagged mention once, in order of time; also wake the cases whose snooze ran out."""
    total = Opened()
    for case in store.cases.wake(now()):
        _wake(case, store, policy, calendar, now)
    while batch := store.mentions.to_triage(BATCH):
        before = total
        for stored in batch:
            total += _triage(stored, store, policy, calendar, now, news_channels)
        if total == before:
            break  # every case in it was moved by others each time: the next cycle looks again
        progress(total.opened + total.joined + total.left)
    return total


def _wake(case: Case, store: Store, policy: Policy, calendar: Calendar, now: Clock) -> None:
    action = life.Action(name="wake", actor=life.MACHINE)
    try:
        store.cases.move(*life.act(case, action, now(), policy, calendar))
    except Conflict:
        return  # an agent moved it meanwhile: it is awake or will be looked at again


def _triage(  # noqa: PLR0913, PLR0917 - see open_cases
    stored: Stored, store: Store, policy: Policy, calendar: Calendar, now: Clock, news_channels: frozenset[str]
) -> Opened:
    mention = stored.mention
    enrichment = stored.enrichment or Enrichment(mention_id=mention.id, content_hash=mention.content_hash, model="none")
    for _ in range(_TRIES):
        case, is_copy = _home(stored, enrichment, store)
        try:
            if case is not None:
                moved = (
                    life.copied(case, mention, now())
                    if is_copy
                    else life.joined(case, mention, enrichment, now(), policy, calendar)
                )
                store.cases.move(*moved, [stored])
                return Opened(joined=1)
            if life.deserves_case(mention, enrichment, news_channels=news_channels):
                store.cases.open(*life.opened(mention, enrichment, now(), policy, calendar), stored)
                return Opened(opened=1)
        except Conflict:
            continue  # somebody moved or opened it at this moment: look again
        store.mentions.mark_triaged([stored])
        return Opened(left=1)
    return Opened()


def _home(stored: Stored, enrichment: Enrichment, store: Store) -> tuple[Case | None, bool]:
    """The case a mention belongs to, and whether it is only a copy of what is in it."""
    mention = stored.mention
    if stored.case is not None:
        return store.cases.get(stored.case.id), False
    parent = digest(mention.origin, mention.parent_id) if mention.parent_id else None
    in_thread = store.cases.in_thread(mention.thread_key)
    if mention.is_own:
        return _answered(in_thread, parent), False
    same_person = [case for case in in_thread if case.author_key == mention.author_key]
    if same_person:
        return _best(same_person), False
    cluster = enrichment.cluster_id
    if cluster is not None and cluster != mention.id:
        twin = store.mentions.get([cluster]).get(cluster)
        if twin is not None and twin.case is not None:
            return store.cases.get(twin.case.id), True
    return None, False


def _answered(cases: Iterable[Case], parent: str | None) -> Case | None:
    """The case that our own reply answers: the one that holds its parent, else the newest one still active."""
    found = list(cases)
    holding = [case for case in found if parent in case.mention_ids]
    return _best(holding) or _best([case for case in found if case.status.is_active])


def _best(cases: list[Case]) -> Case | None:
    """An active case before a closed one, the newest first."""
    active = [case for case in cases if case.status.is_active]
    return next(iter(active or cases), None)
