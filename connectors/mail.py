"""One mail, as bytes, to one mention. Whatever is broken in it, what can be read is read."""

from __future__ import annotations

import email
import email.policy
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses

from connectors.mailheaders import decoded, header, headers_of, is_automatic, message_ids
from connectors.parsing import SHAPE_ERRORS, shown, storable
from connectors.reading import Reading
from connectors.replies import Split, split_reply
from monitor.errors import ResponseNotUnderstood
from monitor.model import Author, Mention, digest
from monitor.text.clean import clean
from monitor.text.dates import parse_date
from monitor.text.html import to_text

ORIGIN = "mail"
"""Message-IDs are unique in the world: a mail found in two mailboxes is one mention."""

MOST_PARTS = 300
MOST_NESTED = 100
"""A mail with more boundaries than this is read by its headers only."""
LONGEST_TEXT = 200_000
LONGEST_NAME = 120

_CHARSETS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "gb2312": "gb18030",
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "utf8": "utf-8",
}
_FORWARDED = re.compile(r"\s*(?:fwd?|doorst|doorgestuurd|wg|tr)\s*:", re.IGNORECASE)
"""Of a mail that is sent on, the older text is what it is about."""
_UNSEEN = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class _Body:
    """What the parts hold; `html` tells of each text whether it is HTML."""

    texts: list[tuple[str, bool]] = field(default_factory=list)
    attachments: list[dict[str, str | int]] = field(default_factory=list)
    parts: int = 0


def looks_like_mail(content: bytes) -> bool:
    """True if the content begins with headers that mails have."""
    start = content.lstrip(b"\xef\xbb\xbf\r\n \t")[:20_000]
    start = re.sub(rb"\AFrom [^\r\n]*(?:\r\n|\r|\n)", b"", start)
    head = re.split(rb"\r\n\r\n|\n\n|\r\r", start, maxsplit=1)[0]
    names = {name.lower() for name in re.findall(rb"(?:^|[\r\n])([A-Za-z][A-Za-z0-9-]{1,60})\s?:", head)}
    if not re.match(rb"[A-Za-z][A-Za-z0-9-]{0,60}\s?:", head):
        return False
    known = {b"from", b"to", b"subject", b"date", b"message-id", b"received", b"return-path", b"mime-version"}
    return len(names & known) >= 2  # noqa: PLR2004 - one alone also stands in ordinary notes


def read_mail(content: bytes, name: str, reading: Reading) -> Mention:
    """The mention in a mail; one from `reading.own` is ours. ResponseNotUnderstood if it is no mail."""
    try:
        message, note = _parsed(content)
        return storable(_mention(message, note, reading))
    except (*SHAPE_ERRORS, MessageError) as error:
        said = f"{name}: a mail that cannot be read ({type(error).__name__}: {error}): {shown(content)}"
        raise ResponseNotUnderstood(said, raw=content) from None


def _parsed(content: bytes) -> tuple[Message, str]:
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if content.count(b"boundary") > MOST_NESTED:
        return BytesParser(policy=email.policy.compat32).parsebytes(content, headersonly=True), "nested too deeply"
    return email.message_from_bytes(content, policy=email.policy.compat32), ""


def _mention(message: Message, note: str, reading: Reading) -> Mention:
    headers = headers_of(message)
    subject = clean(header(headers, "subject")) or None
    body = _Body()
    if not note:
        _collect(message, body, depth=0)
    html = all(is_html for _text, is_html in body.texts) and bool(body.texts)
    whole = "\n\n".join(to_text(text) if is_html else text for text, is_html in body.texts)
    whole = clean(whole.replace("\r\n", "\n"))[:LONGEST_TEXT].strip()
    split = Split(new=whole, quoted="") if _FORWARDED.match(subject or "") else split_reply(whole)
    if not split.new:
        split = Split(new=whole, quoted="")
    ids = message_ids(headers, "message-id")
    references = message_ids(headers, "references")
    answered = message_ids(headers, "in-reply-to")
    read = parse_date(header(headers, "date"), zone=reading.zone, now=reading.now)
    author = _author(headers)
    direct = message.get_payload() if message.is_multipart() else []
    kinds = {message.get_content_type(), *(part.get_content_type() for part in direct if isinstance(part, Message))}
    automatic = is_automatic(headers, kinds, subject or "")
    fallback = "hash:" + digest(author.handle if author else None, header(headers, "date"), subject, whole)
    raw: dict[str, object] = {
        "quoted": split.quoted,
        "signature": split.signature,
        "attachments": body.attachments,
        "to": [address for _name, address in _addresses(headers, "to") if address],
        "reply_to": next((address for _name, address in _addresses(headers, "reply-to") if address), ""),
        "automatic": automatic,
        "date": header(headers, "date"),
        "date_note": read.note,
        "note": note,
        "html_only": html,
        "checked_by_our_server": header(headers, "authentication-results"),
    }
    return Mention(
        source_id=reading.source.id,
        origin=ORIGIN,
        native_id=ids[0] if ids else fallback,
        channel=reading.source.channel,
        title=subject,
        text=split.new,
        author=author,
        language=reading.source.language,
        published_at=read.moment,
        fetched_at=reading.now,
        parent_id=next(iter(answered or references[-1:]), None),
        thread_id=next(iter(references or answered), None),
        is_private=True,
        is_own=bool(reading.own and author and author.handle == reading.own.lower()),
        is_automatic=bool(automatic),
        raw={key: value for key, value in raw.items() if value},
    )


def _author(headers: dict[str, list[str]]) -> Author | None:
    for field_name in ("from", "sender", "reply-to", "return-path"):
        for name, address in _addresses(headers, field_name):
            if name or address:
                return Author(native_id=address or None, name=clean(name) or None, handle=address or None)
    return None


def _addresses(headers: dict[str, list[str]], name: str) -> Iterator[tuple[str, str]]:
    """(display name, address in lower case) of each; parted before names are decoded, as a name may hold commas."""
    for value in headers.get(name, []):
        found = getaddresses([value], strict=False) if _KNOWS_STRICT else getaddresses([value])
        for display, address in found:
            mailbox = (
                address if "@" in address else next(iter(re.findall(r"[\w.+-]+@[\w.-]+\w", f"{display} {value}")), "")
            )
            yield " ".join(decoded(display).split()).strip("\"' "), mailbox.lower()


def _collect(part: Message, body: _Body, *, depth: int) -> None:
    """Texts in reading order, of alternatives the plain one; all else is an attachment, told by name and size."""
    body.parts += 1
    if body.parts > MOST_PARTS or depth > MOST_NESTED:
        return
    kind = part.get_content_type()
    if part.is_multipart() and kind.startswith("multipart/"):
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if kind == "multipart/alternative":
            _collect_best(children, body, depth=depth)
        elif kind == "multipart/report":
            for child in children[:1]:
                _collect(child, body, depth=depth + 1)
        else:
            for child in children:
                _collect(child, body, depth=depth + 1)
        return
    name = _name_of(part)
    is_attachment = part.get_content_disposition() == "attachment" or bool(name)
    if kind in {"text/plain", "text/html"} and not is_attachment:
        text = _text_of(part)
        if text.strip():
            body.texts.append((text, kind == "text/html"))
        return
    size = len(_bytes_of(part))
    body.attachments.append({"name": _safe(name, len(body.attachments) + 1), "type": kind, "bytes": size})


def _collect_best(children: list[Message], body: _Body, *, depth: int) -> None:
    """One of the alternatives: the first that gives text, the plainest first; attachments of all of them."""
    gathered = []
    for child in children:
        one = _Body(parts=body.parts)
        _collect(child, one, depth=depth + 1)
        body.parts = one.parts
        body.attachments += one.attachments
        if one.texts:
            gathered.append(one)
    gathered.sort(key=lambda one: any(is_html for _text, is_html in one.texts))
    if gathered:
        body.texts += gathered[0].texts


def _bytes_of(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except SHAPE_ERRORS:
        payload = None
    if isinstance(payload, bytes):
        return payload
    inner = part.get_payload()
    return inner.encode("utf-8", "replace") if isinstance(inner, str) else b""


def _text_of(part: Message) -> str:
    content = _bytes_of(part)
    try:
        declared = part.get_content_charset() or ""
    except SHAPE_ERRORS:
        declared = ""
    for charset in (_CHARSETS.get(declared, declared), "utf-8", "cp1252"):
        try:
            return content.decode(charset) if charset else content.decode("utf-8")
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _name_of(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except SHAPE_ERRORS:
        name = "\ufffd"
    if "\ufffd" in name:  # the email package gives up on raw bytes in a name
        raw = "; ".join(headers_of(part).get("content-disposition", []) + headers_of(part).get("content-type", []))
        told = re.search(r"""name\*?\s*=\s*"?([^";]{1,500})""", raw)
        name = told.group(1) if told else name
    return decoded(name)


def _safe(name: str, number: int) -> str:
    """A name without folders, control characters and hidden directions; never empty, never a hidden file."""
    flat = re.split(r"[/\\]", name)[-1]
    visible = "".join(char for char in _UNSEEN.sub("", flat) if not unicodedata.category(char).startswith("C"))
    return clean(visible).strip(". ")[:LONGEST_NAME] or f"attachment-{number}"


_KNOWS_STRICT = "strict" in getaddresses.__code__.co_varnames
"""Python's repaired parser refuses odd addresses unless told otherwise; older patch releases know no such argument."""
