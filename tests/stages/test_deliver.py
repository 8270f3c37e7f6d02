"""deliver: four channels, each by itself. A healthy one tells exactly once, a broken one is tried again, visibly."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import NotifyError
from monitor.model import Alert, Delivery, DeliveryState, Severity
from monitor.stages.deliver import SCHEDULE, deliver
from tests.factories import NOON
from tests.stages.fakes import Channel, Clock

CHANNELS = ("console", "mail", "chat", "pager")
ALERT = Alert(
    id="a1",
    rule_id="wave",
    severity=Severity.HIGH,
    title="Storing",
    summary="9 people",
    group="",
    window_start=NOON,
    opened_at=NOON,
    updated_at=NOON,
    mention_ids=("m1",),
    count=9,
)
BROKEN = {
    "an error": lambda: Channel("", always=NotifyError("chat: refused")),
    "an address that is gone": lambda: Channel("", always=NotifyError("chat: no such room", gone=True)),
    "a fault in its code": lambda: Channel("", always=ZeroDivisionError("division by zero")),
    "no such channel": lambda: None,
}


@pytest.fixture
def queued(store):
    rows = [Delivery(alert_id="a1", channel=name, next_at=NOON, severity=Severity.HIGH) for name in CHANNELS]
    assert store.alerts.raise_(ALERT, rows)
    return store


def healthy(*names):
    return {name: Channel(name) for name in names}


def states(store):
    return {d.channel: d.state for d in store.alerts.deliveries("a1")}


def run_for(store, notifiers, days=5, step=timedelta(hours=2), send=deliver):
    clock = Clock()
    for _ in range(int(timedelta(days=days) / step)):
        send(store, notifiers, clock)
        clock.moment += step
    return clock


def deliver_with_one_flag(store, notifiers, _now):
    """The mutant: an alert is told when all its channels were, and until then everybody is told again."""
    rows = store.alerts.deliveries("a1")
    if all(row.state is DeliveryState.DELIVERED for row in rows):
        return
    failed = False
    for row in rows:
        try:
            notifiers[row.channel].send(store.alerts.get(row.alert_id), row)
        except (NotifyError, KeyError, ZeroDivisionError):
            failed = True
    if not failed:
        for row in rows:
            store.alerts.record(replace(row, state=DeliveryState.DELIVERED))


def a_broken_channel_costs_only_itself(store, broken, fault, send=deliver):
    notifiers = healthy(*CHANNELS)
    del notifiers[broken]
    stand_in = BROKEN[fault]()
    if stand_in is not None:
        notifiers[broken] = stand_in
    run_for(store, notifiers, send=send)
    told = {name: len(channel.told) for name, channel in notifiers.items() if name != broken}
    assert told == dict.fromkeys(set(CHANNELS) - {broken}, 1)
    assert states(store) == dict.fromkeys(CHANNELS, DeliveryState.DELIVERED) | {broken: DeliveryState.GIVEN_UP}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("broken", CHANNELS)
def test_one_broken_channel_costs_the_healthy_ones_nothing_and_tells_them_once(queued, broken, fault):
    a_broken_channel_costs_only_itself(queued, broken, fault)


@pytest.mark.xfail(reason="the healthy ones are told again and again", raises=AssertionError, strict=True)
def test_mutant_with_one_flag_an_alert(queued):
    a_broken_channel_costs_only_itself(queued, "chat", "an error", deliver_with_one_flag)


def test_all_well_each_channel_is_told_once(queued):
    notifiers = healthy(*CHANNELS)
    assert deliver(queued, notifiers, Clock()).delivered == 4
    run_for(queued, notifiers, days=1)
    assert [c.told for c in notifiers.values()] == [[("a1", "high")]] * 4


def test_a_broken_channel_is_tried_on_schedule_and_then_given_up(queued):
    clock, notifiers = Clock(), healthy("console", "mail", "chat")
    notifiers["pager"] = Channel("pager", always=NotifyError("pager: refused"))
    for wait in SCHEDULE:
        assert deliver(queued, notifiers, clock).waiting == 1
        (row,) = [d for d in queued.alerts.deliveries("a1") if d.channel == "pager"]
        assert (row.next_at, row.note) == (clock() + wait, "pager: refused")
        clock.moment += wait - timedelta(milliseconds=1)
        assert deliver(queued, notifiers, clock).waiting == 0
        clock.moment += timedelta(milliseconds=1)
    assert deliver(queued, notifiers, clock).given_up == 1
    (row,) = [d for d in queued.alerts.deliveries("a1") if d.channel == "pager"]
    assert (row.state, row.attempts) == (DeliveryState.GIVEN_UP, len(SCHEDULE) + 1)


def test_a_channel_that_comes_back_is_told_then_and_once(queued):
    notifiers = healthy(*CHANNELS)
    notifiers["mail"].faults = [NotifyError("mail: later"), NotifyError("mail: later")]
    run_for(queued, notifiers, days=1)
    assert notifiers["mail"].told == [("a1", "high")]


def test_a_channel_that_asks_for_patience_gets_it(queued):
    notifiers = healthy(*CHANNELS)
    notifiers["chat"].faults = [NotifyError("chat: slow down", retry_after=600)]
    clock = Clock()
    deliver(queued, notifiers, clock)
    clock.forward(seconds=599)
    assert deliver(queued, notifiers, clock).delivered == 0
    clock.forward(seconds=1)
    assert deliver(queued, notifiers, clock).delivered == 1


def test_an_unknown_channel_says_where_to_name_it(queued):
    deliver(queued, healthy("console", "mail", "chat"), Clock())
    (row,) = [d for d in queued.alerts.deliveries("a1") if d.channel == "pager"]
    assert row.note == "no channel called pager; name it under notify in policy.yaml"


def test_a_fault_in_a_channels_code_is_told_without_its_words(queued):
    notifiers = healthy("console", "mail", "chat")
    notifiers["pager"] = Channel("pager", always=RuntimeError("https://hooks.example/T0/s3cret"))
    deliver(queued, notifiers, Clock())
    (row,) = [d for d in queued.alerts.deliveries("a1") if d.channel == "pager"]
    assert "RuntimeError" in row.note
    assert "s3cret" not in row.note


def test_a_worker_that_died_while_sending_leaves_the_row_to_the_next(queued):
    clock = Clock()
    queued.alerts.take_due("died", clock(), 50)
    assert deliver(queued, healthy(*CHANNELS), clock).delivered == 0
    clock.forward(hours=1)
    assert deliver(queued, healthy(*CHANNELS), clock).delivered == 4
