"""Discourse: the contract, and the oddities of forums."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.discourse import DiscourseConnector, without_quotes
from monitor.errors import ResponseNotUnderstood
from monitor.model import Cursor
from tests.contracts.connector import NOON, HttpConnectorContract, Record, a_source, an_http
from tests.contracts.server import DATA, scripted_server

PAGES = [json.loads((DATA / f"discourse/posts_page{no}.json").read_bytes()) for no in (1, 2)]
POSTS = [post for page in PAGES for post in page["latest_posts"]]


class Forum:
    """/posts.json: newest first, so many a page, older than `before`."""

    def __init__(self, posts, size=3):
        self.posts, self.size = posts, size

    def __call__(self, asked):
        before = int(asked.query.get("before", 10**18))
        older = sorted((p for p in self.posts if p["id"] < before), key=lambda p: -p["id"])
        return {"latest_posts": older[: self.size]}


class TestDiscourse(HttpConnectorContract):
    kind = DiscourseConnector
    expected = 4
    pages = 3  # two of posts and the empty one that ends the forum

    def source(self, url):
        return a_source("discourse", base_url=url)

    def script(self, server):
        server.routes["/posts.json"] = Forum(POSTS)

    def script_one_bad(self, server):
        bad = {**POSTS[0], "id": 2000, "cooked": None}
        server.routes["/posts.json"] = Forum([*POSTS, bad])
        return 4


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def http(server):
    with an_http(server) as http:
        yield http


def a_connector(http=None, url="https://forum.tuin.example", **options):
    return DiscourseConnector(a_source("discourse", base_url=url, **options), http, lambda: NOON)


def read(told, **options):
    return a_connector(**options).read(json.dumps(told).encode(), "answer.json")


def test_posts_name_their_site_topic_parent_and_writer():
    page = read({"latest_posts": POSTS}, own=["@Zonnekade"])
    ours, quoting, opening, gone = page.mentions
    assert opening.origin == "forum.tuin.example"
    assert (opening.title, opening.text) == ("Lader lekt", "Mijn lader lekt <help>")
    assert opening.url == "https://forum.tuin.example/t/lader-lekt/9/1"
    assert (quoting.title, quoting.parent_id, quoting.thread_id) == (None, opening.native_id, "9")
    assert quoting.text == "Bij mij ook, garantie?"
    assert quoting.edited_at == datetime(2026, 7, 10, 9, 30, tzinfo=UTC)
    assert ours.is_own
    assert ours.parent_id == quoting.native_id
    assert gone.removed_at == datetime(2026, 7, 10, 5, tzinfo=UTC)
    assert [skip.reason for skip in page.skipped] == ["a notice of the forum"]
    assert (opening.engagement.likes, opening.engagement.views) == (3, 5)


def test_two_forums_with_the_same_numbers_are_two_sets_of_mentions():
    one = read({"latest_posts": POSTS}).mentions[0]
    other = a_connector(url="https://b.example").read(json.dumps({"latest_posts": POSTS}).encode(), "x").mentions[0]
    assert one.native_id == other.native_id
    assert one.id != other.id


def test_a_topic_a_search_and_a_users_posts_are_read_too():
    topic = read({"title": "Lader lekt", "slug": "l", "post_stream": {"posts": [{**POSTS[3], "topic_title": None}]}})
    assert len(topic.mentions) == 1
    found = {"id": 5, "username": "kees", "created_at": "2026-07-10T10:00:00Z", "post_number": 1, "topic_id": 9}
    search = read(
        {
            "posts": [{**found, "blurb": "mijn lader &amp; ik", "like_count": 4}],
            "topics": [{"id": 9, "title": "Lader lekt", "slug": "lader-lekt"}],
            "grouped_search_result": {"post_ids": [5]},
        }
    ).mentions[0]
    assert (search.title, search.text) == ("Lader lekt", "mijn lader & ik")
    assert search.url == "https://forum.tuin.example/t/lader-lekt/9/1"
    assert len(read({"post": POSTS[1]}).mentions) == 1
    action = {"action_type": 5, "post_id": 5, "post_number": 3, "topic_id": 9, "username": "kees", "excerpt": "ja"}
    actions = read({"user_actions": [action, {**action, "action_type": 1}]})
    assert [mention.native_id for mention in actions.mentions] == ["5"]
    assert len(actions.skipped) == 1


def test_an_error_of_the_forum_is_told_in_its_own_words():
    with pytest.raises(ResponseNotUnderstood, match="niet gevonden"):
        read({"errors": ["Pagina niet gevonden"], "error_type": "not_found"})


def test_the_second_run_asks_one_page_and_sees_edits_on_it(server, http):
    forum = Forum([dict(post) for post in POSTS])
    server.routes["/posts.json"] = forum
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    forum.posts[0] |= {"cooked": "<p>Opgelost</p>", "version": 2, "updated_at": "2026-07-10T12:00:00.000Z"}
    asked = len(server.requests)
    record.collect(connector)
    assert len(server.requests) == asked + 1
    assert "Opgelost" in {mention.text for mention in record.mentions.values()}


def test_a_forum_that_ignores_before_is_not_walked_for_ever(server, http):
    server.routes["/posts.json"] = {"latest_posts": POSTS[:3]}
    with pytest.raises(ResponseNotUnderstood, match="circle"):
        list(a_connector(http, server.url).fetch(Cursor(source_id="test-discourse")))


def test_an_api_key_goes_in_headers_only(server, http):
    server.routes["/posts.json"] = {"latest_posts": []}
    list(a_connector(http, server.url, api_key="geheim", api_username="lezer").fetch(Cursor(source_id="t")))
    asked = server.requests[-1]
    assert (asked.headers["api-key"], asked.headers["api-username"]) == ("geheim", "lezer")
    assert "geheim" not in str(asked.query)


def test_what_others_said_is_left_out_and_a_preview_becomes_its_link():
    nested = '<aside class="quote">a<aside class="onebox">b</aside>c</aside>eigen'
    assert without_quotes(nested) == "eigen"
    box = '<p>kijk</p><aside class="onebox" data-onebox-src="https://a.example/1"><p>lange inhoud</p></aside>'
    assert without_quotes(box) == "<p>kijk</p><p>https://a.example/1</p>"
    assert without_quotes("<aside class='note'>eigen noot</aside>") == "<aside class='note'>eigen noot</aside>"
    assert (
        read({"latest_posts": [{**POSTS[1], "cooked": '<aside class="quote"><p>alleen dit</p></aside>'}]})
        .mentions[0]
        .text
        == "alleen dit"
    )


def test_a_post_of_a_video_or_a_picture_only_is_its_address():
    for cooked in (
        '<div><a href="https://v.example/1?a=1&amp;b=2"><img src="https://v.example/t.jpg"></a></div>',
        '<p><img class="x" src="https://v.example/1?a=1&amp;b=2"></p>',
    ):
        (mention,) = read({"latest_posts": [{**POSTS[1], "cooked": cooked}]}).mentions
        assert mention.text == "https://v.example/1?a=1&b=2"


@given(st.lists(st.sampled_from(['<aside class="quote">', "<aside>", "</aside>", "a", "<p>"]), max_size=30))
def test_any_nesting_of_asides_ends_and_keeps_what_stands_outside(parts):
    html = "".join(parts)
    kept = without_quotes(f"begin {html}")
    assert kept.startswith("begin ")
    if "quote" not in html:
        assert kept == f"begin {html}"
