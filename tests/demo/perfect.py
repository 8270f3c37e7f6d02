"""A record as a perfect system would leave it: every line found once, tagged with the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from monitor.demo.config import CHANNELS
from monitor.demo.score import BRAND, native_id
from monitor.demo.script import Said, Town, Version
from monitor.model import Author, Enrichment, Entity, Mention, Sentiment, Stored


def mention_of(version: Version) -> Mention:
    said = version.said
    name = f"{said.handle}:start:0" if said.source == "radio" else native_id(said)
    return Mention(
        source_id=said.source,
        origin=said.source,
        native_id=name,
        channel=CHANNELS[said.source],
        title=version.title,
        text=version.text,
        author=Author(handle=said.handle, name=said.name, followers=said.followers),
        language=said.language,
        published_at=version.published_at,
        fetched_at=version.published_at,
        rating=version.rating,
        is_own=said.own,
    )


def tags_of(said: Said, mention: Mention) -> Enrichment:
    return Enrichment(
        mention_id=mention.id,
        content_hash=mention.content_hash,
        model="truth",
        language=said.language,
        topics=(BRAND,) if said.about else (),
        sentiment=Sentiment(label=said.truth.sentiment, score=1.0),
        intents=tuple(sorted(said.truth.intents)),
        stage=said.truth.stage,
        needs_reply=said.truth.needs_reply,
        themes=tuple(sorted(said.truth.themes)),
        entities=tuple(Entity(type=kind, text=text, start=0, end=1) for kind, text in sorted(said.truth.entities)),
        cluster_id=said.duplicate_of or said.id,
    )


def perfect(town: Town, until: datetime, lines: Iterable[Said] | None = None) -> dict[str, Stored]:
    """Rows by script id, with edits seen and deletions honoured."""
    found = {}
    for no, said in enumerate(town.script.lines if lines is None else lines):
        if said.is_repost or town.when(said.at) > until:
            continue
        version = town.version(said, until)
        gone = version is None
        mention = mention_of(version or town.version(said, town.when(said.at)))
        if gone:
            mention = replace(mention, removed_at=until)
        found[said.id] = Stored(
            no=no, mention=mention, revision=1, content_revision=1, enrichment=tags_of(said, mention)
        )
    return found
