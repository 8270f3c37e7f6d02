"""Dates as sites write them, to UTC. What cannot be is None; what was assumed is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo

_NAMES = (
    "jan januari january januar janvier",
    "feb februari february februar fevrier fev",
    "mrt maart mar march maerz marz mars",
    "apr april avril avr",
    "mei may mai",
    "jun juni june juin",
    "jul juli july juillet juil",
    "aug augustus august aout",
    "sep sept september septembre",
    "okt oktober oct october octobre",
    "nov november novembre",
    "dec december dez dezember decembre",
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_ZONES = (
    dict.fromkeys(("UT", "UTC", "GMT", "Z", "WET"), 0)
    | dict.fromkeys(("CET", "MET", "BST", "WEST"), 1)
    | dict.fromkeys(("CEST", "MEST", "EET"), 2)
    | {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
)
_WORDED = re.compile(
    r"(?:(?P<day>\d{1,2})(?:\.|e|st|nd|rd|th)?\s+)?(?P<month>[a-z]{3,9})\.?"
    r"(?:\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?(?!\d|:))?,?"
    r"(?:\s+(?P<year>\d{4}|\d{2})(?!\d|:))?"
    r"(?:[\s,]+(?:at|om|um|a|-)?\s*(?P<time>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)(?:\.\d+)?\s*(?P<half>[ap]m)?)?"
    r"\s*(?P<zone>[+-]\d{2}:?\d{2}|z|[a-z]{2,4})?"
)
_ISO = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})(?:-?(?P<d>\d{2}))?"
    r"(?:[T\s]+(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d+))?)?)?\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?|[A-Z]{2,4})?"
)
_NUMERIC = re.compile(
    r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4})(?:[\sT,]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?))?"
)
_FURTHEST_OFFSET = timedelta(hours=14)
_FIRST_EPOCH, _LAST_EPOCH = 315_532_800, 4_102_444_800
_LONGEST = 200
_HALF_DAY = re.compile(r"(?i)\d\s*[ap]\.?m\b")
_ACCENTS = str.maketrans("éèêëäáàöüûç", "eeeeaaaouuc")


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRead:
    """A moment in UTC or None; `assumed_zone`: the text named none; `note` says what was assumed or refused."""

    moment: datetime | None
    assumed_zone: bool = False
    note: str = ""


def parse_date(value: str | float | None, *, zone: str = "Europe/Amsterdam", now: datetime | None = None) -> DateRead:
    """ISO 8601, RFC 822, epoch seconds or milliseconds, and Dutch, English, German or French words.

    A date without zone is taken in `zone`, with its summer time; one without time is 00:00 there. `now` fills in a
    missing year, and a moment over a day after it is noted. Impossible dates and offsets beyond 14 hours give None.
    """
    if value is None or isinstance(value, bool):
        return DateRead(moment=None)
    if isinstance(value, int) and abs(value) > _LAST_EPOCH * 1000:
        return DateRead(moment=None, note="not a date: a number too large")
    text = str(value)[:_LONGEST].strip()
    if not text:
        return DateRead(moment=None)
    try:
        read = _epoch(text) or _iso(text, zone) or _rfc(text, zone) or _numeric(text, zone) or _worded(text, zone, now)
    except (ValueError, OverflowError):
        read = None
    if read is None or read.moment is None:
        return read or DateRead(moment=None, note=f"not a date: {text[:60]}")
    if now is not None and read.moment > now + timedelta(days=1):
        return DateRead(moment=read.moment, assumed_zone=read.assumed_zone, note="lies in the future")
    return read


def _epoch(text: str) -> DateRead | None:
    if not re.fullmatch(r"\d{9,14}(\.\d+)?", text):
        return None
    seconds = float(text)
    if seconds > _LAST_EPOCH:
        seconds /= 1000
    if not _FIRST_EPOCH <= seconds <= _LAST_EPOCH:
        return None
    return DateRead(moment=_utc(datetime.fromtimestamp(seconds, UTC)))


def _iso(text: str, zone: str) -> DateRead | None:
    match = _ISO.fullmatch(text)
    if match is None or (match["d"] is None and match["H"] is not None):
        return None
    micro = int((match["f"] or "0")[:6].ljust(6, "0"))
    hour = int(match["H"] or 0)
    extra = timedelta(days=1) if hour == 24 else timedelta(0)  # noqa: PLR2004 - ISO 8601 allows 24:00
    naive = _naive(int(match["y"]), int(match["m"]), int(match["d"] or 1), hour % 24, match["M"], match["S"], micro)
    return _placed(naive + extra, match["zone"], zone, whole_day=match["H"] is None)


def _rfc(text: str, zone: str) -> DateRead | None:
    found = parsedate_tz(text)
    if found is None or not re.search(r"\d:\d", text) or found[0] < 1970 or not re.search(r"[A-Za-z]{3}", text):  # noqa: PLR2004
        return None
    if _HALF_DAY.search(text):  # email.utils would take 4:05 pm for the early morning
        return None
    year, month, day, hour, minute, second = found[:6]
    if not re.search(rf"\b0?{day}\b", text):
        return None
    naive = _naive(year, month, day, hour, str(minute), str(min(second, 59)), 0)
    tail = re.search(r"([A-Za-z]{1,5}|[+-]\d{4})\s*(?:\(.*\))?$", text)
    if found[9] is None or (tail and tail[1].isalpha() and tail[1].upper() not in _ZONES and found[9] == 0):
        return _placed(naive, None, zone, whole_day=False)
    offset = timedelta(seconds=found[9])
    if abs(offset) > _FURTHEST_OFFSET:
        return _placed(naive, None, zone, whole_day=False)
    return DateRead(moment=_utc((naive - offset).replace(tzinfo=UTC)))


def _numeric(text: str, zone: str) -> DateRead | None:
    match = _NUMERIC.match(text)
    if match is None:
        return None
    clock = (match["time"] or "0:00").split(":")
    day, month = int(match["a"]), int(match["b"])
    if month > 12 >= day:  # noqa: PLR2004 - month before day, as Americans write it
        day, month = month, day
    naive = _naive(int(match["y"]), month, day, int(clock[0]), clock[1], clock[2] if len(clock) > 2 else "0", 0)  # noqa: PLR2004
    return _placed(naive, None, zone, whole_day=match["time"] is None)


def _worded(text: str, zone: str, now: datetime | None) -> DateRead | None:
    plain = text.lower().translate(_ACCENTS)
    plain = re.sub(r"^([a-z]{2,10})\.?,?\s+(?=\d)", lambda m: m[0] if m[1] in _MONTHS else "", plain)
    for match in _WORDED.finditer(plain):
        month = _MONTHS.get(match["month"])
        if month is None:
            continue
        day = int(match["day"] or match["day2"] or 1)
        year = int(match["year"]) if match["year"] else (now.year if now else None)
        if year is None:
            return None
        year += 2000 if year < 100 else 0  # noqa: PLR2004 - two digits of this century
        clock = re.split("[:.]", match["time"] or "0:00")
        hour = int(clock[0]) % 12 + (12 if match["half"] == "pm" else 0) if match["half"] else int(clock[0])
        naive = _naive(year, month, day, hour, clock[1], clock[2] if len(clock) > 2 else "0", 0)  # noqa: PLR2004
        return _placed(naive, (match["zone"] or "").upper() or None, zone, whole_day=match["time"] is None)
    return None


def _naive(year: int, month: int, day: int, hour: int, minute: str | None, second: str | None, micro: int) -> datetime:  # noqa: PLR0913, PLR0917
    if not 1970 <= year <= 2100:  # noqa: PLR2004 - nobody wrote online before or writes after
        raise ValueError("this year cannot be")
    return datetime(year, month, day, hour, int(minute or 0), min(int(second or 0), 59), micro)  # noqa: DTZ001


def _placed(naive: datetime, named: str | None, zone: str, *, whole_day: bool) -> DateRead:
    if named in _ZONES:
        return DateRead(moment=_utc(naive.replace(tzinfo=timezone(timedelta(hours=_ZONES[named])))))
    if named and named[0] in "+-":
        digits = named[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if named[0] == "-" else 1)
        if abs(offset) <= _FURTHEST_OFFSET:
            return DateRead(moment=_utc(naive.replace(tzinfo=timezone(offset))))
    note = f"date without time, taken as 00:00 {zone}" if whole_day else f"no time zone, taken as {zone}"
    return DateRead(moment=_utc(naive.replace(tzinfo=ZoneInfo(zone))), assumed_zone=True, note=note)


def _utc(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
