"""The spaCy tagger keeps the contract, explains itself, and lets one bad text cost one text."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.model import Enrichment, Mention, Topic, TopicKind
from monitor.protocols import Tagger
from nlp.tagger import SpacyTagger, load_tagger
from nlp.urgency import SetUrgency
from nlp.words import shows
from tests.contracts.tagger import TaggerContract, assert_explained
from tests.factories import a_mention
from tests.nlp.conftest import ROOT, TOPICS


class TestSpacyTagger(TaggerContract):
    @pytest.fixture
    def make_tagger(self) -> Callable[[], Tagger]:
        return lambda: load_tagger(TOPICS, brand="Zonnekade")


def test_every_label_of_the_training_texts_is_explained(tagger: SpacyTagger) -> None:
    rows = []
    for path in sorted((ROOT / "nlp" / "training").glob("hand_*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[::5]]
    mentions = [a_mention(native_id=row["id"], text=row["text"], language=row["lang"]) for row in rows]
    for mention, found in zip(mentions, tagger.tag(mentions), strict=True):
        assert_explained(mention, found)


def shown(mention: Mention, found: Enrichment) -> list[str]:
    """The words of every piece of evidence."""
    return [(mention.text if e.field == "text" else mention.title or "")[e.start : e.end] for e in found.evidence]


SIGNS = ("niet", ".", '"', "?", "!", "...", ":", "👍", "goed", "slecht", "de", "van", "een", "@zonnekade", "brand")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    text=st.text(max_size=200)
    | st.text(alphabet="aeknt €@#\n0123456789.!?-\"'", max_size=120)
    | st.lists(st.sampled_from(SIGNS)).map(" ".join),
    title=st.none() | st.text(max_size=30),
    language=st.sampled_from([None, "nl", "en", "de", "zz-??"]),
)
def test_any_text_is_tagged_with_evidence_inside_it_and_never_by_a_lone_sign(
    tagger: SpacyTagger, text: str, title: str | None, language: str | None
) -> None:
    mention = a_mention(text=text, title=title, language=language)
    found = tagger.tag([mention])[0]
    assert_explained(mention, found)
    assert [words for words in shown(mention, found) if not shows(words)] == []


def test_the_brand_and_small_words_do_not_explain_what_other_words_say(tagger: SpacyTagger) -> None:
    mention = a_mention(
        text="@zonnekade Al drie weken wacht ik op een stoel van Zonnekade en niemand reageert, schandalig"
    )
    found = tagger.tag([mention])[0]
    assert found.sentiment is not None
    assert found.sentiment.label == "negative"
    words = {mention.text[one.start : one.end].lower() for one in found.evidence if one.label == "sentiment:negative"}
    assert any("schandalig" in one for one in words)
    assert words.isdisjoint({"@zonnekade", "zonnekade", "de", "van", "een", "en", "."})


def test_neighbouring_words_of_evidence_are_one_span(tagger: SpacyTagger) -> None:
    mentions = [a_mention(native_id=str(at), text=text, language="nl") for at, text in enumerate(PLAIN)]
    for mention, found in zip(mentions, tagger.tag(mentions), strict=True):
        spans = sorted((e.label, e.start, e.end) for e in found.evidence if e.reason.startswith("model"))
        for (label, _, end), (other, start, _) in pairwise(spans):
            assert label != other or mention.text[end:start] != " ", (mention.text, spans)


PLAIN = (
    "Al drie weken wacht ik op mijn tuinset en niemand reageert, schandalig slechte service",
    "Wat ben ik blij met mijn nieuwe bank, super fijn geholpen door Sanne!",
    "niet goed, niet mooi en niet op tijd bezorgd",
)


@pytest.mark.parametrize(
    "text",
    [
        "Zodra de bank onder de 400 zakt is hij van mij, ik wacht al dagen",
        "Zonnekade [foto]",
        "Merel broedt in de plantenbak van Zonnekade. Terras dicht tot nader bericht.",
        "Zonnekade zegt dat je geen gereedschap nodig hebt. De boor van mijn buurman was toch echt nodig.",
    ],
)
def test_a_joke_is_no_crisis(tagger: SpacyTagger, text: str) -> None:
    found = tagger.tag([a_mention(text=text, language="nl")])[0]
    assert "crisis" not in found.intents
    assert found.urgency in {"normal", "low"}


@pytest.mark.parametrize(
    "text",
    [
        "Pas op, er gaat een nep-sms rond uit naam van Zonnekade, niet op de link klikken!",
        "De lader van Zonnekade rookte en er zit een schroeiplek in de vloer, levensgevaarlijk",
        "Mijn advocaat stelt Zonnekade aansprakelijk, de dagvaarding volgt",
        "My charger from Zonnekade caught fire last night, this is dangerous",
    ],
)
def test_danger_fraud_and_law_are_a_crisis(tagger: SpacyTagger, text: str) -> None:
    assert "crisis" in tagger.tag([a_mention(text=text)])[0].intents


def test_one_text_that_breaks_a_step_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SetUrgency.__call__

    def breaks(self, doc):
        if "bom" in doc.text:
            message = "no"
            raise RuntimeError(message)
        return honest(self, doc)

    monkeypatch.setattr(SetUrgency, "__call__", breaks)
    mentions = [a_mention(native_id=str(at), text=text) for at, text in enumerate(["Waar blijft het?", "bom", "Top!"])]
    found = load_tagger(TOPICS).tag(mentions)
    assert [one.mention_id for one in found] == [one.id for one in mentions]
    assert found[0].sentiment is not None
    assert found[1].sentiment is None
    assert found[1].language is None


def test_a_text_in_another_language_has_no_sentiment(tagger: SpacyTagger) -> None:
    found = tagger.tag(
        [a_mention(text="Ich warte seit drei Wochen auf mein Paket von Zonnekade und nichts passiert.")]
    )[0]
    assert found.language == "de"
    assert found.sentiment is None
    assert found.topics == ("zonnekade",)


@pytest.mark.parametrize(
    ("text", "intents", "sentiment"),
    [
        ("Al drie weken wacht ik op mijn tuinset en niemand reageert, schandalig", {"complaint"}, "negative"),
        ("Wanneer is de parasol weer op voorraad?", {"question"}, "neutral"),
        ("Wat ben ik blij met mijn nieuwe bank, super geholpen door Sanne!", {"compliment"}, "positive"),
        ("Dit was de laatste keer dat ik bij jullie bestel, waardeloos", {"complaint", "churn_risk"}, "negative"),
        ("De oplader is in brand gevlogen, mijn zoontje heeft een brandwond", {"crisis"}, "negative"),
        ("WIN een cadeaukaart van 50 euro! Bestel nu met code ZON10", {"promotion"}, "neutral"),
        ("Three weeks and still no parcel. Terrible service, I want my money back.", {"complaint"}, "negative"),
    ],
)
def test_plain_cases_are_right(tagger: SpacyTagger, text: str, intents: set[str], sentiment: str) -> None:
    found = tagger.tag([a_mention(text=text)])[0]
    assert intents <= set(found.intents)
    assert found.sentiment is not None
    assert found.sentiment.label == sentiment
    assert 0 < found.sentiment.score <= 1


def test_danger_is_critical_and_a_closing_word_is_low(tagger: SpacyTagger) -> None:
    danger, closing = tagger.tag(
        [
            a_mention(native_id="1", text="De oplader is in brand gevlogen, mijn zoontje heeft een brandwond"),
            a_mention(native_id="2", text="Dankjewel, is gelukt!"),
        ]
    )
    assert danger.urgency == "critical"
    assert closing.urgency == "low"


def test_the_brand_itself_complains_of_nothing(tagger: SpacyTagger) -> None:
    found = tagger.tag([a_mention(text="Wat vervelend dat je pakket kwijt is! Mag ik je bestelnummer?", is_own=True)])[
        0
    ]
    assert found.intents == ()
    assert found.needs_reply == "no"


def test_topics_need_whole_words_and_keep_away_from_unwanted_ones(tagger: SpacyTagger) -> None:
    texts = ["@zonnekade hoi daar", "zonnekades hier", "tuinhof is leuk", "camping tuinhof is leuk", "mijn glimwormpje"]
    found = tagger.tag([a_mention(native_id=str(at), text=text, language="nl") for at, text in enumerate(texts)])
    assert [one.topics for one in found] == [("zonnekade",), (), ("tuinhof",), (), ("glimworm",)]


def test_a_topic_is_asked_in_the_whole_query_language_and_shows_its_words() -> None:
    topics = (
        Topic(id="near", name="Near", kind=TopicKind.MARKET, query="(pakket NEAR/3 kwijt) NOT =PostNL"),
        Topic(id="mail", name="Mail", kind=TopicKind.MARKET, query="source:mail NOT tuinhof"),
        Topic(id="english", name="English", kind=TopicKind.MARKET, query="pakket", languages=("en",)),
    )
    texts = {"1": "mijn pakket is kwijt", "2": "mijn pakket is bij PostNL kwijt", "3": "...", "4": "tuinhof graag"}
    mentions = [a_mention(native_id=at, source_id="mail", text=text, language="nl") for at, text in texts.items()]
    found = load_tagger(topics).tag(mentions)
    assert [one.topics for one in found] == [("near", "mail"), ("mail",), (), ()]
    shown = [(one.label, texts["1"][one.start : one.end], one.reason) for one in found[0].evidence]
    assert ("topic:near", "pakket", "topic: Near") in shown
    assert ("topic:near", "kwijt", "topic: Near") in shown
    assert ("topic:mail", "mijn", "topic: Mail, via mail") in shown


def test_words_of_the_title_belong_to_a_topic_where_they_stand() -> None:
    tagger = load_tagger((Topic(id="t", name="T", kind=TopicKind.MARKET, query="title:parasol"),))
    apart, same = tagger.tag(
        [
            a_mention(native_id="1", title=" Parasol kwijt", text="Wie helpt?"),
            a_mention(native_id="2", title=" Parasol kwijt", text="Parasol kwijt, wie helpt?"),
        ]
    )
    assert [(one.field, one.start, one.end) for one in apart.evidence if one.label == "topic:t"] == [("title", 1, 8)]
    assert [(one.field, one.start, one.end) for one in same.evidence if one.label == "topic:t"] == [("text", 0, 7)]


def test_a_query_that_cannot_be_read_names_its_topic() -> None:
    with pytest.raises(ConfigError, match=r"topic odd: its query `\(a` cannot be read"):
        load_tagger((Topic(id="odd", name="Odd", kind=TopicKind.MARKET, query="(a"),))
