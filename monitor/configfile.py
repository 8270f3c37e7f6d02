"""Reads config/*.yaml and the environment into monitor.config.Settings. Every fault names file, line and remedy."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from monitor.config import NetSettings, Policy, Queue, ServiceLevel, Settings
from monitor.errors import ConfigError
from monitor.model import Rule, RuleKind, Severity, Source, Topic, TopicKind

_DURATION = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ID = r"^[a-z0-9][a-z0-9_-]*$"
_SPAN = re.compile(r"(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)")


def duration(value: Any) -> timedelta:
    """`15m`, `2h`, `1d` as a timedelta. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if match is None or int(match[1]) == 0:
        raise ValueError("write a duration as 30s, 15m, 2h, 1d or 1w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_Duration = Annotated[timedelta, BeforeValidator(duration)]
_Names = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else tuple(v or ()))]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _Net(_File):
    allow: _Names = ()
    contact: str = ""


class _Monitor(_File):
    brand: str = ""
    language: str = Field("nl", pattern="^(nl|en)$")
    languages: _Names = ("nl", "en")
    time_zone: str = "Europe/Amsterdam"
    store: str = "sqlite:///var/monitor.db"
    search: str = "sqlite:///var/search.db"
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    net: _Net = _Net()


class _Source(_File):
    id: str = Field(pattern=_ID)
    connector: str
    name: str = ""
    channel: str = ""
    every: _Duration = timedelta(minutes=15)
    language: str | None = None
    paused: bool = False
    options: dict[str, Any] = Field(default_factory=dict)


class _Sources(_File):
    sources: list[_Source] = Field(default_factory=list)


class _Topic(_File):
    id: str = Field(pattern=_ID)
    name: str
    kind: TopicKind = TopicKind.BRAND
    query: str
    languages: _Names = ()
    channels: _Names = ()


class _Topics(_File):
    topics: list[_Topic] = Field(default_factory=list)


class _Level(_File):
    name: str
    within: _Duration
    intents: _Names = ()
    channels: _Names = ()
    priorities: _Names = ()
    around_the_clock: bool = False


class _Queue(_File):
    id: str = Field(pattern=_ID)
    names: dict[str, str]
    intents: _Names = ()
    themes: _Names = ()
    channels: _Names = ()


class _Policy(_File):
    hours: dict[str, str] = Field(default_factory=dict)
    service_levels: list[_Level] = Field(default_factory=list)
    queues: list[_Queue] = Field(default_factory=list)
    agents: _Names = ()
    dismiss_reasons: _Names = ("not_about_us", "no_reply_needed", "spam", "duplicate")
    notify: dict[str, str] = Field(default_factory=dict)


class _Rule(_File):
    id: str = Field(pattern=_ID)
    name: str
    kind: RuleKind
    query: str
    severity: Severity = Severity.MEDIUM
    window: _Duration = timedelta(hours=1)
    threshold: int = Field(1, ge=1)
    factor: float = Field(3.0, gt=1)
    group_by: str | None = Field(None, pattern="^(theme|topic|product)$")
    realert: _Duration = timedelta(hours=24)
    channels: _Names = ()


class _Rules(_File):
    rules: list[_Rule] = Field(default_factory=list)


_Model = TypeVar("_Model", bound=_File)


def load_settings(folder: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `folder`; a file that is not there means its defaults. Raises ConfigError.

    `${NAME}` in an option of a source or in a notify address is taken from the environment or from `folder`/.env; a
    source whose variable is not set names it in `missing` and waits. MONITOR_STORE, MONITOR_SEARCH, MONITOR_HOST and
    MONITOR_PORT win over monitor.yaml. Relative paths of SQLite files are taken from the folder above `folder`.
    """
    folder = folder.resolve()
    known = _dotenv(folder / ".env") | dict(environment)
    monitor = _read(folder / "monitor.yaml", _Monitor)
    policy = _read(folder / "policy.yaml", _Policy)
    if monitor.time_zone not in available_timezones():
        raise ConfigError(f"{folder / 'monitor.yaml'}: {monitor.time_zone} is no time zone; write Europe/Amsterdam")
    ZoneInfo(monitor.time_zone)
    sources = tuple(_source(s, known) for s in _read(folder / "sources.yaml", _Sources).sources)
    topics = tuple(Topic(**dict(t)) for t in _read(folder / "topics.yaml", _Topics).topics)
    rules = tuple(Rule(**dict(r)) for r in _read(folder / "rules.yaml", _Rules).rules)
    for name, ids in (
        ("sources.yaml", [s.id for s in sources]),
        ("topics.yaml", [t.id for t in topics]),
        ("rules.yaml", [r.id for r in rules]),
        ("policy.yaml", [q.id for q in policy.queues]),
    ):
        _unique(folder / name, ids)
    port = known.get("MONITOR_PORT", str(monitor.port))
    if not port.isdigit():
        raise ConfigError(f"MONITOR_PORT is {port!r}, which is no port; unset it or give a number")
    return Settings(
        folder=folder,
        brand=monitor.brand,
        language=monitor.language,
        languages=monitor.languages,
        time_zone=monitor.time_zone,
        store=_rooted(known.get("MONITOR_STORE", monitor.store), folder.parent),
        search=_rooted(known.get("MONITOR_SEARCH", monitor.search), folder.parent),
        host=known.get("MONITOR_HOST", monitor.host),
        port=int(port),
        net=NetSettings(allow=monitor.net.allow, contact=monitor.net.contact),
        sources=sources,
        topics=topics,
        policy=Policy(
            hours=_hours(folder / "policy.yaml", policy.hours),
            service_levels=tuple(ServiceLevel(**dict(level)) for level in policy.service_levels),
            queues=tuple(Queue(**dict(queue)) for queue in policy.queues),
            agents=policy.agents,
            dismiss_reasons=policy.dismiss_reasons,
            rules=rules,
            notify={name: _filled(url, known)[0] for name, url in policy.notify.items()},
        ),
    )


def position_of(file: Path, *path: str | int) -> str:
    """`file:line` of a key in a YAML file, for messages; the file alone where the key is not found."""
    try:
        data = YAML().load(file.read_text("utf-8"))
    except (OSError, MarkedYAMLError):
        return str(file)
    return _where(file, data, path)


def _read(file: Path, model: type[_Model]) -> _Model:
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return model()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); make it a readable UTF-8 file") from error
    try:
        data = YAML().load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: this is no YAML: {error.problem}; mend the indentation or quotes") from None
    try:
        return model.model_validate(_plain(data) if data is not None else {})
    except ValidationError as error:
        raise ConfigError("\n".join(_fault(file, data, fault, model) for fault in error.errors())) from None


def _fault(file: Path, data: Any, fault: Any, model: type[BaseModel]) -> str:
    path = tuple(part for part in fault["loc"] if not str(part).startswith("function-"))
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), _keys(model, path[:-1]), n=1)
        message = f"{path[-1]!r} is not known here" + (f"; did you mean {near[0]!r}?" if near else "; remove it")
    elif fault["type"] == "missing":
        message = f"{path[-1]!r} is missing; add it"
        path = path[:-1]
    name = ".".join(str(part) for part in path)
    return f"{_where(file, data, path)}: {name + ': ' if name else ''}{message}"


def _keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    found: type[BaseModel] = model
    for part in path:
        if isinstance(part, str) and part in found.model_fields:
            annotation = found.model_fields[part].annotation
            inner = getattr(annotation, "__args__", (annotation,))[-1]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found = inner
    return list(found.model_fields)


def _where(file: Path, data: Any, path: tuple[str | int, ...]) -> str:
    line = 1
    for part in path:
        try:
            marks = data.lc
            line = (marks.item(part) if isinstance(part, int) else marks.key(part))[0] + 1
            data = data[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return f"{file}:{line}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _unique(file: Path, ids: list[str]) -> None:
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise ConfigError(f"{file}: the id {name!r} stands there twice; rename one")


def _source(raw: _Source, known: Mapping[str, str]) -> Source:
    options, missing = _filled(raw.options, known)
    return Source(
        id=raw.id,
        connector=raw.connector,
        name=raw.name or raw.id,
        channel=raw.channel or raw.connector,
        options=options,
        every=raw.every,
        language=raw.language,
        missing=missing,
        paused=raw.paused,
    )


def _filled(value: Any, known: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """`value` with `${NAME}` filled in, and the names that are not set."""
    missing: list[str] = []

    def fill(inner: Any) -> Any:
        if isinstance(inner, Mapping):
            return {key: fill(deeper) for key, deeper in inner.items()}
        if isinstance(inner, list):
            return [fill(deeper) for deeper in inner]
        if not isinstance(inner, str):
            return inner
        missing.extend(name for name in _VARIABLE.findall(inner) if not known.get(name))
        return _VARIABLE.sub(lambda match: known.get(match[1], ""), inner)

    return fill(value), tuple(dict.fromkeys(missing))


def _dotenv(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _hours(file: Path, written: Mapping[str, str]) -> dict[int, tuple[time, time]]:
    hours: dict[int, tuple[time, time]] = {}
    for days, span in written.items():
        first, _, last = days.partition("-")
        match = _SPAN.fullmatch(span.strip())
        if first not in _WEEKDAYS or (last and last not in _WEEKDAYS) or match is None:
            where = position_of(file, "hours", days)
            raise ConfigError(f"{where}: write opening hours as mon-fri: 09:00-17:30")
        opens, closes = (_time(file, part) for part in match.groups())
        begin = _WEEKDAYS.index(first)
        for day in range(begin, _WEEKDAYS.index(last or first) + 1):
            hours[day] = (opens, closes)
    return hours


def _time(file: Path, text: str) -> time:
    hour, _, minute = text.partition(":")
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise ConfigError(f"{file}: {text} is no time of day; write 09:00") from None


def _rooted(url: str, root: Path) -> str:
    """A relative SQLite path counted from `root`; other addresses as they are."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return prefix + str(root / url.removeprefix(prefix))
    return url
