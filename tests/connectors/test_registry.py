"""Which connectors there are, and which one reads what."""

import json
import subprocess
import sys

import pytest

import connectors
from monitor.errors import ConfigError, ResponseNotUnderstood
from tests.contracts.server import DATA

STATUS = {"id": "1", "uri": "https://m.example/1", "account": {}, "content": "x", "visibility": "public"}


def test_importing_the_registry_imports_nothing_heavy():
    heavy = ("feedparser", "imap_tools", "tweepy", "lxml", "spacy")
    program = f"import connectors, sys; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["rss", "imap", "files"])
def test_every_connector_tells_what_it_is_and_describes_its_options(name):
    cls = connectors.load(name)
    assert cls.kind == name
    assert cls.title
    assert "\n" not in cls.title
    assert cls.Options.model_config["extra"] == "forbid"
    assert all(told.description for told in cls.Options.model_fields.values())
    cls.Options.model_validate(connectors.sample_options(name, "antwoord.json"))


def test_an_unknown_connector_names_the_known_ones():
    with pytest.raises(ConfigError, match="there is no connector 'twitter'; there are: discourse, files"):
        connectors.load("twitter")


def test_an_address_that_is_tried_is_the_address_of_the_source():
    assert connectors.sample_options("rss", "https://a.example/feed")["url"] == "https://a.example/feed"
    assert connectors.sample_options("rss", "feed.xml")["url"] == connectors.NO_PLACE


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        ((DATA / "rss/ordinary.xml").read_bytes(), "ordinary.xml", "rss"),
        ((DATA / "rss/rdf.xml").read_bytes(), "x", "rss"),
        ((DATA / "rss/feed.json").read_bytes(), "feed.json", "rss"),
        (b"\xef\xbb\xbf\n<!-- c --><rss version='2.0'></rss>", "x", "rss"),
        ((DATA / "imap/klacht.eml").read_bytes(), "x", "files"),
        ((DATA / "files/radio.srt").read_bytes(), "radio.srt", "files"),
        ((DATA / "files/knipsels.csv").read_bytes(), "knipsels.csv", "files"),
        ((DATA / "files/export.jsonl").read_bytes(), "export.jsonl", "files"),
        (b"Klant aan de balie.", "note.txt", "files"),
        (b'{"segments": [{"startTime": 0, "body": "x"}]}', "t.json", "files"),
        (b'[{"text": "x"}]', "t.json", "files"),
        (json.dumps(STATUS).encode(), "x.json", "mastodon"),
        (json.dumps([STATUS]).encode(), "x.json", "mastodon"),
        (b'{"statuses": [], "accounts": [], "hashtags": []}', "x.json", "mastodon"),
        (b'{"ancestors": [], "descendants": []}', "x.json", "mastodon"),
        (b'{"latest_posts": []}', "posts.json", "discourse"),
        (b'{"post_stream": {"posts": []}, "id": 1}', "t.json", "discourse"),
        (b'{"reviews": [{"id": "a", "stars": 1}], "links": []}', "r.json", "trustpilot"),
        (b'{"reviews": []}', "r.json", "trustpilot"),
        (b'{"hits": [{"objectID": "1"}]}', "h.json", "hackernews"),
        (b'{"data": [{"id": "1", "text": "x"}], "meta": {"result_count": 1}}', "x.json", "x"),
        (b'{"meta": {"result_count": 0}}', "x.json", "x"),
        (
            b'{"status": 404, "headers": {}, "request": {"uri": "https://m.example/api/v1/statuses/1"}, "body": "{}"}',
            "x.json",
            "mastodon",
        ),
    ],
)
def test_what_a_file_looks_like_says_who_reads_it(content, name, kind):
    assert connectors.guess(content, name) == kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "leeg"),
        (b"%PDF-1.7", "krant.pdf"),
        (b'{"ticket": {"id": 1}}', "t.json"),
        (b"<html></html>", "x.html"),
        (b"[1]", "x.json"),
    ],
)
def test_where_nothing_fits_a_person_is_told_what_to_do(content, name):
    with pytest.raises(ResponseNotUnderstood, match="--as"):
        connectors.guess(content, name)
