"""A mailbox over IMAP: private mentions, read without marking anything as seen."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.mail import read_mail
from connectors.parsing import ZoneName, options_of, unwrap
from connectors.reading import Reading
from monitor.errors import AccessDenied, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Cursor, Mention, Page, Skipped, Source
from monitor.protocols import Clock, Http

MAILS_A_PAGE = 50
MAX_BYTES = 15 * 1024 * 1024
"""Of a larger mail only the headers are fetched."""
TIMEOUT_SECONDS = 30.0
_SIZE = re.compile(rb"UID (\d+).*?RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+).*?UID (\d+)")
_LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "TEMPORAR", "TRY AGAIN", "TOO MANY")


class ImapConnector:
    """Reads one folder, oldest mail first. The cursor keeps UIDVALIDITY and the last UID; each page moves it."""

    kind = "imap"
    title = "A mailbox over IMAP"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        host: str = Field(description="IMAP server, for instance imap.example.nl", min_length=1)
        port: int = Field(default=993, ge=1, le=65535, description="port of the server")
        user: str = Field(description="name to log in with, mostly the mail address", min_length=1)
        password: SecretStr = Field(description="password, or an app password")
        folder: str = Field(default="INBOX", description="folder to read")
        security: Literal["tls", "plain"] = Field(default="tls", description="plain only inside one machine")
        limit: int = Field(default=500, ge=1, le=10_000, description="mails taken in one run")
        zone: ZoneName = Field(default="Europe/Amsterdam", description="time zone of dates that name none")

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.now = now
        self.http = http

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """New mails. When UIDVALIDITY changed, all are read again; their Message-IDs keep them the same mentions."""
        with self._opened() as mailbox:
            client = mailbox.client
            validity = _first_number(client.response("UIDVALIDITY")[1]) or 0
            last = int(cursor.value.get("last") or 0) if cursor.value.get("uidvalidity") == validity else 0
            # "n:*" always gives the last mail too, even where its uid is below n
            uids = sorted(uid for uid in map(int, mailbox.uids(f"UID {last + 1}:*", charset=None)) if uid > last)
            uids = uids[: self.options.limit]
            if not uids:
                yield Page(mentions=(), cursor=self._cursor(validity, last))
            for start in range(0, len(uids), MAILS_A_PAGE):
                batch = uids[start : start + MAILS_A_PAGE]
                mentions, skipped = self._read_batch(client, batch)
                yield Page(mentions=mentions, skipped=skipped, cursor=self._cursor(validity, batch[-1]))

    def read(self, content: bytes, name: str) -> Page:
        """One mail as a file."""
        mention = self._mention(unwrap(content, name).body, name)
        return Page(mentions=(mention,), cursor=Cursor(source_id=self.source_id))

    def _cursor(self, validity: int, last: int) -> Cursor:
        return Cursor(source_id=self.source_id, value={"uidvalidity": validity, "last": last})

    def _mention(self, content: bytes, name: str) -> Mention:
        own = self.options.user if "@" in self.options.user else None
        return read_mail(content, name, Reading(source=self.source, now=self.now(), zone=self.options.zone, own=own))

    def _read_batch(self, client: imaplib.IMAP4, uids: list[int]) -> tuple[tuple[Mention, ...], tuple[Skipped, ...]]:
        mentions, skipped = [], []
        sizes = _sizes(_fetched(client, ",".join(map(str, uids)), "(UID RFC822.SIZE)"))
        for uid in uids:
            too_large = sizes.get(uid, 0) > MAX_BYTES
            content = _content(_fetched(client, str(uid), "(BODY.PEEK[HEADER])" if too_large else "(BODY.PEEK[])"))
            if content is None:
                skipped.append(
                    Skipped(reason=f"mail {uid} was taken away while the folder was read", native_id=str(uid))
                )
                continue
            if too_large:
                reason = f"mail {uid} is larger than 15 MB: only its headers were read"
                skipped.append(Skipped(reason=reason, native_id=str(uid)))
            try:
                mentions.append(self._mention(content, f"mail {uid} of {self.source_id}"))
            except ResponseNotUnderstood as error:
                skipped.append(Skipped(reason=str(error), raw=content, native_id=str(uid)))
        return tuple(mentions), tuple(skipped)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The folder, opened to read only. What goes wrong becomes a SourceError; the password is in none of them."""
        from imap_tools.errors import MailboxFolderSelectError, MailboxLoginError, UnexpectedCommandStatusError  # noqa: PLC0415 - only mailboxes need it

        options = self.options
        where = f"{options.host}:{options.port}"
        mailbox = None
        try:
            mailbox = _mailbox(options, self.http)
            mailbox.login(options.user, options.password.get_secret_value(), initial_folder=None)
            mailbox.folder.set(options.folder, readonly=True)
            yield mailbox
        except MailboxLoginError as error:
            said = _server_said(error)
            if any(word in said.upper() for word in _LATER):
                raise SourceUnavailable(f"{where} takes no logins just now: {said}") from None
            raise AccessDenied(
                f"{where} refused the login of {options.user}: {said}. Set a new password (Google and "
                "Microsoft want an app password) and start the source again."
            ) from None
        except MailboxFolderSelectError as error:
            raise AccessDenied(f"{where} has no folder {options.folder!r} to read: {_server_said(error)}") from None
        except UnexpectedCommandStatusError as error:
            raise SourceUnavailable(f"{where} refused a command: {_server_said(error)}") from None
        except ssl.SSLCertVerificationError as error:
            raise AccessDenied(f"{where} shows a certificate that is not valid: {error.verify_message}") from None
        except imaplib.IMAP4.error as error:
            raise SourceUnavailable(f"{where} broke off or answered strangely: {str(error)[:200]}") from None
        except (TimeoutError, OSError) as error:
            raise SourceUnavailable(f"{where} cannot be reached: {error}") from None
        finally:
            if mailbox is not None:
                with suppress(Exception):
                    mailbox.logout()
                with suppress(Exception):
                    mailbox.client.shutdown()


def _mailbox(options: ImapConnector.Options, http: Http) -> Any:
    """An imap_tools mailbox whose socket goes to the address that was checked, with certificates verified."""
    from imap_tools.mailbox import BaseMailBox  # noqa: PLC0415 - only mailboxes need it

    secure = options.security == "tls"

    class Client(imaplib.IMAP4):
        def _create_socket(self, timeout: float | None) -> socket.socket:
            plain = http.connect(options.host, options.port, seconds=timeout or TIMEOUT_SECONDS)
            if not secure:
                return plain
            try:
                return ssl.create_default_context().wrap_socket(plain, server_hostname=options.host)
            except BaseException:
                plain.close()
                raise

    class Checked(BaseMailBox):
        def _get_mailbox_client(self) -> imaplib.IMAP4:
            return Client(options.host, options.port, TIMEOUT_SECONDS)

    return Checked()


def _fetched(client: imaplib.IMAP4, uids: str, parts: str) -> list[Any]:
    """The untagged answers of UID FETCH."""
    status, answers = client.uid("FETCH", uids, parts)
    if status != "OK":
        raise SourceUnavailable(f"the server refused to fetch mail {uids[:60]}: {answers!r:.160}")
    return list(answers or [])


def _sizes(answers: list[Any]) -> dict[int, int]:
    found = {}
    for answer in answers:
        match = _SIZE.search(answer if isinstance(answer, bytes) else b"")
        if match:
            uid, size, size_first, uid_last = match.groups()
            found[int(uid or uid_last)] = int(size or size_first)
    return found


def _content(answers: list[Any]) -> bytes | None:
    """The literal in an answer: the mail as it was received."""
    return next((answer[1] for answer in answers if isinstance(answer, tuple) and len(answer) > 1), None)


def _first_number(answers: list[Any] | None) -> int | None:
    for answer in answers or []:
        found = re.search(rb"\d+", answer if isinstance(answer, bytes) else b"")
        if found:
            return int(found.group())
    return None


def _server_said(error: Any) -> str:
    """The server's own words, on one line."""
    result: tuple[Any, list[Any]] = getattr(error, "command_result", None) or (None, [])
    words = b" ".join(part for part in result[1] if isinstance(part, bytes))
    return " ".join(words.decode("utf-8", "replace").split())[:200] or "no reason given"
