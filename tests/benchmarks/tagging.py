"""Tagging against spaCy's blank Dutch tokeniser on the same fresh texts; start, memory, and the line end to end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import spacy

from monitor.model import Cursor, Page, Topic, TopicKind
from monitor.search.document import document
from monitor.search.sqlite import SqliteIndex
from monitor.stages.index import index
from monitor.stages.tag import tag
from monitor.store import open_store
from nlp.tagger import load_tagger
from tests.benchmarks.measure import Figure, fresh, peak_mib
from tests.benchmarks.texts import texts
from tests.factories import NOON, a_mention

SLICE, RUNS, LINE = 2_000, 3, 4_000
TOPICS = (Topic(id="brand", name="Zonnekade", kind=TopicKind.BRAND, query="zonnekade OR pakket OR winkel"),)


def figures(folder: Path, _large: bool) -> Iterator[Figure]:  # noqa: FBT001 - the part's signature
    """Tokeniser and tagger on disjoint slices of the same texts, warmed up on others."""
    code = "from nlp.tagger import load_tagger; load_tagger(())"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    began = time.perf_counter() - start
    yield Figure(id="B12", what="start to first tag", figure=began, unit="s", budget="<= 3", kept=began <= 3)
    tagger = load_tagger(TOPICS)
    everything = texts(SLICE * (RUNS + 1) + LINE)
    slices = [everything[n * SLICE : (n + 1) * SLICE] for n in range(RUNS + 1)]
    mentions = [
        [a_mention(native_id=f"{n}-{i}", text=t, language="nl") for i, t in enumerate(s)] for n, s in enumerate(slices)
    ]
    blank = spacy.blank("nl")
    for text in slices[RUNS]:
        blank.make_doc(text)
    tagger.tag(mentions[RUNS])
    floor = fresh(lambda n: [blank.make_doc(text) for text in slices[n]], RUNS)
    ours = fresh(lambda n: tagger.tag(mentions[n]), RUNS)
    ratio = ours / floor
    yield Figure(id="T1", what="tag: the whole tagger", figure=SLICE / ours, unit="mentions/CPU s")
    yield Figure(
        id="B1",
        what="tag: cost against spaCy's blank tokeniser",
        figure=ratio,
        unit="x",
        budget="<= 3.0",
        kept=ratio <= 3,
    )
    memory = peak_mib()
    yield Figure(
        id="B11", what="memory of a tagging process", figure=memory, unit="MiB", budget="<= 600", kept=memory <= 600
    )
    store = open_store(f"sqlite:///{folder}/monitor.db")
    store.upgrade()
    search = SqliteIndex(f"sqlite:///{folder}/search.db")
    line = [a_mention(native_id=f"l{i}", text=text) for i, text in enumerate(everything[-LINE:])]

    def whole(_: int) -> None:
        for begin in range(0, LINE, 500):
            page = Page(mentions=tuple(line[begin : begin + 500]), cursor=Cursor(source_id="praatpaal"))
            store.mentions.save_page(page, NOON)
        tag(tagger, store)
        index(store, search, document)

    spent = fresh(whole, 1)
    yield Figure(id="E1", what="end to end: store, tag, index", figure=LINE / spent, unit="mentions/CPU s")
    search.close()
    store.close()
