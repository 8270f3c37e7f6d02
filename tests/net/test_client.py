"""What a hostile, broken or merely strict server can do to the client: nothing but an error with a sentence."""

import gzip
import logging
import time
import tracemalloc

import httpx
import pytest
import requests

from monitor.errors import AccessDenied, RateLimited, ResponseNotUnderstood, SourceError, SourceUnavailable
from monitor.net.polite import validators
from monitor.net.requests_adapter import GuardedAdapter
from tests.net.server import answer, serving

CANARY = "kanarie-9f3b"
MIB = 1024 * 1024


def test_an_answer_comes_back_whole_and_unpacked(client_for):
    with serving(answer(gzip.compress(b"hallo" * 9), content_encoding="gzip", etag='"1"')) as server:
        response = client_for(server, contact="mailto:team@zonnekade.example").get(server.url, accept="text/plain")
    assert (response.status, response.body) == (200, b"hallo" * 9)
    assert validators(response) == {"If-None-Match": '"1"'}
    asked = server.asked[0].lower()
    assert b"accept-encoding: gzip\r\n" in asked
    assert b"user-agent: luisterpost/" in asked
    assert b"(+mailto:team@zonnekade.example)" in asked


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("401 No", AccessDenied), ("403 No", AccessDenied), ("429 Slow", RateLimited), ("500 Oh", SourceUnavailable),
        ("503 Oh", SourceUnavailable), ("408 Late", SourceUnavailable), ("404 Gone", ResponseNotUnderstood),
        ("410 Gone", ResponseNotUnderstood), ("400 Bad", ResponseNotUnderstood), ("422 Bad", ResponseNotUnderstood),
    ],
)  # fmt: skip
def test_each_status_has_its_error(client_for, status, error):
    with serving(answer(b"why", status)) as server, pytest.raises(SourceError) as caught:
        client_for(server).get(server.url)
    assert type(caught.value) is error
    if isinstance(caught.value, ResponseNotUnderstood):
        assert (caught.value.status, caught.value.raw) == (int(status[:3]), b"why")


def test_503_with_a_time_is_a_request_for_patience(client_for):
    with serving(answer(status="503 Busy", retry_after="999999999")) as server, pytest.raises(RateLimited) as caught:
        client_for(server, max_retry_after=60.0).get(server.url)
    assert caught.value.retry_after == 60.0


def test_not_modified_is_no_error(client_for):
    with serving(answer(b"", "304 Not Modified", content_length="")) as server:
        assert client_for(server).get(server.url, headers={"If-None-Match": '"1"'}).not_modified
    assert b'if-none-match: "1"' in server.asked[0].lower()


@pytest.mark.parametrize("where", ["header", "body", "silence"])
def test_a_drip_ends_at_the_deadline(client_for, where):
    starts = {
        "header": (b"HTTP/1.1 200 OK\r\nx-slow: ", b"a"),
        "body": (answer(b"", content_length="100000"), b"a"),
        "silence": (answer(b"", content_length="100000"), b""),
    }
    with serving(lambda _asked: server.drip(*starts[where])) as server:
        client = client_for(server, total_seconds=0.4)
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            client.get(server.url)
        assert time.monotonic() - started < 2.5


def test_a_bomb_stops_at_the_limit_in_little_memory(client_for):
    bomb = gzip.compress(bytes(64 * MIB), 1)
    with serving(answer(bomb, content_encoding="gzip")) as server:
        client = client_for(server, max_bytes=MIB)
        tracemalloc.start()
        with pytest.raises(SourceUnavailable, match="larger than"):
            client.get(server.url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 * MIB


def test_rubbish_after_the_end_of_a_gzip_stream_is_not_collected(client_for):
    packed, junk = gzip.compress(b"hallo"), bytes(MIB)
    with serving(lambda _asked: [answer(packed, content_encoding="gzip", content_length=""), *[junk] * 32]) as server:
        client = client_for(server, max_bytes=MIB)
        tracemalloc.start()
        assert client.get(server.url).body == b"hallo"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 * MIB


def test_a_stream_of_several_gzip_members_is_read_whole(client_for):
    with serving(answer(gzip.compress(b"een ") + gzip.compress(b"twee"), content_encoding="gzip")) as server:
        assert client_for(server).get(server.url).body == b"een twee"


def test_a_body_without_end_stops_at_the_limit(client_for):
    with (
        serving(lambda _asked: [answer(b"", content_length=""), *[bytes(65_536)] * 64]) as server,
        pytest.raises(SourceUnavailable, match="larger than"),
    ):
        client_for(server, max_bytes=MIB).get(server.url)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "compress", "gzip, br"])
def test_an_encoding_nobody_asked_for_is_refused(client_for, encoding):
    with (
        serving(answer(gzip.compress(b"x"), content_encoding=encoding)) as server,
        pytest.raises(SourceUnavailable, match="nobody asked for"),
    ):
        client_for(server).get(server.url)


WHOLE = gzip.compress(bytes(range(256)) * 40)


@pytest.mark.parametrize(
    "broken",
    [
        answer(WHOLE[:-9], content_encoding="gzip"),
        answer(WHOLE[:10], content_encoding="gzip"),
        answer(WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], content_encoding="gzip"),
        answer(b"no gzip at all", content_encoding="gzip"),
        answer(b"short", content_length="500"),
        b"",
        b"rubbish\r\n\r\n",
    ],
    ids=["cut", "header only", "wrong crc", "no gzip", "wrong length", "nothing", "no http"],
)
def test_an_incomplete_answer_is_never_used(client_for, broken):
    with serving(broken) as server, pytest.raises(SourceUnavailable):
        client_for(server).get(server.url)


def test_a_redirect_loop_ends_after_five(client_for):
    with serving(answer(status="302 Found", location="/again")) as server:
        with pytest.raises(SourceUnavailable, match="more than 5 times"):
            client_for(server).get(server.url)
        assert server.hits == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:1/", "http://[", "http://"]
)
def test_a_redirect_to_another_scheme_is_refused(client_for, target):
    with serving(answer(status="301 Moved", location=target)) as server, pytest.raises(SourceUnavailable):
        client_for(server).get(server.url)


def test_a_post_is_never_redirected(client_for):
    with serving(answer(status="307 Elsewhere", location="/b")) as server:
        with pytest.raises(SourceUnavailable, match="not followed"):
            client_for(server).post(server.url, body=b"x")
        assert server.hits == 1


def test_https_never_falls_back_to_http(client_for):
    client, asked = client_for(), []

    def moved(request):
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://shop.example/"}, stream=httpx.ByteStream(b""))

    client._client.close()
    client._client = httpx.Client(transport=httpx.MockTransport(moved))
    with pytest.raises(SourceUnavailable, match="from https to http"):
        client.get("https://shop.example/")
    assert asked == ["https://shop.example/"]


SENT = {"Authorization": CANARY, "X-Api-Key": CANARY, "Cookie": CANARY, "If-None-Match": '"1"'}


@pytest.mark.parametrize("change", ["port", "host"])
def test_secrets_stay_behind_when_the_origin_changes(client_for, change):
    with serving(answer()) as other, serving(lambda asked: [moved] if b"GET /go" in asked else [answer()]) as server:
        place = other if change == "port" else server
        moved = answer(
            status="302 Found", location=f"http://{'127.0.0.1' if change == 'port' else 'localhost'}:{place.port}/"
        )
        client_for(server, other, names=("127.0.0.1", "localhost"), resolver=lambda _h, _p: ["127.0.0.1"]).get(
            f"{server.url}/go", headers=SENT
        )
    assert CANARY.encode() in server.asked[0]
    assert CANARY.encode() not in place.asked[-1]
    assert b'if-none-match: "1"' in place.asked[-1].lower()


def test_secrets_go_along_inside_one_origin(client_for):
    with serving(
        lambda asked: [answer(status="302 Found", location="/b") if b"GET /a" in asked else answer()]
    ) as server:
        client_for(server).get(f"{server.url}/a", headers=SENT)
    assert CANARY.encode() in server.asked[1]


@pytest.mark.parametrize(
    "say",
    [answer(), answer(status="401 No"), answer(status="404 No"), answer(status="429 No"), answer(status="500 No"),
     answer(status="302 Found", location="/again?oauth_token=" + CANARY), answer(content_encoding="br"), b"rubbish"],
)  # fmt: skip
def test_a_secret_never_shows_in_an_error_or_a_log(client_for, caplog, say):
    caplog.set_level(logging.DEBUG)
    with serving(say) as server:
        address = (
            f"http://user:{CANARY}@127.0.0.1:{server.port}/a?access_token={CANARY}&x-api-key={CANARY}&code={CANARY}"
        )
        shown = ""
        try:
            response = client_for(server).get(address, params={"token": CANARY}, headers={"Authorization": CANARY})
        except SourceError as error:
            shown = str(error)
            assert "127.0.0.1" in shown
        else:
            assert "@" not in response.url
        assert server.hits
    assert CANARY not in shown
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "address", ["user:{}@host", "http://user:{}@[", "http:/user:{}@host", "ftp://user:{}@host/", "//u:{}@h"]
)
def test_an_address_that_cannot_be_asked_keeps_its_secret(client_for, address):
    with pytest.raises(SourceUnavailable) as caught:
        client_for().get(address.format(CANARY))
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b'{"a": NaN}', b"[" * 100_000, b"[" * 200 + b"]" * 200, b"\xff\xfe\xfa", b"1" * 5_000]
)
def test_what_is_no_json_is_kept_and_named(client_for, body):
    with (
        serving(answer(body, content_type="text/html")) as server,
        pytest.raises(ResponseNotUnderstood, match="JSON") as caught,
    ):
        client_for(server).json(server.url)
    assert caught.value.raw == body


def test_integers_keep_every_digit(client_for):
    with serving(answer(b'{"id": 1234567890123456789}')) as server:
        assert client_for(server).json(server.url)[0] == {"id": 1234567890123456789}


def test_requests_goes_through_the_same_client(client_for):
    with serving(answer(b'{"title": "no"}', "429 Slow", x_rate_limit_reset="5")) as server, serving(answer()) as inside:
        with requests.Session() as session:
            session.mount("http://", GuardedAdapter(client_for(server)))
            response = session.get(server.url, headers={"Authorization": "Bearer x"})
            assert (response.status_code, response.json()) == (429, {"title": "no"})
            assert response.headers["X-Rate-Limit-Reset"] == "5"
            with pytest.raises(SourceUnavailable, match=r"net\.allow"):
                session.get(inside.url)
        assert inside.hits == 0
    assert b"bearer x" in server.asked[0].lower()
    assert b"luisterpost/" in server.asked[0].lower()
