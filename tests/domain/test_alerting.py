"""When a rule fires."""

from dataclasses import replace
from datetime import timedelta

from monitor.domain.alerting import fire, groups_of, hits_of, usual
from monitor.model import Author, Enrichment, Rule, RuleKind, Severity, Stored
from tests.factories import NOON, a_mention

DANGER = Rule(
    id="danger", name="Gevaar", kind=RuleKind.ANY, query="x", severity=Severity.HIGH, window=timedelta(hours=12)
)
MANY = Rule(id="many", name="Klachten", kind=RuleKind.FREQUENCY, query="x", threshold=3, window=timedelta(hours=2))
SPIKE = replace(MANY, id="spike", kind=RuleKind.SPIKE, threshold=5, factor=3.0)


def stored(number, *, minutes=0, person=None, cluster=None, **changes):
    mention = a_mention(
        native_id=str(number),
        author=Author(native_id=person or f"p{number}"),
        published_at=NOON + timedelta(minutes=minutes),
        **changes,
    )
    enrichment = Enrichment(
        mention_id=mention.id, content_hash="h", model="m", cluster_id=cluster, themes=("delivery",)
    )
    return Stored(no=number, mention=mention, revision=1, content_revision=1, enrichment=enrichment)


def firing(rule, rows, last=None, at=60):
    return fire(rule, "", hits_of(rows), last, NOON + timedelta(minutes=at))


def test_danger_needs_no_volume():
    alert = firing(DANGER, [stored(1)])
    assert alert is not None
    assert (alert.count, alert.severity) == (1, Severity.HIGH)


def test_the_same_record_raises_the_same_alert_again():
    first, second = firing(DANGER, [stored(1)]), firing(DANGER, [stored(1)], at=61)
    assert first is not None
    assert second is not None
    assert first.id == second.id


def test_nothing_new_changes_nothing():
    alert = firing(DANGER, [stored(1)])
    assert firing(DANGER, [stored(1)], last=alert) is None


def test_a_second_person_joins_the_alert_and_raises_its_severity():
    alert = firing(DANGER, [stored(1)])
    grown = firing(DANGER, [stored(1), stored(2, minutes=30)], last=alert)
    assert alert is not None
    assert grown is not None
    assert (grown.id, grown.count, grown.severity) == (alert.id, 2, Severity.CRITICAL)


def test_one_person_shouting_three_times_is_one_person():
    assert firing(MANY, [stored(n, person="jaap") for n in range(3)]) is None
    assert firing(MANY, [stored(n) for n in range(3)]) is not None


def test_copies_of_one_text_count_once():
    assert firing(MANY, [stored(n, cluster="news") for n in range(9)]) is None


def test_our_own_words_and_automatic_mail_never_count():
    assert hits_of([stored(1, is_own=True), stored(2, is_automatic=True)]) == []


def test_after_a_pause_a_new_alert_is_opened():
    alert = firing(DANGER, [stored(1)])
    assert alert is not None
    later = fire(DANGER, "", hits_of([stored(1), stored(2, minutes=3000)]), alert, NOON + timedelta(minutes=3001))
    assert later is not None
    assert later.id != alert.id


def test_a_spike_is_measured_against_the_week_before():
    quiet = [stored(100 + n, minutes=-60 * 24 * (n % 6 + 1)) for n in range(12)]
    busy = [stored(n, minutes=n) for n in range(6)]
    alert = firing(SPIKE, quiet + busy)
    assert alert is not None
    assert alert.expected is not None
    assert 0 < alert.expected < 1
    usually_busy = [stored(1000 + n, minutes=-130 - n * 30) for n in range(300)]
    assert firing(SPIKE, usually_busy + busy) is None
    assert usual(SPIKE, hits_of(usually_busy), NOON) > 2


def test_groups_alert_apart():
    rule = replace(MANY, group_by="theme")
    assert set(groups_of(rule, hits_of([stored(1)]))) == {"delivery"}
