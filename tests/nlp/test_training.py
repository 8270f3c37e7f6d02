"""The golden set stays apart from the training texts; the same tables give the same bytes; the figures hold."""

import json
import re
from pathlib import Path

import numpy as np

from nlp.evaluate import columns, f1s, load, tagged
from nlp.labels import INTENTS, SENTIMENTS, THEMES
from nlp.linear import LinearModel, buckets, load_tables, save_tables
from nlp.tagger import MODEL, load_tagger
from nlp.words import as_word, clauses, pairs
from tests.nlp.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden" / "golden.jsonl"


def runs(text: str, size: int = 6) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def training() -> list[dict]:
    paths = sorted((ROOT / "nlp" / "training").glob("hand_*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_no_golden_text_shares_six_words_in_a_row_with_a_training_text() -> None:
    seen = set().union(*(runs(row["text"]) for row in training()))
    shared = {row["id"]: runs(row["text"]) & seen for row in load(GOLDEN)}
    assert {name: found for name, found in shared.items() if found} == {}


def test_no_golden_text_has_most_of_its_words_in_one_training_text() -> None:
    seen = [(row["id"], set(re.findall(r"\w+", row["text"].lower()))) for row in training()]
    for row in load(GOLDEN):
        mine = set(re.findall(r"\w+", row["text"].lower()))
        near = [name for name, words in seen if len(words) >= 6 and len(mine & words) >= 0.6 * len(mine | words)]
        assert near == [], row["id"]


def test_the_model_beats_chance_and_lexicons_on_texts_it_has_not_seen() -> None:
    rows = [row for row in load(GOLDEN) if row["lang"] == "nl"]
    found = tagged(rows, load_tagger(()))

    def macro(kind, labels):
        return f1s(columns(rows, kind, labels), columns(found, kind, labels)).mean()

    assert macro("sentiment", SENTIMENTS) > 0.62
    assert macro("intent", INTENTS) > 0.68
    assert macro("theme", THEMES) > 0.42


def test_the_same_tables_are_the_same_bytes(tmp_path: Path) -> None:
    tables = load_tables(MODEL)
    save_tables(tmp_path / "again.npz", tables)
    assert (tmp_path / "again.npz").read_bytes() == MODEL.read_bytes()
    assert MODEL.stat().st_size < 15_000_000


def test_scores_are_the_sum_of_bias_and_rows() -> None:
    tables = load_tables(MODEL)
    words = [as_word(token) for token in ["wat", "een", "waardeloze", "service", "zeg", ",", "nooit", "meer", "!"]]
    one = LinearModel(tables).score(words)
    total = tables["bias"] + one.rows.sum(axis=0) + one.pair_rows.sum(axis=0)
    np.testing.assert_allclose(one.scores, total, rtol=1e-4, atol=1e-4)


def test_words_are_normalised_and_keep_their_place() -> None:
    forms = [as_word(token).form for token in ["Heeeel", "€", "259,00", "@Jan", "https://a.nl/b", "\n", "☀️"]]
    assert forms == ["heel", "€", "00,00", "@user", "@url", "", "☀️"]
    assert buckets("ab") == buckets("ab")


def test_a_negation_colours_the_words_of_its_clause_only() -> None:
    words = [as_word(token) for token in ["niet", "echt", "blij", ".", "wel", "goed"]]
    turned = [pair for pair, _, _ in pairs(words) if pair.startswith("¬")]
    assert turned == ["¬ echt", "¬ blij"]


def test_clauses_start_after_a_stop_and_at_a_turn() -> None:
    words = [
        as_word(token)
        for token in ["mooie", "bank", "gekregen", "maar", "de", "poot", "is", "los", ".", "bel", "me", "even"]
    ]
    assert clauses(words) == [0, 3, 9]
