"""Requests and answers of the town's server, as values."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.demo.script import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A GET: the path is decoded, header names are lower case, of a repeated parameter the last counts."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = "http://127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Town, datetime, Request], Answer]
"""handler(town, now, request): `now` is the town's moment."""


def json_answer(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """JSON as the vendors write it: UTF-8, no spaces."""
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status=status, body=body, headers=headers or {})


def number(told: str | None, default: int, *, low: int, high: int) -> int:
    """A parameter that is a number, forced into its range; anything else gives the default."""
    return min(max(int(told), low), high) if told and told.isdecimal() else default


def iso(moment: datetime) -> str:
    """2026-06-01T05:38:00.000Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def made_up_number(*parts: str, digits: int = 10) -> int:
    """The same number for the same parts: ids of users and topics, which the script does not name."""
    found = int.from_bytes(hashlib.blake2b("\x00".join(parts).encode(), digest_size=8).digest(), "big")
    lowest = int("1" + "0" * (digits - 1))
    return lowest + found % (9 * lowest)


def made_up_hex(*parts: str, digits: int = 24) -> str:
    """The same, as hexadecimal digits."""
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=digits // 2).hexdigest()


def as_html(text: str) -> str:
    """Paragraphs and line breaks; everything else is escaped, markup in the text included."""
    paragraphs = (html.escape(part, quote=False).replace("\n", "<br />") for part in text.split("\n\n"))
    return "".join(f"<p>{part}</p>" for part in paragraphs)
