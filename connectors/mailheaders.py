"""The headers of a mail: decoded however they are broken, and whether they tell of a person or a machine."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from email.message import Message

_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,40}\?[bBqQ]\?)")
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:automatic (?:reply|response)|automated (?:reply|response)|"
    r"auto[- ]?(?:reply|respon\w+)\b|"
    r"automatisch(?:e)? (?:antwoord|bericht|reactie)|automatische antwort|réponse automatique|out of (?:the )?office|"
    r"afwezig(?:heid)?s?(?:bericht|melding|assistent)|afwezig\s*(?::|-|$)|abwesenheits?(?:notiz|nachricht|meldung)?\b|"
    r"vakantie(?:bericht|melding|antwoord)|absence du bureau|undeliver(?:able|ed)|onbestelbaar|unzustellbar|"
    r"delivery (?:status notification|has failed|failure|notification:|report)|"
    r"mail (?:delivery (?:fail\w+|subsystem|status)|failure|system error|could not be delivered)|"
    r"returned mail|rejected mail|non-?deliver\w+|undelivered|failure notice|"
    r"notice: mail delivery|message (?:status - undeliverable|delayed|delivery failure)|warning: could not send|"
    r"abwesend\b|svar automatique|risposta automatica|respuesta automática|resposta automática)",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"(?:^|[<\s\"])(?:mailer-daemon|postmaster)(?:@|$)|mail delivery (?:sub)?system", re.IGNORECASE)
_REPORTS = {
    "multipart/report",
    "message/delivery-status",
    "message/feedback-report",
    "message/disposition-notification",
}
_MACHINE_HEADERS = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-auto-response-suppress", "x-failed-recipients")


def headers_of(message: Message) -> dict[str, list[str]]:
    """Raw values by name in lower case, unfolded; bytes beyond ASCII read as UTF-8, else as Windows-1252."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.lower(), []).append(_plain(str(value)))
    return found


def header(headers: dict[str, list[str]], name: str) -> str:
    """The first header of this name, decoded, on one line; "" where there is none."""
    values = headers.get(name)
    return " ".join(decoded(values[0]).split()) if values else ""


def decoded(value: str) -> str:
    """Encoded words as text wherever they stand, also glued to plain text; a broken one stays as it is."""
    return _WORD.sub(_decoded_word, _BETWEEN.sub(r"\1", value))


def message_ids(headers: dict[str, list[str]], name: str) -> list[str]:
    """Message-IDs without their brackets, in order; text without brackets counts where it is one word."""
    value = " ".join(headers.get(name, []))
    found = re.findall(r"<([^<>\s]{1,400})>", value)
    if found:
        return found
    word = value.strip()
    return [word] if re.fullmatch(r"[^\s<>]{3,400}", word) and "@" in word else []


def is_automatic(headers: dict[str, list[str]], content_types: set[str], subject: str) -> str:
    """Why a mail was written by a machine (an answering machine, a bounce, a report); "" where nothing says so.

    `content_types` are those of the mail and of its direct parts.
    """
    return next(_reasons(headers, content_types, subject), "")


def _reasons(headers: dict[str, list[str]], content_types: set[str], subject: str) -> Iterator[str]:
    submitted = header(headers, "auto-submitted").lower()
    if submitted and not submitted.startswith("no"):
        yield f"Auto-Submitted: {submitted}"
    if header(headers, "precedence").lower() in {"bulk", "auto_reply", "auto-reply"}:
        yield f"Precedence: {header(headers, 'precedence')}"
    yield from (f"{name}: {header(headers, name)}" for name in _MACHINE_HEADERS if name in headers)
    if header(headers, "x-apple-action").lower() == "vacation":
        yield "X-Apple-Action: VACATION"
    for value in headers.get("return-path", []):
        if value.strip().lower() in {"<>", "<mailer-daemon>"}:
            yield f"Return-Path: {value.strip()}"
    yield from (f"Content-Type: {kind}" for kind in sorted(content_types & _REPORTS))
    if _DAEMON.search(header(headers, "from")):
        yield "From: " + header(headers, "from")
    if _AUTOMATIC_SUBJECT.match(subject):
        yield f"Subject: {subject}"


def _plain(value: str) -> str:
    unfolded = re.sub(r"(?:\r\n|\r|\n)(?=[ \t])", "", value)
    try:
        content = unfolded.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return unfolded
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _decoded_word(word: re.Match[str]) -> str:
    charset, how, text = word.groups()
    charset = charset.partition("*")[0]
    try:
        if how in "bB":
            content = base64.b64decode(text + "=" * (-len(text) % 4))
        else:
            content = quopri.decodestring(text.replace("_", " ").encode("ascii", "replace"), header=False)
        return content.decode("cp1252" if charset.lower() == "iso-8859-1" else charset)
    except (LookupError, ValueError, binascii.Error):
        return word.group()
