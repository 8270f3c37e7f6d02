"""The search index on SQLite FTS5, in a file of its own: no migrations, no backup; another schema builds it anew."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from monitor.errors import SearchUnavailable
from monitor.model import SearchDocument
from monitor.protocols import Found
from monitor.query import Node, parse
from monitor.query.fields import FIELDS, Kind
from monitor.query.matcher import matches
from monitor.search.compile_sqlite import SEPARATOR, Compiled, column_of, compile_query, micros
from monitor.store.engine import SAFE_WAL, sqlite

SCHEMA = "2"
MAX_COUNTED = 20_000
_SLICE = 500
_FACETS = ("source", "channel", "intent", "sentiment", "theme", "language")
_STORED = [name for name, field in FIELDS.items() if field.kind is not Kind.TEXT]
_TYPES = {Kind.EQUALITY: "TEXT", Kind.NUMBER: "REAL", Kind.DATE: "INTEGER"}
_TABLES = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE doc (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL, revision INTEGER NOT NULL,
  tok_title TEXT NOT NULL, tok TEXT NOT NULL, tok_title_cs TEXT NOT NULL, tok_cs TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE facet (
  no INTEGER PRIMARY KEY, when_at INTEGER NOT NULL,
  {", ".join(f"{column_of(name)} {_TYPES[FIELDS[name].kind]}" for name in _STORED)}
);
CREATE INDEX facet_when ON facet (when_at, no);
CREATE INDEX facet_cover ON facet (when_at, {", ".join(column_of(name) for name in _FACETS)});
CREATE VIRTUAL TABLE fts USING fts5(
  tok_title, tok, content='doc', content_rowid='no',
  tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co S* M* P*' tokenchars '@#_'"
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab('fts', 'row');
"""


class SqliteIndex:
    """Implements monitor.protocols.SearchIndex. One writer at a time; each thread reads on a connection of its own."""

    def __init__(self, url: str, *, zone: str = "Europe/Amsterdam") -> None:
        self._path = Path(url.removeprefix("sqlite:///"))
        self._zone = zone
        self._local = threading.local()
        self._all: list[Any] = []
        self._lock = threading.RLock()
        with self._sentences(), self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._about("schema") != SCHEMA:
                self.rebuild()

    # --- writing ---

    def write(self, documents: Iterable[SearchDocument], gone: Iterable[int] = ()) -> None:
        """Put documents in, an older revision never over a newer one; take the numbers in `gone` out."""
        with self._writing() as connection:
            for no in gone:
                _remove(connection, no)
            newest: dict[int, SearchDocument] = {}
            for document in documents:
                if document.no not in newest or newest[document.no].revision < document.revision:
                    newest[document.no] = document
            held = _revisions(connection, list(newest))
            due = [document for no, document in newest.items() if held.get(no, -1) < document.revision]
            for document in due:
                if document.no in held:
                    _remove(connection, document.no)
            _insert(connection, due)

    def rebuild(self) -> None:
        """Empty the index and give it a new generation."""
        with self._writing() as connection:
            for name in ("vocabulary", "fts", "doc", "facet", "about"):
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in filter(str.strip, _TABLES.split(";\n")):
                connection.execute(statement)
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('secure-delete', 1)")
            connection.executemany(
                "INSERT INTO about VALUES (?, ?)", [("schema", SCHEMA), ("generation", uuid.uuid4().hex)]
            )

    # --- reading ---

    def search(
        self,
        query: str,
        *,
        limit: int,
        after: tuple[datetime, int] | None = None,
        facets: bool = False,
        now: datetime | None = None,
    ) -> Found:
        """What matches, newest first. Raises QueryError for the query's own faults."""
        node = parse(query, zone=self._zone, now=now or datetime.now(UTC))
        with self._sentences():
            compiled = compile_query(node, self._terms)
            page = self._page(node, compiled, limit, after)
            more = len(page) > limit
            page = page[:limit]
            total, more_than = self._total(node, compiled)
            counted = self._facets(node, compiled) if facets else None
        last = page[-1] if page and more else None
        return Found(
            ids=tuple(row[1] for row in page),
            total=total,
            more_than=more_than,
            facets=counted,
            next_after=None if last is None else (_moment(last[2]), last[0]),
        )

    def count(self) -> int:
        """All documents."""
        with self._sentences():
            return int(self._connection().execute("SELECT count(*) FROM doc").fetchone()[0])

    @property
    def generation(self) -> str:
        """Changes when the index was made anew."""
        with self._sentences():
            return self._about("generation") or ""

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()

    # --- inside ---

    def _page(
        self, node: Node, compiled: Compiled, limit: int, after: tuple[datetime, int] | None
    ) -> list[tuple[int, str, int]]:
        """One row more than `limit` where there is one. Inexact candidates are read until the page is full."""
        found: list[tuple[int, str, int]] = []
        place = (micros(after[0]), after[1]) if after else None
        while len(found) <= limit:
            size = limit + 1 if compiled.exact else max(limit + 1, _SLICE)
            rows = self._candidates(compiled, size, place)
            found.extend(self._checked(node, compiled, rows))
            if len(rows) < size:
                break
            place = (rows[-1][2], rows[-1][0])
        return found

    def _candidates(self, compiled: Compiled, size: int, place: tuple[int, int] | None) -> list[tuple[int, str, int]]:
        further = "AND (when_at, no) < (?, ?)" if place else ""
        columns = "no, (SELECT id FROM doc WHERE doc.no = facet.no), when_at"
        order = "ORDER BY when_at DESC, no DESC LIMIT ?"
        sql = f"SELECT {columns} FROM facet WHERE {compiled.sql} {further} {order}"  # noqa: S608 - all values are bound
        return self._connection().execute(sql, (*compiled.values, *(place or ()), size)).fetchall()  # type: ignore[no-any-return]  # a driver without types

    def _checked(
        self, node: Node, compiled: Compiled, rows: Sequence[tuple[int, str, int]]
    ) -> list[tuple[int, str, int]]:
        if compiled.exact:
            return list(rows)
        return [row for row in rows if matches(node, self._document(row[0]))]

    def _document(self, no: int) -> SearchDocument:
        sql = "SELECT id, revision, tok_title, tok, tok_title_cs, tok_cs, data FROM doc WHERE no = ?"
        row = self._connection().execute(sql, (no,)).fetchone()
        fields, when = _unpacked(row[6])
        title, text, title_cs, text_cs = (tuple(column.split(" ")) if column else () for column in row[2:6])
        return SearchDocument(
            no=no, id=row[0], revision=row[1], title_tokens=title, tokens=text, title_tokens_cs=title_cs,
            tokens_cs=text_cs, fields=fields, when=when,
        )  # fmt: skip

    def _total(self, node: Node, compiled: Compiled) -> tuple[int, bool]:
        if compiled.exact:
            sql = f"SELECT count(*) FROM (SELECT 1 FROM facet WHERE {compiled.sql} LIMIT ?)"  # noqa: S608 - see above
            total = self._connection().execute(sql, (*compiled.values, MAX_COUNTED + 1)).fetchone()[0]
        else:
            total = len(self._hits(node, compiled))
        return min(total, MAX_COUNTED), total > MAX_COUNTED

    def _hits(self, node: Node, compiled: Compiled) -> list[int]:
        """Numbers of the newest hits, one more than are counted where there are more."""
        rows = self._candidates(compiled, MAX_COUNTED + 1, None)
        return [row[0] for row in self._checked(node, compiled, rows)]

    def _facets(self, node: Node, compiled: Compiled) -> Mapping[str, Mapping[str, int]]:
        """Counts over the newest hits, by field and month."""
        connection = self._connection()
        if compiled.exact:
            hits = f"SELECT no FROM facet WHERE {compiled.sql} ORDER BY when_at DESC LIMIT {MAX_COUNTED}"  # noqa: S608
            values: tuple[object, ...] = compiled.values
        else:
            hits = "SELECT value AS no FROM json_each(?)"
            values = (orjson.dumps(self._hits(node, compiled)[:MAX_COUNTED]).decode(),)
        parts = [f"SELECT '{name}', {column_of(name)}, count(*) FROM h GROUP BY 2" for name in _FACETS]  # noqa: S608
        month = "strftime('%Y-%m', when_at / 1000000, 'unixepoch')"
        parts.append(f"SELECT 'month', {month}, count(*) FROM h GROUP BY 2")  # noqa: S608
        columns = ", ".join(column_of(name) for name in _FACETS)
        sql = (
            f"WITH h AS MATERIALIZED (SELECT when_at, {columns} FROM facet WHERE no IN ({hits})) "  # noqa: S608
            + " UNION ALL ".join(parts)
        )
        found: dict[str, dict[str, int]] = {name: {} for name in (*_FACETS, "month")}
        for name, value, count in connection.execute(sql, values):
            for one in (
                value.strip(SEPARATOR).split(SEPARATOR) if value and name in FIELDS and FIELDS[name].many else [value]
            ):
                if one:
                    found[name][one] = found[name].get(one, 0) + count
        return {name: dict(sorted(counts.items(), key=lambda c: (-c[1], c[0]))) for name, counts in found.items()}

    def _terms(self, prefix: str) -> list[str]:
        sql = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT 5000"
        return [row[0] for row in self._connection().execute(sql, (prefix, prefix + "\U0010ffff"))]

    def _about(self, name: str) -> str | None:
        connection = self._connection()
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
            return None
        row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite.connect(str(self._path), timeout=30, check_same_thread=False)
            _set_up(connection)
            self._local.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        with self._lock, self._sentences():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite.Error as error:
            raise SearchUnavailable(f"{self._path}: the search index cannot be used ({error})") from error


def _set_up(connection: Any) -> None:
    connection.isolation_level = None
    journal = "WAL" if sqlite.sqlite_version_info >= SAFE_WAL else "DELETE"
    for pragma in ("busy_timeout=30000", f"journal_mode={journal}", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _revisions(connection: Any, numbers: list[int]) -> dict[int, int]:
    sql = "SELECT no, revision FROM doc WHERE no IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(sql, (orjson.dumps(numbers).decode(),)).fetchall())


def _insert(connection: Any, documents: Sequence[SearchDocument]) -> None:
    docs, texts, facets = [], [], []
    for document in documents:
        no = document.no
        title, text = " ".join(document.title_tokens), " ".join(document.tokens)
        cased = " ".join(document.title_tokens_cs), " ".join(document.tokens_cs)
        docs.append((no, document.id, document.revision, title, text, *cased, _packed(document)))
        texts.append((no, title, text))
        facets.append((no, micros(document.when), *(_column(document.fields.get(name)) for name in _STORED)))
    connection.executemany("INSERT INTO doc VALUES (?, ?, ?, ?, ?, ?, ?, ?)", docs)
    connection.executemany("INSERT INTO fts(rowid, tok_title, tok) VALUES (?, ?, ?)", texts)
    marks = ", ".join("?" * (len(_STORED) + 2))
    connection.executemany(f"INSERT INTO facet VALUES ({marks})", facets)  # noqa: S608 - only marks


def _remove(connection: Any, no: int) -> None:
    row = connection.execute("SELECT tok_title, tok FROM doc WHERE no = ?", (no,)).fetchone()
    if row is None:
        return
    connection.execute("INSERT INTO fts(fts, rowid, tok_title, tok) VALUES ('delete', ?, ?, ?)", (no, row[0], row[1]))
    connection.execute("DELETE FROM doc WHERE no = ?", (no,))
    connection.execute("DELETE FROM facet WHERE no = ?", (no,))


def _column(value: Any) -> Any:
    if isinstance(value, tuple):
        return SEPARATOR + SEPARATOR.join(sorted(value)) + SEPARATOR
    return micros(value) if isinstance(value, datetime) else value


def _packed(document: SearchDocument) -> str:
    fields = {n: list(v) if isinstance(v, tuple) else v for n, v in document.fields.items()}
    return orjson.dumps({"when": document.when, "fields": fields}).decode()


def _unpacked(data: str) -> tuple[dict[str, Any], datetime]:
    held = orjson.loads(data)
    fields: dict[str, Any] = {}
    for name, value in held["fields"].items():
        if FIELDS[name].kind is Kind.DATE:
            fields[name] = datetime.fromisoformat(value)
        else:
            fields[name] = tuple(value) if isinstance(value, list) else value
    return fields, datetime.fromisoformat(held["when"])


def _moment(value: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + (datetime.resolution * value)
