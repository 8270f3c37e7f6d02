"""What the rules raised, and the outbox of telling people: one row a channel, and again when severity rose."""

# ruff: noqa: D102 - monitor.protocols describes these methods
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.errors import Conflict, StoreError
from monitor.model import Alert, Delivery, DeliveryState, Severity
from monitor.store.codec import alert_row, delivery_row, read_alert, read_delivery
from monitor.store.engine import Database
from monitor.store.tables import IS_UNSENT, Utc, alerts, deliveries, per_engine

LEASE = timedelta(seconds=60)
_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}
_A = alerts.c
_D = deliveries.c
_UPDATED = ("severity", "title", "summary", "updated_at", "mention_ids", "count", "expected")


def _raise(insert: Any) -> Any:
    return insert(alerts).on_conflict_do_nothing(index_elements=["id"]).returning(_A.id)


def _queue(insert: Any) -> Any:
    return insert(deliveries).on_conflict_do_nothing(index_elements=["alert_id", "channel", "severity"])


_RAISE = per_engine(_raise)
_QUEUE = per_engine(_queue)
_GET = sa.select(alerts).where(_A.id == sa.bindparam("alert_id"))
_GET_TO_CHANGE = _GET.with_for_update()
_UPDATE = (
    sa.update(alerts)
    .where(_A.id == sa.bindparam("alert_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in _UPDATED})
)
_NEWEST = sa.select(alerts).order_by(_A.opened_at.desc(), _A.id).limit(sa.bindparam("limit", type_=sa.Integer))
_LAST_OF = (
    sa.select(alerts)
    .where(_A.rule_id == sa.bindparam("rule_id"), _A.group_value == sa.bindparam("group"))
    .order_by(_A.opened_at.desc(), _A.id)
    .limit(1)
)
_ACKNOWLEDGE = (
    sa.update(alerts)
    .where(_A.id == sa.bindparam("alert_id"), _A.acknowledged_by.is_(None))
    .values(acknowledged_by=sa.bindparam("agent"), acknowledged_at=sa.bindparam("at"))
)
_DELIVERIES = sa.select(deliveries).where(_D.alert_id == sa.bindparam("alert_id")).order_by(_D.id)
_now = sa.bindparam("now", type_=Utc)
_due = (
    sa.select(_D.id)
    .where(
        sa.text(IS_UNSENT),
        sa.or_(
            sa.and_(_D.state == DeliveryState.QUEUED.value, _D.next_at <= _now),
            sa.and_(_D.state == DeliveryState.SENDING.value, _D.lease_until <= _now),
        ),
    )
    .order_by(_D.next_at, _D.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    sa.update(deliveries)
    .where(_D.id.in_(_due))
    .values(
        # An attempt whose worker died has never reported: it counts, or a delivery that kills workers is sent for ever.
        attempts=_D.attempts + sa.case((_D.state == DeliveryState.SENDING.value, 1), else_=0),
        state=DeliveryState.SENDING.value,
        lease_until=sa.bindparam("until", type_=Utc),
        worker=sa.bindparam("by"),
    )
    .returning(*deliveries.columns)
)
_RECORD = (
    sa.update(deliveries)
    .where(
        _D.id == sa.bindparam("delivery_id"),
        _D.state.not_in([DeliveryState.DELIVERED.value, DeliveryState.GIVEN_UP.value]),
    )
    .values(
        state=sa.bindparam("new_state"),
        attempts=sa.bindparam("new_attempts"),
        next_at=sa.bindparam("new_next_at"),
        note=sa.bindparam("new_note"),
        lease_until=None,
        worker=None,
    )
)


class SqlAlerts:
    """Alerts of monitor.protocols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_(self, alert: Alert, deliveries: Sequence[Delivery]) -> bool:
        row = alert_row(alert)

        def work(conn: sa.Connection) -> bool:
            is_new = conn.execute(_RAISE[conn.dialect.name], row).first() is not None
            louder = is_new
            if not is_new:
                known = read_alert(conn.execute(_GET_TO_CHANGE, {"alert_id": alert.id}).mappings().one())
                louder = _RANK[alert.severity] > _RANK[known.severity]
                if not louder and alert.count <= known.count:
                    return False
                # Neither number nor severity of an alert ever falls: people have been told already.
                kept = {
                    "severity": str(alert.severity if louder else known.severity),
                    "count": max(alert.count, known.count),
                }
                changes = {f"new_{name}": (row | kept)[name] for name in _UPDATED}
                conn.execute(_UPDATE, {"alert_id": alert.id, **changes})
            rows = [delivery_row(one) for one in deliveries] if louder else []
            if rows:
                conn.execute(_QUEUE[conn.dialect.name], rows)
            return True

        return self._database.write(work)

    def get(self, alert_id: str) -> Alert | None:
        found = self._list(_GET, alert_id=alert_id)
        return found[0] if found else None

    def newest(self, limit: int) -> list[Alert]:
        return self._list(_NEWEST, limit=limit)

    def last_of(self, rule_id: str, group: str) -> Alert | None:
        found = self._list(_LAST_OF, rule_id=rule_id, group=group)
        return found[0] if found else None

    def acknowledge(self, alert_id: str, agent: str, at: datetime) -> Alert:
        def work(conn: sa.Connection) -> Alert:
            first = conn.execute(_ACKNOWLEDGE, {"alert_id": alert_id, "agent": agent, "at": at}).rowcount == 1
            row = conn.execute(_GET, {"alert_id": alert_id}).mappings().first()
            if row is None:
                raise StoreError(f"Alert {alert_id} is not in the record.")
            alert = read_alert(row)
            if not first:
                message = f"{alert.acknowledged_by} acknowledged this alert already."
                raise Conflict(message, winner=alert.acknowledged_by)
            return alert

        return self._database.write(work)

    def deliveries(self, alert_id: str) -> list[Delivery]:
        rows = self._database.read(lambda conn: conn.execute(_DELIVERIES, {"alert_id": alert_id}).mappings().all())
        return [read_delivery(row) for row in rows]

    def take_due(self, worker: str, now: datetime, limit: int) -> list[Delivery]:
        values = {"now": now, "limit": limit, "until": now + LEASE, "by": worker}
        rows = self._database.write(lambda conn: conn.execute(_TAKE, values).mappings().all())
        return sorted(map(read_delivery, rows), key=lambda one: (one.next_at, one.id))

    def record(self, delivery: Delivery) -> None:
        row = delivery_row(delivery)
        changes = {f"new_{name}": row[name] for name in ("state", "attempts", "next_at", "note")}
        self._database.write(lambda conn: conn.execute(_RECORD, {"delivery_id": delivery.id, **changes}))

    def _list(self, statement: Any, **values: Any) -> list[Alert]:
        rows = self._database.read(lambda conn: conn.execute(statement, values).mappings().all())
        return [read_alert(row) for row in rows]
