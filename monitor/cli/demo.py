"""The demo town: one command to a full inbox; or the whole fortnight in a minute, held against the truth."""

from __future__ import annotations

import contextlib
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from monitor.bootstrap import System, utc_now
from monitor.cli.context import AsJson
from monitor.cli.line import serve_inbox
from monitor.cli.output import Progress, err, out, write_json
from monitor.demo.clock import TownClock, jumping
from monitor.demo.config import demo_settings
from monitor.demo.dropbox import drop
from monitor.demo.replay import AlertLog, replay
from monitor.demo.score import score
from monitor.demo.script import DAYS, ZONE, Town, load_script
from monitor.demo.server import TownServer
from monitor.demo.show import table as score_table
from monitor.demo.team import work_off
from monitor.errors import ConfigError, MonitorError
from monitor.line import run_cycle
from monitor.stages.collect import Collecting
from monitor.stages.raise_alerts import raise_alerts

TODAY_IS_DAY = 10
_FIRST_DAY = "demo_first_day"
_CYCLE_SECONDS = 15.0
_PATIENCE = 20.0
_ALERT_STEP = timedelta(minutes=30)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play the whole fortnight at once and stop; needs --score.")
    ] = False,
    score: Annotated[
        bool, typer.Option("--score", help="Hold what was found, tagged and alerted against the truth.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the inbox.")] = 8080,
    town_port: Annotated[int, typer.Option(help="Port of the town's sources.")] = 8081,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its record.")] = Path("var/demo"),
    as_json: AsJson = False,
) -> None:
    """Start the demo town, collect from it over HTTP, tag, open cases, raise alerts and serve the inbox."""
    if once or score:
        _judge(as_json=as_json)
        return
    for wanted, option in ((port, "--port"), (town_port, "--town-port")):
        _free(wanted, option)
    folder.mkdir(parents=True, exist_ok=True)
    _live(folder.resolve(), port, town_port)


def _free(port: int, option: str) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigError(
                f"port {port} is in use: stop the other program, or choose another with {option}"
            ) from None


@contextlib.contextmanager
def _system(folder: Path, base_url: str, clock: TownClock) -> Iterator[System]:
    settings = demo_settings(folder, base_url, folder / "drop")
    system = System(settings=settings, now=clock, say=lambda line: err.print(line, markup=False))
    try:
        yield system
    finally:
        system.close()


def _live(folder: Path, port: int, town_port: int) -> None:
    """Today is the town's tenth day: what comes later today comes while you watch."""
    clock = TownClock(utc_now(), real=utc_now)
    with _system(folder, f"http://127.0.0.1:{town_port}", clock) as system:
        town = Town(load_script(), _first_day(system, clock()))
        collecting = Collecting(system.connect, system.store, system.now)
        with TownServer(town, clock, port=town_port):
            with Progress() as progress:
                progress("town", f"day {_day(town, clock())} of {DAYS}, sources on {system.settings.net.allow[0]}")
                progress("load", "the tagger")
                _ = system.tagger
                _cycle(system, town, collecting, progress, patience=None)
                _catch_up(system, town, progress)
                count = system.store.cases.counts(clock())
                progress("inbox", f"{count.todo} cases to do, {system.store.mentions.count()} mentions")
            ended = threading.Event()
            worker = threading.Thread(target=_go_on, args=(system, town, collecting, ended), name="line", daemon=True)
            worker.start()
            signal.signal(signal.SIGTERM, _interrupt)
            try:
                serve_inbox(system, "127.0.0.1", port, town=True)
            finally:
                ended.set()
                worker.join(timeout=10)
                collecting.close()
                err.print("the town is closed; nothing that was stored is lost")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _first_day(system: System, now: datetime) -> date:
    kept = system.store.get_meta(_FIRST_DAY)
    if kept is None:
        first = now.astimezone(ZONE).date() - timedelta(days=TODAY_IS_DAY - 1)
        system.store.set_meta(_FIRST_DAY, first.isoformat())
        return first
    return date.fromisoformat(kept)


def _day(town: Town, now: datetime) -> int:
    return min((now.astimezone(ZONE).date() - town.first_day).days + 1, DAYS)


def _cycle(
    system: System, town: Town, collecting: Collecting, progress: Progress | None, patience: float | None
) -> None:
    drop(town, system.settings.folder / "drop", system.now())
    due = collecting.due(system.settings.sources)
    if progress is None:
        run_cycle(system, collecting, due, patience=patience)
    else:
        run_cycle(system, collecting, due, progress, patience=patience)


def _catch_up(system: System, town: Town, progress: Progress) -> None:
    """The days before today as the town's team worked through them, and the alerts as they were raised."""
    now = system.now()
    if system.store.get_meta("demo_caught_up"):
        return
    moment = max(town.opens_at, now - timedelta(days=4))
    while moment < now:
        at = moment
        raise_alerts(system.store, system.settings.policy.rules, system.document, lambda: at)  # noqa: B023 - used at once
        progress("raise-alerts", f"as of {moment.astimezone(ZONE):%a %H:%M}")
        moment += _ALERT_STEP
    progress(
        "team", f"{work_off(system.store, system.settings.policy, system.calendar, now)} cases handled before today"
    )
    system.store.set_meta("demo_caught_up", now.isoformat())
    collecting = Collecting(system.connect, system.store, system.now)
    run_cycle(system, collecting, [], progress)
    collecting.close()


def _go_on(system: System, town: Town, collecting: Collecting, ended: threading.Event) -> None:
    while not ended.wait(_CYCLE_SECONDS):
        try:
            _cycle(system, town, collecting, None, _PATIENCE)
        except MonitorError as error:
            err.print(str(error), markup=False)


def _judge(*, as_json: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="luisterpost-") as name, Progress() as progress:
        folder = Path(name)
        town = Town(load_script(), date(2026, 6, 1))
        clock = jumping(town.opens_at)
        with TownServer(town, clock) as server, _system(folder, server.base_url, clock) as system:
            progress("load", "the tagger")
            log = AlertLog()
            collecting = Collecting(system.connect, system.store, system.now)
            _ = system.tagger
            system.say = lambda _line: None

            def line(now: datetime) -> None:
                progress("replay", f"day {_day(town, now)} of {DAYS}, {now.astimezone(ZONE):%H:%M}")
                run_cycle(system, collecting, collecting.due(system.settings.sources))
                log.look(now, system.store.alerts.newest(200))

            replay(town, clock, folder / "drop", line)
            collecting.close()
            far = timedelta(days=60)
            stored = system.store.mentions.between(town.opens_at - far, town.closes_at + far)
            judged = score(town, stored, log.seen, town.closes_at)
    if as_json:
        write_json(judged.to_dict())
    else:
        out.print(score_table(judged))
