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


@given(
    text=st.text(max_size=40),
    spans=st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60), st.sampled_from(["negative", "intent"]))),
)
def test_pieces_put_together_are_the_text_again(text, spans):
    evidence = [Evidence(label=f"sentiment:{mark}", start=s, end=e, reason="") for s, e, mark in spans]
    pieces = view.pieces_of(text, evidence)
    assert "".join(piece.text for piece in pieces) == text
    marked = sum(len(piece.text) for piece in pieces if piece.marks)
    covered = {at for s, e, _ in spans if 0 <= s < e for at in range(s, min(e, len(text)))}
    assert marked == len(covered)


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
