"""raise_alerts: the rules look at what was said lately, and fire once a window and group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta

from monitor.domain import alerting
from monitor.model import Alert, Delivery, Rule, RuleKind, SearchDocument, Stored
from monitor.protocols import Clock, Store
from monitor.query import parse
from monitor.query.anchors import RuleSet

_MARGIN = timedelta(hours=1)


def raise_alerts(
    store: Store, rules: Sequence[Rule], document: Callable[[Stored], SearchDocument], now: Clock
) -> list[Alert]:
    """Every alert that was opened or grew. Each channel of its rule gets one outbox row a severity."""
    moment = now()
    raised: list[Alert] = []
    if not rules:
        return raised
    hits = _hits(store, rules, document, now)
    for rule in rules:
        for group, members in sorted(alerting.groups_of(rule, hits[rule.id]).items()):
            alert = alerting.fire(rule, group, members, store.alerts.last_of(rule.id, group), moment)
            if alert is None:
                continue
            deliveries = [
                Delivery(alert_id=alert.id, channel=channel, next_at=moment, severity=alert.severity)
                for channel in rule.channels or ("console",)
            ]
            if store.alerts.raise_(alert, deliveries):
                raised.append(alert)
    return raised


def _hits(
    store: Store, rules: Sequence[Rule], document: Callable[[Stored], SearchDocument], now: Clock
) -> dict[str, list[alerting.Hit]]:
    moment = now()
    matching = RuleSet({rule.id: parse(rule.query) for rule in rules})
    found: dict[str, list[Stored]] = defaultdict(list)
    reach = max(_reach(rule) for rule in rules)
    for stored in store.mentions.between(moment - reach, moment + _MARGIN):
        for rule_id in matching.matching(document(stored)):
            found[rule_id].append(stored)
    return defaultdict(list, {rule_id: alerting.hits_of(rows) for rule_id, rows in found.items()})


def _reach(rule: Rule) -> timedelta:
    """How far back a rule has to look: its window, the week it compares with, and an alert that still lives."""
    baseline = alerting.BASELINE if rule.kind is RuleKind.SPIKE else timedelta(0)
    return max(rule.window + baseline, rule.realert * 2)
