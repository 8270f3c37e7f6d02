"""Mentions and cursors: a page and its cursor in one transaction, and the feeds of what later stages have to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, case, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.model import Collected, Cursor, Enrichment, Mention, Page, Skipped, Stored, digest
from monitor.store import codec
from monitor.store.engine import Database
from monitor.store.tables import (
    authors,
    case_mentions,
    cases,
    cursors,
    dead_letters,
    enrichments,
    mention_versions,
    mentions,
    raw_answers,
)
from monitor.text.clean import clean

_SLICE = 500
_COUNTERS = ("likes", "replies", "shares", "views")
_JOINED = select(
    mentions, *(column.label(f"author_{column.name}") for column in authors.c if column.name != "key")
).outerjoin(authors, authors.c.key == mentions.c.author_key)
_BY_ID = _JOINED.where(mentions.c.id.in_(bindparam("ids", expanding=True)))
_KNOWN = select(
    mentions.c.id, mentions.c.no, mentions.c.content_hash, mentions.c.title, mentions.c.text, mentions.c.rating,
    *(mentions.c[name] for name in _COUNTERS),
).where(mentions.c.id.in_(bindparam("ids", expanding=True)))  # fmt: skip
_TO_TAG = (
    _JOINED.where(text("mentions.content_revision > mentions.tagged_revision"))
    .order_by(mentions.c.content_revision, mentions.c.no)
    .limit(bindparam("limit"))
)
_TO_TRIAGE = (
    _JOINED.where(text("mentions.tagged_revision > mentions.triaged_revision"))
    .where(mentions.c.tagged_revision >= mentions.c.content_revision)
    .order_by(mentions.c.when_at, mentions.c.no)
    .limit(bindparam("limit"))
)
_TO_INDEX = (
    _JOINED.where(text("mentions.revision > mentions.indexed_revision"))
    .order_by(mentions.c.revision, mentions.c.no)
    .limit(bindparam("limit"))
)
_BETWEEN = (
    _JOINED.where(mentions.c.when_at < bindparam("until"))
    .where(
        or_(
            mentions.c.when_at > bindparam("when"),
            (mentions.c.when_at == bindparam("when")) & (mentions.c.no > bindparam("no")),
        )
    )
    .order_by(mentions.c.when_at, mentions.c.no)
    .limit(_SLICE)
)
_OF_AUTHOR = (
    _JOINED.where(mentions.c.author_key == bindparam("author_key"))
    .order_by(mentions.c.when_at.desc())
    .limit(bindparam("limit"))
)
_ENRICHED = (
    select(enrichments.c.mention_no, enrichments.c.data)
    .join(mentions, mentions.c.no == enrichments.c.mention_no)
    .where(enrichments.c.mention_no.in_(bindparam("nos", expanding=True)))
    .where(enrichments.c.content_hash == mentions.c.content_hash)
    .order_by(enrichments.c.saved_revision)
)
_CASES = (
    select(case_mentions.c.mention_no, cases)
    .join(cases, cases.c.id == case_mentions.c.case_id)
    .where(case_mentions.c.mention_no.in_(bindparam("nos", expanding=True)))
    .order_by(cases.c.id)
)
_MARK_TRIAGED = (
    update(mentions)
    .where(mentions.c.no == bindparam("n"), mentions.c.triaged_revision < bindparam("r"))
    .values(triaged_revision=bindparam("r"))
)
_MARK_INDEXED = (
    update(mentions)
    .where(mentions.c.no == bindparam("n"), mentions.c.indexed_revision < bindparam("r"))
    .values(indexed_revision=bindparam("r"))
)
_VERSIONS = (
    select(mention_versions)
    .join(mentions, mentions.c.no == mention_versions.c.mention_no)
    .where(mentions.c.id == bindparam("mention_id"))
    .order_by(mention_versions.c.id)
)
RAISE = (
    update(mentions)
    .where(mentions.c.no.in_(bindparam("nos", expanding=True)))
    .values(
        revision=case(
            (mentions.c.revision >= bindparam("ms"), mentions.c.revision + 1),
            else_=bindparam("ms", type_=mentions.c.revision.type),
        )
    )
)
"""Raises the revision of mentions `nos` at epoch milliseconds `ms`: their search documents changed."""


@cache
def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


@cache
def _save(dialect: str) -> Any:
    """New mentions in; known ones only where content or a counter differs. Unchanged rows do not come back."""
    statement = _insert(dialect)(mentions)
    new, old = statement.excluded, mentions.c
    differs = old.content_hash.is_distinct_from(new.content_hash)
    following = case((old.revision >= new.revision, old.revision + 1), else_=new.revision)
    counters = {name: func.coalesce(new[name], old[name]) for name in _COUNTERS}
    moved = [counters[name].is_distinct_from(old[name]) for name in _COUNTERS]
    kept = {
        name: new[name] for name in ("title", "text", "rating", "rating_max", "edited_at", "removed_at", "content_hash")
    }
    return statement.on_conflict_do_update(
        index_elements=[mentions.c.id],
        set_={
            **kept,
            **counters,
            "url": func.coalesce(new.url, old.url),
            "revision": following,
            "content_revision": case((differs, following), else_=old.content_revision),
        },
        where=or_(differs, *moved),
    ).returning(old.no, old.id, old.revision, old.created_revision, old.content_revision)


@cache
def _save_authors(dialect: str) -> Any:
    statement = _insert(dialect)(authors)
    new = {c.name: func.coalesce(statement.excluded[c.name], c) for c in authors.c if c.name != "key"}
    return statement.on_conflict_do_update(index_elements=[authors.c.key], set_=new)


@cache
def _save_raw(dialect: str) -> Any:
    statement = _insert(dialect)(raw_answers)
    return statement.on_conflict_do_update(
        index_elements=[raw_answers.c.mention_no], set_={"raw": statement.excluded.raw}
    )


@cache
def _save_cursor(dialect: str) -> Any:
    statement = _insert(dialect)(cursors)
    new = {"value": statement.excluded.value, "moved_at": statement.excluded.moved_at}
    return statement.on_conflict_do_update(index_elements=[cursors.c.source_id], set_=new)


@cache
def _save_letters(dialect: str) -> Any:
    statement = _insert(dialect)(dead_letters)
    return statement.on_conflict_do_update(
        index_elements=[dead_letters.c.source_id, dead_letters.c.raw_hash],
        set_={
            "attempts": dead_letters.c.attempts + 1,
            "last_at": statement.excluded.last_at,
            "reason": statement.excluded.reason,
        },
    )


class SqlCursors:
    """How far each source has been read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, source_id: str) -> Cursor:
        """The last cursor saved, or the empty one."""
        with self._database.read() as connection:
            value = connection.scalar(select(cursors.c.value).where(cursors.c.source_id == source_id))
        return Cursor(source_id=source_id, value=value or {})


class SqlMentions:
    """What was found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_page(self, page: Page, now: datetime) -> Collected:
        """Mentions, dead letters and cursor in one transaction, the cursor last."""
        with self._database.write() as connection:
            saved = self.save_mentions(connection, page.mentions, now)
            _keep_letters(connection, page.cursor.source_id, page.skipped, now)
            connection.execute(
                _save_cursor(self._database.dialect),
                {"source_id": page.cursor.source_id, "value": dict(page.cursor.value), "moved_at": now},
            )
        return saved + Collected(skipped=len(page.skipped), pages=1)

    def save_mentions(self, connection: Connection, found: Sequence[Mention], now: datetime) -> Collected:
        """Save mentions inside the caller's transaction. The same id twice: the last one counts."""
        dialect = self._database.dialect
        by_id = {mention.id: mention for mention in map(codec.cleaned, found)}
        known = {row.id: row for row in _in_slices(connection, _KNOWN, "ids", list(by_id))}
        due = sorted((m for m in by_id.values() if _is_news(m, known.get(m.id))), key=lambda m: m.id)
        twice = len(found) - len(by_id)
        if not due:
            return Collected(unchanged=len(by_id) + twice)
        people = {row["key"]: row for mention in due if (row := codec.author_row(mention)) is not None}
        if people:
            connection.execute(_save_authors(dialect), [people[key] for key in sorted(people)])
        _keep_old_versions(connection, due, known, now)
        revision = codec.epoch_ms(now)
        rows = connection.execute(_save(dialect), [codec.mention_row(mention, revision) for mention in due]).all()
        new = [row for row in rows if row.created_revision == row.revision]
        changed = [row for row in rows if row.content_revision == row.revision and row.created_revision != row.revision]
        raws = [
            {"mention_no": row.no, "raw": codec.packed(by_id[row.id].raw)}
            for row in (*new, *changed)
            if by_id[row.id].raw and by_id[row.id].removed_at is None
        ]
        if raws:
            connection.execute(_save_raw(dialect), raws)
        unchanged = len(by_id) - len(new) - len(changed) + twice
        return Collected(new=len(new), changed=len(changed), unchanged=unchanged)

    def get(self, ids: Sequence[str]) -> dict[str, Stored]:
        """By id, with newest enrichment and case."""
        with self._database.read() as connection:
            rows = _in_slices(connection, _BY_ID, "ids", list(dict.fromkeys(ids)))
            return {stored.mention.id: stored for stored in _stored(connection, rows)}

    def to_tag(self, limit: int) -> list[Stored]:
        """Mentions whose content no enrichment has seen yet, oldest first."""
        return self._due(_TO_TAG, limit)

    def to_triage(self, limit: int) -> list[Stored]:
        """Tagged mentions that open_cases has not looked at since they changed."""
        return self._due(_TO_TRIAGE, limit)

    def to_index(self, limit: int) -> list[Stored]:
        """Mentions that changed since the search index saw them, lowest revision first."""
        return self._due(_TO_INDEX, limit)

    def _due(self, statement: Select[Any], limit: int) -> list[Stored]:
        with self._database.read() as connection:
            return _stored(connection, connection.execute(statement, {"limit": limit}).mappings().all())

    def mark_triaged(self, stored: Sequence[Stored]) -> None:
        """open_cases looked at this version of these mentions."""
        if stored:
            with self._database.write() as connection:
                connection.execute(_MARK_TRIAGED, [{"n": s.no, "r": s.content_revision} for s in stored])

    def mark_indexed(self, indexed: Sequence[tuple[int, int]]) -> None:
        """The search index holds these revisions; a newer mark stays."""
        if indexed:
            with self._database.write() as connection:
                connection.execute(_MARK_INDEXED, [{"n": no, "r": revision} for no, revision in sorted(indexed)])

    def index_lag(self) -> int:
        """How many mentions the search index is behind."""
        with self._database.read() as connection:
            statement = select(func.count()).where(text("mentions.revision > mentions.indexed_revision"))
            return connection.scalar(statement.select_from(mentions)) or 0

    def forget_indexed(self) -> None:
        """Send everything to the search index again."""
        with self._database.write() as connection:
            connection.execute(update(mentions).values(indexed_revision=0))

    def between(self, start: datetime, end: datetime) -> Iterator[Stored]:
        """Mentions with start <= when < end, in order of `when`, read in slices."""
        place: dict[str, Any] = {"when": start, "no": -1, "until": end}
        while True:
            with self._database.read() as connection:
                page = _stored(connection, connection.execute(_BETWEEN, place).mappings().all())
            yield from page
            if len(page) < _SLICE:
                return
            place = {"when": page[-1].mention.when, "no": page[-1].no, "until": end}

    def of_author(self, author_key: str, limit: int) -> list[Stored]:
        """The newest mentions of one author."""
        with self._database.read() as connection:
            rows = connection.execute(_OF_AUTHOR, {"author_key": author_key, "limit": limit}).mappings().all()
            return _stored(connection, rows)

    def versions(self, mention_id: str) -> list[Mapping[str, Any]]:
        """What an edited mention said before, oldest first: title, text, rating, seen_until."""
        with self._database.read() as connection:
            rows = connection.execute(_VERSIONS, {"mention_id": mention_id}).mappings().all()
        return [dict(row) for row in rows]

    def count(self) -> int:
        """All mentions."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(mentions)) or 0


def _is_news(mention: Mention, known: Any) -> bool:
    """Whether writing this mention could change its row; only a filter, the upsert decides."""
    if known is None or known.content_hash != mention.content_hash:
        return True
    return any(
        (now := getattr(mention.engagement, name)) is not None and now != getattr(known, name) for name in _COUNTERS
    )


def _keep_old_versions(connection: Connection, due: Sequence[Mention], known: Mapping[str, Any], now: datetime) -> None:
    edited = [known[m.id] for m in due if m.id in known and known[m.id].content_hash != m.content_hash]
    gone = [known[m.id].no for m in due if m.id in known and m.removed_at is not None]
    kept = [
        {
            "mention_no": row.no,
            "content_hash": row.content_hash,
            "title": row.title,
            "text": row.text,
            "rating": row.rating,
            "seen_until": now,
        }
        for row in edited
        if row.no not in gone
    ]
    if kept:
        connection.execute(mention_versions.insert(), kept)
    if gone:
        connection.execute(mention_versions.delete().where(mention_versions.c.mention_no.in_(gone)))
        connection.execute(raw_answers.delete().where(raw_answers.c.mention_no.in_(gone)))


def _keep_letters(connection: Connection, source_id: str, skipped: Sequence[Skipped], now: datetime) -> None:
    rows = {
        hashed: {
            "source_id": source_id,
            "raw_hash": hashed,
            "raw": letter.raw,
            "reason": clean(letter.reason),
            "attempts": 1,
            "first_at": now,
            "last_at": now,
        }
        for letter in skipped
        if letter.raw is not None and (hashed := digest(letter.raw.decode("latin-1")))
    }
    if rows:
        connection.execute(_save_letters(connection.dialect.name), [rows[hashed] for hashed in sorted(rows)])


def _in_slices(connection: Connection, statement: Select[Any], name: str, values: Sequence[Any]) -> list[Any]:
    """Rows for many bound values: drivers bound how many a statement may hold."""
    found: list[Any] = []
    mapped = statement is _BY_ID
    for start in range(0, len(values), _SLICE):
        result = connection.execute(statement, {name: values[start : start + _SLICE]})
        found.extend(result.mappings().all() if mapped else result.all())
    return found


def _stored(connection: Connection, rows: Sequence[RowMapping]) -> list[Stored]:
    nos = [row["no"] for row in rows]
    enriched: dict[int, Enrichment] = {
        row.mention_no: codec.enrichment_of(row.data) for row in _in_slices(connection, _ENRICHED, "nos", nos)
    }
    held = {row.mention_no: codec.case_of(row._mapping) for row in _in_slices(connection, _CASES, "nos", nos)}  # noqa: SLF001 - the documented name
    return [
        Stored(
            no=row["no"],
            mention=codec.mention_of(row),
            revision=row["revision"],
            content_revision=row["content_revision"],
            enrichment=enriched.get(row["no"]),
            case=held.get(row["no"]),
        )
        for row in rows
    ]
