"""A town with its own clock, and processes that have imported the line already."""

import multiprocessing
from datetime import UTC, datetime
from typing import Any

import pytest

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def processes() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "tests.e2e.workers"])  # what a life would import itself
    return context
