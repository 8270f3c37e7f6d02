"""A local server that says exactly the bytes it is told to, and remembers what it was asked."""

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager

Answer = Callable[[bytes], Iterable[bytes]]


def answer(body: bytes = b"ok", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer; `content_length=""` leaves the length out. Underscores in header names become hyphens."""
    fields = {"content-length": str(len(body)), "connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class Server:
    def __init__(self, listener: socket.socket, say: Answer) -> None:
        self.listener, self.say = listener, say
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked: list[bytes] = []
        self.stop = threading.Event()

    @property
    def hits(self) -> int:
        return len(self.asked)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(b"")
                connection.settimeout(5)
                try:
                    while b"\r\n\r\n" not in self.asked[-1] and (part := connection.recv(65_536)):
                        self.asked[-1] += part
                    for part in self.say(self.asked[-1]):
                        connection.sendall(part)
                except OSError:
                    continue

    def drip(self, start: bytes, byte: bytes, seconds: float = 5.0) -> Iterable[bytes]:
        """`start`, then one byte every 20 ms until `seconds` are over or the server stops."""
        yield start
        for _ in range(int(seconds / 0.02)):
            if self.stop.wait(0.02):
                return
            yield byte


@contextmanager
def serving(say: Answer | bytes):
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener, say if callable(say) else lambda _asked: [say])
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
