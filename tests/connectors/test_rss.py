"""The feed connector: the contract, and the oddities that feeds have."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import feeds
from connectors.rss import RssConnector
from monitor.errors import ConfigError, ResponseNotUnderstood
from monitor.model import Cursor
from tests.contracts.connector import (
    LOGIN_PAGE,
    NOON,
    HttpConnectorContract,
    Record,
    a_source,
    an_http,
    assert_storable,
)
from tests.contracts.server import DATA, Answered, scripted_server

ORDINARY = (DATA / "rss/ordinary.xml").read_bytes()


class TestRss(HttpConnectorContract):
    kind = RssConnector
    expected = 5

    def source(self, url):
        return a_source("rss", url=f"{url}/feed")

    def script(self, server):
        server.routes["/feed"] = ORDINARY

    def script_one_bad(self, server):
        items = [{"id": "a", "content_text": "x"}, 7, {"id": "b", "content_text": "y"}]
        server.routes["/feed"] = {"version": "https://jsonfeed.org/version/1", "items": items}
        return 2


def a_connector(http=None, **options):
    return RssConnector(
        a_source("rss", **({"url": "https://havenbode.example/rss/economie"} | options)), http, lambda: NOON
    )


def read(content, name="feed.xml", **options):
    return a_connector(**options).read(content if isinstance(content, bytes) else content.encode(), name).mentions


def rss(*items, head=""):
    inside = f"<title>t</title>{head}{''.join(items)}"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{inside}</channel></rss>'.encode()


def an_item(no, *, guid=True, link=True, summary="tekst", date="Fri, 10 Jul 2026 08:00:00 GMT"):
    return (
        f"<item><title>Artikel {no}</title><description>{summary}</description><pubDate>{date}</pubDate>"
        + (f"<guid>https://krant.example/{no}</guid>" if guid else "")
        + (f"<link>https://krant.example/lees/{no}</link>" if link else "")
        + "</item>"
    )


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def connector(server):
    with an_http(server) as http:
        yield a_connector(http, url=f"{server.url}/feed", limit=10)


def test_an_entry_is_read_with_all_it_tells():
    first = read(ORDINARY)[0]
    assert first.title == "Zonnekade rekent voortaan voor retour & omruilen"
    assert first.text.startswith("De webwinkel Zonnekade rekent vanaf maandag")
    assert "verbaasd" in first.text
    assert "alert" not in first.text
    assert "<" not in first.text
    assert first.url == "https://havenbode.example/economie/1001"
    assert first.author.name == "Joris Haan"
    assert first.published_at == datetime(2026, 7, 10, 9, 2, tzinfo=UTC)
    assert first.engagement.replies == 12
    assert first.language == "nl"
    assert first.origin == "havenbode.example"
    assert first.raw["media_content"][0]["url"].endswith("1001.jpg")


def test_relative_links_become_absolute_and_scripts_never_become_addresses():
    second = read(ORDINARY)[1]
    assert second.url == "https://havenbode.example/economie/1000"
    assert second.text == "Wie zijn pakket kwijt is, belt de klantenservice."
    for address in ("javascript:alert(1)", "data:text/html,x", "//", "ftp://a.example/x", "http://"):
        (mention,) = read(rss(f"<item><title>a</title><link>{address}</link></item>"))
        assert mention.url is None


def test_a_dutch_date_is_read_and_a_date_without_zone_is_the_sources_time():
    mentions = read(ORDINARY)
    assert mentions[1].published_at == datetime(2026, 7, 9, 6, 30, tzinfo=UTC)
    assert mentions[2].published_at == datetime(2026, 7, 10, 12, 0, 33, tzinfo=UTC)
    assert "Europe/Amsterdam" in mentions[2].raw["date_note"]
    assert "date_note" not in mentions[0].raw
    (winter,) = read(rss(an_item(1, date="2026-01-10 14:00:33")))
    assert winter.published_at == datetime(2026, 1, 10, 13, 0, 33, tzinfo=UTC)
    assert mentions[3].published_at is None


def test_a_feed_without_guids_in_another_order_and_with_an_edited_summary_stays_five_mentions(server, connector):
    record = Record(connector.source_id)
    for turn, order in enumerate(([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [2, 1, 3, 5, 4], [1, 3, 5, 2, 4])):
        summary = "tekst" + " " * turn + "." * (turn > 1)
        server.routes["/feed"] = rss(
            *(an_item(no, guid=False, link=False, summary=summary if no == 2 else "tekst") for no in order),
            head=f"<lastBuildDate>Fri, 10 Jul 2026 0{turn}:00:00 GMT</lastBuildDate>",
        )
        record.collect(connector)
    assert len(record.mentions) == 5
    assert len(record.new) == 5


def test_rdf_entries_keep_their_ids():
    first, again = (read((DATA / "rss/rdf.xml").read_bytes()) for _ in range(2))
    assert [mention.id for mention in first] == [mention.id for mention in again]
    assert [mention.native_id[-1] for mention in first] == ["a", "b", "c"]
    assert first[0].published_at == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_an_atom_entry_with_entities_that_xml_does_not_know_and_an_xml_base():
    (mention,) = read((DATA / "rss/atom.xml").read_bytes())
    assert mention.text == "“Bezorgd” één dag te laat – alweer"
    assert mention.title == "Re: a < b"
    assert mention.url == "https://blog.example/2026/reactie.html"
    assert mention.author.url == "https://blog.example/noor"
    assert mention.parent_id == "tag:blog.example,2026:6"
    assert mention.edited_at == datetime(2026, 7, 2, 8, 0, tzinfo=UTC)
    assert mention.language == "nl"


def test_a_json_feed_is_read_with_long_ids_exact():
    first, second = read((DATA / "rss/feed.json").read_bytes())
    assert first.native_id == "12345678901234567890"
    assert first.text == "Zonnekade, alweer."
    assert first.author.name == "Pieter"
    assert first.edited_at == datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
    assert second.text == "5 < 6 & waar"
    assert second.url == "https://elders.example/x"


def test_a_wrong_byte_in_a_json_feed_costs_one_character():
    content = (DATA / "rss/feed.json").read_bytes().replace(b"alweer", b"alw\xe9\xe9r")
    assert read(content)[0].text == "Zonnekade, alw\ufffd\ufffdr."


def test_the_cap_counts_only_new_entries_and_the_report_says_so(server, connector):
    entries = [an_item(no) for no in (7, 3, 29, 1, 12, *[no for no in range(30) if no not in {7, 3, 29, 1, 12}])]
    server.routes["/feed"] = Answered(body=rss(*entries), headers={"ETag": '"1"'})
    record = Record(connector.source_id)
    record.collect(connector)
    assert len(record.mentions) == 10
    assert "20 wait for the next run" in record.skipped[-1].reason
    record.collect(connector)
    record.collect(connector)
    assert len(record.mentions) == 30
    server.routes["/feed"] = Answered(
        body=rss(*entries, *(an_item(no) for no in range(30, 35))), headers={"ETag": '"2"'}
    )
    record.collect(connector)
    assert len(record.mentions) == 35
    assert record.cursor.value["etag"] == '"2"'


def test_validators_are_sent_back_verbatim_and_304_is_not_an_empty_feed(server, connector):
    def answer(asked):
        if asked.headers.get("if-none-match") == 'W/"a b"' and asked.headers.get("if-modified-since") == "gisteren":
            return Answered(status=304)
        return Answered(body=rss(an_item(1)), headers={"ETag": 'W/"a b"', "Last-Modified": "gisteren"})

    server.routes["/feed"] = answer
    record = Record(connector.source_id)
    record.collect(connector)
    cursor = record.cursor
    record.collect(connector)
    assert len(server.requests) == 2
    assert record.cursor == cursor
    assert len(record.mentions) == 1


def test_a_feed_cut_short_is_used_but_asked_for_again(server, connector):
    server.routes["/feed"] = Answered(body=rss(an_item(1), an_item(2))[:-60], headers={"ETag": '"cut"'})
    record = Record(connector.source_id)
    record.collect(connector)
    assert record.mentions
    assert "etag" not in record.cursor.value


def test_the_same_guid_for_all_entries_does_not_make_them_one():
    items = [an_item(no, guid=False).replace("</item>", "<guid>altijd-dezelfde</guid></item>") for no in range(4)]
    assert len({mention.id for mention in read(rss(*items))}) == 4
    assert [m.id for m in read(rss(*items))] == [m.id for m in read(rss(*items))]


def test_one_entry_listed_twice_is_one_mention():
    page = a_connector().read(rss(an_item(1), an_item(2), an_item(1)), "feed")
    assert len(page.mentions) == 2
    assert "twice" in page.skipped[0].reason


def test_ids_made_up_at_every_look_do_not_multiply_mentions(server, connector):
    record = Record(connector.source_id)
    for turn in range(6):
        items = [an_item(no, guid=False).replace("</item>", f"<guid>{turn}-{no}</guid></item>") for no in range(5)]
        server.routes["/feed"] = rss(*items)
        record.collect(connector)
    assert len(record.mentions) <= 10
    assert record.cursor.value["made_up_ids"] is True


def test_entries_that_share_one_link_are_told_apart():
    items = [
        an_item(no, guid=False, link=False).replace("</item>", "<link>https://a.example/</link></item>")
        for no in range(3)
    ]
    assert len({mention.id for mention in read(rss(*items))}) == 3


def test_a_short_id_belongs_to_its_feed_and_an_address_to_its_site():
    short = rss("<item><title>a</title><guid>42</guid></item>")
    one, other = (read(short, url=f"https://a.example/{path}")[0] for path in ("nieuws", "winkel"))
    assert one.id != other.id
    one, other = (read(rss(an_item(1)), url=f"https://a.example/{path}")[0] for path in ("nieuws", "winkel"))
    assert one.id == other.id


def test_a_guid_of_a_megabyte_is_kept_short():
    (mention,) = read(rss(f"<item><title>a</title><guid>{'x' * 1_000_000}</guid></item>"))
    assert len(mention.native_id) < 100


def test_a_google_alert_points_at_the_real_address():
    link = "https://www.google.com/url?rct=j&amp;url=https://krant.example/a%3Fb%3D1&amp;ct=ga"
    (mention,) = read(rss(f"<item><title>a</title><link>{link}</link></item>"))
    assert mention.url == "https://krant.example/a?b=1"


@pytest.mark.parametrize("prolog", ["iso-8859-1", "utf-8", "windows-1252", "us-ascii"])
def test_bytes_that_are_utf8_are_read_as_utf8_whatever_is_declared(prolog):
    content = (
        f'<?xml version="1.0" encoding="{prolog}"?><rss version="2.0"><item><title>Café für één</title></item></rss>'
    )
    (mention,) = read(content.encode())
    assert mention.title == "Café für één"


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1251", "utf-16"])
def test_declared_encodings_are_honoured(charset):
    title = "Новости" if charset == "windows-1251" else "Café één"
    content = f'<?xml version="1.0" encoding="{charset}"?><rss version="2.0"><item><title>{title}</title></item></rss>'
    assert read(content.encode(charset))[0].title == title


def test_references_to_characters_that_are_none_are_harmless():
    (mention,) = read(rss("<item><title>a&#0;&#xD800;b &nope;</title><guid>x&#xD800;</guid></item>"))
    assert_storable(mention)


def test_a_gzip_file_is_a_feed_too_and_a_bomb_is_refused():
    assert len(read(gzip.compress(ORDINARY))) == 5
    with pytest.raises(ResponseNotUnderstood, match="larger than 15 MB"):
        read(gzip.compress(b"<rss>" + b" " * 20_000_000))
    with pytest.raises(ResponseNotUnderstood, match="cut short"):
        read(gzip.compress(ORDINARY)[:-20])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LOGIN_PAGE, "web page"),
        (b"", "empty answer"),
        (b"Not found", "not a feed"),
        (b"\x00\x01\x02", "not a feed"),
        (b'{"error": "no"}', "no list 'items'"),
        (b'<html><link rel="alternate" type="application/rss+xml" href="/feed.xml"></html>', "/feed.xml"),
    ],
)
def test_what_is_no_feed_is_said_to_be_none(content, said):
    with pytest.raises(ResponseNotUnderstood, match=said) as caught:
        read(content, "https://a.example/feed")
    assert "https://a.example/feed" in str(caught.value)


def test_a_feed_without_entries_is_no_error():
    assert read(rss()) == ()


def test_entries_that_hold_nothing_are_told_rather_than_passed_over():
    page = a_connector().read(rss("<item>" + "<b>" * 30), "feed")
    assert page.mentions == ()
    assert "say nothing" in page.skipped[0].reason


def test_a_very_long_feed_is_read_up_to_the_limit_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr(feeds, "MAX_ENTRIES", 20)
    page = a_connector().read(rss(*(an_item(no) for no in range(50))), "feed")
    assert len(page.mentions) == 20
    assert "last 30 entries" in page.skipped[0].reason


def test_a_deeply_nested_feed_is_read_in_a_process_of_its_own_and_may_be_given_up(monkeypatch):
    monkeypatch.setattr(feeds, "TAGS_AT_HOME", 100)
    items = [an_item(no) for no in range(40)]
    assert read(rss(*items)) == read(rss(*items))
    assert len(read(rss(*items))) == 40
    monkeypatch.setattr(feeds, "CHILD_SECONDS", 0.01)
    with pytest.raises(ResponseNotUnderstood, match="too long"):
        read(rss("<item>" + "<b>" * 300))


def test_entities_that_explode_or_name_files_are_never_expanded(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim-7781")
    laughs = "".join(f'<!ENTITY a{no} "{f"&a{no - 1};" * 10}">' for no in range(1, 10))
    bomb = (
        f'<!DOCTYPE rss [<!ENTITY a0 "{"ha" * 10}">{laughs}]>' + rss("<item><title>x&a9;</title></item>").decode()[21:]
    )
    outside = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}">]>' + rss("<item><title>x&x;</title></item>").decode()[21:]
    )
    for content in (bomb, outside):
        for mention in read(content):
            assert len(mention.title or "") < 1000
            assert "geheim" not in (mention.title or "")


def test_large_feeds_come_in_pages_and_only_the_last_moves_the_cursor(server, connector, monkeypatch):
    monkeypatch.setattr("connectors.rss.ENTRIES_A_PAGE", 3)
    server.routes["/feed"] = rss(*(an_item(no) for no in range(8)))
    old = Cursor(source_id=connector.source_id, value={"etag": "old"})
    pages = list(connector.fetch(old))
    assert [len(page.mentions) for page in pages] == [3, 3, 2]
    assert [page.cursor == old for page in pages] == [True, True, False]


def test_a_kept_entry_reads_again():
    kept = json.dumps({"entry": {"id": "https://a.example/1", "title": "a"}, "feed": {"title": "t", "language": "nl"}})
    assert read(kept, "dead letter")[0].native_id == "https://a.example/1"
    with pytest.raises(ResponseNotUnderstood):
        read('{"entry": {"nonsense": 1}, "feed": {}}', "dead letter")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "ftp://a.example/"},
        {"url": "havenbode.example/rss"},
        {"url": "https://a.example", "zone": "Mars/Olympus"},
    ],
)
def test_a_wrong_option_is_a_configuration_error(options):
    with pytest.raises(ConfigError, match="test-rss"):
        RssConnector(a_source("rss", **options), None, lambda: NOON)


@given(st.binary(max_size=300), st.sampled_from([0, 40, 200, 600, 1200]))
def test_a_feed_with_rubbish_in_the_middle_never_raises_anything_unexpected(rubbish, at):
    try:
        page = a_connector().read(ORDINARY[:at] + rubbish + ORDINARY[at:], "feed")
    except ResponseNotUnderstood:
        return
    for mention in page.mentions:
        assert_storable(mention)
        assert mention.native_id
