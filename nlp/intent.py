"""Component: what the author wants or does, how far they are, and whether they expect an answer."""

from __future__ import annotations

from spacy.tokens import Doc

from nlp.decide import SecondStep, choose_many, choose_one
from nlp.note import Note


class SetIntents:
    """Intents (any number), stage and needs_reply (one each)."""

    def __init__(self, second: SecondStep) -> None:
        self.second = second

    def __call__(self, doc: Doc) -> Doc:
        note: Note = doc.user_data["note"]
        if note.decided is not None:
            note.intents = choose_many(self.second, note, doc, "intent")
            note.stage = choose_one(self.second, note, doc, "stage")
            note.needs_reply = choose_one(self.second, note, doc, "needs_reply")
        return doc
