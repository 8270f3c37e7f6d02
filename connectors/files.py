"""A drop folder: clippings, phone notes, mails, transcripts and bought exports, as CSV, JSONL, EML, VTT or SRT."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.documents import read_document, sidecar
from connectors.parsing import ZoneName, options_of, unwrap
from connectors.reading import Reading
from monitor.errors import AccessDenied, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Cursor, Mention, Page, Skipped, Source
from monitor.protocols import Clock, Http

MENTIONS_A_PAGE = 500
FILES_A_PAGE = 200
MAX_BYTES = 50 * 1024 * 1024
KEPT_BYTES = 1024 * 1024
"""Of a file that fits nothing, so much is kept as a dead letter; the file itself stays where it is."""
UNFINISHED = (".part", ".tmp", ".crdownload", ".swp", "~")
SPOKEN = (".vtt", ".srt", ".txt", ".json")


@dataclass(frozen=True, slots=True)
class _Dropped:
    key: str
    path: Path
    size: int
    mtime_ns: int

    @property
    def state(self) -> str:
        """Changes when the file does."""
        return f"{self.size}-{self.mtime_ns}"


class FilesConnector:
    """Reads what is new or changed in a folder; the cursor keeps size and time of every file there that was read."""

    kind = "files"
    title = "A folder: CSV, JSONL, EML, VTT, SRT and text files that are dropped there"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        path: Path = Field(description="the folder to watch")
        pattern: str = Field(default="*", description='which files, for instance "*.csv"')
        zone: ZoneName = Field(default="Europe/Amsterdam", description="time zone of dates that name none")
        settle_seconds: int = Field(
            default=10, ge=0, le=3600, description="leave files alone that are younger than this"
        )

        @field_validator("path")
        @classmethod
        def _is_named(cls, value: Path) -> Path:
            if not str(value).strip() or str(value) == ".":
                message = "name the folder"
                raise ValueError(message)
            return value.expanduser()

    def __init__(self, source: Source, http: Http, now: Clock) -> None:
        self.source = source
        self.options = options_of(source, self.Options)
        self.now = now
        del http  # files need none; all connectors are made alike

    @property
    def source_id(self) -> str:
        """The source this connector reads."""
        return self.source.id

    def fetch(self, cursor: Cursor) -> Iterator[Page]:
        """Oldest file first. A file is taken up in the cursor with its last mention, never before."""
        folder = self.options.path
        known: dict[str, str] = dict(cursor.value.get("files") or {})
        dropped = _listed(folder, self.options.pattern)
        done = {key: state for key, state in known.items() if key in {file.key for file in dropped}}
        mentions: list[Mention] = []
        skipped: list[Skipped] = []
        count = 0
        for file in dropped:
            if known.get(file.key) == file.state or self._is_still_written(file):
                continue
            found, bad = self._read_file(file)
            mentions += found
            skipped += bad
            while len(mentions) > MENTIONS_A_PAGE:
                yield self._page(mentions[:MENTIONS_A_PAGE], skipped, done)
                mentions, skipped = mentions[MENTIONS_A_PAGE:], []
            done[file.key] = file.state
            count += 1
            if count % FILES_A_PAGE == 0:
                yield self._page(mentions, skipped, done)
                mentions, skipped = [], []
        yield self._page(mentions, skipped, done)

    def read(self, content: bytes, name: str) -> Page:
        """What one file holds."""
        reading = Reading(source=self.source, now=self.now(), zone=self.options.zone)
        mentions, skipped = read_document(unwrap(content, name).body, name, reading)
        return Page(mentions=mentions, skipped=skipped, cursor=Cursor(source_id=self.source_id))

    def _page(self, mentions: list[Mention], skipped: list[Skipped], done: dict[str, str]) -> Page:
        cursor = Cursor(source_id=self.source_id, value={"files": dict(done)})
        return Page(mentions=tuple(mentions), skipped=tuple(skipped), cursor=cursor)

    def _is_still_written(self, file: _Dropped) -> bool:
        age = self.now().timestamp() - file.mtime_ns / 1e9
        return 0 <= age < self.options.settle_seconds

    def _read_file(self, file: _Dropped) -> tuple[tuple[Mention, ...], tuple[Skipped, ...]]:
        if file.size > MAX_BYTES:
            return (), (Skipped(reason=f"{file.key}: larger than 50 MB; part it into smaller files"),)
        try:
            content = file.path.read_bytes()
            beside = _beside(file.path)
        except OSError as error:
            return (), (Skipped(reason=f"{file.key}: cannot be read ({error.strerror}); mend its rights and touch it"),)
        reading = Reading(source=self.source, now=self.now(), zone=self.options.zone, beside=beside)
        try:
            mentions, skipped = read_document(content, file.key, reading)
        except ResponseNotUnderstood as error:
            return (), (Skipped(reason=str(error), raw=content[:KEPT_BYTES], native_id=file.key),)
        return mentions, tuple(
            Skipped(reason=f"{file.key}, {skip.reason}", raw=skip.raw, native_id=skip.native_id) for skip in skipped
        )


def _listed(folder: Path, pattern: str) -> list[_Dropped]:
    """Finished files of the folder, oldest first; links and hidden files are left out."""
    found = []
    try:
        for path in folder.iterdir():
            name = path.name
            if name.startswith(".") or name.endswith(UNFINISHED) or not fnmatch.fnmatch(name, pattern):
                continue
            if path.is_symlink() or not path.is_file():
                continue
            facts = path.stat()
            found.append(_Dropped(key=name, path=path, size=facts.st_size, mtime_ns=facts.st_mtime_ns))
    except FileNotFoundError:
        raise SourceUnavailable(
            f"the folder {folder} does not exist; make it, or mend `path` in sources.yaml"
        ) from None
    except NotADirectoryError:
        raise SourceUnavailable(f"{folder} is a file, not a folder; mend `path` in sources.yaml") from None
    except PermissionError:
        raise AccessDenied(f"the folder {folder} may not be read; give this user the right to read it") from None
    except OSError as error:
        raise SourceUnavailable(f"the folder {folder} cannot be read: {error.strerror}") from None
    return sorted(found, key=lambda file: (file.mtime_ns, file.key))


def _beside(path: Path) -> dict[str, object] | None:
    """What `npo1.json` says about `npo1.vtt`."""
    if path.suffix.lower() not in SPOKEN or path.suffix.lower() == ".json":
        return None
    other = path.with_suffix(".json")
    told = sidecar(other.read_bytes()) if other.is_file() and not other.is_symlink() else None
    return None if told is None else dict(told)
