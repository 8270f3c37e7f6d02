from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Case, CaseStatus, Evidence, Priority
from monitor.web import view
from monitor.web.words import Words
from tests.factories import NOON, a_mention
from tests.web.desk import an_enrichment

WORDS = Words("nl", "Europe/Amsterdam")
CASE = Case(
    id=1,
    version=1,
    thread_key="t",
    channel="x",
    source_id="praatpaal",
    queue="klachten",
    opened_at=NOON,
    last_customer_at=NOON,
    due_at=NOON + timedelta(hours=4),
)


@pytest.mark.parametrize(
    ("changes", "after", "state"),
    [
        ({}, timedelta(0), "fine"),
        ({}, timedelta(hours=3, minutes=20), "soon"),
        ({}, timedelta(hours=4, seconds=1), "late"),
        ({"due_at": None}, timedelta(0), "paused"),
        ({"status": CaseStatus.PENDING}, timedelta(0), "paused"),
        ({"status": CaseStatus.RESOLVED}, timedelta(0), "met"),
    ],
)
def test_the_clock_says_how_a_promise_stands(changes, after, state):
    assert view.clock_of(replace(CASE, **changes), NOON + after, WORDS).state == state


LABELS = ("sentiment:negative", "intent:question")


@given(
    text=st.text(max_size=40),
    spans=st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60), st.sampled_from(LABELS))),
)
def test_pieces_put_together_are_the_text_again_and_mark_exactly_what_is_told(text, spans):
    mention = a_mention(text=text)
    evidence = tuple(Evidence(label=label, start=s, end=e, reason="") for s, e, label in spans)
    enrichment = replace(an_enrichment(mention), evidence=evidence, entities=())
    tags = [view.Tag(label=label, text=label) for label in LABELS]
    pieces = view.case_pieces(mention, enrichment, tags)
    assert "".join(piece.text for piece in pieces) == text
    told = [e for label in LABELS for e in view.telling(enrichment, label, {"text": text})]
    covered = {at for e in told if 0 <= e.start < e.end for at in range(e.start, min(e.end, len(text)))}
    assert sum(len(piece.text) for piece in pieces if piece.marks) == len(covered)


def test_a_lone_full_stop_is_no_evidence_where_words_are():
    mention = a_mention(text="Nooit meer. Klaar.")
    evidence = tuple(
        Evidence(label="sentiment:negative", start=s, end=e, reason=f"model: {s}", weight=1.0)
        for s, e in ((10, 11), (0, 10), (17, 18))
    )
    enrichment = replace(an_enrichment(mention), evidence=evidence)
    assert view.why(enrichment, "sentiment:negative", mention.text, "") == [("Nooit meer", "model: 0")]
    only_stops = replace(enrichment, evidence=evidence[::2])
    assert len(view.why(only_stops, "sentiment:negative", mention.text, "")) == 2


def test_the_evidence_of_a_tag_is_numbered_as_its_explanation_is():
    mention = a_mention(text="drie weken wachten, nooit meer")
    evidence = tuple(
        Evidence(label="sentiment:negative", start=s, end=e, reason="zo klinkt boos") for s, e in ((0, 10), (20, 30))
    )
    enrichment = replace(an_enrichment(mention), evidence=evidence, entities=())
    pieces = view.case_pieces(mention, enrichment, view.tags_of(enrichment, WORDS))
    assert [(piece.text, piece.ends) for piece in pieces if piece.ends] == [
        ("drie weken", ((0, 1),)),
        ("nooit meer", ((0, 2),)),
    ]


def test_a_row_shows_what_a_rule_found_and_else_the_heaviest_word():
    mention = a_mention(text="hij stond te wachten op niets")
    light = Evidence(label="intent:complaint", start=0, end=3, reason="model: hij", weight=0.2)
    heavy = Evidence(label="intent:complaint", start=13, end=20, reason="model: wachten", weight=0.9)
    rule = Evidence(label="intent:complaint", start=24, end=29, reason="c-none-nl: niets gekregen", weight=0.1)
    for evidence, shown in (((light, heavy), ["wachten"]), ((light, heavy, rule), ["niets"])):
        pieces = view.row_pieces(mention, replace(an_enrichment(mention), evidence=evidence))
        assert [piece.text for piece in pieces if piece.marks] == shown


def test_a_long_text_begins_near_its_first_evidence():
    mention = a_mention(text="woord " * 100 + "schandalig " + "woord " * 100)
    evidence = (Evidence(label="sentiment:negative", start=600, end=610, reason=""),)
    pieces = view.row_pieces(mention, replace(an_enrichment(mention), evidence=evidence))
    assert pieces[0].text == pieces[-1].text == "…"
    assert [piece.text for piece in pieces if piece.marks] == ["schandalig"]
    assert sum(len(piece.text) for piece in pieces) < 250


def test_what_was_not_tagged_says_so_and_is_not_neutral():
    mention = a_mention()
    assert [tag.text for tag in view.tags_of(None, WORDS)] == ["Niet getagd"]
    assert [tag.text for tag in view.tags_of(an_enrichment(mention), WORDS)] == ["Negatief", "Klacht"]


@pytest.mark.parametrize(
    ("changes", "intents", "group"),
    [
        ({}, ("crisis",), "crisis"),
        ({"priority": Priority.CRITICAL}, (), "crisis"),
        ({"due_at": NOON - timedelta(seconds=1)}, (), "late"),
        ({"due_at": NOON + timedelta(hours=1)}, (), "hour"),
        ({}, (), "today"),
        ({"due_at": NOON + timedelta(hours=10, minutes=1)}, (), "later"),
        ({"due_at": None}, (), "later"),
        ({"status": CaseStatus.PENDING}, (), "later"),
    ],
)
def test_cases_stand_in_the_group_of_their_deadline(changes, intents, group):
    assert view.group_of(replace(CASE, **changes), intents, NOON, WORDS) == group


@given(st.text(max_size=80))
def test_initials_are_found_for_every_name(name):
    assert view.initials(name)
