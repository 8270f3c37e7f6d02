"""Raising `revision`: whoever changes what a mention's search document shows does so through here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from monitor.model import Stored
from monitor.store.tables import case_mentions, mentions, next_revision

_NOW = sa.bindparam("now_ms", type_=sa.BigInteger)
_LOCK = (
    sa.select(mentions.c.no)
    .where(mentions.c.no.in_(sa.bindparam("nos", expanding=True)))
    .order_by(mentions.c.no)
    .with_for_update()
)
_OF_CASE = (
    sa.select(mentions.c.no)
    .join(case_mentions, case_mentions.c.mention_no == mentions.c.no)
    .where(case_mentions.c.case_id == sa.bindparam("case_id"))
    .order_by(mentions.c.no)
    .with_for_update(of=mentions)
)
_OF_AUTHORS = (
    sa.select(mentions.c.no)
    .where(mentions.c.author_key.in_(sa.bindparam("keys", expanding=True)))
    .order_by(mentions.c.no)
    .with_for_update()
)
_RAISE = (
    sa.update(mentions)
    .where(mentions.c.no.in_(sa.bindparam("nos", expanding=True)))
    .values(revision=next_revision(_NOW))
)
_MARK_TRIAGED = (
    sa.update(mentions)
    .where(mentions.c.no == sa.bindparam("mention"), mentions.c.triaged_revision < sa.bindparam("read"))
    .values(triaged_revision=sa.bindparam("read"))
)
SLICE = 500


def milliseconds(moment: datetime) -> int:
    """Since 1970: what revisions are counted in."""
    return int(moment.timestamp() * 1000)


def slices(values: Sequence[int]) -> Iterable[Sequence[int]]:
    """Short enough for one statement's parameters."""
    return (values[start : start + SLICE] for start in range(0, len(values), SLICE))


def lock(conn: sa.Connection, nos: Iterable[int]) -> list[int]:
    """Those of `nos` that exist, locked in order: two writers in different orders would wait for each other."""
    ordered = sorted(set(nos))
    return [no for part in slices(ordered) for no in conn.execute(_LOCK, {"nos": part}).scalars()]


def mark_triaged(conn: sa.Connection, stored: Sequence[Stored]) -> None:
    """Triage has seen this content of these mentions; a later edit is due again. No document shows this."""
    rows = [{"mention": one.no, "read": one.content_revision} for one in sorted(stored, key=lambda one: one.no)]
    if rows:
        conn.execute(_MARK_TRIAGED, rows)


def raise_case(conn: sa.Connection, case_id: int, now: datetime) -> None:
    """The state of this case changed, which its mentions' documents show."""
    _raise(conn, conn.execute(_OF_CASE, {"case_id": case_id}).scalars().all(), now)


def raise_authors(conn: sa.Connection, keys: Sequence[str], now: datetime) -> None:
    """These people changed their name or handle, which their mentions' documents show."""
    _raise(conn, conn.execute(_OF_AUTHORS, {"keys": keys}).scalars().all(), now)


def _raise(conn: sa.Connection, nos: Sequence[int], now: datetime) -> None:
    for part in slices(nos):
        conn.execute(_RAISE, {"nos": part, "now_ms": milliseconds(now)})
