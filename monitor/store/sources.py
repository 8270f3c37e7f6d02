"""The health of sources, and what they sent that could not be understood."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import Collected, DeadLetter, Page, SourceHealth, SourceStatus
from monitor.store.engine import Database
from monitor.store.mentions import SqlMentions
from monitor.store.tables import dead_letters, source_health
from monitor.text.clean import clean


@cache
def _save(dialect: str) -> Any:
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(source_health)
    new = {c.name: statement.excluded[c.name] for c in source_health.c if c.name != "source_id"}
    return statement.on_conflict_do_update(index_elements=[source_health.c.source_id], set_=new)


class SqlSources:
    """How each source is doing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def health(self) -> dict[str, SourceHealth]:
        """All that is known, by source id."""
        with self._database.read() as connection:
            rows = connection.execute(select(source_health)).mappings().all()
        return {row["source_id"]: SourceHealth(**dict(row) | {"status": SourceStatus(row["status"])}) for row in rows}

    def save_health(self, health: SourceHealth) -> None:
        """The outcome of an attempt."""
        values = asdict(health) | {"status": health.status.value, "note": clean(health.note)}
        with self._database.write() as connection:
            connection.execute(_save(self._database.dialect), values)


class SqlDeadLetters:
    """What could not be understood, kept until it can."""

    def __init__(self, database: Database, mentions: SqlMentions) -> None:
        self._database = database
        self._mentions = mentions

    def waiting(self, source_id: str | None, limit: int) -> list[DeadLetter]:
        """Oldest first."""
        statement = select(dead_letters).order_by(dead_letters.c.id).limit(limit)
        if source_id is not None:
            statement = statement.where(dead_letters.c.source_id == source_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).mappings().all()
        return [DeadLetter(**{name: row[name] for name in DeadLetter.__dataclass_fields__}) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many wait, by source id."""
        statement = select(dead_letters.c.source_id, func.count()).group_by(dead_letters.c.source_id)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def settle(self, letter: DeadLetter, page: Page | None, reason: str, now: datetime) -> Collected:
        """Replayed well: store its mentions and drop the letter. Otherwise: the same letter, attempts + 1."""
        with self._database.write() as connection:
            if page is not None:
                connection.execute(dead_letters.delete().where(dead_letters.c.id == letter.id))
                return self._mentions.save_mentions(connection, page.mentions, now)
            connection.execute(
                update(dead_letters)
                .where(dead_letters.c.id == letter.id)
                .values(attempts=dead_letters.c.attempts + 1, reason=clean(reason), last_at=now)
            )
        return Collected()
