"""What is probably not meant: warnings with a place, shown before a query is saved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.query.anchors import anchors
from monitor.query.tree import All, And, Equals, Near, Node, Not, Word, walk

_STOP_WORDS = frozenset("de het een en of in op te van is dat niet the a an of to and or not".split())  # noqa: SIM905
_FAR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001 - the field's word for it
    """`code` names the kind for translation; `message` is English."""

    at: int
    code: str
    message: str


def lint(node: Node, text: str) -> list[Warning]:
    """Warnings for a query that parses, in order of place."""
    unquoted = re.sub(r'"[^"]*"', lambda quoted: "x" * len(quoted[0]), text)
    found = [
        Warning(
            at=match.start(), code="lower-case", message=f"`{match[0]}` is searched as a word; write {match[0].upper()}"
        )
        for match in re.finditer(r"(?<!\S)(and|or|near)(?!\S)", unquoted)
    ]
    if isinstance(node, Not):
        found.append(Warning(at=node.start, code="only-not", message="finds everything else"))
    if isinstance(node, Word) and node.token in _STOP_WORDS:
        found.append(Warning(at=node.start, code="stop-word", message="this word is in almost every text"))
    if not isinstance(node, All | Not) and anchors(node) is None:
        found.append(Warning(at=node.start, code="no-anchor", message="as a rule this is checked for every mention"))
    for inner in walk(node):
        if isinstance(inner, Near) and inner.distance > _FAR:
            found.append(Warning(at=inner.start, code="far", message="weak evidence: words this far apart"))
        if isinstance(inner, And):
            found.extend(_never_both(inner))
    return sorted(found, key=lambda warning: warning.at)


def _never_both(node: And) -> list[Warning]:
    seen: dict[str, str] = {}
    found = []
    for child in node.children:
        if isinstance(child, Equals) and child.field_name in {"language", "sentiment", "channel", "source", "status"}:
            before = seen.setdefault(child.field_name, child.value)
            if before != child.value:
                found.append(Warning(at=child.start, code="never-both", message="never both; did you mean OR?"))
    return found
