"""Hacker News: the contract, and the oddities of its search."""

import json
from datetime import UTC, datetime

import pytest

from connectors.hackernews import HITS, HackerNewsConnector
from monitor.errors import ResponseNotUnderstood
from tests.contracts.connector import NOON, HttpConnectorContract, Record, a_source, an_http
from tests.contracts.server import DATA, scripted_server

ANSWER = json.loads((DATA / "hackernews/hits.json").read_bytes())
PATH = "/api/v1/search_by_date"


def a_hit(no, at):
    return {"objectID": str(no), "created_at_i": at, "author": "pg", "comment_text": f"zonnekade {no}", "story_id": 1}


class Index:
    """Answers as the search does: newest first, filtered by time, at most a page."""

    def __init__(self, hits):
        self.hits = hits

    def __call__(self, asked):
        low, high = 0, 10**12
        for part in asked.query.get("numericFilters", "").split(","):
            if part.startswith("created_at_i>"):
                low = int(part.removeprefix("created_at_i>"))
            elif part.startswith("created_at_i<="):
                high = int(part.removeprefix("created_at_i<="))
        found = sorted((h for h in self.hits if low < h["created_at_i"] <= high), key=lambda h: -h["created_at_i"])
        return {"hits": found[: int(asked.query["hitsPerPage"])], "nbHits": len(found)}


class TestHackerNews(HttpConnectorContract):
    kind = HackerNewsConnector
    expected = 250
    pages = 3

    def source(self, url):
        return a_source("hackernews", base_url=url, query='"zonnekade"')

    def script(self, server):
        server.routes[PATH] = Index([a_hit(no, 1_783_670_400 + no) for no in range(250)])

    def script_one_bad(self, server):
        bad = {**ANSWER["hits"][0], "objectID": 1.5e18}
        server.routes[PATH] = {"hits": [*ANSWER["hits"], bad]}
        return 3


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def connector(server):
    with an_http(server) as http:
        source = a_source("hackernews", base_url=server.url, query="zonnekade", own=["ZonneKade"])
        yield HackerNewsConnector(source, http, lambda: NOON)


def test_a_comment_and_a_story_are_read_whole(connector):
    comment, ours, story = connector.read((DATA / "hackernews/hits.json").read_bytes(), "hits.json").mentions
    assert comment.text.startswith("I bought a Zonnekade charger & it melted.")
    assert (comment.parent_id, comment.thread_id) == ("44502", "44501")
    assert comment.url == "https://news.ycombinator.com/item?id=44503"
    assert comment.published_at == datetime(2026, 7, 10, 8, 5, tzinfo=UTC)
    assert ours.is_own
    assert not comment.is_own
    assert (story.title, story.thread_id, story.engagement.likes) == ("Zonnekade opens its API", "44501", 12)


def test_more_hits_than_a_page_within_one_second_do_not_stop_the_walk(connector, server):
    same = [a_hit(no, 1_783_670_400) for no in range(HITS)]
    server.routes[PATH] = Index([*same, a_hit(900, 1_783_670_300)])
    record = Record(connector.source_id)
    record.collect(connector)
    assert len(record.mentions) == HITS + 1


def test_a_late_hit_just_before_the_mark_is_still_found(connector, server):
    index = Index([a_hit(1, 1_783_670_400)])
    server.routes[PATH] = index
    record = Record(connector.source_id)
    record.collect(connector)
    index.hits.append(a_hit(2, 1_783_670_400 - 300))
    record.collect(connector)
    assert len(record.mentions) == 2


def test_the_first_look_ends_and_the_next_one_starts_at_the_newest(server):
    server.routes[PATH] = Index([a_hit(no, 1_783_220_400 + no * 1000) for no in range(450)])
    with an_http(server) as http:
        source = a_source("hackernews", base_url=server.url, query="zonnekade", max_pages=2)
        connector = HackerNewsConnector(source, http, lambda: NOON)
        record = Record(connector.source_id)
        assert record.collect(connector) == 2
        assert record.cursor.value == {"mark": 1_783_220_400 + 449_000}
        assert record.collect(connector) == 1


def test_an_answer_without_hits_is_no_empty_answer(connector):
    with pytest.raises(ResponseNotUnderstood, match="hits"):
        connector.read(b'{"message": "Invalid Application-ID"}', "answer.json")


def test_a_time_to_come_hides_nothing_that_is_written_until_then(connector, server):
    index = Index([a_hit(1, 1_783_670_400), a_hit(2, 32_503_680_000)])
    server.routes[PATH] = index
    record = Record(connector.source_id)
    record.collect(connector)
    index.hits.append(a_hit(3, 1_783_671_000))
    record.collect(connector)
    assert {mention.native_id for mention in record.mentions.values()} == {"1", "2", "3"}
