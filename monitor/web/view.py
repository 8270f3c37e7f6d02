"""From nouns to what a page shows. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.model import Case, CaseEvent, CaseStatus, Enrichment, Evidence, Mention, Priority, Source, Stored
from monitor.web.words import Words

_KINDS = ("sentiment", "intent", "theme", "entity", "urgency", "stage", "needs_reply", "topic")
_QUIET = frozenset({"sentiment:neutral", "stage:none", "needs_reply:no", "urgency:normal"})
_LAST_PART = 0.2
_ROW_TEXT = 160
_LEAD = 40
_ROW_SPAN = 48
_MODEL = "model:"
ACCOUNT_DATA = (
    "email", "phone", "iban", "postcode", "order_number", "tracking_code", "customer_number", "amount", "date",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text with the classes of the evidence on it.

    `ends`: the evidence that ends here, as (place of its tag in the row of tags, its number there).
    """

    text: str
    marks: tuple[str, ...] = ()
    ends: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A deadline in words. `state`: late, soon, fine, paused or met; `wedge`: the rest as an SVG path, 16 px."""

    state: str
    words: str
    below: str
    due: datetime | None
    wedge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A badge. `tone`: negative, positive, mixed, crisis, churn, buying or plain; `label` as evidence names it."""

    label: str
    text: str
    tone: str = "plain"
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case in a list."""

    case: Case
    clock: Clock
    who: str
    source: str
    channel: str
    when: str
    pieces: tuple[Piece, ...]
    tags: tuple[Tag, ...]
    facts: tuple[str, ...]
    mine: bool
    name: str


def clock_of(case: Case, now: datetime, words: Words) -> Clock:
    """The service-level clock of a case."""
    if case.status is CaseStatus.PENDING:
        since = words("since", when=words.moment(case.first_reply_at or case.opened_at, now))
        return Clock(state="paused", words=words("clock.waiting"), below=since, due=None, wedge="")
    if not case.status.is_active:
        return Clock(state="met", words=words(f"status.{case.status.value}"), below="", due=None, wedge="")
    if case.due_at is None:
        return Clock(state="paused", words=words("clock.none"), below="", due=None, wedge="")
    left = case.due_at - now
    below = words("clock.answer", when=words.moment(case.due_at, now))
    if left < timedelta(0):
        text = words("clock.late", time=words.duration(left))
        return Clock(state="late", words=text, below=below, due=case.due_at, wedge="")
    whole = max((case.due_at - case.last_customer_at).total_seconds(), 1.0)
    part = min(left.total_seconds() / whole, 1.0)
    text = words("clock.left", time=words.duration(left))
    state = "soon" if part <= _LAST_PART else "fine"
    return Clock(state=state, words=text, below=below, due=case.due_at, wedge=wedge(part))


def wedge(part: float) -> str:
    """The rest of the time as a pie slice from the top, clockwise, in a box of 16 by 16."""
    if part >= 0.999:  # noqa: PLR2004 - a whole circle has no arc of its own
        return "M8 3a5 5 0 1 1-.01 0z"
    angle = 2 * math.pi * part
    x, y = 8 + 5 * math.sin(angle), 8 - 5 * math.cos(angle)
    return f"M8 8V3A5 5 0 {int(part > 0.5)} 1 {x:.2f} {y:.2f}z"  # noqa: PLR2004 - half a circle


def tags_of(enrichment: Enrichment | None, words: Words) -> tuple[Tag, ...]:
    """Sentiment unless neutral, then intents; what could not be tagged says so."""
    if enrichment is None or enrichment.sentiment is None:
        return (Tag(label="", text=words("not_tagged")),)
    found = []
    label = enrichment.sentiment.label
    if label != "neutral":
        found.append(
            Tag(
                label=f"sentiment:{label}",
                text=words(f"sentiment.{label}"),
                tone=label,
                score=enrichment.sentiment.score,
            )
        )
    tones = {"crisis": "crisis", "churn_risk": "churn", "buying_signal": "buying"}
    order = {"crisis": 0, "churn_risk": 1}
    for intent in sorted(enrichment.intents, key=lambda name: order.get(name, 2)):
        score = enrichment.scores.get(f"intent:{intent}")
        found.append(
            Tag(label=f"intent:{intent}", text=words(f"intent.{intent}"), tone=tones.get(intent, "plain"), score=score)
        )
    return tuple(found)


def explained_tags(enrichment: Enrichment | None, words: Words) -> tuple[Tag, ...]:
    """All tags of a case page: those of the list, then themes, stage and urgency."""
    found = list(tags_of(enrichment, words))
    if enrichment is None or enrichment.sentiment is None:
        return tuple(found)
    found += [Tag(label=f"theme:{theme}", text=words(f"theme.{theme}"), tone="theme") for theme in enrichment.themes]
    if enrichment.stage != "none":
        found.append(Tag(label=f"stage:{enrichment.stage}", text=words(f"stage.{enrichment.stage}"), tone="stage"))
    if enrichment.needs_reply != "no":
        label = f"needs_reply:{enrichment.needs_reply}"
        found.append(Tag(label=label, text=words(f"needs_reply.{enrichment.needs_reply}"), tone="stage"))
    if enrichment.urgency in {"critical", "high"}:
        label = f"urgency:{enrichment.urgency}"
        found.append(Tag(label=label, text=words(f"priority.{enrichment.urgency}"), tone="urgency"))
    return tuple(found)


def why(enrichment: Enrichment | None, label: str, text: str, title: str) -> list[tuple[str, str]]:
    """(words, reason) of each piece of evidence for a label."""
    source = {"text": text, "title": title}
    return [(source.get(e.field, "")[e.start : e.end], e.reason) for e in telling(enrichment, label, source)]


def telling(enrichment: Enrichment | None, label: str, source: Mapping[str, str]) -> list[Evidence]:
    """The evidence of a label that says something to a reader: words, not a lone full stop. All of it if none does."""
    found = [e for e in (enrichment.evidence if enrichment else ()) if e.label == label]
    words = [e for e in found if sum(c.isalnum() for c in source.get(e.field, "")[e.start : e.end]) > 1]
    return words or found


def case_pieces(
    mention: Mention, enrichment: Enrichment | None, tags: Sequence[Tag], field: str = "text"
) -> tuple[Piece, ...]:
    """A text of a case page: each tag's evidence as its own class (`e0`, `e1` …) and numbered; account data boxed."""
    source = {"text": mention.text, "title": mention.title or ""}
    text = source[field]
    spans, ends = [], []
    for place, tag in enumerate(tags):
        for number, e in enumerate(telling(enrichment, tag.label, source) if tag.label else (), 1):
            end = min(e.end, len(text))
            if e.field == field and 0 <= e.start < end:
                spans += [(e.start, end, mark_of(e.label)), (e.start, end, f"e{place}")]
                ends.append((end, (place, number)))
    spans += [
        (entity.start, min(entity.end, len(text)), "entity")
        for entity in (enrichment.entities if enrichment else ())
        if entity.field == field and entity.type in ACCOUNT_DATA and 0 <= entity.start < min(entity.end, len(text))
    ]
    found, at = [], 0
    for piece in cut(text, spans):
        at += len(piece.text)
        found.append(replace(piece, ends=tuple(told for end, told in ends if end == at)))
    return tuple(found)


def quoted(mention: Mention, enrichment: Enrichment | None) -> tuple[Piece, ...]:
    """A text with what moves it marked, as the rows do."""
    spans = [(e.start, e.end, mark_of(e.label)) for e in _of_a_row(enrichment, mention.text) if 0 <= e.start < e.end]
    return cut(mention.text, [(start, min(end, len(mention.text)), mark) for start, end, mark in spans])


def _within(e: Evidence, text: str) -> Evidence:
    """The evidence without the signs and spaces around its words."""
    inner = [at for at in range(max(e.start, 0), min(e.end, len(text))) if text[at].isalnum() or text[at] in "@#"]
    return replace(e, start=inner[0], end=inner[-1] + 1) if inner else e


def cut(text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[Piece, ...]:
    """The text as pieces with the marks of the spans (start, end, mark) that cover each."""
    borders = sorted({0, len(text), *(s for s, _, _ in spans), *(e for _, e, _ in spans)})
    found = []
    for start, end in pairwise(borders):
        marks = tuple(dict.fromkeys(mark for s, e, mark in spans if s <= start and end <= e))
        if start < end:
            found.append(Piece(text=text[start:end], marks=marks))
    return tuple(found)


def mark_of(label: str) -> str:
    """The class of a label's evidence: negative, positive, mixed, intent, theme or entity."""
    kind, _, value = label.partition(":")
    if kind == "sentiment":
        return value
    return kind if kind in _KINDS else "intent"


def row_pieces(mention: Mention, enrichment: Enrichment | None) -> tuple[Piece, ...]:
    """One line of text with sentiment and intent evidence, beginning near the first of it where the text is long."""
    line = mention.text.translate({10: " ", 13: " ", 9: " "})
    evidence = _of_a_row(enrichment, mention.text)
    first = min((e.start for e in evidence), default=0)
    begin = 0 if first < _ROW_TEXT - _LEAD else line.rfind(" ", 0, max(first - _LEAD, 1)) + 1
    shown = line[begin : begin + _ROW_TEXT]
    spans = [
        (max(e.start - begin, 0), min(e.end - begin, len(shown)), mark_of(e.label))
        for e in evidence
        if begin <= e.start < begin + len(shown)
    ]
    lead = (Piece(text="…"),) if begin else ()
    tail = (Piece(text="…"),) if begin + _ROW_TEXT < len(line) else ()
    return (*lead, *cut(shown, spans), *tail)


def _of_a_row(enrichment: Enrichment | None, text: str) -> list[Evidence]:
    """For each sentiment and intent what a rule found, or else the word that weighed most; whole sentences left out."""
    found = []
    labels = dict.fromkeys(e.label for e in (enrichment.evidence if enrichment else ()) if e.field == "text")
    for label in labels:
        if not label.startswith(("sentiment:", "intent:")) or label in _QUIET:
            continue
        short = [
            _within(e, text)
            for e in telling(enrichment, label, {"text": text})
            if e.field == "text" and e.end - e.start <= _ROW_SPAN and any(c.isalnum() for c in text[e.start : e.end])
        ]
        ruled = [e for e in short if not e.reason.startswith(_MODEL)]
        found += ruled or sorted(short, key=lambda e: -(e.weight or 0.0))[:1]
    return found


def row_of(  # noqa: PLR0913 - what a row is made of
    case: Case,
    mentions: Sequence[Stored],
    *,
    sources: Mapping[str, Source],
    now: datetime,
    words: Words,
    agent: str | None,
) -> Row:
    """A case as a row; `mentions` in order of time, the row shows the customer's newest."""
    theirs = [stored for stored in mentions if not stored.mention.is_own]
    shown = (theirs or list(mentions))[-1]
    mention, enrichment = shown.mention, shown.enrichment
    source = sources.get(case.source_id)
    tags = tags_of(enrichment, words)
    who = case.author_name or words("nobody_named")
    clock = clock_of(case, now, words)
    source_name = source.name if source else case.source_id
    spoken = ", ".join((clock.words, who, source_name, *(tag.text for tag in tags)))
    return Row(
        case=case,
        clock=clock,
        who=who,
        source=source_name,
        channel=case.channel,
        when=words.moment(mention.when, now),
        pieces=row_pieces(mention, enrichment),
        tags=tags,
        facts=facts_of(case, theirs, enrichment, words),
        mine=agent is not None and case.assignee == agent,
        name=spoken,
    )


def facts_of(case: Case, theirs: Sequence[Stored], enrichment: Enrichment | None, words: Words) -> tuple[str, ...]:
    """Plain facts beside the badges: themes, stars, reach, how many messages and copies."""
    found = [words(f"theme.{theme}") for theme in (enrichment.themes if enrichment else ())]
    mention = theirs[-1].mention if theirs else None
    if mention and mention.rating is not None and mention.rating_max:
        found.append(words("stars", rating=f"{mention.rating:g}", of=f"{mention.rating_max:g}"))
    same = [stored for stored in theirs if stored.mention.author_key == case.author_key]
    if len(same) > 1:
        found.append(words("nth_message", number=len(same)))
    if len(theirs) > len(same):
        found.append(words.of("copies", len(theirs) - len(same)))
    followers = mention.author.followers if mention and mention.author else None
    if followers is not None and followers >= 1_000:  # noqa: PLR2004 - below that nobody minds
        found.append(words("followers", number=words.reach(followers)))
    if case.snoozed_until:
        found.append(words("status.snoozed"))
    if case.escalated_to:
        found.append(words("status.escalated"))
    if mention and mention.edited_at:
        found.append(words("edited"))
    return tuple(found)


def group_of(case: Case, intents: Iterable[str], now: datetime, words: Words) -> str:
    """crisis, late, hour, today or later."""
    if "crisis" in set(intents) or case.priority is Priority.CRITICAL:
        return "crisis"
    if case.status is CaseStatus.PENDING or case.due_at is None:
        return "later"
    if case.due_at < now:
        return "late"
    if case.due_at - now <= timedelta(hours=1):
        return "hour"
    same_day = case.due_at.astimezone(words.zone).date() == now.astimezone(words.zone).date()
    return "today" if same_day else "later"


def reason_words(reason: str, words: Words) -> str:
    """A reason of a case, "kind:value", in words."""
    kind, _, value = reason.partition(":")
    if kind == "followers" and value.isdigit():
        return words("followers", number=words.reach(int(value)))
    for key in (f"{kind}.{value}", f"reason.{kind}"):
        if words.known(key):
            return words(key, value=value) if "{value}" in words(key) else words(key)
    return value or words(kind)


def event_words(event: CaseEvent, words: Words, agent: str | None) -> str:
    """What happened, in a sentence."""
    mine = agent is not None and event.actor == agent
    who = words("you_by") if mine else event.actor
    if event.action == "assign":
        who = words("you") if mine else event.actor
        return words("event.assign", who=who, to=event.after.get("assignee") or "")
    if event.action == "undo":
        return words("event.undo", who=who)
    return words(f"event.{event.action}", who=who)


def initials(name: str) -> str:
    """Two letters."""
    parts = [part for part in name.replace("@", " ").split() if part[0].isalnum()]
    return ((parts[0][0] + parts[-1][0]) if len(parts) > 1 else name.strip("@")[:2] or "?").upper()
