"""One tagger for all tests that do not care about its memory of duplicates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.model import Topic, TopicKind
from nlp.tagger import SpacyTagger, load_tagger

TOPICS = (
    Topic(id="zonnekade", name="Zonnekade", kind=TopicKind.BRAND, query='zonnekade OR "zonne kade"'),
    Topic(id="tuinhof", name="Tuinhof", kind=TopicKind.COMPETITOR, query="tuinhof NOT camping"),
    Topic(id="glimworm", name="Glimworm", kind=TopicKind.PRODUCT, query="glimworm*"),
)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tagger() -> Iterator[SpacyTagger]:
    return load_tagger(TOPICS, brand="Zonnekade")
