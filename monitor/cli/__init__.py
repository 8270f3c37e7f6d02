"""The command line: `monitor`. Expected faults end with a sentence and exit status 1, not with a stack trace."""

from __future__ import annotations

import errno
import logging
import os
import sys

import structlog
import typer

import monitor.cli.demo as demo_commands
from monitor.cli import configure, line, search
from monitor.cli.output import err
from monitor.errors import MonitorError

app = typer.Typer(
    name="monitor",
    help="Luisterpost: collect what people say about a brand, tag it, triage it, warn in time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for module in (line, configure, search, demo_commands):
    module.register(app)

_SENTENCES = {
    errno.ENOSPC: "the disk is full: make room, then run the same command again; nothing that was stored is lost",
    errno.EROFS: "this folder is read-only: choose another one, or set MONITOR_STORE and MONITOR_SEARCH elsewhere",
    errno.EACCES: "this file or folder may not be used by you: change its permissions, or choose another one",
    errno.EADDRINUSE: "this port is in use: stop the other program, or choose another port with --port",
}


def main() -> None:
    """Run the command that was asked for."""
    _log_to_stderr()
    try:
        app()
    except MonitorError as error:
        _stop(str(error))
    except OSError as error:
        sentence = _SENTENCES.get(error.errno or 0)
        _stop(f"{error.filename or 'system'}: {sentence or error.strerror or error}")
    except KeyboardInterrupt:
        err.print("stopped")
        sys.stderr.flush()
        os._exit(130)


def _stop(sentence: str) -> None:
    err.print("[bold red]error[/]:", end=" ")
    err.print(sentence, markup=False)
    sys.exit(1)


class _Stderr:
    """Standard error as it is when something is written: whoever replaces it later gets what comes later."""

    def write(self, text: str) -> int:
        """As a stream."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """As a stream."""
        sys.stderr.flush()


def _log_to_stderr() -> None:
    """JSON lines with control characters escaped, warnings and worse; MONITOR_LOG=info or debug shows more."""
    level = getattr(logging, os.environ.get("MONITOR_LOG", "warning").upper(), logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(_Stderr()),  # type: ignore[arg-type]  # all it does is write and flush,
    )
    logging.basicConfig(level=level, stream=sys.stderr, format='{"level": "%(levelname)s", "logger": "%(name)s"}')
