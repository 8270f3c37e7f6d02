"""Keeping, finding, claiming, and the whole way from a recorded page to the record."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

import connectors
from monitor.bootstrap import utc_now
from monitor.config import NetSettings
from monitor.demo.config import demo_settings
from monitor.model import Enrichment, Sentiment
from monitor.net.client import HttpClient
from monitor.protocols import CaseFilter
from monitor.search.compile_sqlite import micros
from monitor.search.document import document
from monitor.search.sqlite import _STORED, SqliteIndex, _column, _packed
from monitor.stages.index import BATCH
from monitor.stages.tag import tag
from monitor.store import SqlStore, open_store
from monitor.web.app import create_app
from nlp.tagger import load_tagger
from tests.benchmarks import texts
from tests.benchmarks.measure import Row, at_least, at_most, cpu, milliseconds
from tests.contracts.store import a_case, an_event
from tests.factories import NOON

PAGE, MENTIONS, CASES = 500, 5_000, 10_000
THEMES, INTENTS, MOODS = ("app", "delivery", "billing"), ("complaint", "question"), ("negative", "neutral", "positive")


@contextmanager
def a_record() -> Iterator[tuple[SqlStore, Path]]:
    with tempfile.TemporaryDirectory(prefix="luisterpost-bench-") as folder:
        opened = open_store(f"sqlite:///{folder}/monitor.db")
        opened.upgrade()
        yield opened, Path(folder)
        opened.close()


def tagged(stored, at):
    return Enrichment(
        mention_id=stored.mention.id,
        content_hash=stored.mention.content_hash,
        model="bench",
        language="nl",
        topics=("zonnekade",),
        intents=(INTENTS[at % 2],),
        themes=(THEMES[at % 3],),
        sentiment=Sentiment(label=MOODS[at % 3], score=0.8),
    )


def store() -> Iterator[Row]:
    told, _ = texts.dutch(MENTIONS * 3)
    found = texts.mentions(told)
    with a_record() as (record, _folder):

        def save(run: int) -> None:
            for page in texts.pages(found[run * MENTIONS : (run + 1) * MENTIONS], PAGE):
                record.mentions.save_page(page, NOON)

        new, again = cpu(save), cpu(save)
        assert record.mentions.count() == MENTIONS * 3
    yield Row("S1", "new mentions stored, pages of 500", MENTIONS / new, "/CPU s")
    yield Row("S2", "unchanged mentions seen again", MENTIONS / again, "/CPU s")


def end_to_end() -> Iterator[Row]:
    size, runs = 2_000, 3
    told, _ = texts.dutch(size * (runs + 1))
    settings = demo_settings(Path(), "http://127.0.0.1:1", Path())
    tagger = load_tagger(settings.topics, settings.languages, settings.brand)
    http = HttpClient(NetSettings(), now=utc_now)
    source = texts.a_source("mastodon", base_url="https://mastodon.example", tag="zonnekade")
    connector = connectors.load("mastodon")(source, http, utc_now)
    recorded = [texts.statuses(told[at : at + 40], at) for at in range(0, len(told), 40)]
    with a_record() as (record, _folder):

        def chain(run: int) -> None:
            share = size // 40
            for number in range(run * share, (run + 1) * share):
                record.mentions.save_page(connector.read(recorded[number], "recorded"), NOON)
            tag(tagger, record)

        chain(runs)
        spent = cpu(chain, runs)
        assert record.mentions.count() == size * (runs + 1)
    http.close()
    yield Row("B5", "collect (recorded JSON pages of 40), tag and store, one process", size / spent, "mentions/CPU s")


def cases() -> Iterator[Row]:
    told, _ = texts.dutch(CASES)
    with a_record() as (record, folder):
        for page in texts.pages(texts.mentions(told), PAGE):
            record.mentions.save_page(page, NOON)
        opened = []
        while batch := record.mentions.to_tag(PAGE):
            record.enrichments.save([(stored, tagged(stored, at)) for at, stored in enumerate(batch)])
        while batch := record.mentions.to_triage(PAGE):
            for stored in batch:
                one = a_case(stored.mention, due_at=NOON + timedelta(minutes=len(opened)))
                opened.append(record.cases.open(one, an_event(one), stored))
        random.Random(5).shuffle(opened)  # noqa: S311 - an order, not a secret

        def claim(case):
            ahead = replace(case, version=case.version + 1, assignee="sanne")
            return lambda: record.cases.move(ahead, an_event(ahead, "claim", "sanne"))

        half, late = milliseconds([claim(case) for case in opened[:1000]])
        yield Row("B10a", "claim at 10,000 cases, p50", half, "ms")
        yield at_most(1.0, "B10", "claim at 10,000 cases, with its event, p95", late, "ms")
        wanted = CaseFilter(unassigned=True)
        half, late = milliseconds([lambda: record.cases.find(wanted, now=NOON, limit=50)] * 100)
        yield Row("B14a", "query of the inbox's list at 10,000 cases, p95", late, "ms")
        settings = replace(
            demo_settings(folder, "http://127.0.0.1:1", folder), search=f"sqlite:///{folder / 'search.db'}"
        )
        index = SqliteIndex(settings.search)
        with TestClient(create_app(record, index, settings, lambda: NOON)) as client:
            for name, path in (("list", "/inbox"), ("case", f"/cases/{opened[-1].id}")):
                answer = client.get(path)
                if answer.status_code != 200:
                    raise RuntimeError(f"{path} answered {answer.status_code}")
                _, late = milliseconds([lambda path=path: client.get(path)] * 60)
                yield at_most(50, f"B14{name[0]}", f"inbox page: {name}, at 10,000 cases, p95", late, "ms")
        index.close()


def search(size: int) -> Iterator[Row]:
    told, _ = texts.dutch(min(size, 50_000))
    with tempfile.TemporaryDirectory(prefix="luisterpost-bench-") as folder:
        index = SqliteIndex(f"sqlite:///{folder}/search.db")
        documents = _documents(told[:5_000], 0)
        raw, ours = [], []
        for _ in range(3):
            for spent, write in ((ours, _by_us), (raw, _raw)):
                fresh = SqliteIndex(f"sqlite:///{folder}/{len(raw)}{write.__name__}.db")
                spent.append(cpu(lambda _, fresh=fresh, write=write: write(fresh, documents), 1))
                fresh.close()
        middle = sorted(ours)[1]
        yield Row("I1", "documents indexed, batches of 250", len(documents) / middle, "/CPU s")
        yield at_least(0.6, "B7", "the same against bare SQL of the same rows", sorted(raw)[1] / middle, "x its speed")
        for at in range(0, size, 50_000):
            _by_us(index, _documents(told[: size - at], at))
        common = sorted({word for text in told[:300] for word in text.split() if word.isalpha() and len(word) > 3})
        pairs = list(zip(common, common[7:] + common[:7], strict=True))
        queries = [q for a, b in pairs for q in (a, f"{a} AND {b}", f'"{a} {b}"', f"{a[:4]}* language:nl")][:400]
        name = f"{size:,} documents"
        half, late = milliseconds([lambda q=q: index.search(q, limit=50) for q in queries])
        yield Row("B8a", f"search, {name}, p50", half, "ms")
        yield at_most(50, "B8", f"search, {name}, p95", late, "ms")
        _, late = milliseconds([lambda q=q: index.search(q, limit=50, facets=True) for q in queries[:200]])
        yield at_most(150, "B9", f"search with six facets, {name}, p95", late, "ms")
        index.close()


def _documents(told, first):
    from monitor.model import Stored

    return [
        document(Stored(no=first + at + 1, mention=mention, revision=1, content_revision=1, enrichment=enrichment))
        for at, mention in enumerate(texts.mentions(told, first))
        for enrichment in [tagged(Stored(no=1, mention=mention, revision=1, content_revision=1), at)]
    ]


def _by_us(index, documents):
    for at in range(0, len(documents), BATCH):
        index.write(documents[at : at + BATCH])


def _raw(index, documents):
    """The same columns, indexes, batches and settings, by bare SQL of rows made beforehand."""
    connection = index._connection()
    marks = ", ".join("?" * (len(_STORED) + 2))
    for at in range(0, len(documents), BATCH):
        part = documents[at : at + BATCH]
        rows = [(d, [" ".join(t) for t in (d.title_tokens, d.tokens, d.title_tokens_cs, d.tokens_cs)]) for d in part]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO doc VALUES (?,?,?,?,?,?,?,?)", [(d.no, d.id, d.revision, *t, _packed(d)) for d, t in rows]
        )
        connection.executemany(
            "INSERT INTO fts(rowid, tok_title, tok) VALUES (?,?,?)", [(d.no, *t[:2]) for d, t in rows]
        )
        connection.executemany(
            f"INSERT INTO facet VALUES ({marks})",  # noqa: S608 - only question marks
            [(d.no, micros(d.when), *[_column(d.fields.get(n)) for n in _STORED]) for d in part],
        )
        connection.execute("COMMIT")
