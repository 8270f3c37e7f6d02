"""A small IMAP server on 127.0.0.1: LOGIN, EXAMINE, SELECT, UID SEARCH, UID FETCH, LOGOUT; and it can misbehave."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PASSWORD = "g3heim wachtwoord"


class FakeMailbox:
    """`mails` by uid. `fail` names a command that is answered NO with `reason`; `hang` one that is never answered;
    `drop` one that ends the connection. `asked` holds every command."""

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.sizes: dict[int, int] = {}
        self.validity = 777
        self.fail: dict[str, str] = {}
        self.hang: str | None = None
        self.drop: str | None = None
        self.asked: list[str] = []
        self.flags_set = False
        self.stopped = threading.Event()
        self.port = 0

    def add(self, *mails: bytes) -> None:
        for mail in mails:
            self.mails[max(self.mails, default=10) + 1] = mail


class _Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    box: FakeMailbox

    def handle(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self.converse()

    def converse(self) -> None:
        self.say(b"* OK [CAPABILITY IMAP4rev1] ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode("utf-8", "replace").strip().partition(" ")
            if not command.strip():
                self.say(b"* BAD what?")
                continue
            self.box.asked.append(command)
            name = (
                " ".join(command.upper().split()[:2])
                if command.upper().startswith("UID")
                else command.upper().split()[0]
            )
            if name == self.box.hang:
                self.box.stopped.wait(30)
                return
            if name == self.box.drop:
                return
            if name in self.box.fail:
                self.say(f"{tag} NO {self.box.fail[name]}".encode())
                continue
            getattr(self, "do_" + name.replace(" ", "_").lower(), self.do_other)(command)
            self.say(f"{tag} OK done".encode())
            if name == "LOGOUT":
                return

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def do_other(self, command: str) -> None:
        if command.upper().startswith("UID STORE") or "\\Seen" in command:
            self.box.flags_set = True

    def do_capability(self, _command: str) -> None:
        self.say(b"* CAPABILITY IMAP4rev1")

    def do_examine(self, _command: str) -> None:
        self.say(f"* {len(self.box.mails)} EXISTS".encode())
        self.say(f"* OK [UIDVALIDITY {self.box.validity}] valid".encode())

    def do_select(self, command: str) -> None:
        self.box.flags_set = True
        self.do_examine(command)

    def do_uid_search(self, command: str) -> None:
        first = int(re.search(r"(\d+):\*", command).group(1))
        found = [uid for uid in self.box.mails if uid >= first] or list(self.box.mails)[-1:]
        self.say(b"* SEARCH " + " ".join(map(str, found)).encode())

    def do_uid_fetch(self, command: str) -> None:
        uids = [int(uid) for uid in re.search(r"FETCH ([\d,]+)", command, re.IGNORECASE).group(1).split(",")]
        for number, uid in enumerate(self.box.mails, start=1):
            if uid not in uids:
                continue
            mail = self.box.mails[uid]
            if "RFC822.SIZE" in command:
                size = self.box.sizes.get(uid, len(mail))
                self.say(f"* {number} FETCH (UID {uid} RFC822.SIZE {size})".encode())
                continue
            if "HEADER" in command:
                mail = mail.partition(b"\n\n")[0] + b"\n\n"
            self.wfile.write(f"* {number} FETCH (UID {uid} FLAGS () BODY[] {{{len(mail)}}}\r\n".encode() + mail)
            self.say(b")")

    def do_logout(self, _command: str) -> None:
        self.say(b"* BYE until later")


@contextmanager
def fake_mailbox() -> Iterator[FakeMailbox]:
    box = FakeMailbox()
    handler = type("Session", (_Session,), {"box": box})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        box.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
