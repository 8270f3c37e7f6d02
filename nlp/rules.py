"""Rules as data: patterns behind a word gate, each with an id and a reason in words (lexicons/rules.toml)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nlp.words import shows

_WORD_BEFORE = re.compile(r"\w+\W*$")
RULES = Path(__file__).parent / "lexicons" / "rules.toml"


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern that speaks for `flag`."""

    id: str
    flag: str
    pattern: re.Pattern[str]
    why: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fits, at [start, end) of the text; an empty span where only signs fit and no word goes before."""

    rule: Rule
    start: int
    end: int


class Rules:
    """All rules, found by the words that make them worth trying."""

    def __init__(self, rules: list[tuple[Rule, list[str]]]) -> None:
        self._rules = [rule for rule, _ in rules]
        self._by_word: dict[str, list[int]] = {}
        for number, (_, words) in enumerate(rules):
            for word in dict.fromkeys(words):
                self._by_word.setdefault(word, []).append(number)
        self.flags: tuple[str, ...] = tuple(dict.fromkeys(rule.flag for rule, _ in rules))
        self._gate = frozenset(self._by_word)

    def fired(self, text: str, forms: AbstractSet[str]) -> list[Fired]:
        """What fits `text`, whose normalised tokens are `forms`; each rule at most once, at its first place."""
        found = []
        for number in sorted({number for word in self._gate & forms for number in self._by_word[word]}):
            rule = self._rules[number]
            match = rule.pattern.search(text)
            if match is not None and match.end() > match.start():
                start, end = _trimmed(text, match.start(), match.end())
                found.append(Fired(rule, start, end))
        return found


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end - 1 and not (text[start].isalnum() or text[start] in "@#€£👏🙃🙄😡🤬😤👎❤😍🥰💚👍?"):
        start += 1
    while end > start + 1 and text[end - 1].isspace():
        end -= 1
    if shows(text[start:end]):
        return start, end
    before = _WORD_BEFORE.search(text[max(0, start - 40) : start])  # a lone "?" explains nothing: show its word
    return (start - len(before.group()), end) if before else (start, start)


@cache
def load_rules(path: Path = RULES) -> Rules:
    """Read once a process. A faulty pattern raises re.error at start, not on a text."""
    rules = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["rule"]:
        pattern = re.compile(entry["pattern"], re.IGNORECASE)
        rules.append((Rule(entry["id"], entry["flag"], pattern, tuple(entry["why"])), entry["when"]))
    return Rules(rules)
