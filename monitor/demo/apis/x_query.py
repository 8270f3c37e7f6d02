"""The part of X's search language that a brand's query needs: words, "phrases", #, @, from:, lang:, is:, -, OR, ()."""

from __future__ import annotations

import re

_PART = re.compile(r'(-?)(?:\(([^()]*)\)|("[^"]*"|[^\s()]+))')


def matches(query: str, heard: str, *, author: str, language: str) -> bool:
    """True if a post fits. Parts side by side must all hold; OR binds looser, and parentheses do not nest.

    `heard` is the post's text in lower case. `is:` and `has:` hold for no post here: reposts are left out beforehand.
    """
    if "(" not in query:
        return _group(query, heard, author=author, language=language)
    return all(
        _group(group or part, heard, author=author, language=language) != bool(minus)
        for minus, group, part in _PART.findall(query)
        if part != "OR"
    )


def _group(told: str, heard: str, *, author: str, language: str) -> bool:
    """Alternatives, each a row of parts that must all hold."""
    return any(
        all(
            _holds(part, heard, author=author, language=language) != bool(minus)
            for minus, _group, part in _PART.findall(choice)
        )
        for choice in re.split(r"\s+OR\s+", told.strip())
    )


def _holds(part: str, heard: str, *, author: str, language: str) -> bool:
    name, _, value = part.partition(":")
    if name == "from":
        return author.lower() == value.lower().removeprefix("@")
    if name == "lang":
        return language == value
    if name in {"is", "has", "url", "to"} and value:
        return False
    word = part.strip('"').lower()
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", heard) is not None
