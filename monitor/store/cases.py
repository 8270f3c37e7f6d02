"""Conversations and their event log. Every move is one compare-and-set with its event, in one transaction."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from monitor.errors import Conflict, StoreError
from monitor.model import Case, CaseEvent, Stored
from monitor.protocols import CaseCounts, CaseFilter
from monitor.store.codec import case_row, event_row, read_case, read_event
from monitor.store.engine import Database, RuleBroken
from monitor.store.revisions import SLICE, mark_triaged, raise_case, slices
from monitor.store.tables import (
    ACTIVE,
    IS_ACTIVE,
    NO_DUE,
    Utc,
    case_events,
    case_mentions,
    cases,
    mentions,
    per_engine,
)

_C = cases.c
_E = case_events.c
_MOVED = [column.name for column in cases.columns if column.name not in {"id", "intents"}]


def _join(insert: Any) -> Any:
    return insert(case_mentions).on_conflict_do_nothing(index_elements=["case_id", "mention_no"])


_JOIN = per_engine(_join)
_OPEN = sa.insert(cases).returning(_C.id)
_MOVE = (
    sa.update(cases)
    .where(_C.id == sa.bindparam("case_id"), _C.version == sa.bindparam("seen"))
    .values({name: sa.bindparam(name) for name in _MOVED})
)
_LOG = sa.insert(case_events)
_INTENTS = sa.select(_C.intents).where(_C.id == sa.bindparam("case_id"))
_SET_INTENTS = sa.update(cases).where(_C.id == sa.bindparam("case_id")).values(intents=sa.bindparam("wanted"))
_BY_ID = sa.select(cases).where(_C.id.in_(sa.bindparam("ids", expanding=True)))
_MENTION_IDS = (
    sa.select(case_mentions.c.case_id, mentions.c.id)
    .join(mentions, mentions.c.no == case_mentions.c.mention_no)
    .where(case_mentions.c.case_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(mentions.c.when_at, mentions.c.no)
)
_EVENTS = sa.select(case_events).where(_E.case_id == sa.bindparam("case_id")).order_by(_E.version)
_LAST_ACTOR = sa.select(_E.actor).where(_E.case_id == sa.bindparam("case_id")).order_by(_E.version.desc()).limit(1)
_TWIN = sa.select(cases).where(_C.matter == sa.bindparam("matter"), sa.text(IS_ACTIVE))
_IN_THREAD = sa.select(cases).where(_C.thread_key == sa.bindparam("thread_key")).order_by(_C.id.desc())
_OF_AUTHOR = sa.select(cases).where(_C.author_key == sa.bindparam("author_key")).order_by(_C.id.desc())
_OPENED = sa.select(sa.func.count(_E.case_id.distinct())).where(
    _E.at > sa.bindparam("moment", type_=Utc), _E.opens == sa.true()
)
_now = sa.bindparam("now", type_=Utc)
_sleeps = sa.func.coalesce(_C.snoozed_until > _now, sa.false())
_late = _C.due_at <= _now
_COUNTS = (
    sa.select(
        _C.queue,
        _C.assignee,
        _C.status,
        _late.label("late"),
        _sleeps.label("sleeps"),
        sa.func.count().label("number"),
    )
    .where(sa.text(IS_ACTIVE))
    .group_by(_C.queue, _C.assignee, _C.status, sa.literal_column("late"), sa.literal_column("sleeps"))
)
_WAKE = sa.select(cases).where(sa.text(IS_ACTIVE), _C.snoozed_until <= _now).order_by(_C.snoozed_until, _C.id)
_BETWEEN = (
    sa.select(case_events)
    .where(
        sa.tuple_(_E.at, _E.case_id, _E.version)
        > sa.tuple_(
            sa.bindparam("at", type_=Utc), sa.bindparam("case_id", type_=sa.BigInteger), sa.bindparam("version")
        ),
        _E.at < sa.bindparam("end", type_=Utc),
    )
    .order_by(_E.at, _E.case_id, _E.version)
    .limit(SLICE)
)


@lru_cache(maxsize=256)
def _find(filters: frozenset[str]) -> Any:
    """The list's statement for one combination of filters, built once."""
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "active": sa.literal_column(f"({IS_ACTIVE})", sa.Boolean),
        "statuses": _C.status.in_(sa.bindparam("statuses", expanding=True)),
        "queue": _C.queue == sa.bindparam("queue"),
        "assignee": _C.assignee == sa.bindparam("assignee"),
        "unassigned": _C.assignee.is_(None),
        "channel": _C.channel == sa.bindparam("channel"),
        "author_key": _C.author_key == sa.bindparam("author_key"),
        "intent": _C.intents.contains(sa.bindparam("intent", type_=sa.Text), autoescape=False),
        "asleep": _sleeps,
        "awake": sa.not_(_sleeps),
        "ids": _C.id.in_(sa.bindparam("ids", expanding=True)),
        "after": sa.tuple_(_C.due_at, _C.id)
        > sa.tuple_(sa.bindparam("due", type_=Utc), sa.bindparam("case_id", type_=sa.BigInteger)),
    }
    chosen = [condition for name, condition in conditions.items() if name in filters]
    return sa.select(cases).where(*chosen).order_by(_C.due_at, _C.id).limit(sa.bindparam("limit", type_=sa.Integer))


def cases_by_id(conn: sa.Connection, ids: Sequence[int]) -> dict[int, Case]:
    """These cases, with their mention ids in order of `when`."""
    rows = [row for part in slices(ids) for row in conn.execute(_BY_ID, {"ids": part}).mappings()]
    return {case.id: case for case in _with_mentions(conn, rows)}


def _with_mentions(conn: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> list[Case]:
    joined: dict[int, list[str]] = {row["id"]: [] for row in rows}
    for part in slices(list(joined)):
        for case_id, mention_id in conn.execute(_MENTION_IDS, {"ids": part}):
            joined[case_id].append(mention_id)
    return [read_case(row, joined[row["id"]]) for row in rows]


class SqlCases:
    """Cases of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, case: Case, event: CaseEvent, stored: Stored) -> Case:
        row = case_row(case)

        def work(conn: sa.Connection) -> Case:
            case_id = conn.execute(_OPEN, {**row, "intents": "|"}).scalar_one()
            return _logged(conn, replace(case, id=case_id), event, [stored], opens=True)

        try:
            return self._database.write(work)
        except RuleBroken as error:
            raise self._twin(case, row["matter"], error) from error

    def move(self, case: Case, event: CaseEvent, stored: Sequence[Stored] = ()) -> Case:
        row = case_row(case)

        def work(conn: sa.Connection) -> Case:
            moved = conn.execute(_MOVE, {**row, "case_id": case.id, "seen": case.version - 1})
            if moved.rowcount != 1:
                raise _conflict(conn, case.id)
            return _logged(conn, case, event, stored, opens=False)

        try:
            return self._database.write(work)
        except RuleBroken as error:
            raise self._twin(case, row["matter"], error) from error

    def get(self, case_id: int) -> Case | None:
        return self._database.read(lambda conn: cases_by_id(conn, [case_id]).get(case_id))

    def events(self, case_id: int) -> list[CaseEvent]:
        return self._log(_EVENTS, case_id=case_id)

    def in_thread(self, thread_key: str) -> list[Case]:
        return self._list(_IN_THREAD, thread_key=thread_key)

    def of_author(self, author_key: str) -> list[Case]:
        return self._list(_OF_AUTHOR, author_key=author_key)

    def find(
        self, wanted: CaseFilter, *, now: datetime, limit: int, after: tuple[datetime, int] | None = None
    ) -> list[Case]:
        values: dict[str, Any] = {
            name: getattr(wanted, name)
            for name in ("queue", "assignee", "channel", "author_key")
            if getattr(wanted, name) is not None
        }
        if wanted.statuses:
            values["statuses"] = sorted(map(str, wanted.statuses))
        if wanted.ids is not None:
            values["ids"] = sorted(wanted.ids)
        if wanted.intent is not None:
            values["intent"] = f"|{wanted.intent}|"
        filters = set(values)
        if wanted.unassigned:
            filters.add("unassigned")
        if wanted.statuses and {*values["statuses"]} <= {*ACTIVE}:
            filters.add("active")  # the condition of the partial indexes, which a bound list would not find
            if {*values["statuses"]} == {*ACTIVE}:
                filters.remove("statuses")
                del values["statuses"]
        if wanted.snoozed is not None:
            filters.add("asleep" if wanted.snoozed else "awake")
            values["now"] = now
        if after is not None:
            filters.add("after")
            due, values["case_id"] = after
            values["due"] = min(due, NO_DUE)
        return self._list(_find(frozenset(filters)), limit=limit, **values)

    def opened_since(self, moment: datetime) -> int:
        return int(self._database.read(lambda conn: conn.execute(_OPENED, {"moment": moment}).scalar_one()))

    def counts(self, now: datetime) -> CaseCounts:
        groups = self._database.read(lambda conn: conn.execute(_COUNTS, {"now": now}).mappings().all())
        awake = [group for group in groups if not group["sleeps"]]
        todo = [group for group in awake if group["status"] != "pending"]
        return CaseCounts(
            todo=_sum(todo),
            late=_sum([group for group in todo if group["late"]]),
            unassigned=_sum([group for group in todo if group["assignee"] is None]),
            pending=_sum([group for group in awake if group["status"] == "pending"]),
            snoozed=_sum([group for group in groups if group["sleeps"]]),
            by_queue=_by(todo, "queue"),
            by_assignee=_by(todo, "assignee"),
        )

    def wake(self, now: datetime) -> list[Case]:
        return self._list(_WAKE, now=now)

    def log(self, start: datetime, end: datetime) -> Iterator[CaseEvent]:
        at, case_id, version = start, -1, -1
        while part := self._log(_BETWEEN, at=at, case_id=case_id, version=version, end=end):
            yield from part
            at, case_id, version = part[-1].at, part[-1].case_id, part[-1].version

    def _twin(self, case: Case, matter: str, error: RuleBroken) -> StoreError:
        for twin in self._list(_TWIN, matter=matter):
            if twin.id != case.id:
                return Conflict(f"Case {twin.id} about the same is open already.", winner=twin.assignee)
        return error

    def _list(self, statement: Any, **values: Any) -> list[Case]:
        return self._database.read(lambda conn: _with_mentions(conn, conn.execute(statement, values).mappings().all()))

    def _log(self, statement: Any, **values: Any) -> list[CaseEvent]:
        return [
            read_event(row)
            for row in self._database.read(lambda conn: conn.execute(statement, values).mappings().all())
        ]


def _logged(conn: sa.Connection, case: Case, event: CaseEvent, stored: Sequence[Stored], *, opens: bool) -> Case:
    """The rest of every move: its event, its mentions, their revisions. Returns the case as the record has it now."""
    row = event_row(replace(event, case_id=case.id, version=case.version))
    conn.execute(_LOG, {**row, "opens": opens or row["opens"]})
    if stored:
        nos = sorted({one.no for one in stored})
        conn.execute(_JOIN[conn.dialect.name], [{"case_id": case.id, "mention_no": no} for no in nos])
        mark_triaged(conn, stored)
        known = set(conn.execute(_INTENTS, {"case_id": case.id}).scalar_one().strip("|").split("|")) - {""}
        wanted = known.union(*(one.enrichment.intents for one in stored if one.enrichment))
        if wanted != known:
            conn.execute(_SET_INTENTS, {"case_id": case.id, "wanted": f"|{'|'.join(sorted(wanted))}|"})
    raise_case(conn, case.id, event.at)
    return cases_by_id(conn, [case.id])[case.id]


def _conflict(conn: sa.Connection, case_id: int) -> StoreError:
    record = cases_by_id(conn, [case_id]).get(case_id)
    if record is None:
        return StoreError(f"Case {case_id} is not in the record.")
    winner = record.assignee or conn.execute(_LAST_ACTOR, {"case_id": case_id}).scalar()
    return Conflict(f"Case {case_id} was changed by {winner} meanwhile.", winner=winner)


def _sum(groups: Sequence[Mapping[Any, Any]]) -> int:
    return sum(group["number"] for group in groups)


def _by(groups: Sequence[Mapping[Any, Any]], name: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for group in groups:
        if group[name] is not None:
            totals[group[name]] += group["number"]
    return dict(totals)
