"""Nouns to rows and back. Text is cleaned here once: PostgreSQL refuses NUL, and every driver lone surrogates."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping

from monitor.model import (
    Alert,
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Delivery,
    DeliveryState,
    Engagement,
    Enrichment,
    Entity,
    Evidence,
    Mention,
    Priority,
    Sentiment,
    Severity,
    as_utc,
)
from monitor.protocols import NO_DUE
from monitor.text.clean import clean

Row = RowMapping
_COUNTERS = ("likes", "replies", "shares", "views")
_TIMES = ("published_at", "fetched_at", "edited_at", "removed_at")
_BIGGEST = 2**63 - 1


def cleaned(mention: Mention) -> Mention:
    """The mention as it is kept: clean text, times in UTC; of one that is gone at the source no words are kept."""
    author = mention.author
    if author is not None:
        words: dict[str, Any] = {name: _clean(getattr(author, name)) for name in ("native_id", "name", "handle", "url")}
        author = replace(author, **words, followers=_bounded(author.followers))
    gone = mention.removed_at is not None
    times: dict[str, Any] = {name: _utc(getattr(mention, name)) for name in _TIMES}
    counters = {name: _bounded(getattr(mention.engagement, name)) for name in _COUNTERS}
    return replace(
        mention,
        native_id=clean(mention.native_id),
        text="" if gone else clean(mention.text),
        title=None if gone else _clean(mention.title),
        url=_clean(mention.url),
        parent_id=_clean(mention.parent_id),
        thread_id=_clean(mention.thread_id),
        author=author,
        engagement=Engagement(**counters),
        **times,
    )


def mention_row(mention: Mention, revision: int) -> dict[str, Any]:
    """A row of `mentions` for a mention that is new at `revision`."""
    return {
        "id": mention.id,
        "source_id": mention.source_id,
        "origin": mention.origin,
        "native_id": mention.native_id,
        "channel": mention.channel,
        "url": mention.url,
        "title": mention.title,
        "text": mention.text,
        "language": mention.language,
        "author_key": mention.author_key,
        "when_at": mention.when,
        "parent_id": mention.parent_id,
        "thread_id": mention.thread_id,
        "rating": mention.rating,
        "rating_max": mention.rating_max,
        "is_private": mention.is_private,
        "is_own": mention.is_own,
        "is_automatic": mention.is_automatic,
        "content_hash": mention.content_hash,
        "revision": revision,
        "created_revision": revision,
        "content_revision": revision,
        "indexed_revision": 0,
        "tagged_revision": 0,
        "triaged_revision": 0,
        **{name: getattr(mention.engagement, name) for name in _COUNTERS},
        **{name: getattr(mention, name) for name in _TIMES},
    }


def author_row(mention: Mention) -> dict[str, Any] | None:
    """A row of `authors`, or None where the source names nobody."""
    if mention.author is None or mention.author_key is None:
        return None
    return {"key": mention.author_key, **asdict(mention.author)}


def mention_of(row: Row) -> Mention:
    """A mention from a joined row of mentions and authors (their columns prefixed with author_)."""
    author = None
    if row["author_key"] is not None:
        author = Author(
            native_id=row["author_native_id"],
            name=row["author_name"],
            handle=row["author_handle"],
            url=row["author_url"],
            followers=row["author_followers"],
            verified=row["author_verified"],
        )
    return Mention(
        source_id=row["source_id"],
        origin=row["origin"],
        native_id=row["native_id"],
        channel=row["channel"],
        url=row["url"],
        title=row["title"],
        text=row["text"],
        author=author,
        language=row["language"],
        published_at=row["published_at"],
        fetched_at=row["fetched_at"],
        edited_at=row["edited_at"],
        removed_at=row["removed_at"],
        parent_id=row["parent_id"],
        thread_id=row["thread_id"],
        rating=row["rating"],
        rating_max=row["rating_max"],
        engagement=Engagement(**{name: row[name] for name in _COUNTERS}),
        is_private=row["is_private"],
        is_own=row["is_own"],
        is_automatic=row["is_automatic"],
    )


def packed(raw: Mapping[str, Any]) -> bytes:
    """A raw answer, small."""
    try:
        data = orjson.dumps(raw, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        data = json.dumps(raw, default=str).encode("utf-8", "replace")
    return zlib.compress(data, 6)


def enrichment_data(enrichment: Enrichment) -> dict[str, Any]:
    """What the column `data` holds."""
    return asdict(enrichment)


def enrichment_of(data: Mapping[str, Any]) -> Enrichment:
    """An enrichment from the column `data`."""
    sentiment = data.get("sentiment")
    values = dict(data) | {
        "sentiment": Sentiment(**sentiment) if sentiment else None,
        "entities": tuple(Entity(**entity) for entity in data["entities"]),
        "evidence": tuple(Evidence(**evidence) for evidence in data["evidence"]),
    }
    for name in ("topics", "intents", "themes"):
        values[name] = tuple(data[name])
    return Enrichment(**values)


def case_row(case: Case) -> dict[str, Any]:
    """A row of `cases`, without its id and its mentions."""
    return {
        "version": case.version,
        "topic_id": case.topic_id,
        "author_key": case.author_key,
        "author_name": case.author_name,
        "person_key": case.author_key or case.thread_key,
        "thread_key": case.thread_key,
        "channel": case.channel,
        "source_id": case.source_id,
        "status": case.status.value,
        "priority": case.priority.value,
        "reasons": list(case.reasons),
        "queue": case.queue,
        "assignee": case.assignee,
        "due_at": case.due_at or NO_DUE,
        "snoozed_until": case.snoozed_until,
        "escalated_to": case.escalated_to,
        "labels": list(case.labels),
        "opened_at": case.opened_at,
        "last_customer_at": case.last_customer_at,
        "first_reply_at": case.first_reply_at,
        "is_private": case.is_private,
    }


def case_of(row: Row, mention_ids: Sequence[str] = ()) -> Case:
    """A case from a row of `cases`."""
    return Case(
        id=row["id"],
        version=row["version"],
        mention_ids=tuple(mention_ids),
        topic_id=row["topic_id"],
        author_key=row["author_key"],
        author_name=row["author_name"],
        thread_key=row["thread_key"],
        channel=row["channel"],
        source_id=row["source_id"],
        status=CaseStatus(row["status"]),
        priority=Priority(row["priority"]),
        reasons=tuple(row["reasons"]),
        queue=row["queue"],
        assignee=row["assignee"],
        due_at=None if row["due_at"] == NO_DUE else row["due_at"],
        snoozed_until=row["snoozed_until"],
        escalated_to=row["escalated_to"],
        labels=tuple(row["labels"]),
        opened_at=row["opened_at"],
        last_customer_at=row["last_customer_at"],
        first_reply_at=row["first_reply_at"],
        is_private=row["is_private"],
    )


def event_row(event: CaseEvent) -> dict[str, Any]:
    """A row of `case_events`."""
    return asdict(event) | {"note": clean(event.note), "actor": clean(event.actor)}


def event_of(row: Row) -> CaseEvent:
    """An event from a row of `case_events`."""
    return CaseEvent(**{name: row[name] for name in CaseEvent.__dataclass_fields__})


def alert_row(alert: Alert) -> dict[str, Any]:
    """A row of `alerts`."""
    values = asdict(alert)
    values["group_value"] = values.pop("group")
    return values | {"severity": alert.severity.value, "mention_ids": list(alert.mention_ids)}


def alert_of(row: Row) -> Alert:
    """An alert from a row of `alerts`."""
    values = dict(row)
    values["group"] = values.pop("group_value")
    return Alert(**values | {"severity": Severity(row["severity"]), "mention_ids": tuple(row["mention_ids"])})


def delivery_of(row: Row) -> Delivery:
    """A delivery from a row of `deliveries`."""
    values = {name: row[name] for name in Delivery.__dataclass_fields__}
    return Delivery(**values | {"state": DeliveryState(row["state"]), "severity": Severity(row["severity"])})


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970: what revisions start from."""
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else as_utc(moment)


def _bounded(count: int | None) -> int | None:
    return None if count is None else max(-_BIGGEST, min(int(count), _BIGGEST))
