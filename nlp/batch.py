"""Lines of JSON in, tags out: what `monitor tag` does between two files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from monitor.model import Enrichment, Mention
from nlp.tagger import SpacyTagger

BATCH = 256
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # a text from a file has no time that tags depend on


def tag_lines(lines: Iterable[str], tagger: SpacyTagger) -> Iterator[dict[str, Any]]:
    """One dict a line, in order: the tags, or {"line": n, "id": …, "error": …} for a line that cannot be read.

    In: id, text, and if known lang, channel, brand, title. Offsets of evidence and entities are into `text`,
    or, where "field" says "title", into `title`. Empty lines are skipped.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(numbered, BATCH)):
        read = [_read(number, line) for number, line in batch]
        good = [one for one in read if not isinstance(one, dict)]
        tags = iter(tagger.tag([mention for _, mention, _ in good], [brand for _, _, brand in good]))
        for one in read:
            yield one if isinstance(one, dict) else _tags(one[0], next(tags))


def _read(number: int, line: str) -> dict[str, Any] | tuple[Any, Mention, str | None]:
    """(id, mention, brand), or the dict that says what is wrong with the line."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as fault:
        return {"line": number, "error": f"line {number} is not JSON: {fault}"}
    if not isinstance(row, dict):
        return {"line": number, "error": f'line {number} is no object: write {{"id": …, "text": …}}'}
    wrong = {"line": number} | ({"id": row["id"]} if isinstance(row.get("id"), (str, int)) else {})
    if not isinstance(row.get("id"), (str, int)) or isinstance(row["id"], bool):
        return wrong | {"error": f'line {number}: "id" must be a text or a number'}
    if not isinstance(row.get("text"), str):
        return wrong | {"error": f'line {number}: "text" must be a text'}
    for name in ("lang", "channel", "brand", "title"):
        if row.get(name) is not None and not isinstance(row[name], str):
            return wrong | {"error": f'line {number}: "{name}" must be a text'}
    mention = Mention(
        source_id="file",
        origin="file",
        native_id=f"{number}:{row['id']}",
        channel=row.get("channel") or "file",
        title=row.get("title"),
        text=row["text"],
        language=row.get("lang"),
        fetched_at=_UNKNOWN_TIME,
    )
    return row["id"], mention, row.get("brand")


def _tags(given_id: Any, found: Enrichment) -> dict[str, Any]:
    def place(field: str) -> dict[str, str]:
        return {"field": field} if field != "text" else {}

    return {
        "id": given_id,
        "lang": found.language,
        "sentiment": found.sentiment.label if found.sentiment else None,
        "confidence": found.sentiment.score if found.sentiment else None,
        "intents": list(found.intents),
        "stage": found.stage,
        "needs_reply": found.needs_reply,
        "themes": list(found.themes),
        "entities": [
            {"type": one.type, "text": one.text, "start": one.start, "end": one.end} | place(one.field)
            for one in found.entities
        ],
        "urgency": found.urgency,
        "evidence": [
            {"label": one.label, "start": one.start, "end": one.end, "reason": one.reason} | place(one.field)
            for one in found.evidence
        ],
    }
