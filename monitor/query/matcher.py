"""What a query means: matching in memory. Every search engine is right when it returns what this returns."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from monitor.model import SearchDocument
from monitor.query.tree import All, And, Equals, Exact, In, Near, Node, Not, Or, Phrase, Range, Wildcard, Word, walk
from monitor.text import tokens as canonical_tokens

TEXT_FIELDS = ("title", "text")
Span = tuple[int, int]
"""[first, last] token positions."""


class Tokens:
    """One text field of a document: its tokens, and where each stands."""

    __slots__ = ("cased", "folded", "places")

    def __init__(self, folded: tuple[str, ...], cased: tuple[str, ...]) -> None:
        self.folded = folded
        self.cased = cased
        self.places: dict[str, list[int]] = {}
        for position, token in enumerate(folded):
            self.places.setdefault(token, []).append(position)


Fields = Mapping[str, Tokens]


def matches(node: Node, document: SearchDocument) -> bool:
    """Whether this document is meant by this query."""
    return _holds(node, fields_of(document), document.fields, TEXT_FIELDS)


def fields_of(document: SearchDocument) -> Fields:
    """The document's text fields, ready to be looked into more than once."""
    return {
        "title": Tokens(document.title_tokens, document.title_tokens_cs),
        "text": Tokens(document.tokens, document.tokens_cs),
    }


def holds(node: Node, fields: Fields, values: Mapping[str, Any]) -> bool:
    """As `matches`, for fields that were made ready before."""
    return _holds(node, fields, values, TEXT_FIELDS)


def compile_matcher(node: Node) -> Callable[[SearchDocument], bool]:
    """The query as a function."""
    return lambda document: matches(node, document)


def _holds(node: Node, fields: Fields, values: Mapping[str, Any], within: tuple[str, ...]) -> bool:  # noqa: PLR0911
    match node:
        case All():
            return True
        case And():
            return all(_holds(child, fields, values, within) for child in node.children)
        case Or():
            return any(_holds(child, fields, values, within) for child in node.children)
        case Not():
            return not _holds(node.child, fields, values, within)
        case In():
            return _holds(node.child, fields, values, (node.field_name,))
        case Equals():
            return _equals(node, values.get(node.field_name))
        case Range():
            return _in_range(node, values.get(node.field_name))
        case _:
            return any(_spans(node, fields[name]) for name in within)


def _equals(node: Equals, value: Any) -> bool:
    if value is None:
        return False
    return node.value in value if isinstance(value, tuple) else node.value == value


def _in_range(node: Range, value: float | datetime | None) -> bool:
    if value is None:
        return False
    low, high = node.low, node.high
    if low is not None and not (value > low if node.low_open else value >= low):  # type: ignore[operator]  # same kind
        return False
    return high is None or bool(value < high if node.high_open else value <= high)  # type: ignore[operator]  # same kind


def _spans(node: Node, tokens: Tokens) -> list[Span]:
    match node:
        case Word():
            return sorted((p, p) for token in node.tokens for p in tokens.places.get(token, ()))
        case Wildcard():
            fits = pattern_of(node.pattern)
            return sorted((p, p) for token, places in tokens.places.items() if fits(token) for p in places)
        case Exact():
            return [(p, p) for p in tokens.places.get(node.folded, ()) if tokens.cased[p] == node.token]
        case Phrase():
            return _in_any_order(node, tokens) if node.slop else _run(node.tokens, tokens)
        case Or():
            return sorted({span for child in node.children for span in _spans(child, tokens)})
        case Near():
            return _near(node, tokens)
        case _:
            raise TypeError(f"{type(node).__name__} has no place in a text")


def _run(wanted: tuple[str, ...], tokens: Tokens) -> list[Span]:
    size = len(wanted)
    return [
        (start, start + size - 1)
        for start in tokens.places.get(wanted[0], ())
        if tokens.folded[start : start + size] == wanted
    ]


def _in_any_order(node: Phrase, tokens: Tokens) -> list[Span]:
    """Both ends are words of the phrase, and the others stand between them; linear in the text."""
    needed = Counter(node.tokens)
    reach = len(node.tokens) - 1 + node.slop
    found: list[Span] = []
    for first in sorted(position for token in needed for position in tokens.places.get(token, ())):
        short = needed.copy()
        short[tokens.folded[first]] -= 1
        asked = short.copy()
        missing = len(node.tokens) - 1
        for last in range(first + 1, min(first + reach + 1, len(tokens.folded))):
            token = tokens.folded[last]
            if not asked[token]:
                continue
            if missing == (1 if short[token] > 0 else 0):
                found.append((first, last))
            if short[token] > 0:
                short[token] -= 1
                missing -= 1
    return found


def _near(node: Near, tokens: Tokens) -> list[Span]:
    left, right = _spans(node.left, tokens), _spans(node.right, tokens)
    found = {(a[0], b[1]) for a, b in _followed(left, right, node.distance)}
    if not node.ordered:
        found |= {(b[0], a[1]) for b, a in _followed(right, left, node.distance)}
    return sorted(found)


def _followed(first: list[Span], second: list[Span], distance: int) -> Iterable[tuple[Span, Span]]:
    """Pairs of which the second starts after the first, at most `distance` tokens later; both lists are sorted."""
    for a in first:
        low = bisect_left(second, (a[1] + 1, 0))
        for b in second[low : bisect_left(second, (a[1] + distance + 2, 0))]:
            yield a, b


@lru_cache(maxsize=4096)
def pattern_of(pattern: str) -> Callable[[str], bool]:
    """Whether a token fits a wildcard pattern, in time linear in the token."""
    if pattern.endswith("*") and "*" not in pattern[:-1] and "?" not in pattern:
        prefix = pattern[:-1]
        return lambda token: token.startswith(prefix)
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    # atomic groups: the first place a middle part fits is as good as any later one, so nothing is tried twice
    regex = first + "".join(f"(?>.*?{part})" for part in rest[:-1]) + (f".*{rest[-1]}" if rest else "")
    compiled = re.compile(regex)
    return lambda token: compiled.fullmatch(token) is not None


def highlight(node: Node, title: str, text: str) -> list[tuple[str, int, int]]:
    """(field, start, end) of the characters that made the query match, without what stands under a NOT."""
    found: set[tuple[str, int, int]] = set()
    leaves = _positive(node, TEXT_FIELDS)
    cased = any(isinstance(leaf, Exact) for leaf, _ in leaves)
    read = {}
    for name, whole in (("title", title), ("text", text)):
        placed = canonical_tokens.spans(whole)
        folded = tuple(token for token, _, _ in placed)
        read[name] = placed, Tokens(folded, canonical_tokens.canonical_cs(whole) if cased else ())
    for leaf, within in leaves:
        for name in within:
            placed, tokens = read[name]
            for first, last in _spans(leaf, tokens):
                found.add((name, placed[first][1], placed[last][2]))
    return sorted(found)


def _positive(node: Node, within: tuple[str, ...]) -> list[tuple[Node, tuple[str, ...]]]:
    match node:
        case And() | Or():
            return [pair for child in node.children for pair in _positive(child, within)]
        case In():
            return _positive(node.child, (node.field_name,))
        case Word() | Wildcard() | Exact() | Phrase():
            return [(node, within)]
        case Near():
            return [(leaf, within) for leaf in walk(node) if isinstance(leaf, Word | Wildcard | Phrase)]
        case _:
            return []
