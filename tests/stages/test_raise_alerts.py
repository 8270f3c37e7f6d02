"""raise_alerts: people counted, told once, told again when it grows."""

from datetime import timedelta

from monitor.model import Author, Rule, RuleKind, Severity
from monitor.search.document import document
from monitor.stages.raise_alerts import raise_alerts
from monitor.stages.tag import tag
from tests.factories import NOON, a_mention
from tests.stages.fakes import ByHeart, Clock, save

WAVE = Rule(
    id="wave",
    name="Storing",
    kind=RuleKind.FREQUENCY,
    query="storing",
    severity=Severity.MEDIUM,
    window=timedelta(hours=1),
    threshold=3,
    channels=("console", "team"),
)


def people(first, count, minutes=0, **changes):
    return [
        a_mention(
            native_id=str(number),
            text=f"Weer een storing bij jullie! {number}",
            author=Author(native_id=f"u{number}", name=f"Klant {number}"),
            published_at=NOON + timedelta(minutes=minutes),
            **changes,
        )
        for number in range(first, first + count)
    ]


def said(store, *mentions):
    save(store, *mentions)
    tag(ByHeart(), store)


def raised(store, clock, *rules):
    return raise_alerts(store, rules or (WAVE,), document, clock)


def test_raising_twice_is_raising_once(store):
    said(store, *people(0, 3))
    (alert,) = raised(store, Clock())
    assert (alert.count, alert.severity) == (3, Severity.MEDIUM)
    assert raised(store, Clock()) == []
    assert store.alerts.newest(10) == [alert]
    assert sorted(d.channel for d in store.alerts.deliveries(alert.id)) == ["console", "team"]


def test_too_few_people_raise_nothing_however_often_they_write(store):
    person = Author(native_id="u1", name="Fatima")
    said(store, *[a_mention(native_id=str(n), text=f"storing {n}", author=person) for n in range(9)])
    assert raised(store, Clock()) == []


def test_our_own_words_raise_nothing(store):
    said(store, *people(0, 5, is_own=True))
    assert raised(store, Clock()) == []


def test_a_wave_that_grows_calls_louder_and_tells_each_channel_again(store):
    clock = Clock()
    said(store, *people(0, 3))
    (first,) = raised(store, clock)
    clock.forward(minutes=20)
    said(store, *people(3, 6, minutes=15))
    (grown,) = raised(store, clock)
    assert (grown.id, grown.count, grown.severity) == (first.id, 9, Severity.CRITICAL)
    told = sorted((d.channel, d.severity.value) for d in store.alerts.deliveries(first.id))
    assert told == [("console", "critical"), ("console", "medium"), ("team", "critical"), ("team", "medium")]


def test_one_more_person_updates_the_count_without_another_message(store):
    clock = Clock()
    said(store, *people(0, 3))
    (first,) = raised(store, clock)
    said(store, *people(3, 1))
    (grown,) = raised(store, clock)
    assert (grown.count, grown.severity) == (4, Severity.MEDIUM)
    assert len(store.alerts.deliveries(first.id)) == 2


def test_each_group_alerts_apart(store):
    tagger = ByHeart(known={str(n): {"themes": ("app",) if n < 3 else ("delivery",)} for n in range(6)})
    save(store, *people(0, 6))
    tag(tagger, store)
    rule = Rule(id="t", name="T", kind=RuleKind.FREQUENCY, query="storing", threshold=3, group_by="theme")
    assert sorted(alert.group for alert in raised(store, Clock(), rule)) == ["app", "delivery"]


def test_without_rules_nothing_is_read(store):
    said(store, *people(0, 3))
    assert raise_alerts(store, (), document, Clock()) == []
