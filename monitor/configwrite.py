"""Adds entries to config/*.yaml without losing a comment, and secrets to config/.env, readable by the owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from monitor.errors import ConfigError


def add_entry(file: Path, key: str, entry: Mapping[str, Any]) -> None:
    """Append `entry` to the list under `key`; an entry with the same id is replaced. The file is swapped in whole."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 110
    try:
        data = yaml.load(file.read_text("utf-8")) if file.exists() else None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: this is no YAML: {error.problem}; mend it first") from None
    if data is None:
        data = CommentedMap()
    entries = data.get(key)
    if not isinstance(entries, list):
        entries = data[key] = CommentedSeq()
    entries.fa.set_block_style()
    for position, old in enumerate(entries):
        if old.get("id") == entry["id"]:
            entries[position] = dict(entry)
            break
    else:
        entries.append(dict(entry))
    file.parent.mkdir(parents=True, exist_ok=True)
    _swap(file, lambda handle: yaml.dump(data, handle), mode=0o644)


def add_secret(file: Path, name: str, value: str) -> None:
    """Set NAME=value in an environment file that only its owner may read."""
    if "\n" in value or "\r" in value:
        raise ConfigError(f"{name}: a secret is one line")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    kept = [line for line in lines if line.partition("=")[0].strip() != name]
    text = "\n".join([*kept, f"{name}={value}"]) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    _swap(file, lambda handle: handle.write(text), mode=0o600)


def _swap(file: Path, write: Any, *, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
