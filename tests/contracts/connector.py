"""What every connector promises. A connector's test inherits one of these classes and says what its source answers.

class TestRss(HttpConnectorContract):
    kind = RssConnector
    expected = 5          # mentions in the ordinary answers
    pages = 1             # pages of a first run

    def source(self, url): return a_source("rss", url=f"{url}/feed")
    def script(self, server): server.routes["/feed"] = (DATA / "rss/ordinary.xml").read_bytes()
    def script_one_bad(self, server): ...; return 4     # how many good ones stand around the malformed one
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from monitor.config import NetSettings
from monitor.errors import (
    AccessDenied,
    ConfigError,
    RateLimited,
    ResponseNotUnderstood,
    SourceError,
    SourceUnavailable,
)
from monitor.model import Cursor, Mention, Page, Skipped, Source
from monitor.protocols import Connector, Http
from tests.contracts.server import Answered, ScriptedServer, scripted_server

NOON = datetime(2026, 7, 10, 12, 30, tzinfo=UTC)
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form>Please log in</form></body></html>"
SECRET = "s3cr3t-t0ken-9182"


def a_source(connector: str, **options: Any) -> Source:
    """A configured source of this kind, with these options."""
    return Source(id=f"test-{connector}", connector=connector, name=connector, channel=connector, options=options)


class Record:
    """What the store promises, in memory: a page's mentions, its skipped ones and its cursor are kept as one."""

    def __init__(self, source_id: str) -> None:
        self.cursor = Cursor(source_id=source_id)
        self.mentions: dict[str, Mention] = {}
        self.skipped: list[Skipped] = []
        self.new: list[str] = []

    def save(self, page: Page) -> None:
        self.new += [mention.id for mention in page.mentions if mention.id not in self.mentions]
        self.mentions |= {mention.id: mention for mention in page.mentions}
        self.skipped += page.skipped
        value = json.loads(json.dumps(dict(page.cursor.value), allow_nan=False))
        assert value == page.cursor.value, "a cursor must come back from JSON as it went in"
        assert page.cursor.source_id == self.cursor.source_id
        self.cursor = Cursor(source_id=page.cursor.source_id, value=value)

    def collect(self, connector: Connector, *, crash_after: int | None = None) -> int:
        """Save page by page; stop dead after `crash_after` pages. How many pages were saved."""
        pages = 0
        for page in connector.fetch(self.cursor):
            self.save(page)
            pages += 1
            if pages == crash_after:
                break
        return pages


def assert_storable(mention: Mention) -> None:
    """No lone surrogates or NULs in any text, no number that JSON columns refuse."""
    told = asdict(mention)
    written = json.dumps(told, ensure_ascii=False, allow_nan=False, default=str)
    written.encode("utf-8")
    assert "\\u0000" not in written


class ConnectorContract:
    """For any kind of source; a test class supplies the fixture `make`: each call gives a fresh connector."""

    expected: int
    pages: int = 1

    @pytest.fixture
    def make(self) -> Callable[[], Connector]:
        raise NotImplementedError

    @pytest.fixture
    def make_one_bad(self) -> tuple[Callable[[], Connector], int]:
        """A factory for a source with one malformed mention, and how many good ones stand around it."""
        raise NotImplementedError

    def test_it_finds_what_the_source_holds(self, make) -> None:
        connector = make()
        record = Record(connector.source_id)
        assert record.collect(connector) == self.pages
        assert len(record.mentions) == self.expected
        assert {mention.source_id for mention in record.mentions.values()} == {connector.source_id}

    def test_ids_are_unique_and_the_same_in_every_run(self, make) -> None:
        first = [mention.id for page in make().fetch(Cursor(source_id=make().source_id)) for mention in page.mentions]
        again = [mention.id for page in make().fetch(Cursor(source_id=make().source_id)) for mention in page.mentions]
        assert len(set(first)) == len(first)
        assert first == again

    def test_times_are_utc_and_addresses_are_absolute(self, make) -> None:
        connector = make()
        for page in connector.fetch(Cursor(source_id=connector.source_id)):
            for mention in page.mentions:
                for moment in (mention.published_at, mention.fetched_at, mention.edited_at, mention.removed_at):
                    assert moment is None or moment.utcoffset() == timedelta(0)
                urls = [mention.url, mention.author and mention.author.url]
                for url in filter(None, urls):
                    assert urlsplit(url).scheme in {"http", "https"}
                    assert urlsplit(url).hostname
                json.dumps(dict(mention.raw), allow_nan=False)
                assert mention.native_id
                assert mention.channel

    def test_everything_told_can_be_stored(self, make) -> None:
        connector = make()
        for page in connector.fetch(Cursor(source_id=connector.source_id)):
            for mention in page.mentions:
                assert_storable(mention)

    def test_a_crash_after_any_page_loses_nothing(self, make) -> None:
        whole = Record(make().source_id)
        whole.collect(make())
        for count in range(1, self.pages + 1):
            record = Record(make().source_id)
            record.collect(make(), crash_after=count)
            for _ in range(self.pages + 2):
                record.collect(make())
            missing = whole.mentions.keys() - record.mentions.keys()
            assert not missing, f"a crash after page {count} lost {len(missing)} mentions"

    def test_a_second_run_adds_nothing(self, make) -> None:
        record = Record(make().source_id)
        record.collect(make())
        record.new.clear()
        kept, skipped = dict(record.mentions), len(record.skipped)
        record.collect(make())
        assert record.new == []
        assert len(record.skipped) >= skipped
        for key, mention in kept.items():
            assert record.mentions[key].content_hash == mention.content_hash

    def test_one_malformed_mention_costs_one_mention(self, make_one_bad) -> None:
        make, good = make_one_bad
        connector = make()
        record = Record(connector.source_id)
        record.collect(connector)
        assert len(record.mentions) == good
        kept = [skip for skip in record.skipped if skip.raw]
        assert len(kept) == 1
        assert kept[0].reason

    def test_what_was_skipped_can_be_read_again(self, make_one_bad) -> None:
        make, _good = make_one_bad
        connector = make()
        record = Record(connector.source_id)
        record.collect(connector)
        letter = next(skip.raw for skip in record.skipped if skip.raw)
        try:
            page = connector.read(letter, "dead letter")
        except ResponseNotUnderstood:
            return
        assert not page.mentions
        assert page.skipped

    def test_rubbish_is_a_clear_error_and_never_a_silent_nothing(self, make) -> None:
        for content in (LOGIN_PAGE, b"\x00\xff\xfe\x00rubbish" * 20, b'{"a": [1, 2'):
            try:
                page = make().read(content, "rubbish.bin")
                assert page.mentions or page.skipped
                said = "rubbish.bin"
            except ResponseNotUnderstood as error:
                said = str(error)
            assert "rubbish.bin" in said


class HttpConnectorContract(ConnectorContract):
    """For sources reached over HTTP through monitor.net."""

    kind: type[Any]

    def source(self, url: str) -> Source:
        """The source, its address (`base_url` or the like) at `url`."""
        raise NotImplementedError

    def script(self, server: ScriptedServer) -> None:
        """Put the ordinary answers on the server."""
        raise NotImplementedError

    def script_one_bad(self, server: ScriptedServer) -> int:
        """Put an answer with one malformed mention on the server; how many good ones stand around it."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with scripted_server() as server:
            yield server

    @pytest.fixture
    def http(self, server) -> Iterator[Http]:
        with an_http(server) as http:
            yield http

    @pytest.fixture
    def build(self, server, http) -> Callable[[], Connector]:
        return lambda: self.kind(self.source(server.url), http, lambda: NOON)

    @pytest.fixture
    def make(self, server, build) -> Callable[[], Connector]:
        self.script(server)
        return build

    @pytest.fixture
    def make_one_bad(self, server, build) -> tuple[Callable[[], Connector], int]:
        return build, self.script_one_bad(server)

    def fail(self, connector: Connector) -> SourceError:
        """The error that a run ends with."""
        with pytest.raises(SourceError) as caught:
            list(connector.fetch(Cursor(source_id=connector.source_id)))
        assert SECRET not in str(caught.value)
        assert str(caught.value)
        return caught.value

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_access_asks_for_a_person(self, make, server, status) -> None:
        server.failing = Answered(status=status, body=b"{}")
        assert isinstance(self.fail(make()), AccessDenied)

    def test_a_rate_limit_carries_the_wait(self, make, server) -> None:
        server.failing = Answered(status=429, headers={"Retry-After": "7"}, body=b"{}")
        error = self.fail(make())
        assert isinstance(error, RateLimited)
        assert error.retry_after == pytest.approx(7, abs=1)

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_failing_server_is_tried_again_later(self, make, server, status) -> None:
        server.failing = Answered(status=status, body=LOGIN_PAGE)
        error = self.fail(make())
        assert isinstance(error, SourceUnavailable)
        assert not isinstance(error, RateLimited)

    def test_a_server_that_hangs_is_given_up(self, make, server) -> None:
        make()
        server.slow = True
        with an_http(server, total_seconds=0.3) as impatient:
            assert isinstance(self.fail(self.kind(self.source(server.url), impatient, lambda: NOON)), SourceUnavailable)

    def test_a_login_page_with_status_200_is_not_understood(self, make, server) -> None:
        server.failing = Answered(body=LOGIN_PAGE, headers={"Content-Type": "text/html"})
        error = self.fail(make())
        assert isinstance(error, ResponseNotUnderstood)
        assert error.raw

    def test_an_answer_cut_short_is_an_error(self, make, server) -> None:
        make()
        server.failing = Answered(body=b'{"cut": [1, 2, {"x', headers={"Content-Type": "application/json"}, cut=4)
        assert isinstance(self.fail(make()), SourceUnavailable | ResponseNotUnderstood)

    def test_an_unknown_option_is_an_error_that_names_it(self, server, http) -> None:
        source = self.source(server.url)
        wrong = Source(
            id=source.id,
            connector=source.connector,
            name=source.name,
            channel=source.channel,
            options={**source.options, "no_such_option": 1},
        )
        with pytest.raises(ConfigError, match="no_such_option") as caught:
            self.kind(wrong, http, lambda: NOON)
        assert source.id in str(caught.value)


@contextmanager
def an_http(server: ScriptedServer, *, total_seconds: float = 30.0) -> Iterator[Http]:
    """The real client, allowed to reach this server and no other private address."""
    from monitor.net.client import HttpClient

    settings = NetSettings(allow=(server.address,), total_seconds=total_seconds, connect_seconds=2.0)
    client = HttpClient(settings)
    try:
        yield client
    finally:
        client.close()
