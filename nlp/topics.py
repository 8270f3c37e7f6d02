"""Component: which topics a mention belongs to, with the words that say so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from spacy.tokens import Doc

from monitor.errors import ConfigError, QueryError
from monitor.model import Topic
from monitor.query import Node, parse
from monitor.query.anchors import RuleSet
from monitor.query.fields import FOR_TOPICS
from monitor.query.matcher import highlight
from monitor.query.tree import Exact, walk
from monitor.search.document import document_of
from nlp.note import KEY, Note

STRONGEST = 3  # spans a topic
_FIRST_WORD = re.compile(r"[^\W_]+")


class SetTopics:
    """Asks all topics' queries at once; a query is read as everywhere else in the product.

    A query that cannot be read raises ConfigError, which names the topic.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = {topic.id: topic for topic in topics}
        self._nodes = {topic.id: _parsed(topic) for topic in topics}
        self._rules = RuleSet(self._nodes)
        self._cased = any(isinstance(inner, Exact) for node in self._nodes.values() for inner in walk(node))

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        if not self._topics:
            return doc
        found = []
        for name in self._rules.matching(document_of(note.mention, cased=self._cased)):
            topic = self._topics[name]
            spans = self._spans(topic, note) if _holds(topic, note) else []
            if spans:
                found.append(name)
                note.evidence.extend((f"topic:{name}", start, end, reason, None) for start, end, reason in spans)
        note.topics = tuple(found)
        return doc

    def _spans(self, topic: Topic, note: Note) -> list[tuple[int, int, str]]:
        """The words that the query asks for; if none, the first word, with the source as the reason."""
        title, text = note.mention.title or "", note.mention.text
        marked = highlight(self._nodes[topic.id], title, text)
        placed = list(dict.fromkeys(_placed(note, title, marked)))[:STRONGEST]
        if placed:
            return [(start, end, f"topic: {topic.name}") for start, end in placed]
        first = _FIRST_WORD.search(note.whole) or re.search(r"[^\W]|[^\x00-\x7f]", note.whole)
        return [(*first.span(), f"topic: {topic.name}, via {note.mention.source_id}")] if first else []


def _parsed(topic: Topic) -> Node:
    try:
        return parse(topic.query, allow=FOR_TOPICS)
    except QueryError as fault:
        raise ConfigError(f"topic {topic.id}: its query `{topic.query}` cannot be read, {fault}") from fault


def _placed(note: Note, title: str, marked: Iterable[tuple[str, int, int]]) -> Iterable[tuple[int, int]]:
    """Spans of the fields as spans of the whole; a text that opens with its title holds the title's words itself."""
    indent = 0 if note.title_size else len(title) - len(title.lstrip())
    for field, start, end in sorted(marked, key=lambda one: (one[0] != "text", one[1])):
        shift = note.title_size if field == "text" else -indent
        yield start + shift, end + shift


def _holds(topic: Topic, note: Note) -> bool:
    channel = not topic.channels or note.mention.channel in topic.channels
    return channel and (not topic.languages or note.language is None or note.language in topic.languages)
