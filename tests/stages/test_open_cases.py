"""open_cases: who belongs with whom, and whose clock runs."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.config import Policy, ServiceLevel
from monitor.domain import case as life
from monitor.domain.clock import Calendar
from monitor.errors import Conflict
from monitor.model import Author, CaseStatus
from monitor.protocols import CaseFilter
from monitor.stages.open_cases import open_cases
from monitor.stages.tag import tag
from tests.factories import NOON, a_mention
from tests.stages.fakes import ByHeart, Clock, save

POLICY = Policy(service_levels=(ServiceLevel(name="hour", within=timedelta(hours=1)),))
CALENDAR = Calendar(zone=ZoneInfo("Europe/Amsterdam"), hours={})
TEAM = Author(native_id="us", name="Zonnekade")


class Line:
    def __init__(self, store):
        self.store, self.clock, self.tagger = store, Clock(), ByHeart()

    def say(self, *mentions, **tags):
        """Store mentions, tag each with `tags` by native id, open cases."""
        self.tagger.known |= tags
        save(self.store, *mentions)
        tag(self.tagger, self.store)
        return open_cases(self.store, POLICY, CALENDAR, self.clock)

    def cases(self):
        return self.store.cases.find(CaseFilter(), now=self.clock(), limit=100)

    def act(self, case, name, **words):
        action = life.Action(name=name, actor="sanne", **words)
        return self.store.cases.move(*life.act(case, action, self.clock(), POLICY, CALENDAR))

    def actions(self, case):
        return [event.action for event in self.store.cases.events(case.id)]


@pytest.fixture
def line(store):
    return Line(store)


def in_thread(native_id, minutes=0, **changes):
    values = {"native_id": native_id, "thread_id": "m1", "published_at": NOON + timedelta(minutes=minutes)}
    return a_mention(**(values | changes))


def test_a_complaint_opens_a_case_whose_clock_runs_from_the_customers_words(line):
    line.clock.forward(minutes=20)
    assert line.say(in_thread("m1")).opened == 1
    (case,) = line.cases()
    assert (case.status, case.due_at, case.author_name) == (
        CaseStatus.NEW,
        NOON + timedelta(hours=1),
        "Fatima El Amrani",
    )
    assert line.actions(case) == ["opened"]


def test_what_follows_in_the_thread_joins_the_case_and_keeps_the_first_promise(line):
    line.say(in_thread("m1"))
    assert line.say(in_thread("m2", 30)).joined == 1
    (case,) = line.cases()
    assert len(case.mention_ids) == 2
    assert case.due_at == NOON + timedelta(hours=1)
    assert line.actions(case) == ["opened", "customer_wrote"]


def test_another_person_in_the_thread_has_a_case_of_their_own(line):
    line.say(in_thread("m1"))
    line.say(in_thread("m2", 5, author=Author(native_id="u2", name="Joris")))
    assert sorted(case.author_name for case in line.cases()) == ["Fatima El Amrani", "Joris"]


def test_our_own_reply_stops_the_clock_and_the_customers_answer_starts_it_anew(line):
    line.say(in_thread("m1"))
    line.say(in_thread("m2", 10, parent_id="m1", is_own=True, author=TEAM))
    (case,) = line.cases()
    assert (case.status, case.due_at, case.first_reply_at) == (
        CaseStatus.PENDING,
        None,
        NOON + timedelta(minutes=10),
    )
    line.clock.forward(minutes=50)
    line.say(in_thread("m3", 45))
    (case,) = line.cases()
    assert (case.status, case.due_at) == (CaseStatus.OPEN, NOON + timedelta(minutes=105))
    assert line.actions(case) == ["opened", "own_reply", "customer_wrote"]


def test_our_own_words_open_nothing(line):
    assert line.say(in_thread("m1", is_own=True, author=TEAM)).left == 1
    assert line.cases() == []


def test_thanks_join_the_case_but_do_not_reopen_it(line):
    line.say(in_thread("m1"))
    line.act(line.cases()[0], "resolve")
    line.say(in_thread("m2", 30), m2={"intents": ("thanks",), "needs_reply": "no"})
    (case,) = line.cases()
    assert (case.status, len(case.mention_ids), case.due_at) == (CaseStatus.RESOLVED, 2, None)


def test_a_customer_who_writes_again_reopens_the_case(line):
    line.say(in_thread("m1"))
    line.act(line.cases()[0], "resolve")
    line.say(in_thread("m2", 30))
    (case,) = line.cases()
    assert (case.status, case.due_at) == (CaseStatus.OPEN, NOON + timedelta(minutes=60))  # the clock says NOON still


def test_a_copy_elsewhere_joins_as_a_fact_and_starts_no_clock(line):
    first = in_thread("m1")
    line.say(first)
    line.act(line.cases()[0], "answer", note="Kijk ik na.")
    copy = a_mention(origin="news", channel="news", native_id="n1", author=None)
    assert line.say(copy, n1={"cluster_id": first.id}).joined == 1
    (case,) = line.cases()
    assert (case.status, case.due_at) == (CaseStatus.PENDING, None)
    assert set(case.mention_ids) == {first.id, copy.id}
    assert line.actions(case) == ["opened", "answer", "copied"]


@pytest.mark.parametrize(("is_private", "opened"), [(True, 1), (False, 0)])
def test_what_came_in_private_opens_a_case_even_if_it_names_no_topic(line, is_private, opened):
    assert line.say(in_thread("m1", is_private=is_private), m1={"topics": ()}).opened == opened


def test_an_edit_joins_its_own_case_and_opens_no_second_one(line):
    line.say(in_thread("m1"))
    line.say(in_thread("m1", text="Waar blijft mijn pakket??"))
    (case,) = line.cases()
    assert len(case.mention_ids) == 1
    assert line.actions(case) == ["opened", "customer_edited"]


def test_a_second_look_changes_nothing(line):
    line.say(in_thread("m1"), a_mention(native_id="m9", author=None), m9={"topics": ()})
    before = [(case, line.actions(case)) for case in line.cases()]
    assert open_cases(line.store, POLICY, CALENDAR, line.clock) == type(line.say(in_thread("m1")))()
    assert [(case, line.actions(case)) for case in line.cases()] == before


def test_a_snooze_that_ran_out_wakes_the_case(line):
    line.say(in_thread("m1"))
    line.act(line.cases()[0], "snooze", value=NOON + timedelta(hours=1))
    line.clock.forward(hours=2)
    open_cases(line.store, POLICY, CALENDAR, line.clock)
    (case,) = line.cases()
    assert case.snoozed_until is None
    assert line.actions(case) == ["opened", "snooze", "wake"]


class Meddling:
    """The cases of a record in which an agent is just ahead of the line, so many times."""

    def __init__(self, cases, times, meddle):
        self._cases, self.times, self._meddle = cases, times, meddle

    def __getattr__(self, name):
        return getattr(self._cases, name)

    def move(self, case, event, stored=()):
        if self.times:
            self.times -= 1
            self._meddle(self._cases.get(case.id))
        return self._cases.move(case, event, stored)


def test_an_agent_who_moves_the_case_at_that_moment_costs_neither_move(line, monkeypatch):
    line.say(in_thread("m1"))

    def claim(case):
        action = life.Action(name="claim", actor="joris")
        line.store.cases._cases.move(*life.act(case, action, NOON, POLICY, CALENDAR))

    monkeypatch.setattr(line.store, "cases", Meddling(line.store.cases, 1, claim))
    assert line.say(in_thread("m2", 5)).joined == 1
    (case,) = line.cases()
    assert (case.assignee, len(case.mention_ids)) == ("joris", 2)
    assert line.actions(case) == ["opened", "claim", "customer_wrote"]


@pytest.mark.timeout(20)
def test_a_case_that_never_holds_still_is_left_for_the_next_cycle(line, monkeypatch):
    line.say(in_thread("m1"))

    def lose(_case):
        raise Conflict("somebody else was first")

    with monkeypatch.context() as patch:
        patch.setattr(line.store, "cases", Meddling(line.store.cases, 10_000, lose))
        done = line.say(in_thread("m2", 5))
        assert (done.opened, done.joined, done.left) == (0, 0, 0)
    assert open_cases(line.store, POLICY, CALENDAR, line.clock).joined == 1
