"""The index on FTS5."""

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import SearchUnavailable
from monitor.model import Entity
from monitor.query import parse
from monitor.query.matcher import matches
from monitor.query.tree import Equals, Exact, Near, Not, Phrase, Word, to_text
from monitor.search import compile_sqlite
from monitor.search.sqlite import SqliteIndex
from monitor.store.engine import sqlite
from monitor.text.tokens import canonical
from tests.contracts.search import SearchContract, a_document
from tests.search.random_queries import random_documents, random_tree


@pytest.fixture
def index(tmp_path):
    made = SqliteIndex(f"sqlite:///{tmp_path}/search.db")
    yield made
    made.close()


class TestSqliteIndex(SearchContract):
    pass


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
    rng = random.Random(20_260_601)  # noqa: S311 - a seed, not a secret
    documents = list(random_documents(rng, 150))
    made = SqliteIndex(f"sqlite:///{tmp_path_factory.mktemp('corpus')}/search.db")
    made.write(documents)
    yield made, documents
    made.close()


def test_the_matcher_and_fts5_agree_on_45000_random_pairs(corpus):
    index, documents = corpus
    seed = random.SystemRandom().randrange(10**9)
    rng = random.Random(seed)  # noqa: S311 - a seed, not a secret
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


def test_every_assigned_character_is_cut_by_fts5_where_we_cut_it():
    connection = sqlite.connect(":memory:")
    connection.execute(
        'CREATE VIRTUAL TABLE t USING fts5(a, tokenize="unicode61 remove_diacritics 0 '
        "categories 'L* N* Co S* M* P*' tokenchars '@#_'\")"
    )
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab('t', 'instance')")
    assigned = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}]
    expected = []
    for no, start in enumerate(range(0, len(assigned), 500)):
        tokens = canonical(" ".join(f"x{char}y {char}" for char in assigned[start : start + 500]))
        connection.execute("INSERT INTO t(rowid, a) VALUES (?, ?)", (no, " ".join(tokens)))
        expected.extend((no, position, token) for position, token in enumerate(tokens))
    found = sorted(connection.execute("SELECT doc, offset, term FROM v"))
    connection.close()
    assert found == expected


def test_a_value_that_holds_a_bar_is_one_value(index):
    held = a_document(1, enriched={"entities": (Entity(type="product", text="kabel|lader", start=0, end=11),)})
    index.write([held])
    assert index.search("entity:kabel", limit=5).total == 0
    assert index.search('entity:"kabel|lader"', limit=5).ids == (held.id,)


@pytest.mark.parametrize("joiner", [" OR ", " AND ", " NOT "])
def test_the_longest_query_that_is_allowed_runs(index, joiner):
    index.write([a_document(1, text="w0")])
    count = 499 if joiner == " NOT " else 999
    expected = 0 if joiner == " AND " else 1
    assert index.search(joiner.join(f"w{n}" for n in range(count)), limit=5).total == expected


def test_the_deepest_query_that_is_allowed_runs(index):
    index.write([a_document(1, text="a")])
    query = "a"
    for depth in range(15):
        query = f"(w{depth} {'OR' if depth % 2 else 'AND a OR'} {query})"
    assert index.search(query, limit=5).total == 1
