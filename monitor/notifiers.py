"""Ways to tell people about an alert: the console, and through apprise every service that it knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from monitor.errors import NotifyError
from monitor.model import Alert, Delivery
from monitor.protocols import Notifier

_TITLE = 150
_BODY = 1_500
_PINGS = re.compile(r"[@<]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def plain(text: str, limit: int) -> str:
    """One line without control characters in which no service sees a mention of a person, a channel or everybody."""
    line = _CONTROL.sub(" ", text).strip()
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    return _PINGS.sub(lambda match: match[0] + "\u2060", line)


class ConsoleNotifier:
    """Prints the alert where the pipeline runs."""

    def __init__(self, channel: str, write: Callable[[str], None]) -> None:
        self.channel = channel
        self._write = write

    def send(self, alert: Alert, delivery: Delivery) -> None:
        """One line."""
        self._write(f"alert [{delivery.severity.value}] {plain(alert.title, _TITLE)}: {plain(alert.summary, _BODY)}")


class AppriseNotifier:
    """Sends through one apprise address (mailto://, slack://, msteams://, ntfy://, json:// and many more)."""

    def __init__(self, channel: str, url: str) -> None:
        self.channel = channel
        self._url = url

    def send(self, alert: Alert, delivery: Delivery) -> None:
        """Title and summary as plain text. Raises NotifyError; the address never stands in it."""
        import apprise  # noqa: PLC0415 - takes a third of a second, and only deliveries need it

        target = apprise.Apprise()
        if not target.add(self._url):
            raise NotifyError(f"{self.channel}: this address is not understood; see notify in policy.yaml", gone=True)
        title = f"[{delivery.severity.value}] {plain(alert.title, _TITLE)}"
        try:
            sent = target.notify(title=title, body=plain(alert.summary, _BODY), body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # noqa: BLE001 - each plugin of apprise raises its own kinds
            # Its words are left out: they hold the service's real address, and with it the token.
            raise NotifyError(f"{self.channel}: not delivered ({type(error).__name__})") from None
        if not sent:
            raise NotifyError(f"{self.channel}: not delivered; the service refused it or cannot be reached")


def notifiers(notify: Mapping[str, str], write: Callable[[str], None]) -> dict[str, Notifier]:
    """By channel name; "console" is always there."""
    found: dict[str, Notifier] = {"console": ConsoleNotifier("console", write)}
    for channel, url in notify.items():
        found[channel] = ConsoleNotifier(channel, write) if url == "console" else AppriseNotifier(channel, url)
    return found
