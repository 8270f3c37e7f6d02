"""What somebody wrote in a mail, apart from what was quoted; in Dutch, English, German, French and more."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FROM = "from|van|von|de|da|fra|från|od|lähettäjä|от|发件人|寄件者|差出人|보낸 사람|gönderen|message du"
_OTHERS = (
    r"sent|date|to|cc|subject|reply-to|verzonden|datum|aan|onderwerp|gesendet|an|betreff|envoyé(?:\s+le)?|à|a|objet|"
    r"sujet|copie à|til|sendt|dato|emne|inviato|oggetto|enviado(?: el| em)?|para|asunto|assunto|skickat|till|ämne|"
    r"wysłano|data|do|temat|odesláno|komu|předmět|lähetetty|vastaanottaja|aihe|отправлено|дата|кому|тема|发送时间|收件人|主题|送信日時|宛先|件名"
)
_FIELD = r"^[>\s*]*(?:{})\s?\*?\s?[:：]"
_FROM_LINE = re.compile(_FIELD.format(_FROM), re.IGNORECASE)
_OTHER_LINE = re.compile(_FIELD.format(f"{_FROM}|{_OTHERS}"), re.IGNORECASE)
_DIVIDER = re.compile(
    r"^\s*-{2,}\s*(?:original (?:message|appointment)|oorspronkelijk bericht|doorgestuurd bericht|forwarded message|"
    r"ursprüngliche nachricht|weitergeleitete nachricht|message (?:d'origine|original|transféré)|mensagem original|"
    r"mensaje original|messaggio originale|oprindelig meddelelse|originalmeddelande|opprinnelig melding|"
    r"begin doorgestuurd bericht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_ATTRIBUTIONS = re.compile(
    r"^(?:on\s.{4,300}\swrote|op\s.{4,300}\s(?:schreef|heeft|geschreven)(?:\s.{0,150})?|.{2,150}\sschreef\s(?:op\s)?.{2,150}|"
    r"am\s.{4,300}\sschrieb(?:\s.{0,150})?|.{2,150}\sschrieb\s(?:am\s)?.{2,150}|le\s.{4,300}\sa\s+écrit|"
    r".{3,120}\sskrev(?:\s.{1,150})?|el\s.{4,300}\sescribió|il\s.{4,300}\sha\s+scritto|em\s.{4,300}\sescreveu|"
    r".{3,200}\snapisał(?:\(a\)|a)?|.{3,200}\snapsal(?:\(a\)|a)?|.{3,200}\skirjoitti|.{3,200}\s(?:написал(?:\(а\)|а)?|пишет)|"
    r".{3,200}\sşunu yazdı|.{3,200}\sđã viết|.{3,200}(?:写道|寫道|のメール))\s*[:：]$",
    re.IGNORECASE,
)
_WRITTEN_BY = re.compile(r"\d.*<[^<>\s]+@[^<>\s]+\s*>.*[:：]$")
"""Of a language not known here: a number, an address and a colon; it counts where quoted lines follow."""
_NAMES_A_MOMENT = re.compile(r"\d.*\d|@")
_RULE = re.compile(r"^\s*[_=*-]{3,}\s*$")
_DEVICE = re.compile(
    r"^\s*(?:sent from my\s.{2,40}|verzonden (?:vanaf|vanuit|met|via)\s.{2,50}|verstuurd vanaf\s.{2,40}|"
    r"von mein\w+\s.{2,40}\sgesendet|gesendet (?:mit|von)\s.{2,50}|"
    r"envoyé (?:de|depuis) mon\s.{2,40}|get outlook for \w+\b.*|"
    r"(?:download|haal|outlook voor) .{0,20}(?:ios|android)\b.*|sent (?:from|with) (?:outlook|yahoo|mail)\b.*)\s*$",
    re.IGNORECASE,
)
LONG_LINE = 60
"""A mail program wraps lines about here, and then forgets the ">" of the rest."""
ATTRIBUTION_LINES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`new` is what the sender wrote, `quoted` what was written before, `signature` what the mail program added."""

    new: str
    quoted: str
    signature: str = ""


def split_reply(text: str) -> Split:
    """Part a mail's text. Inline answers stay with the new text; a mail that only quotes has an empty `new`."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    new: list[str] = []
    quoted: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _DIVIDER.match(line) or _is_header_block(lines, at):
            quoted += lines[at:]
            break
        length = _attribution_length(lines, at)
        if length:
            if not _is_quoted(lines, at + length):
                quoted += lines[at:]
                break
            quoted += lines[at : at + length]
            at += length
            continue
        if line.lstrip().startswith(">"):
            quoted.append(line)
            if len(line) >= LONG_LINE and _is_wrapped_rest(lines, at + 1):
                at += 1
                quoted.append(lines[at])
        else:
            new.append(line)
        at += 1
    body, signature = _without_signature(new)
    return Split(new=body, quoted="\n".join(quoted).strip(), signature=signature)


def _is_header_block(lines: list[str], at: int) -> bool:
    """A "From:" line with two more such lines close below it, or one where a rule stands above."""
    if not _FROM_LINE.match(lines[at]):
        return False
    below = [line for line in lines[at + 1 : at + 8] if line.strip()][:4]
    fields = sum(1 for line in below if _OTHER_LINE.match(line))
    return fields >= 2  # noqa: PLR2004 - sent, to, subject: two of them at least


def _attribution_length(lines: list[str], at: int) -> int:
    """How many lines a sentence like "On Monday Jan wrote:" takes; 0 where none begins."""
    if not lines[at].strip() or lines[at].lstrip().startswith(">"):
        return 0
    joined = ""
    for count, line in enumerate(lines[at : at + ATTRIBUTION_LINES], start=1):
        if not line.strip():
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if joined.endswith((":", "：")):
            if _ATTRIBUTIONS.match(joined[:500]) and _NAMES_A_MOMENT.search(joined):
                return count
            return count if _WRITTEN_BY.search(joined[:500]) and _is_quoted(lines, at + count) else 0
    return 0


def _is_quoted(lines: list[str], at: int) -> bool:
    """True if the next line that says something is a quoted one."""
    return next((line for line in lines[at:] if line.strip()), "").lstrip().startswith(">")


def _is_wrapped_rest(lines: list[str], at: int) -> bool:
    """True for one line between quoted lines, with no empty line around it."""
    return (
        at + 1 < len(lines)
        and bool(lines[at].strip())
        and not lines[at].lstrip().startswith(">")
        and lines[at + 1].lstrip().startswith(">")
    )


def _without_signature(lines: list[str]) -> tuple[str, str]:
    body = list(lines)
    signature: list[str] = []
    if "-- " in body or "--" in body:
        at = next(index for index, line in enumerate(body) if line in {"-- ", "--"})
        signature, body = body[at:], body[:at]
    while body and (not body[-1].strip() or _RULE.match(body[-1]) or _DEVICE.match(body[-1])):
        signature.insert(0, body.pop())
    return "\n".join(body).strip(), "\n".join(signature).strip()
