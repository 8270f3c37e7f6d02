"""The town collected into a real record, step by step, as `monitor demo --once --score` does it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import connectors
from monitor.demo.live import LiveTown, town_ending_today, town_of_june
from monitor.demo.replay import replay
from monitor.demo.score import score
from monitor.demo.server import Mode
from monitor.net.client import HttpClient
from monitor.stages.collect import Collecting
from monitor.store import open_store

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def known(settings):
    """Sources whose connectors exist."""
    found = []
    for source in settings.sources:
        try:
            connectors.load(source.connector)
        except ModuleNotFoundError:
            continue
        found.append(source)
    return found


class Line:
    """Collects everything at each step; no sleep, no schedule."""

    def __init__(self, live: LiveTown, store_url: str) -> None:
        settings = live.settings
        self.store = open_store(store_url)
        self.store.upgrade()
        self.http = HttpClient(settings.net, now=live.clock)
        self.sources = known(settings)
        self.outcomes = []
        connect = lambda source: connectors.load(source.connector)(source, self.http, live.clock)  # noqa: E731 - one use
        self.collecting = Collecting(connect, self.store, live.clock)

    def __call__(self, _now: datetime) -> None:
        self.outcomes = list(self.collecting.run(self.sources))

    def close(self) -> None:
        self.http.close()
        self.store.close()


def judged(live, line, until):
    return score(live.town, line.store.mentions.between(live.town.opens_at, until + timedelta(hours=1)), (), until)


def test_a_replay_into_a_real_record_loses_and_doubles_nothing(tmp_path):
    with town_of_june(tmp_path, lambda: NOW) as live:
        line = Line(live, f"sqlite:///{tmp_path / 'town.db'}")
        try:
            replay(live.stage, line, step=timedelta(hours=6))
            assert [outcome.error for outcome in line.outcomes if outcome.error] == []
            found = judged(live, line, live.town.closes_at).found
            sources = {source.id for source in line.sources}
            assert [one for one in found.missing if live.town.script.by_id[one].source in sources] == []
            assert (found.doubled, found.unknown, found.reposts_as_mentions) == ((), (), ())
            before = line.store.mentions.count()
            line(live.clock())
            assert line.store.mentions.count() == before > 100
        finally:
            line.close()


def test_a_broken_source_costs_its_own_mentions_only_and_catches_up(tmp_path):
    with town_of_june(tmp_path, lambda: NOW) as live:
        line = Line(live, f"sqlite:///{tmp_path / 'town.db'}")
        try:
            live.server.set_mode("polderkoerier", Mode.BROKEN)
            live.server.set_mode("handelsblik", Mode.RUBBISH)
            replay(live.stage, line, step=timedelta(days=2))
            failed = {outcome.source.id for outcome in line.outcomes if outcome.error}
            assert failed == {"polderkoerier", "handelsblik"}
            missing = judged(live, line, live.town.closes_at).found.missing
            sources = {source.id for source in line.sources}
            missed_from = {live.town.script.by_id[one].source for one in missing} & sources
            assert missed_from == {"polderkoerier", "handelsblik"}
            for source in failed:
                live.server.set_mode(source, Mode.OK)
            line(live.clock())
            missing = judged(live, line, live.town.closes_at).found.missing
            assert {live.town.script.by_id[one].source for one in missing} & sources == set()
        finally:
            line.close()


def test_a_town_that_ends_today_is_collected_at_once_and_a_second_run_adds_nothing(tmp_path):
    url = f"sqlite:///{tmp_path / 'town.db'}"
    counts, port = [], 0
    for now in (NOW, NOW):
        with town_ending_today(tmp_path, lambda now=now: now, port=port) as live:
            port = int(live.server.address.split(":")[1])
            live.play()
            line = Line(live, url)
            try:
                line(now)
                counts.append(line.store.mentions.count())
                found = judged(live, line, now).found
            finally:
                line.close()
        sources = {source.id for source in line.sources}
        assert {live.town.script.by_id[one].source for one in found.missing} & sources == set()
        assert (found.doubled, found.unknown) == ((), ())
    assert counts[0] == counts[1] > 100


def test_a_town_goes_on_with_its_own_dates_the_next_day(tmp_path):
    with town_ending_today(tmp_path, lambda: NOW, port=0) as today:
        first = today.town.first_day
    with town_ending_today(tmp_path, lambda: NOW + timedelta(days=1), port=0) as tomorrow:
        assert tomorrow.town.first_day == first


def test_files_go_on_dropping_while_the_clock_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.demo.live.DROP_EVERY", 0.01)
    with town_of_june(tmp_path, lambda: NOW) as live:
        live.play()
        assert list((live.drop_folder / "mail").iterdir()) == []
        mails = live.town.script.by_source["mail"]
        live.clock.set(live.town.when(mails[0].at))
        deadline = threading.Event()
        for _ in range(500):
            if list((live.drop_folder / "mail").glob("*.eml")):
                break
            deadline.wait(0.01)
        assert [path.stem for path in (live.drop_folder / "mail").glob("*.eml")] == [mails[0].id]
