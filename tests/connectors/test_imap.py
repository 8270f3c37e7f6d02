"""The mailbox: the contract, and what IMAP servers do."""

import pytest

from connectors import imap
from connectors.imap import ImapConnector
from monitor.config import NetSettings
from monitor.errors import AccessDenied, ConfigError, SourceUnavailable
from monitor.model import Cursor
from monitor.net.client import HttpClient
from tests.contracts.connector import NOON, ConnectorContract, Record, a_source
from tests.contracts.mailbox import PASSWORD, fake_mailbox
from tests.contracts.server import DATA


def a_mail(no, *, message_id=True):
    told = f"Message-ID: <m{no}@x.example>\r\n" if message_id else ""
    return (
        f"From: Klant {no} <k{no}@x.example>\r\nSubject: vraag {no}\r\n{told}\r\nWaar blijft pakket {no}?\r\n".encode()
    )


@pytest.fixture
def box():
    with fake_mailbox() as box:
        yield box


@pytest.fixture
def http(box):
    client = HttpClient(NetSettings(allow=(f"127.0.0.1:{box.port}",)))
    yield client
    client.close()


@pytest.fixture
def build(box, http):
    def build(**options):
        given = {"host": "127.0.0.1", "port": box.port, "user": "service@zonnekade.example", "password": PASSWORD}
        return ImapConnector(a_source("imap", **(given | {"security": "plain"} | options)), http, lambda: NOON)

    return build


@pytest.fixture
def collect(build):
    def collect(record, **options):
        return record.collect(build(**options))

    return collect


@pytest.fixture
def record():
    return Record("test-imap")


class TestImap(ConnectorContract):
    expected = 7
    pages = 3

    @pytest.fixture
    def make(self, box, build, monkeypatch):
        monkeypatch.setattr(imap, "MAILS_A_PAGE", 3)
        box.add(*((DATA / f"imap/{name}.eml").read_bytes() for name in ("klacht", "automatisch", "html")))
        box.add(*(a_mail(no) for no in range(4)))
        return build

    @pytest.fixture
    def make_one_bad(self, box, build, monkeypatch):
        box.add(a_mail(1), a_mail(2), a_mail(3))
        whole = imap.read_mail

        def trips_over_the_second(content, name, reading):
            if b"m2@x.example" in content:
                raise imap.ResponseNotUnderstood(f"{name}: trips", raw=content)
            return whole(content, name, reading)

        monkeypatch.setattr(imap, "read_mail", trips_over_the_second)
        return build, 2


def test_mail_is_read_without_marking_it_as_seen(box, collect, record):
    box.add(a_mail(1))
    collect(record)
    assert not box.flags_set
    assert all("PEEK" in command for command in box.asked if "BODY" in command)
    assert box.asked[-1] == "LOGOUT"


def test_a_second_run_does_not_fetch_the_last_mail_again(box, collect, record):
    box.add(a_mail(1), a_mail(2))
    collect(record)
    box.asked.clear()
    collect(record)
    assert not any("FETCH" in command for command in box.asked)
    box.add(a_mail(3))
    collect(record)
    assert len(record.mentions) == 3
    assert record.cursor.value == {"uidvalidity": 777, "last": 13}


def test_when_the_server_numbers_anew_everything_is_read_again_and_nothing_doubles(box, collect, record):
    box.add(a_mail(1), a_mail(2, message_id=False), a_mail(3))
    collect(record)
    box.mails = {uid - 10: mail for uid, mail in box.mails.items()}
    box.mails[4] = a_mail(4)
    box.validity = 778
    collect(record)
    assert len(record.mentions) == 4
    assert record.cursor.value == {"uidvalidity": 778, "last": 4}


def test_of_a_very_large_mail_only_the_headers_are_fetched(box, collect, record):
    box.add((DATA / "imap/klacht.eml").read_bytes(), a_mail(1))
    box.sizes[11] = imap.MAX_BYTES + 1
    collect(record)
    assert {mention.title for mention in record.mentions.values()} == {
        "Klacht order 12 (07:06): Böseler vervolg",
        "vraag 1",
    }
    assert "larger than 15 MB" in record.skipped[0].reason
    assert sum("BODY.PEEK[]" in command for command in box.asked) == 1


def test_a_run_takes_no_more_than_its_limit_and_the_next_goes_on(box, collect, record):
    box.add(*(a_mail(no) for no in range(5)))
    collect(record, limit=2)
    assert len(record.mentions) == 2
    collect(record, limit=2)
    collect(record, limit=2)
    assert len(record.mentions) == 5


def test_an_empty_folder_is_no_error(collect, record):
    assert collect(record) == 1
    assert not record.mentions


def fail(connector):
    with pytest.raises((AccessDenied, SourceUnavailable)) as caught:
        list(connector.fetch(Cursor(source_id="test-imap")))
    assert PASSWORD not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    return caught.value


def test_a_refused_login_asks_for_a_new_password(box, build):
    box.fail["LOGIN"] = "[AUTHENTICATIONFAILED] Invalid credentials"
    error = fail(build())
    assert isinstance(error, AccessDenied)
    assert "Invalid credentials" in str(error)


def test_a_server_that_takes_no_logins_just_now_is_tried_again(box, build):
    box.fail["LOGIN"] = "[UNAVAILABLE] Temporary authentication failure"
    assert isinstance(fail(build()), SourceUnavailable)


def test_a_folder_that_is_not_there_asks_for_a_person(box, build):
    box.fail["EXAMINE"] = "no such mailbox"
    assert isinstance(fail(build(folder="Klachten")), AccessDenied)


@pytest.mark.parametrize("command", ["LOGIN", "EXAMINE", "UID SEARCH", "UID FETCH"])
def test_a_connection_that_breaks_off_is_tried_again(box, build, command):
    box.add(a_mail(1))
    box.drop = command
    assert isinstance(fail(build()), SourceUnavailable)


@pytest.mark.parametrize("command", ["LOGIN", "UID FETCH"])
def test_a_server_that_hangs_is_given_up(box, build, command, monkeypatch):
    monkeypatch.setattr(imap, "TIMEOUT_SECONDS", 0.3)
    box.add(a_mail(1))
    box.hang = command
    assert isinstance(fail(build()), SourceUnavailable)


def test_a_refused_fetch_is_tried_again(box, build):
    box.add(a_mail(1))
    box.fail["UID FETCH"] = "server busy"
    with pytest.raises(SourceUnavailable, match="server busy"):
        list(build().fetch(Cursor(source_id="test-imap")))


def test_an_address_inside_is_not_reached_unless_it_is_allowed(box, build):
    other = HttpClient(NetSettings())
    try:
        connector = build()
        connector.http = other
        error = fail(connector)
    finally:
        other.close()
    assert isinstance(error, SourceUnavailable)
    assert "net.allow" in str(error)
    assert not box.asked


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(box, build):
    error = fail(build(security="tls"))
    assert isinstance(error, SourceUnavailable)
    assert not any("LOGIN" in command for command in box.asked)


@pytest.mark.parametrize(
    "options", [{}, {"host": "h", "user": "u"}, {"host": "h", "user": "u", "password": "p", "security": "none"}]
)
def test_wrong_options_are_configuration_errors(options):
    with pytest.raises(ConfigError, match="test-imap"):
        ImapConnector(a_source("imap", **options), None, lambda: NOON)
