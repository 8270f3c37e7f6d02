"""The stages of the line as commands, alone and together."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.bootstrap import System
from monitor.cli.context import DEFAULT_CONFIG, AsJson, Config, opened
from monitor.cli.output import Progress, err, out, table, write_json
from monitor.configfile import duration
from monitor.errors import ConfigError
from monitor.line import run_cycle
from monitor.stages.collect import Collecting, Outcome
from monitor.stages.deliver import deliver as deliver_stage
from monitor.stages.index import index as index_stage
from monitor.stages.open_cases import open_cases as open_cases_stage
from monitor.stages.raise_alerts import raise_alerts as raise_alerts_stage
from monitor.stages.recheck import recheck as recheck_stage
from monitor.stages.replay import replay as replay_stage
from monitor.stages.tag import tag as tag_stage

_OUTCOME = ("source", "new", "changed", "unchanged", "skipped", "result")
_PATIENCE = 90.0


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(run)
    app.command()(collect)
    app.command()(recheck)
    app.command()(tag)
    app.command(name="open-cases")(open_cases)
    app.command()(index)
    app.command(name="raise-alerts")(raise_alerts)
    app.command()(deliver)
    app.command()(replay)
    app.command()(serve)
    database = typer.Typer(help="The record's schema.", no_args_is_help=True)
    database.command(name="upgrade")(db_upgrade)
    app.add_typer(database, name="db")


def run(
    once: Annotated[bool, typer.Option("--once", help="One cycle over all due sources, then stop.")] = False,
    every: Annotated[str, typer.Option("--every", help="Go on, with this pause between cycles: 30s, 5m, 1h.")] = "5m",
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Run the whole line: collect, tag, open cases, index, raise alerts, deliver."""
    pause = _pause(every)
    with opened(config) as system:
        collecting = Collecting(system.connect, system.store, system.now)
        try:
            while True:
                with Progress() as progress:
                    due = collecting.due(system.settings.sources)
                    cycle = run_cycle(system, collecting, due, progress, patience=None if once else _PATIENCE)
                _show(cycle.outcomes, as_json=as_json)
                if once:
                    return
                time.sleep(pause.total_seconds())
        finally:
            collecting.close()


def collect(
    sources: Annotated[list[str] | None, typer.Argument(help="Ids of sources; none: all that are due.")] = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Collect mentions from sources into the store. A source named here is asked even if it is not due."""
    with opened(config) as system:
        collecting = Collecting(system.connect, system.store, system.now)
        chosen = [system.source(name) for name in sources] if sources else collecting.due(system.settings.sources)
        with Progress() as progress:
            outcomes = collecting.run(chosen, progress=lambda o: progress("collect", o.source.name))
        _show(outcomes, as_json=as_json)
        collecting.close()


def recheck(
    sources: Annotated[list[str] | None, typer.Argument(help="Ids of sources; none: all.")] = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Ask sources that can tell whether the last week's mentions are still there; drop the text of those gone."""
    with opened(config) as system, Progress() as progress:
        rows = []
        for source in [system.source(name) for name in sources] if sources else system.settings.sources:
            if not source.missing and not source.paused:
                progress("recheck", source.name)
                rows.append((source.id, recheck_stage(source, system.connect, system.store, system.now)))
    table("Gone at the source", ("source", "removed"), rows, as_json=as_json)


def tag(
    source: Annotated[
        Path | None, typer.Option("--input", help="JSONL with id, text and optional lang, channel, brand, title.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--output", help="JSONL of tags; - or nothing: standard output.")
    ] = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Tag what is new in the store, or with --input the texts of a file without touching the store."""
    with opened(config) as system:
        if source is not None:
            _tag_file(system, source, target)
            return
        with Progress() as progress:
            progress("tag", "loading the tagger")
            count = tag_stage(system.tagger, system.store, lambda n: progress("tag", f"{n} mentions"))
        _say("tagged", count, as_json=as_json)


def _tag_file(system: System, source: Path, target: Path | None) -> None:
    from nlp.batch import tag_lines  # noqa: PLC0415 - the tagger takes seconds to load

    with Progress() as progress, source.open(encoding="utf-8", errors="replace") as lines:
        writer = sys.stdout if target is None or str(target) == "-" else target.open("w", encoding="utf-8")
        try:
            progress("tag", "loading the tagger")
            for number, tags in enumerate(tag_lines(lines, system.tagger), 1):
                writer.write(_json_line(tags))
                if number % 500 == 0:
                    progress("tag", f"{number} texts")
        finally:
            if writer is not sys.stdout:
                writer.close()


def _json_line(value: Any) -> str:
    import orjson  # noqa: PLC0415 - only here

    return orjson.dumps(value).decode() + "\n"


def open_cases(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Open cases for tagged mentions, or let them join the case they belong to."""
    with opened(config) as system, Progress() as progress:
        done = open_cases_stage(
            system.store,
            system.settings.policy,
            system.calendar,
            system.now,
            progress=lambda n: progress("open-cases", f"{n} mentions"),
        )
    table("Cases", ("opened", "joined", "left"), [(done.opened, done.joined, done.left)], as_json=as_json)


def index(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Empty the search index and fill it again.")] = False,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Bring the search index up to date with the record."""
    with opened(config) as system, Progress() as progress:
        if rebuild:
            system.search.rebuild()
        count = index_stage(system.store, system.search, system.document, lambda n: progress("index", f"{n} documents"))
    _say("indexed", count, as_json=as_json)


def raise_alerts(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Let the rules look at what was said lately."""
    with opened(config) as system:
        raised = raise_alerts_stage(system.store, system.settings.policy.rules, system.document, system.now)
        rows = [(a.id, a.severity.value, a.title, a.count, a.opened_at.isoformat()) for a in raised]
    table("Alerts", ("id", "severity", "title", "people", "opened_at"), rows, as_json=as_json)


def deliver(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Tell people about alerts: send what waits in the outbox."""
    with opened(config) as system:
        done = deliver_stage(system.store, system.notifiers, system.now)
    rows = [(done.delivered, done.waiting, done.given_up)]
    table("Deliveries", ("delivered", "waiting", "given_up"), rows, as_json=as_json)


def replay(
    source: Annotated[str | None, typer.Argument(help="Id of one source; none: all.")] = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Read what was set apart once more, now that the code or the configuration is mended."""
    with opened(config) as system:
        known = {s.id: s for s in system.settings.sources}
        done = replay_stage(system.store, known, system.connect, system.now, source)
    table("Dead letters", ("stored", "kept"), [(done.stored, done.kept)], as_json=as_json)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback only until accounts exist.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Serve the inbox."""
    with opened(config) as system:
        serve_inbox(system, host or system.settings.host, port or system.settings.port)


def serve_inbox(
    system: System, host: str, port: int, *, town: bool = False, ready: threading.Event | None = None
) -> None:
    """Serve until the process is told to stop. Raises ConfigError for an address that is not loopback."""
    import uvicorn  # noqa: PLC0415 - only the server needs it

    from monitor.web.app import create_app  # noqa: PLC0415 - only the server needs it

    if host not in {"127.0.0.1", "::1", "localhost"}:
        raise ConfigError(f"{host}: the inbox has no accounts yet, so it serves only 127.0.0.1; use an SSH tunnel")
    need_free(port, "--port")
    app = create_app(system.store, system.search, system.settings, system.now, town=town)
    if ready is not None:
        ready.set()
    err.print(f"inbox on http://{host}:{port}  (Ctrl-C stops it)")
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3)


def need_free(port: int, option: str) -> None:
    """Raises ConfigError, with the option that chooses another, where somebody listens on this port already."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            remedy = f"stop the other program, or choose another with {option}"
            raise ConfigError(f"port {port} is in use: {remedy}") from None


def db_upgrade(config: Config = DEFAULT_CONFIG) -> None:
    """Bring the record's schema to the newest version. Every start does this too."""
    with opened(config) as system:
        system.store.upgrade()
    out.print("the record is up to date")


def _pause(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise ConfigError(f"--every {text}: {error}") from None


def _show(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    table("Collected", _OUTCOME, [_row(o) for o in outcomes], as_json=as_json)


def _row(outcome: Outcome) -> tuple[Any, ...]:
    c = outcome.collected
    result = str(outcome.error) if outcome.error else ("being collected elsewhere" if outcome.health is None else "ok")
    return outcome.source.id, c.new, c.changed, c.unchanged, c.skipped, result


def _say(what: str, count: int, *, as_json: bool) -> None:
    if as_json:
        write_json({what: count})
    else:
        out.print(f"{count} {what}")
