"""When a rule fires: pure over the mentions that match it. People are counted, not posts; copies count once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.model import Alert, Enrichment, Mention, Rule, RuleKind, Severity, Stored, digest

BASELINE = timedelta(days=7)
_SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_QUOTE_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A mention that matches a rule, with what counting needs."""

    mention: Mention
    enrichment: Enrichment | None

    @property
    def voice(self) -> str:
        """One person, or one text that many copied."""
        cluster = self.enrichment.cluster_id if self.enrichment else None
        return cluster or self.mention.author_key or self.mention.id


def hits_of(stored: Iterable[Stored]) -> list[Hit]:
    """Hits in order of time; our own words and automatic mail are none."""
    found = [
        Hit(mention=row.mention, enrichment=row.enrichment)
        for row in stored
        if not row.mention.is_own and not row.mention.is_automatic
    ]
    return sorted(found, key=lambda hit: (hit.mention.when, hit.mention.id))


def groups_of(rule: Rule, hits: Sequence[Hit]) -> Mapping[str, list[Hit]]:
    """Hits by the values of the rule's group; a hit with several values counts in each. "" where it has none."""
    grouped: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        for value in _values(rule.group_by, hit):
            grouped[value].append(hit)
    return grouped


def _values(group_by: str | None, hit: Hit) -> tuple[str, ...]:
    if group_by is None or hit.enrichment is None:
        return ("",)
    if group_by == "theme":
        return hit.enrichment.themes or ("",)
    if group_by == "topic":
        return hit.enrichment.topics or ("",)
    if group_by == "product":
        products = {entity.text.casefold() for entity in hit.enrichment.entities if entity.type == "product"}
        return tuple(sorted(products)) or ("",)
    return ("",)


def fire(rule: Rule, group: str, hits: Sequence[Hit], last: Alert | None, now: datetime) -> Alert | None:
    """The alert that these hits raise, or raise further; None where nothing changes.

    While new hits keep coming within `rule.realert` of the newest one, it is the same alert: its count grows, and its
    severity rises a step at every further `rule.threshold` of people (news of low severity stays low). After such a
    pause a new alert is opened.
    """
    alive = last is not None and now - last.updated_at < rule.realert
    since = last.window_start if alive and last else None
    if since is not None:
        recent = [hit for hit in hits if since <= hit.mention.when <= now]
    else:
        begin = max(now - rule.window, last.updated_at + timedelta(microseconds=1) if last else now - rule.window)
        recent = [hit for hit in hits if begin <= hit.mention.when <= now]
    voices = len({hit.voice for hit in recent})
    expected = usual(rule, hits, now) if rule.kind is RuleKind.SPIKE else None
    needed = rule.threshold if expected is None else max(rule.threshold, round(expected * rule.factor + 0.5))
    if not recent or (not alive and voices < needed):
        return None
    return _alert(rule, group, recent, voices=voices, expected=expected, last=last if alive else None, now=now)


def usual(rule: Rule, hits: Sequence[Hit], now: datetime) -> float:
    """How many people a window of this length had on average over the week before it."""
    end = now - rule.window
    begin = end - BASELINE
    voices = {(hit.voice, (hit.mention.when - begin) // rule.window) for hit in hits if begin <= hit.mention.when < end}
    return len(voices) / (BASELINE / rule.window)


def _alert(  # noqa: PLR0913 - all of these are on the alert
    rule: Rule,
    group: str,
    recent: Sequence[Hit],
    *,
    voices: int,
    expected: float | None,
    last: Alert | None,
    now: datetime,
) -> Alert | None:
    base = _SEVERITIES.index(rule.severity)
    step = max(voices // max(rule.threshold, 1) - 1, 0) if rule.severity is not Severity.LOW else 0
    severity = _SEVERITIES[min(base + step, len(_SEVERITIES) - 1)]
    first, newest = recent[0].mention, recent[-1].mention
    alert = Alert(
        id=digest(rule.id, first.when.isoformat(), group),
        rule_id=rule.id,
        severity=severity,
        title=f"{rule.name}: {group}" if group else rule.name,
        summary=_summary(recent, voices=voices, expected=expected),
        group=group,
        window_start=first.when,
        opened_at=now,
        updated_at=newest.when,
        mention_ids=tuple(hit.mention.id for hit in recent),
        count=voices,
        expected=expected,
    )
    if last is None:
        return alert
    if set(alert.mention_ids) <= set(last.mention_ids):
        return None
    risen = max(_SEVERITIES.index(severity), _SEVERITIES.index(last.severity))
    return replace(
        alert,
        id=last.id,
        window_start=last.window_start,
        opened_at=last.opened_at,
        severity=_SEVERITIES[risen],
        expected=last.expected,
        acknowledged_by=last.acknowledged_by,
        acknowledged_at=last.acknowledged_at,
    )


def _summary(recent: Sequence[Hit], *, voices: int, expected: float | None) -> str:
    compared = "" if expected is None else f" (usually {expected:.1f})"
    sources = len({hit.mention.source_id for hit in recent})
    quote = " ".join(recent[-1].mention.text.split())
    if len(quote) > _QUOTE_LENGTH:
        quote = quote[: _QUOTE_LENGTH - 1] + "…"
    return f"{voices} people{compared}, {len(recent)} mentions, {sources} sources. Newest: “{quote}”"
