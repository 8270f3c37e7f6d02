"""Fetching cannot be turned inward; the inside server's own count is the witness."""

import httpx
import pytest

from monitor.errors import SourceUnavailable
from monitor.net import guard
from monitor.net.guard import GuardedBackend, is_public
from tests.net.server import answer, serving

INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.10",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing is bound
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "::127.0.0.1",
]
MORE_INSIDE = [
    "fec0::1",
    "64:ff9b:1::7f00:1",
    "::ffff:0:127.0.0.1",
    "2001:0:1:2:3:4:80ff:fffe",
    "fe80::1%eth0",
    "",
    "x",
]
SPELLINGS = [
    "http://127.0.0.1:P", "http://localhost:P", "http://127.1:P", "http://2130706433:P", "http://0x7f000001:P",
    "http://0177.0.0.1:P", "http://[::ffff:127.0.0.1]:P", "http://0:P", "http://①②⑦.0.0.1:P", "http://127.0.0.1.:P",
    "http://user@127.0.0.1:P", "http://example.com@127.0.0.1:P", "http://127.0.0.1%2f@example.com:P",
    "file:///etc/passwd", "gopher://127.0.0.1:1/x", "HTTP://LOCALHOST:P",
]  # fmt: skip


def known_names(host, port):
    """The system's resolver, without asking the outside about example.com."""
    return ["127.0.0.1"] if host == "example.com" else guard.resolve(host, port)


@pytest.mark.parametrize("address", INSIDE + MORE_INSIDE)
def test_an_inside_address_is_never_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_a_public_address_stays_public(address):
    assert is_public(address)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_this_machine_reaches_it(client_for, spelling):
    with serving(answer()) as inside:
        with pytest.raises(SourceUnavailable):
            client_for(resolver=known_names).get(spelling.replace(":P", f":{inside.port}"))
        assert inside.hits == 0


def test_without_the_judgement_the_inside_is_reached(client_for, monkeypatch):
    monkeypatch.setattr(guard, "is_public", lambda _address: True)
    with serving(answer()) as inside:
        client_for().get(inside.url)
        assert inside.hits == 1


def test_a_redirect_to_the_inside_is_refused_at_the_hop(client_for):
    with serving(answer()) as inside, serving(answer(status="302 Found", location=inside.url)) as outside:
        with pytest.raises(SourceUnavailable, match=r"net\.allow"):
            client_for(outside).get(outside.url)
        assert (outside.hits, inside.hits) == (1, 0)


def test_a_name_that_turns_inward_after_the_check_is_refused(client_for):
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    def rebinding(_host, _port):
        return next(answers)

    with serving(answer()) as inside:
        assert all(is_public(address) for address in rebinding("rebind.example", inside.port))
        with pytest.raises(SourceUnavailable, match=r"net\.allow"):
            client_for(resolver=rebinding).get(f"http://rebind.example:{inside.port}/")
        assert inside.hits == 0


def test_one_inside_address_among_public_ones_is_enough_to_refuse(client_for):
    with pytest.raises(SourceUnavailable, match=r"net\.allow"):
        client_for(resolver=lambda _host, _port: ["93.184.216.34", "10.0.0.1"]).get("http://mixed.example/")


def test_the_client_really_connects_through_the_guard(client_for):
    transport = client_for()._client._transport
    assert isinstance(transport, httpx.HTTPTransport)
    assert isinstance(transport._pool._network_backend, GuardedBackend)
