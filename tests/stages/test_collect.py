"""collect: every page kept with its cursor; a source in trouble costs only itself."""

import threading
from datetime import timedelta

import pytest

from monitor.errors import (
    AccessDenied,
    ConfigError,
    RateLimited,
    ResponseNotUnderstood,
    SourceUnavailable,
    StoreError,
)
from monitor.model import SourceStatus
from monitor.stages.collect import Collecting, attempt, collect
from tests.factories import NOON
from tests.stages.fakes import Clock, Scripted, a_source

STRANGE = ZeroDivisionError("division by zero")
TROUBLE = [
    (SourceUnavailable("praatpaal: no answer in 10 seconds"), SourceStatus.DELAYED),
    (RateLimited("praatpaal: asks for patience", retry_after=120), SourceStatus.LIMITED),
    (AccessDenied("praatpaal: the token was revoked"), SourceStatus.NO_ACCESS),
    (ResponseNotUnderstood("praatpaal: not JSON", raw=b"<html>"), SourceStatus.NOT_UNDERSTOOD),
    (STRANGE, SourceStatus.DELAYED),
]


def test_every_page_is_kept_with_the_cursor_after_it(store):
    source = Scripted("praatpaal", [1, 2, SourceUnavailable("gone")])
    with pytest.raises(SourceUnavailable):
        collect(source, store, Clock())
    assert store.mentions.count() == 2
    assert store.cursors.get("praatpaal").value == {"at": 2}
    again = Scripted("praatpaal", [1, 2, 3])
    assert collect(again, store, Clock()).new == 1
    assert again.asked == [{"at": 2}]


@pytest.mark.parametrize(("error", "status"), TROUBLE, ids=lambda value: type(value).__name__)
def test_a_source_in_trouble_says_so_in_its_health_and_the_others_go_on(store, error, status):
    sources = {"calm": [1, 2], "praatpaal": [1, error], "other": [1]}
    collecting = Collecting(lambda source: Scripted(source.id, sources[source.id]), store, Clock())
    ended = {outcome.source.id: outcome for outcome in collecting.run([a_source(name) for name in sources])}
    collecting.close()
    assert {name for name, outcome in ended.items() if outcome.error} == {"praatpaal"}
    health = store.sources.health()
    assert health["praatpaal"].status is status
    assert health["praatpaal"].note.casefold().startswith("praatpaal: ")
    assert health["praatpaal"].next_attempt_at > NOON
    assert health["calm"].status is health["other"].status is SourceStatus.CURRENT
    assert store.mentions.count() == 4  # the page before the fault is kept


def test_a_fault_in_a_connector_becomes_a_sentence_without_its_innards(store):
    outcome = attempt(a_source(), lambda _: Scripted("praatpaal", [STRANGE]), store, Clock())
    assert isinstance(outcome.error, SourceUnavailable)
    assert "ZeroDivisionError" in str(outcome.error)
    assert "division by zero" not in str(outcome.error)


def test_a_source_that_cannot_even_be_connected_is_told_apart(store):
    def connect(_):
        raise ConfigError("Praatpaal: set X_TOKEN in the environment")

    outcome = attempt(a_source(), connect, store, Clock())
    assert str(outcome.error) == store.sources.health()["praatpaal"].note == "Praatpaal: set X_TOKEN in the environment"


def test_a_source_that_asks_for_patience_is_asked_again_when_it_said(store):
    clock = Clock()
    source = a_source()
    attempt(source, lambda _: Scripted("praatpaal", [RateLimited("wait", retry_after=120)]), store, clock)
    collecting = Collecting(lambda _: Scripted("praatpaal", [1]), store, clock)
    clock.forward(seconds=119)
    assert collecting.due([source]) == []
    clock.forward(seconds=1)
    assert collecting.due([source]) == [source]
    collecting.run([source])
    collecting.close()
    assert store.sources.health()["praatpaal"].status is SourceStatus.CURRENT


def test_a_source_that_hangs_holds_only_its_own_place(store):
    clock, let_go, hanging = Clock(), threading.Event(), threading.Event()

    def hang():
        hanging.set()
        assert let_go.wait(60)

    scripts = {"stuck": [hang, 1], "calm": [1], "other": [1]}
    sources = [a_source(name, every=timedelta(minutes=1)) for name in scripts]
    collecting = Collecting(lambda source: Scripted(source.id, scripts[source.id]), store, clock)
    try:
        first = collecting.run(sources[:1], patience=0)
        assert first == []
        assert hanging.wait(60)
        for _ in range(3):
            clock.forward(minutes=2)
            due = collecting.due(sources)
            assert [source.id for source in due] == ["calm", "other"]
            ended = []
            while len(ended) < 2:
                ended += collecting.run(due if not ended else [], patience=0.05)
            assert sorted(outcome.source.id for outcome in ended) == ["calm", "other"]
        let_go.set()
        assert [outcome.source.id for outcome in collecting.run([])] == ["stuck"]
        assert store.sources.health()["stuck"].status is SourceStatus.CURRENT
    finally:
        let_go.set()
        collecting.close()


def test_each_source_is_told_as_soon_as_it_ends(store):
    let_go = threading.Event()
    scripts = {"calm": [1], "slow": [lambda: let_go.wait(60), 1]}
    told = []

    def tell(outcome):
        told.append(outcome.source.id)
        let_go.set()  # were outcomes told at the end only, nobody would let the slow one go

    collecting = Collecting(lambda source: Scripted(source.id, scripts[source.id]), store, Clock())
    collecting.run([a_source(name) for name in scripts], patience=30, progress=tell)
    collecting.close()
    assert told == ["calm", "slow"]


def test_a_record_that_could_not_be_written_for_a_moment_does_not_stop_the_line_for_good(store):
    faults = [StoreError("the record is busy")]

    def first_not():
        if faults:
            raise faults.pop()

    collecting = Collecting(lambda _: Scripted("praatpaal", [first_not, 1]), store, Clock())
    with pytest.raises(StoreError):
        collecting.run([a_source()])
    assert collecting.due([a_source()]) == [a_source()]
    assert [outcome.error for outcome in collecting.run([a_source()])] == [None]
    collecting.close()


def test_two_processes_do_not_collect_one_source_at_once(store):
    inner = []

    def meanwhile():
        inner.append(attempt(a_source(), lambda _: Scripted("praatpaal", [1]), store, Clock()))

    outer = attempt(a_source(), lambda _: Scripted("praatpaal", [meanwhile, 1]), store, Clock())
    assert (outer.collected.new, inner[0].collected.new, inner[0].health) == (1, 0, None)
