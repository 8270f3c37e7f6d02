"""Random documents and queries over a small vocabulary, so that phrases, distances and overlaps really happen."""

from monitor.model import Engagement, Sentiment
from monitor.query.tree import And, Equals, Exact, In, Near, Not, Or, Phrase, Range, Wildcard, Word
from monitor.text.tokens import canonical
from tests.contracts.search import a_document

WORDS = [
    "niet",
    "geen",
    "pakket",
    "pak",
    "pakketje",
    "te",
    "laat",
    "ah",
    "AH",
    "ing",
    "ING",
    "#ah",
    "@ah",
    "café",
    "klacht",
    "klachten",
    "😡",
    "l'oréal",
    "AH.nl",
    "10,50",
]


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


def random_tree(rng, depth=3):  # noqa: PLR0911 - one line a kind of node
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
            [
                Equals(field_name="language", value="nl"),
                Equals(field_name="intent", value="complaint"),
                Equals(field_name="sentiment", value="negative"),
            ]
        )
    if kind == "range":
        return Range(
            field_name=rng.choice(["rating", "likes", "score"]),
            low=rng.choice([None, 0.5, 1.0]),
            high=rng.choice([None, 2.0]),
            low_open=rng.random() < 0.5,
            high_open=rng.random() < 0.5,
        )
    return random_leaf(rng)
