"""Text to tree, by recursive descent. Raises nothing but QueryError, which points at the character."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.errors import QueryError
from monitor.query.fields import FIELDS, FOR_SEARCHES, Kind, canonical_value
from monitor.query.tree import (
    All,
    And,
    Equals,
    Exact,
    In,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Range,
    Wildcard,
    Word,
    walk,
)
from monitor.text.tokens import canonical, canonical_cs

MAX_TEXT, MAX_DEPTH, MAX_CLAUSES, MAX_DISTANCE, MAX_PAIRS = 65_536, 15, 1_000, 50, 400
_SPACE = re.compile(r"\s*")
_TERM = re.compile(r'[^\s()"{}\[\]:]+')
_NEAR = re.compile(r"NEAR(?:/(\S*))?(?=[\s()]|$)")
_FIELD = re.compile(r"([A-Za-z_]+):")
_SLOP = re.compile(r"~(\d{1,3})")
_RANGE = re.compile(r"([\[{])\s*(\S+)\s+TO\s+([^\s\]}]+)\s*([\]}])")
_COMPARED = re.compile(r"(>=|<=|>|<)\s*([^\s()]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_RELATIVE = re.compile(r"now(?:-(\d{1,4})([hdw]))?")
_OPERATORS = frozenset({"AND", "OR", "NOT"})
_DAY = timedelta(days=1)
_DAY_FORM = re.compile(r"\d{4}-\d\d-\d\d")


def parse(
    text: str,
    *,
    zone: str = "Europe/Amsterdam",
    now: datetime | None = None,
    allow: frozenset[str] = FOR_SEARCHES,
) -> Node:
    """The tree of a query. Dates are read in `zone`; `now` is needed for relative ones; `allow` names the fields."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        raise QueryError("this query is too long; at most 64 kB", at=0)
    parser = _Parser(text, ZoneInfo(zone), now, allow)
    node = parser.whole()
    if sum(1 for _ in walk(node)) > MAX_CLAUSES:
        raise QueryError(f"this query has more than {MAX_CLAUSES} parts; split it", at=0)
    return node


class _Parser:
    def __init__(self, text: str, zone: ZoneInfo, now: datetime | None, allow: frozenset[str]) -> None:
        self.text, self.zone, self.now, self.allow = text, zone, now, allow
        self.at = 0
        self.depth = 0

    # --- structure ---

    def whole(self) -> Node:
        self._skip()
        if self.at == len(self.text):
            return All()
        node = self._either()
        if self.at < len(self.text):
            char = self.text[self.at]
            words = "this bracket was never opened" if char == ")" else f"{char!r} is not expected here"
            raise QueryError(words, at=self.at)
        return node

    def _either(self) -> Node:
        start = self.at
        found = [self._all()]
        while self._word("OR"):
            found.append(self._needed(self._all, "OR"))
        return _merged(Or, found, start, self.at)

    def _all(self) -> Node:
        start = self.at
        found = [self._not()]
        while True:
            if self._word("AND"):
                found.append(self._needed(self._not, "AND"))
            elif self.at < len(self.text) and self.text[self.at] != ")" and not self._ahead("OR"):
                found.append(self._not())
            else:
                return _merged(And, found, start, self.at)

    def _needed(self, read: object, word: str) -> Node:
        end = self.at
        self._skip()
        if self.at == len(self.text) or self.text[self.at] == ")" or self._ahead("OR") or self._ahead("AND"):
            raise QueryError(f"a term is missing after {word}", at=end)
        return read()  # type: ignore[operator,no-any-return]  # one of the two methods above

    def _not(self) -> Node:
        start = self.at
        if self._word("NOT"):
            self._deeper(start)
            child = self._needed(self._not, "NOT")
            self.depth -= 1
        elif self._char("-") and self.at + 1 < len(self.text) and not self.text[self.at + 1].isspace():
            self.at += 1
            self._deeper(start)
            child = self._not()
            self.depth -= 1
        else:
            return self._near()
        return child.child if isinstance(child, Not) else Not(child=child, start=start, end=self.at)

    def _near(self) -> Node:
        start = self.at
        if _NEAR.match(self.text, self.at) and self.text.startswith(("NEAR/", "NEAR "), self.at):
            raise QueryError("NEAR needs a term on both sides", at=start)
        left = self._term()
        match = self._near_word()
        if match is None:
            return left
        at, distance, ordered = match
        self._skip()
        if self.at == len(self.text) or self.text[self.at] == ")":
            raise QueryError("NEAR needs a term on both sides", at=at)
        right_at = self.at
        if self._char("-"):
            raise QueryError("NEAR takes words, wildcards, phrases and OR groups of these", at=right_at)
        right = self._term()
        for side, place in ((left, start), (right, right_at)):
            self._near_side(side, place)
        if _width(left) * _width(right) > MAX_PAIRS:
            raise QueryError(f"this NEAR compares more than {MAX_PAIRS} pairs; shorten the OR groups", at=at)
        if self._near_word() is not None:
            raise QueryError("NEAR inside NEAR is not supported; write a NEAR/5 b AND b NEAR/5 c", at=at)
        return Near(left=left, right=right, distance=distance, ordered=ordered, start=start, end=self.at)

    def _near_word(self) -> tuple[int, int, bool] | None:
        match = _NEAR.match(self.text, self.at)
        if match is None:
            return None
        at, written = self.at, match[1]
        if written is None:
            distance, ordered = 5, False
        else:
            ordered = written.endswith("f")
            digits = written.removesuffix("f")
            if not digits.isascii() or not digits.isdigit():
                raise QueryError("NEAR takes a number, as in NEAR/5. To search for the word, quote it", at=at)
            distance = int(digits[:6])
        if distance > MAX_DISTANCE:
            raise QueryError(f"at most {MAX_DISTANCE}", at=at)
        self.at = match.end()
        self._skip()
        return at, distance, ordered

    def _near_side(self, node: Node, at: int) -> None:
        if isinstance(node, Near):
            raise QueryError("NEAR inside NEAR is not supported; write a NEAR/5 b AND b NEAR/5 c", at=at)
        if isinstance(node, In):
            raise QueryError("a field cannot stand inside NEAR; write title:(a NEAR/5 b)", at=at)
        if isinstance(node, Or):
            for child in node.children:
                self._near_side(child, at)
        elif not isinstance(node, Word | Wildcard | Phrase):
            raise QueryError("NEAR takes words, wildcards, phrases and OR groups of these", at=at)

    def _term(self) -> Node:
        start = self.at
        if self.at == len(self.text):
            raise QueryError("a term is missing here", at=start)
        char = self.text[self.at]
        if char == "(":
            return self._group(start)
        if char == '"':
            return self._phrase(start)
        if char == "{":
            return self._exact(start)
        if char in ")]}[":
            words = "this bracket was never opened" if char == ")" else f"{char!r} is not expected here"
            raise QueryError(words, at=start)
        match = _FIELD.match(self.text, self.at)
        if match is not None:
            return self._field(match)
        return self._plain(start)

    def _group(self, start: int) -> Node:
        self._deeper(start)
        self.at += 1
        self._skip()
        if self._char(")"):
            raise QueryError("there is nothing between these brackets", at=start)
        node = self._either()
        if not self._char(")"):
            raise QueryError("this bracket is never closed", at=start)
        self.at += 1
        self._skip()
        self.depth -= 1
        return node

    # --- terms ---

    def _plain(self, start: int) -> Node:
        match = _TERM.match(self.text, self.at)
        if match is None:
            raise QueryError(f"{self.text[start]!r} is not expected here", at=start)
        self.at = match.end()
        written = match[0]
        if written in _OPERATORS:
            raise QueryError(f"a term is missing before {written}", at=start)
        end = self.at
        self._skip()
        if "*" in written or "?" in written.rstrip("?"):
            return _wildcard(written, start, end)
        return _tokens(written, start, end)

    def _phrase(self, start: int) -> Node:
        close = self.text.find('"', start + 1)
        if close < 0:
            raise QueryError("this quote is never closed", at=start)
        inside = self.text[start + 1 : close]
        star = re.search(r"\w[*]|[*]\w", inside)
        if star is not None:
            raise QueryError("no wildcards in a phrase", at=start + 1 + inside.index("*"))
        self.at = close + 1
        slop = _SLOP.match(self.text, self.at)
        if slop is not None:
            self.at = slop.end()
        end = self.at
        self._skip()
        tokens = canonical(inside)
        if not tokens:
            raise QueryError("nothing to search for in this phrase", at=start)
        if len(tokens) == 1:
            return Word(token=tokens[0], start=start, end=end)
        between = int(slop[1]) if slop is not None else 0
        if between > MAX_DISTANCE:
            raise QueryError(f"at most {MAX_DISTANCE}", at=end - len(slop[1]) if slop else start)
        if between and len(tokens) > 4:  # noqa: PLR2004 - every order of the words is looked for
            raise QueryError("a phrase in any order takes at most 4 words", at=start)
        return Phrase(tokens=tokens, slop=between, start=start, end=end)

    def _exact(self, start: int) -> Node:
        close = self.text.find("}", start + 1)
        if close < 0:
            raise QueryError("this bracket is never closed", at=start)
        inside = self.text[start + 1 : close]
        tokens = canonical_cs(inside)
        if len(tokens) != 1:
            gap = inside.find(" ")
            raise QueryError("exact case takes one word", at=start + 1 + gap + 1)
        self.at = close + 1
        self._skip()
        return Exact(token=tokens[0], folded=canonical(inside)[0], start=start, end=close + 1)

    # --- fields ---

    def _field(self, match: re.Match[str]) -> Node:
        start, name = match.start(), match[1].lower()
        field = FIELDS.get(name)
        if field is None:
            if name in {"http", "https"}:
                raise QueryError(f"unknown field {name}; quote an address, or use site:", at=start)
            near = difflib.get_close_matches(name, FIELDS, n=1)
            raise QueryError(
                f"unknown field {name}" + (f"; did you mean {near[0]}?" if near else ""),
                at=start,
                suggestion=near[0] if near else None,
            )
        if name not in self.allow:
            raise QueryError(f"{name} is not known yet when this query is matched", at=start)
        self.at = match.end()
        if self.at == len(self.text) or self.text[self.at].isspace():
            raise QueryError(f"a value is missing after {name}:", at=self.at)
        if field.kind is Kind.TEXT:
            return self._within(name, start)
        if field.kind is Kind.EQUALITY:
            return self._values(name, start)
        return self._range(name, field.kind, start)

    def _within(self, name: str, start: int) -> Node:
        if _FIELD.match(self.text, self.at):
            raise QueryError("a field cannot stand inside a field", at=self.at)
        if self._char("-"):
            raise QueryError(f"the minus stands before the field, as in -{name}:word", at=self.at)
        child = self._term()
        if self._near_word() is not None:
            raise QueryError(f"the field binds to one term; write {name}:(a NEAR/5 b)", at=start)
        if any(isinstance(node, In | Equals | Range) for node in walk(child)):
            raise QueryError("a field cannot stand inside a field", at=start)
        return In(field_name=name, child=child, start=start, end=self.at)

    def _values(self, name: str, start: int) -> Node:
        if not self._char("("):
            return self._value(name, start)
        self.at += 1
        self._skip()
        found = [self._value(name, self.at)]
        while self._word("OR"):
            found.append(self._value(name, self.at))
        if not self._char(")"):
            raise QueryError(f"several values of {name} are joined by OR and closed by a bracket", at=self.at)
        self.at += 1
        self._skip()
        return _merged(Or, list(found), start, self.at)

    def _value(self, name: str, start: int) -> Node:
        at = self.at
        if self._char('"'):
            close = self.text.find('"', at + 1)
            if close < 0:
                raise QueryError("this quote is never closed", at=at)
            written, self.at = self.text[at + 1 : close], close + 1
        else:
            match = re.compile(r'[^\s()"]+').match(self.text, at)
            if match is None:
                raise QueryError(f"a value is missing after {name}:", at=at)
            written, self.at = match[0], match.end()
            if "*" in written or "?" in written:
                raise QueryError("whole values only", at=at)
        end = self.at
        self._skip()
        value = canonical_value(written)
        if not value:
            raise QueryError(f"a value is missing after {name}:", at=at)
        return Equals(field_name=name, value=value, start=start, end=end)

    def _range(self, name: str, kind: Kind, start: int) -> Node:
        at = self.at
        match = _RANGE.match(self.text, at)
        if match is not None:
            self.at = match.end()
            low_open, high_open = match[1] == "{", match[4] == "}"
            low = None if match[2] == "*" else self._bound(match[2], kind, match.start(2), after=low_open)
            high = None if match[3] == "*" else self._bound(match[3], kind, match.start(3), after=not high_open)
            # days are half-open intervals: from the first moment on, up to the moment after
            low_open = low_open and not _is_day(match[2], kind)
            high_open = high_open or _is_day(match[3], kind)
            found = Range(
                field_name=name,
                low=low,
                high=high,
                low_open=low_open and low is not None,
                high_open=high_open and high is not None,
            )
        elif (compared := _COMPARED.match(self.text, at)) is not None:
            self.at = compared.end()
            found = self._compared(name, kind, compared)
        else:
            plain = re.compile(r"[^\s()]+").match(self.text, at)
            written = plain[0] if plain else ""
            self.at = plain.end() if plain else at
            low = self._bound(written, kind, at, after=False)
            high = self._bound(written, kind, at, after=kind is Kind.DATE)
            found = Range(field_name=name, low=low, high=high, high_open=_is_day(written, kind))
        end = self.at
        self._skip()
        return replace(found, start=start, end=end)

    def _compared(self, name: str, kind: Kind, match: re.Match[str]) -> Range:
        sign, written, at = match[1], match[2], match.start(2)
        bound = self._bound(written, kind, at, after=sign in {">", "<="})
        day = _is_day(written, kind)
        if sign[0] == ">":
            return Range(field_name=name, low=bound, low_open=sign == ">" and not day)
        return Range(field_name=name, high=bound, high_open=sign == "<" or day)

    def _bound(self, written: str, kind: Kind, at: int, *, after: bool) -> float | datetime:
        """A number, or a moment; of a whole day the moment `after` it, else its first."""
        if kind is Kind.NUMBER:
            if not _NUMBER.fullmatch(written):
                raise QueryError("not a number", at=at)
            number = float(written)
            if number in {float("inf"), float("-inf")}:
                raise QueryError("not a number", at=at)
            return number + 0.0
        return self._moment(written, at, after=after)

    def _moment(self, written: str, at: int, *, after: bool) -> datetime:
        relative = _RELATIVE.fullmatch(written)
        if relative is not None:
            if self.now is None:
                raise QueryError("a stored query needs no moving date", at=at)
            unit = {"h": "hours", "d": "days", "w": "weeks"}[relative[2] or "h"]
            return _milliseconds(self.now - timedelta(**{unit: int(relative[1] or 0)}))
        try:
            if _is_day(written, Kind.DATE):
                day = datetime.fromisoformat(written) + (_DAY if after else timedelta(0))
                return day.replace(tzinfo=self.zone).astimezone(UTC)
            moment = datetime.fromisoformat(written)
            return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))
        except (ValueError, OverflowError):
            raise QueryError("not a date", at=at) from None

    # --- reading ---

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _char(self, char: str) -> bool:
        return self.text.startswith(char, self.at)

    def _ahead(self, word: str) -> bool:
        end = self.at + len(word)
        return self.text.startswith(word, self.at) and (end >= len(self.text) or self.text[end] in ' \t\r\n()"')

    def _word(self, word: str) -> bool:
        if not self._ahead(word):
            return False
        self.at += len(word)
        self._skip()
        return True

    def _deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(f"nested more than {MAX_DEPTH} deep; simplify", at=at)


def _merged(kind: type[And | Or], found: list[Node], start: int, end: int) -> Node:
    if len(found) == 1:
        return found[0]
    children = [inner for node in found for inner in (node.children if isinstance(node, kind) else (node,))]
    return kind(children=tuple(children), start=start, end=end)


def _tokens(written: str, start: int, end: int) -> Node:
    tokens = canonical(written)
    if not tokens:
        raise QueryError("no letter or digit in this term", at=start)
    if len(tokens) == 1:
        return Word(token=tokens[0], start=start, end=end)
    return Phrase(tokens=tokens, start=start, end=end)


def _wildcard(written: str, start: int, end: int) -> Node:
    stars = [position for position, char in enumerate(written) if char in "*?"]
    if stars[0] - (written[0] in "#@") < 2:  # noqa: PLR2004 - fewer would walk the whole vocabulary
        raise QueryError("a wildcard needs 2 characters in front", at=start)
    pieces = re.split(r"([*?])", written)
    folded: list[str] = []
    for number, piece in enumerate(pieces):
        if piece in {"*", "?"} or not piece:
            folded.append(piece)
            continue
        tokens = canonical(piece if number == 0 else piece.lstrip("#@"))
        if len(tokens) != 1 or (number and piece[0] in "#@"):
            bad = re.search(r"[^\w#@]", piece)
            where = sum(map(len, pieces[:number])) + (bad.start() if bad else 0)
            raise QueryError("a wildcard stands in one word only", at=start + where)
        folded.append(tokens[0])
    pattern = re.sub(r"\*+", "*", "".join(folded))
    if len(re.split(r"[*?]", pattern, maxsplit=1)[0].lstrip("#@")) < 2:  # noqa: PLR2004 - a sign may have been dropped
        raise QueryError("a wildcard needs 2 characters in front", at=start)
    return Wildcard(pattern=pattern, start=start, end=end)


def _is_day(written: str, kind: Kind) -> bool:
    return kind is Kind.DATE and _DAY_FORM.fullmatch(written) is not None


def _width(node: Node) -> int:
    return sum(_width(child) for child in node.children) if isinstance(node, Or) else 1


def _milliseconds(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
