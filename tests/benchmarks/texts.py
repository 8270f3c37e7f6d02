"""What is measured with: real Dutch texts where they are at hand, else made ones; mentions and feeds around them."""

import json
import random
from datetime import timedelta
from pathlib import Path

from monitor.model import Author, Engagement, Mention, Page, Source
from monitor.model import Cursor as Mark
from tests.factories import NOON, a_mention

REAL = Path("/work/shared/data/real/texts/load_nl.jsonl")
CHANNELS = ("x", "news", "forum", "mastodon", "reviews")
WORDS = """het pakket is nog niet bezorgd en de klantenservice geeft geen antwoord op mijn vraag over de rekening van
vorige maand terwijl ik al twee weken wacht op een monteur voor de storing in de app dank voor de snelle hulp"""


def dutch(count: int) -> tuple[list[str], str]:
    """So many texts, none twice, of about 40 words: paragraphs of the real sentences. And where they are from."""
    chance = random.Random(11)  # noqa: S311 - texts, not secrets
    if REAL.exists():
        lines = [json.loads(line)["text"] for line in REAL.open(encoding="utf-8")]
        origin = "real Dutch sentences"
    else:
        lines = [" ".join(chance.choices(WORDS.split(), k=chance.randint(4, 14))) for _ in range(20_000)]
        origin = "made Dutch texts"
    texts = []
    for number in range(count):
        text = ""
        while len(text.split()) < chance.randint(10, 65):
            text = f"{text} {chance.choice(lines)}"
        texts.append(f"{text.strip()} ({number})")
    return texts, origin


def mentions(texts: list[str], first: int = 0) -> list[Mention]:
    """Each text as a mention, a minute apart."""
    return [
        a_mention(
            native_id=f"n{first + at}",
            text=text,
            channel=CHANNELS[at % len(CHANNELS)],
            source_id=CHANNELS[at % len(CHANNELS)],
            published_at=NOON - timedelta(minutes=first + at),
            author=Author(native_id=f"u{(first + at) % 997}", name=f"Klant {(first + at) % 997}"),
            engagement=Engagement(likes=at % 7),
        )
        for at, text in enumerate(texts)
    ]


def pages(found: list[Mention], size: int) -> list[Page]:
    return [
        Page(mentions=tuple(found[at : at + size]), cursor=Mark(source_id="bench", value={"at": at + size}))
        for at in range(0, len(found), size)
    ]


def feed(texts: list[str]) -> bytes:
    """An RSS feed with these as its entries."""
    entries = "".join(
        f"<item><title>Bericht {at}</title><link>https://nieuws.example/{at}</link><guid>https://nieuws.example/{at}"
        f"</guid><pubDate>Mon, 01 Jun 2026 12:00:00 +0200</pubDate><description><![CDATA[<p>{text}</p>]]>"
        "</description></item>"
        for at, text in enumerate(texts)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{entries}</channel></rss>'.encode()


def statuses(texts: list[str], first: int) -> bytes:
    """A recorded page of a Mastodon timeline."""
    return json.dumps(
        [
            {
                "id": str(10**17 + first + at),
                "uri": f"https://mastodon.example/s/{first + at}",
                "url": f"https://mastodon.example/@a/{first + at}",
                "created_at": "2026-06-01T12:00:00.000Z",
                "content": f"<p>{text}</p>",
                "visibility": "public",
                "language": "nl",
                "account": {"id": str(at), "acct": f"klant{at}", "display_name": f"Klant {at}", "url": ""},
                "favourites_count": 1,
                "replies_count": 0,
                "reblogs_count": 0,
            }
            for at, text in enumerate(texts)
        ]
    ).encode()


def a_source(connector: str, **options: object) -> Source:
    return Source(id="bench", connector=connector, name="bench", channel="news", options=options)
