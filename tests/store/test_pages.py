"""What the protocol does not show of saving a page: raw answers, tombstones, and the codec."""

import json
import zlib
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Author
from monitor.store import SqlStore
from monitor.store.codec import clean, clean_mention
from monitor.store.tables import raw_answers, tombstones
from tests.contracts.store import a_page
from tests.factories import NOON, a_mention

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def raws(store: SqlStore) -> list[object]:
    packed = store._database.read(lambda conn: conn.execute(sa.select(raw_answers.c.compressed)).scalars().all())
    return [json.loads(zlib.decompress(one)) for one in packed]


def test_the_answer_of_the_source_is_kept_as_long_as_the_mention_is_there(store: SqlStore) -> None:
    mention = a_mention(raw={"id": 1, "seen": NOON, "odd": "\ud800\x00"})
    store.mentions.save_page(a_page(mention, a_mention(native_id="2")), NOON)
    assert raws(store) == [{"id": 1, "seen": str(NOON), "odd": "\ud800\x00"}]
    store.mentions.save_page(a_page(replace(mention, text="Anders", raw={"id": 2})), NOON)
    assert raws(store) == [{"id": 2}]
    store.mentions.save_page(a_page(replace(mention, removed_at=NOON + timedelta(seconds=1))), NOON)
    assert raws(store) == []


def test_a_mention_with_a_tombstone_stays_out(store: SqlStore) -> None:
    mention = a_mention()
    row = {"mention_id": mention.id, "reason": "erased", "at": NOON}
    store._database.write(lambda conn: conn.execute(sa.insert(tombstones), row))
    counts = store.mentions.save_page(a_page(mention, a_mention(native_id="2")), NOON)
    assert (counts.new, counts.skipped, store.mentions.count()) == (1, 1, 1)


@given(text=ANY_TEXT, name=ANY_TEXT)
def test_cleaning_keeps_positions_and_is_done_once(text: str, name: str) -> None:
    mention = clean_mention(a_mention(text=text, author=Author(name=name)))
    assert len(mention.text) == len(text)
    assert mention.text.encode().decode() == mention.text
    assert "\x00" not in mention.text
    assert all(now in {was, "\ufffd"} for was, now in zip(text, mention.text, strict=True))
    assert clean_mention(mention) == mention
    assert clean({"a": [text, (name, 1)]})["a"] == [mention.text, (clean(name), 1)]
