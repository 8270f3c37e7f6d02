"""Alerts and the outbox of telling people about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.errors import Conflict
from monitor.model import Alert, Delivery, Severity
from monitor.store import codec
from monitor.store.engine import Database
from monitor.store.tables import alerts, deliveries
from monitor.text.clean import clean

LEASE = timedelta(seconds=60)
_SEVERITIES = tuple(reversed(Severity))
_GET = select(alerts).where(alerts.c.id == bindparam("alert_id"))
_DUE = (
    select(deliveries.c.id)
    .where(
        deliveries.c.next_at <= bindparam("now"),
        or_(
            deliveries.c.state == "queued",
            (deliveries.c.state == "sending") & (deliveries.c.lease_until < bindparam("now")),
        ),
    )
    .order_by(deliveries.c.next_at, deliveries.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(_DUE.scalar_subquery()))
    .values(state="sending", lease_until=bindparam("until"), worker=bindparam("taker"))
    .returning(deliveries)
)
_RECORD = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.state == "sending")
    .values(
        state=bindparam("state"), attempts=bindparam("attempts"), next_at=bindparam("next_at"), note=bindparam("note"),
        lease_until=None, worker=None,
    )
)  # fmt: skip
_GROWN = ("severity", "title", "summary", "updated_at", "mention_ids", "count")


@cache
def _queue(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(deliveries).on_conflict_do_nothing()


class SqlAlerts:
    """What the rules raised."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_(self, alert: Alert, deliveries_: Sequence[Delivery]) -> bool:
        """Keep the alert with its outbox rows, or let a known one grow; False where nothing changed."""
        values = codec.alert_row(alert)
        with self._database.write() as connection:
            known = connection.execute(_GET, {"alert_id": alert.id}).mappings().first()
            if known is None:
                connection.execute(alerts.insert(), values)
            else:
                risen = _rank(alert.severity) > _rank(Severity(known["severity"]))
                if not risen and set(alert.mention_ids) <= set(known["mention_ids"]):
                    return False
                grown = {name: values[name] for name in _GROWN}
                connection.execute(update(alerts).where(alerts.c.id == alert.id).values(grown))
                if not risen:
                    return True
            rows = [
                {
                    "alert_id": alert.id,
                    "channel": d.channel,
                    "severity": alert.severity.value,
                    "state": "queued",
                    "attempts": 0,
                    "next_at": d.next_at,
                    "note": "",
                }
                for d in deliveries_
            ]
            if rows:
                connection.execute(_queue(self._database.dialect), rows)
        return True

    def get(self, alert_id: str) -> Alert | None:
        """One alert."""
        with self._database.read() as connection:
            row = connection.execute(_GET, {"alert_id": alert_id}).mappings().first()
        return codec.alert_of(row) if row else None

    def newest(self, limit: int) -> list[Alert]:
        """Newest first."""
        statement = select(alerts).order_by(alerts.c.opened_at.desc(), alerts.c.id).limit(limit)
        with self._database.read() as connection:
            return [codec.alert_of(row) for row in connection.execute(statement).mappings()]

    def last_of(self, rule_id: str, group: str) -> Alert | None:
        """The newest alert of a rule and group."""
        statement = (
            select(alerts)
            .where(alerts.c.rule_id == rule_id, alerts.c.group_value == group)
            .order_by(alerts.c.window_start.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).mappings().first()
        return codec.alert_of(row) if row else None

    def acknowledge(self, alert_id: str, agent: str, at: datetime) -> Alert:
        """The first one to say so has it."""
        with self._database.write() as connection:
            taken = connection.execute(
                update(alerts)
                .where(alerts.c.id == alert_id, alerts.c.acknowledged_by.is_(None))
                .values(acknowledged_by=clean(agent), acknowledged_at=at)
            ).rowcount
            row = connection.execute(_GET, {"alert_id": alert_id}).mappings().first()
            if row is None:
                raise Conflict("this alert is gone")
            if taken != 1 and row["acknowledged_by"] != agent:
                raise Conflict(f"{row['acknowledged_by']} was first", winner=row["acknowledged_by"])
        return codec.alert_of(row)

    def deliveries(self, alert_id: str) -> list[Delivery]:
        """The outbox rows of an alert."""
        statement = select(deliveries).where(deliveries.c.alert_id == alert_id).order_by(deliveries.c.id)
        with self._database.read() as connection:
            return [codec.delivery_of(row) for row in connection.execute(statement).mappings()]

    def take_due(self, worker: str, now: datetime, limit: int) -> list[Delivery]:
        """Lease queued deliveries that are due; one whose lease ran out is taken again."""
        values = {"now": now, "limit": limit, "until": now + LEASE, "taker": worker}
        with self._database.write() as connection:
            rows = connection.execute(_TAKE, values).mappings().all()
        return sorted((codec.delivery_of(row) for row in rows), key=lambda delivery: delivery.id)

    def record(self, delivery: Delivery) -> None:
        """How an attempt ended."""
        with self._database.write() as connection:
            connection.execute(
                _RECORD,
                {
                    "delivery_id": delivery.id,
                    "state": delivery.state.value,
                    "attempts": delivery.attempts,
                    "next_at": delivery.next_at,
                    "note": clean(delivery.note),
                },
            )


def _rank(severity: Severity) -> int:
    return _SEVERITIES.index(severity)
