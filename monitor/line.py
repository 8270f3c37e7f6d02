"""One cycle of the line, in order. Each stage is called with what it needs; none knows the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.bootstrap import System
from monitor.model import Alert, Source
from monitor.stages.collect import Collecting, Outcome
from monitor.stages.deliver import Delivered, deliver
from monitor.stages.index import index
from monitor.stages.open_cases import Opened, open_cases
from monitor.stages.raise_alerts import raise_alerts
from monitor.stages.recheck import recheck
from monitor.stages.tag import tag

RECHECK_EVERY = timedelta(hours=8)
"""X wants deleted posts gone within 24 hours."""

Tell = Callable[[str, str], None]
"""Called with a stage's name and how far it is, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one cycle did."""

    outcomes: Sequence[Outcome]
    tagged: int
    cases: Opened
    indexed: int
    alerts: Sequence[Alert]
    delivered: Delivered


def run_cycle(
    system: System,
    collecting: Collecting,
    sources: Sequence[Source],
    tell: Tell = lambda _stage, _words: None,
    patience: float | None = None,
) -> Cycle:
    """Collect these sources, then tag, open cases, index, raise alerts and deliver whatever the store holds."""
    done: list[Outcome] = []

    def collected(outcome: Outcome) -> None:
        done.append(outcome)
        tell("collect", f"{len(done)}/{len(sources)} sources, {sum(o.collected.new for o in done)} new mentions")

    tell("collect", f"0/{len(sources)} sources")
    outcomes = collecting.run(sources, patience=patience, progress=collected)
    for outcome in outcomes:
        if outcome.error is None and outcome.health is not None:
            recheck(outcome.source, system.connect, system.store, system.now, every=RECHECK_EVERY)
    tagged = tag(system.tagger, system.store, lambda n: tell("tag", f"{n} mentions"))
    tell("tag", f"{tagged} mentions")
    cases = open_cases(
        system.store,
        system.settings.policy,
        system.calendar,
        system.now,
        progress=lambda n: tell("open-cases", f"{n} mentions looked at"),
    )
    tell("open-cases", f"{cases.opened} opened, {cases.joined} joined, {cases.left} without a case")
    indexed = index(system.store, system.search, system.document, lambda n: tell("index", f"{n} documents"))
    tell("index", f"{indexed} documents")
    alerts = raise_alerts(system.store, system.settings.policy.rules, system.document, system.now)
    tell("raise-alerts", f"{len(alerts)} alerts")
    delivered = deliver(system.store, system.notifiers, system.now)
    tell("deliver", f"{delivered.delivered} delivered, {delivered.waiting} waiting")
    return Cycle(outcomes=outcomes, tagged=tagged, cases=cases, indexed=indexed, alerts=alerts, delivered=delivered)
