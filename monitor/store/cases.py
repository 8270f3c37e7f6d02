"""Cases and their log: every move is one compare-and-set with its event, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from monitor.errors import Conflict
from monitor.model import Case, CaseEvent, CaseStatus, Stored
from monitor.protocols import CaseCounts, CaseFilter
from monitor.store import codec
from monitor.store.engine import Database
from monitor.store.mentions import RAISE
from monitor.store.tables import ACTIVE, case_events, case_mentions, cases, mentions

_SLICE = 1_000
_INSERT = insert(cases).returning(cases.c.id)
_INSERT_EVENT = insert(case_events)
_INSERT_MENTION = insert(case_mentions)
_MOVE = (
    update(cases)
    .where(cases.c.id == bindparam("case_id"), cases.c.version == bindparam("seen"))
    .values({name: bindparam(name) for name in cases.c.keys() if name != "id"})  # noqa: SIM118 - a column collection
)
_GET = select(cases).where(cases.c.id == bindparam("case_id"))
_MENTION_IDS = (
    select(case_mentions.c.case_id, mentions.c.id, mentions.c.no)
    .join(mentions, mentions.c.no == case_mentions.c.mention_no)
    .where(case_mentions.c.case_id.in_(bindparam("ids", expanding=True)))
    .order_by(mentions.c.when_at, mentions.c.no)
)
_EVENTS = select(case_events).where(case_events.c.case_id == bindparam("case_id")).order_by(case_events.c.version)
_LAST_EVENT = _EVENTS.order_by(None).order_by(case_events.c.version.desc()).limit(1)
_IN_THREAD = select(cases).where(cases.c.thread_key == bindparam("key")).order_by(cases.c.id.desc())
_OF_AUTHOR = select(cases).where(cases.c.author_key == bindparam("key")).order_by(cases.c.id.desc())
_TRIAGED = (
    update(mentions)
    .where(mentions.c.no == bindparam("n"), mentions.c.triaged_revision < bindparam("r"))
    .values(triaged_revision=bindparam("r"))
)
_COUNTS = (
    select(
        cases.c.status,
        cases.c.queue,
        cases.c.assignee,
        func.coalesce(cases.c.snoozed_until > bindparam("now"), text("false")).label("sleeps"),
        (cases.c.due_at < bindparam("now")).label("late"),
        func.count().label("count"),
    )
    .where(text(ACTIVE))
    .group_by(text("1, 2, 3, 4, 5"))
)


class SqlCases:
    """Conversations, their state and everything that happened to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, case: Case, event: CaseEvent, stored: Stored) -> Case:
        """Store a new case with its first event; an active twin raises Conflict."""
        values = codec.case_row(case) | {"intents": _intents((), [stored])}
        with self._database.write() as connection:
            try:
                with connection.begin_nested():
                    case_id = connection.execute(_INSERT, values).scalar_one()
            except IntegrityError:
                raise Conflict("this person has an active case in this conversation already") from None
            connection.execute(_INSERT_EVENT, codec.event_row(event) | {"case_id": case_id})
            self._join(connection, case_id, [stored])
            _raise(connection, [stored.no], event.at)
            return _loaded(connection, _GET, {"case_id": case_id})[0]

    def move(self, case: Case, event: CaseEvent, stored: Sequence[Stored] = ()) -> Case:
        """Store `case`, one version ahead of the record, with its event; `stored` join it."""
        with self._database.write() as connection:
            before = connection.execute(_GET, {"case_id": case.id}).mappings().first()
            if before is None:
                raise Conflict(f"case {case.id} is gone")
            values = codec.case_row(case) | {
                "intents": _intents(before["intents"].strip("|").split("|"), stored),
                "case_id": case.id,
                "seen": case.version - 1,
            }
            try:
                with connection.begin_nested():
                    moved = connection.execute(_MOVE, values).rowcount
            except IntegrityError:
                raise Conflict("this person has another active case in this conversation") from None
            if moved != 1:
                raise self._lost(connection, case.id, before["assignee"])
            connection.execute(_INSERT_EVENT, codec.event_row(event))
            self._join(connection, case.id, stored)
            nos = [row.no for row in connection.execute(_MENTION_IDS, {"ids": [case.id]})]
            _raise(connection, nos, event.at)
            return _loaded(connection, _GET, {"case_id": case.id})[0]

    def _lost(self, connection: Connection, case_id: int, assignee: str | None) -> Conflict:
        last = connection.execute(_LAST_EVENT, {"case_id": case_id}).mappings().first()
        winner = assignee or (last["actor"] if last else None)
        return Conflict(f"{winner or 'somebody'} was first; look at the case again", winner=winner)

    def _join(self, connection: Connection, case_id: int, stored: Sequence[Stored]) -> None:
        if not stored:
            return
        held = {row.no for row in connection.execute(_MENTION_IDS, {"ids": [case_id]})}
        new = [{"case_id": case_id, "mention_no": s.no} for s in stored if s.no not in held]
        if new:
            connection.execute(_INSERT_MENTION, new)
        connection.execute(_TRIAGED, [{"n": s.no, "r": s.content_revision} for s in stored])

    def get(self, case_id: int) -> Case | None:
        """One case, with its mention ids in order of `when`."""
        with self._database.read() as connection:
            return next(iter(_loaded(connection, _GET, {"case_id": case_id})), None)

    def events(self, case_id: int) -> list[CaseEvent]:
        """Its log, oldest first."""
        with self._database.read() as connection:
            return [codec.event_of(row) for row in connection.execute(_EVENTS, {"case_id": case_id}).mappings()]

    def in_thread(self, thread_key: str) -> list[Case]:
        """Cases of one conversation, newest first."""
        with self._database.read() as connection:
            return _loaded(connection, _IN_THREAD, {"key": thread_key})

    def of_author(self, author_key: str) -> list[Case]:
        """A person's cases, newest first."""
        with self._database.read() as connection:
            return _loaded(connection, _OF_AUTHOR, {"key": author_key})

    def find(
        self, wanted: CaseFilter, *, now: datetime, limit: int, after: tuple[datetime, int] | None = None
    ) -> list[Case]:
        """By due time then id, from `after` on."""
        statement = _filtered(wanted, now).order_by(cases.c.due_at, cases.c.id).limit(limit)
        if after is not None:
            due, case_id = after
            statement = statement.where(or_(cases.c.due_at > due, (cases.c.due_at == due) & (cases.c.id > case_id)))
        with self._database.read() as connection:
            return _loaded(connection, statement, {})

    def opened_since(self, moment: datetime) -> int:
        """How many cases were opened, or heard from their customer, after `moment`."""
        statement = select(func.count(func.distinct(case_events.c.case_id))).where(
            case_events.c.at > moment, case_events.c.action.in_(("opened", "customer_wrote"))
        )
        with self._database.read() as connection:
            return connection.scalar(statement) or 0

    def counts(self, now: datetime) -> CaseCounts:
        """The rail's numbers, in one read."""
        with self._database.read() as connection:
            rows = connection.execute(_COUNTS, {"now": now}).mappings().all()
        awake = [row for row in rows if not row["sleeps"]]
        waiting = [row for row in awake if row["status"] in {"new", "open"}]
        return CaseCounts(
            todo=_sum(waiting),
            late=_sum(row for row in waiting if row["late"]),
            unassigned=_sum(row for row in waiting if row["assignee"] is None),
            pending=_sum(row for row in awake if row["status"] == CaseStatus.PENDING),
            snoozed=_sum(row for row in rows if row["sleeps"]),
            by_queue=_by(waiting, "queue"),
            by_assignee=_by((row for row in waiting if row["assignee"] is not None), "assignee"),
        )

    def wake(self, now: datetime) -> list[Case]:
        """Cases whose snooze has run out."""
        statement = select(cases).where(text(ACTIVE), cases.c.snoozed_until <= now).order_by(cases.c.id)
        with self._database.read() as connection:
            return _loaded(connection, statement, {})

    def log(self, start: datetime, end: datetime) -> Iterator[CaseEvent]:
        """All events with start <= at < end, in order, read in slices."""
        order = (case_events.c.at, case_events.c.case_id, case_events.c.version)
        statement = select(case_events).where(case_events.c.at >= start, case_events.c.at < end).order_by(*order)
        offset = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(statement.limit(_SLICE).offset(offset)).mappings().all()
            yield from (codec.event_of(row) for row in rows)
            if len(rows) < _SLICE:
                return
            offset += _SLICE


def _filtered(wanted: CaseFilter, now: datetime) -> Select[Any]:
    statement = select(cases)
    active = tuple(status for status in CaseStatus if status.is_active)
    if wanted.statuses and set(wanted.statuses) <= set(active):
        statement = statement.where(text(ACTIVE))  # as the partial indexes have it, literally
    if wanted.statuses and set(wanted.statuses) != set(active):
        statement = statement.where(cases.c.status.in_([status.value for status in wanted.statuses]))
    for column, value in (
        (cases.c.queue, wanted.queue),
        (cases.c.assignee, wanted.assignee),
        (cases.c.channel, wanted.channel),
        (cases.c.author_key, wanted.author_key),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.unassigned:
        statement = statement.where(cases.c.assignee.is_(None))
    if wanted.intent is not None:
        statement = statement.where(cases.c.intents.contains(f"|{wanted.intent}|", autoescape=True))
    if wanted.ids is not None:
        statement = statement.where(cases.c.id.in_(wanted.ids))
    if wanted.snoozed is True:
        statement = statement.where(cases.c.snoozed_until > now)
    elif wanted.snoozed is False:
        statement = statement.where(or_(cases.c.snoozed_until.is_(None), cases.c.snoozed_until <= now))
    return statement


def _loaded(connection: Connection, statement: Select[Any], values: dict[str, Any]) -> list[Case]:
    rows = connection.execute(statement, values).mappings().all()
    held: dict[int, list[str]] = {row["id"]: [] for row in rows}
    ids = list(held)
    for start in range(0, len(ids), _SLICE // 2):
        for row in connection.execute(_MENTION_IDS, {"ids": ids[start : start + _SLICE // 2]}):
            held[row.case_id].append(row.id)
    return [codec.case_of(row, held[row["id"]]) for row in rows]


def _raise(connection: Connection, nos: Sequence[int], at: datetime) -> None:
    if nos:
        connection.execute(RAISE, {"nos": sorted(nos), "ms": codec.epoch_ms(at)})


def _intents(before: Sequence[str], stored: Sequence[Stored]) -> str:
    found = set(before) | {intent for s in stored if s.enrichment for intent in s.enrichment.intents}
    return "|" + "|".join(sorted(found - {""})) + "|"


def _sum(rows: Any) -> int:
    return sum(row["count"] for row in rows)


def _by(rows: Any, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row[name]] = found.get(row[name], 0) + row["count"]
    return found
