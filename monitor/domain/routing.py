"""Which queue takes a case."""

from __future__ import annotations

from monitor.config import Policy
from monitor.model import Enrichment, Mention

FALLBACK = "general"


def queue_for(mention: Mention, enrichment: Enrichment, policy: Policy) -> str:
    """The first queue whose intents, themes and channels fit; the last queue, or "general", takes the rest."""
    for queue in policy.queues:
        if (
            (not queue.intents or set(queue.intents) & set(enrichment.intents))
            and (not queue.themes or set(queue.themes) & set(enrichment.themes))
            and (not queue.channels or mention.channel in queue.channels)
        ):
            return queue.id
    return policy.queues[-1].id if policy.queues else FALLBACK
