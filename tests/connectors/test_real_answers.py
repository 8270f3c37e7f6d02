"""Answers of APIs as they were recorded from the real ones, where the folder with them is at hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import connectors
from monitor.errors import ResponseNotUnderstood
from tests.contracts.connector import a_source

REAL = Path("/work/shared/data/real/api")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not at hand; it is never part of the repository")


def body_of(name):
    told = json.loads((REAL / name).read_bytes())
    return told["body"] if isinstance(told, dict) and "body" in told else told


def read(name):
    content = (REAL / name).read_bytes()
    kind = connectors.guess(content, name)
    assert kind == name.split("/")[0]
    source = a_source(kind, **connectors.sample_options(kind, name))
    return connectors.load(kind)(source, None, lambda: NOW).read(content, name)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("mastodon/timeline_home.json", lambda body: body),
        ("mastodon/timeline_tag.json", lambda body: body),
        ("mastodon/real_context.json", lambda body: body["ancestors"] + body["descendants"]),
        ("mastodon/real_status.json", lambda body: [body]),
        ("mastodon/status_edited.json", lambda body: [body]),
        ("mastodon/search_v2.json", lambda body: body["statuses"]),
        ("mastodon/notifications.json", lambda body: body),
        ("discourse/live_posts.json", lambda body: body["latest_posts"]),
        ("discourse/posts_latest.json", lambda body: body["latest_posts"]),
        ("discourse/topic.json", lambda body: body["post_stream"]["posts"]),
        ("discourse/latest.json", lambda body: body["topic_list"]["topics"]),
        ("discourse/replies.json", lambda body: body["user_actions"]),
        ("x/search_recent.json", lambda body: body["data"]),
        ("x/mentions.json", lambda body: body["data"]),
        ("x/dm_events.json", lambda body: body["data"]),
    ],
)
def test_every_row_of_a_real_answer_is_a_mention(name, rows):
    page = read(name)
    assert len(page.mentions) == len(rows(body_of(name)))
    assert not page.skipped
    told_ids = {str(row.get("id", row.get("post_id"))) for row in rows(body_of(name))}
    assert len({mention.id for mention in page.mentions}) == len(told_ids)
    assert all(mention.text or mention.title or mention.raw.get("media_attachments") for mention in page.mentions)


@pytest.mark.parametrize("name", ["x/liked.json", "x/quote_tweets.json"])
def test_reposts_in_a_real_answer_are_counted_and_no_mentions(name):
    page, rows = read(name), body_of(name)["data"]
    reposts = sum(row["text"].startswith("RT @") for row in rows)
    assert [(skip.reason, skip.raw) for skip in page.skipped] == [("repost", None)] * reposts
    assert len(page.mentions) == len(rows) - reposts > 0


def test_notifications_that_say_nothing_are_counted_and_no_mentions():
    page = read("mastodon/notifications_requests.json")
    assert not page.mentions
    assert {skip.raw for skip in page.skipped} == {None}


def test_a_webhook_holds_one_review_and_one_event_that_is_none():
    page = read("trustpilot/review_events_webhook.json")
    (review,) = page.mentions
    assert (review.rating, review.rating_max) == (4, 5)
    assert len(page.skipped) == 1


def test_a_real_answer_not_found_is_said_in_a_sentence():
    with pytest.raises(ResponseNotUnderstood, match="Not Found"):
        read("mastodon/status_missing_404.json")


def test_real_edits_and_private_statuses_are_seen():
    (edited,) = read("mastodon/real_status.json").mentions
    assert edited.edited_at > edited.published_at
    assert any(mention.is_private for mention in read("mastodon/real_context.json").mentions)
    assert any(mention.edited_at for mention in read("discourse/live_posts.json").mentions)
