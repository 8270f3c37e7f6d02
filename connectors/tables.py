"""Tables -> rows -> mentions: CSV and JSON lines with Dutch or English headings, ids exact to the digit."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.parsing import NotAMention, as_json, count_of, parse_json, text_or_none
from connectors.reading import Reading
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Engagement, Json, Mention, digest
from monitor.text.clean import clean
from monitor.text.dates import parse_date
from monitor.text.urls import absolute

_NAMES = {
    "id": "native_id article_id call_id tweet_id post_id review_id message_id bericht_id mention_id id "
    "kenmerk gespreks_id gesprek_id artikel_id nr nummer",
    "text": "text body tekst bericht berichttekst content message inhoud full_text notes note notities "
    "notitie gespreksnotitie omschrijving opmerking opmerkingen toelichting klacht review reactie "
    "samenvatting summary snippet fragment",
    "transcript": "transcript transcriptie uitgeschreven_tekst",
    "title": "title titel kop headline onderwerp subject reason reden",
    "url": "url link permalink adres_van_bericht webadres",
    "author": "author_name author auteur naam name klant klantnaam afzender schrijver journalist",
    "author_id": "author_id user_id klantnummer customer_id",
    "handle": "author_handle handle username screen_name gebruikersnaam account gebruiker",
    "caller": "caller beller telefoonnummer telefoon phone",
    "callee": "callee gebelde",
    "published": "published_at published_on published created_at started_at datum_tijd datumtijd tijdstip "
    "timestamp publicatiedatum gepubliceerd geplaatst_op date datum date_time datetime when",
    "time": "time tijd uur",
    "publication": "publication publicatie medium krant titel_medium outlet",
    "channel": "channel kanaal platform bron source",
    "origin": "origin",
    "language": "language lang taal",
    "rating": "rating stars sterren score cijfer beoordeling",
    "rating_max": "rating_max max_score schaal",
    "followers": "followers followers_count volgers author_followers",
    "likes": "likes like_count favorite_count vind_ik_leuks",
    "shares": "shares retweet_count gedeeld",
    "replies": "replies reply_count antwoorden",
    "views": "views reach bereik oplage impressies weergaven impression_count",
    "thread": "thread_id conversation_id case_id gesprek zaaknummer",
    "parent": "parent_id in_reply_to in_reply_to_id",
    "private": "is_private private vertrouwelijk",
}
HEADINGS: Mapping[str, tuple[str, ...]] = {what: tuple(names.split()) for what, names in _NAMES.items()}
"""What a heading may be called; earlier names win where a table has several."""

LONGEST_FIELD = 1_000_000
LONGEST_HEADING = 10_000
SHORTEST_NUMBER = 6
_SHORTENED = re.compile(r"^-?\d[.,]\d+[eE][+-]?\d+$|^-?\d+[eE]\+\d+$")
_YES = {"1", "true", "yes", "ja", "j", "y", "waar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row by our own names; `raw` is a small table of its own, heading included, that reads as this row."""

    line: int
    values: Mapping[str, Json]
    told: Mapping[str, Json]
    raw: bytes
    fault: str | None = None
    id_heading: str = "id"


def decoded(content: bytes) -> str:
    """Text from bytes: a byte order mark counts, else UTF-8, else Windows-1252. NULs are dropped."""
    for mark, charset in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :].decode(charset, "replace").replace("\x00", "")
    try:
        return content.decode("utf-8").replace("\x00", "")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").replace("\x00", "")


def looks_like_table(text: str) -> bool:
    """True if the first line is a heading with something to read under one of its names."""
    heading = _heading(text)
    return heading is not None and bool({"text", "transcript", "title"} & set(_columns(heading[0]).values()))


def csv_rows(text: str, name: str) -> Iterator[Row]:
    """Rows of a table; one with too many fields has a `fault`. Without heading: ResponseNotUnderstood."""
    heading = _heading(text)
    if heading is None:
        raise ResponseNotUnderstood(f"{name}: no heading, so no table", raw=text.encode("utf-8", "replace"))
    names, separator = heading
    columns = _columns(names)
    if not {"text", "transcript", "title"} & set(columns.values()):
        raise ResponseNotUnderstood(
            f"{name}: no column holds the text; call one text, body or tekst (there are: {', '.join(names)[:200]})",
            raw=text.encode("utf-8", "replace"),
        )
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    next(reader)
    line = reader.line_num + 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            yield Row(
                line=line, values={}, told={}, raw=text.encode("utf-8", "replace")[:LONGEST_FIELD], fault=str(error)
            )
            return
        if fields is None:
            return
        if any(value.strip() for value in fields):
            yield _csv_row(line, names, columns, fields, separator)
        line = reader.line_num + 1


def _csv_row(line: int, names: list[str], columns: Mapping[int, str], fields: list[str], separator: str) -> Row:
    kept = io.StringIO()
    writer = csv.writer(kept, delimiter=separator, lineterminator="\n")
    writer.writerow(names)
    writer.writerow(fields)
    fault = None
    if len(fields) > len(names):
        fault = f"{len(fields)} fields under {len(names)} headings"
    return Row(
        line=line,
        values=_chosen({what: fields[at].strip() for at, what in columns.items() if at < len(fields)}),
        told={told: value for told, value in zip(names, fields, strict=False) if value.strip()},
        raw=kept.getvalue().encode("utf-8", "surrogatepass"),
        fault=fault,
        id_heading=_id_heading(names, columns),
    )


def json_rows(text: str, name: str) -> Iterator[Row]:
    """One JSON object a line; a line that is none has a `fault`."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            told = parse_json(line.encode("utf-8", "surrogatepass"), name)
            fault = None if isinstance(told, dict) else "not a JSON object"
        except ResponseNotUnderstood:
            told, fault = {}, "not JSON"
        yield object_row(number, told if fault is None else {}, line.encode("utf-8", "surrogatepass"), fault)


def object_row(line: int, told: Mapping[str, Json], raw: bytes | None = None, fault: str | None = None) -> Row:
    """A row from one JSON object; an author may be an object of its own."""
    flat = dict(told)
    who = flat.get("author")
    if isinstance(who, dict):
        del flat["author"]
        flat |= {f"author_{key}": value for key, value in who.items() if key in {"id", "name", "handle", "followers"}}
    columns = _columns(list(flat))
    values = [value.strip() if isinstance(value, str) else value for value in flat.values()]
    return Row(
        line=line,
        values=_chosen({what: values[at] for at, what in columns.items()}),
        told=told,
        raw=raw if raw is not None else as_json(told),
        fault=fault,
        id_heading=_id_heading(list(flat), columns),
    )


def mention_of(row: Row, reading: Reading) -> Mention:
    """The mention in a row. NotAMention, with the line's number, where an id was shortened or nothing is said."""
    if row.fault:
        raise NotAMention(f"line {row.line}: {row.fault}")
    source, values = reading.source, row.values
    native_id = _exact_id(values.get("id"), row.line)
    text = clean(_text(values, "text") or _text(values, "transcript"))
    title = clean(_text(values, "title")) or None
    if not text and title is None:
        raise NotAMention(f"line {row.line}: nothing is said in it")
    moment = " ".join(filter(None, [_text(values, "published"), _text(values, "time")]))
    read = parse_date(moment, zone=reading.zone, now=reading.now)
    caller = _text(values, "caller")
    author = _author(values, caller)
    said = title if title and not caller else text[:500]
    publication = _text(values, "publication")
    named = native_id or "hash:" + digest(publication or caller or (author.name if author else None), moment, said)
    raw = {"line": row.line, "row": _without_number(row.told), "date_note": read.note}
    return Mention(
        source_id=source.id,
        origin=_text(values, "origin") or f"{source.id}/{row.id_heading}",
        native_id=named,
        channel=_text(values, "channel") or source.channel,
        url=absolute(_text(values, "url"), "") if _text(values, "url") else None,
        title=title,
        text=text,
        author=author,
        language=_text(values, "language") or source.language,
        published_at=read.moment,
        fetched_at=reading.now,
        thread_id=_exact_id(values.get("thread"), row.line),
        parent_id=_exact_id(values.get("parent"), row.line),
        rating=_number(values.get("rating")),
        rating_max=_number(values.get("rating_max")),
        engagement=Engagement(
            likes=count_of(values.get("likes")),
            replies=count_of(values.get("replies")),
            shares=count_of(values.get("shares")),
            views=count_of(values.get("views")),
        ),
        is_private=bool(caller) or _text(values, "private").lower() in _YES,
        raw={key: value for key, value in raw.items() if value},
    )


def _author(values: Mapping[str, Json], caller: str) -> Author | None:
    """Who wrote or called. A telephone number is kept as its hash and its last three digits."""
    if caller:
        digits = re.sub(r"\D", "", caller)
        is_number = len(digits) >= SHORTEST_NUMBER and not re.search(r"[^\W\d]", caller)
        national = re.sub(r"^(?:00)?31|^0", "", digits) if is_number else caller.lower()
        name = _text(values, "author") or (f"…{digits[-3:]}" if digits else None)
        return Author(native_id=digest("telephone", national), name=clean(name) if name else None)
    name, handle, native_id = _text(values, "author"), _text(values, "handle"), _text(values, "author_id")
    if not (name or handle or native_id):
        return None
    return Author(
        native_id=native_id or None,
        name=clean(name) or None,
        handle=handle.removeprefix("@") or None,
        followers=count_of(values.get("followers")),
    )


def _without_number(told: Mapping[str, Json]) -> dict[str, Json]:
    """The row as told, without the columns that hold telephone numbers."""
    hidden = {*HEADINGS["caller"], *HEADINGS["callee"]}
    return {name: value for name, value in told.items() if _normal(name) not in hidden}


def _exact_id(value: Json, line: int) -> str | None:
    """An id to the last digit. One that a spreadsheet or a number type has shortened is refused."""
    shortened = isinstance(value, float) or (isinstance(value, str) and _SHORTENED.match(value))
    if shortened:
        raise NotAMention(
            f"line {line}: the id {value} was shortened by a spreadsheet; export that column as text and drop it again"
        )
    return text_or_none(value)


def _text(values: Mapping[str, Json], what: str) -> str:
    value = values.get(what)
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, (dict, list)):
        message = f"{what} holds {type(value).__name__}, not a text"
        raise TypeError(message)
    return "" if value is None else str(value).strip()


def _number(value: Json) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    found = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,3})?)\s*(?:/\s*\d+)?\s*", value) if isinstance(value, str) else None
    return float(found.group(1).replace(",", ".")) if found else None


def _chosen(values: dict[str, Json]) -> dict[str, Json]:
    return {what: value for what, value in values.items() if value not in (None, "")}


def _heading(text: str) -> tuple[list[str], str] | None:
    first = re.split(r"\r|\n", text.lstrip("\ufeff\r\n"), maxsplit=1)[0]
    bare = re.sub(r'"[^"]*"', "", first)
    separator = max(";,\t|", key=bare.count)
    if not first.strip() or len(first) > LONGEST_HEADING:
        return None
    names = next(csv.reader([first], delimiter=separator))
    return [name.strip() for name in names], separator


def _columns(names: list[str]) -> dict[int, str]:
    """Which column holds what, by its position. Of several candidates the name listed first wins."""
    found: dict[int, str] = {}
    normal = [_normal(name) for name in names]
    for what, known in HEADINGS.items():
        position = next((normal.index(name) for name in known if name in normal), None)
        if position is not None and position not in found:
            found[position] = what
    return found


def _id_heading(names: list[str], columns: Mapping[int, str]) -> str:
    """What the column with ids is called: the 12th call and the 12th article of one folder are two mentions."""
    return next((_normal(names[at]) for at, what in columns.items() if what == "id"), "none")


def _normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
