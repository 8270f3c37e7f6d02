"""Component: what the author wants or does, how far they are, and whether they expect an answer."""

from __future__ import annotations

from spacy.tokens import Doc

from nlp.decide import SecondStep, choose_many, choose_one
from nlp.note import KEY, Note
from nlp.sentiment import is_no_customer


class SetIntents:
    """Intents (any number), stage and needs_reply (one each)."""

    def __init__(self, second: SecondStep) -> None:
        self.second = second

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        if note.decided is not None and not is_no_customer(note):
            note.intents = choose_many(self.second, note, "intent")
            note.stage = choose_one(self.second, note, "stage")
            note.needs_reply = choose_one(self.second, note, "needs_reply")
        return doc
