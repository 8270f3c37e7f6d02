from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.demo.expected import DUE
from monitor.demo.replay import Seen
from monitor.demo.score import Ratio, score
from monitor.demo.show import rows as shown_rows
from monitor.demo.show import table
from monitor.model import Alert, Sentiment, Severity
from tests.demo.perfect import mention_of, perfect
from tests.demo.town import TOWN

END = TOWN.closes_at


@pytest.fixture
def record():
    return perfect(TOWN, END)


def judged(record, seen=(), until=END):
    return score(TOWN, record.values(), seen, until)


def tagged(stored, **changes):
    return replace(stored, enrichment=replace(stored.enrichment, **changes))


def an_alert(due, record, **changes):
    told = {
        "id": due.number,
        "rule_id": due.rule_id,
        "severity": Severity.CRITICAL,
        "title": due.what,
        "summary": "",
        "group": "",
        "window_start": TOWN.when(due.since),
        "opened_at": TOWN.when(due.since),
        "updated_at": TOWN.when(due.since),
        "mention_ids": tuple(record[line].mention.id for line in due.rests_on),
        "count": 1,
    }
    return Alert(**{**told, **changes})


def test_a_perfect_record_has_a_perfect_score(record):
    found = judged(record, [Seen(at=TOWN.when(due.by), alert=an_alert(due, record)) for due in DUE])
    assert (found.found.expected, found.found.found) == (649, 649)
    for wrong in ("missing", "doubled", "unknown", "reposts_as_mentions", "edits_missed", "deletions_kept"):
        assert getattr(found.found, wrong) == ()
    assert (found.found.edits_expected, found.found.deletions_expected) == (9, 7)
    assert (found.merged.missed, found.merged.wrong) == ((), ())
    assert found.merged.pairs_found == found.merged.pairs_expected > 10
    assert found.about.f1 == 1.0
    for kind in ("sentiment", "intents", "stage", "needs_reply", "themes", "entities", "language"):
        assert found.macro(kind) == 1.0
    assert {alert.outcome for alert in found.alerts} == {"in_time"}
    assert found.false_alerts == ()
    json.dumps(found.to_dict())


def test_a_lost_mention_shows(record):
    del record["t-0298"]
    found = judged(record).found
    assert (found.missing, found.found) == (("t-0298",), 648)


def test_a_mention_deleted_before_anybody_looked_is_not_missed(record):
    del record["t-0196"]
    assert judged(record).found.missing == ()


def test_a_doubled_mention_shows(record):
    twin = record["t-0298"]
    record["twin"] = replace(twin, no=9999, mention=replace(twin.mention, origin="elsewhere"))
    assert judged(record).found.doubled == ("t-0298",)


def test_a_repost_kept_as_a_mention_and_a_stranger_show(record):
    repost = next(said for said in TOWN.script.by_source["x"] if said.is_repost)
    mention = mention_of(TOWN.version(repost, END))
    record["repost"] = replace(record["t-0298"], mention=mention)
    record["stranger"] = replace(record["t-0298"], mention=replace(mention, native_id="1"))
    found = judged(record).found
    assert found.reposts_as_mentions == (repost.id,)
    assert found.unknown == ("x 1",)


def test_an_edit_that_was_not_seen_and_a_deletion_that_was_not_honoured_show(record):
    said = TOWN.script.by_id["t-0242"]
    old = record["t-0242"]
    record["t-0242"] = replace(old, mention=replace(old.mention, text=said.text))
    record["t-0196"] = replace(record["t-0196"], mention=replace(record["t-0196"].mention, removed_at=None))
    found = judged(record).found
    assert (found.edits_missed, found.deletions_kept) == (("t-0242",), ("t-0196",))


def test_spaces_and_line_ends_make_no_edit(record):
    old = record["t-0246"]
    record["t-0246"] = replace(old, mention=replace(old.mention, text=" ".join(old.mention.text.split())))
    assert judged(record).found.edits_missed == ()


def test_a_wrong_label_costs_precision_of_the_one_and_recall_of_the_other(record):
    record["t-0298"] = tagged(record["t-0298"], sentiment=Sentiment(label="positive", score=1.0), intents=("thanks",))
    found = judged(record)
    assert found.labels["sentiment"]["positive"].extra == 1
    assert found.labels["sentiment"]["negative"].missed == 1
    assert found.labels["intents"]["thanks"].extra == 1
    assert found.labels["intents"]["crisis"].missed == 1
    assert found.macro("sentiment") < 1.0
    assert found.labels["sentiment"]["neutral"].f1 == 1.0


def test_a_mention_without_tags_misses_all_its_labels(record):
    record["t-0298"] = replace(record["t-0298"], enrichment=None)
    found = judged(record)
    assert found.tagged == 648
    assert found.about.missed == 1
    assert found.labels["themes"]["product"].missed == 1
    assert found.labels["entities"]["product"].missed == 1


def test_the_street_taken_for_the_brand_and_the_brand_taken_for_the_street(record):
    street = next(said for said in TOWN.script.lines if not said.about)
    record[street.id] = tagged(record[street.id], topics=("zonnekade",))
    record["t-0298"] = tagged(record["t-0298"], topics=("glimworm",))
    assert judged(record).about == Ratio(right=624, extra=1, missed=1)


def test_two_stories_merged_and_a_copy_left_alone_show(record):
    record["t-0298"] = tagged(record["t-0298"], cluster_id="t-0330")
    record["t-0114"] = tagged(record["t-0114"], cluster_id=None)
    merged = judged(record).merged
    assert merged.wrong == ("t-0298 t-0330",)
    assert merged.missed == ("t-0113 t-0114", "t-0114 t-0116")


def test_an_alert_in_time_late_and_missed(record):
    danger = next(due for due in DUE if due.number == "2a")
    alert = an_alert(danger, record)
    by = TOWN.when(danger.by)
    for at, outcome in ((by, "in_time"), (by + timedelta(minutes=1), "late"), (None, "missed")):
        seen = [Seen(at=at, alert=alert)] if at else []
        assert next(one for one in judged(record, seen).alerts if one.number == "2a").outcome == outcome


def test_an_alert_on_the_wrong_mention_or_too_low_does_not_count(record):
    second = next(due for due in DUE if due.number == "2b")
    at = TOWN.when(second.by)
    for changes in ({"mention_ids": ("other",)}, {"severity": Severity.HIGH}, {"rule_id": "press"}):
        seen = [Seen(at=at, alert=an_alert(second, record, **changes))]
        assert next(one for one in judged(record, seen).alerts if one.number == "2b").outcome == "missed"


def test_an_alert_on_a_quiet_day_is_false(record):
    wave = next(due for due in DUE if due.number == "1a")
    quiet = TOWN.opens_at + timedelta(days=1, hours=9, minutes=30)
    found = judged(record, [Seen(at=quiet, alert=an_alert(wave, record, id="quiet"))])
    assert found.false_alerts == ("delivery-wave day 2 09:30",)


def test_only_what_has_happened_is_judged():
    noon = TOWN.opens_at + timedelta(days=4, hours=12)
    found = judged(perfect(TOWN, noon), until=noon)
    assert found.found.missing == ()
    assert {one.number for one in found.alerts} == {"1a", "1d"}


def test_the_table_names_what_went_wrong(record):
    del record["t-0298"]
    told = {what: (figure, which) for what, figure, which in shown_rows(judged(record))}
    assert told["mentions found"] == ("648 of 649", "")
    assert told["missing"] == ("1", "t-0298")
    assert told["alert 2a: danger: the first charger"][0] == "missed"
    assert table(judged(record)).row_count == len(shown_rows(judged(record)))
