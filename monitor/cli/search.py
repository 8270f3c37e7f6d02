"""Looking at what is stored: search, sources, export."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from monitor.cli.context import DEFAULT_CONFIG, AsJson, Config, opened
from monitor.cli.output import table, write_line
from monitor.domain.health import is_due
from monitor.model import CaseEvent, SourceHealth, Stored
from monitor.protocols import NO_DUE, CaseFilter, Store

_FAR = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


class What(StrEnum):
    """What can be exported."""

    MENTIONS = "mentions"
    CASES = "cases"


class Form(StrEnum):
    """Shape of an export."""

    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(search)
    app.command()(sources)
    app.command()(export)


def search(
    query: Annotated[str, typer.Argument(help='Such as: klacht* AND "te laat" language:nl; empty: everything.')] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Search all mentions, newest first."""
    with opened(config) as system:
        found = system.search.search(query, limit=limit)
        rows = system.store.mentions.get(found.ids)
        listed = [_mention(rows[i]) for i in found.ids if i in rows]
    more = "more than " if found.more_than else ""
    columns = ("id", "when", "channel", "author", "sentiment", "intents", "text", "url")
    table(f"{more}{found.total} mentions", columns, [[m[c] for c in columns] for m in listed], as_json=as_json)


def sources(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Show every source and how it is doing."""
    with opened(config) as system:
        health, dead, now = system.store.sources.health(), system.store.dead_letters.counts(), system.now()
        rows = []
        for source in system.settings.sources:
            known = health.get(source.id) or SourceHealth(source_id=source.id)
            missing = f"needs {', '.join(source.missing)}" if source.missing else known.note
            status = "paused" if source.paused else known.status.value
            due = "now" if is_due(source, known, now) else known.next_attempt_at
            rows.append((source.id, source.connector, status, known.last_new_at, due, dead.get(source.id, 0), missing))
    columns = ("source", "connector", "status", "last_new", "next_attempt", "dead_letters", "note")
    table("Sources", columns, rows, as_json=as_json)


def export(
    what: Annotated[What, typer.Argument(help="mentions or cases")],
    form: Annotated[Form, typer.Option("--format", help="jsonl keeps every value; csv is safe to open.")] = Form.JSONL,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write all mentions or cases to standard output."""
    with opened(config) as system:
        rows = _mentions(system.store) if what is What.MENTIONS else _cases(system.store, system.now())
        if form is Form.JSONL:
            for row in rows:
                write_line(row)
            return
        writer: Any = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(sys.stdout, list(row), quoting=csv.QUOTE_NONNUMERIC)
                writer.writeheader()
            writer.writerow({name: cell(value) for name, value in row.items()})


def cell(value: Any) -> Any:
    """A value for a spreadsheet: numbers stay numbers; text that could start a formula gets an apostrophe."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "'" + text if text.lstrip(" \u00a0").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _mentions(store: Store) -> Iterator[dict[str, Any]]:
    for stored in store.mentions.between(*_FAR):
        yield _mention(stored)


def _mention(stored: Stored) -> dict[str, Any]:
    m, e = stored.mention, stored.enrichment
    return {
        "id": m.id,
        "source": m.source_id,
        "origin": m.origin,
        "native_id": m.native_id,
        "channel": m.channel,
        "when": m.when.isoformat(),
        "url": m.url,
        "title": m.title,
        "text": m.text,
        "author": (m.author.handle or m.author.name) if m.author else None,
        "rating": m.rating,
        "language": e.language if e else m.language,
        "sentiment": e.sentiment.label if e and e.sentiment else None,
        "intents": list(e.intents) if e else [],
        "themes": list(e.themes) if e else [],
        "topics": list(e.topics) if e else [],
        "urgency": e.urgency if e else None,
        "case": stored.case.id if stored.case else None,
    }


def _cases(store: Store, now: datetime) -> Iterator[dict[str, Any]]:
    after: tuple[datetime, int] | None = None
    while page := store.cases.find(CaseFilter(), now=now, limit=200, after=after):
        for case in page:
            events = store.cases.events(case.id)
            yield {
                "id": case.id,
                "status": case.status.value,
                "priority": case.priority.value,
                "queue": case.queue,
                "assignee": case.assignee,
                "author": case.author_name,
                "channel": case.channel,
                "opened_at": case.opened_at.isoformat(),
                "due_at": case.due_at.isoformat() if case.due_at else None,
                "first_reply_at": case.first_reply_at.isoformat() if case.first_reply_at else None,
                "labels": list(case.labels),
                "mentions": list(case.mention_ids),
                "events": [_event(event) for event in events],
            }
        after = (page[-1].due_at or NO_DUE, page[-1].id)


def _event(event: CaseEvent) -> str:
    return f"{event.at.isoformat()} {event.actor} {event.action}"
