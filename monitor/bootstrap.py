"""The composition root: the only module that knows concrete classes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from monitor.config import Settings
from monitor.domain.clock import Calendar, calendar_of
from monitor.errors import ConfigError
from monitor.model import SearchDocument, Source, Stored
from monitor.net.client import HttpClient
from monitor.notifiers import notifiers
from monitor.protocols import Clock, Connector, Notifier, SearchIndex, Store
from monitor.search.document import document

if TYPE_CHECKING:
    from nlp.tagger import SpacyTagger


_DOCUMENTS_KEPT = 20_000


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass
class System:
    """Everything the line, the inbox and the command line work with. Opened late: a command pays for what it uses."""

    settings: Settings
    now: Clock = utc_now
    say: Callable[[str], None] = field(default=lambda line: print(line, file=sys.stderr))  # noqa: T201 - the console

    @cached_property
    def store(self) -> Store:
        """The record, with its schema brought up to date."""
        from monitor.store import open_store  # noqa: PLC0415 - opened late, and SQLAlchemy takes time to import

        store = open_store(self.settings.store)
        store.upgrade()
        return store

    @cached_property
    def search(self) -> SearchIndex:
        """The search index."""
        from monitor.search.sqlite import SqliteIndex  # noqa: PLC0415 - opened late

        return SqliteIndex(self.settings.search)

    @cached_property
    def http(self) -> HttpClient:
        """The one HTTP client."""
        return HttpClient(self.settings.net, now=self.now)

    @cached_property
    def tagger(self) -> SpacyTagger:
        """The tagger for the configured topics and languages; takes a second or two to load."""
        from nlp.tagger import load_tagger  # noqa: PLC0415 - spaCy and the model take seconds to load

        return load_tagger(self.settings.topics, self.settings.languages, self.settings.brand)

    @cached_property
    def calendar(self) -> Calendar:
        """When the team works."""
        return calendar_of(self.settings.policy, self.settings.time_zone)

    @cached_property
    def notifiers(self) -> Mapping[str, Notifier]:
        """Channels by name."""
        return notifiers(self.settings.policy.notify, self.say)

    @cached_property
    def document(self) -> Callable[[Stored], SearchDocument]:
        """A row of the record as it is searched. What did not change since the last look is not built anew."""
        known: dict[tuple[int, int], SearchDocument] = {}

        def built(stored: Stored) -> SearchDocument:
            key = (stored.no, stored.revision)
            found = known.get(key)
            if found is None:
                if len(known) >= _DOCUMENTS_KEPT:
                    known.clear()
                found = known[key] = document(stored)
            return found

        return built

    def connect(self, source: Source) -> Connector:
        """The connector of a configured source. Raises ConfigError where its options are wrong or incomplete."""
        import connectors  # noqa: PLC0415 - opened late

        if source.missing:
            raise ConfigError(f"{source.name}: set {', '.join(source.missing)} in the environment or in config/.env")
        connector: Connector = connectors.load(source.connector)(source, self.http, self.now)
        return connector

    def source(self, source_id: str) -> Source:
        """A configured source by id. Raises ConfigError with the known ids."""
        for source in self.settings.sources:
            if source.id == source_id:
                return source
        known = ", ".join(s.id for s in self.settings.sources) or "none yet"
        raise ConfigError(f"no source called {source_id!r} in {self.settings.folder / 'sources.yaml'}; known: {known}")

    def close(self) -> None:
        """Let go of whatever was opened."""
        for name in ("http", "search", "store"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                with contextlib.suppress(Exception):
                    opened.close()
