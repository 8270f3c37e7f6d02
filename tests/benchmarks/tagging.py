"""Parsing and understanding."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import feedparser
import spacy

import connectors
from monitor.bootstrap import utc_now
from monitor.config import NetSettings
from monitor.demo.config import demo_settings
from monitor.model import Topic, TopicKind
from monitor.net.client import HttpClient
from nlp.note import KEY, Note
from nlp.tagger import load_tagger
from nlp.topics import SetTopics
from tests.benchmarks import texts
from tests.benchmarks.measure import Row, at_most, cpu

SLICE = 3_000
START = """
import resource, time
start = time.process_time()
from pathlib import Path
from monitor.demo.config import demo_settings
from nlp.tagger import load_tagger
from tests.factories import a_mention
settings = demo_settings(Path("."), "http://127.0.0.1:1", Path("."))
tagger = load_tagger(settings.topics, settings.languages, settings.brand)
tagger.tag([a_mention()])
first = time.process_time() - start
print(first)
for number in range(8):
    tagger.tag([a_mention(native_id=f"{number}-{n}", text=f"waar blijft pakket {number} {n}?") for n in range(256)])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def parse() -> Iterator[Row]:
    told, _ = texts.dutch(400)
    feed = texts.feed(told)
    http = HttpClient(NetSettings(), now=utc_now)
    connector = connectors.load("rss")(texts.a_source("rss", url="https://nieuws.example/"), http, utc_now)
    assert len(connector.read(feed, "feed").mentions) == 400
    floor, ours = cpu(lambda _: feedparser.parse(feed)), cpu(lambda _: connector.read(feed, "feed"))
    http.close()
    yield Row("P1", "feed entries read to mentions (rss)", 400 / ours, "/CPU s")
    yield Row("P2", "the same against feedparser alone on the same feed", floor / ours, "x its speed")


def tag() -> Iterator[Row]:
    told, origin = texts.dutch(SLICE * 4)
    settings = demo_settings(Path(), "http://127.0.0.1:1", Path())
    tagger = load_tagger(settings.topics, settings.languages, settings.brand)
    blank = spacy.blank("nl")
    found = texts.mentions(told)

    def part(items: list[object], run: int) -> list[object]:
        return items[run * SLICE : (run + 1) * SLICE]

    tagger.tag(part(found, 3))
    list(blank.pipe(part(told, 3)))
    floor = cpu(lambda run: [blank(text) for text in part(told, run)])

    def all_labels(run: int) -> None:
        batch = part(found, run)
        for at in range(0, SLICE, 256):
            tagger.tag(batch[at : at + 256])

    ours = cpu(all_labels)
    yield at_most(3.0, "B1", f"tagging, every label ({origin})", ours / floor, "x tokeniser")
    yield Row("B1a", "the same, one process", SLICE / ours, "mentions/CPU s")
    yield Row("B1b", "spaCy's blank Dutch tokeniser, the same texts", SLICE / floor, "texts/CPU s")

    real = sorted({word.lower() for text in told[:200] for word in text.split() if word.isalpha() and len(word) > 7})
    words = [*real[:200], *(f"merk{number}" for number in range(9_800))]
    many = [Topic(id=word, name=word, kind=TopicKind.BRAND, query=word) for word in words]
    topics = SetTopics(many)
    docs = [blank.make_doc("x") for _ in range(SLICE)]

    def match(run: int) -> None:
        for doc, mention in zip(docs, part(found, run), strict=True):
            doc.user_data[KEY] = Note(
                mention=mention, mention_id="", whole=mention.text, title_size=0, brand="", language="nl"
            )
            topics(doc)

    yield at_most(0.1, "B3", "topics, 10,000 terms", cpu(match) / floor, "x tokeniser")


def start_and_memory() -> Iterator[Row]:
    seconds, memory = [], []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
        first, peak = map(float, done.stdout.split())
        seconds.append(first)
        memory.append(peak)
    yield at_most(600, "B11", "memory of a tagging process, peak", sorted(memory)[1], "MiB")
    yield at_most(3.0, "B12", "start to first tag", sorted(seconds)[1], "CPU s")
