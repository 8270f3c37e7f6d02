"""The search index against a raw FTS5 insert of the same rows; searches and facets."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor.model import Enrichment, SearchDocument, Sentiment, Stored
from monitor.search.compile_sqlite import micros
from monitor.search.document import document
from monitor.search.sqlite import _STORED, SqliteIndex, _column, _packed
from monitor.store.engine import sqlite
from tests.benchmarks.measure import Figure, wall_ms
from tests.benchmarks.texts import texts
from tests.factories import NOON, a_mention

SMALL, LARGE, BATCH, ASKED = 50_000, 1_000_000, 250, 120


def figures(folder: Path, large: bool) -> Iterator[Figure]:  # noqa: FBT001 - the part's signature
    """One filling, then questions that never repeat."""
    count = LARGE if large else SMALL
    pool = [_document(n, text) for n, text in enumerate(texts(5_000))]
    rng = random.Random(3)  # noqa: S311 - repeatable on purpose
    index = SqliteIndex(f"sqlite:///{folder}/search.db")
    bare = SqliteIndex(f"sqlite:///{folder}/bare.db")
    raw = sqlite.connect(f"{folder}/bare.db", isolation_level=None)
    for statement in ("PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON"):
        raw.execute(statement)
    ours = floor = 0.0
    for begin in range(0, count, BATCH):
        batch = [
            replace(rng.choice(pool), no=no, id=f"{no:032x}", when=NOON - timedelta(minutes=no % 500_000))
            for no in range(begin + 1, begin + BATCH + 1)
        ]
        start = time.process_time()
        index.write(batch)
        ours += time.process_time() - start
        if begin < SMALL:
            rows = [_rows(document) for document in batch]
            start = time.process_time()
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany("INSERT INTO doc VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [doc for doc, _, _ in rows])
            raw.executemany("INSERT INTO fts(rowid, tok_title, tok) VALUES (?, ?, ?)", [fts for _, fts, _ in rows])
            marks = ", ".join("?" * len(rows[0][2]))
            raw.executemany(f"INSERT INTO facet VALUES ({marks})", [facet for _, _, facet in rows])  # noqa: S608
            raw.execute("COMMIT")
            floor += time.process_time() - start
    raw.close()
    bare.close()
    share = (floor / min(count, SMALL)) / (ours / count)
    size = "1,000,000" if large else "50,000"
    yield Figure(id="I1", what=f"index: documents of {size}", figure=count / ours, unit="documents/CPU s")
    what = "index: rate against bare inserts of the same rows"
    yield Figure(id="B7", what=what, figure=share, unit="x", budget=">= 0.6", kept=share >= 0.6)
    words = sorted({token for d in pool for token in d.tokens if len(token) > 5})
    rng.shuffle(words)
    _, p95 = wall_ms(lambda n: index.search(f"{words[n]} language:nl", limit=50), ASKED)
    kept = (p95 <= 50) if large else None
    yield Figure(id="B8", what=f"search at {size}, p95", figure=p95, unit="ms", budget="<= 50 at 1,000,000", kept=kept)
    _, p95 = wall_ms(lambda n: index.search(words[-n - 1], limit=50, facets=True), ASKED)
    kept = (p95 <= 150) if large else None
    yield Figure(
        id="B9",
        what=f"search with facets at {size}, p95",
        figure=p95,
        unit="ms",
        budget="<= 150 at 1,000,000",
        kept=kept,
    )
    index.close()


def _rows(document: SearchDocument) -> tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...]]:
    """What the index would write of a document, worked out before the clock runs."""
    tokens = (document.title_tokens, document.tokens, document.title_tokens_cs, document.tokens_cs)
    columns = [" ".join(cut) for cut in tokens]
    facet = (document.no, micros(document.when), *(_column(document.fields.get(name)) for name in _STORED))
    doc = (document.no, document.id, document.revision, *columns, _packed(document))
    return doc, (document.no, columns[0], columns[1]), facet


def _document(no: int, text: str) -> SearchDocument:
    rng = random.Random(no)  # noqa: S311 - repeatable on purpose
    mention = a_mention(native_id=str(no), text=text, channel=rng.choice(["x", "news", "forum", "mail"]))
    enrichment = Enrichment(
        mention_id=mention.id,
        content_hash=mention.content_hash,
        model="bench",
        language=rng.choice(["nl", "nl", "en"]),
        sentiment=Sentiment(label=rng.choice(["negative", "neutral", "positive"]), score=0.8),
        intents=tuple(rng.sample(["complaint", "question", "idea", "compliment"], rng.randrange(3))),
        themes=tuple(rng.sample(["delivery", "product", "service", "price"], rng.randrange(3))),
    )
    return document(Stored(no=no + 1, mention=mention, revision=1, content_revision=1, enrichment=enrichment))
