"""Four feeds: RSS 2.0 for the papers, Atom for the blog; conditional GET with both validators."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from xml.etree import ElementTree as ET

from monitor.demo.answers import Answer, Request, as_html, iso
from monitor.demo.script import Town, Version

TITLES = {
    "nieuwsplein": "Nieuwsplein",
    "polderkoerier": "De Polderkoerier",
    "handelsblik": "Handelsblik",
    "balkongeluk": "Balkongeluk",
}
ATOM = frozenset({"balkongeluk"})
NEWEST = 50
"""So many entries stand in a feed."""

_ATOM_SPACE = "http://www.w3.org/2005/Atom"
_DC_SPACE = "http://purl.org/dc/elements/1.1/"
_CONTENT_SPACE = "http://purl.org/rss/1.0/modules/content/"
ET.register_namespace("dc", _DC_SPACE)
ET.register_namespace("content", _CONTENT_SPACE)


def path_of(source: str) -> str:
    """Where the feed stands on the server."""
    return f"/{source}/feed.xml"


def answer(source: str, town: Town, now: datetime, request: Request) -> Answer:
    """The feed, or 304 where the asker has it already."""
    versions = list(reversed(town.published(source, now)))[:NEWEST]
    changed = max((version.edited_at or version.published_at for version in versions), default=town.opens_at)
    body = _atom(source, versions, changed) if source in ATOM else _rss(source, versions, changed)
    etag = '"' + hashlib.blake2b(body, digest_size=12).hexdigest() + '"'
    headers = {"ETag": etag, "Last-Modified": format_datetime(changed, usegmt=True), "Cache-Control": "max-age=60"}
    if _is_known(request, etag, changed):
        return Answer(status=304, headers=headers)
    kind = "atom" if source in ATOM else "rss"
    return Answer(body=body, content_type=f"application/{kind}+xml; charset=utf-8", headers=headers)


def _is_known(request: Request, etag: str, changed: datetime) -> bool:
    """If-None-Match decides where it is sent; If-Modified-Since only without it."""
    told = request.headers.get("if-none-match")
    if told is not None:
        return etag in {part.strip().removeprefix("W/") for part in told.split(",")} or told.strip() == "*"
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and changed.replace(microsecond=0) <= parsedate_to_datetime(since)
    except ValueError:
        return False


def _rss(source: str, versions: list[Version], changed: datetime) -> bytes:
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    for name, value in (
        ("title", TITLES[source]),
        ("link", f"https://{source}.example/"),
        ("description", f"Het nieuws van {TITLES[source]}"),
        ("language", "nl"),
        ("lastBuildDate", format_datetime(changed, usegmt=True)),
    ):
        ET.SubElement(channel, name).text = value
    for version in versions:
        entry = ET.SubElement(channel, "item")
        ET.SubElement(entry, "title").text = version.title
        ET.SubElement(entry, "link").text = version.said.native_id
        ET.SubElement(entry, "guid", {"isPermaLink": "true"}).text = version.said.native_id
        ET.SubElement(entry, "pubDate").text = format_datetime(version.published_at, usegmt=True)
        ET.SubElement(entry, f"{{{_DC_SPACE}}}creator").text = version.said.name
        ET.SubElement(entry, "description").text = as_html(version.text)
    return _written(root)


def _atom(source: str, versions: list[Version], changed: datetime) -> bytes:
    def tag(name: str) -> str:
        return f"{{{_ATOM_SPACE}}}{name}"

    root = ET.Element(tag("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": "nl"})
    ET.SubElement(root, tag("title")).text = TITLES[source]
    ET.SubElement(root, tag("id")).text = f"https://{source}.example/"
    ET.SubElement(root, tag("link"), {"href": f"https://{source}.example/"})
    ET.SubElement(root, tag("updated")).text = iso(changed)
    for version in versions:
        entry = ET.SubElement(root, tag("entry"))
        ET.SubElement(entry, tag("title")).text = version.title
        ET.SubElement(entry, tag("id")).text = version.said.native_id
        ET.SubElement(entry, tag("link"), {"rel": "alternate", "href": version.said.native_id})
        ET.SubElement(entry, tag("published")).text = iso(version.published_at)
        ET.SubElement(entry, tag("updated")).text = iso(version.edited_at or version.published_at)
        ET.SubElement(ET.SubElement(entry, tag("author")), tag("name")).text = version.said.name
        ET.SubElement(entry, tag("content"), {"type": "html"}).text = as_html(version.text)
    return _written(root)


def _written(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
