"""The real connectors against the town, over real HTTP and real files: all that was said, each once."""

from __future__ import annotations

from datetime import timedelta

import pytest

import connectors
from monitor.demo.config import demo_settings
from monitor.demo.dropbox import drop
from monitor.demo.score import score
from monitor.demo.script import SOURCES
from monitor.model import Cursor, Stored
from monitor.net.client import HttpClient
from tests.demo.town import TOWN, served, walked

STEP = timedelta(hours=3)


def collected(source_id, tmp_path, step=STEP):
    """Mentions by id as a record keeps them, and how many pages were asked, walking over the fortnight."""
    with served() as (server, clock):
        settings = demo_settings(tmp_path, server.base_url, tmp_path / "drop")
        source = next(one for one in settings.sources if one.id == source_id)
        http = HttpClient(settings.net, now=clock)
        connector = connectors.load(source.connector)(source, http, clock)
        record, skipped, cursor, last = {}, [], Cursor(source_id=source_id), None
        try:
            for now in walked(step=step):
                clock.set(now)
                if source.connector == "files":
                    drop(TOWN, tmp_path / "drop", now, last)
                last = now
                for page in connector.fetch(cursor):
                    skipped += [skip for skip in page.skipped if skip.raw is not None]
                    for mention in page.mentions:
                        record[mention.id] = mention
                    cursor = page.cursor
        finally:
            http.close()
    return record, skipped


def judged(record, source_id):
    rows = [
        Stored(no=no, mention=mention, revision=1, content_revision=1) for no, mention in enumerate(record.values())
    ]
    found = score(TOWN, rows, (), TOWN.closes_at).found
    of_source = {said.id for said in TOWN.script.by_source[source_id]}
    return found, [line for line in found.missing if line in of_source]


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_connector_finds_everything_once(source_id, tmp_path):
    kind = next(one for one in demo_settings(tmp_path, "http://127.0.0.1:1", tmp_path).sources if one.id == source_id)
    try:
        connectors.load(kind.connector)
    except ModuleNotFoundError as missing:
        pytest.skip(f"no such connector yet: {missing.name}")
    record, skipped = collected(source_id, tmp_path)
    found, missing = judged(record, source_id)
    assert missing == []
    assert found.doubled == ()
    assert found.unknown == ()
    assert found.reposts_as_mentions == ()
    assert skipped == []
    assert all(mention.published_at is not None for mention in record.values())
    own = {said.native_id for said in TOWN.script.by_source[source_id] if said.own}
    if source_id in {"nieuwsplein", "polderkoerier", "handelsblik", "balkongeluk", "mail", "phone", "radio"}:
        assert not own


def test_an_edited_article_is_read_again(tmp_path):
    record, _skipped = collected("balkongeluk", tmp_path)
    assert judged(record, "balkongeluk")[0].edits_missed == ()
