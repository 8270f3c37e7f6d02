"""Bringing the schema to the version of this code, and refusing a record that is newer than it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from monitor.errors import StoreError
from monitor.store.engine import Database

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(database: Database) -> None:
    """Run what is missing under the write lock, so that several processes may start at once."""
    check(database)

    def work(conn: sa.Connection) -> None:
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        broken = conn.exec_driver_sql("PRAGMA foreign_key_check").first() if conn.dialect.name == "sqlite" else None
        if broken is not None:
            raise StoreError(f"{database.path} was left as it was: a row of {broken[0]} points at nothing.")

    database.migrate(work)


def check(database: Database) -> None:
    """Raise StoreError for a record that a newer version wrote: this code would not understand it."""
    version = database.read(lambda conn: MigrationContext.configure(conn).get_current_revision())
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        message = (
            f"{database.path} was written by a newer Luisterpost (schema {version}). "
            "Install that version, or put back a backup of before."
        )
        raise StoreError(message)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
