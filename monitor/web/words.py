"""The words of the screens in Dutch and English, and numbers, moments and durations as each language writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

LANGUAGES = ("nl", "en")
_FOLDER = Path(__file__).parent / "locales"
_MONTHS = {
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec".split(),  # noqa: SIM905 - reads better
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),  # noqa: SIM905 - the same
}
_DAYS = {
    "nl": "ma di wo do vr za zo".split(),  # noqa: SIM905 - the same
    "en": "Mon Tue Wed Thu Fri Sat Sun".split(),  # noqa: SIM905 - the same
}
_HARD = "\u00a0"
_WEEK = 6
_THOUSAND, _MANY = 1_000, 10_000


@cache
def words_of(language: str) -> Mapping[str, str]:
    """All words of a language, by key."""
    found: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return found


class Words:
    """The words of one language in one time zone."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self.zone = ZoneInfo(zone)
        self._words = words_of(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """The words under `key`; an unknown key is shown as it is, so that it is noticed."""
        return self._words.get(key, key).format(**values) if values else self._words.get(key, key)

    def of(self, key: str, number: int, **values: object) -> str:
        """The words under `key` for this many, written out; for one, those under `key.one`."""
        chosen = f"{key}.one" if number == 1 else key
        return self(chosen, number=self.count(number), **values)

    def known(self, key: str) -> bool:
        """Whether there are words for `key`."""
        return key in self._words

    def count(self, number: float) -> str:
        """33.373 or 33,373."""
        text = f"{number:,.0f}".replace("-", "\u2212")
        return text.replace(",", ".") if self.language == "nl" else text

    def reach(self, number: int) -> str:
        """12,4k."""
        if number < _MANY // 10:
            return self.count(number)
        text = f"{number / _THOUSAND:.1f}".removesuffix(".0") + "k"
        return text.replace(".", ",") if self.language == "nl" else text

    def decimal(self, number: float) -> str:
        """0,93 or 0.93."""
        text = f"{number:.2f}".replace("-", "\u2212")
        return text.replace(".", ",") if self.language == "nl" else text

    def time(self, moment: datetime) -> str:
        """10:24, local."""
        return moment.astimezone(self.zone).strftime("%H:%M")

    def moment(self, moment: datetime, now: datetime) -> str:
        """10:24 today, "ma 18:38" within the week, "18 nov" this year, "18 nov 2025" before."""
        local, today = moment.astimezone(self.zone), now.astimezone(self.zone)
        days = abs((today.date() - local.date()).days)
        if days == 0:
            return local.strftime("%H:%M")
        if days <= _WEEK:
            return f"{_DAYS[self.language][local.weekday()]}{_HARD}{local:%H:%M}"
        text = f"{local.day}{_HARD}{_MONTHS[self.language][local.month - 1]}"
        return text if local.year == today.year else f"{text}{_HARD}{local.year}"

    def duration(self, span: timedelta) -> str:
        """At most two units: 48 s, 6 min, 2 u 23 min, 3 dagen."""
        minutes = int(abs(span).total_seconds() // 60)
        if minutes < 1:
            return f"{int(abs(span).total_seconds())}{_HARD}s"
        if minutes < 60:  # noqa: PLR2004 - minutes in an hour
            return f"{minutes}{_HARD}min"
        hours, rest = divmod(minutes, 60)
        hour = "u" if self.language == "nl" else "h"
        if hours < 24:  # noqa: PLR2004 - hours in a day
            return f"{hours}{_HARD}{hour}" + (f"{_HARD}{rest}{_HARD}min" if rest else "")
        days = hours // 24
        return f"{days}{_HARD}" + self("day" if days == 1 else "days")
