"""Saving what a page holds: new, changed, unchanged or skipped, each mention exactly one of these.

Rows go in sorted by id, so that two collectors that save the same page never wait for each other crosswise. A look at
what is known keeps unchanged rows out of the write; it is only a filter, the statement itself decides again.
PostgreSQL's twin of the many-row VALUES is an insert from json_to_recordset: far fewer parameters, the same conditions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.model import Collected, Mention, Page, Skipped
from monitor.store.codec import Row, author_row, clean_mention, mention_row, pack_raw
from monitor.store.revisions import SLICE, milliseconds, raise_authors
from monitor.store.tables import (
    authors,
    enrichments,
    mention_versions,
    mentions,
    next_revision,
    per_engine,
    raw_answers,
    tombstones,
)

_COUNTERS = ("likes", "replies", "shares", "views")
_AUTHOR_FIELDS = ("native_id", "name", "handle", "url", "verified")
_M = mentions.c


def _upsert_mentions(insert: Any) -> Any:
    statement = insert(mentions)
    new = statement.excluded
    changed = new.content_hash.is_distinct_from(_M.content_hash)
    next_ = next_revision(new.revision)
    counters = {name: sa.func.coalesce(new[name], _M[name]) for name in _COUNTERS}
    # What a source does not tell this time is not forgotten, and what it told first about when stays.
    told = {
        name: sa.func.coalesce(new[name], _M[name])
        for name in ("url", "language", "author_key", "followers", "parent_id", "thread_id", "edited_at")
    }
    published = sa.func.coalesce(_M.published_at, new.published_at)
    stale = sa.and_(_M.removed_at.is_not(None), new.removed_at.is_(None), new.fetched_at <= _M.removed_at)
    moved = sa.or_(
        changed,
        *(value.is_distinct_from(_M[name]) for name, value in counters.items()),
        published.is_distinct_from(_M.published_at),
    )
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            **counters,
            **told,
            **{name: new[name] for name in ("title", "text", "rating", "rating_max", "removed_at", "content_hash")},
            "published_at": published,
            "when_at": sa.func.coalesce(published, _M.fetched_at),
            "content_at": sa.case((changed, new.content_at), else_=_M.content_at),
            "content_revision": sa.case((changed, next_), else_=_M.content_revision),
            "revision": next_,
        },
        where=sa.and_(moved, sa.not_(stale)),
    ).returning(_M.no, _M.id, _M.revision, _M.created_revision, _M.content_revision)


def _upsert_authors(insert: Any) -> Any:
    statement = insert(authors)
    set_ = {name: sa.func.coalesce(statement.excluded[name], authors.c[name]) for name in _AUTHOR_FIELDS}
    return statement.on_conflict_do_update(index_elements=["key"], set_=set_)


def _upsert_raw(insert: Any) -> Any:
    statement = insert(raw_answers)
    return statement.on_conflict_do_update(
        index_elements=["mention_no"], set_={"compressed": statement.excluded.compressed}
    )


_NOS: sa.BindParameter[int] = sa.bindparam("nos", expanding=True)
_SAVE = per_engine(_upsert_mentions)
_SAVE_AUTHORS = per_engine(_upsert_authors)
_SAVE_RAW = per_engine(_upsert_raw)
_KNOWN = (
    sa.select(_M.id, _M.no, _M.content_hash, _M.published_at, _M.removed_at, *(_M[name] for name in _COUNTERS))
    .where(_M.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_M.id)
    .with_for_update()
)
_KNOWN_AUTHORS = sa.select(authors).where(authors.c.key.in_(sa.bindparam("keys", expanding=True)))
_TOMBSTONED = sa.select(tombstones.c.mention_id).where(tombstones.c.mention_id.in_(sa.bindparam("ids", expanding=True)))
_KEEP_VERSIONS = sa.insert(mention_versions).from_select(
    ["mention_no", "content_revision", "content_hash", "title", "text", "rating", "seen_at"],
    sa.select(_M.no, _M.content_revision, _M.content_hash, _M.title, _M.text, _M.rating, _M.content_at).where(
        _M.no.in_(_NOS), _M.removed_at.is_(None)
    ),
)
_FORGET = tuple(
    sa.delete(table).where(table.c.mention_no.in_(_NOS)) for table in (mention_versions, raw_answers, enrichments)
)


def save_mentions(conn: sa.Connection, page: Page, now: datetime) -> tuple[Collected, list[Skipped]]:
    """Store a page's mentions; returns the counts of the whole page and all that was skipped, by source or by us."""
    kept, refused = _cleaned(page.mentions)
    skipped = [*page.skipped, *refused]
    total = Collected(pages=1, skipped=len(skipped), unchanged=len(kept) - len({mention.id for mention in kept}))
    wanted = sorted({mention.id: mention for mention in kept}.values(), key=lambda mention: mention.id)
    for start in range(0, len(wanted), SLICE):
        total += _save_slice(conn, wanted[start : start + SLICE], now)
    return total, skipped


def _cleaned(found: Iterable[Mention]) -> tuple[list[Mention], list[Skipped]]:
    kept, refused = [], []
    for mention in found:
        try:
            kept.append(clean_mention(mention))
        except (ValueError, TypeError, OverflowError) as error:
            raw = json.dumps(mention.raw or asdict(mention), default=str).encode()
            refused.append(Skipped(reason=f"cannot be stored: {error}", raw=raw, native_id=mention.native_id))
    return kept, refused


def _save_slice(conn: sa.Connection, found: Sequence[Mention], now: datetime) -> Collected:
    ids = [mention.id for mention in found]
    buried = set(conn.execute(_TOMBSTONED, {"ids": ids}).scalars())
    living = [mention for mention in found if mention.id not in buried]
    _save_authors(conn, living, now)
    known = {row["id"]: row for row in conn.execute(_KNOWN, {"ids": ids}).mappings()}
    rows = {mention.id: mention_row(mention, now, milliseconds(now)) for mention in living}
    due = {key: row for key, row in rows.items() if key not in known or _differs(row, known[key])}
    edited = [known[key]["no"] for key, row in due.items() if key in known and _is_edit(row, known[key])]
    if edited:
        conn.execute(_KEEP_VERSIONS, {"nos": edited})
    saved = list(conn.execute(_SAVE[conn.dialect.name], list(due.values()))) if due else []
    new = [row for row in saved if row.created_revision == row.revision]
    changed = [row for row in saved if row.content_revision == row.revision != row.created_revision]
    by_id = {mention.id: mention for mention in living}
    _keep_raw(conn, {row.no: by_id[row.id] for row in (*new, *changed)})
    return Collected(
        new=len(new), changed=len(changed), unchanged=len(living) - len(new) - len(changed), skipped=len(buried)
    )


def _differs(row: Row, known: Mapping[Any, Any]) -> bool:
    if known["removed_at"] and not row["removed_at"] and row["fetched_at"] <= known["removed_at"]:
        return False
    return (
        _is_edit(row, known)
        or any(row[name] is not None and row[name] != known[name] for name in _COUNTERS)
        or (known["published_at"] is None and row["published_at"] is not None)
    )


def _is_edit(row: Row, known: Mapping[Any, Any]) -> bool:
    return bool(row["content_hash"] != known["content_hash"])


def _save_authors(conn: sa.Connection, found: Sequence[Mention], now: datetime) -> None:
    told = {row["key"]: row for row in map(author_row, found) if row is not None}
    if not told:
        return
    known = {row["key"]: row for row in conn.execute(_KNOWN_AUTHORS, {"keys": list(told)}).mappings()}
    changed = [
        key
        for key, row in told.items()
        if key in known and any(row[name] is not None and row[name] != known[key][name] for name in _AUTHOR_FIELDS)
    ]
    due = [told[key] for key in sorted(told) if key not in known or key in changed]
    if due:
        conn.execute(_SAVE_AUTHORS[conn.dialect.name], due)
    if changed:
        raise_authors(conn, changed, now)


def _keep_raw(conn: sa.Connection, saved: Mapping[int, Mention]) -> None:
    gone = sorted(no for no, mention in saved.items() if mention.removed_at)
    if gone:
        for statement in _FORGET:
            conn.execute(statement, {"nos": gone})
    rows = [{"mention_no": no, "compressed": pack_raw(saved[no].raw)} for no in sorted(saved) if saved[no].raw]
    if rows:
        conn.execute(_SAVE_RAW[conn.dialect.name], rows)
