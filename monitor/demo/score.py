"""What was found, merged, tagged and alerted, held against the truth of the script. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, TypeVar

from monitor.demo.apis.mastodon import uri_of
from monitor.demo.expected import ALLOWED, DUE, Due
from monitor.demo.replay import Seen
from monitor.demo.script import Said, Town
from monitor.model import Enrichment, Severity, Stored

BRAND = "zonnekade"
"""The topic that says "about the brand"."""
_SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Right, wrongly given, and missed; precision, recall and F1 are None where nothing was there to judge."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was given, how much is right."""
        return self.right / (self.right + self.extra) if self.right + self.extra else None

    @property
    def recall(self) -> float | None:
        """Of what is true, how much was given."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both."""
        total = 2 * self.right + self.extra + self.missed
        return 2 * self.right / total if total else None

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(right=self.right + other.right, extra=self.extra + other.extra, missed=self.missed + other.missed)

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios."""
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Lines of the script and the record. Everything but `expected`, `found` and `copies` should be empty or 0."""

    expected: int
    found: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    unknown: tuple[str, ...]
    reposts_as_mentions: tuple[str, ...]
    edits_expected: int
    edits_missed: tuple[str, ...]
    deletions_expected: int
    deletions_kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Clusters of copies. Pairs are named "t-1 t-2"."""

    pairs_expected: int
    pairs_found: int
    missed: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertJudged:
    """How an alert that was due came. `outcome`: in_time, late or missed; `at` when it first stood as it should."""

    number: str
    what: str
    rule_id: str
    by: datetime
    outcome: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The whole comparison. `labels[kind][label]` is judged one against the rest."""

    until: datetime
    found: Found
    merged: Merged
    tagged: int
    about: Ratio
    labels: Mapping[str, Mapping[str, Ratio]]
    alerts: tuple[AlertJudged, ...]
    false_alerts: tuple[str, ...]

    def macro(self, kind: str) -> float | None:
        """Mean F1 over the labels of a kind that were true or given anywhere."""
        found = [ratio.f1 for ratio in self.labels.get(kind, {}).values() if ratio.f1 is not None]
        return sum(found) / len(found) if found else None

    def micro(self, kind: str) -> Ratio:
        """All labels of a kind taken together."""
        return sum(self.labels.get(kind, {}).values(), Ratio())

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        outcomes = Counter(alert.outcome for alert in self.alerts)
        return {
            "until": self.until.isoformat(),
            "found": asdict(self.found),
            "merged": asdict(self.merged),
            "tagged": self.tagged,
            "about": self.about.to_dict(),
            "labels": {
                kind: {
                    "macro_f1": self.macro(kind),
                    "micro": self.micro(kind).to_dict(),
                    "each": {label: ratio.to_dict() for label, ratio in sorted(each.items())},
                }
                for kind, each in self.labels.items()
            },
            "alerts": {
                **{name: outcomes.get(name, 0) for name in ("in_time", "late", "missed")},
                "false": list(self.false_alerts),
                "each": [
                    {**asdict(one), "by": one.by.isoformat(), "at": one.at.isoformat() if one.at else None}
                    for one in self.alerts
                ],
            },
        }


def score(town: Town, stored: Iterable[Stored], seen: Sequence[Seen], until: datetime) -> Score:
    """Hold the record at `until` against the script up to then.

    A line deleted before anybody looked is not missed. Alerts whose deadline lies after `until` are not judged.
    """
    rows = list(stored)
    matched, unknown = _match(town, rows)
    return Score(
        until=until,
        found=_found(town, matched, unknown, until),
        merged=_merged(town, matched),
        tagged=sum(row.enrichment is not None for row in rows),
        **_labels(town, matched),
        alerts=tuple(_judged(town, due, seen, matched) for due in DUE if town.when(due.by) <= until),
        false_alerts=_false(town, seen),
    )


Label = TypeVar("Label")

Matched = Mapping[str, list[Stored]]
"""Rows of the record by the id of the script's line they are."""


def _match(town: Town, rows: Iterable[Stored]) -> tuple[Matched, tuple[str, ...]]:
    """A line is known by its source and native id; a transcript's spoken parts are one line together."""
    by_name = {(said.source, native_id(said)): said.id for said in town.script.lines}
    radio = {said.handle: said.id for said in town.script.by_source["radio"]}
    matched: dict[str, list[Stored]] = defaultdict(list)
    unknown = []
    for row in rows:
        mention = row.mention
        line = by_name.get((mention.source_id, mention.native_id.strip("<>")))
        if line is None and mention.source_id == "radio":
            line = radio.get(mention.native_id.split(":")[0])
        if line is None:
            unknown.append(f"{mention.source_id} {mention.native_id}")
        else:
            matched[line].append(row)
    return matched, tuple(unknown)


def native_id(said: Said) -> str:
    """The id under which a connector keeps the line."""
    return uri_of(said) if said.source == "fediverse" else said.native_id.strip("<>")


def _found(town: Town, matched: Matched, unknown: tuple[str, ...], until: datetime) -> Found:
    lines = [said for said in town.script.lines if town.when(said.at) <= until and not said.is_repost]
    gone = [said for said in lines if said.deleted and town.when(said.deleted) <= until]
    edited = [said for said in lines if said.edits and town.when(said.edits[-1].at) <= until and said not in gone]
    return Found(
        expected=len(lines),
        found=sum(said.id in matched for said in lines),
        missing=tuple(said.id for said in lines if said.id not in matched and said not in gone),
        doubled=tuple(said.id for said in lines if _is_doubled(said, matched.get(said.id, ()))),
        unknown=unknown,
        reposts_as_mentions=tuple(said.id for said in town.script.lines if said.is_repost and said.id in matched),
        edits_expected=len(edited),
        edits_missed=tuple(
            said.id
            for said in edited
            if said.id in matched and not all(_same(row.mention.text, said.edits[-1].text) for row in matched[said.id])
        ),
        deletions_expected=len(gone),
        deletions_kept=tuple(
            said.id for said in gone if any(row.mention.removed_at is None for row in matched.get(said.id, ()))
        ),
    )


def _is_doubled(said: Said, rows: Sequence[Stored]) -> bool:
    """Two rows for one line; of a transcript, two rows with the same words."""
    if said.source == "radio":
        return len({row.mention.text for row in rows}) < len(rows)
    return len(rows) > 1


def _same(one: str, other: str) -> bool:
    """The same words, whatever became of spaces and line ends."""
    return "".join(one.split()) == "".join(other.split())


def _merged(town: Town, matched: Matched) -> Merged:
    truth: dict[str, set[str]] = defaultdict(set)
    clusters: dict[str, set[str]] = defaultdict(set)
    own = {said.id for said in town.script.lines if said.own}
    for said in town.script.lines:
        if said.id in matched:
            truth[said.duplicate_of or said.id].add(said.id)
        for row in matched.get(said.id, ()):
            if row.enrichment and row.enrichment.cluster_id:
                clusters[row.enrichment.cluster_id].add(said.id)
    right, given = _pairs(truth.values()), _pairs(clusters.values())
    texts = {line: rows[0].mention.text for line, rows in matched.items()}
    wrong = {
        (one, other)
        for one, other in given - right
        if not ({one, other} <= own or _same(texts[one], texts[other]))  # our own words twice, and true copies
    }
    return Merged(
        pairs_expected=len(right),
        pairs_found=len(right & given),
        missed=tuple(sorted(" ".join(pair) for pair in right - given)),
        wrong=tuple(sorted(" ".join(pair) for pair in wrong)),
    )


def _pairs(groups: Iterable[Collection[str]]) -> set[tuple[str, str]]:
    return {(one, other) for group in groups for one, other in combinations(sorted(group), 2)}


def _labels(town: Town, matched: Matched) -> dict[str, Any]:
    """Every kind of label over the lines whose text still stands as the truth judges it. Untagged lines miss all."""
    counts: dict[str, dict[str, Counter[str]]] = {kind: defaultdict(Counter) for kind in (*_KINDS, "entities")}
    about: Counter[str] = Counter()
    for said in town.script.lines:
        rows = matched.get(said.id)
        if not rows or (said.source != "radio" and not _same(rows[0].mention.text, said.text)):
            continue
        tags = [row.enrichment for row in rows if row.enrichment is not None]
        for kind, (true_of, given_of) in _KINDS.items():
            true, given = true_of(said), {label for tag in tags for label in given_of(tag)}
            if len(tags) > 1 and kind in _EXACTLY_ONE:
                given = {_loudest(kind, given)} if given else set()
            for label, outcome in _compared(true, given):
                counts[kind][label][outcome] += 1
        spans = {(entity.type, _folded(entity.text)) for tag in tags for entity in tag.entities}
        for (kind, _text), outcome in _compared({(kind, _folded(text)) for kind, text in said.truth.entities}, spans):
            counts["entities"][kind][outcome] += 1
        is_about = any(BRAND in tag.topics for tag in tags)
        outcome = "right" if said.about and is_about else "extra" if is_about else "missed" if said.about else "none"
        about[outcome] += 1
    return {
        "about": Ratio(right=about["right"], extra=about["extra"], missed=about["missed"]),
        "labels": {kind: {label: Ratio(**one) for label, one in each.items()} for kind, each in counts.items()},
    }


def _compared(true: Collection[Label], given: Collection[Label]) -> Iterable[tuple[Label, str]]:
    for label in {*true, *given}:
        yield label, "right" if label in true and label in given else "extra" if label in given else "missed"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


_KINDS: Mapping[str, tuple[Callable[[Said], Collection[str]], Callable[[Enrichment], Collection[str]]]] = {
    "sentiment": (lambda said: {said.truth.sentiment}, lambda tag: {tag.sentiment.label} if tag.sentiment else set()),
    "intents": (lambda said: said.truth.intents, lambda tag: tag.intents),
    "stage": (lambda said: {said.truth.stage}, lambda tag: {tag.stage}),
    "needs_reply": (lambda said: {said.truth.needs_reply}, lambda tag: {tag.needs_reply}),
    "themes": (lambda said: said.truth.themes, lambda tag: tag.themes),
    "language": (lambda said: {said.language}, lambda tag: {tag.language} if tag.language else set()),
}
_EXACTLY_ONE: Mapping[str, Sequence[str]] = {
    "sentiment": ("mixed", "negative", "positive", "neutral"),
    "stage": ("aftersales", "presales", "none"),
    "needs_reply": ("yes", "optional", "no"),
    "language": (),
}
"""Which label speaks for a transcript whose parts say different things: the first of these."""


def _loudest(kind: str, given: Collection[str]) -> str:
    order = _EXACTLY_ONE[kind]
    return next((label for label in order if label in given), min(given))


def _judged(town: Town, due: Due, seen: Sequence[Seen], matched: Matched) -> AlertJudged:
    """The first state of any alert of the rule that is as it should be; a day late still counts as late."""
    since, by = town.when(due.since), town.when(due.by)
    wanted = {row.mention.id for line in due.rests_on for row in matched.get(line, ())}
    fitting = [
        one.at
        for one in seen
        if one.alert.rule_id == due.rule_id
        and one.at >= since
        and _SEVERITIES.index(one.alert.severity) >= _SEVERITIES.index(due.severity)
        and (not due.rests_on or wanted & set(one.alert.mention_ids))
    ]
    at = min(fitting, default=None)
    outcome = "missed" if at is None else "in_time" if at <= by else "late"
    return AlertJudged(number=due.number, what=due.what, rule_id=due.rule_id, by=by, outcome=outcome, at=at)


def _false(town: Town, seen: Sequence[Seen]) -> tuple[str, ...]:
    """Alerts that were opened when nothing called for them, as "rule day HH:MM"."""
    first: dict[str, Seen] = {}
    for one in seen:
        first.setdefault(one.alert.id, one)
    found = []
    for one in first.values():
        spans = ALLOWED.get(one.alert.rule_id)
        if spans is None or any(town.when(begin) <= one.at <= town.when(end) for begin, end in spans):
            continue
        passed = one.at - town.opens_at
        minutes = passed.seconds // 60
        found.append(f"{one.alert.rule_id} day {passed.days + 1} {minutes // 60:02d}:{minutes % 60:02d}")
    return tuple(found)
