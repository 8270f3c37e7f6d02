"""One cutting of text for everything that compares."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.tokens import canonical, canonical_cs, spans

LIVELY = st.text(st.one_of(st.characters(), st.sampled_from("ab_.-'@#éßİĳ😡👍🏽½²①\u0345\u037a\u0301\u200b\u00ad ")))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("l'Oréal", "l oreal"),
        ("AH.nl", "ah nl"),
        ("€10,50", "10 50"),
        ("U.S.A.", "u s a"),
        ("@albert_heijn", "@albert_heijn"),
        ("#AlbertHeijn", "#albertheijn"),
        ("straße øre Łódź ĳs", "strasse ore lodz ijs"),
        ("😡 boos", "😡 boos"),
        ("👍🏽", "👍 🏽"),
        ("klant\u00adservice", "klantservice"),
        ("½ liter m²", "1 2 liter m2"),
        ("x86_64", "x86_64"),
        ("日本語", "日本語"),
        ("jan@bar.nl", "jan bar nl"),
        ("#te-laat", "#te laat"),
        ("klant\u200bservice", "klant service"),
        ("cafe\u0301 café", "cafe cafe"),
        ("", ""),
        ("@ # ... _", ""),
    ],
)
def test_the_table_of_tokens(text, tokens):
    assert canonical(text) == tuple(tokens.split())


@given(LIVELY)
def test_cutting_again_changes_nothing(text):
    for tokens in (canonical(text), canonical_cs(text)):
        again = canonical(" ".join(tokens)) if tokens == canonical(text) else canonical_cs(" ".join(tokens))
        assert again == tokens


@given(LIVELY)
def test_the_kept_case_has_as_many_tokens_that_fold_to_the_same(text):
    folded, cased = canonical(text), canonical_cs(text)
    assert len(folded) == len(cased)
    assert canonical(" ".join(cased)) == folded


@given(LIVELY)
def test_each_place_holds_its_token(text):
    found = spans(text)
    assert tuple(token for token, _, _ in found) == canonical(text)
    for token, start, end in found:
        assert 0 <= start < end <= len(text)
        assert token.strip("@#") in "".join(canonical(text[start:end]))


def test_places_survive_letters_that_grow():
    text = "½ Straße ﬁets #Te_laat"
    assert [text[start:end] for _, start, end in spans(text)] == ["½", "½", "Straße", "ﬁets", "#Te_laat"]


def test_every_assigned_code_point_keeps_the_promises():
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in {"Cn", "Co"}:
            continue
        text = f"a{chr(code)}b {chr(code)}"
        tokens = canonical(text)
        if canonical(" ".join(tokens)) != tokens or len(canonical_cs(text)) != len(tokens):
            pytest.fail(f"U+{code:04X} {unicodedata.name(chr(code), '')}: {tokens}")


@pytest.mark.parametrize(
    "text", ["a" * 199 + "_b", "@" + "a" * 198 + ".b", "a" * 500, "𝔞" * 300, "한" * 300, "𐐀" * 300]
)
def test_a_long_token_is_cut_and_stays_cut(text):
    (token,) = canonical(text)
    assert len(token.encode("utf-16-le")) // 2 <= 200
    assert canonical(token) == (token,)
