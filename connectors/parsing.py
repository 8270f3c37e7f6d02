"""What all connectors do with answers: unwrap, parse, and read one by one so that one bad mention costs one mention."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ValidationError

from monitor.errors import AccessDenied, ConfigError, RateLimited, ResponseNotUnderstood, SourceUnavailable
from monitor.model import Json, Mention, Skipped, Source
from monitor.text.clean import clean

AnyOptions = TypeVar("AnyOptions", bound=BaseModel)
Row = TypeVar("Row")


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        message = "not an address: it must start with https:// or http:// and name a host"
        raise ValueError(message)
    return value.strip()


def _zone_name(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "not a time zone; write for instance Europe/Amsterdam"
        raise ValueError(message) from None


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An option that holds an http(s) address."""

ZoneName = Annotated[str, AfterValidator(_zone_name)]
"""An option that holds the name of a time zone."""

SHOWN = 160
"""So many characters of a strange answer are shown in an error."""

SHAPE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading a mention raises when its shape is not the expected one."""


class NotAMention(ValueError):
    """Raised by a reader of rows: fetched, but no mention; `keep` False: nothing to mend, so only count it."""

    def __init__(self, reason: str, *, keep: bool = True) -> None:
        super().__init__(reason)
        self.keep = keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An answer taken from a file: a recording with status and headers, or a bare body (then 200, no headers)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str | None = None


def options_of(source: Source, kind: type[AnyOptions]) -> AnyOptions:
    """The source's options as typed settings. ConfigError names the source, the field and the remedy."""
    try:
        return kind.model_validate(dict(source.options))
    except ValidationError as error:
        faults = "; ".join(_fault(fault, kind) for fault in error.errors(include_input=False, include_url=False))
        raise ConfigError(f"source {source.id!r} in sources.yaml: {faults}") from None


def _fault(fault: Any, kind: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in fault["loc"]) or "options"
    if fault["type"] == "missing":
        described = kind.model_fields[name].description if name in kind.model_fields else None
        return f"option {name!r} is missing" + (f" ({described})" if described else "")
    if fault["type"] == "extra_forbidden":
        return f"option {name!r} is unknown; {kind.__qualname__.split('.')[0]} has {', '.join(kind.model_fields)}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"option {name!r}: {message}"


def parse_json(content: bytes, name: str) -> Json:
    """JSON, integers exact whatever their length. Anything else raises ResponseNotUnderstood with the raw answer."""
    try:
        return json.loads(content.removeprefix(b"\xef\xbb\xbf"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ResponseNotUnderstood(f"{name} is not JSON ({reason}): {shown(content)}", raw=content) from None


def _no_constant(name: str) -> None:
    message = f"{name} is no JSON value"
    raise ValueError(message)


def unwrap(content: bytes, name: str) -> Recorded:
    """A recorded answer `{"request", "status", "headers", "body"}`, or the body alone. Never raises for odd content."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or b'"body"' not in content:
        return Recorded(body=content)
    try:
        outer = parse_json(content, name)
    except ResponseNotUnderstood:
        return Recorded(body=content)
    if not isinstance(outer, dict) or "body" not in outer or not isinstance(outer.get("status"), (int, dict)):
        return Recorded(body=content)
    if not outer.keys() <= {"request", "status", "headers", "body", "url", "recorded_at"}:
        return Recorded(body=content)
    status, headers, body, request = outer["status"], outer.get("headers") or {}, outer["body"], outer.get("request")
    if isinstance(status, dict):
        status = status.get("code", 200)
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()
    return Recorded(
        status=int(status),
        headers={str(key).lower(): _header(value) for key, value in headers.items()}
        if isinstance(headers, dict)
        else {},
        body=raw,
        url=_url_of(request),
    )


def _header(value: Json) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _url_of(request: Json) -> str | None:
    if isinstance(request, dict):
        found = request.get("url") or request.get("uri")
        return found if isinstance(found, str) else None
    return None


def recorded_json(content: bytes, name: str) -> Json:
    """The JSON of a recorded answer or a bare body. A recorded failure raises what the live one would."""
    recorded = unwrap(content, name)
    fail_on_status(recorded, name)
    return parse_json(recorded.body, name)


def fail_on_status(recorded: Recorded, name: str) -> None:
    """Raise the SourceError that fits the recorded status; 404 and 410 pass: connectors know what they mean."""
    status = recorded.status
    said = shown(recorded.body)
    if status in {401, 403}:
        raise AccessDenied(f"{name}: the source refused access ({status}): {said}")
    if status == 429:  # noqa: PLR2004 - the status code is its own name
        after = recorded.headers.get("retry-after", "")
        wait = float(after) if after.isdecimal() else None
        raise RateLimited(f"{name}: the source asks for patience (429): {said}", retry_after=wait)
    if status >= 500:  # noqa: PLR2004 - the status code is its own name
        raise SourceUnavailable(f"{name}: the source failed ({status}): {said}")


def each(
    rows: Iterable[Row],
    read: Callable[[Row], Mention | None],
    *,
    raw: Callable[[Row], bytes] | None = None,
    native_id: Callable[[Row], str | None] | None = None,
) -> tuple[tuple[Mention, ...], tuple[Skipped, ...]]:
    """Read rows one by one. A row of a strange shape is skipped with the reason and kept raw; None is left out.

    `raw` must give bytes that the connector's own `read` understands again (default: the row as JSON).
    """
    mentions: list[Mention] = []
    skipped: list[Skipped] = []
    for row in rows:
        try:
            mention = read(row)
            mention = mention and storable(mention)
        except NotAMention as error:
            kept = (raw or as_json)(row) if error.keep else None
            skipped.append(Skipped(reason=str(error), raw=kept, native_id=_quietly(native_id, row)))
        except SHAPE_ERRORS as error:
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            skipped.append(Skipped(reason=reason, raw=(raw or as_json)(row), native_id=_quietly(native_id, row)))
        else:
            if mention is not None:
                mentions.append(mention)
    return tuple(mentions), tuple(skipped)


def _quietly(native_id: Callable[[Row], str | None] | None, row: Row) -> str | None:
    try:
        return None if native_id is None else native_id(row)
    except SHAPE_ERRORS:
        return None


def storable(mention: Mention) -> Mention:
    """The mention with no lone surrogate, NUL or number in it that a database or a JSON column would refuse."""
    author = mention.author
    if author is not None:
        author = replace(
            author,
            native_id=_text_kept(author.native_id),
            name=_text_kept(author.name),
            handle=_text_kept(author.handle),
            url=_text_kept(author.url),
        )
    return replace(
        mention,
        origin=clean(mention.origin),
        native_id=clean(mention.native_id),
        channel=clean(mention.channel),
        url=_text_kept(mention.url),
        title=_text_kept(mention.title),
        text=clean(mention.text),
        language=_text_kept(mention.language),
        parent_id=_text_kept(mention.parent_id),
        thread_id=_text_kept(mention.thread_id),
        author=author,
        raw=_value_kept(dict(mention.raw)),
    )


def _text_kept(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _value_kept(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _value_kept(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value_kept(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def as_json(value: Any) -> bytes:
    """Bytes to keep; what JSON does not know becomes text."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def rows_of(answer: Json, key: str, name: str) -> list[Json]:
    """The list under `key`. Its absence, or anything but a list, raises ResponseNotUnderstood."""
    rows = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        held = ", ".join(sorted(map(str, answer))[:8]) if isinstance(answer, dict) else type(answer).__name__
        raise ResponseNotUnderstood(f"{name}: no list {key!r} in the answer; it holds: {held}", raw=as_json(answer))
    return rows


def count_of(value: Json) -> int | None:
    """A counter as a number; None where the source told none. "12" counts, true and "many" do not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and value >= 0 else None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        return int(value)
    return None


def text_or_none(value: Json) -> str | None:
    """A text with something in it, stripped; ids that came as numbers keep every digit."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (str, int)):
        return str(value).strip() or None
    return None


def shown(content: bytes) -> str:
    """The beginning of a strange answer on one line, for an error."""
    text = " ".join(content[: SHOWN * 4].decode("utf-8", "replace").split())
    printable = "".join(char if char.isprintable() else "·" for char in text)
    return printable[:SHOWN] + ("…" if len(printable) > SHOWN else "")
