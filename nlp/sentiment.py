"""Component: the author's attitude towards the brand."""

from __future__ import annotations

from spacy.tokens import Doc

from monitor.model import Sentiment
from nlp.decide import SecondStep, choose_one
from nlp.note import KEY, Note


def is_no_customer(note: Note) -> bool:
    """The brand itself or a machine speaks: it informs, and wants nothing of the webcare team."""
    return note.mention.is_own or note.mention.is_automatic


class SetSentiment:
    """Chooses one of four labels; says nothing of a text without a single word or sign."""

    def __init__(self, second: SecondStep, brands: frozenset[str]) -> None:
        self.second = second
        self.brands = brands

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        if note.decided is None:
            return doc
        if is_no_customer(note):
            note.sentiment = Sentiment(label="neutral", score=1.0)
        else:
            label = choose_one(self.second, note, "sentiment")
            towards = next((topic for topic in note.topics if topic in self.brands), None)
            note.sentiment = Sentiment(label=label, score=note.scores[f"sentiment:{label}"], towards=towards)
        return doc
