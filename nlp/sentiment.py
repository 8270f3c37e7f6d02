"""Component: the author's attitude towards the brand."""

from __future__ import annotations

from spacy.tokens import Doc

from monitor.model import Sentiment
from nlp.decide import SecondStep, choose_one
from nlp.note import Note


class SetSentiment:
    """Chooses one of four labels; says nothing of a text without a single word or sign."""

    def __init__(self, second: SecondStep, brands: frozenset[str]) -> None:
        self.second = second
        self.brands = brands

    def __call__(self, doc: Doc) -> Doc:
        note: Note = doc.user_data["note"]
        if note.decided is not None:
            label = choose_one(self.second, note, doc, "sentiment")
            towards = next((topic for topic in note.topics if topic in self.brands), None)
            note.sentiment = Sentiment(label=label, score=note.scores[f"sentiment:{label}"], towards=towards)
        return doc
