"""Pointing Luisterpost at the world: watch, add, try, check."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote_plus

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import connectors
from monitor.bootstrap import System
from monitor.cli.context import DEFAULT_CONFIG, AsJson, Config, opened
from monitor.cli.output import Progress, err, out, table, write_line
from monitor.config import Settings
from monitor.configfile import load_settings, position_of
from monitor.configwrite import add_entry, add_secret
from monitor.errors import ConfigError, MonitorError, QueryError
from monitor.line import run_cycle
from monitor.model import Enrichment, Mention, Page, Rule, Source, Topic
from monitor.query import parse
from monitor.stages.collect import Collecting

_NEWS = {
    "nl": "https://news.google.com/rss/search?q={query}&hl=nl&gl=NL&ceid=NL:nl",
    "en": "https://news.google.com/rss/search?q={query}&hl=en-GB&gl=GB&ceid=GB:en",
}
_BING = "https://www.bing.com/news/search?q={query}&format=rss"
_MASTODON = {"nl": "https://mastodon.nl", "en": "https://mastodon.social"}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(watch)
    app.command()(add)
    app.command(name="try")(try_)
    app.command()(check)


def watch(
    brand: Annotated[str, typer.Argument(help='What to watch for, such as "Coolblue".')],
    lang: Annotated[str, typer.Option(help="Language of the news search: nl or en.")] = "nl",
    feed: Annotated[
        list[str] | None, typer.Option(help="A feed to watch as well; may be given more than once.")
    ] = None,
    forum: Annotated[list[str] | None, typer.Option(help="A Discourse forum to watch as well.")] = None,
    collect: Annotated[bool, typer.Option("--collect/--no-collect", help="Collect at once.")] = True,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a topic and watch it on the public sources that need no key. Writes config/topics.yaml and sources.yaml."""
    name = " ".join(brand.split())
    if not re.search(r"\w", name) or '"' in name:
        raise ConfigError("give a name with at least one letter or digit, and without quotes")
    if lang not in _NEWS:
        raise ConfigError(f"--lang {lang}: the news search knows nl and en")
    topic = slug(name)
    add_entry(
        config / "topics.yaml",
        "topics",
        {"id": topic, "name": name, "kind": "brand", "query": f'"{name}"' if " " in name else name},
    )
    chosen = list(_public_sources(name, topic, lang, feed or (), forum or ()))
    for source in chosen:
        add_entry(config / "sources.yaml", "sources", source)
    out.print(f"watching {name} on {len(chosen)} sources, written to {config / 'sources.yaml'}", markup=False)
    if not collect:
        return
    with opened(config) as system, Progress() as progress:
        collecting = Collecting(system.connect, system.store, system.now)
        wanted = {source["id"] for source in chosen}
        cycle = run_cycle(system, collecting, [s for s in system.settings.sources if s.id in wanted], progress)
        collecting.close()
    rows = [(o.source.name, o.collected.new, str(o.error) if o.error else "ok") for o in cycle.outcomes]
    table("Collected", ("source", "new", "result"), rows, as_json=False)
    out.print("monitor serve shows them; monitor run --every 5m goes on collecting")


def slug(name: str) -> str:
    """An id from a name: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-") or "brand"


def _public_sources(
    name: str, topic: str, lang: str, feeds: Sequence[str], forums: Sequence[str]
) -> Iterator[dict[str, Any]]:
    query = quote_plus(f'"{name}"')
    tag = re.sub(r"[^\w]", "", name).casefold()
    for kind, url in (("google-news", _NEWS[lang]), ("bing-news", _BING)):
        yield {
            "id": f"{topic}-{kind}",
            "connector": "rss",
            "name": f"{kind.split('-')[0].title()} News: {name}",
            "channel": "news",
            "language": lang,
            "every": "30m",
            "options": {"url": url.format(query=query)},
        }
    yield {
        "id": f"{topic}-mastodon",
        "connector": "mastodon",
        "name": f"Mastodon #{tag}",
        "every": "15m",
        "options": {"base_url": _MASTODON[lang], "tag": tag},
    }
    yield {
        "id": f"{topic}-hackernews",
        "connector": "hackernews",
        "name": f"Hacker News: {name}",
        "every": "1h",
        "options": {"query": f'"{name}"'},
    }
    for number, url in enumerate(feeds, 1):
        yield {
            "id": f"{topic}-feed-{number}",
            "connector": "rss",
            "name": url,
            "channel": "news",
            "options": {"url": url},
        }
    for number, url in enumerate(forums, 1):
        yield {
            "id": f"{topic}-forum-{number}",
            "connector": "discourse",
            "name": url,
            "channel": "forum",
            "options": {"base_url": url},
        }


def add(
    connector: Annotated[str | None, typer.Argument(help="Kind of source; none: choose from a list.")] = None,
    source_id: Annotated[str | None, typer.Option("--id", help="Its id; none: asked for.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="An option as name=value, instead of asking.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Ask for what a source needs and write it to config/sources.yaml. Secrets go to config/.env."""
    kind = connector or _choose()
    cls = connectors.load(kind)
    given = dict(_pair(value) for value in values or ())
    name = source_id or typer.prompt("Id of this source (small letters, digits, hyphens)", default=kind)
    if slug(name) != name:
        raise ConfigError(f"{name!r} is no id; write {slug(name)!r}")
    secrets: dict[str, str] = {}
    options: dict[str, Any] = {}
    for field, info in cls.Options.model_fields.items():
        answer = given.pop(field, None)
        if answer is None and (info.is_required() or _is_secret(info)) and values is None:
            answer = _ask(field, info)
        if not answer:
            continue
        if _is_secret(info):
            variable = f"{name}_{field}".upper().replace("-", "_")
            secrets[variable] = str(answer)
            options[field] = f"${{{variable}}}"
        else:
            options[field] = _typed(answer)
    if given:
        known = ", ".join(cls.Options.model_fields)
        raise ConfigError(f"{kind} has no option {', '.join(given)}; it has {known}")
    _validate(cls.Options, kind, options, secrets)
    for variable, value in secrets.items():
        add_secret(config / ".env", variable, value)
    add_entry(config / "sources.yaml", "sources", {"id": name, "connector": kind, "options": options})
    where = position_of(config / "sources.yaml", "sources", len(load_settings(config).sources) - 1)
    out.print(f"written to {where}; try it with: monitor collect {name}", markup=False)


def _choose() -> str:
    kinds = sorted(connectors.CONNECTORS)
    for number, kind in enumerate(kinds, 1):
        err.print(f"{number:>3}  {kind:<12} {connectors.load(kind).title}", markup=False)
    number = typer.prompt("Which kind of source", type=int)
    if not 1 <= number <= len(kinds):
        raise ConfigError(f"choose 1 to {len(kinds)}")
    return str(kinds[number - 1])


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise ConfigError(f"--set {text}: write name=value")
    return name, value


def _ask(field: str, info: FieldInfo) -> str:
    words = f"{info.description or field} ({field})"
    required = info.is_required()
    return str(typer.prompt(words, default=None if required else "", hide_input=_is_secret(info), show_default=False))


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation)


def _typed(answer: str) -> Any:
    return [part.strip() for part in answer.split(",")] if "," in answer and "://" not in answer else answer


def _validate(model: type[BaseModel], kind: str, options: dict[str, Any], secrets: dict[str, str]) -> None:
    from pydantic import ValidationError  # noqa: PLC0415 - only here

    filled = {name: secrets.get(str(value)[2:-1], value) for name, value in options.items()}
    try:
        model.model_validate(filled)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors(include_input=False))
        raise ConfigError(f"{kind}: {faults}") from None


def try_(
    places: Annotated[list[str], typer.Argument(metavar="URL|FILE...", help="Addresses or files to look at.")],
    kind: Annotated[
        str | None, typer.Option("--as", metavar="CONNECTOR", help="Read it as this kind of source.")
    ] = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show what would be collected and how it would be tagged. Stores nothing."""
    failed = False
    with opened(config) as system:
        for place in places:
            try:
                page = _look(system, place, kind)
            except (MonitorError, OSError) as error:
                failed = True
                _cannot(place, error, as_json=as_json)
                continue
            tags = system.tagger.tag(list(page.mentions))
            if as_json:
                for mention, enrichment in zip(page.mentions, tags, strict=True):
                    write_line(_told(place, mention, enrichment))
                for skipped in page.skipped:
                    write_line({"from": place, "error": skipped.reason})
            else:
                _show(place, page, tags)
    if failed and not as_json:
        raise typer.Exit(1)


def _look(system: System, place: str, kind: str | None) -> Page:
    if re.match(r"https?://", place, re.IGNORECASE):
        response = system.http.get(place)
        content, name = response.body, response.url
    else:
        content, name = Path(place).read_bytes(), place
    chosen = kind or connectors.guess(content, name)
    source = Source(
        id="try", connector=chosen, name=place, channel=chosen, options=connectors.sample_options(chosen, name)
    )
    connector = connectors.load(chosen)(source, system.http, system.now)
    page: Page = connector.read(content, name)
    return page


def _cannot(place: str, error: Exception, *, as_json: bool) -> None:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if as_json:
        write_line({"from": place, "error": said})
    else:
        err.print(f"{place}: {said}", markup=False)


def _told(place: str, mention: Mention, tags: Enrichment) -> dict[str, Any]:
    author = mention.author
    return {
        "from": place,
        "id": mention.id,
        "origin": mention.origin,
        "native_id": mention.native_id,
        "channel": mention.channel,
        "url": mention.url,
        "title": mention.title,
        "text": mention.text,
        "author": (author.name or author.handle or author.native_id) if author else None,
        "published_at": mention.published_at.isoformat() if mention.published_at else None,
        "edited_at": mention.edited_at.isoformat() if mention.edited_at else None,
        "parent_id": mention.parent_id,
        "thread_id": mention.thread_id,
        "rating": mention.rating,
        "is_private": mention.is_private,
        "is_automatic": mention.is_automatic,
        "removed_at": mention.removed_at.isoformat() if mention.removed_at else None,
        "lang": tags.language,
        "sentiment": tags.sentiment.label if tags.sentiment else None,
        "intents": list(tags.intents),
        "stage": tags.stage,
        "needs_reply": tags.needs_reply,
        "themes": list(tags.themes),
        "entities": [{"type": e.type, "text": e.text, "start": e.start, "end": e.end} for e in tags.entities],
        "urgency": tags.urgency,
        "evidence": [{"label": e.label, "start": e.start, "end": e.end, "reason": e.reason} for e in tags.evidence],
    }


def _show(place: str, page: Page, tags: Sequence[Enrichment]) -> None:
    rows = [
        (
            m.published_at.isoformat(timespec="minutes") if m.published_at else None,
            (m.author.name or m.author.handle) if m.author else None,
            (m.title + ": " if m.title else "") + m.text[:120],
            t.sentiment.label if t.sentiment else "not tagged",
            ", ".join((*t.intents, *t.themes)),
        )
        for m, t in zip(page.mentions, tags, strict=True)
    ]
    title = f"{place}: {len(page.mentions)} mentions, {len(page.skipped)} skipped"
    table(title, ("published", "author", "text", "sentiment", "tags"), rows, as_json=False)
    for skipped in page.skipped[:10]:
        err.print(f"  skipped: {skipped.reason}", markup=False)


def check(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Say what is wrong in config/, with file, line and the remedy, and what each source still needs."""
    findings = list(_findings(config))
    table("Findings", ("severity", "where", "what"), findings, as_json=as_json)
    if any(severity == "error" for severity, _, _ in findings):
        raise typer.Exit(1)
    if not findings and not as_json:
        out.print("nothing is wrong")


def _findings(config: Path) -> Iterator[tuple[str, str, str]]:
    try:
        settings = load_settings(config, os.environ)
    except ConfigError as error:
        for line in str(error).splitlines():
            where, _, what = line.partition(": ")
            yield "error", where, what
        return
    yield from _of_sources(config, settings)
    yield from _of_queries(config, settings)
    if not settings.sources:
        yield "hint", str(config / "sources.yaml"), 'no sources yet: monitor watch "your brand", or monitor add'
    if not settings.topics:
        yield "hint", str(config / "topics.yaml"), "no topics yet: without one nothing public opens a case"


def _of_sources(config: Path, settings: Settings) -> Iterator[tuple[str, str, str]]:
    with opened(config) as system:
        for number, source in enumerate(settings.sources):
            where = position_of(config / "sources.yaml", "sources", number)
            try:
                system.connect(source)
            except ConfigError as error:
                yield "needs" if source.missing else "error", where, str(error)


def _of_queries(config: Path, settings: Settings) -> Iterator[tuple[str, str, str]]:
    named: list[tuple[str, Sequence[Topic | Rule]]] = [("topics", settings.topics), ("rules", settings.policy.rules)]
    for key, entries in named:
        for number, entry in enumerate(entries):
            try:
                parse(entry.query)
            except QueryError as error:
                where = position_of(config / f"{key}.yaml", key, number, "query")
                yield "error", where, f"{entry.id}: {error}"
    for rule in settings.policy.rules:
        for channel in rule.channels:
            if channel not in {"console", *settings.policy.notify}:
                where = str(config / "policy.yaml")
                yield "error", where, f"rule {rule.id} tells {channel!r}, which is not under notify; add its address"
