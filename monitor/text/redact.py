"""Takes secrets and personal data out of text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){10,30}\b")
_PHONE = re.compile(r"(?<!\w)(?:\+|00)?\d(?:[ ()./-]{0,2}\d){8,13}(?!\w)")
_HANDLE = re.compile(r"(?<!\w)@[\w.-]{2,}")
_SECRET_NAME = re.compile(r"(?i).*(token|secret|passw|pwd|signature|api[-_.]?key).*|(.*[-_.])?(key|code|sig|auth)")
_PAIR = re.compile(r"(?P<name>[^&=;]+)=(?P<value>[^&;]*)")
_GONE = "[removed]"
_SHORTEST_SECRET = 4


def redact(text: str) -> str:
    """E-mail addresses, IBANs whose check digits hold, phone numbers and handles give way to a bracketed word."""
    text = _EMAIL.sub("[e-mail]", text)
    text = _IBAN.sub(lambda match: "[iban]" if is_iban(match[0]) else match[0], text)
    return _HANDLE.sub("[handle]", _PHONE.sub("[phone]", text))


def is_iban(text: str) -> bool:
    """Whether the check digits hold (ISO 13616, modulo 97)."""
    compact = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets."""
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, _GONE)
    return text


def scrub_url(url: str) -> str:
    """The address without user, password and the values of parameters that sound secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    if not parts.netloc:  # no address that can be asked: what stands before an @ may still be a password
        return parts.path.rpartition("@")[2]
    place = parts.netloc.rpartition("@")[2]
    query = _PAIR.sub(
        lambda m: f"{m['name']}={_GONE}" if _SECRET_NAME.fullmatch(unquote(m["name"]).strip()) else m[0], parts.query
    )
    return urlunsplit((parts.scheme, place, parts.path, query, ""))
