"""A row of the record as it is searched. Pure; values are canonical, missing ones are left out."""

from __future__ import annotations

from typing import Any

from monitor.model import Case, Enrichment, Mention, SearchDocument, Stored
from monitor.query.fields import canonical_value
from monitor.text.tokens import canonical, canonical_cs
from monitor.text.urls import host


def document(stored: Stored) -> SearchDocument:
    """A mention with its newest enrichment and its case's state."""
    fields = _collected(stored.mention) | _tagged(stored.mention, stored.enrichment) | _triaged(stored.case)
    return _document(stored.no, stored.revision, stored.mention, fields, cased=True)


def document_of(mention: Mention, enrichment: Enrichment | None = None, *, cased: bool = True) -> SearchDocument:
    """A mention that is not stored yet, for matching topics while tagging.

    Without `cased`, which halves the work, it serves queries that hold no exact word.
    """
    return _document(0, 0, mention, _collected(mention) | _tagged(mention, enrichment), cased=cased)


def _document(no: int, revision: int, mention: Mention, fields: dict[str, Any], *, cased: bool) -> SearchDocument:
    title = mention.title or ""
    return SearchDocument(
        no=no,
        id=mention.id,
        revision=revision,
        title_tokens=canonical(title),
        tokens=canonical(mention.text),
        title_tokens_cs=canonical_cs(title) if cased else (),
        tokens_cs=canonical_cs(mention.text) if cased else (),
        fields=fields,
        when=mention.when,
    )


def _collected(mention: Mention) -> dict[str, Any]:
    author, engagement = mention.author, mention.engagement
    equal = {
        "language": mention.language,
        "source": mention.source_id,
        "channel": mention.channel,
        "site": host(mention.url),
        "author": author.name if author else None,
        "handle": author.handle if author else None,
        "private": str(mention.is_private),
        "own": str(mention.is_own),
    }
    counted = {
        "rating": mention.rating,
        "followers": author.followers if author else None,
        "likes": engagement.likes,
        "replies": engagement.replies,
        "shares": engagement.shares,
        "views": engagement.views,
    }
    found: dict[str, Any] = {name: canonical_value(value) for name, value in equal.items() if value}
    found.update({name: float(value) for name, value in counted.items() if value is not None})
    found["fetched"] = mention.fetched_at
    if mention.published_at is not None:
        found["published"] = mention.published_at
    return found


def _tagged(mention: Mention, enrichment: Enrichment | None) -> dict[str, Any]:
    if enrichment is None or enrichment.content_hash != mention.content_hash:
        return {}
    many = {
        "topic": enrichment.topics,
        "theme": enrichment.themes,
        "intent": enrichment.intents,
        "entity": tuple(dict.fromkeys(e for entity in enrichment.entities for e in (entity.type, entity.text))),
    }
    found: dict[str, Any] = {name: tuple(map(canonical_value, values)) for name, values in many.items() if values}
    if enrichment.language:
        found["language"] = canonical_value(enrichment.language)
    if enrichment.sentiment is not None:
        found["sentiment"] = canonical_value(enrichment.sentiment.label)
        found["score"] = float(enrichment.sentiment.score)
    found["stage"] = canonical_value(enrichment.stage)
    found["urgency"] = canonical_value(enrichment.urgency)
    if enrichment.cluster_id:
        found["cluster"] = enrichment.cluster_id
    return found


def _triaged(case: Case | None) -> dict[str, Any]:
    if case is None:
        return {}
    found: dict[str, Any] = {
        "status": case.status.value,
        "queue": canonical_value(case.queue),
        "priority": case.priority.value,
    }
    if case.assignee:
        found["assignee"] = canonical_value(case.assignee)
    if case.labels:
        found["label"] = tuple(map(canonical_value, case.labels))
    return found
