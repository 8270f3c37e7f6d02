from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request

import pytest

from monitor.demo.clock import jumping
from monitor.demo.limits import LIMITS
from monitor.demo.server import HTTP_SOURCES, Mode, TownServer, source_of
from tests.demo.town import TOWN, ask, ask_json, served

PATHS = {
    "x": "/2/tweets/search/recent?query=zonnekade",
    "fediverse": "/api/v1/timelines/tag/zonnekade",
    "groenevingers": "/posts.json",
    "sterrenplein": "/v1/business-units/find",
    "nieuwsplein": "/nieuwsplein/feed.xml",
    "polderkoerier": "/polderkoerier/feed.xml",
    "handelsblik": "/handelsblik/feed.xml",
    "balkongeluk": "/balkongeluk/feed.xml",
}


@pytest.mark.parametrize("source", HTTP_SOURCES)
def test_each_source_fails_alone_in_every_way_and_comes_back(source):
    with served(slow_seconds=0.05) as (server, _clock):
        for mode, status in (
            (Mode.BROKEN, 500),
            (Mode.RATE_LIMITED, 429),
            (Mode.REVOKED, 401),
            (Mode.RUBBISH, 200),
            (Mode.SLOW, 200),
            (Mode.OK, 200),
        ):
            server.set_mode(source, mode)
            got, headers, body = ask(server, PATHS[source])
            assert got == status
            assert (b"<html" in body) is (mode is Mode.RUBBISH)
            assert ("Retry-After" in headers) is (mode is Mode.RATE_LIMITED)
            others = [ask(server, path)[0] for name, path in PATHS.items() if name != source]
            assert set(others) == {200}
        assert server.requests()[source] == 6


def test_who_hangs_is_freed_when_the_town_closes():
    server = TownServer(TOWN, jumping(TOWN.opens_at), modes={"x": Mode.HANG})
    server.start()
    outcome = []

    def wait() -> None:
        try:
            ask(server, PATHS["x"])
        except OSError as error:
            outcome.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert ask(server, PATHS["fediverse"])[0] == 200
    assert not outcome
    server.close()
    waiting.join(timeout=5)
    assert outcome


def post(server, told):
    request = urllib.request.Request(server.base_url + "/_town", data=json.dumps(told).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_modes_and_clock_are_set_over_http_and_mistakes_are_told():
    with served() as (server, clock):
        status, told = post(server, {"modes": {"x": "broken"}, "now": "2026-06-07T08:42:00Z"})
        assert (status, told["modes"]["x"], told["now"]) == (200, "broken", "2026-06-07T08:42:00.000Z")
        assert clock().isoformat() == "2026-06-07T08:42:00+00:00"
        for wrong in ({"modes": {"y": "ok"}}, {"modes": {"x": "odd"}}, {"now": "soon"}, {"modes": ["x"]}, []):
            status, told = post(server, wrong)
            assert (status, bool(told["error"])) == (400, True)


def test_limits_are_counted_down_and_refused_when_used_up():
    with served() as (server, clock):
        _status, headers, _body = ask(server, PATHS["fediverse"])
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("300", "299")
        for _ in range(LIMITS["groenevingers"].requests):
            assert ask(server, "/posts/1.json")[0] == 404
        status, headers, _body = ask(server, PATHS["groenevingers"])
        assert status == 429
        assert 1 <= int(headers["Retry-After"]) <= 60
        clock.set(clock() + LIMITS["groenevingers"].window)
        assert ask(server, PATHS["groenevingers"])[0] == 200


def test_addresses_belong_to_one_source_and_others_to_none():
    assert {source_of(path.split("?")[0]) for path in PATHS.values()} == set(HTTP_SOURCES)
    assert source_of("/favicon.ico") is None
    with served() as (server, _clock):
        assert ask(server, "/favicon.ico")[0] == 404
        assert server.requests() == {}


def test_a_port_in_use_is_said_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            TownServer(TOWN, jumping(TOWN.opens_at), port=taken.getsockname()[1])


def test_a_broken_client_leaves_the_town_standing():
    with served() as (server, _clock):
        host, port = server.address.split(":")
        for rubbish in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET " + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=5) as client:
                client.sendall(rubbish)
        assert ask_json(server, "/_town")["modes"]["x"] == "ok"
