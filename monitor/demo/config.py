"""The settings of the town: its sources, what is watched, and what its team promised."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitor.config import NetSettings, Policy, Queue, ServiceLevel, Settings
from monitor.demo.apis import feeds
from monitor.demo.apis.mastodon import TAG
from monitor.demo.apis.trustpilot import BUSINESS_UNIT
from monitor.demo.apis.x import OWN, user_id
from monitor.demo.rules import RULES
from monitor.demo.script import FEEDS
from monitor.model import Source, Topic, TopicKind

TOKEN = "town"  # noqa: S105 - the town lets everybody in who shows any key
"""The key that all sources of the town accept."""

X_QUERY = (
    "(zonnekade OR glimworm OR glimwormpjes OR kolenboer OR luilak OR vlonder OR loungeset OR rooster OR tuinhof "
    "OR pakketeer OR @dekoopklok OR @pjalkema OR @havenkwartier_nu OR from:zonnekade OR from:werkenbijzonnekade "
    "OR from:tuinmanteun OR from:dekoopklok) -is:retweet"
)
"""What is asked of X: the brand, its products, its neighbours on the market, and the accounts that matter."""

NAMES = {
    "x": "Praatpaal",
    "fediverse": "Fediverse",
    "groenevingers": "Groene Vingers forum",
    "sterrenplein": "Sterrenplein reviews",
    **feeds.TITLES,
    "mail": "Klantmail",
    "phone": "Telefoon",
    "radio": "Radio",
}
"""Sources as the screens call them."""

CHANNELS = {
    "x": "x",
    "fediverse": "mastodon",
    "groenevingers": "forum",
    "sterrenplein": "reviews",
    "nieuwsplein": "news",
    "polderkoerier": "news",
    "handelsblik": "news",
    "balkongeluk": "blog",
    "mail": "mail",
    "phone": "phone",
    "radio": "radio",
}

_STREET = (
    'havenkwartier* OR @havenkwartier_nu OR handle:havenkwartier_nu OR "de steiger" OR riool* OR parkeerverbod '
    'OR visafslag OR bakfiets OR scooter OR gemeente OR "aan de zonnekade" OR "op de zonnekade" OR "de hele zonnekade"'
)
_NAMES_OF_US = (
    "zonnekade OR @zonnekade OR #zonnekade OR glimworm* OR kolenboer OR luilak OR zefier OR hoekje OR marken "
    "OR kadepas OR vlonder OR zomer15 "
    "OR source:(mail OR phone OR sterrenplein OR groenevingers OR radio OR fediverse OR x)"
)

TOPICS = (
    Topic(id="zonnekade", name="Zonnekade", kind=TopicKind.BRAND, query=f"({_NAMES_OF_US}) NOT ({_STREET})"),
    Topic(
        id="glimworm", name="Lader Glimworm", kind=TopicKind.PRODUCT, query="glimworm* OR g-05 OR lader* OR oplader*"
    ),
    Topic(id="tuinhof", name="Tuinhof", kind=TopicKind.COMPETITOR, query="tuinhof OR @tuinhof OR #tuinhof"),
)
"""`zonnekade` takes what the brand's own places bring, without the street, its café and its police officer."""

AGENTS = ("Sanne Visser", "Daan Bos", "Milan Kaya", "Lotte Haan")

POLICY = Policy(
    hours={
        **{day: (time(8, 30), time(21, 0)) for day in range(5)},
        5: (time(9, 0), time(18, 0)),
        6: (time(10, 0), time(17, 0)),
    },
    service_levels=(
        ServiceLevel(name="crisis", within=timedelta(minutes=30), intents=("crisis",), around_the_clock=True),
        ServiceLevel(name="vertrek", within=timedelta(hours=1), intents=("churn_risk",)),
        ServiceLevel(
            name="klacht openbaar", within=timedelta(hours=2), intents=("complaint",), channels=("x", "mastodon")
        ),
        ServiceLevel(name="klacht", within=timedelta(hours=4), intents=("complaint",)),
        ServiceLevel(
            name="vraag openbaar", within=timedelta(hours=4), intents=("question",), channels=("x", "mastodon")
        ),
        ServiceLevel(name="vraag", within=timedelta(hours=8), intents=("question", "buying_signal")),
        ServiceLevel(name="overig", within=timedelta(hours=24)),
    ),
    queues=(
        Queue(id="communicatie", names={"nl": "Communicatie", "en": "Communication"}, intents=("crisis",)),
        Queue(id="pers", names={"nl": "Pers en radio", "en": "Press and radio"}, channels=("news", "radio")),
        Queue(id="bezorging", names={"nl": "Bezorging", "en": "Delivery"}, themes=("delivery",)),
        Queue(
            id="retour",
            names={"nl": "Retour en betaling", "en": "Returns and payment"},
            themes=("returns", "payment"),
        ),
        Queue(id="advies", names={"nl": "Advies", "en": "Advice"}),
    ),
    agents=AGENTS,
    rules=RULES,
    notify={"console": "console"},
)


def demo_settings(folder: Path, base_url: str, drop: Path, *, every: timedelta = timedelta(minutes=1)) -> Settings:
    """Settings for a town that answers at `base_url` and drops its files in `drop`.

    Record and index stand in `folder`. Only the town's own host and port may be private.
    """
    return Settings(
        folder=folder,
        brand="Zonnekade",
        store=f"sqlite:///{folder / 'demo.db'}",
        search=f"sqlite:///{folder / 'demo-search.db'}",
        net=NetSettings(allow=(urlsplit(base_url).netloc,), contact="demo@zonnekade.example"),
        sources=_sources(base_url, drop, every),
        topics=TOPICS,
        policy=POLICY,
    )


def _sources(base_url: str, drop: Path, every: timedelta) -> tuple[Source, ...]:
    def source(name: str, connector: str, **options: Any) -> Source:
        return Source(
            id=name,
            connector=connector,
            name=NAMES[name],
            channel=CHANNELS[name],
            options=options,
            every=every,
            language=None if connector == "files" else "nl" if name in FEEDS else None,
        )

    return (
        source(
            "x",
            "x",
            base_url=base_url,
            bearer_token=TOKEN,
            query=X_QUERY,
            user_id=user_id(OWN),
            own=[OWN, "werkenbijzonnekade"],
        ),
        source("fediverse", "mastodon", base_url=base_url, tags=[TAG], own=["zonnekade@tuinstad.example"]),
        source("groenevingers", "discourse", base_url=base_url, own=["Zonnekade_webcare"]),
        source("sterrenplein", "trustpilot", base_url=base_url, business_unit=BUSINESS_UNIT, api_key=TOKEN),
        *(source(name, "rss", url=base_url + feeds.path_of(name)) for name in FEEDS),
        *(source(name, "files", path=str(drop / name), settle_seconds=0) for name in ("mail", "phone", "radio")),
    )
