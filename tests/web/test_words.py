import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

import monitor.web
from monitor.config import Policy
from monitor.model import CaseStatus, DeliveryState, Priority, RuleKind, Severity, SourceStatus
from monitor.web import inbox, page, search
from monitor.web.case import SNOOZES, Verb
from monitor.web.view import ACCOUNT_DATA
from monitor.web.words import LANGUAGES, Words, words_of

WEB = Path(monitor.web.__file__).parent
TEMPLATES = {path.name: path.read_text("utf-8") for path in (WEB / "templates").glob("*.html")}
CODE = {path.name: path.read_text("utf-8") for path in WEB.glob("*.py")}
WHOLE = re.compile(r"""\bt\('([^']+)'\s*[,)]""")
BEGUN = re.compile(r"""\bt\('([^']+)'\s*[+~]""")
INTENTS = (
    "complaint",
    "question",
    "compliment",
    "buying_signal",
    "idea",
    "churn_risk",
    "crisis",
    "thanks",
    "promotion",
)
DONE = [verb.value for verb in Verb] + ["opened", "customer_wrote", "customer_edited", "copied", "own_reply", "wake"]
BRANCHES = {
    "status.": [*CaseStatus, "snoozed", "escalated"],
    "priority.": list(Priority),
    "severity.": list(Severity),
    "delivery.": list(DeliveryState),
    "state.": list(SourceStatus),
    "group.": inbox.GROUPS,
    "view.": (*page._VIEWS, "all", "done"),
    "intent.": INTENTS,
    "theme.": ("system", "light", "dark"),
    "snooze.": SNOOZES,
    "dismiss.": Policy().dismiss_reasons,
    "entity.": ACCOUNT_DATA,
    "channel.": ("x", "mastodon", "discourse", "trustpilot", "hackernews", "news", "radio", "phone", "email"),
    "kind.": ("theme", "stage"),
    "rule.": list(RuleKind),
    "said.": [verb.value for verb in Verb],
    "event.": DONE,
    "sentiment.": ("negative", "positive", "neutral", "mixed"),
    "needs_reply.": ("yes", "optional", "no"),
    "stage.": ("presales", "aftersales"),
}
ANSWERED_ELSEWHERE = {"error."}
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_words_with_the_same_gaps():
    dutch, english = (words_of(language) for language in LANGUAGES)
    assert sorted(dutch) == sorted(english)
    assert {key: placeholders(dutch[key]) for key in dutch} == {key: placeholders(english[key]) for key in english}
    assert all(text.strip() for words in (dutch, english) for text in words.values())


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_word_that_a_template_asks_for_is_there(name):
    known = words_of("nl")
    assert [key for key in WHOLE.findall(TEMPLATES[name]) if key not in known] == []
    begun = set(BEGUN.findall(TEMPLATES[name])) - ANSWERED_ELSEWHERE
    assert begun <= set(BRANCHES), "name the values that follow this beginning"


@pytest.mark.parametrize("prefix", sorted(BRANCHES))
def test_every_value_that_a_key_can_end_with_has_words(prefix):
    assert [prefix + value for value in BRANCHES[prefix] if prefix + value not in words_of("nl")] == []


def test_the_page_of_a_troubled_source_has_words_for_what_to_do():
    assert {"state.no_access.do", "state.not_understood.do"} <= set(words_of("nl"))


def test_the_names_of_the_facets_have_words():
    assert set(search._FACETS) <= set(words_of("nl"))


@pytest.mark.parametrize("name", sorted(CODE))
def test_every_word_that_the_code_asks_for_is_there(name):
    asked = re.findall(r'\bwords\(\s*"([^"]+)"', CODE[name])
    assert [key for key in asked if key not in words_of("nl")] == []


def test_a_template_gives_exactly_the_values_that_the_words_have_gaps_for():
    for name, text in TEMPLATES.items():
        for key, rest in re.findall(r"""\bt\('([^']+)'((?:\s*,[^()]*(?:\([^()]*\)[^()]*)*)?)\)""", text):
            gaps = placeholders(words_of("nl")[key])
            given = set(re.findall(r"[,\s(](\w+)=(?!=)", rest))
            missing = gaps - given
            if name == "base.html" and key in {"clock.late", "clock.left", "new_case", "new_cases"}:
                continue  # the browser fills these in
            assert not missing, f"{name}: {key} lacks {missing}"


@pytest.mark.parametrize(
    ("language", "count", "reach", "decimal", "day"),
    [("nl", "33.373", "12,4k", "0,93", "za 14:00"), ("en", "33,373", "12.4k", "0.93", "Sat 14:00")],
)
def test_each_language_writes_numbers_and_days_its_own_way(language, count, reach, decimal, day):
    words = Words(language, "Europe/Amsterdam")
    assert words.count(33_373) == count
    assert words.reach(12_400) == reach
    assert words.decimal(0.934) == decimal
    assert words.moment(NOON - timedelta(days=2), NOON).replace("\u00a0", " ") == day
    assert words.count(-5) == "\u22125"


def test_a_moment_is_told_as_short_as_it_can_be_without_doubt():
    words = Words("nl", "Europe/Amsterdam")

    def told(moment: datetime) -> str:
        return words.moment(moment, NOON).replace("\u00a0", " ")

    assert told(NOON - timedelta(hours=3)) == "11:00"
    assert told(NOON - timedelta(days=20)) == "12 mei"
    assert told(NOON.replace(year=2025)) == "1 jun 2025"
    # Half past midnight in Amsterdam is another day there, though not in UTC.
    assert told(datetime(2026, 5, 31, 21, 59, tzinfo=UTC)) == "zo 23:59"
    assert told(datetime(2026, 5, 31, 22, 1, tzinfo=UTC)) == "00:01"


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=48), "48 s"),
        (timedelta(minutes=6), "6 min"),
        (timedelta(hours=2, minutes=23), "2 u 23 min"),
        (timedelta(hours=2), "2 u"),
        (timedelta(days=1, hours=3), "1 dag"),
        (timedelta(days=-3), "3 dagen"),
    ],
)
def test_a_duration_has_at_most_two_units(span, told):
    assert Words("nl", "Europe/Amsterdam").duration(span).replace("\u00a0", " ") == told


def test_an_unknown_language_falls_back_and_an_unknown_key_shows_itself():
    words = Words("xx", "Europe/Amsterdam")
    assert words("inbox") == "Inbox"
    assert words("no.such.key") == "no.such.key"
