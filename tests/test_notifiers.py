"""Telling people: nothing in a mention pings anybody, and no secret stands in an error."""

import traceback
from itertools import pairwise

import apprise
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import NotifyError
from monitor.model import Alert, Delivery, Severity
from monitor.notifiers import AppriseNotifier, ConsoleNotifier, notifiers, plain
from tests.factories import NOON

# a plugin of apprise still asks for it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
TOKEN = "T0KEN5ecret9876"
URL = f"jsons://user:{TOKEN}@hooks.invalid/services/{TOKEN}"
PINGS = ("@here", "@channel", "@everyone", "@klant", "<!channel>", "<!here>", "<@U123>", "<@&456>", "<#C1>", "</a>")
DELIVERY = Delivery(alert_id="a1", channel="team", next_at=NOON, severity=Severity.HIGH)


def an_alert(words):
    return Alert(
        id="a1",
        rule_id="wave",
        severity=Severity.HIGH,
        title=f"Storing: {words}",
        summary=f"9 people. Newest: “{words}”",
        group=words,
        window_start=NOON,
        opened_at=NOON,
        updated_at=NOON,
        mention_ids=("m1",),
        count=9,
    )


@pytest.mark.parametrize("ping", PINGS)
def test_nothing_in_a_mention_pings(ping, monkeypatch):
    sent, printed = [], []
    monkeypatch.setattr(apprise.Apprise, "notify", lambda _self, **words: sent.append(words) or True)
    alert = an_alert(f"kijk {ping} hier")
    AppriseNotifier("team", URL).send(alert, DELIVERY)
    ConsoleNotifier("console", printed.append).send(alert, DELIVERY)
    for text in (sent[0]["title"], sent[0]["body"], printed[0]):
        assert ping not in text
    assert sent[0]["body_format"] == apprise.NotifyFormat.TEXT


@example("een\x85twee", 100)
@given(st.text(max_size=300), st.integers(2, 100))
def test_whatever_a_stranger_writes_is_one_bounded_line_that_pings_nobody(text, limit):
    line = plain(text, limit)
    assert len(line.replace("\u2060", "")) <= limit
    assert len(line.splitlines()) <= 1
    assert all(after == "\u2060" for at, after in pairwise(line + " ") if at in "@<")


@pytest.mark.parametrize("words", [f"POST https://hooks.invalid/{TOKEN} failed", URL, f"bad password {TOKEN!r}"])
def test_a_failing_service_tells_no_secret(words, monkeypatch):
    def fail(_self, **_words):
        raise RuntimeError(words)

    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    with pytest.raises(NotifyError) as caught:
        AppriseNotifier("team", URL).send(an_alert("x"), DELIVERY)
    shown = (
        "".join(traceback.format_exception(caught.value, chain=True)) if caught.value.__cause__ else str(caught.value)
    )
    assert TOKEN not in shown
    assert "team" in shown
    assert "RuntimeError" in shown
    assert caught.value.__suppress_context__


def test_a_service_that_refuses_is_tried_again(monkeypatch):
    monkeypatch.setattr(apprise.Apprise, "notify", lambda _self, **_words: False)
    with pytest.raises(NotifyError, match="team: not delivered") as caught:
        AppriseNotifier("team", URL).send(an_alert("x"), DELIVERY)
    assert not caught.value.gone


def test_an_address_that_is_not_understood_is_given_up_and_not_shown():
    with pytest.raises(NotifyError) as caught:
        AppriseNotifier("team", f"nosuchservice://{TOKEN}").send(an_alert("x"), DELIVERY)
    assert caught.value.gone
    assert TOKEN not in str(caught.value)


def test_the_console_is_always_there():
    found = notifiers({"team": URL, "screen": "console"}, print)
    assert sorted(found) == ["console", "screen", "team"]
    assert isinstance(found["screen"], ConsoleNotifier)
    assert TOKEN not in repr(found)
