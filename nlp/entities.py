"""Component: spans that name something. Numbers by pattern; names by lists, titles, greetings and signatures."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from monitor.model import Topic, TopicKind
from nlp.note import KEY, Note

LEXICONS = Path(__file__).parent / "lexicons"
Found = tuple[str, int, int, str]  # type, start, end, reason

_CASED = {"iban", "postcode", "tracking_code"}
SHORTEST_IBAN, LONGEST_IBAN = 15, 34
_UPPER = r"[A-ZÀ-ÖØ-Þ]"
_NAME = rf"{_UPPER}[\w'’-]+"
_LINK = r"(?:[Vv]an|[Dd]e|[Dd]er|[Dd]en|[Tt]en|[Tt]er|[Tt]e|el|El|al|Al|'t|v\.d\.|vd|von|la|le)"
_SURNAME = rf"[ ](?:{_LINK}[ ]){{0,3}}{_UPPER}[\w'’-]+"


@cache
def _lists() -> dict[str, Any]:
    return tomllib.loads((LEXICONS / "names.toml").read_text(encoding="utf-8"))


@cache
def _numbers() -> list[tuple[str, re.Pattern[str], str]]:
    read = tomllib.loads((LEXICONS / "numbers.toml").read_text(encoding="utf-8"))
    found = []
    for entry in read["pattern"]:
        pattern = entry["pattern"].replace("MONTH", read["month"])
        cased = entry["type"] in _CASED and "(?P<v>" not in pattern
        found.append((entry["type"], re.compile(pattern, 0 if cased else re.IGNORECASE), entry["why"]))
    return found


def _filled(pattern: str) -> str:
    return pattern.replace("NAME", _NAME).replace("LINK", _LINK).replace("UPPER", _UPPER)


def _either(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


def is_iban(text: str) -> bool:
    """Length, and the remainder of 97 that ISO 13616 asks for."""
    compact = re.sub(r"[\s.]", "", text).upper()
    if not SHORTEST_IBAN <= len(compact) <= LONGEST_IBAN:
        return False
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


class FindEntities:
    """Finds spans that do not overlap; an earlier kind in the list above wins."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        lists = _lists()
        self._patterns = _numbers()
        self._persons = [(re.compile(_filled(one["pattern"])), str(one["why"])) for one in lists["person"]]
        self._not_names = frozenset(lists["not_a_name"].split())
        organisations = [*lists["organisations"], *(t.name for t in topics if t.kind is TopicKind.COMPETITOR)]
        products = [topic.name for topic in topics if topic.kind is TopicKind.PRODUCT]
        places = [*str(lists["places"]).split(), *lists["long_places"]]
        names = str(lists["first_names"]).split()
        self._first_names = frozenset(names)
        self._places = frozenset(places)
        self._organisations = re.compile(rf"(?<![\w@#])(?:{_either(organisations)})(?!\w)")
        self._products = (
            re.compile(rf"(?<![\w@#])(?:{_either(products)})(?:(?<!\d)\s\d{{2,4}})?(?!\w)", re.IGNORECASE)
            if products
            else None
        )
        nouns = _either(str(lists["product_nouns"]).split())
        self._named_product = re.compile(rf"\b(?:{nouns})\s+(?P<v>{_UPPER}[a-zà-ÿ]{{3,}}(?:\s\d{{2,4}})?)\b")
        self._capital = re.compile(rf"(?<![\w@#’'.-]){_UPPER}[\w-]*\w")
        self._nouns = frozenset(str(lists["product_nouns"]).split())
        self._organisation_starts = frozenset(re.split(r"[ .?]", name)[0] for name in organisations)
        self._long_starts = frozenset(name.split()[0] for name in lists["long_places"])
        self._long_places = re.compile(rf"(?<!\w)(?:{_either([*lists['long_places']])})(?!\w)")
        self._surname = re.compile(_SURNAME)

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        taken: list[tuple[int, int]] = []
        for kind, start, end, why in (*self._numbers(note.whole), *self._names(note)):
            if start < end and not any(start < last and first < end for first, last in taken):
                taken.append((start, end))
                note.entities.append((kind, start, end))
                note.evidence.append((f"entity:{kind}", start, end, f"entity: {why}", None))
        return doc

    def _numbers(self, text: str) -> list[Found]:
        found: list[Found] = []
        has_digit = any(char in text for char in "0123456789")
        for kind, pattern, why in self._patterns:
            if (not has_digit and kind != "email") or (kind == "email" and "@" not in text):
                continue
            for match in pattern.finditer(text):
                name = "v" if "v" in pattern.groupindex else 0
                start, end = match.span(name)
                if kind == "iban" and not (
                    is_iban(match.group()) or re.match(r"NL\d\d\s?[A-Z]{4}\s?\d{4}", match.group())
                ):
                    continue
                found.append((kind, start, end, why))
        return found

    def _names(self, note: Note) -> list[Found]:
        text = note.whole
        found: list[Found] = []
        for start, end in note.brand_spans:
            if text[start] not in "@#":  # a handle or hashtag addresses, it does not name
                street = re.search(
                    r"\b(?:aan|op|langs|over|van|in)\s+de\s+$", text[max(0, start - 14) : start], re.IGNORECASE
                )
                ends = end - 2 if text[start:end].lower().endswith(("'s", "’s")) else end
                found.append(("place" if street else "organisation", start, ends, "straat" if street else "het merk"))
        if self._products is not None:
            found.extend(("product", *match.span(), "lijst van producten") for match in self._products.finditer(text))
        if not self._nouns.isdisjoint(word.form for word in note.words):
            named = self._named_product.finditer(text)
            found.extend(("product", *match.span("v"), "naam na een productwoord") for match in named)
        capitals = list(self._capital.finditer(text))
        starts = {match.group() for match in capitals}
        if not self._long_starts.isdisjoint(starts) or "'s-" in text:
            found.extend(("place", *match.span(), "lijst van plaatsen") for match in self._long_places.finditer(text))
        if not self._organisation_starts.isdisjoint(starts) or "bol.com" in text or "bpost" in text or "iDEAL" in text:
            listed = self._organisations.finditer(text)
            found.extend(("organisation", *match.span(), "lijst van organisaties") for match in listed)
        found.extend(self._people(text))
        for match in capitals:
            word = match.group()
            if word in self._first_names:
                surname = self._surname.match(text, match.end())
                end = surname.end() if surname else match.end()
                found.append(("person", match.start(), end, "lijst van voornamen"))
            elif word in self._places:
                found.append(("place", match.start(), match.end(), "lijst van plaatsen"))
        return found

    def _people(self, text: str) -> list[Found]:
        """Persons by their place: signature, greeting, title."""
        found: list[Found] = []
        for pattern, why in self._persons:
            for match in pattern.finditer(text):
                first = match.group("v").split()[0].strip(".,").lower() if match.group("v").strip() else ""
                if first and first not in self._not_names:
                    start, end = match.span("v")
                    end -= len(match.group("v")) - len(match.group("v").rstrip())
                    found.append(("person", start, end, why))
        return found
