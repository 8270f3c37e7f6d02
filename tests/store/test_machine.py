"""Any order of operations, with crashes, against a plain dict; and an index that follows, however late it writes."""

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from monitor.errors import Conflict
from monitor.model import Engagement, Mention, Stored
from monitor.store import cases as cases_module
from monitor.store import mentions as mentions_module
from monitor.store import open_store
from tests.contracts.store import a_case, a_page, an_enrichment, an_event
from tests.factories import NOON, a_mention

IDS = st.sampled_from("abc")
TEXTS = st.sampled_from(["een", "twee", "drie"])
LIKES = st.sampled_from([None, 0, 1, 2])


@dataclass
class Known:
    """What the model remembers of one mention."""

    text: str
    likes: int | None
    removed: bool = False
    tagged: dict[str, int] = field(default_factory=dict)  # text -> how many intents the newest tags of it have
    assignee: str | None = None
    case: int | None = None


class Crash(Exception):
    pass


class Record(RuleBasedStateMachine):
    fresh_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{shutil.copy(self.fresh_file, self.folder / 'monitor.db')}"
        self.store = open_store(self.url)
        self.now = NOON
        self.model: dict[str, Known] = {}
        self.at = 0
        self.shown: dict[str, tuple[int, Any]] = {}
        self.index: dict[int, tuple[int, Any]] = {}
        self.held: list[list[Stored]] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    # --- operations ---------------------------------------------------------------------------------------------------

    @rule(found=st.lists(st.tuples(IDS, TEXTS, LIKES), max_size=4), crash=st.booleans(), seconds=st.integers(0, 2))
    def save(self, found: list[tuple[str, str, int | None]], crash: bool, seconds: int) -> None:  # noqa: FBT001
        self.now += timedelta(seconds=seconds)
        page = a_page(*(self.mention(*one) for one in found), at=self.at + 1)
        if crash:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(mentions_module, "save_cursor", self.power_cut)
                with pytest.raises(Crash):
                    self.store.mentions.save_page(page, self.now)
            return
        last = {key: (text, likes) for key, text, likes in found}
        new = last.keys() - self.model.keys()
        changed = 0
        for key, (text, likes) in last.items():
            known = self.model.setdefault(key, Known(text, likes))
            changed += key not in new and (known.text, known.removed) != (text, False)
            known.text, known.removed = text, False
            known.likes = known.likes if likes is None else likes
        counts = self.store.mentions.save_page(page, self.now)
        assert (counts.new, counts.changed, counts.fetched) == (len(new), changed, len(found))
        self.at += 1

    @rule(key=IDS)
    def remove(self, key: str) -> None:
        self.now += timedelta(seconds=1)
        known = self.model.setdefault(key, Known("", None))
        if not known.removed:
            known.tagged.clear()
        known.text, known.removed = "", True
        gone = replace(self.mention(key, "weg", None), removed_at=self.now)
        self.now += timedelta(seconds=1)
        self.at += 1
        self.store.mentions.save_page(a_page(gone, at=self.at), self.now)

    @rule(intents=st.integers(0, 2), late=st.booleans())
    def tag(self, intents: int, late: bool) -> None:  # noqa: FBT001 - hypothesis names it
        due = self.store.mentions.to_tag(5)
        expected = {key for key, known in self.model.items() if known.text not in known.tagged}
        assert expected <= {stored.mention.native_id for stored in due}
        if late and due:  # one of them is edited between reading and saving
            self.save([(due[0].mention.native_id, "vier", None)], crash=False, seconds=0)
        named = tuple(f"intent{number}" for number in range(intents))
        self.store.enrichments.save([(stored, an_enrichment(stored, intents=named)) for stored in due])
        for stored in due:
            known = self.model[stored.mention.native_id]
            if stored.mention.removed_at is None or known.removed:
                known.tagged.setdefault(stored.mention.text, intents)

    @rule()
    def triage(self) -> None:
        for stored in self.store.mentions.to_triage(5):
            known = self.model[stored.mention.native_id]
            assert known.tagged.get(known.text) is not None
            if known.case is not None:
                self.store.mentions.mark_triaged([stored])
                continue
            case = a_case(stored.mention, thread_key=stored.mention.id)
            known.case = self.store.cases.open(case, an_event(case), stored).id
        assert self.store.mentions.to_triage(5) == []

    @precondition(lambda self: any(known.case for known in self.model.values()))
    @rule(data=st.data(), agent=st.sampled_from(["joke", "piet"]), stale=st.booleans())
    def claim(self, data: st.DataObject, agent: str, stale: bool) -> None:  # noqa: FBT001 - hypothesis names it
        known = data.draw(st.sampled_from([known for known in self.model.values() if known.case]))
        case = self.store.cases.get(known.case or 0)
        assert case is not None
        ahead = replace(case, version=case.version + (0 if stale else 1), assignee=agent)
        if stale:
            with pytest.raises(Conflict):
                self.store.cases.move(ahead, an_event(ahead, "claim", agent))
        else:
            self.store.cases.move(ahead, an_event(ahead, "claim", agent))
            known.assignee = agent

    @rule()
    def crash(self) -> None:
        self.store.close()
        self.store = open_store(self.url)

    @rule()
    def read_feed(self) -> None:
        self.held.append(self.store.mentions.to_index(5))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def write_index(self, data: st.DataObject) -> None:
        batch = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        for stored in batch:
            if stored.revision > self.index.get(stored.no, (0, None))[0]:
                self.index[stored.no] = (stored.revision, document(stored))
        self.store.mentions.mark_indexed([(stored.no, stored.revision) for stored in batch])

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_record_is_what_the_model_says(self) -> None:
        found = self.store.mentions.get([self.mention(key, "", None).id for key in "abc"])
        assert len(found) == len(self.model) == self.store.mentions.count()
        assert self.store.cursors.get("praatpaal").value.get("at", 0) == self.at
        for stored in found.values():
            known = self.model[stored.mention.native_id]
            tags = None if stored.enrichment is None else len(stored.enrichment.intents)
            assert stored.mention.text == known.text
            assert stored.mention.engagement.likes == known.likes
            assert (stored.mention.removed_at is not None) == known.removed
            assert tags == known.tagged.get(known.text)
            assert (stored.case.id if stored.case else None) == known.case
            assert (stored.case.assignee if stored.case else None) == known.assignee
            if stored.case:
                assert [event.version for event in self.store.cases.events(stored.case.id)] == list(
                    range(1, stored.case.version + 1)
                )

    @invariant()
    def a_document_never_changes_without_its_revision(self) -> None:
        for key, stored in self.store.mentions.get([self.mention(key, "", None).id for key in "abc"]).items():
            revision, shown = self.shown.get(key, (0, None))
            assert document(stored) == shown or stored.revision > revision
            assert stored.revision >= revision
            self.shown[key] = (stored.revision, document(stored))

    @invariant()
    def what_is_not_behind_is_right_in_the_index(self) -> None:
        behind = {stored.no for stored in self.store.mentions.to_index(5)}
        assert self.store.mentions.index_lag() == len(behind)
        for stored in self.store.mentions.get([self.mention(key, "", None).id for key in "abc"]).values():
            if stored.no not in behind:
                assert self.index[stored.no][1] == document(stored)

    def mention(self, key: str, text: str, likes: int | None) -> Mention:
        return a_mention(native_id=key, text=text, engagement=Engagement(likes=likes), fetched_at=self.now)

    def power_cut(self, *_: Any) -> None:
        raise Crash


def document(stored: Stored) -> Any:
    """All that a search document can show of it."""
    return replace(stored, revision=0, content_revision=0)


def test_any_order_of_operations_agrees_with_a_plain_dict(fresh_file: Path) -> None:
    Record.fresh_file = fresh_file
    run_state_machine_as_test(
        Record,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_the_machine_notices_a_case_move_that_forgets_the_revision(
    fresh_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases_module, "raise_case", lambda *_: None)
    Record.fresh_file = fresh_file
    found_soon = settings(
        max_examples=200,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
        database=None,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Record, settings=found_soon)
