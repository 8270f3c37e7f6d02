import json

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.parsing import (
    NotAMention,
    count_of,
    each,
    fail_on_status,
    options_of,
    parse_json,
    recorded_json,
    rows_of,
    shown,
    unwrap,
)
from monitor.errors import AccessDenied, ConfigError, RateLimited, ResponseNotUnderstood, SourceUnavailable
from tests.contracts.connector import SECRET, a_source
from tests.factories import a_mention


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="address of the feed")
    token: SecretStr | None = None
    limit: int = 10


def test_options_are_typed_and_secrets_stay_hidden():
    options = options_of(a_source("rss", url="https://a.example/feed", token=SECRET), Options)
    assert options.token.get_secret_value() == SECRET
    assert SECRET not in repr(options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "option 'url' is missing (address of the feed)"),
        ({"url": "https://a.example", "lmit": 3}, "option 'lmit' is unknown; Options has url, token, limit"),
        ({"url": "https://a.example", "limit": "many"}, "option 'limit'"),
        ({"url": "https://a.example", "token": {"x": SECRET}}, "option 'token"),
    ],
)
def test_a_wrong_option_names_source_and_field_and_never_the_value(options, said):
    with pytest.raises(ConfigError) as caught:
        options_of(a_source("rss", **options), Options)
    assert said in str(caught.value)
    assert "test-rss" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_long_ids_keep_every_digit():
    assert parse_json(b'{"id": 1436278513418522630123}', "x") == {"id": 1436278513418522630123}


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b'{"a": NaN}', b'{"a": [1, 2', b"[" * 100_000, b'"\xff\xfe"', b"\x00"]
)
def test_what_is_no_json_is_not_understood_and_kept(content):
    with pytest.raises(ResponseNotUnderstood) as caught:
        parse_json(content, "answer.json")
    assert caught.value.raw == content
    assert "answer.json" in str(caught.value)


def test_a_recorded_answer_is_unwrapped_and_a_bare_one_left_alone():
    wrapped = {"request": {"uri": "https://a.example/x"}, "status": {"code": 200}, "headers": {"X-A": ["1"]}}
    recorded = unwrap(json.dumps({**wrapped, "body": '{"statuses": []}'}).encode(), "x")
    assert recorded.body == b'{"statuses": []}'
    assert recorded.headers == {"x-a": "1"}
    assert recorded.url == "https://a.example/x"
    assert json.loads(unwrap(json.dumps({**wrapped, "body": {"a": 1}}).encode(), "x").body) == {"a": 1}
    for bare in (
        b'{"body": "hallo", "status": "sent"}',
        b'{"body": 1, "status": 200, "other": 2}',
        b"<rss/>",
        b'{"body":',
    ):
        assert unwrap(bare, "x").body == bare


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessDenied), (403, AccessDenied), (429, RateLimited), (503, SourceUnavailable)]
)
def test_a_recorded_failure_is_the_error_it_was(status, error):
    with pytest.raises(error):
        recorded_json(json.dumps({"status": status, "headers": {"Retry-After": "9"}, "body": "{}"}).encode(), "x")


def test_a_recorded_wait_is_read():
    with pytest.raises(RateLimited) as caught:
        fail_on_status(unwrap(b'{"status": 429, "headers": {"Retry-After": "9"}, "body": ""}', "x"), "x")
    assert caught.value.retry_after == 9


def test_one_bad_row_costs_one_row():
    def read(row):
        if row == "noise":
            raise NotAMention("noise", keep=False)
        return a_mention(native_id=row["id"])

    mentions, skipped = each([{"id": "1"}, {}, None, "noise", {"id": "2"}], read, native_id=lambda row: row.get("id"))
    assert [mention.native_id for mention in mentions] == ["1", "2"]
    assert [skip.raw for skip in skipped] == [b"{}", b"null", None]
    assert "KeyError" in skipped[0].reason


def test_a_missing_list_names_what_the_answer_holds():
    with pytest.raises(ResponseNotUnderstood, match="no list 'data' in the answer; it holds: errors, title"):
        rows_of({"title": "x", "errors": []}, "data", "search")


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (0, 0), ("12", 12), (True, None), (None, None), ("many", None), (-1, None), (2.5, None)],
)
def test_counters_are_numbers_or_not_told(value, number):
    assert count_of(value) == number


def test_a_strange_answer_is_shown_on_one_line_without_control_characters():
    assert shown(b"a\r\n\x1b[31mb" + b"x" * 999).startswith("a ·[31mbx")
    assert "\n" not in shown(b"a\nb")
