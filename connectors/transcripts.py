"""Subtitles and transcripts -> spoken segments: WebVTT, SRT, teletext page 888, podcast and speech recognition JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from connectors.parsing import SHAPE_ERRORS
from monitor.errors import ResponseNotUnderstood
from monitor.model import Json

_TIMES = re.compile(
    r"^\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})(?:\s.*)?$"
)
_TELETEXT = re.compile(r"^\s*\d{1,6}\s+(\d{2}):(\d{2}):(\d{2}):(\d{2})\s+(\d{2}):(\d{2}):(\d{2}):(\d{2})\s*$")
_SPEAKER = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]{1,80})>", re.IGNORECASE)
_WORD_TIME = re.compile(r"<\d{1,2}:\d{2}(?::\d{2})?[.,]\d{3}>")
_TAG = re.compile(r"</?(?:[a-z][^<>]{0,80}|\d[\d:.,]*)>|\{\\an?\d\}", re.IGNORECASE)
_SILENT = {"", "888"}
"""What a cue may say without saying anything: 888 is the page number of Dutch subtitles."""

FRAMES_A_SECOND = 25.0
ROLLING = 0.2
"""So large a part of the cues repeats the lines before it, and the captions roll."""
ROLLING_GAP = 0.5
PAUSE = 4.0
LONG_ENOUGH = 20.0
TOO_LONG = 45.0


@dataclass(slots=True, kw_only=True)
class Cue:
    """What was shown at once: times in seconds from the start."""

    start: float
    end: float
    lines: list[str]
    speaker: str | None = None


@dataclass(slots=True, kw_only=True)
class Segment:
    """Consecutive cues of one speaker, read as running text; `first` and `last` are cue numbers from 1."""

    start: float
    end: float
    text: str
    speaker: str | None
    first: int
    last: int


@dataclass(slots=True, kw_only=True)
class Transcript:
    """A whole transcript; `cues` counts those of the file, the silent ones too."""

    cues: int
    segments: list[Segment] = field(default_factory=list)


def looks_like_transcript(text: str) -> bool:
    """True for WebVTT, SRT and teletext: a line with two times stands near the top."""
    head = text.lstrip("\ufeff")[:4000]
    return head.startswith("WEBVTT") or any(_TIMES.match(line) or _TELETEXT.match(line) for line in head.splitlines())


def read_transcript(text: str, name: str) -> Transcript:
    """Every spoken line once, with its time. A file without any cue raises ResponseNotUnderstood."""
    cues = list(_cues(text.lstrip("\ufeff")))
    if not cues and not text.lstrip("\ufeff").startswith("WEBVTT"):
        raise ResponseNotUnderstood(f"{name}: no line with times, so no transcript", raw=text.encode())
    return _transcript(cues)


def read_json_transcript(told: Json, name: str) -> Transcript:
    """The podcast namespace's JSON, Whisper's, or a list of fragments with word times in milliseconds."""
    try:
        rows: list[Json] = told["segments"] if isinstance(told, dict) else told
        return _transcript([_json_cue(row) for row in rows])
    except SHAPE_ERRORS as error:
        raise ResponseNotUnderstood(f"{name}: not a transcript in JSON ({type(error).__name__}: {error})") from None


def is_json_transcript(told: Json) -> bool:
    """True for the shapes that `read_json_transcript` knows."""
    rows = told.get("segments") if isinstance(told, dict) else told
    first = rows[0] if isinstance(rows, list) and rows else None
    return isinstance(first, dict) and bool(
        first.keys() >= {"startTime", "body"} or first.keys() >= {"start", "text"} or first.keys() >= {"start", "words"}
    )


def _json_cue(row: Json) -> Cue:
    body = row.get("body", row.get("text", row.get("words")))
    if not isinstance(body, str):
        message = "a segment without text"
        raise TypeError(message)
    start = float(row.get("startTime", row.get("start", 0.0)))
    end = row.get("endTime", row.get("end"))
    times = row.get("wordTimes")
    if end is None and isinstance(times, list) and times:
        end = float(times[-1]) / 1000
    speaker = row.get("speaker")
    return Cue(
        start=start,
        end=max(start, float(end)) if end is not None else start,
        lines=[body.strip()],
        speaker=speaker if isinstance(speaker, str) and speaker.strip() else None,
    )


def _cues(text: str) -> Iterator[Cue]:
    """Cues in the order of the file. Text ends at an empty line, but one right under the time is skipped."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        times = _times(lines[at])
        at += 1
        if times is None:
            continue
        while at < len(lines) and not lines[at].strip():
            if _next_is_a_cue(lines, at + 1):
                break
            at += 1
        said: list[str] = []
        while at < len(lines) and lines[at].strip() and _times(lines[at]) is None:
            said.append(lines[at])
            at += 1
        if at < len(lines) and _times(lines[at]) is not None and said and said[-1].strip().isdecimal():
            said.pop()  # the number of the next cue, with no empty line before it
        speaker = next((found.group(1) for line in said if (found := _SPEAKER.search(line))), None)
        yield Cue(
            start=times[0], end=times[1], lines=[plain for line in said if (plain := _plain(line))], speaker=speaker
        )


def _next_is_a_cue(lines: list[str], at: int) -> bool:
    """True if the next thing said is the start of another cue: the one before it was silent."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at >= len(lines):
        return True
    return _times(lines[at]) is not None or (at + 1 < len(lines) and _times(lines[at + 1]) is not None)


def _times(line: str) -> tuple[float, float] | None:
    found = _TIMES.match(line)
    if found:
        parts = found.groups()
        return _seconds(*parts[:4]), _seconds(*parts[4:])
    found = _TELETEXT.match(line)
    if found:
        numbers = [int(part) for part in found.groups()]
        start, end = (
            hours * 3600 + minutes * 60 + seconds + frames / FRAMES_A_SECOND
            for hours, minutes, seconds, frames in (numbers[:4], numbers[4:])
        )
        return start, end
    return None


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _plain(line: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", line)).split())


def _transcript(cues: list[Cue]) -> Transcript:
    spoken = [(number, cue) for number, cue in enumerate(cues, start=1) if not {" ".join(cue.lines)} <= _SILENT]
    if _is_rolling([cue for _number, cue in spoken]):
        spoken = list(_each_line_once(spoken))
    return Transcript(cues=len(cues), segments=list(_segments(spoken)))


def _is_rolling(cues: list[Cue]) -> bool:
    repeats = sum(1 for before, cue in pairwise(cues) if _repeated(before, cue))
    return repeats >= 2 and repeats >= ROLLING * len(cues)  # noqa: PLR2004 - once may be somebody saying it twice


def _repeated(before: Cue, cue: Cue) -> int:
    """How many lines at the top of a cue still stand there from the cue before."""
    if cue.start - before.end > ROLLING_GAP:
        return 0
    for count in range(min(len(before.lines), len(cue.lines)), 0, -1):
        if before.lines[-count:] == cue.lines[:count]:
            return count
    return 0


def _each_line_once(spoken: list[tuple[int, Cue]]) -> Iterator[tuple[int, Cue]]:
    before: Cue | None = None
    for number, cue in spoken:
        fresh = cue.lines[_repeated(before, cue) if before else 0 :]
        before = cue
        if fresh:
            yield number, Cue(start=cue.start, end=cue.end, lines=fresh, speaker=cue.speaker)


def _segments(spoken: list[tuple[int, Cue]]) -> Iterator[Segment]:
    """Parted where somebody else speaks, at a pause, after a sentence once long enough, anyway when too long."""
    current: Segment | None = None
    for number, cue in spoken:
        said = " ".join(cue.lines)
        start = cue.start
        if current is not None and cue.end <= cue.start < current.start:
            start = current.end  # a broken time: it was said after what stands before it
        if current is not None and _belongs(current, start, cue.speaker):
            current.text = f"{current.text} {said}"
            current.end = max(current.end, cue.end)
            current.last = number
            continue
        if current is not None:
            yield current
        current = Segment(
            start=start, end=max(start, cue.end), text=said, speaker=cue.speaker, first=number, last=number
        )
    if current is not None:
        yield current


def _belongs(segment: Segment, start: float, speaker: str | None) -> bool:
    if speaker != segment.speaker or not -PAUSE <= start - segment.end <= PAUSE:
        return False
    lasts = segment.end - segment.start
    return lasts < LONG_ENOUGH or (lasts < TOO_LONG and not segment.text.endswith((".", "!", "?", "…", '"', "”")))
