"""The score as a table for people."""

from __future__ import annotations

from rich.table import Table

from monitor.demo.score import AlertJudged, Ratio, Score
from monitor.demo.script import ZONE

_SHOWN = 5


def table(score: Score) -> Table:
    """One row a figure: what, the figure, and what went wrong by name."""
    shown = Table(title="The town, as it was and as it was found", title_justify="left")
    shown.add_column("what")
    shown.add_column("figure", justify="right")
    shown.add_column("which", overflow="fold")
    for what, figure, which in rows(score):
        shown.add_row(what, figure, which)
    return shown


def rows(score: Score) -> list[tuple[str, str, str]]:
    """The table's rows as text."""
    found, merged = score.found, score.merged
    told = [
        ("mentions found", f"{found.found} of {found.expected}", ""),
        ("missing", str(len(found.missing)), _some(found.missing)),
        ("doubled", str(len(found.doubled)), _some(found.doubled)),
        ("reposts kept as mentions", str(len(found.reposts_as_mentions)), _some(found.reposts_as_mentions)),
        ("not in the script", str(len(found.unknown)), _some(found.unknown)),
        (
            "edits seen",
            f"{found.edits_expected - len(found.edits_missed)} of {found.edits_expected}",
            _some(found.edits_missed),
        ),
        (
            "deletions honoured",
            f"{found.deletions_expected - len(found.deletions_kept)} of {found.deletions_expected}",
            _some(found.deletions_kept),
        ),
        ("copies merged", f"{merged.pairs_found} of {merged.pairs_expected} pairs", _some(merged.missed)),
        ("wrong merges", str(len(merged.wrong)), _some(merged.wrong)),
        ("tagged", str(score.tagged), ""),
        ("about the brand", _f1(score.about), _ratio(score.about)),
    ]
    for kind in score.labels:
        macro = score.macro(kind)
        told.append((f"{kind}: macro F1", "–" if macro is None else f"{macro:.3f}", _ratio(score.micro(kind))))
        told += [(f"  {label}", _f1(ratio), _ratio(ratio)) for label, ratio in sorted(score.labels[kind].items())]
    told += [(f"alert {one.number}: {one.what}", one.outcome.replace("_", " "), _when(one)) for one in score.alerts]
    told.append(("false alerts", str(len(score.false_alerts)), _some(score.false_alerts)))
    return told


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _f1(ratio: Ratio) -> str:
    return "–" if ratio.f1 is None else f"{ratio.f1:.3f}"


def _ratio(ratio: Ratio) -> str:
    precision = "–" if ratio.precision is None else f"{ratio.precision:.2f}"
    recall = "–" if ratio.recall is None else f"{ratio.recall:.2f}"
    return f"precision {precision}, recall {recall}, {ratio.right + ratio.missed} true"


def _when(one: AlertJudged) -> str:
    by = f"due {one.by.astimezone(ZONE):%a %d %b %H:%M}"
    return by if one.at is None else f"{by}, stood {one.at.astimezone(ZONE):%a %d %b %H:%M}"
