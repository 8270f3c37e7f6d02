"""The tagger: one spaCy pipeline a language over batches, each step a component in a file of its own."""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from monitor.errors import ConfigError
from monitor.model import Enrichment, Mention, Topic, TopicKind
from nlp.decide import SecondStep, Weigh
from nlp.duplicates import FindDuplicates
from nlp.entities import FindEntities
from nlp.intent import SetIntents
from nlp.language import declared, detect
from nlp.linear import LinearModel, load_tables
from nlp.note import KEY, Note
from nlp.reading import brand_spans, words_of
from nlp.rules import RULES, Rules, load_rules
from nlp.sentiment import SetSentiment
from nlp.theme import SetThemes
from nlp.topics import SetTopics
from nlp.urgency import SetUrgency

MODEL = Path(__file__).parent / "models" / "tagger.npz"
TRAINED = ("nl", "en")  # languages that the model has seen
OTHER = "xx"  # any other or none: topics and entities only
CACHE = 100_000  # tokens that spaCy keeps; its own 10,000 costs a third of the speed
LONGEST = 20_000  # characters that are read; what follows says little about the author's wish

Component = Callable[[Doc], Doc]
log = logging.getLogger(__name__)


class Read:
    """Component: masks the brand, normalises the words and looks which rules fire."""

    def __init__(self, rules: Rules, brands: tuple[str, ...]) -> None:
        self._rules = rules
        self._brands = brands

    def __call__(self, doc: Doc) -> Doc:
        """One text."""
        note: Note = doc.user_data[KEY]
        names = (note.brand, *self._brands) if note.brand else self._brands
        note.brand_spans = brand_spans(note.whole, names)
        note.words = words_of(doc, note.brand_spans)
        note.fired = self._rules.fired(note.whole, {word.form for word in note.words})
        return doc


class SpacyTagger:
    """Mentions in, enrichments out, in order. Not safe for use by two threads at once: one tagger a worker."""

    def __init__(
        self, pipelines: dict[str, Language], languages: tuple[str, ...], model: str, seen: FindDuplicates
    ) -> None:
        self._pipelines = pipelines
        self._languages = languages
        self._model = model
        self._seen = seen

    @property
    def model(self) -> str:
        """Name and version: changes with the weights and the rules."""
        return self._model

    def seed(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Texts of earlier runs as (cluster or mention id, text), oldest first: their copies join them."""
        self._seen.seed(pairs)

    def tag(self, mentions: Sequence[Mention], brands: Sequence[str | None] | None = None) -> list[Enrichment]:
        """Tag a batch; `brands` names the brand in question for each text, where it is not the configured one.

        A text that breaks a step costs that text alone: it comes back without tags, and the log says why.
        """
        asked = brands or [None] * len(mentions)
        found: dict[int, Enrichment] = {}
        by_language: dict[str, list[tuple[int, Note]]] = {}
        for at, (mention, brand) in enumerate(zip(mentions, asked, strict=True)):
            note = self._note(mention, brand)
            by_language.setdefault(note.language if note.language in TRAINED else OTHER, []).append((at, note))
        for language, numbered in by_language.items():
            notes = [note for _, note in numbered]
            enrichments = self._batch(self._pipelines.get(language, self._pipelines[OTHER]), notes)
            found.update(zip((at for at, _ in numbered), enrichments, strict=True))
        return [found[at] for at in range(len(mentions))]

    def _note(self, mention: Mention, brand: str | None) -> Note:
        title = (mention.title or "").strip()
        text = mention.text[:LONGEST]
        shown = bool(title) and not text.startswith(title)
        whole = f"{mention.title}\n{text}" if shown else text
        mention_id = mention.id
        try:
            language = declared(mention.language) or detect(whole, self._languages)
            cluster = self._seen.cluster(mention_id, whole, mention)
        except Exception:
            log.exception("language and duplicates of mention %s failed; it goes on without them", mention_id)
            language = cluster = None
        size = len(whole) - len(text)
        note = Note(mention, mention_id, whole, size, brand or "", language)
        note.cluster_id = cluster
        return note

    def _batch(self, pipeline: Language, notes: list[Note]) -> list[Enrichment]:
        try:
            docs = [_doc(pipeline, note) for note in notes]
            return [_enrichment(doc.user_data[KEY], self._model) for doc in pipeline.pipe(docs)]
        except Exception:
            if len(notes) == 1:
                log.exception("mention %s cannot be tagged and is kept without tags", notes[0].mention_id)
                return [_untagged(notes[0], self._model)]
            return [one for note in notes for one in self._batch(pipeline, [note.anew()])]


def _doc(pipeline: Language, note: Note) -> Doc:
    doc = pipeline.make_doc(note.whole)
    doc.user_data[KEY] = note
    return doc


def _untagged(note: Note, model: str) -> Enrichment:
    mention = note.mention
    return Enrichment(
        mention_id=note.mention_id, content_hash=mention.content_hash, model=model, cluster_id=note.cluster_id
    )


def _enrichment(note: Note, model: str) -> Enrichment:
    return Enrichment(
        mention_id=note.mention_id,
        content_hash=note.mention.content_hash,
        model=model,
        language=note.language,
        topics=note.topics,
        sentiment=note.sentiment,
        intents=note.intents,
        stage=note.stage,
        needs_reply=note.needs_reply,
        themes=note.themes,
        entities=note.named(),
        urgency=note.urgency,
        cluster_id=note.cluster_id,
        scores=note.scores,
        evidence=note.evidences(),
    )


def load_tagger(topics: Sequence[Topic], languages: Sequence[str] = ("nl", "en"), brand: str = "") -> SpacyTagger:
    """Build the tagger from the tables in nlp/models/. A missing model raises ConfigError with the remedy."""
    if not MODEL.exists():
        raise ConfigError(f"{MODEL} is missing: run `.venv/bin/python -m nlp.train` (a minute or two)")
    tables = load_tables(MODEL)
    first, second, rules = LinearModel(tables), SecondStep(tables), load_rules()
    ours = tuple(topic for topic in topics if topic.kind is TopicKind.BRAND)
    names = tuple(dict.fromkeys(name for name in (brand, *(topic.name for topic in ours)) if name))
    shared: list[Component] = [Read(rules, names), FindEntities(topics), SetTopics(topics)]
    judging: list[Component] = [
        Weigh(first, second),
        SetSentiment(second, frozenset(topic.id for topic in ours)),
        SetIntents(second),
        SetThemes(second),
        SetUrgency(),
    ]
    pipelines = {language: _pipeline(language, shared + judging) for language in TRAINED}
    pipelines[OTHER] = _pipeline(OTHER, shared)
    version = hashlib.blake2b(MODEL.read_bytes() + RULES.read_bytes(), digest_size=4).hexdigest()
    gc.freeze()  # tables and vocabularies live as long as the process: the collector need not visit them
    return SpacyTagger(pipelines, tuple(languages), f"linear-{version}", FindDuplicates())


def _pipeline(language: str, components: Sequence[Component]) -> Language:
    pipeline = spacy.blank(language)
    pipeline.tokenizer.max_cache_size = CACHE  # type: ignore[union-attr] # a blank pipeline has spaCy's own tokenizer
    for component in components:
        name = type(component).__name__
        # added as it is: a component here is built with its tables, not from spaCy's configuration
        pipeline._components.append((name, component))  # noqa: SLF001
    return pipeline
