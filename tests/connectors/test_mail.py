"""One mail to one mention: headers, text, quotes, attachments, machines."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail import looks_like_mail, read_mail
from connectors.reading import Reading
from connectors.replies import split_reply
from monitor.errors import ResponseNotUnderstood
from tests.contracts.connector import NOON, a_source, assert_storable
from tests.contracts.server import DATA

READING = Reading(source=a_source("imap"), now=NOON, zone="Europe/Amsterdam", own="service@zonnekade.example")


def read(content):
    return read_mail(content if isinstance(content, bytes) else content.encode(), "mail", READING)


def a_mail(*headers, body="Waar blijft mijn pakket?", subject="vraag", sender="Henk <henk@voorbeeld.example>"):
    lines = [f"From: {sender}", f"Subject: {subject}", "Date: Fri, 10 Jul 2026 10:00:00 +0200", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def test_a_complaint_with_a_glued_subject_a_quote_a_signature_and_a_photo():
    mention = read((DATA / "imap/klacht.eml").read_bytes())
    assert mention.title == "Klacht order 12 (07:06): Böseler vervolg"
    assert mention.text == "Nog steeds geen pakket, hè. Wat nu?"
    assert "Het pakket is onderweg." in mention.raw["quoted"]
    assert mention.raw["signature"] == "Verzonden vanaf mijn iPhone"
    assert mention.author.name == "de Boer, Henk"
    assert mention.author.handle == "klant@voorbeeld.example"
    assert mention.published_at == datetime(2026, 7, 10, 8, 0, tzinfo=UTC)
    assert mention.native_id == "m2@voorbeeld.example"
    assert mention.parent_id == "m1@zonnekade.example"
    assert mention.thread_id == "m0@voorbeeld.example"
    assert mention.raw["attachments"] == [{"name": "foto.jpg", "type": "image/jpeg", "bytes": 10}]
    assert mention.is_private
    assert not mention.is_automatic
    assert mention.url is None


@pytest.mark.parametrize(
    ("subject", "read_as"),
    [
        ("Klacht order 12 (07:06):=?UTF-8?B?IELDtnNlbGVy?= vervolg", "Klacht order 12 (07:06): Böseler vervolg"),
        ("Klacht order 12 (07:06):\r\n =?UTF-8?B?IELDtnNlbGVy?= vervolg", "Klacht order 12 (07:06): Böseler vervolg"),
        ("=?utf-8?q?Caf=C3=A9?= =?utf-8?q?_=C3=A9=C3=A9n?=", "Café één"),
        ("=?utf-8?q?Caf=C3=A9?=\r\n\t=?utf-8?q?bar?=", "Cafébar"),
        ("=?nonsens?q?Caf=C3=A9?= x", "=?nonsens?q?Caf=C3=A9?= x"),
        ("=?utf-8?b?////?=", "=?utf-8?b?////?="),
        ("  veel   ruimte ", "veel ruimte"),
        ("=?iso-8859-1*nl?Q?=80_5?=", "€ 5"),
    ],
)
def test_subjects_are_read_whole(subject, read_as):
    assert read(a_mail(subject=subject)).title == read_as


def test_raw_bytes_in_a_subject_are_utf8_or_else_western():
    assert read(a_mail(subject="Café")).title == "Café"
    assert read(a_mail(subject="Caf%").replace(b"%", b"\xe9", 1)).title == "Café"


def test_late_and_early_replies_share_their_thread():
    first = read(a_mail("Message-ID: <m1@x>"))
    second = read(a_mail("Message-ID: <m2@x>", "References: <m1@x>"))
    third = read(a_mail("Message-ID: <m3@x>", "References: <m1@x>", "In-Reply-To: <m2@x>"))
    only_answers = read(a_mail("Message-ID: <m4@x>", "In-Reply-To: <m1@x>"))
    assert len({mention.thread_key for mention in (first, second, third, only_answers)}) == 1
    assert third.parent_id == "m2@x"


def test_a_mail_without_message_id_keeps_its_id_over_servers_and_folders():
    one, other = a_mail("Received: from a"), a_mail("Received: from b", "X-UID: 9")
    assert read(one).id == read(other).id
    assert read(one).id != read(a_mail(body="iets anders")).id


@pytest.mark.parametrize(
    ("headers", "subject", "sender"),
    [
        (["Auto-Submitted: auto-replied"], "Re: vraag", "a@b.example"),
        (["X-Auto-Response-Suppress: All"], "Re: vraag", "a@b.example"),
        (["Precedence: bulk"], "nieuws", "a@b.example"),
        (["Return-Path: <>"], "nieuws", "a@b.example"),
        (['Content-Type: multipart/report; report-type=delivery-status; boundary="x"'], "x", "a@b.example"),
        ([], "x", "MAILER-DAEMON@b.example"),
        ([], "Automated Response: Re: Re: uw vraag", "noreply@winkel.example"),
        ([], "Automatisch antwoord: uw vraag", "a@b.example"),
        ([], "Afwezig: uw vraag", "a@b.example"),
        ([], "Afwezigheidsbericht", "a@b.example"),
        ([], "Out of office: terug op 3 augustus", "a@b.example"),
        ([], "Abwesenheitsnotiz: Frage", "a@b.example"),
        ([], "Undeliverable: uw bestelling", "a@b.example"),
    ],
)
def test_what_a_machine_wrote_is_marked(headers, subject, sender):
    mention = read(a_mail(*headers, subject=subject, sender=sender))
    assert mention.is_automatic
    assert mention.raw["automatic"]


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        (["Auto-Submitted: no"], "vraag"),
        ([], "Afwezig bij bezorging, pakket weg"),
        ([], "Automatische incasso klopt niet"),
        ([], "Re: Automatisch antwoord: uw vraag"),
        ([], "Auto-ontgrendeling van mijn abonnement"),
        (["Precedence: list"], "vraag"),
        (["Return-Path: <henk@voorbeeld.example>"], "vraag"),
    ],
)
def test_what_a_person_wrote_is_not_marked(headers, subject):
    assert not read(a_mail(*headers, subject=subject)).is_automatic


def test_our_own_mail_is_ours():
    assert read(a_mail(sender="Service <SERVICE@zonnekade.example>")).is_own
    assert not read(a_mail()).is_own


def test_an_html_mail_is_text_and_an_unknown_charset_is_read_anyway():
    mention = read((DATA / "imap/html.eml").read_bytes())
    assert mention.title == "Café"
    assert mention.text.split() == ["Dank", "u", "wel!"]
    assert mention.raw["html_only"] is True


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "us-ascii", "nonsens", "utf-7777"])
def test_a_wrong_charset_never_crashes_and_keeps_what_can_be_kept(charset):
    for content in ("é één €".encode(), "é één €".encode("cp1252")):
        mail = a_mail(f"Content-Type: text/plain; charset={charset}", body="@").replace(
            b"\r\n\r\n@", b"\r\n\r\n" + content
        )
        text = read(mail).text
        if charset not in {"iso-8859-1", "windows-1252"}:
            assert text == "é één €"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/cron.d/x", "x"),
        ("C:\\\\windows\\\\kwaad.exe", "kwaad.exe"),
        ("fact\u202egpj.exe", "factgpj.exe"),
        ("..", "attachment-1"),
        (".verborgen", "verborgen"),
        ("a" * 500 + ".pdf", "a" * 120),
    ],
)
def test_names_of_attachments_are_harmless(name, kept):
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nzie bijlage\r\n--b\r\nContent-Type: application/pdf\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\nx\r\n--b--\r\n'
    )
    mention = read(a_mail('Content-Type: multipart/mixed; boundary="b"', body=body))
    assert mention.text == "zie bijlage"
    assert mention.raw["attachments"][0]["name"] == kept


def test_a_mail_in_a_mail_in_a_mail_is_bounded():
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (no, no) for no in range(5000))
    mention = read(b"From: a@b.example\r\nSubject: diep\r\n" + deep + b"\r\nhallo")
    assert mention.title == "diep"
    assert mention.raw["note"] == "nested too deeply"
    flat = "".join("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" for _ in range(10_000))
    assert len(read(a_mail('Content-Type: multipart/mixed; boundary="b"', body=flat)).text) < 2000


def test_ordinary_text_is_no_mail():
    assert looks_like_mail((DATA / "imap/klacht.eml").read_bytes())
    assert looks_like_mail(b"From henk@x Fri Jul 10\nFrom: a@b\nTo: c@d\n\nx")
    for text in (b"Beste winkel,\nTo: nobody\nFrom: nobody", b"From: mij\n\nhallo", b"", b"id;text\n1;x", b"<rss>"):
        assert not looks_like_mail(text)


@given(st.binary(max_size=400), st.integers(0, 1500))
def test_rubbish_in_a_mail_is_read_or_refused_but_never_a_crash(rubbish, at):
    content = (DATA / "imap/klacht.eml").read_bytes()
    try:
        mention = read(content[:at] + rubbish + content[at:])
    except ResponseNotUnderstood:
        return
    assert mention.native_id
    assert_storable(mention)


@pytest.mark.parametrize(
    "header",
    [
        "Op 12 december 2016 19:05 schreef Julia Vos <julia@x.example>:",
        "Op 9 jul. 2026 om 09:12 heeft Zonnekade <service@x.example> het volgende geschreven:",
        "On Nov 21, 2014, at 10:18, Joost van Dijk <j@x.example> wrote:",
        "Am 25.11.2025 um 15:00 schrieb Erika Muster <e@x.example>:",
        "Le 29 avr. 2025 à 11:11, Chris <c@x.example> a écrit :",
        "tir. 18. apr. 2017 kl. 13:09 skrev Test <t@x.example>:",
        "Julia Vos <julia@x.example> schreef op 12 december 2016 om 19:05:",
        "Em seg., 6 de jul. de 2026 às 10:00, Ana <ana@x.example> escreveu:",
        "W dniu 6.07.2026 o 10:00 Jan <jan@x.example> napisał:",
        "在 2026年7月6日，10:00，王 <wang@x.example> 写道：",
        "-----Oorspronkelijk bericht-----",
        "Od: Jan <jan@x.example>\nWysłano: 6 lipca 2026\nDo: Henk\nTemat: paczka",
        "Van: Zonnekade <s@x.example>\nVerzonden: vrijdag 10 juli 2026 09:12\nAan: Henk\nOnderwerp: RE: pakket",
        "From: Zonnekade <s@x.example>\nSent: Friday, July 10, 2026\nTo: Henk\nSubject: RE: parcel",
        "Von: Zonnekade\nGesendet: Freitag\nAn: Henk\nBetreff: Paket",
        "*Van:* Zonnekade\n*Datum:* vandaag\n*Onderwerp:* x",
    ],
)
def test_what_was_written_before_is_kept_apart(header):
    split = split_reply(f"Dat klopt niet.\nGroet, Henk\n\n{header}\n\nHet pakket is onderweg.\nGroet")
    assert split.new == "Dat klopt niet.\nGroet, Henk"
    assert split.quoted.startswith(header.split("\n")[0])
    assert split.quoted.endswith("Groet")


@pytest.mark.parametrize(
    "text",
    [
        "Beste winkel,\nVan: mij hoort u nog.\nGroet",
        "Op uw site schreef u dit:\nzie bijlage",
        "Aan: wie dit leest\nik wacht al weken",
        "Dit is een lijst:\n- een\n- twee",
        "Op maandag kwam er niemand. Op dinsdag ook niet:",
    ],
)
def test_ordinary_sentences_are_not_taken_for_quotes(text):
    assert split_reply(text).new == text
    assert split_reply(text).quoted == ""


def test_a_quote_in_a_language_nobody_knew_is_found_by_its_address():
    split = split_reply("Nee.\n\n2026-07-06 10:00 Jan <jan@x.example> idatzi du:\n> Het pakket is onderweg.\n")
    assert split.new == "Nee."
    form = "Naam: Henk\nE-mail: henk@x.example\nOrdernummer 12345 van Henk <henk@x.example>:\nkapot aangekomen"
    assert split_reply(form).new == form


def test_answers_between_the_questions_stay_together():
    split = split_reply(
        "On Dec 15, 2024, at 2:00 PM, Lotte <l@x.example> wrote:\n> Optie A?\n\nJa.\n\n> Optie B?\n\nNee."
    )
    assert split.new.split() == ["Ja.", "Nee."]
    assert split.quoted.count(">") == 3


@pytest.mark.parametrize("subject", ["FW: uw zending", "Fwd: uw zending", "Doorst: uw zending"])
def test_what_is_sent_on_is_part_of_the_mail(subject):
    mention = read(a_mail(subject=subject, body="Is dit echt?\n\n> Betaal binnen 24 uur\n"))
    assert "Betaal binnen 24 uur" in mention.text


def test_a_mail_that_only_quotes_is_read_whole():
    assert read(a_mail(body="> alles\n> hiervan\n")).text == "> alles\n> hiervan"


@given(st.text(alphabet=st.sampled_from("ab> :\n-_=0@<>Op schreef"), max_size=300))
def test_no_line_is_lost_in_parting(text):
    split = split_reply(text)
    whole = split.new + split.quoted + split.signature
    for line in text.split("\n"):
        assert line.strip() in whole
