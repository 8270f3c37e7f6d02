from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import pytest

from monitor.demo.apis import feeds
from monitor.demo.apis.mastodon import uri_of
from monitor.demo.apis.trustpilot import BUSINESS_UNIT
from monitor.demo.apis.x import user_id
from monitor.demo.apis.x_query import matches
from monitor.demo.config import X_QUERY
from monitor.demo.script import FEEDS, Moment
from tests.demo.town import TOWN, ask, ask_json, served, walked

ATOM = "{http://www.w3.org/2005/Atom}"


def expected(source):
    return {said.native_id for said in TOWN.script.by_source[source] if not said.is_repost}


def test_a_walk_over_the_tag_timeline_finds_every_status_once():
    found: list[str] = []
    with served() as (server, clock):
        mark = "0"
        for clock_now in walked():
            clock.set(clock_now)
            while page := ask_json(server, "/api/v1/timelines/tag/zonnekade", min_id=mark, limit=40):
                found += [status["uri"] for status in reversed(page)]
                mark = page[0]["id"]
    everything = [uri_of(said) for said in TOWN.script.by_source["fediverse"] if not said.is_repost]
    assert sorted(found) == sorted(everything)


def test_a_boost_is_a_count_on_the_status_and_never_a_status():
    boost = next(said for said in TOWN.script.by_source["fediverse"] if said.is_repost)
    original = TOWN.script.by_id[boost.repost_of]
    with served() as (server, clock):
        clock.set(TOWN.when(boost.at) - timedelta(minutes=1))
        before = ask_json(server, f"/api/v1/statuses/{original.native_id}")["reblogs_count"]
        clock.set(TOWN.when(boost.at))
        after = ask_json(server, f"/api/v1/statuses/{original.native_id}")["reblogs_count"]
        assert ask(server, f"/api/v1/statuses/{boost.native_id}")[0] == 404
    assert after == before + 1


def test_min_id_goes_on_right_after_the_mark_and_since_id_skips_the_middle():
    with served() as (server, clock):
        clock.set(TOWN.closes_at)
        forward = ask_json(server, "/api/v1/timelines/tag/zonnekade", min_id="0", limit=5)
        newest = ask_json(server, "/api/v1/timelines/tag/zonnekade", since_id="0", limit=5)
    said = [uri_of(line) for line in TOWN.script.by_source["fediverse"] if not line.is_repost]
    assert {status["uri"] for status in forward} == set(said[:5])
    assert {status["uri"] for status in newest} == set(said[-5:])


def x_walk(path, **query):
    """Every first id of an edit history with the texts it had, as a poller with since_id sees them."""
    found: dict[str, list[str]] = {}
    with served() as (server, clock):
        mark = None
        for now in walked():
            clock.set(now)
            token, new = None, None
            while True:
                asked = {"max_results": 10, **query}
                asked |= {"since_id": mark} if mark else {}
                asked |= {"next_token": token} if token else {}
                told = ask_json(server, path, **asked)
                new = new or told["meta"].get("newest_id")
                for post in told.get("data", ()):
                    text = post.get("note_tweet", post)["text"]
                    found.setdefault(post["edit_history_tweet_ids"][0], []).append(text)
                token = told["meta"].get("next_token")
                if token is None:
                    break
            mark = new or mark
    return found


def test_polling_the_recent_search_of_x_finds_every_post_once_and_its_edits():
    found = x_walk("/2/tweets/search/recent", query=X_QUERY)
    lines = [said for said in TOWN.script.by_source["x"] if not said.is_repost]
    gone_too_soon = {
        said.native_id
        for said in lines
        if said.deleted and not any(TOWN.version(said, now) is not None for now in walked())
    }
    assert set(found) == {said.native_id for said in lines} - gone_too_soon
    for said in lines:
        texts = found.get(said.native_id, [])
        assert len(texts) == len(set(texts))
        if said.edits:
            assert texts[-1] == said.edits[-1].text
        elif texts:
            assert texts == [said.text]


def test_the_mentions_timeline_of_x_carries_reposts_marked_as_such():
    with served() as (server, clock):
        clock.set(TOWN.closes_at)
        token, posts = None, []
        while True:
            more = {"pagination_token": token} if token else {}
            told = ask_json(server, f"/2/users/{user_id('zonnekade')}/mentions", max_results=100, **more)
            posts += told["data"]
            token = told["meta"].get("next_token")
            if token is None:
                break
    assert len({post["id"] for post in posts}) == len(posts)
    reposts = [post for post in posts if post["text"].startswith("RT @")]
    assert reposts
    assert all(post["referenced_tweets"][0]["type"] == "retweeted" for post in reposts)


def test_a_deleted_post_of_x_is_an_error_beside_the_data():
    said = next(line for line in TOWN.script.by_source["x"] if line.deleted)
    other = next(line for line in TOWN.script.by_source["x"] if not line.deleted)
    with served() as (server, clock):
        clock.set(TOWN.when(said.deleted))
        told = ask_json(server, "/2/tweets", ids=f"{said.native_id},{other.native_id}")
    assert [post["id"] for post in told["data"]] == [other.native_id]
    assert told["errors"][0]["resource_id"] == said.native_id


def test_x_refuses_a_mark_older_than_a_week_and_a_caller_without_token():
    first = TOWN.script.by_source["x"][0]
    with served() as (server, clock):
        clock.set(TOWN.when(first.at) + timedelta(days=7, minutes=2))
        path = "/2/tweets/search/recent"
        status, _headers, body = ask(server, path, query="zonnekade", since_id=first.native_id)
        assert status == 400
        assert json.loads(body)["type"].endswith("invalid-request")
        assert ask(server, path, headers={"Authorization": ""}, query="zonnekade")[0] == 401


def test_ids_of_x_tell_the_minute_they_were_written():
    for said in TOWN.script.by_source["x"]:
        told = datetime.fromtimestamp(((int(said.native_id) >> 22) + 1288834974657) / 1000, UTC)
        assert timedelta(0) <= told - TOWN.when(said.at) < timedelta(minutes=1), said.id


@pytest.mark.parametrize(
    ("query", "heard", "fits"),
    [
        ("zonnekade", "@zonnekade hoi", True),
        ("zonnekade", "zonnekades", False),
        ("zonnekade -retour", "zonnekade retour", False),
        ("(zonnekade OR glimworm) -is:retweet", "een glimworm", True),
        ("(zonnekade OR glimworm) lang:nl", "een glimworm", True),
        ("(zonnekade OR glimworm) lang:en", "een glimworm", False),
        ('"de steiger" OR tuinhof', "bij de steiger", True),
        ("(zonnekade OR from:jan)", "iets anders", True),
        ("-from:jan zonnekade", "zonnekade", False),
    ],
)
def test_the_search_language_of_x(query, heard, fits):
    assert matches(query, heard, author="jan", language="nl") is fits


def test_a_walk_over_the_forum_finds_every_post_once():
    found: list[str] = []
    with served() as (server, clock):
        mark = 0
        for now in walked():
            clock.set(now)
            before: dict[str, int] = {}
            newest = mark
            while True:
                posts = ask_json(server, "/posts.json", **before)["latest_posts"]
                fresh = [post for post in posts if post["id"] > mark]
                found += [str(post["id"]) for post in fresh]
                newest = max([newest, *(post["id"] for post in fresh)])
                if len(fresh) < len(posts) or not posts:
                    break
                before = {"before": posts[-1]["id"]}
            mark = newest
    assert sorted(found) == sorted(expected("groenevingers"))


def test_forum_ids_rise_with_time():
    ids = [int(said.native_id) for said in TOWN.script.by_source["groenevingers"]]
    assert ids == sorted(ids)


def test_an_edited_forum_post_shows_its_version_and_a_topic_holds_its_posts_in_order():
    said = next(line for line in TOWN.script.by_source["groenevingers"] if line.edits)
    with served() as (server, clock):
        clock.set(TOWN.closes_at)
        post = ask_json(server, f"/posts/{said.native_id}.json")
        topic = ask_json(server, f"/t/{post['topic_id']}.json")
        newest = ask_json(server, "/latest.json")["topic_list"]["topics"]
    assert (post["version"], post["raw"]) == (2, said.edits[0].text)
    assert post["updated_at"] > post["created_at"]
    numbers = [one["post_number"] for one in topic["post_stream"]["posts"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert newest[0]["bumped_at"] == max(one["bumped_at"] for one in newest)


def reviews(server, **query):
    page, found = 1, []
    while True:
        told = ask_json(server, f"/v1/business-units/{BUSINESS_UNIT}/reviews", perPage=20, page=page, **query)[
            "reviews"
        ]
        found += told
        if len(told) < 20:
            return found
        page += 1


def test_a_walk_over_the_reviews_finds_each_once_then_its_edit_and_no_longer_the_deleted():
    seen: dict[str, list[dict]] = {}
    with served() as (server, clock):
        for now in walked():
            clock.set(now)
            told = reviews(server, orderBy="createdat.desc")
            assert len({review["id"] for review in told}) == len(told)
            for review in told:
                seen.setdefault(review["id"], []).append(review)
        last = {review["id"] for review in told}
    assert set(seen) == expected("sterrenplein")
    deleted = {said.native_id for said in TOWN.script.by_source["sterrenplein"] if said.deleted}
    assert deleted
    assert last == expected("sterrenplein") - deleted
    for said in TOWN.script.by_source["sterrenplein"]:
        newest = seen[said.native_id][-1]
        if said.edits:
            assert (newest["text"], newest["stars"]) == (said.edits[-1].text, said.edits[-1].rating)
            assert newest["updatedAt"] > newest["createdAt"]
        else:
            assert (newest["text"], newest["updatedAt"]) == (said.text, None)


def test_reviews_need_a_key_and_private_ones_a_token():
    with served() as (server, _clock):
        bare = {"Authorization": "", "apikey": ""}
        public = f"/v1/business-units/{BUSINESS_UNIT}/reviews"
        private = f"/v1/private/business-units/{BUSINESS_UNIT}/reviews"
        assert ask(server, public, headers=bare)[0] == 401
        assert ask(server, public, headers={**bare, "apikey": "k"})[0] == 200
        assert ask(server, private, headers={**bare, "apikey": "k"})[0] == 401
        assert ask(server, private)[0] == 200
        assert ask(server, "/v1/business-units/else/reviews")[0] == 404


def entries(body):
    root = ET.fromstring(body)  # noqa: S314 - our own server wrote it
    found = [item.findtext("guid") for item in root.iter("item")]
    return found + [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]


@pytest.mark.parametrize("source", FEEDS)
def test_a_feed_grows_and_says_304_while_it_does_not(source):
    seen: set[str] = set()
    unchanged = 0
    with served() as (server, clock):
        etag, modified = None, None
        for now in walked():
            clock.set(now)
            asked = {"If-None-Match": etag} if etag else {}
            status, headers, body = ask(server, feeds.path_of(source), headers=asked)
            if status == 304:
                unchanged += 1
                continue
            etag, modified = headers["ETag"], headers["Last-Modified"]
            seen |= set(entries(body))
        later = ask(server, feeds.path_of(source), headers={"If-Modified-Since": modified})[0]
    assert seen == expected(source)
    assert unchanged > 30
    assert later == 304
    assert parsedate_to_datetime(modified) <= TOWN.closes_at


def test_an_edited_blog_post_comes_again_with_a_new_etag():
    said = next(line for line in TOWN.script.by_source["balkongeluk"] if line.edits)
    with served() as (server, clock):
        clock.set(TOWN.when(said.edits[0].at) - timedelta(minutes=1))
        _status, headers, _body = ask(server, feeds.path_of("balkongeluk"))
        clock.set(TOWN.when(said.edits[0].at))
        status, _headers, body = ask(server, feeds.path_of("balkongeluk"), headers={"If-None-Match": headers["ETag"]})
    assert status == 200
    assert b"LET OP, aangevuld" in body


def test_nothing_is_said_before_its_minute():
    said = TOWN.script.by_source["x"][0]
    with served() as (server, clock):
        for moment, known in ((TOWN.when(said.at) - timedelta(seconds=1), False), (TOWN.when(said.at), True)):
            clock.set(moment)
            assert ("data" in ask_json(server, "/2/tweets", ids=said.native_id)) is known
    assert TOWN.when(Moment(1, time(8, 2))) == datetime(2026, 6, 1, 6, 2, tzinfo=UTC)
