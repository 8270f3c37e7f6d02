"""Feeds, mails and transcripts as real sites sent them, where the folder with them is at hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import connectors
from tests.contracts.connector import a_source

REAL = Path("/work/shared/data/real")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not at hand; it is never part of the repository")


def of_kind(*kinds):
    told = json.loads((REAL / "expected.json").read_text()) if REAL.is_dir() else {}
    return [(name, expected) for name, expected in sorted(told.items()) if expected["kind"] in kinds]


def read(name):
    content = (REAL / name).read_bytes()
    kind = connectors.guess(content, name)
    source = a_source(kind, **connectors.sample_options(kind, name))
    return kind, connectors.load(kind)(source, None, lambda: NOW).read(content, name)


@pytest.mark.parametrize(("name", "expected"), of_kind("feed"))
def test_a_real_feed_gives_the_entries_ids_and_dates_it_holds(name, expected):
    kind, page = read(name)
    assert kind == "rss"
    assert len(page.mentions) == expected["entries"]
    assert len({mention.id for mention in page.mentions}) == expected["entries"]
    assert len({mention.raw["id"] for mention in page.mentions if "id" in mention.raw}) == expected["distinct_ids"]
    assert sum(mention.published_at is not None for mention in page.mentions) == expected["dated"]


@pytest.mark.parametrize(
    ("name", "expected"), of_kind("mail", "not a bounce", "bounce", "auto-reply", "abuse report (ARF)", "reply body")
)
def test_a_real_mail_gives_one_private_mention(name, expected):
    kind, page = read(name)
    assert kind == "files"
    (mention,) = page.mentions
    assert mention.is_private
    assert mention.is_automatic == (expected["kind"] in {"bounce", "auto-reply", "abuse report (ARF)"})
    assert mention.native_id.startswith("hash:") == (not expected["has_message_id"])


@pytest.mark.parametrize(
    "name",
    ["8", "9", "10", "french_2", "german_outlook", "ios_outlook", "norwegian_gmail", "tricky_14_long_quote_header"],
)
def test_the_new_text_of_a_real_reply_is_its_five_lines(name):
    _kind, page = read(f"mail/bodies/email_{name}.txt")
    text = page.mentions[0].text
    assert text.startswith("Fusce bibendum")
    assert text.endswith("aliquet nec nec nibh.")
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize(("name", "expected"), of_kind("transcript"))
def test_a_real_transcript_keeps_every_cue(name, expected):
    kind, page = read(name)
    assert kind == "files"
    assert page.mentions
    if expected["cues"]:
        assert {mention.raw["cues"] for mention in page.mentions} == {expected["cues"]}
