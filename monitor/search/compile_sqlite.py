"""A query's tree as SQL over search.db: candidates, never fewer than the matches; `exact` says when just these.

A leaf that FTS5 cannot express gives too many rows. Under a NOT that would lose rows, so there it compiles to false:
the NOT keeps every row, and the matcher decides. Missing values are false, their negation is true. All text is bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

from monitor.query.fields import FIELDS
from monitor.query.matcher import pattern_of
from monitor.query.tree import All, And, Equals, Exact, In, Near, Node, Not, Or, Phrase, Range, Wildcard, Word

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TERMS = 2_000
_GROUP = 32
SEPARATOR = "\x1f"
"""Stands around each value of a column with many; cleaned values cannot hold it."""
_COLUMNS = {"title": "tok_title", "text": "tok"}

Terms = Callable[[str], Sequence[str]]
"""prefix -> the indexed tokens that start with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A condition on `facet` with its values; `exact` False: the matcher must look again."""

    sql: str
    values: tuple[object, ...] = ()
    exact: bool = True


def compile_query(node: Node, terms: Terms) -> Compiled:
    """The condition for a whole tree."""
    return _compiled(node, terms, column=None, negative=False)


def _compiled(node: Node, terms: Terms, *, column: str | None, negative: bool) -> Compiled:  # noqa: PLR0911
    match node:
        case All():
            return Compiled(sql="1")
        case And() | Or():
            parts = [_compiled(child, terms, column=column, negative=negative) for child in node.children]
            joiner = " AND " if isinstance(node, And) else " OR "
            return Compiled(
                sql=_joined([part.sql for part in parts], joiner),
                values=tuple(value for part in parts for value in part.values),
                exact=all(part.exact for part in parts),
            )
        case Not():
            inner = _compiled(node.child, terms, column=column, negative=not negative)
            return Compiled(sql=f"(NOT {inner.sql})", values=inner.values, exact=inner.exact)
        case In():
            return _compiled(node.child, terms, column=_COLUMNS[node.field_name], negative=negative)
        case Equals():
            return _equals(node)
        case Range():
            return _range(node)
        case _:
            expression, exact = _match(node, terms)
            if not exact and negative:
                return Compiled(sql="0", exact=False)
            if expression is None:
                return Compiled(sql="0")
            scoped = f"{{{column}}} : ({expression})" if column else expression
            return Compiled(sql="no IN (SELECT rowid FROM fts WHERE fts MATCH ?)", values=(scoped,), exact=exact)


def _joined(parts: Sequence[str], joiner: str) -> str:
    """In groups: SQLite takes an expression at most 1,000 deep, and a plain chain is as deep as it is long."""
    while len(parts) > _GROUP:
        parts = [f"({joiner.join(parts[n : n + _GROUP])})" for n in range(0, len(parts), _GROUP)]
    return f"({joiner.join(parts)})"


def _equals(node: Equals) -> Compiled:
    if FIELDS[node.field_name].many:
        held = f"{SEPARATOR}{node.value}{SEPARATOR}"
        return Compiled(sql=f"coalesce(instr({column_of(node.field_name)}, ?) > 0, 0)", values=(held,))
    return Compiled(sql=f"coalesce({column_of(node.field_name)} = ?, 0)", values=(node.value,))


def _range(node: Range) -> Compiled:
    name = column_of(node.field_name)
    parts, values = [f"{name} IS NOT NULL"], []
    for bound, sign in ((node.low, ">" if node.low_open else ">="), (node.high, "<" if node.high_open else "<=")):
        if bound is not None:
            parts.append(f"{name} {sign} ?")
            values.append(micros(bound) if isinstance(bound, datetime) else bound)
    return Compiled(sql=f"coalesce({' AND '.join(parts)}, 0)", values=tuple(values))


def column_of(field_name: str) -> str:
    """The column of `facet` that holds a field."""
    return f"f_{field_name}"


def micros(moment: datetime) -> int:
    """A moment as an integer that sorts."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _match(node: Node, terms: Terms) -> tuple[str | None, bool]:  # noqa: PLR0911 - one line a kind of node
    """An FTS5 expression (None: nothing can match) and whether it is exact."""
    match node:
        case Word():
            return " OR ".join(_quoted(token) for token in node.tokens), True
        case Exact():
            return _quoted(node.folded), False
        case Wildcard():
            return _pattern(node.pattern, terms)
        case Phrase():
            if not node.slop:
                return _quoted(*node.tokens), True
            words = " ".join(_quoted(token) for token in node.tokens)
            return f"NEAR({words}, {node.slop + len(node.tokens) - 2})", False
        case Or():
            parts = [_match(child, terms) for child in node.children]
            known = [expression for expression, _ in parts if expression is not None]
            return (f"({' OR '.join(known)})" if known else None), all(exact for _, exact in parts)
        case Near():
            return _near(node, terms), False
        case _:
            raise TypeError(f"{type(node).__name__} has no place in MATCH")


def _pattern(pattern: str, terms: Terms) -> tuple[str | None, bool]:
    prefix = re.split(r"[*?]", pattern, maxsplit=1)[0]
    if pattern == prefix + "*":
        return _quoted(prefix) + "*", True
    fits = pattern_of(pattern)
    found = terms(prefix)
    if len(found) > _MAX_TERMS:
        return _quoted(prefix) + "*", False
    fitting = [_quoted(term) for term in found if fits(term)]
    return (f"({' OR '.join(fitting)})" if fitting else None), True


def _near(node: Near, terms: Terms) -> str | None:
    left, right = _operands(node.left, terms), _operands(node.right, terms)
    if not left or not right:
        return None
    pairs = [f"NEAR({a} {b}, {node.distance})" for a, b in product(left, right)]
    return "(" + " OR ".join(pairs) + ")"


def _operands(node: Node, terms: Terms) -> list[str]:
    match node:
        case Word():
            return [_quoted(token) for token in node.tokens]
        case Phrase() if not node.slop:
            return [_quoted(*node.tokens)]
        case Phrase():
            return [_quoted(node.tokens[0])]
        case Wildcard():
            return [_quoted(re.split(r"[*?]", node.pattern, maxsplit=1)[0]) + "*"]
        case Or():
            return [operand for child in node.children for operand in _operands(child, terms)]
        case _:
            raise TypeError(f"{type(node).__name__} has no place in NEAR")


def _quoted(*tokens: str) -> str:
    return '"' + " ".join(token.replace('"', '""') for token in tokens) + '"'
