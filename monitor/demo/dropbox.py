"""What arrives as files: mails, phone notes and a radio transcript appear in a folder as their time comes."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path

from monitor.demo.script import ZONE, Town, Version

WEBCARE = "webcare@zonnekade.example"
WORDS_A_SECOND = 2.5
HEADINGS = ("gespreks_id", "tijdstip", "beller", "naam", "notitie", "taal")
FOLDERS = ("mail", "phone", "radio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One file as it should stand: its place under the drop folder, and when it was last written."""

    name: str
    content: bytes
    at: datetime


def files(town: Town, now: datetime, since: datetime | None = None) -> Iterator[Dropped]:
    """The files that stand in the folder at `now` and hold something said after `since`, oldest first within a kind."""
    begin = since or town.opens_at
    for version in town.published("mail", now):
        if version.published_at > begin:
            yield Dropped(name=f"mail/{version.said.id}.eml", content=_mail(version), at=version.published_at)
    yield from (file for file in _phone(town.published("phone", now)) if file.at > begin)
    for version in town.published("radio", now):
        if version.published_at > begin:
            yield from _radio(version)


def drop(town: Town, folder: Path, now: datetime, since: datetime | None = None) -> list[Path]:
    """Write what is due and not there yet, each file whole or not at all; returns what was written.

    A file keeps the time of its newest word, so that dropping the same twice changes nothing. With `since`, what was
    said up to then is taken to stand there.
    """
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for file in files(town, now, since):
        path = folder / file.name
        if path.is_file() and path.read_bytes() == file.content:
            continue
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_bytes(file.content)
        stamp = file.at.timestamp()
        os.utime(unfinished, (stamp, stamp))
        unfinished.replace(path)
        written.append(path)
    return written


def _mail(version: Version) -> bytes:
    said = version.said
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((said.name, said.handle))
    message["To"] = formataddr(("Zonnekade", WEBCARE))
    message["Subject"] = version.title or "(geen onderwerp)"
    message["Date"] = format_datetime(version.published_at.astimezone(ZONE))
    message["Message-ID"] = said.native_id
    message.set_content(version.text, charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def _phone(versions: list[Version]) -> Iterator[Dropped]:
    """One table a day, which grows with every call."""
    days: dict[str, list[Version]] = {}
    for version in versions:
        days.setdefault(version.published_at.astimezone(ZONE).date().isoformat(), []).append(version)
    for day, calls in days.items():
        told = io.StringIO()
        writer = csv.writer(told, delimiter=";", lineterminator="\n")
        writer.writerow(HEADINGS)
        for call in calls:
            said = call.said
            moment = call.published_at.astimezone(ZONE).isoformat()
            writer.writerow((said.native_id, moment, said.handle, said.name, call.text, said.language))
        yield Dropped(name=f"phone/belnotities-{day}.csv", content=told.getvalue().encode(), at=calls[-1].published_at)


def _radio(version: Version) -> Iterator[Dropped]:
    """A transcript in WebVTT, and beside it what the recording is. Speakers stand before a colon in the script."""
    said = version.said
    stem = f"radio/{said.handle}_{version.published_at.astimezone(ZONE):%Y-%m-%dT%H-%M}"
    told = ["WEBVTT", ""]
    second = 0.0
    for line in version.text.splitlines():
        speaker, colon, words = line.partition(": ")
        voice = f"<v {speaker}>" if colon and speaker.isupper() else ""
        for sentence in _sentences(words if voice else line):
            ends = second + max(1.0, len(sentence.split()) / WORDS_A_SECOND)
            told += [f"{_time(second)} --> {_time(ends)}", voice + sentence, ""]
            second = ends
    facts = json.dumps(
        {
            "channel": said.handle,
            "programme": version.title,
            "language": said.language,
            "start": version.published_at.isoformat(),
        },
        ensure_ascii=False,
    )
    yield Dropped(name=f"{stem}.json", content=facts.encode(), at=version.published_at)
    yield Dropped(name=f"{stem}.vtt", content="\n".join(told).encode(), at=version.published_at)


def _sentences(words: str) -> list[str]:
    """Cut after a full stop, a question or an exclamation mark, as subtitles are."""
    found: list[str] = [""]
    for word in words.split():
        found[-1] = f"{found[-1]} {word}".strip()
        if word.endswith((".", "?", "!")):
            found.append("")
    return [sentence for sentence in found if sentence]


def _time(second: float) -> str:
    minutes, rest = divmod(second, 60)
    return f"00:{int(minutes):02d}:{rest:06.3f}"
