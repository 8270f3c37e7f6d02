"""`python -m nlp.train`: fits the model's two steps and writes nlp/models/. Needs scikit-learn (group train).

Two steps. First a logistic regression a label over words, pairs and n-grams. Then, on scores that each text got from
models which had not seen its writer, a small one over all scores, the rules that fire and the clauses; its limits are
fitted the same way. The golden set is not opened here.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped] # scipy brings no types
from sklearn.linear_model import LogisticRegression

from nlp.labels import GROUPS, LABELS
from nlp.linear import BUCKETS, LinearModel, buckets, save_tables
from nlp.reading import EXTRAS, Reading, brand_spans, second_features, words_of
from nlp.rules import Fired, load_rules
from nlp.words import Word, pairs

HERE = Path(__file__).parent
TEXTS = HERE / "training"
MODEL = HERE / "models" / "tagger.npz"
MIN_WORD, MIN_PAIR = 2, 3  # texts that a word or a pair must occur in
STRENGTH, SECOND_STRENGTH = 2.0, 0.3


@dataclass(frozen=True, slots=True)
class Text:
    """One training text, read."""

    hand: str
    language: str
    words: list[Word]
    fired: list[Fired]
    truth: Any


def truths(row: dict[str, Any]) -> Any:
    """One 0 or 1 a label."""
    held = {f"{kind}:{row[kind]}" for kind in GROUPS}
    held |= {f"intent:{one}" for one in row["intents"]} | {f"theme:{one}" for one in row["themes"]}
    return np.array([label in held for label in LABELS], dtype=np.int8)


def read_texts(paths: list[Path]) -> list[Text]:
    """All training texts, tokenised and matched against the rules."""
    tokenise = {language: spacy.blank(language) for language in ("nl", "en")}
    rules = load_rules()
    found = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            doc = tokenise[row["lang"]](row["text"])
            words = words_of(doc, brand_spans(row["text"], (row["brand"],)))
            fired = rules.fired(row["text"], {word.form for word in words})
            found.append(Text(path.stem, row["lang"], words, fired, truths(row)))
    return found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known words and pairs with their idf, and the idf of n-gram buckets."""

    words: dict[str, int]
    pairs: dict[str, int]
    word_idf: Any
    pair_idf: Any
    gram_idf: Any


def learn_vocabulary(texts: list[Text]) -> Vocabulary:
    """Counts in how many texts each feature occurs."""
    word_count: Counter[str] = Counter()
    pair_count: Counter[str] = Counter()
    gram_count = np.zeros(BUCKETS, dtype=np.int32)
    for text in texts:
        forms = {word.form for word in text.words} - {""}
        word_count.update(forms)
        pair_count.update({pair for pair, _, _ in pairs(text.words)})
        gram_count[list({b for form in forms for b in buckets(form)})] += 1
    words = sorted(form for form, count in word_count.items() if count >= MIN_WORD)
    joined = sorted(pair for pair, count in pair_count.items() if count >= MIN_PAIR)
    total = len(texts)

    def idf(counts: Any) -> Any:
        return (np.log((1 + total) / (1 + np.asarray(counts))) + 1).astype(np.float16).astype(np.float32)

    gram_idf = np.where(gram_count >= MIN_WORD, idf(gram_count), 0).astype(np.float32)
    return Vocabulary(
        {form: at for at, form in enumerate(words)},
        {pair: at for at, pair in enumerate(joined)},
        idf([word_count[form] for form in words]),
        idf([pair_count[pair] for pair in joined]),
        gram_idf,
    )


def matrix(texts: list[Text], known: Vocabulary) -> csr_matrix:
    """One row a text: words and pairs over their norm, then n-grams over theirs, as nlp.linear adds them up."""
    grams: dict[str, Any] = {}

    def of(form: str) -> Any:
        if form not in grams:
            grams[form] = np.array(buckets(form), dtype=np.int32)
        return grams[form]

    def stack(columns: list[Any], weights: Any, width: int) -> csr_matrix:
        pointer = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
        index = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)
        values = weights[index]
        squares = np.add.reduceat(np.append(values**2, 0), pointer[:-1])
        squares[np.diff(pointer) == 0] = 0
        values = values / np.repeat(np.sqrt(np.maximum(squares, 1e-6)), np.diff(pointer))
        made = csr_matrix((values.astype(np.float32), index, pointer), shape=(len(columns), width))
        made.sum_duplicates()
        return made

    offset = len(known.words)
    first, second = [], []
    for text in texts:
        numbers = [known.words[w.form] for w in text.words if w.form in known.words]
        numbers += [offset + known.pairs[p] for p, _, _ in pairs(text.words) if p in known.pairs]
        first.append(np.array(numbers, dtype=np.int32))
        second.append(np.concatenate([of(w.form) for w in text.words if w.form] or [np.zeros(0, dtype=np.int32)]))
    weights = np.concatenate([known.word_idf, known.pair_idf])
    return hstack([stack(first, weights, len(weights)), stack(second, known.gram_idf, BUCKETS)]).tocsr()


def fit_first(features: csr_matrix, truth: Any) -> tuple[Any, Any]:
    """One balanced logistic regression a label: weights (features x labels) and biases."""

    def one(column: Any) -> tuple[Any, float]:
        if not column.any():
            return np.zeros(features.shape[1]), -5.0
        model = LogisticRegression(
            C=STRENGTH, class_weight="balanced", solver="liblinear", dual=True, tol=0.01, random_state=0, max_iter=300
        )
        model.fit(features, column)
        return model.coef_[0], float(model.intercept_[0])

    fitted = [one(truth[:, at]) for at in range(truth.shape[1])]
    return np.stack([weights for weights, _ in fitted], axis=1), np.array([bias for _, bias in fitted])


def rounded(rows: Any) -> tuple[Any, Any]:
    """The rows as int8, and the scale of each label."""
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-6) / 127
    return np.round(rows / scale).astype(np.int8), scale.astype(np.float32)


def to_tables(known: Vocabulary, weights: Any, bias: Any) -> dict[str, Any]:
    """What nlp.linear reads: weight x idf of each feature, rounded."""
    first, second = len(known.words), len(known.words) + len(known.pairs)
    tables: dict[str, Any] = {
        "labels": "\n".join(LABELS),
        "bias": bias.astype(np.float32),
        "words": "\n".join(known.words),
        "pairs": "\n".join(known.pairs),
        "word_idf": known.word_idf.astype(np.float16),
        "pair_idf": known.pair_idf.astype(np.float16),
        "gram_idf": known.gram_idf.astype(np.float16),
    }
    tables["word_rows"], tables["word_scale"] = rounded(weights[:first] * known.word_idf[:, None])
    tables["pair_rows"], tables["pair_scale"] = rounded(weights[first:second] * known.pair_idf[:, None])
    tables["gram_rows"], tables["gram_scale"] = rounded(weights[second:] * known.gram_idf[:, None])
    return tables


def first_step(texts: list[Text]) -> dict[str, Any]:
    """The tables of the first step, fitted on these texts."""
    known = learn_vocabulary(texts)
    return to_tables(known, *fit_first(matrix(texts, known), np.stack([text.truth for text in texts])))


def seen_by(model: LinearModel, texts: list[Text]) -> Any:
    """The second step's features of texts, from a model of the first."""
    readings = [Reading(text.words, text.fired, text.language) for text in texts]
    return second_features(model.score_all([t.words for t in texts]), readings, load_rules().flags, LABELS)


def fit_second(features: Any, truth: Any) -> tuple[Any, Any]:
    """Weights (features x labels) and biases: softmax inside a group, one by one for the rest."""
    weights = np.zeros((features.shape[1], len(LABELS)))
    bias = np.zeros(len(LABELS))
    for where in groups():
        model = LogisticRegression(C=SECOND_STRENGTH, max_iter=2000)
        if len(where) == 1:
            model.fit(features, truth[:, where[0]])
            weights[:, where[0]], bias[where[0]] = model.coef_[0], model.intercept_[0]
        else:
            model.fit(features, truth[:, where].argmax(axis=1))
            weights[:, where], bias[where] = model.coef_.T, model.intercept_
    return weights, bias


def groups() -> list[list[int]]:
    """The labels that are decided together, as columns."""
    together = [[LABELS.index(f"{kind}:{label}") for label in group] for kind, group in GROUPS.items()]
    taken = {at for group in together for at in group}
    return together + [[at] for at in range(len(LABELS)) if at not in taken]


def macro_f1(truth: Any, chosen: Any, classes: int) -> float:
    """Mean F1 over classes."""
    return float(np.mean([f1(truth == one, chosen == one) for one in range(classes)]))


def f1(truth: Any, chosen: Any) -> float:
    """F1 of one label; 0 where neither occurs."""
    hits = 2 * int((truth & chosen).sum())
    return hits / max(int(truth.sum()) + int(chosen.sum()), 1)


def fit_limits(scores: Any, truth: Any) -> Any:
    """What is added to each label's score before deciding (0 or the largest of a group wins), for the best F1."""
    limits = np.zeros(len(LABELS))
    steps = np.arange(-1.6, 1.61, 0.1)
    for where in groups():
        if len(where) == 1:
            column, held = scores[:, where[0]], truth[:, where[0]].astype(bool)
            best = [(f1(held, column + step > 0), -abs(step), step) for step in steps]
            limits[where[0]] = max(best)[2]
            continue
        held = truth[:, where].argmax(axis=1)
        for _ in range(2):
            for at in where:

                def gain(step: float, at: int = at, where: list[int] = where, held: Any = held) -> tuple[float, float]:
                    trial = limits[where].copy()
                    trial[where.index(at)] = step
                    return macro_f1(held, (scores[:, where] + trial).argmax(axis=1), len(where)), -abs(step)

                limits[at] = max(steps, key=gain)
    return limits


def train() -> dict[str, Any]:
    """All tables of the tagger, from nlp/training/."""
    texts = read_texts(sorted(TEXTS.glob("hand_*.jsonl")))
    truth = np.stack([text.truth for text in texts])
    hands = np.array([text.hand for text in texts])
    names = sorted(set(hands))
    features = np.zeros((len(texts), len(LABELS) + len(load_rules().flags) + len(EXTRAS)), dtype=np.float32)
    for hand in names:
        others = first_step([text for text in texts if text.hand != hand])
        features[hands == hand] = seen_by(LinearModel(others), [text for text in texts if text.hand == hand])
    scores = np.zeros(truth.shape)
    for hand in names:
        weights, bias = fit_second(features[hands != hand], truth[hands != hand])
        scores[hands == hand] = features[hands == hand] @ weights + bias
    weights, bias = fit_second(features, truth)
    tables = first_step(texts)
    tables["flags"] = "\n".join(load_rules().flags)
    tables["second_weights"] = weights.astype(np.float32)
    tables["second_bias"] = bias.astype(np.float32)
    tables["limits"] = fit_limits(scores, truth).astype(np.float32)
    return tables


def main() -> None:
    """Train and write."""
    MODEL.parent.mkdir(exist_ok=True)
    save_tables(MODEL, train())


if __name__ == "__main__":
    main()
