"""The demo's rules and topics, judged with perfect tags: what then goes wrong is the rules' own fault."""

from __future__ import annotations

from functools import cache

from monitor.demo.config import POLICY, TOPICS
from monitor.demo.replay import AlertLog, eventful
from monitor.demo.score import score
from monitor.domain import alerting
from monitor.domain.routing import queue_for
from monitor.query import parse
from monitor.query.matcher import matches
from monitor.search.document import document
from tests.demo.perfect import perfect
from tests.demo.town import TOWN


@cache
def record():
    """As each line was first said."""
    return {said.id: perfect(TOWN, TOWN.when(said.at), [said]).get(said.id) for said in TOWN.script.lines}


def rows():
    return {line: stored for line, stored in record().items() if stored is not None}


def test_with_perfect_tags_every_alert_comes_in_time_and_none_is_false():
    log = AlertLog()
    hits = {
        rule.id: [
            hit
            for stored in rows().values()
            if matches(parse(rule.query), document(stored))
            for hit in alerting.hits_of([stored])
        ]
        for rule in POLICY.rules
    }
    last = {}
    for now in eventful(TOWN):
        for rule in POLICY.rules:
            known = [hit for hit in hits[rule.id] if hit.mention.when <= now]
            alert = alerting.fire(rule, "", known, last.get(rule.id), now)
            if alert is not None:
                last[rule.id] = alert
                log.look(now, [alert])
    found = score(TOWN, rows().values(), log.seen, TOWN.closes_at)
    assert [(one.number, one.outcome) for one in found.alerts if one.outcome != "in_time"] == []
    assert found.false_alerts == ()


def test_false_alarms_of_the_script_do_not_fire_danger():
    danger = next(rule for rule in POLICY.rules if rule.id == "danger")
    for line in ("t-0018", "t-0096", "t-0258", "t-0331"):
        assert not matches(parse(danger.query), document(rows()[line])), line


def test_the_brand_topic_leaves_the_street_out_and_nothing_else():
    brand = parse(next(topic.query for topic in TOPICS if topic.id == "zonnekade"))
    wrong = [
        line for line, stored in rows().items() if matches(brand, document(stored)) is not TOWN.script.by_id[line].about
    ]
    assert wrong == []


def test_every_line_has_a_queue_and_danger_goes_to_communication():
    queues = {line: queue_for(row.mention, row.enrichment, POLICY) for line, row in rows().items()}
    assert set(queues.values()) == {queue.id for queue in POLICY.queues}
    assert queues["t-0298"] == "communicatie"
