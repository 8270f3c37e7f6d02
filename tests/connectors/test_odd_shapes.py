"""Every field of the recorded answers, one by one, holds something else than it should: one mention at most is lost."""

import copy
import json

import pytest

import connectors
from monitor.errors import ResponseNotUnderstood
from tests.contracts.connector import NOON, a_source
from tests.contracts.server import DATA

KINDS = ("mastodon", "discourse", "trustpilot", "x", "hackernews")
ODD = (None, 7, 1.5, True, "", "\ud800", [], {}, [None], {"id": []}, 10**30)


def places(value, above=()):
    if above:
        yield above
    inside = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*above, key))


def changed(value, place, odd):
    told = inner = copy.deepcopy(value)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return json.dumps(told).encode()


def whole(page):
    for mention in page.mentions:
        assert mention.id
        assert mention.content_hash
        assert mention.thread_key
        json.dumps(dict(mention.raw), allow_nan=False)
        (mention.text + (mention.title or "") + (mention.url or "")).encode()
        assert all(skip.reason for skip in page.skipped)


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind in KINDS for path in sorted((DATA / kind).glob("*.json"))]
)
def test_a_field_of_another_type_costs_one_mention_or_is_a_clear_error(kind, path):
    connector = connectors.load(kind)(a_source(kind, **connectors.sample_options(kind, path.name)), None, lambda: NOON)
    recorded = json.loads(path.read_bytes())
    usual = len(connector.read(path.read_bytes(), path.name).mentions)
    for place in places(recorded):
        for odd in ODD:
            try:
                page = connector.read(changed(recorded, place, odd), path.name)
            except ResponseNotUnderstood:
                # Only the frame of an answer may do this, never a field inside one of its rows.
                assert len(place) <= 1, place
                continue
            whole(page)
            if len(place) > 2:
                # A review or a post may carry one more inside.
                assert len(page.mentions) >= usual - 2, (place, odd)
