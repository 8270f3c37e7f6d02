"""Between the nouns and the rows: pure, and the one place where text that an engine would refuse is cleaned."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TypeVar

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
    digest,
)
from monitor.store.tables import NO_DUE

_REFUSED = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps no NUL, no driver keeps a lone surrogate
_LARGEST = 2**63 - 1

T = TypeVar("T")
Row = dict[str, Any]


def clean(value: T) -> T:
    """The same value with U+FFFD for each character that no engine keeps, at any depth: positions in a text stay."""
    if isinstance(value, str):
        return _REFUSED.sub("\ufffd", value)  # type: ignore[return-value]  # str in, str out
    if isinstance(value, Mapping):
        return {clean(key): clean(part) for key, part in value.items()}  # type: ignore[return-value]  # read only
    if isinstance(value, (list, tuple)):
        return type(value)(clean(part) for part in value)
    return value


def clean_mention(mention: Mention) -> Mention:
    """The mention as it can be kept: clean text, times in UTC, and nothing left of what was removed at its source.

    Raises ValueError for a time without zone or a number beyond 64 bits.
    """
    changed: dict[str, Any] = {}
    for name in _TEXTS:
        changed[name] = clean(getattr(mention, name))
    for name in ("fetched_at", "published_at", "edited_at", "removed_at"):
        moment: datetime | None = getattr(mention, name)
        changed[name] = None if moment is None else as_utc(moment)
    if mention.author is not None:
        changed["author"] = replace(mention.author, **{name: clean(getattr(mention.author, name)) for name in _AUTHOR})
    numbers = [*asdict(mention.engagement).values(), mention.author.followers if mention.author else None]
    if any(number is not None and not -_LARGEST <= number <= _LARGEST for number in numbers):
        raise ValueError("a counter is larger than 64 bits")
    if mention.removed_at is not None:
        changed |= {"title": None, "text": "", "raw": {}}
    return replace(mention, **changed)


_TEXTS = ("source_id", "origin", "native_id", "channel", "url", "title", "text", "language", "parent_id", "thread_id")
_AUTHOR = ("native_id", "name", "handle", "url")


def mention_row(mention: Mention, now: datetime, revision: int) -> Row:
    """A row of `mentions` for a mention that `clean_mention` made."""
    return {
        **{name: getattr(mention, name) for name in _SAME},
        **asdict(mention.engagement),
        "id": mention.id,
        "author_key": mention.author_key,
        "followers": mention.author.followers if mention.author else None,
        "when_at": mention.when,
        "content_hash": mention.content_hash,
        "content_at": now,
        "revision": revision,
        "created_revision": revision,
        "content_revision": revision,
        "indexed_revision": 0,
        "tagged_revision": 0,
        "triaged_revision": 0,
    }


_SAME = (
    *("source_id", "origin", "native_id", "channel", "url", "title", "text", "language", "published_at", "fetched_at"),
    *("edited_at", "parent_id", "thread_id", "rating", "rating_max", "is_private", "is_own", "is_automatic"),
    "removed_at",
)


def author_row(mention: Mention) -> Row | None:
    """A row of `authors`, if the source names somebody."""
    if mention.author is None or mention.author_key is None:
        return None
    told = mention.author
    return {
        "key": mention.author_key,
        "native_id": told.native_id,
        "name": told.name,
        "handle": told.handle,
        "url": told.url,
        "verified": told.verified,
    }


def read_mention(row: Mapping[Any, Any]) -> Mention:
    """A mention from its row; the author's columns are called author_<field>. `raw` stays in the record."""
    author = None
    if row["author_key"] is not None:
        told = {name: row[f"author_{name}"] for name in (*_AUTHOR, "verified")}
        author = Author(followers=row["followers"], **told)
    engagement = Engagement(**{name: row[name] for name in ("likes", "replies", "shares", "views")})
    return Mention(author=author, engagement=engagement, **{name: row[name] for name in _SAME})


def pack_raw(raw: Mapping[str, Any]) -> bytes:
    """The source's own words, small."""
    return zlib.compress(json.dumps(raw, default=str, ensure_ascii=True).encode(), 6)


def enrichment_data(enrichment: Enrichment) -> Row:
    """All but the key of an enrichment, as JSON values."""
    data = clean(asdict(enrichment))
    for name in ("mention_id", "content_hash", "model"):
        del data[name]
    return dict(data)


def read_enrichment(mention_id: str, content_hash: str, model: str, data: Mapping[str, Any]) -> Enrichment:
    """What `enrichment_data` kept."""
    told = dict(data)
    if told["sentiment"] is not None:
        told["sentiment"] = Sentiment(**told["sentiment"])
    told["entities"] = tuple(Entity(**entity) for entity in told["entities"])
    told["evidence"] = tuple(Evidence(**evidence) for evidence in told["evidence"])
    for name in ("topics", "intents", "themes"):
        told[name] = tuple(told[name])
    return Enrichment(mention_id=mention_id, content_hash=content_hash, model=model, **told)


def case_row(case: Case) -> Row:
    """A row of `cases`, without its number and its intents."""
    row = {item.name: getattr(case, item.name) for item in fields(Case)}
    del row["id"], row["mention_ids"]
    return {
        **clean(row),
        "status": str(case.status),
        "priority": str(case.priority),
        "reasons": clean(list(case.reasons)),
        "labels": clean(list(case.labels)),
        "due_at": case.due_at or NO_DUE,
        "matter": digest(case.topic_id, case.author_key, case.thread_key),
    }


def read_case(row: Mapping[Any, Any], mention_ids: Sequence[str]) -> Case:
    """A case from its row."""
    told = {item.name: row[item.name] for item in fields(Case) if item.name != "mention_ids"}
    told |= {
        "status": CaseStatus(row["status"]),
        "priority": Priority(row["priority"]),
        "reasons": tuple(row["reasons"]),
        "labels": tuple(row["labels"]),
        "due_at": None if row["due_at"] == NO_DUE else row["due_at"],
        "mention_ids": tuple(mention_ids),
    }
    return Case(**told)


def event_row(event: CaseEvent) -> Row:
    """A row of `case_events`. It opens a case if there was nothing to do before it, and now there is."""
    before, after = event.before.get("status"), event.after.get("status")
    was_active = before is not None and CaseStatus(before).is_active
    row = {item.name: clean(getattr(event, item.name)) for item in fields(CaseEvent)}
    return {**row, "opens": after is not None and CaseStatus(after).is_active and not was_active}


def read_event(row: Mapping[Any, Any]) -> CaseEvent:
    """An event from its row."""
    return CaseEvent(**{item.name: row[item.name] for item in fields(CaseEvent)})


def alert_row(alert: Alert) -> Row:
    """A row of `alerts`."""
    row = {item.name: clean(getattr(alert, item.name)) for item in fields(Alert) if item.name != "group"}
    return {
        **row,
        "group_value": clean(alert.group),
        "severity": str(alert.severity),
        "mention_ids": list(alert.mention_ids),
    }


def read_alert(row: Mapping[Any, Any]) -> Alert:
    """An alert from its row."""
    told = {item.name: row[item.name] for item in fields(Alert) if item.name != "group"}
    told |= {"severity": Severity(row["severity"]), "mention_ids": tuple(row["mention_ids"])}
    return Alert(group=row["group_value"], **told)


def delivery_row(delivery: Delivery) -> Row:
    """A row of `deliveries`, without its number and lease."""
    row = {item.name: clean(getattr(delivery, item.name)) for item in fields(Delivery) if item.name != "id"}
    return {**row, "state": str(delivery.state), "severity": str(delivery.severity)}


def read_delivery(row: Mapping[Any, Any]) -> Delivery:
    """A delivery from its row."""
    told = {item.name: row[item.name] for item in fields(Delivery)}
    return Delivery(**told | {"state": DeliveryState(row["state"]), "severity": Severity(row["severity"])})
