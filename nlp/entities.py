"""Component: spans that name something. Numbers by pattern and check digits; names by lists, titles, greetings and signatures."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from spacy.tokens import Doc

from monitor.model import Topic, TopicKind
from nlp.note import Note

NAMES = Path(__file__).parent / "lexicons" / "names.toml"
Found = tuple[str, int, int, str]  # type, start, end, reason

_MONTH = (
    "jan(?:uari|uary)?|feb(?:ruari|ruary)?|maart|mrt|march|mar|apr(?:il)?|mei|may|juni?|june?|juli?|july?|"
    "aug(?:ustus|ust)?|sept?(?:ember)?|okt(?:ober)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
# In order of trust: what an earlier one has taken, a later one leaves.
_NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("iban", r"\b[A-Z]{2}\d{2}(?:[ .]?[A-Z0-9]{4}){2,6}(?:[ .]?[A-Z0-9]{1,3})?\b", "IBAN"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}\b", "e-mailadres"),
    (
        "tracking_code",
        r"\b(?:3S[A-Z0-9]{9,15}|PKT\d{8,14}|SP\d{5,10}NL|J[JV]D\d{14,20}|[A-Z]{2}\d{9}[A-Z]{2}|1Z[A-Z0-9]{16})\b",
        "vorm van een pakketcode",
    ),
    (
        "tracking_code",
        r"(?:(?:track(?:\s*(?:&|and|en)\s*trace|ing)?|barcode|zending)(?:[- ]?(?:code|nummer|number|nr))?\.?\s*[:#]?\s*)(?P<v>[A-Z0-9]*\d{6,}[A-Z0-9]*)\b",
        "na “track & trace”",
    ),
    (
        "customer_number",
        r"(?:\b(?:klant|lid|relatie|polis|contract|customer|member(?:ship)?|account|policy|kadepas|klantenkaart|debiteur|abonnee)(?:en)?(?:kaart)?\s*-?(?:nummer|number|nr|no|id)?\.?\s*(?:is|:|#)?\s*)(?P<v>(?=[A-Z0-9.\-]*\d{3})[A-Z0-9][A-Z0-9.\-]{2,14}[A-Z0-9])\b",
        "na “klantnummer”",
    ),
    ("customer_number", r"\bKP-\d{4,6}\b", "vorm van een klantnummer"),
    (
        "order_number",
        r"(?:\b(?:bestel(?:ling|nummer|nr|bon)?|order|ordernr|ordernummer|factuur|invoice|bon|booking|boeking|reservering|reservation|ref(?:erentie|erence|nr)?|opdracht|aanvraag|purchase|dossier)(?:nummer|number|nr|no)?\.?\s*(?:met nummer|nummer|number|nr\.?|no\.?|is|van)?\s*[:#(]?\s*)(?P<v>(?=[A-Z0-9\-/.]*\d{3})[A-Z0-9][A-Z0-9\-/]{2,18}[A-Z0-9])\b",
        "na “bestelling” of “factuur”",
    ),
    ("order_number", r"\b[A-Z]{1,4}-?\d{6,10}\b|\b[A-Z]{2,4}-\d{3,}(?:-\d+)*\b", "vorm van een bestelnummer"),
    ("order_number", r"(?<!\w)#\d{5,10}\b", "vorm van een bestelnummer"),
    (
        "phone",
        r"(?<![\w.,-])(?:(?:\+|00)(?:31|32)[\s\-.]?(?:\(0\))?\s?\d(?:[\s\-.]?\d){7,8}|0[1-9]\d?(?:[\s\-.]?\d){7,8})(?![\w-])",
        "telefoonnummer",
    ),
    ("postcode", r"(?<![\w€-])[1-9]\d{3}\s?(?!SA|SD|SS)[A-Z]{2}\b(?!-)", "postcode"),
    (
        "amount",
        r"(?:[€£$]\s?\d{1,3}(?:[.,\s]\d{3})*(?:[.,]\d{1,2}|,-)?\d*(?!\d)(?:\s?(?:miljoen|miljard|million|k)\b)?|\b\d{1,3}(?:[.,]\d{3})+(?:,\d{2})?\s?(?:euro|eur)\b|\b\d+(?:[.,]\d{1,2})?\s?(?:miljoen\s+|miljard\s+)?(?:euro'?s?|eur|pond|pounds?|quid|€)(?!\w))",
        "bedrag",
    ),
    (
        "date",
        rf"\b(?:[12]?\d|3[01])(?:e|ste|de|st|nd|rd|th)?(?:\s+of)?\s+(?:{_MONTH})\b\.?(?:\s+(?:19|20)\d\d)?|\b(?:{_MONTH})\s+(?:[12]?\d|3[01])(?:st|nd|rd|th)?\b|\b(?:[12]?\d|3[01]|0\d)[-/](?:0?[1-9]|1[0-2])(?:[-/](?:20)?\d\d)?\b(?![-/\d])",
        "dag en maand",
    ),
)
_CASED = {"iban", "postcode", "tracking_code"}
_PATTERNS = tuple(
    (kind, re.compile(pattern, 0 if kind in _CASED and "(?P<v>" not in pattern else re.IGNORECASE), why)
    for kind, pattern, why in _NUMBERS
)
_UPPER = r"[A-ZÀ-ÖØ-Þ]"
_NAME = rf"{_UPPER}[\w'’-]+"
_SURNAME = rf"(?:\s+(?:(?:van|de|der|den|ten|ter|te|el|al|'t|v\.d\.|vd|von|la|le)\s+){{0,3}}{_UPPER}[\w'’-]+)"
_LINE_NAME = rf"(?:(?:{_UPPER}[a-z]?\.?\s?){{0,3}}(?:{_NAME})?(?:{_SURNAME}){{0,2}})"
_PERSONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?<!\w)\^(?P<v>{_NAME})"), "ondertekening"),
    (
        re.compile(
            r"(?:groet(?:en|jes)?|regards|wishes|mvg|hoogachtend|dank|bedankt|thanks|sincerely|gr\.?|liefs|faithfully|cheers)\b[^\n]{0,20}[,.!]?[ \t]*\n+[ \t]*"
            rf"(?P<v>(?:(?:[Mm]evrouw|[Dd]e heer|[Mm]r|[Mm]rs|[Mm]w|[Dd]hr)\.?\s)?(?:{_UPPER}[a-z]?\.?[ ]?){{0,3}}(?:{_NAME})?(?:[ ](?:(?:van|de|der|den|ten|ter|te|el|al|'t|v\.d\.|von)[ ]){{0,3}}{_UPPER}[\w'’-]+){{0,2}})(?=[ \t]*(?:\n|$|,|\())"
        ),
        "ondertekening",
    ),
    (
        re.compile(
            rf"(?:^|\n)\s*(?:@\w+\s+)*(?:[Hh]oi|[Hh]allo|[Dd]ag|[Bb]este|[Hh]i|[Hh]ey|[Hh]ello|[Dd]ear|[Hh][ée])\s+(?P<v>{_NAME})(?=\s*[,!.\n]|\s+[a-z])"
        ),
        "aanhef",
    ),
    (
        re.compile(
            rf"\b(?:[Mm]evrouw|[Mm]eneer|[Mm]ijnheer|[Dd]e heer|[Mm]w\.?|[Dd]hr\.?|Mr\.?|Mrs\.?|Ms\.?)\s+(?P<v>(?:(?:[Vv]an|[Dd]e|[Dd]er|[Dd]en|[Tt]er|[Tt]e)\s+){{0,2}}{_NAME})"
        ),
        "aanspreking",
    ),
)
_NOT_A_NAME = frozenset(
    ["allemaal", "allen", "iedereen", "mensen", "team", "klantenservice", "webcare", "mevrouw", "meneer", "heer", "dames", "heren", "lezer", "klant", "all", "everyone", "folks", "sir", "madam", "there", "ik", "het", "de", "een", "dit", "dat", "wat", "waar", "wie", "hoe", "is", "ja", "nee", "dank", "bedankt", "groet", "groeten", "vriendelijke", "met", "mijn", "jullie", "we", "wij", "the", "my", "we", "customer", "service", "support", "redactie"]
)


@cache
def _lists() -> dict[str, str | list[str]]:
    return tomllib.loads(NAMES.read_text(encoding="utf-8"))


def _either(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))


def is_iban(text: str) -> bool:
    """Length, and the remainder of 97 that ISO 13616 asks for."""
    compact = re.sub(r"[\s.]", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


class FindEntities:
    """Finds spans that do not overlap; an earlier kind in the list above wins."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        lists = _lists()
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
        self._long_places = re.compile(rf"(?<!\w)(?:{_either([*lists['long_places']])})(?!\w)")
        self._surname = re.compile(_SURNAME)

    def __call__(self, doc: Doc) -> Doc:
        note: Note = doc.user_data["note"]
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
        for kind, pattern, why in _PATTERNS:
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
            if text[start] not in "@#":
                street = re.search(
                    r"\b(?:aan|op|langs|over|van|in)\s+de\s+$", text[max(0, start - 14) : start], re.IGNORECASE
                )
                ends = end - 2 if text[start:end].lower().endswith(("'s", "’s")) else end
                found.append(("place" if street else "organisation", start, ends, "straat" if street else "het merk"))
        found.extend(
            ("organisation", *match.span(), "lijst van organisaties") for match in self._organisations.finditer(text)
        )
        if self._products is not None:
            found.extend(("product", *match.span(), "lijst van producten") for match in self._products.finditer(text))
        found.extend(
            ("product", *match.span("v"), "naam na een productwoord") for match in self._named_product.finditer(text)
        )
        found.extend(("place", *match.span(), "lijst van plaatsen") for match in self._long_places.finditer(text))
        for pattern, why in _PERSONS:
            for match in pattern.finditer(text):
                first = match.group("v").split()[0].strip(".,").lower() if match.group("v").strip() else ""
                if first and first not in _NOT_A_NAME:
                    start, end = match.span("v")
                    end -= len(match.group("v")) - len(match.group("v").rstrip())
                    found.append(("person", start, end, why))
        for match in self._capital.finditer(text):
            word = match.group()
            if word in self._first_names:
                surname = self._surname.match(text, match.end())
                end = surname.end() if surname and "\n" not in surname.group() else match.end()
                found.append(("person", match.start(), end, "lijst van voornamen"))
            elif word in self._places:
                found.append(("place", match.start(), match.end(), "lijst van plaatsen"))
        return found
