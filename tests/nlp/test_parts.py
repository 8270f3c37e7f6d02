"""Language, entities, duplicates and lines, each by itself."""

import json
from itertools import pairwise

import pytest

from nlp.batch import tag_lines
from nlp.duplicates import FindDuplicates
from nlp.entities import is_iban
from nlp.language import declared, detect
from nlp.tagger import SpacyTagger
from tests.factories import a_mention


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("waar blijft mijn pakket", "nl"),
        ("where is my parcel", "en"),
        ("wo ist mein Paket, ich warte noch immer", "de"),
        ("où est mon colis, je suis très déçu", "fr"),
        ("@zonnekade https://example.org/x", None),
        ("👍👍", None),
        ("", None),
    ],
)
def test_languages_are_told_apart_or_not_claimed(text: str, language: str | None) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(("told", "code"), [("nl-BE", "nl"), ("EN_us", "en"), ("und", None), ("", None), (None, None)])
def test_a_declared_language_is_its_first_part(told: str | None, code: str | None) -> None:
    assert declared(told) == code


def test_an_iban_needs_its_check_digits() -> None:
    assert is_iban("NL91 ABNA 0417 1643 00")
    assert not is_iban("NL92 ABNA 0417 1643 00")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("mijn order ZK-20418833 is kwijt", "order_number", "ZK-20418833"),
        ("bestelling 20561188 komt niet", "order_number", "20561188"),
        ("volgens PKT30710048213 onderweg", "tracking_code", "PKT30710048213"),
        ("Code 3SABCD123456789 zegt niets", "tracking_code", "3SABCD123456789"),
        ("Klantnr. 8801-2245 hier", "customer_number", "8801-2245"),
        ("bel me op 06-12 34 56 78 svp", "phone", "06-12 34 56 78"),
        ("het kost € 1.275,00 per stuk", "amount", "€ 1.275,00"),
        ("dat was 34 euro", "amount", "34 euro"),
        ("op 12 mei besteld", "date", "12 mei"),
        ("ik woon op 4829 ZX nummer 3", "postcode", "4829 ZX"),
        ("mail naar jan@post.example graag", "email", "jan@post.example"),
        ("IBAN NL91ABNA0417164300 is van mij", "iban", "NL91ABNA0417164300"),
        ("Top geholpen ^Sanne", "person", "Sanne"),
        ("Groeten uit Zutphen", "place", "Zutphen"),
    ],
)
def test_entities_are_found_to_the_letter(tagger: SpacyTagger, text: str, kind: str, words: str) -> None:
    found = tagger.tag([a_mention(text=text, language="nl")])[0].entities
    assert (kind, words) in {(one.type, one.text) for one in found}


def test_entities_do_not_overlap(tagger: SpacyTagger) -> None:
    text = "Bestelling 20418833 van 12-05-2026 voor € 12.345,67 naar 1234 AB, bel 0201234567 of NL91ABNA0417164300"
    spans = sorted((one.start, one.end) for one in tagger.tag([a_mention(text=text, language="nl")])[0].entities)
    assert len(spans) >= 5
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


LONG = "Zo'n driehonderd medewerkers van pakketbezorger Pakketeer hebben donderdagochtend het werk neergelegd in Tiel"


def test_a_copy_joins_the_cluster_of_the_first() -> None:
    seen = FindDuplicates()
    assert seen.cluster("a", LONG) == "a"
    assert seen.cluster("b", f"RT @nieuws: {LONG} https://example.org/1") == "a"
    assert seen.cluster("c", LONG.replace("hebben", "HEBBEN")) == "a"
    assert seen.cluster("d", "Heel andere woorden over een parasol die maar niet geleverd wordt") == "d"


def test_the_same_short_word_of_two_people_is_not_one_mention() -> None:
    seen = FindDuplicates()
    first, second = a_mention(native_id="1", text="Top!"), a_mention(native_id="2", text="Top!", author=None)
    assert seen.cluster(first.id, first.text, first) == first.id
    assert seen.cluster(second.id, second.text, second) == second.id


def test_texts_of_an_earlier_run_are_remembered() -> None:
    seen = FindDuplicates()
    seen.seed([("old", LONG)])
    assert seen.cluster("new", LONG) == "old"


def test_a_bad_line_says_so_and_the_others_are_tagged(tagger: SpacyTagger) -> None:
    lines = [
        json.dumps({"id": "a", "text": "Waar blijft mijn bestelling 20561188?", "brand": "Knusser", "lang": "nl"}),
        "{broken",
        "",
        json.dumps({"id": "b"}),
        json.dumps([1]),
        json.dumps({"text": "x"}),
        json.dumps({"id": "c", "text": "Great service, thank you!", "title": "Lovely"}),
    ]
    found = list(tag_lines(lines, tagger))
    assert [one.get("id") for one in found] == ["a", None, "b", None, None, "c"]
    assert [one.get("line") for one in found] == [None, 2, 4, 5, 6, None]
    assert all("error" in one for one in found[1:5])
    assert found[0]["lang"] == "nl"
    assert "question" in found[0]["intents"]
    assert found[0]["entities"] == [{"type": "order_number", "text": "20561188", "start": 28, "end": 36}]
    assert found[5]["sentiment"] == "positive"
    json.dumps(found)


def test_the_same_text_twice_in_one_file_is_tagged_twice(tagger: SpacyTagger) -> None:
    line = json.dumps({"id": "same", "text": "Waar blijft mijn pakket?"})
    first, second = tag_lines([line, line], tagger)
    assert first == second


def test_texts_without_words_are_no_copies_of_each_other() -> None:
    seen = FindDuplicates()
    for at, text in enumerate(
        ["👍", "👍", "@zonnekade 👍👍", "@zonnekade ❤️ https://example.org/1", "!!", "🔥 #tuin", "🔥 #tuin"]
    ):
        assert seen.cluster(str(at), text) in {None, str(at)}
