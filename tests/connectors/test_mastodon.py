"""Mastodon: the contract, and the oddities of instances."""

import json
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from connectors.mastodon import MastodonConnector
from monitor.errors import ConfigError, RateLimited, ResponseNotUnderstood
from monitor.model import Cursor
from tests.contracts.connector import NOON, HttpConnectorContract, Record, a_source, an_http
from tests.contracts.server import DATA, Answered, scripted_server

RECORDED = (DATA / "mastodon/timeline.json").read_bytes()
STATUSES = json.loads(RECORDED)
BASE = 116_890_000_000_000_000


def a_status(no, **told):
    status = {**STATUSES[-1], "id": str(BASE + no * (1000 << 16)), "content": f"<p>bericht {no}</p>"}
    return {**status, "uri": f"https://tuin.example/users/mees/statuses/{no}", **told}


class Timeline:
    """`max_id`: the newest below it; `min_id`: the oldest above it; both given newest first, as instances do."""

    def __init__(self, statuses):
        self.statuses = statuses

    def __call__(self, asked):
        size = int(asked.query["limit"])
        ordered = sorted(self.statuses, key=lambda status: int(status["id"]))
        if "min_id" in asked.query:
            above = [status for status in ordered if int(status["id"]) > int(asked.query["min_id"])]
            return above[:size][::-1]
        below = [status for status in ordered if int(status["id"]) < int(asked.query.get("max_id", 10**20))]
        return below[::-1][:size]


class TestMastodon(HttpConnectorContract):
    kind = MastodonConnector
    expected = 90
    pages = 3

    def source(self, url):
        return a_source("mastodon", base_url=url, tags=["zonnekade"])

    def script(self, server):
        server.routes["/api/v1/timelines/tag/zonnekade"] = Timeline([a_status(no) for no in range(90)])

    def script_one_bad(self, server):
        bad = a_status(2, content={"html": "<p>anders</p>"})
        server.routes["/api/v1/timelines/tag/zonnekade"] = Timeline([a_status(1), bad, a_status(3)])
        return 2


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def http(server):
    with an_http(server) as http:
        yield http


def a_connector(http=None, url="https://tuin.example", **options):
    options = {"tags": ["zonnekade"]} | options
    return MastodonConnector(a_source("mastodon", base_url=url, **options), http, lambda: NOON)


def read(told, **options):
    return a_connector(**options).read(json.dumps(told).encode(), "answer.json")


def test_statuses_are_named_by_their_address_and_know_their_thread():
    page = a_connector(own=["@zonnekade@tuin.example"]).read(RECORDED, "timeline.json")
    private, ours, answer, opening, boosted = page.mentions
    assert opening.native_id == "https://tuin.example/users/mees/statuses/116890000000000001"
    assert opening.text == "Wie kent #zonnekade?\nGoed spul & snel"
    assert opening.thread_id == opening.native_id
    assert (answer.parent_id, answer.thread_id) == (opening.native_id, opening.native_id)
    assert (ours.parent_id, ours.thread_id) == (answer.native_id, opening.native_id)
    assert answer.edited_at == datetime(2026, 7, 10, 8, 5, tzinfo=UTC)
    assert ours.is_own
    assert not answer.is_own
    assert private.is_private
    assert private.title == "mopper"
    assert not opening.is_private
    assert boosted.author.handle == "lies@bos.example"
    assert [(skip.reason, skip.raw) for skip in page.skipped] == [("repost", None)]
    assert (opening.engagement.likes, opening.engagement.shares, opening.author.followers) == (3, 2, 12)


def test_the_same_status_seen_on_two_instances_is_one_mention_by_one_author():
    here = a_connector().read(RECORDED, "x").mentions[3]
    told = STATUSES[-1]
    there = {**told, "id": "7", "account": {**told["account"], "id": "99", "acct": "mees@tuin.example"}}
    other = a_connector(url="https://bos.example").read(json.dumps(there).encode(), "x").mentions[0]
    assert other.id == here.id
    assert other.author_key == here.author_key


def test_notifications_a_search_and_a_context_are_read_too():
    notification = {"id": "1", "created_at": "2026-07-10T10:00:00Z", "account": STATUSES[0]["account"]}
    page = read(
        [{**notification, "type": "mention", "status": STATUSES[-1]}, {**notification, "type": "follow"}],
    )
    assert [mention.native_id for mention in page.mentions] == [STATUSES[-1]["uri"]]
    assert [skip.raw for skip in page.skipped] == [None]
    assert len(read({"accounts": [], "statuses": STATUSES[-1:], "hashtags": []}).mentions) == 1
    talk = {"id": "1", "unread": True, "accounts": [], "last_status": {**STATUSES[-1], "visibility": "direct"}}
    assert read([talk]).mentions[0].is_private
    context = read({"ancestors": STATUSES[-1:], "descendants": STATUSES[1:2]})
    assert len(context.mentions) == 2


def test_an_error_of_the_instance_is_told_in_its_own_words():
    for told in ({"error": "Record not found"}, {"status": 404, "headers": {}, "body": {"error": "Record not found"}}):
        with pytest.raises(ResponseNotUnderstood, match="Record not found"):
            read(told)


def test_later_runs_walk_forward_page_by_page_and_skip_no_middle(server, http):
    timeline = Timeline([a_status(no) for no in range(5)])
    server.routes["/api/v1/timelines/tag/zonnekade"] = timeline
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    timeline.statuses += [a_status(no) for no in range(5, 2000)]
    record.collect(connector, crash_after=2)
    for _ in range(6):
        record.collect(connector)
    assert len(record.mentions) == 2000
    assert all("since_id" not in asked.query for asked in server.requests)


def test_a_status_that_arrives_late_from_another_instance_is_still_found(server, http):
    timeline = Timeline([a_status(no) for no in range(0, 1000, 100)])
    server.routes["/api/v1/timelines/tag/zonnekade"] = timeline
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    timeline.statuses.append(a_status(850))
    record.collect(connector)
    assert len(record.mentions) == 11


@pytest.mark.parametrize("is_told", [True, False])
def test_an_answer_to_a_status_without_the_tag_finds_its_conversation(server, http, is_told):
    root = a_status(1, content="<p>zonder label</p>")
    middle = a_status(2, in_reply_to_id=root["id"])
    answer = a_status(3, in_reply_to_id=middle["id"])
    server.routes["/api/v1/timelines/tag/zonnekade"] = Timeline([answer])
    if is_told:
        told = {"ancestors": [root, middle], "descendants": []}
        server.routes[f"/api/v1/statuses/{answer['id']}/context"] = told
    (page,) = a_connector(http, server.url).fetch(Cursor(source_id="t"))
    (mention,) = page.mentions
    assert (mention.parent_id, mention.thread_id) == ((middle["uri"], root["uri"]) if is_told else (None, None))


def test_each_tag_has_a_mark_of_its_own(server, http):
    server.routes["/api/v1/timelines/tag/zonnekade"] = Timeline([a_status(1)])
    server.routes["/api/v1/timelines/tag/caf%C3%A9"] = Timeline([a_status(2), a_status(1)])
    connector = a_connector(http, server.url, tag="#café")
    record = Record(connector.source_id)
    record.collect(connector)
    assert set(record.cursor.value) == {"tag:zonnekade", "tag:café"}
    assert len(record.mentions) == 2
    assert {unquote(asked.path.rpartition("/")[2]) for asked in server.requests} == {"zonnekade", "café"}


def test_a_search_needs_a_token_and_sends_it_in_a_header(server, http):
    with pytest.raises(ConfigError, match="access_token"):
        a_connector(query="zonnekade")
    server.routes["/api/v2/search"] = {"accounts": [], "hashtags": [], "statuses": STATUSES[-2:]}
    connector = a_connector(http, server.url, tags=[], query="zonnekade", access_token="geheim")
    record = Record(connector.source_id)
    record.collect(connector)
    record.collect(connector)
    assert len(record.mentions) == 2
    assert {asked.headers["authorization"] for asked in server.requests} == {"Bearer geheim"}
    assert "geheim" not in str([asked.query for asked in server.requests])


def test_a_limit_told_as_a_moment_is_waited_for(server, http):
    server.failing = Answered(status=429, headers={"X-RateLimit-Reset": "2100-01-01T00:00:00.000Z"}, body=b"{}")
    with pytest.raises(RateLimited) as caught:
        list(a_connector(http, server.url).fetch(Cursor(source_id="t")))
    assert 0 < caught.value.retry_after <= 6 * 3600


def test_an_object_where_a_list_is_due_is_not_understood(server, http):
    server.routes["/api/v1/timelines/tag/zonnekade"] = {"statuses": "soon"}
    with pytest.raises(ResponseNotUnderstood, match="list"):
        list(a_connector(http, server.url).fetch(Cursor(source_id="t")))
