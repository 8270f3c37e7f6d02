"""What every tagger promises: in order, one for one, evidence inside the text, silence where it knows nothing."""

from collections.abc import Callable

from monitor.model import Enrichment, Mention
from monitor.protocols import Tagger
from nlp.labels import SILENT
from tests.factories import a_mention


def labels_of(found: Enrichment) -> set[str]:
    """Every label that must be explained."""
    labels = {f"intent:{one}" for one in found.intents} | {f"theme:{one}" for one in found.themes}
    labels |= {f"stage:{found.stage}", f"needs_reply:{found.needs_reply}", f"urgency:{found.urgency}"}
    labels |= {f"entity:{one.type}" for one in found.entities} | {f"topic:{one}" for one in found.topics}
    if found.sentiment is not None:
        labels.add(f"sentiment:{found.sentiment.label}")
    return labels - SILENT


def assert_explained(mention: Mention, found: Enrichment) -> None:
    explained = {one.label for one in found.evidence}
    assert labels_of(found) <= explained, (mention.text, labels_of(found) - explained)
    for one in found.evidence:
        whole = mention.text if one.field == "text" else mention.title
        assert whole is not None
        assert 0 <= one.start < one.end <= len(whole), (one, whole)
        assert one.reason
    for entity in found.entities:
        whole = mention.text if entity.field == "text" else mention.title
        assert whole is not None
        assert whole[entity.start : entity.end] == entity.text


class TaggerContract:
    """Subclass with a fixture `make_tagger` that builds a tagger which has seen nothing yet."""

    def test_enrichments_come_back_one_for_one_and_in_order(self, make_tagger: Callable[[], Tagger]) -> None:
        texts = [
            "Waar blijft mijn pakket?",
            "",
            "Where is my parcel?",
            "Top geholpen door Sanne, dank!",
            "👍",
            "Guten Tag, wo ist es?",
        ]
        mentions = [a_mention(native_id=str(at), text=text) for at, text in enumerate(texts)]
        tagger = make_tagger()
        found = tagger.tag(mentions)
        assert [one.mention_id for one in found] == [one.id for one in mentions]
        assert [one.content_hash for one in found] == [one.content_hash for one in mentions]
        assert {one.model for one in found} == {tagger.model}

    def test_a_batch_says_the_same_as_one_by_one(self, make_tagger: Callable[[], Tagger]) -> None:
        texts = ["Al 3 weken geen reactie, ik stap over", "Can you cancel my order please?", "wat een heerlijk ding!!"]
        mentions = [a_mention(native_id=str(at), text=text) for at, text in enumerate(texts)]
        alone = make_tagger()
        assert make_tagger().tag(mentions) == [alone.tag([one])[0] for one in mentions]

    def test_no_mentions_give_no_enrichments(self, make_tagger: Callable[[], Tagger]) -> None:
        assert make_tagger().tag([]) == []

    def test_a_text_without_words_is_not_tagged_rather_than_neutral(self, make_tagger: Callable[[], Tagger]) -> None:
        for text in ("", "   \n\t", "https://example.org/a"):
            found = make_tagger().tag([a_mention(text=text)])[0]
            assert found.sentiment is None
            assert found.intents == ()

    def test_every_label_names_its_words(self, make_tagger: Callable[[], Tagger]) -> None:
        mention = a_mention(
            title="Derde mail over bestelling ZK-20418833",
            text="Mijn lader vloog in brand! Order ZK-20418833, bel 06-12345678. Nooit meer bij jullie.",
        )
        assert_explained(mention, make_tagger().tag([mention])[0])
