"""Valid values with one field overridden: `a_mention(text="waar blijft mijn pakket?")`."""

from datetime import UTC, datetime
from typing import Any

from monitor.model import Author, Mention

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_mention(**changes: Any) -> Mention:
    values: dict[str, Any] = {
        "source_id": "praatpaal",
        "origin": "x",
        "native_id": "1",
        "channel": "x",
        "text": "Waar blijft mijn pakket?",
        "fetched_at": NOON,
        "published_at": NOON,
        "author": Author(native_id="u1", name="Fatima El Amrani", handle="fatima_ea", followers=340),
    }
    return Mention(**(values | changes))
