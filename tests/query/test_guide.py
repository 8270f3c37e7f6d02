"""The page for users says nothing that is not so."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.query import parse
from monitor.query.fields import FIELDS
from monitor.query.matcher import matches
from tests.contracts.search import a_document

PAGE = (Path(__file__).parents[2] / "docs/query-language.md").read_text()
WORDS = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
FIELD_ROWS = PAGE.partition("## Fields")[2].partition("`[ ]` include")[0]
NOW = datetime(2026, 6, 2, tzinfo=UTC)


def test_the_page_has_examples():
    assert len(WORDS) >= 12


@pytest.mark.parametrize(("query", "finds", "leaves"), WORDS)
def test_an_example_finds_what_the_page_says(query, finds, leaves):
    assert matches(parse(query), a_document(1, text=finds))
    assert not matches(parse(query), a_document(2, text=leaves))


def test_each_field_is_on_the_page_and_each_example_of_one_is_read():
    examples = re.findall(r"`([^`]+)`", FIELD_ROWS)
    assert {example.partition(":")[0] for example in examples} == set(FIELDS)
    for example in examples:
        if "…" not in example:
            parse(example, now=NOW)
