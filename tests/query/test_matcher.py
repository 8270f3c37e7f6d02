"""The matcher against its plainest definition, and what it lights up."""

import random
import time
from itertools import permutations

import pytest

from monitor.query import parse
from monitor.query.anchors import RuleSet, anchors
from monitor.query.lint import lint
from monitor.query.matcher import compile_matcher, highlight, matches
from monitor.query.tree import Phrase
from tests.contracts.search import a_document
from tests.search.random_queries import random_documents, random_tree


def by_brute_force(phrase, tokens):
    """Each word at a place of its own, at most `slop` other tokens between the first and the last."""
    size = len(phrase.tokens)
    return any(
        tuple(tokens[place] for place in places) == phrase.tokens
        and max(places) - min(places) + 1 - size <= phrase.slop
        for places in permutations(range(len(tokens)), size)
    )


def test_a_phrase_in_any_order_is_what_brute_force_finds():
    rng = random.Random(3)  # noqa: S311 - a seed, not a secret
    outcomes = set()
    for no in range(1500):
        phrase = Phrase(tokens=tuple(rng.choices("abc", k=rng.randrange(2, 5))), slop=rng.randrange(1, 4))
        document = a_document(no, text=" ".join(rng.choices("abcd", k=rng.randrange(1, 8))))
        expected = by_brute_force(phrase, document.tokens)
        assert matches(phrase, document) is expected, (phrase, document.tokens)
        outcomes.add(expected)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("klachten NEAR klach*", "klachten", False),
        ("klachten NEAR klach*", "klachten over klachten", True),
        ("te NEAR/0 laat", "te laat", True),
        ("te NEAR/0f laat", "laat te", False),
        ("te NEAR/1 laat", "laat is niet te", False),
        ('"te laat" NEAR/1 "te laat"', "te laat te laat", True),
        ('"te laat" NEAR/1 "te laat"', "te laat", False),
        ("ah", "kijk #ah", True),
        ("#ah", "kijk ah", False),
        ("{ING}", "ing", False),
        ("{ING}", "de ING", True),
        ("pa*k?t", "pakket", True),
        ("pa*k?t", "pakt", False),
        ("NOT language:nl", "iets", True),
    ],
)
def test_what_a_query_finds(query, text, found):
    assert compile_matcher(parse(query))(a_document(1, text=text)) is found


@pytest.mark.parametrize(
    "query", ["a NEAR/2 zz OR a NEAR/1 b", '"a a b zz"~50', "(a OR b) NEAR/50 (a OR b)", "aa*a*a*a*a*a*a*a*a*b"]
)
def test_a_long_hostile_text_costs_no_more_than_its_length(query):
    document = a_document(1, text="a b " * 5000 + "a" * 150)
    start = time.process_time()
    matches(parse(query), document)
    assert time.process_time() - start < 5


def test_what_made_it_match_is_lit_and_what_stands_under_not_is_not():
    text = "Té laat! Straße vol klachten, niet leuk"
    found = highlight(parse('"te laat" strasse klacht* -boos'), "", text)
    assert [text[start:end] for _, start, end in found] == ["Té laat", "Straße", "klachten"]
    assert highlight(parse("NOT leuk"), "", text) == []
    assert highlight(parse("title:leuk"), "Leuk", text) == [("title", 0, 4)]


def test_rules_asked_by_their_anchors_answer_as_all_rules_would():
    rng = random.Random(11)  # noqa: S311 - a seed, not a secret
    nodes = {f"r{n}": random_tree(rng) for n in range(300)}
    assert sum(anchors(node) is not None for node in nodes.values()) > 100
    rules = RuleSet(nodes)
    for document in random_documents(rng, 60):
        assert rules.matching(document) == [name for name, node in nodes.items() if matches(node, document)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a and b", {"lower-case": 2}),
        ('"a and b"', {}),
        ("NOT x", {"only-not": 0}),
        ("language:nl language:en", {"never-both": 12, "no-anchor": 0}),
        ("language:nl klacht", {}),
        ("klacht* OR laat", {"no-anchor": 0}),
        ("te NEAR/20 laat", {"far": 0}),
        ("pakket", {}),
    ],
)
def test_what_is_probably_not_meant_is_said(text, codes):
    assert {warning.code: warning.at for warning in lint(parse(text), text)} == codes
