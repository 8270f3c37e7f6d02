"""The crash test bites: each connector with a cursor that promises too much must fail it."""

import os

import pytest

from connectors import files, imap, rss
from monitor.config import NetSettings
from monitor.model import Cursor, Page
from monitor.net.client import HttpClient
from tests.contracts.connector import NOON, ConnectorContract, a_source, an_http
from tests.contracts.mailbox import PASSWORD, fake_mailbox
from tests.contracts.server import Answered, scripted_server


def crash_test(make, pages):
    contract = ConnectorContract()
    contract.pages = pages
    contract.test_a_crash_after_any_page_loses_nothing(make)


def test_a_folder_whose_cursor_names_files_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FILES_A_PAGE", 2)
    for no in range(5):
        (tmp_path / f"{no}.csv").write_text(f"id;tekst\n{no};x\n")
        os.utime(tmp_path / f"{no}.csv", (NOON.timestamp() - 100,) * 2)
    source = a_source("files", path=str(tmp_path))
    crash_test(lambda: files.FilesConnector(source, None, lambda: NOON), 3)

    class TooEarly(files.FilesConnector):
        def _page(self, mentions, skipped, _done):
            every = {file.key: file.state for file in files._listed(tmp_path, "*")}
            return super()._page(mentions, skipped, every)

    with pytest.raises(AssertionError, match="lost"):
        crash_test(lambda: TooEarly(source, None, lambda: NOON), 3)


def test_a_mailbox_whose_cursor_names_mails_before_they_are_read(monkeypatch):
    monkeypatch.setattr(imap, "MAILS_A_PAGE", 2)
    with fake_mailbox() as box:
        box.add(*(f"From: a@x.example\r\nMessage-ID: <{no}@x>\r\n\r\nhallo\r\n".encode() for no in range(5)))
        client = HttpClient(NetSettings(allow=(f"127.0.0.1:{box.port}",)))
        options = {"host": "127.0.0.1", "port": box.port, "user": "u", "password": PASSWORD, "security": "plain"}
        source = a_source("imap", **options)

        class TooEarly(imap.ImapConnector):
            def _cursor(self, validity, _last):
                return super()._cursor(validity, max(box.mails))

        crash_test(lambda: imap.ImapConnector(source, client, lambda: NOON), 3)
        with pytest.raises(AssertionError, match="lost"):
            crash_test(lambda: TooEarly(source, client, lambda: NOON), 3)
        client.close()


def test_a_feed_whose_validators_are_kept_before_its_last_page(monkeypatch):
    monkeypatch.setattr(rss, "ENTRIES_A_PAGE", 2)
    items = "".join(f"<item><guid>https://a.example/{no}</guid><title>{no}</title></item>" for no in range(5))

    def answer(asked):
        if asked.headers.get("if-none-match") == '"1"':
            return Answered(status=304)
        body = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
        return Answered(body=body.encode(), headers={"ETag": '"1"'})

    class TooEarly(rss.RssConnector):
        def fetch(self, cursor):
            for page in super().fetch(cursor):
                early = Cursor(source_id=cursor.source_id, value={"etag": '"1"'})
                yield Page(mentions=page.mentions, cursor=early)

    with scripted_server() as server, an_http(server) as http:
        server.routes["/feed"] = answer
        source = a_source("rss", url=f"{server.url}/feed")
        crash_test(lambda: rss.RssConnector(source, http, lambda: NOON), 3)
        with pytest.raises(AssertionError, match="lost"):
            crash_test(lambda: TooEarly(source, http, lambda: NOON), 3)
