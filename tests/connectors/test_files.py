"""The drop folder: the contract, and every kind of file that is dropped there."""

import os
import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import transcripts
from connectors.files import FilesConnector
from monitor.errors import AccessDenied, ConfigError, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Cursor
from tests.contracts.connector import NOON, ConnectorContract, Record, a_source, assert_storable
from tests.contracts.server import DATA

FILES = DATA / "files"
LONG_AGO = NOON.timestamp() - 3600


def drop(folder, name, content, *, age=3600.0):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (NOON.timestamp() - age,) * 2)
    return path


def a_connector(folder, **options):
    return FilesConnector(a_source("files", path=str(folder), **options), None, lambda: NOON)


@pytest.fixture
def connector(tmp_path):
    return a_connector(tmp_path)


def read(content, name, **options):
    return a_connector("/nowhere", **options).read(content if isinstance(content, bytes) else content.encode(), name)


class TestFiles(ConnectorContract):
    expected = 3 + 2 + 2 + 2 + 1 + 1
    pages = 1

    @pytest.fixture
    def make(self, tmp_path):
        for path in FILES.iterdir():
            drop(tmp_path, path.name, path.read_bytes())
        shutil.copy(DATA / "imap/klacht.eml", tmp_path)
        os.utime(tmp_path / "klacht.eml", (LONG_AGO, LONG_AGO))
        return lambda: a_connector(tmp_path)

    @pytest.fixture
    def make_one_bad(self, tmp_path):
        drop(tmp_path, "notes.csv", "id;tekst\n1;a\n1.43627851341852E+18;b\n3;c\n")
        return (lambda: a_connector(tmp_path)), 2


class TestManyFiles(ConnectorContract):
    """So many that they come in several pages."""

    expected = 13
    pages = 4

    @pytest.fixture
    def make(self, tmp_path, monkeypatch):
        monkeypatch.setattr("connectors.files.FILES_A_PAGE", 2)
        monkeypatch.setattr("connectors.files.MENTIONS_A_PAGE", 5)
        for no in range(4):
            drop(tmp_path, f"{no}.csv", f"id;tekst\n{no}a;x\n", age=100 - no)
        drop(tmp_path, "large.csv", "id;tekst\n" + "".join(f"r{no};x\n" for no in range(9)), age=50)
        return lambda: a_connector(tmp_path)

    test_one_malformed_mention_costs_one_mention = None
    test_what_was_skipped_can_be_read_again = None


def test_phone_notes_become_private_mentions_without_telephone_numbers():
    first, second, third = read((FILES / "telefoonnotities.csv").read_bytes(), "telefoonnotities.csv").mentions
    assert first.native_id == "T-1001"
    assert first.text == "Klant belt over pakket 3SABCD1234567; al vier dagen zoek."
    assert first.title == "Bezorging"
    assert first.published_at == datetime(2026, 7, 10, 7, 12, tzinfo=UTC)
    assert first.is_private
    assert first.author == second.author
    assert first.author.name == "…678"
    assert third.native_id.startswith("hash:")
    assert "612345678" not in repr(first) + str(first.raw)


def test_callers_without_a_number_are_told_apart():
    table = "call_id;caller;naam;notes\n1;anoniem;;a\n2;beller-07;Mw. Ottema;b\n3;beller-08;;c\n4;;;d\n"
    authors = [mention.author for mention in read(table, "notes.csv").mentions]
    assert len({author.native_id for author in authors[:3]}) == 3
    assert authors[1].name == "Mw. Ottema"
    assert authors[3] is None


def test_clippings_keep_long_ids_and_their_source():
    first, second = read((FILES / "knipsels.csv").read_bytes(), "knipsels.csv").mentions
    assert (first.native_id, second.native_id) == ("1436278513418522630", "1436278513418522631")
    assert first.published_at == datetime(2026, 7, 8, 22, 0, tzinfo=UTC)
    assert "Europe/Amsterdam" in first.raw["date_note"]
    assert first.engagement.views == 120000
    assert first.author.name == "Joris Haan"
    assert first.url == "https://havenbode.example/1"
    assert second.author is None
    assert not first.is_private


def test_json_lines_keep_long_numbers():
    first, second = read((FILES / "export.jsonl").read_bytes(), "export.jsonl").mentions
    assert first.native_id == "1436278513418522630"
    assert first.author.native_id == "1436278513418522631"
    assert first.author.handle == "fatima_ea"
    assert first.engagement.likes == 3
    assert (second.rating, second.rating_max) == (4.5, 5)


def test_what_databases_refuse_is_taken_out_and_the_mention_kept():
    line = r'{"id": "a\u0000b\ud800", "text": "half \ud83d\ude00 \ud83d", "x\udc00": [1e999, 123456789012345678901234]}'
    (mention,) = read(line, "drop.jsonl").mentions
    assert_storable(mention)
    assert mention.text == "half 😀 \ufffd"
    assert mention.raw["row"]["x\ufffd"] == [None, "123456789012345678901234"]


def test_an_id_that_a_spreadsheet_shortened_is_refused_with_its_line():
    table = "id,tekst\n1436278513418522630,een\n1436278513418522631,twee\n1.43627851341852E+18,drie\n"
    page = read(table, "drop.csv")
    assert [mention.native_id for mention in page.mentions] == ["1436278513418522630", "1436278513418522631"]
    assert page.skipped[0].reason.startswith("line 4: the id 1.43627851341852E+18 was shortened")
    page = read('{"id": 1.43627851341852e18, "text": "drie"}\n{"id": "12e5", "text": "vier"}\n', "drop.jsonl")
    assert [mention.native_id for mention in page.mentions] == ["12e5"]


TABLE = 'Nummer;Bericht;Datum;Klant\r\n1;één € ;10-07-2026 14:00;Henk\r\n2;"twee;\r\nregels";2026-07-10;Noor\r\n'


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_tables_are_read_whatever_wrote_them(charset, separator):
    table = TABLE.replace('"twee;', '"twee@').replace(";", separator).replace('"twee@', f'"twee{separator}')
    first, second = read(table.encode(charset), "drop.csv").mentions
    assert first.text == "één €"
    assert first.author.name == "Henk"
    assert first.published_at == datetime(2026, 7, 10, 12, 0, tzinfo=UTC)
    assert second.text.split() == [f"twee{separator}".strip(), "regels"] or separator == "\t"


def test_a_bad_line_costs_one_line_and_says_which():
    page = read("id;tekst\n1;goed\n2;te;veel\n3;\n\n4;ook goed\n", "drop.csv")
    assert [mention.native_id for mention in page.mentions] == ["1", "4"]
    assert [skip.reason for skip in page.skipped] == [
        "line 3: 3 fields under 2 headings",
        "line 4: nothing is said in it",
    ]
    again = read(page.skipped[0].raw, "dead letter")
    assert not again.mentions
    assert again.skipped


def test_a_quote_that_never_closes_does_not_lose_what_stands_before_it():
    page = read('id;tekst\n1;goed\n2;"open ' + "x" * 1_100_000, "drop.csv")
    assert [mention.native_id for mention in page.mentions] == ["1"]
    assert page.skipped[0].reason.startswith("line 3:")


def test_a_table_without_a_column_for_text_says_what_to_do():
    with pytest.raises(ResponseNotUnderstood, match="call one text, body or tekst"):
        read("a;b\n1;2\n", "drop.csv")


def test_a_broken_line_of_json_costs_one_line():
    page = read('{"id": "1", "text": "a"}\nrubbish\n[1]\n{"id": "2", "text": "b"}\n', "drop.jsonl")
    assert [mention.native_id for mention in page.mentions] == ["1", "2"]
    assert [skip.reason for skip in page.skipped] == ["line 2: not JSON", "line 3: not a JSON object"]


def test_a_programme_becomes_segments_with_speaker_and_moment():
    first, second = read((FILES / "npo1_2026-07-09T20-30.vtt").read_bytes(), "npo1_2026-07-09T20-30.vtt").mentions
    assert first.text == "Goedenavond. Vanavond Zonnekade. Wat ging er mis & waarom?"
    assert first.author.name == "Presentator"
    assert first.native_id == "npo1:2026-07-09T18:30:00+00:00:1"
    assert second.text == "Mijn lader werd heet."
    assert second.author.name == "Klant"
    assert second.published_at == datetime(2026, 7, 9, 18, 30, 6, tzinfo=UTC)


def test_what_lies_beside_a_transcript_names_channel_start_and_address(tmp_path, connector):
    drop(tmp_path, "uitzending.srt", (FILES / "radio.srt").read_bytes())
    beside = '{"channel": "Radio 1", "programme": "Klantenuur", "start": "2026-07-09T20:30:00+02:00", "url": "https://r.example/a"}'
    drop(tmp_path, "uitzending.json", beside)
    record = Record(connector.source_id)
    record.collect(connector)
    (mention,) = record.mentions.values()
    assert mention.title == "Klantenuur"
    assert mention.url == "https://r.example/a#t=1"
    assert mention.published_at == datetime(2026, 7, 9, 18, 30, 1, tzinfo=UTC)
    assert [skip.raw for skip in record.skipped] == [None]


ROLLING = """WEBVTT
Kind: captions

00:00:01.040 --> 00:00:02.000 align:start
waar<00:00:01.240><c> blijft</c><00:00:01.440><c> Zonnekade</c>

00:00:02.000 --> 00:00:02.010
waar blijft Zonnekade

00:00:02.010 --> 00:00:03.500
waar blijft Zonnekade
met<00:00:02.040><c> mijn pakket</c>

00:00:03.500 --> 00:00:03.510
met mijn pakket
"""


@pytest.mark.parametrize(
    ("name", "text", "said", "start"),
    [
        ("bom.srt", "\ufeff1\n00:00:01,000 --> 00:00:02,000\nZonnekade belt\n", "Zonnekade belt", 1.0),
        ("short.vtt", "WEBVTT\n\n01:11.913 --> 01:13.346\nZonnekade belt\n", "Zonnekade belt", 71.913),
        ("empty.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n\nZonnekade belt\n", "Zonnekade belt", 1.0),
        ("rolling.vtt", ROLLING, "waar blijft Zonnekade met mijn pakket", 1.04),
        ("cr.srt", "1\r00:00:01,000 --> 00:00:02,000\rZonnekade belt\r", "Zonnekade belt", 1.0),
        (
            "tight.srt",
            "1\n00:00:01,000 --> 00:00:02,000\nZonnekade\n2\n00:00:02,000 --> 00:00:03,000\nbelt\n",
            "Zonnekade belt",
            1.0,
        ),
        (
            "888.txt",
            "0001 00:00:01:15 00:00:03:02\n\n888\n\n0002 00:00:21:00 00:00:24:03\n\nZonnekade\nbelt\n",
            "Zonnekade belt",
            21.0,
        ),
        (
            "podcast.json",
            '{"segments": [{"startTime": 0.5, "endTime": 0.7, "body": "Zonnekade"}, {"startTime": 1, "body": "belt"}]}',
            "Zonnekade belt",
            0.5,
        ),
        ("whisper.json", '{"segments": [{"start": 2, "end": 3, "text": " Zonnekade belt"}]}', "Zonnekade belt", 2.0),
    ],
)
def test_every_spoken_line_is_read_once_with_its_time(name, text, said, start):
    (mention,) = read(text, name).mentions
    assert mention.text == said
    assert mention.raw["start"] == start


def test_somebody_who_says_a_thing_twice_said_it_twice():
    text = "1\n00:00:01,000 --> 00:00:02,000\nNee.\n\n2\n00:00:02,000 --> 00:00:03,000\nNee.\n\n" + "".join(
        f"{no}\n00:00:{no:02},000 --> 00:00:{no:02},900\nzin {no}\n\n" for no in range(3, 12)
    )
    assert read(text, "twice.srt").mentions[0].text.startswith("Nee. Nee. zin 3")


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 60), st.sampled_from(["ja", "nee.", "wie?", "Zonnekade"])),
        max_size=40,
    )
)
def test_no_word_of_a_transcript_is_lost_or_doubled_and_segments_do_not_overlap(cues):
    at, lines, said = 0, ["WEBVTT", ""], []
    for number, (pause, lasts, word) in enumerate(cues):
        at += pause + 1
        lines += [f"00:{at // 60:02}:{at % 60:02}.000 --> 00:{(at + lasts) // 60:02}:{(at + lasts) % 60:02}.000"]
        lines += [f"{word}{number}", ""]
        said.append(f"{word}{number}")
        at += lasts
    told = transcripts.read_transcript("\n".join(lines), "x")
    assert [word for segment in told.segments for word in segment.text.split()] == said
    assert told.cues == len(cues)
    assert all(before.end <= after.start for before, after in zip(told.segments, told.segments[1:], strict=False))


def test_a_text_file_is_a_note():
    (mention,) = read("Klant aan de balie: lader wordt heet.\n", "balie.txt").mentions
    assert mention.is_private
    assert mention.text == "Klant aan de balie: lader wordt heet."


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "leeg.csv"),
        (b"%PDF-1.7 x", "krant.pdf"),
        (b"PK\x03\x04rest", "map.zip"),
        (b"\x00\x01\x02\x03" * 50, "iets.bin"),
        (b"<html><body>hallo</body></html>", "pagina.txt"),
        (b'{"hits": 3}', "antwoord.json"),
        (b"[1, 2, 3]", "lijst.json"),
        (b"[" * 50_000, "diep.json"),
        (b"WEBVTT", "kop.csv"),
    ],
)
def test_what_fits_nothing_is_said_to_fit_nothing(content, name):
    try:
        page = read(content, name)
    except ResponseNotUnderstood as error:
        assert name in str(error)  # noqa: PT017 - both ends are allowed, neither may be silent
    else:
        assert page.skipped


def test_a_file_still_being_written_is_left_for_the_next_run(tmp_path, connector):
    drop(tmp_path, "a.csv", "id;tekst\n1;a\n")
    drop(tmp_path, "vers.csv", "id;tekst\n2;b\n", age=3)
    drop(tmp_path, "half.csv.part", "id;tekst\n3;c\n")
    drop(tmp_path, ".verborgen.csv", "id;tekst\n4;d\n")
    record = Record(connector.source_id)
    record.collect(connector)
    assert [mention.native_id for mention in record.mentions.values()] == ["1"]
    drop(tmp_path, "vers.csv", "id;tekst\n2;b\n5;e\n")
    record.collect(connector)
    assert sorted(mention.native_id for mention in record.mentions.values()) == ["1", "2", "5"]
    assert sorted(record.cursor.value["files"]) == ["a.csv", "vers.csv"]


def test_a_file_that_went_away_leaves_the_cursor(tmp_path, connector):
    path = drop(tmp_path, "a.csv", "id;tekst\n1;a\n")
    record = Record(connector.source_id)
    record.collect(connector)
    path.unlink()
    record.collect(connector)
    assert record.cursor.value == {"files": {}}
    assert len(record.mentions) == 1


def test_links_are_not_followed_out_of_the_folder(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("geheim")
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "link.txt").symlink_to(outside)
    record = Record("test-files")
    record.collect(a_connector(folder))
    assert not record.mentions


def test_a_file_that_fits_nothing_is_kept_once_and_does_not_stop_the_rest(tmp_path, connector):
    drop(tmp_path, "krant.pdf", b"%PDF-1.7 x", age=50)
    drop(tmp_path, "a.csv", "id;tekst\n1;a\n", age=40)
    record = Record(connector.source_id)
    record.collect(connector)
    record.collect(connector)
    assert len(record.mentions) == 1
    assert [skip.native_id for skip in record.skipped] == ["krant.pdf"]


def test_only_files_of_the_pattern_are_read(tmp_path):
    drop(tmp_path, "a.csv", "id;tekst\n1;a\n")
    drop(tmp_path, "b.txt", "hallo")
    record = Record("test-files")
    record.collect(a_connector(tmp_path, pattern="*.csv"))
    assert len(record.mentions) == 1


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(SourceUnavailable, match="does not exist; make it"):
        list(a_connector(tmp_path / "weg").fetch(Cursor(source_id="test-files")))
    path = drop(tmp_path, "bestand", "x")
    with pytest.raises(SourceUnavailable, match="a file, not a folder"):
        list(a_connector(path).fetch(Cursor(source_id="test-files")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_rights_asks_for_a_person(tmp_path):
    tmp_path.chmod(0)
    try:
        with pytest.raises(AccessDenied):
            list(a_connector(tmp_path).fetch(Cursor(source_id="test-files")))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("options", [{}, {"path": ""}, {"path": "/tmp/x", "zone": "nergens"}])  # noqa: S108 - never opened
def test_wrong_options_are_configuration_errors(options):
    with pytest.raises(ConfigError, match="test-files"):
        FilesConnector(a_source("files", **options), None, lambda: NOON)


@given(
    st.binary(max_size=500), st.sampled_from(["a.csv", "a.jsonl", "a.vtt", "a.srt", "a.eml", "a.txt", "a.json", "a"])
)
def test_no_file_whatever_it_holds_raises_anything_unexpected(content, name):
    try:
        page = read(content, name)
    except ResponseNotUnderstood:
        return
    for mention in page.mentions:
        assert_storable(mention)
        assert mention.native_id
