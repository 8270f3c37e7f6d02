"""Connections for other protocols go through the same guard as HTTP."""

import socket

import pytest

from monitor.config import NetSettings
from monitor.errors import SourceUnavailable
from monitor.net.client import HttpClient


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def connect():
    clients = []

    def connect(host, port, *, allow=(), resolver=None):
        given = {} if resolver is None else {"resolver": resolver}
        clients.append(HttpClient(NetSettings(allow=allow), **given))
        return clients[-1].connect(host, port, seconds=1.0)

    yield connect
    for client in clients:
        client.close()


def test_an_allowed_address_is_reached(listener, connect):
    port = listener.getsockname()[1]
    with connect("127.0.0.1", port, allow=(f"127.0.0.1:{port}",)) as found:
        assert found.getpeername() == ("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0", "127.1", "::1", "169.254.169.254", "10.0.0.1"])
def test_an_inside_address_is_refused_before_connecting(listener, connect, host):
    listener.settimeout(0.05)
    with pytest.raises(SourceUnavailable):
        connect(host, listener.getsockname()[1])
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_name_that_leads_inside_is_refused(listener, connect):
    with pytest.raises(SourceUnavailable, match=r"net\.allow"):
        connect("imap.example", listener.getsockname()[1], resolver=lambda _host, _port: ["127.0.0.1"])


def test_a_port_where_nobody_listens_is_unavailable(listener, connect):
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        connect("127.0.0.1", port, allow=(f"127.0.0.1:{port}",))
