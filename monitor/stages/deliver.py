"""deliver: the outbox of alerts. Each channel by itself: one that fails is tried again, visibly, until given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from monitor.errors import NotifyError
from monitor.model import Delivery, DeliveryState
from monitor.protocols import Clock, Notifier, Store

BATCH = 50
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How many rows of the outbox ended how."""

    delivered: int = 0
    waiting: int = 0
    given_up: int = 0


def deliver(store: Store, notifiers: Mapping[str, Notifier], now: Clock, worker: str = "deliver") -> Delivered:
    """Send what is due. The row is leased before the call and its outcome kept after it."""
    counts = dict.fromkeys(DeliveryState, 0)
    for delivery in store.alerts.take_due(worker, now(), BATCH):
        ended = _send(delivery, store, notifiers, now)
        store.alerts.record(ended)
        counts[ended.state] += 1
    return Delivered(
        delivered=counts[DeliveryState.DELIVERED],
        waiting=counts[DeliveryState.QUEUED],
        given_up=counts[DeliveryState.GIVEN_UP],
    )


def _send(delivery: Delivery, store: Store, notifiers: Mapping[str, Notifier], now: Clock) -> Delivery:
    tried = replace(delivery, attempts=delivery.attempts + 1)
    alert = store.alerts.get(delivery.alert_id)
    notifier = notifiers.get(delivery.channel)
    if alert is None:
        return replace(tried, state=DeliveryState.GIVEN_UP, note="the alert is gone")
    if notifier is None:
        note = f"no channel called {delivery.channel}; name it under notify in policy.yaml"
        return _again(tried, NotifyError(note), now)
    try:
        notifier.send(alert, delivery)
    except NotifyError as error:
        return _again(tried, error, now)
    except Exception as error:  # noqa: BLE001 - a fault in one channel must not stop the others
        # Its words are left out: they may hold the channel's address, and with it a secret.
        return _again(tried, NotifyError(f"{delivery.channel}: failed with {type(error).__name__}"), now)
    return replace(tried, state=DeliveryState.DELIVERED, note="")


def _again(tried: Delivery, error: NotifyError, now: Clock) -> Delivery:
    if error.gone or tried.attempts > len(SCHEDULE):
        return replace(tried, state=DeliveryState.GIVEN_UP, note=str(error))
    wait = SCHEDULE[tried.attempts - 1]
    if error.retry_after is not None:
        wait = max(wait, timedelta(seconds=min(error.retry_after, SCHEDULE[-1].total_seconds())))
    return replace(tried, state=DeliveryState.QUEUED, next_at=now() + wait, note=str(error))
