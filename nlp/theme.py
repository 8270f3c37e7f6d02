"""Component: what the text is about."""

from __future__ import annotations

from spacy.tokens import Doc

from nlp.decide import SecondStep, choose_many
from nlp.note import KEY, Note


class SetThemes:
    """Themes, any number."""

    def __init__(self, second: SecondStep) -> None:
        self.second = second

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        if note.decided is not None:
            note.themes = choose_many(self.second, note, "theme")
        return doc
