"""The index on FTS5."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import SearchUnavailable
from monitor.model import Engagement, Sentiment
from monitor.query import parse
from monitor.query.matcher import matches
from monitor.query.tree import And, Equals, Exact, In, Near, Not, Or, Phrase, Range, Wildcard, Word, to_text
from monitor.search import compile_sqlite
from monitor.search.sqlite import SqliteIndex
from monitor.store.engine import sqlite
from monitor.text.tokens import canonical
from tests.contracts.search import SearchContract, a_document

WORDS = ["niet", "geen", "pakket", "pak", "pakketje", "te", "laat", "ah", "AH", "ing", "ING", "#ah", "@ah", "café", "klacht",
         "klachten", "😡", "l'oréal", "AH.nl", "10,50"]  # fmt: skip


@pytest.fixture
def index(tmp_path):
    made = SqliteIndex(f"sqlite:///{tmp_path}/search.db")
    yield made
    made.close()


class TestSqliteIndex(SearchContract):
    pass


def random_documents(rng, count):
    for no in range(1, count + 1):
        enriched = None
        if rng.random() < 0.7:
            enriched = {
                "intents": tuple(rng.sample(["complaint", "question", "idea"], rng.randrange(3))),
                "sentiment": rng.choice([None, Sentiment(label="negative", score=rng.choice([0.1, 0.5, 0.9]))]),
                "language": rng.choice([None, "nl", "en"]),
            }
        yield a_document(
            no,
            text=" ".join(rng.choices(WORDS, k=rng.randrange(1, 14))),
            title=" ".join(rng.choices(WORDS, k=rng.randrange(4))) or None,
            minutes=rng.randrange(5000),
            rating=rng.choice([None, 1.0, 2.0, 5.0]),
            language=rng.choice([None, "nl"]),
            engagement=Engagement(likes=rng.choice([None, 0, 3])),
            enriched=enriched,
        )


def random_leaf(rng, *, near=False):
    tokens = [token for word in WORDS for token in canonical(word)]
    kind = rng.choice(
        ["word", "word", "wild", "phrase", "phrase"] if near else ["word", "word", "wild", "phrase", "slop", "exact"]
    )
    if kind == "word":
        return Word(token=rng.choice(tokens))
    if kind == "wild":
        return Wildcard(pattern=rng.choice(["pa*", "pak*", "kl*t", "kl?cht*", "pakket?e", "zz*q"]))
    if kind == "exact":
        return rng.choice(
            [Exact(token="AH", folded="ah"), Exact(token="ING", folded="ing"), Exact(token="ing", folded="ing")]
        )
    size = rng.choice([2, 3])
    return Phrase(tokens=tuple(rng.choices(tokens, k=size)), slop=rng.randrange(1, 4) if kind == "slop" else 0)


def random_tree(rng, depth=3):
    kind = rng.choice(["leaf", "leaf", "and", "or", "not", "near", "in", "equals", "range"]) if depth else "leaf"
    if kind in {"and", "or"}:
        children = tuple(random_tree(rng, depth - 1) for _ in range(rng.choice([2, 3])))
        return (And if kind == "and" else Or)(children=children)
    if kind == "not":
        return Not(child=random_tree(rng, depth - 1))
    if kind == "near":
        left, right = random_leaf(rng, near=True), random_leaf(rng, near=True)
        if rng.random() < 0.3:
            left = Or(children=(left, random_leaf(rng, near=True)))
        return Near(left=left, right=right, distance=rng.randrange(5), ordered=rng.random() < 0.5)
    if kind == "in":
        return In(field_name=rng.choice(["title", "text"]), child=random_leaf(rng))
    if kind == "equals":
        return rng.choice(
            [Equals(field_name="language", value="nl"), Equals(field_name="intent", value="complaint"),
             Equals(field_name="sentiment", value="negative")]
        )  # fmt: skip
    if kind == "range":
        return Range(field_name=rng.choice(["rating", "likes", "score"]), low=rng.choice([None, 0.5, 1.0]), high=rng.choice([None, 2.0]),
                     low_open=rng.random() < 0.5, high_open=rng.random() < 0.5)  # fmt: skip
    return random_leaf(rng)


def differences(index, documents, trees):
    found = []
    for tree in trees:
        expected = {d.id for d in documents if matches(tree, d)}
        compiled = compile_sqlite.compile_query(tree, index._terms)
        candidates = {row[1] for row in index._candidates(compiled, 10_000, None)}
        hits = {row[1] for row in index._page(tree, compiled, 10_000, None)}
        if hits != expected or not candidates >= expected or (compiled.exact and candidates != expected):
            found.append(to_text(tree))
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    rng = random.Random(20_260_601)
    documents = list(random_documents(rng, 150))
    made = SqliteIndex(f"sqlite:///{tmp_path_factory.mktemp('corpus')}/search.db")
    made.write(documents)
    yield made, documents
    made.close()


def test_the_matcher_and_fts5_agree_on_45000_random_pairs(corpus):
    index, documents = corpus
    seed = random.SystemRandom().randrange(10**9)
    rng = random.Random(seed)
    trees = [random_tree(rng) for _ in range(300)]
    assert differences(index, documents, trees) == [], f"seed {seed}"


def test_an_inexact_leaf_left_as_it_is_under_a_not_loses_rows(corpus, monkeypatch):
    index, documents = corpus
    right = compile_sqlite._compiled
    monkeypatch.setattr(
        compile_sqlite,
        "_compiled",
        lambda node, terms, *, column, negative: right(node, terms, column=column, negative=False),
    )
    trees = [
        Not(child=Exact(token="ING", folded="ing")),
        Not(child=Near(left=Word(token="niet"), right=Word(token="niet"), distance=2)),
    ]
    assert differences(index, documents, trees)


def test_a_missing_value_without_coalesce_loses_rows(corpus, monkeypatch):
    index, documents = corpus
    right = compile_sqlite._equals
    monkeypatch.setattr(
        compile_sqlite,
        "_equals",
        lambda node: compile_sqlite.Compiled(
            sql=f"({compile_sqlite.column_of(node.field_name)} = ?)", values=right(node).values
        ),
    )
    assert differences(index, documents, [Not(child=Equals(field_name="language", value="nl"))])


def test_a_near_counts_the_tokens_in_between_as_the_matcher_does(corpus, monkeypatch):
    index, documents = corpus
    right = compile_sqlite._match
    monkeypatch.setattr(
        compile_sqlite,
        "_match",
        lambda node, terms: (
            (f"NEAR({' '.join(chr(34) + t + chr(34) for t in node.tokens)}, {max(node.slop - 2, 0)})", False)
            if isinstance(node, Phrase) and node.slop
            else right(node, terms)
        ),
    )
    trees = [Phrase(tokens=("niet", "pakket", "laat"), slop=3), Phrase(tokens=("niet", "laat"), slop=3)]
    assert differences(index, documents, trees)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60))
def test_fts5_cuts_stored_tokens_just_where_we_did(text):
    connection = sqlite.connect(":memory:")
    connection.execute(
        'CREATE VIRTUAL TABLE t USING fts5(a, tokenize="unicode61 remove_diacritics 0 '
        "categories 'L* N* Co S* M* P*' tokenchars '@#_'\")"
    )
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab('t', 'instance')")
    tokens = canonical(text)
    connection.execute("INSERT INTO t VALUES (?)", (" ".join(tokens),))
    stored = tuple(row[0] for row in connection.execute("SELECT term FROM v ORDER BY offset"))
    connection.close()
    assert stored == tokens


def test_a_file_that_is_no_index_is_said_in_a_sentence(tmp_path):
    (tmp_path / "search.db").write_bytes(b"this is not a database at all, but long enough to look like one" * 40)
    with pytest.raises(SearchUnavailable, match="search index"):
        SqliteIndex(f"sqlite:///{tmp_path}/search.db")


def test_a_query_as_people_write_it_finds_the_same_in_memory(corpus):
    index, documents = corpus
    query = "(pakket OR klacht*) NOT te language:nl"
    assert set(index.search(query, limit=1000).ids) == {d.id for d in documents if matches(parse(query), d)}
