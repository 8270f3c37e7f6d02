"""Reading single fields of JSON objects whose shape may have changed: what must be there, and what may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.parsing import text_or_none
from monitor.model import Json
from monitor.text.clean import clean
from monitor.text.dates import parse_date

LONGEST_NUMBER = 40
"""Ids that count up have some 20 digits; thousands of them are rubbish that costs time."""


def object_of(value: Json, what: str) -> Mapping[str, Any]:
    """An object, or TypeError that says what should have been one."""
    if not isinstance(value, dict):
        raise TypeError(f"{what} is no object but {type(value).__name__}")
    return value


def objects_in(value: Json) -> list[dict[str, Any]]:
    """The objects of a list; anything else in it, or no list at all, is left out."""
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


def object_in(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under `key`, or an empty one."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def id_of(row: Mapping[str, Any], key: str = "id") -> str:
    """An id as text with every digit; ValueError where there is none. A float has lost digits and is refused."""
    found = text_or_none(row.get(key))
    if found is None:
        raise ValueError(f"no usable {key!r}: {row.get(key)!r}"[:200])
    return found


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Text that must be there, though it may be empty. Anything but text raises TypeError."""
    value = row.get(key)
    if not isinstance(value, str):
        raise TypeError(f"{key!r} is no text but {type(value).__name__}")
    return clean(value)


def words(value: Json) -> str | None:
    """Text that may be there, cleaned; None for anything else and for blanks."""
    return clean(value).strip() or None if isinstance(value, str) else None


def moment(value: Json, now: datetime) -> datetime | None:
    """A time in UTC; None where it is absent or cannot be read."""
    return parse_date(value, zone="UTC", now=now).moment if isinstance(value, str | int) else None


def handle(value: Json) -> str:
    """A name for comparing: small letters, no @ in front."""
    return value.strip().lstrip("@").lower() if isinstance(value, str) else ""


def handles(values: Iterable[str]) -> frozenset[str]:
    """Names for comparing."""
    return frozenset(filter(None, map(handle, values)))


def highest(ids: Iterable[Json]) -> str | None:
    """The highest of ids that count up; None where there is none."""
    return str(max(numbers)) if (numbers := _numbers(ids)) else None


def lowest(ids: Iterable[Json]) -> str | None:
    """The lowest of ids that count up; None where there is none."""
    return str(min(numbers)) if (numbers := _numbers(ids)) else None


def _numbers(ids: Iterable[Json]) -> list[int]:
    texts = map(text_or_none, ids)
    return [int(text) for text in texts if text and len(text) <= LONGEST_NUMBER and text.isascii() and text.isdecimal()]
