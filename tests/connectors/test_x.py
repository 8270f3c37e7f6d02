"""X: the contract, and the oddities of its API."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from connectors.x import XConnector
from monitor.errors import AccessDenied, RateLimited, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Cursor
from tests.contracts.connector import NOON, SECRET, HttpConnectorContract, Record, a_source, an_http
from tests.contracts.server import DATA, Answered, scripted_server

PAGES = [json.loads((DATA / f"x/search_page{no}.json").read_bytes()) for no in (1, 2)]
SEARCH, MENTIONS = "/2/tweets/search/recent", "/2/users/1111/mentions"
BASE = 2_075_493_811_111_100_000
MINUTE = 60_000 << 22


def a_post(no, **told):
    native_id = str(BASE + no)
    post = {"id": native_id, "text": f"zonnekade {no}", "author_id": "2222", "conversation_id": native_id}
    return {**post, "created_at": "2026-07-10T09:00:00.000Z", "edit_history_tweet_ids": [native_id], **told}


class Posts:
    """Newest first, above `since_id`, so many a page; the token is the id to go on below."""

    def __init__(self, posts, size=100):
        self.posts, self.size = posts, size

    def __call__(self, asked):
        since = int(asked.query.get("since_id", 0))
        below = int(asked.query.get("next_token") or asked.query.get("pagination_token") or 10**20)
        found = [post for post in self.posts if since < int(post["id"]) < below]
        shown = sorted(found, key=lambda post: -int(post["id"]))[: self.size]
        if not shown:
            return {"meta": {"result_count": 0}}
        meta = {"newest_id": shown[0]["id"], "oldest_id": shown[-1]["id"], "result_count": len(shown)}
        return {"data": shown, "meta": meta | ({"next_token": shown[-1]["id"]} if len(found) > len(shown) else {})}


class TestX(HttpConnectorContract):
    kind = XConnector
    expected = 5
    pages = 2

    def source(self, url):
        return a_source("x", base_url=url, bearer_token=SECRET, query="zonnekade lang:nl")

    def script(self, server):
        server.routes[SEARCH] = lambda asked: PAGES[1 if "next_token" in asked.query else 0]

    def script_one_bad(self, server):
        server.routes[SEARCH] = Posts([a_post(1), a_post(2, text=None), a_post(3)])
        return 2


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def http(server):
    with an_http(server) as http:
        yield http


def a_connector(http=None, url="https://api.x.com", **options):
    options = {"bearer_token": SECRET, "query": "zonnekade"} | options
    return XConnector(a_source("x", base_url=url, **options), http, lambda: NOON)


def read(told, **options):
    return a_connector(**options).read(json.dumps(told).encode(), "answer.json")


def test_a_recorded_answer_gives_posts_and_the_original_of_a_repost():
    page = read(PAGES[0])
    short, long, original = page.mentions
    assert short.text == "Pakketje weer niet bezorgd @zonnekade, derde keer & geen excuus </zucht>"
    assert short.url == f"https://x.com/piet_uit_ede/status/{short.native_id}"
    assert (short.author.native_id, short.author.followers) == ("2222", 97)
    assert (short.engagement.likes, short.engagement.shares, short.engagement.views) == (3, 2, 250)
    assert short.published_at == datetime(2026, 7, 10, 9, tzinfo=UTC)
    assert long.text.endswith("helemaal staat, tot het eind.")
    assert original.author.handle == "jannekebakt"
    assert [(skip.reason, skip.raw) for skip in page.skipped] == [("repost", None)]


def test_our_own_answer_is_ours_by_name_and_by_number():
    for options in ({"own": ["@Zonnekade"]}, {"user_id": 1111}):
        ours, theirs = read(PAGES[1], **options).mentions
        assert ours.is_own
        assert ours.parent_id == ours.thread_id == theirs.native_id
        assert not theirs.is_own
        assert theirs.language is None
        assert theirs.raw["media"][0]["type"] == "photo"


def test_an_edit_is_the_same_mention_with_the_new_text():
    first, newest = str(BASE), str(BASE + 5 * MINUTE)
    before = read({"data": [a_post(0)]}).mentions[0]
    edited = {**a_post(0), "id": newest, "text": "beter", "created_at": "2026-07-10T09:05:00.000Z"}
    for name in ("edit_history_tweet_ids", "edit_history_post_ids"):
        told = {key: value for key, value in edited.items() if not key.startswith("edit_history")}
        after = read({"data": [told | {name: [first, newest]}]}).mentions[0]
        assert after.id == before.id
        assert after.published_at == before.published_at
        assert after.edited_at == before.published_at + timedelta(minutes=5)
        assert after.text == "beter"


def test_the_newer_field_names_are_read_as_well():
    quoted = {"referenced_posts": [{"type": "replied_to", "id": "7"}], "note_post": {"text": "heel lang"}}
    mention = read({"data": [a_post(1, **quoted)]}).mentions[0]
    assert (mention.parent_id, mention.text) == ("7", "heel lang")


def test_ids_keep_every_digit_also_as_numbers():
    one, other = read({"data": [a_post(1, id=BASE + 1, edit_history_tweet_ids=None), a_post(2)]}).mentions
    assert (one.native_id, other.native_id) == (str(BASE + 1), str(BASE + 2))


def test_a_post_kept_as_a_dead_letter_is_read_with_its_author_once_mended():
    bad = json.loads(json.dumps(PAGES[1]))
    bad["data"][0]["text"] = 7
    page = read(bad, own=["zonnekade"])
    letter = json.loads(page.skipped[0].raw) | {"text": "stuur ons een DM"}
    (mention,) = read(letter, own=["zonnekade"]).mentions
    assert mention.author.handle == "zonnekade"
    assert mention.is_own


def test_direct_messages_are_private():
    event = {"id": "5", "event_type": "MessageCreate", "text": "hoi", "sender_id": "2222", "dm_conversation_id": "1-2"}
    page = read({"data": [event, {**event, "event_type": "ParticipantsJoin"}], "meta": {"result_count": 2}})
    (message,) = page.mentions
    assert message.is_private
    assert message.thread_id == "1-2"
    assert len(page.skipped) == 1


def test_errors_beside_data_cost_nothing_and_errors_alone_are_told():
    assert len(read(PAGES[0]).mentions) == 3
    alone = {"errors": [{"detail": "Could not find user with id: [9].", "title": "Not Found Error"}]}
    with pytest.raises(ResponseNotUnderstood, match="Could not find user"):
        read(alone)
    assert not read({"meta": {"result_count": 0}}).mentions
    assert len(read([a_post(1), a_post(2)]).mentions) == 2


def test_every_page_is_asked_with_the_mark_and_old_posts_are_left_alone(server, http):
    old = [a_post(no) for no in range(50)]
    posts = Posts(old)
    server.routes[SEARCH] = posts
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    server.requests.clear()
    record.new.clear()
    posts.posts = old + [a_post(20 * MINUTE + no) for no in range(250)]
    assert record.collect(connector) == 3
    assert len(server.requests) == 3
    assert all(int(asked.query["since_id"]) <= BASE + 49 for asked in server.requests)
    assert len(record.new) == 250
    assert record.cursor.value["search"] == {"mark": str(BASE + 20 * MINUTE + 249)}


def test_a_post_that_is_indexed_late_is_still_found(server, http):
    posts = Posts([a_post(30 * MINUTE)])
    server.routes[SEARCH] = posts
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    posts.posts.append(a_post(25 * MINUTE))
    record.collect(connector)
    assert len(record.mentions) == 2


def test_the_cost_guard_cuts_a_run_and_the_next_one_goes_on_there(server, http):
    server.routes[SEARCH] = Posts([a_post(no) for no in range(25)], size=5)
    connector = a_connector(http, server.url, max_pages=2)
    record = Record(connector.source_id)
    assert record.collect(connector) == 2
    assert len(record.mentions) == 10
    assert [record.collect(connector) for _ in range(2)] == [2, 1]
    assert len(record.mentions) == 25
    assert record.cursor.value["search"] == {"mark": str(BASE + 24)}
    assert len(server.requests) == 5


def test_a_place_that_x_has_forgotten_is_walked_to_again(server, http):
    posts = Posts([a_post(no) for no in range(25)], size=5)
    fault = {"errors": [{"message": "Invalid 'next_token'", "parameters": {}}], "title": "Invalid Request"}
    season = ["old"]

    def answer(asked):
        token = asked.query.pop("next_token", "")
        if token and not token.startswith(season[0]):
            return Answered(status=400, body=json.dumps(fault).encode())
        asked.query.update({"next_token": token.partition("-")[2]} if token else {})
        told = posts(asked)
        if "next_token" in told["meta"]:
            told["meta"]["next_token"] = f"{season[0]}-{told['meta']['next_token']}"
        return told

    server.routes[SEARCH] = answer
    record = Record("test-x")
    record.collect(a_connector(http, server.url, max_pages=2))
    assert record.cursor.value["search"]["resume"]["next"].startswith("old-")
    season[0] = "new"
    record.collect(a_connector(http, server.url, max_pages=10))
    assert len(record.mentions) == 25
    assert record.cursor.value["search"] == {"mark": str(BASE + 24)}


def test_a_mark_older_than_a_week_falls_back_to_the_time(server, http):
    fault = {"errors": [{"message": "'since_id' must be a tweet id created after [...]"}], "title": "Invalid Request"}

    def answer(asked):
        if "since_id" in asked.query:
            return Answered(status=400, body=json.dumps(fault).encode())
        assert asked.query["start_time"] == "2026-07-03T13:30:00Z"
        return {"data": [a_post(7)], "meta": {"newest_id": str(BASE + 7), "result_count": 1}}

    server.routes[SEARCH] = answer
    connector = a_connector(http, server.url)
    pages = list(connector.fetch(Cursor(source_id=connector.source_id, value={"search": {"mark": "12"}})))
    assert [mention.native_id for page in pages for mention in page.mentions] == [str(BASE + 7)]
    assert pages[-1].cursor.value == {"search": {"mark": str(BASE + 7)}}


def test_mentions_of_the_account_and_the_search_keep_marks_of_their_own(server, http):
    server.routes[MENTIONS] = Posts([a_post(no) for no in range(3)], size=2)
    server.routes[SEARCH] = Posts([a_post(2), a_post(9)])
    connector = a_connector(http, server.url, user_id="1111")
    record = Record(connector.source_id)
    assert record.collect(connector) == 3
    assert len(record.mentions) == 4
    assert record.cursor.value == {"mentions": {"mark": str(BASE + 2)}, "search": {"mark": str(BASE + 9)}}
    asked = [request for request in server.requests if request.path == MENTIONS]
    assert "pagination_token" in asked[1].query


def test_a_token_that_repeats_ends_the_walk_with_the_old_cursor(server, http):
    server.routes[SEARCH] = {"data": [a_post(1)], "meta": {"result_count": 1, "next_token": "same"}}
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    with pytest.raises(ResponseNotUnderstood, match="circle"):
        record.collect(connector)
    assert record.cursor.value == {}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (402, {"title": "Payment Required", "detail": "no credits"}, AccessDenied),
        (429, {"type": "https://api.x.com/2/problems/usage-capped", "detail": "cap"}, AccessDenied),
        (403, ["no object"], AccessDenied),
        (
            400,
            {"detail": "Invalid operator", "type": "https://api.x.com/2/problems/invalid-request"},
            ResponseNotUnderstood,
        ),
        (404, {"detail": "no such place"}, ResponseNotUnderstood),
        (504, {}, SourceUnavailable),
    ],
)
def test_refusals_are_named_by_what_to_do_next(server, http, status, body, kind):
    server.failing = Answered(status=status, body=json.dumps(body).encode())
    with pytest.raises(kind) as caught:
        list(a_connector(http, server.url).fetch(Cursor(source_id="t")))
    assert type(caught.value) is kind
    assert SECRET not in str(caught.value)
    if isinstance(body, dict) and "detail" in body:
        assert body["detail"] in str(caught.value)


@pytest.mark.parametrize(
    ("reset", "wait"),
    [(NOON + timedelta(minutes=9), 540), (NOON + timedelta(days=365), 3600), (NOON - timedelta(days=1), 1)],
)
def test_a_rate_limit_is_waited_for_but_never_absurdly_long(server, http, reset, wait):
    server.failing = Answered(status=429, headers={"x-rate-limit-reset": str(int(reset.timestamp()))}, body=b"{}")
    with pytest.raises(RateLimited) as caught:
        list(a_connector(http, server.url).fetch(Cursor(source_id="t")))
    assert caught.value.retry_after == wait


def test_the_token_is_sent_and_stands_in_no_log(server, http, caplog):
    server.routes[SEARCH] = {"meta": {"result_count": 0}}
    with caplog.at_level(logging.DEBUG):
        list(a_connector(http, server.url).fetch(Cursor(source_id="t")))
    assert server.requests[-1].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in caplog.text


def test_a_source_that_asks_nothing_says_so(http):
    with pytest.raises(ResponseNotUnderstood, match="query or user_id"):
        list(a_connector(http, query=None).fetch(Cursor(source_id="t")))


def test_posts_that_are_not_given_any_more_are_told_apart_from_those_that_are():
    ids = [str(BASE + no) for no in range(3)]

    def lookup(asked):
        assert asked.query["ids"].split(",") == ids
        problem = "https://api.twitter.com/2/problems/"
        return {
            "data": [a_post(0)],
            "errors": [
                {"resource_id": ids[1], "type": f"{problem}resource-not-found"},
                {"value": ids[2], "type": f"{problem}something-else"},
            ],
        }

    with scripted_server() as server, an_http(server) as http:
        server.routes["/2/tweets"] = lookup
        source = a_source("x", base_url=server.url, bearer_token=SECRET, query="zonnekade")
        assert XConnector(source, http, lambda: NOON).gone(ids) == {ids[1]}
