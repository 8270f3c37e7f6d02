from __future__ import annotations

import csv
import email
import email.policy
import io
from datetime import timedelta

from monitor.demo.clock import jumping
from monitor.demo.dropbox import drop
from monitor.demo.replay import AlertLog, Stage, eventful, replay
from monitor.demo.script import Town, first_day_ending
from tests.demo.perfect import perfect
from tests.demo.test_score import DUE, an_alert
from tests.demo.town import TOWN


def test_files_appear_as_their_time_comes_and_are_written_once(tmp_path):
    first = TOWN.script.by_source["mail"][0]
    assert drop(TOWN, tmp_path, TOWN.when(first.at) - timedelta(seconds=1)) == []
    assert [path.name for path in drop(TOWN, tmp_path, TOWN.when(first.at))] == [f"{first.id}.eml"]
    assert drop(TOWN, tmp_path, TOWN.when(first.at)) == []
    drop(TOWN, tmp_path, TOWN.closes_at)
    assert drop(TOWN, tmp_path, TOWN.closes_at) == []
    assert not list(tmp_path.rglob(".*"))


def test_every_mail_stands_there_with_its_id_its_sender_and_its_words(tmp_path):
    drop(TOWN, tmp_path, TOWN.closes_at)
    found = {}
    for path in (tmp_path / "mail").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found[message["Message-ID"]] = message
    lines = TOWN.script.by_source["mail"]
    assert set(found) == {said.native_id for said in lines}
    for said in lines:
        message = found[said.native_id]
        assert said.handle in message["From"]
        assert message["Subject"] == said.title
        assert message.get_content().split() == said.text.split()


def test_a_days_table_of_calls_grows_with_every_call(tmp_path):
    calls = [said for said in TOWN.script.by_source["phone"] if said.at.day == 5]
    assert len(calls) > 2
    for count, said in enumerate(calls, start=1):
        drop(TOWN, tmp_path, TOWN.when(said.at))
        path = tmp_path / "phone" / "belnotities-2026-06-05.csv"
        told = list(csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter=";"))
        assert [row["gespreks_id"] for row in told] == [one.native_id for one in calls[:count]]
        assert told[-1]["notitie"] == said.text


def test_the_transcript_names_its_speakers_and_its_facts_lie_beside_it(tmp_path):
    drop(TOWN, tmp_path, TOWN.closes_at)
    told = (tmp_path / "radio" / "dekoopklok_2026-06-09T20-15.vtt").read_text("utf-8")
    assert told.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert "<v HESTER BOUMA>Goedenavond." in told
    assert (tmp_path / "radio" / "dekoopklok_2026-06-09T20-15.json").exists()


def test_a_replay_stops_wherever_something_happens_and_shows_each_change_of_an_alert_once(tmp_path):
    moments, clock, log = [], jumping(TOWN.opens_at), AlertLog()
    record = perfect(TOWN, TOWN.closes_at)
    alert = an_alert(DUE[0], record)

    def line(now):
        assert clock() == now
        moments.append(now)
        log.look(now, [alert])

    count = replay(Stage(town=TOWN, clock=clock, folder=tmp_path), line, step=timedelta(hours=3))
    assert count == len(moments) == len(set(moments))
    assert moments == sorted(moments)
    assert moments[-1] == TOWN.closes_at
    assert len(log.seen) == 1
    assert len(list((tmp_path / "mail").iterdir())) == len(TOWN.script.by_source["mail"])


def test_nothing_waits_longer_than_a_step():
    ends = list(eventful(TOWN, timedelta(minutes=15)))
    assert all((end - TOWN.opens_at) % timedelta(minutes=15) == timedelta(0) for end in ends)
    for moment in TOWN.moments():
        assert any(moment <= end < moment + timedelta(minutes=15) for end in ends)


def test_a_town_that_ends_today_drops_only_what_is_due_by_now(tmp_path):
    now = TOWN.when(TOWN.script.by_source["mail"][-1].at) + timedelta(days=30)
    town = Town(script=TOWN.script, first_day=first_day_ending(now))
    drop(town, tmp_path, now)
    assert len(list((tmp_path / "mail").iterdir())) == sum(
        town.when(said.at) <= now for said in town.script.by_source["mail"]
    )
