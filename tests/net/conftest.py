"""Clients that are closed, allowed to reach the named local servers only."""

import pytest

from monitor.config import NetSettings
from monitor.net.client import HttpClient


@pytest.fixture
def client_for():
    made = []

    def client_for(*servers, resolver=None, names=("127.0.0.1",), **settings):
        allow = tuple(f"{name}:{server.port}" for server in servers for name in names)
        given = {} if resolver is None else {"resolver": resolver}
        made.append(HttpClient(NetSettings(allow=allow, **settings), **given))
        return made[-1]

    yield client_for
    for client in made:
        client.close()
