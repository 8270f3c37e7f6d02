"""Trustpilot: the contract, and the oddities of reviews."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.trustpilot import TrustpilotConnector
from monitor.errors import AccessDenied, ResponseNotUnderstood
from monitor.model import Cursor
from tests.contracts.connector import NOON, SECRET, HttpConnectorContract, Record, a_source, an_http
from tests.contracts.server import DATA, scripted_server

RECORDED = (DATA / "trustpilot/reviews.json").read_bytes()
REVIEWS = json.loads(RECORDED)["reviews"]
UNIT = "46d6a890000064000500e0c3"
PATH = f"/v1/business-units/{UNIT}/reviews"


def a_review(no, **told):
    at = NOON - timedelta(hours=no)
    return {
        "id": f"{no:024x}",
        "stars": 1 + no % 5,
        "text": f"review {no}",
        "createdAt": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "consumer": {"id": f"c{no}", "displayName": "Jan"},
        **told,
    }


class Site:
    """Pages through reviews as the API does, newest first."""

    def __init__(self, reviews):
        self.reviews = reviews

    def __call__(self, asked):
        assert asked.query["orderBy"] == "createdat.desc"
        size, page = int(asked.query["perPage"]), int(asked.query["page"])
        ordered = sorted(self.reviews, key=lambda review: review["createdAt"], reverse=True)
        return {"links": [], "reviews": ordered[(page - 1) * size : page * size]}


class TestTrustpilot(HttpConnectorContract):
    kind = TrustpilotConnector
    expected = 250
    pages = 3

    def source(self, url):
        return a_source("trustpilot", base_url=url, business_unit=UNIT, api_key=SECRET)

    def script(self, server):
        server.routes[PATH] = Site([a_review(no) for no in range(250)])

    def script_one_bad(self, server):
        server.routes[PATH] = {"reviews": [a_review(1), a_review(2, stars="many"), a_review(3)]}
        return 2


@pytest.fixture
def server():
    with scripted_server() as server:
        yield server


@pytest.fixture
def http(server):
    with an_http(server) as http:
        yield http


def a_connector(http=None, url="https://api.trustpilot.com", now=lambda: NOON, **options):
    options = {"business_unit": UNIT, "api_key": SECRET, "base_url": url} | options
    return TrustpilotConnector(a_source("trustpilot", **options), http, now)


def test_a_review_has_stars_and_the_answer_of_the_company_is_ours_under_it():
    review, answer, edited, silent = a_connector().read(RECORDED, "reviews.json").mentions
    assert (review.rating, review.rating_max, review.title) == (1, 5, "Kop 1")
    assert review.author.name == "Jan"
    assert review.raw["referenceId"] == "ZK-1"
    assert answer.is_own
    assert answer.parent_id == answer.thread_id == review.native_id == review.thread_id
    assert answer.published_at == datetime(2026, 7, 10, 10, tzinfo=UTC)
    assert not review.is_own
    assert edited.edited_at == datetime(2026, 7, 9, 12, tzinfo=UTC)
    assert silent.text == ""


def test_a_malformed_answer_of_the_company_costs_the_answer_only():
    bad = a_review(1, companyReply={"text": 7})
    page = a_connector().read(json.dumps({"reviews": [bad]}).encode(), "reviews.json")
    assert len(page.mentions) == 1
    (skipped,) = page.skipped
    again = a_connector().read(skipped.raw, "dead letter")
    assert not again.mentions
    assert len(again.skipped) == 1


def test_a_webhook_tells_a_review_and_a_deletion_and_nothing_else():
    events = [
        {"eventName": name, "eventData": a_review(no)}
        for no, name in enumerate(["service-review-created", "service-review-deleted", "product-review-created"])
    ]
    page = a_connector().read(json.dumps({"events": events}).encode(), "webhook.json")
    created, deleted = page.mentions
    assert created.removed_at is None
    assert deleted.removed_at == NOON
    assert [skip.raw for skip in page.skipped] == [None]


def test_the_key_goes_in_a_header_and_a_token_opens_the_private_list(server, http):
    server.routes[PATH] = {"reviews": []}
    list(a_connector(http, server.url).fetch(Cursor(source_id="x")))
    assert server.requests[-1].headers["apikey"] == SECRET
    assert SECRET not in str(server.requests[-1].query)
    server.routes[f"/v1/private/business-units/{UNIT}/reviews"] = {"reviews": []}
    list(a_connector(http, server.url, access_token="tok").fetch(Cursor(source_id="x")))
    assert server.requests[-1].headers["authorization"] == "Bearer tok"


def test_without_key_and_token_a_person_is_asked(http):
    with pytest.raises(AccessDenied, match="api_key"):
        list(a_connector(http, api_key=None).fetch(Cursor(source_id="x")))


def test_a_review_that_appears_late_or_is_edited_within_two_days_is_seen(server, http):
    site = Site([a_review(no) for no in range(0, 240, 2)])
    server.routes[PATH] = site
    connector = a_connector(http, server.url)
    record = Record(connector.source_id)
    record.collect(connector)
    site.reviews.append(a_review(47))
    site.reviews[5] = a_review(10, text="anders", updatedAt="2026-07-10T12:00:00Z")
    assert record.collect(connector) == 1
    texts = {mention.text for mention in record.mentions.values()}
    assert {"review 47", "anders"} <= texts
    assert "review 10" not in texts


def test_once_a_week_the_last_month_is_read_again_so_that_old_edits_are_seen(server, http):
    clock = [NOON]
    site = Site([a_review(no) for no in range(0, 700, 3)])
    server.routes[PATH] = site
    connector = a_connector(http, server.url, now=lambda: clock[0])
    record = Record(connector.source_id)
    record.collect(connector)
    site.reviews[-1] = a_review(699, companyReply={"text": "Alsnog excuses", "createdAt": "2026-07-10T12:00:00Z"})
    record.collect(connector)
    assert not any(mention.is_own for mention in record.mentions.values())
    clock[0] = NOON + timedelta(days=7)
    record.collect(connector)
    assert any(mention.is_own for mention in record.mentions.values())
    asked = len(server.requests)
    record.collect(connector)
    assert len(server.requests) == asked + 1


def test_an_error_object_with_status_200_is_not_understood():
    with pytest.raises(ResponseNotUnderstood, match="reviews"):
        a_connector().read(b'{"fault": {"faultstring": "Failed to resolve API Key"}}', "answer.json")
