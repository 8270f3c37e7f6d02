"""The tree that a query becomes: frozen, hashable nodes, each with its place [start, end) in the text as typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class All(_Placed):
    """Everything: the empty query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(_Placed):
    """One canonical token. Without a sign it also stands for the hashtag and the handle of that name."""

    token: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """The stored tokens that it matches."""
        return (self.token,) if self.token[0] in "#@" else (self.token, f"#{self.token}", f"@{self.token}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wildcard(_Placed):
    """A pattern over one token: `*` any characters, `?` one. Starts with two plain characters at least."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact(_Placed):
    """One token in exactly this case; accents are folded as everywhere."""

    token: str
    folded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase(_Placed):
    """These tokens in this order, or with `slop` in any order with at most so many others in between."""

    tokens: tuple[str, ...]
    slop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Near(_Placed):
    """Both sides in one field, not overlapping, at most `distance` other tokens between; `ordered`: left first."""

    left: Node
    right: Node
    distance: int
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class And(_Placed):
    """All of these."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or(_Placed):
    """At least one of these."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(_Placed):
    """The opposite."""

    child: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class In(_Placed):
    """Only in this text field: "title" or "text"."""

    field_name: str
    child: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals(_Placed):
    """A field holds this canonical value; of several values any."""

    field_name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(_Placed):
    """A number or a moment between two bounds; None: unbounded on that side."""

    field_name: str
    low: float | datetime | None = None
    high: float | datetime | None = None
    low_open: bool = False
    high_open: bool = False


Node = All | Word | Wildcard | Exact | Phrase | Near | And | Or | Not | In | Equals | Range
Leaf = Word | Wildcard | Exact | Phrase


def walk(node: Node) -> list[Node]:
    """The node and everything under it, outermost first."""
    found: list[Node] = []
    waiting: list[Node] = [node]
    while waiting:
        current = waiting.pop()
        found.append(current)
        if isinstance(current, And | Or):
            waiting.extend(reversed(current.children))
        elif isinstance(current, Not | In):
            waiting.append(current.child)
        elif isinstance(current, Near):
            waiting.extend((current.right, current.left))
    return found


def to_text(node: Node) -> str:
    """The query as text that parses to the same tree."""
    return _text(node, parent="or")


_RANK = {"or": 0, "and": 1, "not": 2, "near": 3}


def _text(node: Node, parent: str) -> str:  # noqa: C901, PLR0911 - one line a kind of node
    match node:
        case All():
            return ""
        case Word():
            return node.token if node.token.casefold() not in {"or", "and", "not", "near"} else f'"{node.token}"'
        case Wildcard():
            return node.pattern
        case Exact():
            return f"{{{node.token}}}"
        case Phrase():
            return f'"{" ".join(node.tokens)}"' + (f"~{node.slop}" if node.slop else "")
        case Near():
            word = f"NEAR/{node.distance}" + ("f" if node.ordered else "")
            return _bracketed(f"{_text(node.left, 'near')} {word} {_text(node.right, 'near')}", "near", parent)
        case And():
            return _bracketed(" AND ".join(_text(child, "and") for child in node.children), "and", parent)
        case Or():
            return _bracketed(" OR ".join(_text(child, "or") for child in node.children), "or", parent)
        case Not():
            return _bracketed(f"NOT {_text(node.child, 'near')}", "not", parent)
        case In():
            return f"{node.field_name}:({_text(node.child, 'or')})"
        case Equals():
            plain = node.value.replace("-", "").replace("_", "").replace(".", "").isalnum()
            return f"{node.field_name}:{node.value}" if plain else f'{node.field_name}:"{node.value}"'
        case Range():
            low = "[" if not node.low_open else "{"
            high = "]" if not node.high_open else "}"
            return f"{node.field_name}:{low}{_bound(node.low)} TO {_bound(node.high)}{high}"


def _bound(value: float | datetime | None) -> str:
    if value is None:
        return "*"
    return value.isoformat() if isinstance(value, datetime) else f"{value:.17g}"


def _bracketed(text: str, kind: str, parent: str) -> str:
    return f"({text})" if _RANK[kind] <= _RANK[parent] and (kind != parent or kind in {"near", "not"}) else text
