"""What every command needs: the settings of the folder that was asked for, opened and closed in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.bootstrap import System
from monitor.cli.output import err
from monitor.configfile import load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Config = Annotated[
    Path,
    typer.Option("--config", envvar="MONITOR_CONFIG", help="Folder with monitor.yaml, sources.yaml and the others."),
]
DEFAULT_CONFIG = Path("config")


@contextmanager
def opened(config: Path) -> Iterator[System]:
    """The system of this folder; closed at the end, whatever happens."""
    system = System(settings=load_settings(config, os.environ), say=lambda line: err.print(line, markup=False))
    try:
        yield system
    finally:
        system.close()
