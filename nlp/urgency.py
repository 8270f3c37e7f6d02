"""Component: how soon somebody should look, with the words that say so."""

from __future__ import annotations

from spacy.tokens import Doc

from nlp.note import KEY, Note

CRITICAL = ("danger", "leak", "many")  # with the intent crisis
HIGH_WITH_CRISIS = ("fraud", "legal", "press")
HIGH_WITH_TROUBLE = ("repeat", "deadline", "vulnerable", "churn_risk", "legal")
CLOSED = ("promotion", "thanks")


class SetUrgency:
    """critical: a crisis with danger, a leak or many people. high: another crisis, or trouble that cannot wait."""

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        flags = {fired.rule.flag for fired in note.fired}
        crisis = "crisis" in note.intents
        trouble = "complaint" in note.intents or (
            "question" in note.intents and note.sentiment is not None and note.sentiment.label == "negative"
        )
        if crisis and flags & set(CRITICAL):
            self._rules(note, "critical", CRITICAL)
        elif crisis:
            self._rules(note, "high", HIGH_WITH_CRISIS)
            self._same(note, "high", "intent:crisis")
        elif trouble and flags & set(HIGH_WITH_TROUBLE) and note.needs_reply == "yes":
            self._rules(note, "high", HIGH_WITH_TROUBLE)
        elif note.intents and set(note.intents) <= set(CLOSED):
            for intent in note.intents:
                self._same(note, "low", f"intent:{intent}")
        return doc

    @staticmethod
    def _rules(note: Note, urgency: str, flags: tuple[str, ...]) -> None:
        for fired in note.fired:
            if fired.rule.flag in flags and fired.start < fired.end:
                note.urgency = urgency
                reason = f"{fired.rule.id}: {fired.rule.why[0]}"
                note.evidence.append((f"urgency:{urgency}", fired.start, fired.end, reason, None))

    @staticmethod
    def _same(note: Note, urgency: str, label: str) -> None:
        for found, start, end, reason, weight in list(note.evidence):
            if found == label:
                note.urgency = urgency
                note.evidence.append((f"urgency:{urgency}", start, end, reason, weight))
