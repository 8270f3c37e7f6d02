"""How soon a mention needs somebody, and the words or numbers that say so."""

from __future__ import annotations

from monitor.model import Enrichment, Mention, Priority

LARGE_AUDIENCE = 10_000
_ORDER = (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.CRITICAL)


def highest(*priorities: Priority) -> Priority:
    """The most pressing of these."""
    return max(priorities, key=_ORDER.index)


def judge(mention: Mention, enrichment: Enrichment) -> tuple[Priority, tuple[str, ...]]:
    """Priority and reasons as "kind:value" ("intent:crisis", "followers:12400"), the strongest first."""
    found: list[tuple[Priority, str]] = []
    if "crisis" in enrichment.intents:
        found.append((Priority.CRITICAL, "intent:crisis"))
    if enrichment.urgency in {"critical", "high", "low"}:
        found.append((Priority(enrichment.urgency), f"urgency:{enrichment.urgency}"))
    if "churn_risk" in enrichment.intents:
        found.append((Priority.HIGH, "intent:churn_risk"))
    followers = mention.author.followers if mention.author else None
    if followers is not None and followers >= LARGE_AUDIENCE:
        found.append((Priority.HIGH, f"followers:{followers}"))
    if enrichment.sentiment is None:
        found.append((Priority.NORMAL, "not_tagged"))
    elif enrichment.needs_reply == "yes":
        found.append((Priority.NORMAL, "needs_reply:yes"))
    else:
        found.append((Priority.LOW, f"needs_reply:{enrichment.needs_reply}"))
    found.sort(key=lambda reason: _ORDER.index(reason[0]), reverse=True)
    return found[0][0], tuple(reason for _, reason in found)
