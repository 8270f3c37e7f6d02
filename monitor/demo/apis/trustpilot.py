"""Sterrenplein: the review API, public and private, newest first."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from monitor.demo.answers import Answer, Request, iso, json_answer, made_up_hex, number
from monitor.demo.script import Town, Version

BUSINESS_UNIT = made_up_hex("business unit", "zonnekade.example")
UNIT = {"id": BUSINESS_UNIT, "identifyingName": "zonnekade.example", "displayName": "Zonnekade"}

_LIST = re.compile(r"/v1/(private/)?business-units/([^/]+)/reviews")
_ONE = re.compile(r"/v1/private/reviews/([^/]+)")


def answer(town: Town, now: datetime, request: Request) -> Answer:
    """The endpoints of the source; 401 without a key, 404 for what is not there."""
    listed, one = _LIST.fullmatch(request.path), _ONE.fullmatch(request.path)
    is_private = bool(one or (listed and listed.group(1)))
    key = request.headers.get("apikey") or request.query.get("apikey")
    if not (request.headers.get("authorization", "").startswith("Bearer ") or (key and not is_private)):
        return json_answer({"fault": {"faultstring": "Failed to resolve API Key", "detail": {}}}, 401)
    reviews = [_review(version) for version in reversed(town.published("sterrenplein", now))]
    if request.path == "/v1/business-units/find":
        return json_answer({**UNIT, "websiteUrl": "https://zonnekade.example"})
    if one:
        found = next((review for review in reviews if review["id"] == one.group(1)), None)
        return json_answer({"message": "Review not found"}, 404) if found is None else json_answer(found)
    if listed is None or listed.group(2) != BUSINESS_UNIT:
        return json_answer({"message": "Business unit not found"}, 404)
    return _page(_chosen(reviews, request), request)


def _chosen(reviews: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    stars = request.query.get("stars")
    language = request.query.get("language")
    start, end = request.query.get("startDateTime"), request.query.get("endDateTime")
    return [
        review
        for review in reviews
        if (stars is None or str(review["stars"]) in stars.split(","))
        and (language in {None, "all", review["language"]})
        and (start is None or review["createdAt"] >= start)
        and (end is None or review["createdAt"] <= end)
    ]


def _page(reviews: list[dict[str, Any]], request: Request) -> Answer:
    size = number(request.query.get("perPage"), 20, low=1, high=100)
    page = number(request.query.get("page"), 1, low=1, high=1000)
    start = (page - 1) * size
    links = []
    if start + size < len(reviews):
        links.append({"href": f"{request.base}{request.path}?perPage={size}&page={page + 1}", "rel": "next-page"})
    return json_answer({"links": links, "reviews": reviews[start : start + size]})


def _review(version: Version) -> dict[str, Any]:
    said = version.said
    return {
        "id": said.native_id,
        "stars": version.rating,
        "title": version.title,
        "text": version.text,
        "language": said.language,
        "createdAt": iso(version.published_at),
        "updatedAt": iso(version.edited_at) if version.edited_at else None,
        "experiencedAt": None,
        "referenceId": None,
        "source": "Organic",
        "isVerified": False,
        "numberOfLikes": said.likes or 0,
        "status": "active",
        "companyReply": None,
        "consumer": {
            "id": made_up_hex("consumer", said.handle),
            "displayName": said.name,
            "displayLocation": None,
            "numberOfReviews": 1,
        },
        "businessUnit": UNIT,
        "location": None,
        "reportData": None,
        "complianceLabels": [],
        "countsTowardsTrustScore": True,
        "tags": [],
    }
