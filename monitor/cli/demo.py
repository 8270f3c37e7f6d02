"""The demo town: one command to a full inbox; or the whole fortnight at once, held against the truth."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from monitor.bootstrap import System, utc_now
from monitor.cli.context import AsJson
from monitor.cli.line import need_free, serve_inbox
from monitor.cli.output import Progress, err, out, write_json
from monitor.demo.live import PORT, LiveTown, town_of_june, town_of_today
from monitor.demo.replay import AlertLog, replay
from monitor.demo.score import score as score_of
from monitor.demo.script import DAYS, ZONE
from monitor.demo.show import table
from monitor.demo.team import work_off
from monitor.errors import ConfigError, MonitorError
from monitor.line import run_cycle
from monitor.stages.collect import Collecting
from monitor.stages.raise_alerts import raise_alerts

_CYCLE_SECONDS = 15.0
_PATIENCE = 20.0
_LOOK_BACK, _ALERT_STEP = timedelta(days=4), timedelta(hours=2)
_CAUGHT_UP = "demo_caught_up"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the whole fortnight in a fresh store, and stop.")] = False,
    score: Annotated[bool, typer.Option("--score", help="Hold what was found against the truth; as --once.")] = False,
    port: Annotated[int, typer.Option(help="Port of the inbox.")] = 8080,
    town_port: Annotated[int, typer.Option(help="Port of the town's sources.")] = PORT,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its record.")] = Path("var/demo"),
    speed: Annotated[float, typer.Option(min=0.0, max=3600.0, help="How many times as fast time runs.")] = 1.0,
    mode: Annotated[
        list[str] | None, typer.Option(help="How a source fails: x=broken; slow, hang, rubbish, rate_limited, revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start the demo town, collect from it over HTTP, tag, open cases, raise alerts and serve the inbox."""
    if once or score:
        _judge(as_json=as_json)
        return
    for wanted, option in ((port, "--port"), (town_port, "--town-port")):
        need_free(wanted, option)
    folder.mkdir(parents=True, exist_ok=True)
    with town_of_today(folder.resolve(), utc_now, speed=speed, port=town_port) as live, _system(live) as system:
        for wish in mode or ():
            _fail(live, wish)
        _live(live, system, port)


def _fail(live: LiveTown, wish: str) -> None:
    source, _, name = wish.partition("=")
    try:
        live.server.set_mode(source, name)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"--mode {wish}: write SOURCE=MODE, such as x=broken ({error})") from None


@contextmanager
def _system(live: LiveTown) -> Iterator[System]:
    system = System(settings=live.settings, now=live.clock, say=lambda line: err.print(line, markup=False))
    try:
        yield system
    finally:
        system.close()


def _live(live: LiveTown, system: System, port: int) -> None:
    """The days before today at once; what comes later today comes while you watch."""
    collecting = Collecting(system.connect, system.store, system.now)
    with Progress() as progress:
        progress("town", f"day {_day(live)} of {DAYS}, its sources answer on {live.server.base_url}")
        live.play()
        progress("load", "the tagger")
        _ = system.tagger
        cycle = run_cycle(system, collecting, collecting.due(system.settings.sources), progress)
        new = sum(outcome.collected.new for outcome in cycle.outcomes)
        if system.store.get_meta(_CAUGHT_UP) is None:
            _catch_up(live, system, collecting, progress)
        counts = system.store.cases.counts(live.clock())
        progress("inbox", f"{counts.todo} cases to do; {new} mentions new, {system.store.mentions.count()} in all")
    ended = threading.Event()
    worker = threading.Thread(target=_go_on, args=(system, collecting, ended), name="line", daemon=True)
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


def _day(live: LiveTown) -> int:
    return min((live.clock().astimezone(ZONE).date() - live.town.first_day).days + 1, DAYS)


def _catch_up(live: LiveTown, system: System, collecting: Collecting, progress: Progress) -> None:
    """The alerts of the days before as they were raised then, and the cases as the town's team worked them off."""
    now = live.clock()
    moment = max(live.town.opens_at, now - _LOOK_BACK)
    while moment < now:
        _alerts_as_of(system, moment)
        progress("alerts", f"as of {moment.astimezone(ZONE):%a %H:%M}")
        moment += _ALERT_STEP
    handled = work_off(system.store, system.settings.policy, system.calendar, now)
    progress("team", f"{handled} cases handled before today")
    system.store.set_meta(_CAUGHT_UP, now.isoformat())
    run_cycle(system, collecting, [], progress)


def _alerts_as_of(system: System, moment: datetime) -> None:
    raise_alerts(system.store, system.settings.policy.rules, system.document, lambda: moment)


def _go_on(system: System, collecting: Collecting, ended: threading.Event) -> None:
    while not ended.wait(_CYCLE_SECONDS):
        try:
            run_cycle(system, collecting, collecting.due(system.settings.sources), patience=_PATIENCE)
        except MonitorError as error:
            err.print(str(error), markup=False)


def _judge(*, as_json: bool) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="luisterpost-") as name,
        Progress() as progress,
        town_of_june(Path(name), utc_now) as live,
        _system(live) as system,
    ):
        progress("load", "the tagger")
        _ = system.tagger
        system.say = lambda _line: None
        log = AlertLog()
        collecting = Collecting(system.connect, system.store, system.now)

        def line(now: datetime) -> None:
            progress("replay", f"day {_day(live)} of {DAYS}, {now.astimezone(ZONE):%H:%M}")
            run_cycle(system, collecting, collecting.due(system.settings.sources))
            log.look(now, system.store.alerts.newest(200))

        replay(live.stage, line)
        collecting.close()
        far = timedelta(days=60)
        stored = system.store.mentions.between(live.town.opens_at - far, live.town.closes_at + far)
        judged = score_of(live.town, stored, log.seen, live.town.closes_at)
    if as_json:
        write_json(judged.to_dict())
    else:
        out.print(table(judged))
