"""The life of a case."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Policy, ServiceLevel
from monitor.domain.case import ACTIONS, Action, act, copied, deserves_case, joined, opened
from monitor.domain.clock import calendar_of
from monitor.errors import NotAllowed
from monitor.model import Author, CaseStatus, Enrichment, Priority, Sentiment
from tests.factories import NOON, a_mention

POLICY = Policy(service_levels=(ServiceLevel(name="all", within=timedelta(hours=1)),))
CALENDAR = calendar_of(POLICY, "Europe/Amsterdam")
NEWS = frozenset({"news"})


def an_enrichment(**changes):
    values = {
        "mention_id": "m",
        "content_hash": "h",
        "model": "test",
        "language": "nl",
        "topics": ("zonnekade",),
        "sentiment": Sentiment(label="negative", score=0.9),
        "intents": ("complaint",),
        "needs_reply": "yes",
    }
    return Enrichment(**(values | changes))


def a_case(**changes):
    case, _ = opened(a_mention(), an_enrichment(), NOON, POLICY, CALENDAR)
    return replace(case, id=1, **changes)


def do(case, name, actor="Sanne", **more):
    return act(case, Action(name=name, actor=actor, **more), NOON + timedelta(minutes=5), POLICY, CALENDAR)


def test_a_new_case_has_a_clock_a_queue_and_its_reasons():
    case = a_case()
    assert case.status is CaseStatus.NEW
    assert case.due_at == NOON + timedelta(hours=1)
    assert "needs_reply:yes" in case.reasons


def test_taking_a_case_opens_it_and_the_event_says_what_changed():
    case, event = do(a_case(), "claim")
    assert (case.status, case.assignee, case.version) == (CaseStatus.OPEN, "Sanne", 2)
    assert event.before == {"status": "new", "assignee": None}
    assert event.after == {"status": "open", "assignee": "Sanne"}


def test_a_case_that_somebody_has_cannot_be_taken():
    case, _ = do(a_case(), "claim")
    with pytest.raises(NotAllowed, match="Sanne has this case"):
        do(case, "claim", actor="Daan")


def test_an_answer_stops_the_clock_and_keeps_the_first_reply():
    case, event = do(a_case(), "answer", note="Excuses, we zoeken het uit.")
    assert (case.status, case.due_at) == (CaseStatus.PENDING, None)
    assert case.first_reply_at == event.at
    later, _ = do(case, "answer", note="Gevonden.")
    assert later.first_reply_at == case.first_reply_at


def test_the_customer_writing_again_reopens_with_a_new_clock():
    case, _ = do(a_case(), "resolve")
    again = a_mention(native_id="2", parent_id="1", published_at=NOON + timedelta(hours=3))
    reopened, event = joined(case, again, an_enrichment(), NOON + timedelta(hours=4), POLICY, CALENDAR)
    assert reopened.status is CaseStatus.OPEN
    assert reopened.due_at == NOON + timedelta(hours=4)
    assert event.action == "customer_wrote"


def test_a_bare_thank_you_does_not_reopen():
    case, _ = do(a_case(), "resolve")
    thanks = an_enrichment(intents=("thanks",), needs_reply="no")
    same, _ = joined(case, a_mention(native_id="2"), thanks, NOON, POLICY, CALENDAR)
    assert same.status is CaseStatus.RESOLVED
    asked = an_enrichment(intents=("thanks", "question"))
    assert joined(case, a_mention(native_id="3"), asked, NOON, POLICY, CALENDAR)[0].status is CaseStatus.OPEN


def test_an_answer_given_elsewhere_stops_the_clock_too():
    own = a_mention(native_id="9", is_own=True)
    case, event = joined(a_case(), own, an_enrichment(intents=()), NOON, POLICY, CALENDAR)
    assert (case.status, case.due_at, event.action) == (CaseStatus.PENDING, None, "own_reply")


def test_an_edit_keeps_state_and_assignee():
    case, _ = do(a_case(), "claim")
    edited, event = joined(case, a_mention(text="Nog steeds niets"), an_enrichment(), NOON, POLICY, CALENDAR)
    assert (edited.status, edited.assignee, event.action) == (case.status, "Sanne", "customer_edited")


def test_a_copy_is_a_fact_and_moves_nothing():
    case, event = copied(a_case(), a_mention(native_id="2"), NOON)
    assert len(case.mention_ids) == 2
    assert list(event.after) == ["mention_ids"]


def test_dismissing_needs_one_of_the_reasons():
    with pytest.raises(NotAllowed, match="say why"):
        do(a_case(), "dismiss", value="geen zin")
    case, _ = do(a_case(), "dismiss", value="spam")
    assert case.status is CaseStatus.DISMISSED


def test_only_the_newest_step_can_be_undone():
    case, claimed = do(a_case(), "claim")
    resolved, resolving = do(case, "resolve")
    with pytest.raises(NotAllowed, match="newest"):
        do(resolved, "undo", value=claimed)
    back, _ = do(resolved, "undo", value=resolving)
    assert replace(back, version=case.version) == case


def test_what_the_customer_did_cannot_be_undone():
    case, event = joined(a_case(), a_mention(native_id="2"), an_enrichment(), NOON, POLICY, CALENDAR)
    with pytest.raises(NotAllowed):
        do(case, "undo", value=event)


def test_snoozing_into_the_past_is_refused():
    with pytest.raises(NotAllowed):
        do(a_case(), "snooze", value=NOON)
    asleep, _ = do(a_case(), "snooze", value=NOON + timedelta(days=1))
    assert do(asleep, "wake")[0].snoozed_until is None


def test_escalating_raises_the_priority():
    case, _ = do(a_case(), "escalate", value="PR")
    assert (case.escalated_to, case.priority) == ("PR", Priority.HIGH)


@given(names=st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_no_row_of_moves_breaks_a_case_and_its_log_tells_it_all(names):
    case, events = a_case(), []
    values = {
        "assign": "Daan",
        "snooze": NOON + timedelta(days=1),
        "escalate": "PR",
        "dismiss": "spam",
        "label": ("a",),
    }
    for name in names:
        value = events[-1] if name == "undo" and events else values.get(name)
        try:
            after, event = do(case, name, note="woorden", value=value)
        except NotAllowed:
            continue
        assert after.version == case.version + 1 == event.version
        assert set(event.before) == set(event.after)
        case, events = after, [*events, event]
    if not case.status.is_active:
        assert case.due_at is None


@pytest.mark.parametrize(
    ("mention", "enrichment", "expected"),
    [
        ({}, {}, True),
        ({"is_own": True}, {}, False),
        ({"is_automatic": True}, {}, False),
        ({}, {"topics": ()}, False),
        ({"is_private": True}, {"topics": ()}, True),
        ({}, {"intents": ("thanks",), "needs_reply": "no"}, False),
        ({}, {"intents": ("promotion",), "needs_reply": "no"}, False),
        ({}, {"intents": (), "needs_reply": "no"}, False),
        ({"channel": "news"}, {"intents": (), "needs_reply": "no"}, True),
        ({}, {"intents": ("crisis",), "needs_reply": "no"}, True),
        ({}, {"sentiment": None, "intents": (), "needs_reply": "no"}, True),
    ],
)
def test_what_deserves_a_case(mention, enrichment, expected):
    assert deserves_case(a_mention(**mention), an_enrichment(**enrichment), news_channels=NEWS) is expected


def test_a_large_audience_is_a_reason():
    loud = a_mention(author=Author(native_id="u", followers=48_000))
    case, _ = opened(loud, an_enrichment(), NOON, POLICY, CALENDAR)
    assert case.priority is Priority.HIGH
    assert "followers:48000" in case.reasons
