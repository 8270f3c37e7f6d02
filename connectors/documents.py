"""One dropped file -> mentions: which kind of file it is, and the reader that fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from connectors import tables, transcripts
from connectors.mail import looks_like_mail, read_mail
from connectors.parsing import as_json, each, parse_json, shown, storable, text_or_none
from connectors.reading import Reading
from connectors.replies import split_reply
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Json, Mention, Skipped, Source, digest
from monitor.text.clean import clean
from monitor.text.dates import parse_date
from monitor.text.urls import absolute

_NAMED_START = re.compile(
    r"^(?P<channel>.+?)[_ -](?P<start>\d{4}-?\d{2}-?\d{2}(?:[T_ -]?\d{2}[-:h]?\d{2}(?:[-:]?\d{2})?)?)(?P<zone>Z)?$"
)
LONGEST_NOTE = 200_000
_BINARY = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\xd0\xcf\x11\xe0", b"RIFF", b"\x7fELF")


_NOBODY = Source(id="", connector="files", name="", channel="")

Found = tuple[tuple[Mention, ...], tuple[Skipped, ...]]


def read_document(content: bytes, name: str, reading: Reading) -> Found:
    """Mentions of one file, by what it holds rather than what it is called. ResponseNotUnderstood if none fits."""
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise ResponseNotUnderstood(f"{name}: an empty file", raw=content)
    suffix = PurePath(name).suffix.lower()
    if looks_like_mail(content) or suffix == ".eml":
        return (read_mail(content, name, reading),), ()
    if not content.startswith(_BINARY) and not _is_binary(content):
        found = _read_text(tables.decoded(content), name, suffix, reading)
        if found is not None:
            return found
    raise ResponseNotUnderstood(f"{name}: a kind of file that is not read here: {shown(content)}", raw=content)


def _read_text(text: str, name: str, suffix: str, reading: Reading) -> Found | None:
    start = text.lstrip()
    found: Found | None = None
    if suffix in {".vtt", ".srt"} or transcripts.looks_like_transcript(text):
        found = _spoken(transcripts.read_transcript(text, name), name, reading)
    elif start.startswith(("{", "[")) or suffix in {".json", ".jsonl", ".ndjson"}:
        told = _whole_json(text, name, suffix)
        found = _rows(tables.json_rows(text, name), reading) if told is None else _json(told, name, reading)
    elif suffix in {".csv", ".tsv"} or tables.looks_like_table(text):
        found = _rows(tables.csv_rows(text, name), reading)
    elif suffix in {"", ".txt", ".md", ".text"} and not start.startswith("<"):
        found = (storable(_note(text, reading)),), ()
    return found


def is_document(content: bytes, name: str) -> bool:
    """True if `read_document` can make something of it: for guessing, without a source."""
    reading = Reading(source=_NOBODY, now=datetime(2000, 1, 1, tzinfo=UTC), zone="UTC")
    try:
        mentions, _skipped = read_document(content, name, reading)
    except ResponseNotUnderstood:
        return False
    return bool(mentions)


def _is_binary(content: bytes) -> bool:
    return content[:4096].count(b"\x00") > 0 and not content.startswith((b"\xff\xfe", b"\xfe\xff"))


def _whole_json(text: str, name: str, suffix: str) -> Json | None:
    """The value if the text is one JSON value; None for one object a line, or for text with broken lines."""
    lines = [line for line in text.split("\n", 50) if line.strip()][:2]
    if suffix in {".jsonl", ".ndjson"} or (len(lines) > 1 and all(_is_object(line) for line in lines[:1])):
        return None
    return parse_json(text.encode("utf-8", "surrogatepass"), name)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse_json(line.encode("utf-8", "surrogatepass"), ""), dict)
    except ResponseNotUnderstood:
        return False


def _json(told: Json, name: str, reading: Reading) -> Found:
    if transcripts.is_json_transcript(told):
        return _spoken(transcripts.read_json_transcript(told, name), name, reading)
    if is_sidecar(told):
        return (), (Skipped(reason=f"{name}: it tells about the transcript beside it"),)
    rows = told if isinstance(told, list) else [told]
    if not _is_list_of_objects(rows):
        raise ResponseNotUnderstood(f"{name}: JSON without objects to read: {shown(as_json(told))}", raw=as_json(told))
    found = _rows((tables.object_row(number, row) for number, row in enumerate(rows, start=1)), reading)
    if not found[0]:
        reason = found[1][0].reason if found[1] else "it holds nothing"
        raise ResponseNotUnderstood(f"{name}: JSON that holds no text to read ({reason})", raw=as_json(told))
    return found


def _is_list_of_objects(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _rows(rows: Iterator[tables.Row], reading: Reading) -> Found:
    return each(
        rows,
        lambda row: tables.mention_of(row, reading),
        raw=lambda row: row.raw,
        native_id=lambda row: text_or_none(row.values.get("id")),
    )


def _note(text: str, reading: Reading) -> Mention:
    """A text file is a note, or the body of a mail: one private mention."""
    whole = clean(text.replace("\r\n", "\n"))[:LONGEST_NOTE].strip()
    split = split_reply(whole)
    raw = {"quoted": split.quoted, "signature": split.signature}
    return Mention(
        source_id=reading.source.id,
        origin=reading.source.id,
        native_id="hash:" + digest(whole),
        channel=reading.source.channel,
        text=split.new or whole,
        language=reading.source.language,
        fetched_at=reading.now,
        is_private=True,
        raw={key: value for key, value in raw.items() if value} if split.new else {},
    )


def _spoken(transcript: transcripts.Transcript, name: str, reading: Reading) -> Found:
    """One mention a segment; with its moment where the file's name or the JSON beside it tells the start."""
    beside = reading.beside or {}
    stem = PurePath(name).stem
    named = _NAMED_START.match(stem)
    channel = text_or_none(beside.get("channel")) or (named.group("channel") if named else stem)
    told = text_or_none(beside.get("start")) or (_start_in_name(named) if named else "")
    read = parse_date(told, zone=reading.zone, now=reading.now) if told else None
    start = read.moment if read else None
    origin = f"transcript:{reading.source.id}"
    mentions = []
    used: dict[str, int] = {}
    for segment in transcript.segments:
        native_id = f"{channel}:{start.isoformat() if start else stem}:{int(segment.start)}"
        used[native_id] = used.get(native_id, 0) + 1
        if used[native_id] > 1:
            native_id += f"-{used[native_id]}"
        raw = {
            "channel": channel,
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "cues": transcript.cues,
            "first_cue": segment.first,
            "last_cue": segment.last,
            "date_note": read.note or None if read else None,
        }
        mentions.append(
            Mention(
                source_id=reading.source.id,
                origin=origin,
                native_id=native_id,
                channel=reading.source.channel,
                url=_at_second(text_or_none(beside.get("url")), segment.start),
                title=text_or_none(beside.get("programme")) or text_or_none(beside.get("title")),
                text=clean(segment.text),
                author=Author(name=clean(segment.speaker)) if segment.speaker else None,
                language=text_or_none(beside.get("language")) or reading.source.language,
                published_at=start + timedelta(seconds=segment.start) if start else None,
                fetched_at=reading.now,
                thread_id=f"{channel}:{start.isoformat() if start else stem}",
                raw={key: value for key, value in raw.items() if value is not None},
            )
        )
    skipped = (Skipped(reason=f"{name}: a transcript in which nothing is said"),) if not mentions else ()
    return tuple(map(storable, mentions)), skipped


def _start_in_name(named: re.Match[str]) -> str:
    """`npo1_2026-01-05T20-30` -> `2026-01-05T20:30`."""
    digits = re.sub(r"\D", "", named.group("start"))
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    clock = ":".join(part for part in (digits[8:10], digits[10:12], digits[12:14]) if part)
    return f"{day}T{clock}{named.group('zone') or ''}" if clock else day


def _at_second(url: str | None, second: float) -> str | None:
    if url is None:
        return None
    at = str(int(second))
    address: str | None = absolute(url.replace("{s}", at) if "{s}" in url else f"{url.split('#')[0]}#t={at}", "")
    return address


def is_sidecar(told: Json) -> bool:
    """True for the JSON that lies beside a transcript and tells its channel and start."""
    if not isinstance(told, dict) or {"segments", "text", "body", "tekst"} & told.keys():
        return False
    return {"start", "channel"} <= told.keys() or {"start", "programme"} <= told.keys()


def sidecar(content: bytes) -> Mapping[str, Json] | None:
    """What the JSON beside a transcript tells; None if it is something else."""
    try:
        told = parse_json(content, "")
    except ResponseNotUnderstood:
        return None
    return told if is_sidecar(told) else None
