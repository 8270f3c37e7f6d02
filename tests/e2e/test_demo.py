"""The demo's line in one process, over HTTP: everything once, and a source in trouble costs only itself."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from monitor.bootstrap import System
from monitor.demo.live import town_of_today
from monitor.demo.server import Mode
from monitor.line import run_cycle
from monitor.model import SourceStatus
from monitor.stages.collect import Collecting
from tests.e2e.conftest import NOW


class Demo:
    def __init__(self, live):
        self.live = live
        self.told = []
        self.system = System(settings=live.settings, now=live.clock, say=self.told.append)
        self.collecting = Collecting(self.system.connect, self.system.store, live.clock)

    def cycle(self, patience=None):
        due = self.collecting.due(self.system.settings.sources)
        return run_cycle(self.system, self.collecting, due, patience=patience)

    def health(self):
        return self.system.store.sources.health()


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    """Loaded once: what is watched is the same in each of these towns."""
    with a_demo(tmp_path_factory.mktemp("tagger")) as demo:
        return demo.system.tagger


@contextmanager
def a_demo(folder):
    with town_of_today(folder, lambda: NOW, port=0) as live:
        live.play()
        demo = Demo(live)
        try:
            yield demo
        finally:
            demo.collecting.close()
            live.server.closing.set()  # whoever hangs in a source is let go
            demo.collecting._pool.shutdown(wait=True)
            demo.system.close()


@pytest.fixture
def demo(tmp_path, tagger):
    with a_demo(tmp_path) as opened:
        opened.system.tagger = tagger
        yield opened


def test_a_second_run_adds_no_mention_no_case_and_no_alert(demo):
    first = demo.cycle()
    assert [outcome.error for outcome in first.outcomes if outcome.error] == []
    count = demo.system.store.mentions.count()
    assert count == sum(outcome.collected.new for outcome in first.outcomes) > 400
    assert first.tagged == count
    assert first.cases.opened > 20
    assert first.cases.opened + first.cases.joined + first.cases.left == count
    assert demo.system.search.count() == count
    second = run_cycle(demo.system, demo.collecting, demo.system.settings.sources)
    assert [outcome.error for outcome in second.outcomes if outcome.error] == []
    assert sum(outcome.collected.new for outcome in second.outcomes) == 0
    assert (second.cases.opened, second.tagged, list(second.alerts)) == (0, 0, [])
    assert demo.system.store.mentions.count() == count


TROUBLE = {
    "polderkoerier": (Mode.BROKEN, SourceStatus.DELAYED),
    "handelsblik": (Mode.RUBBISH, SourceStatus.NOT_UNDERSTOOD),
    "x": (Mode.REVOKED, SourceStatus.NO_ACCESS),
    "fediverse": (Mode.RATE_LIMITED, SourceStatus.LIMITED),
}


def test_sources_in_trouble_say_so_in_words_while_the_others_keep_their_schedule(demo):
    for source, (mode, _) in TROUBLE.items():
        demo.live.server.set_mode(source, mode)
    cycle = demo.cycle()
    health = demo.health()
    assert {outcome.source.id for outcome in cycle.outcomes if outcome.error} == set(TROUBLE)
    assert {name: health[name].status for name in TROUBLE} == {name: status for name, (_, status) in TROUBLE.items()}
    for name in TROUBLE:
        note = health[name].note
        assert len(note.split()) >= 4, note
        assert "Traceback" not in note
        assert "Error(" not in note
    assert all(h.status is SourceStatus.CURRENT for name, h in health.items() if name not in TROUBLE)
    assert demo.system.store.mentions.count() > 100

    for source in TROUBLE:
        demo.live.server.set_mode(source, Mode.OK)
    demo.live.clock.set(NOW + timedelta(hours=7))
    demo.cycle()
    assert {h.status for h in demo.health().values()} == {SourceStatus.CURRENT}


def test_a_source_that_hangs_holds_only_its_own_place(demo):
    demo.live.server.set_mode("sterrenplein", Mode.HANG)
    others = {source.id for source in demo.system.settings.sources} - {"sterrenplein"}
    seen = set()
    for _ in range(60):
        seen |= {outcome.source.id for outcome in demo.cycle(patience=0.5).outcomes}
        if seen >= others:
            break
    assert seen == others
    asked = demo.live.server.requests()["nieuwsplein"]
    demo.live.clock.set(NOW + timedelta(hours=1))
    again = set()
    for _ in range(60):
        again |= {outcome.source.id for outcome in demo.cycle(patience=0.5).outcomes}
        if again >= others:
            break
    assert again == others
    assert demo.live.server.requests()["nieuwsplein"] > asked
    assert threading.active_count() < 40
