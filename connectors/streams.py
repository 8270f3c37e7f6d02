"""One source that is several walks, each with a cursor of its own inside the source's; and a first look with an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from connectors.paging import Answer, Ask
from monitor.model import Cursor, Json, Page

Walk = Callable[[Cursor], Iterator[Page]]


def one_after_another(cursor: Cursor, walks: Mapping[str, Walk]) -> Iterator[Page]:
    """The walks in this order; `cursor.value` maps a walk's name to that walk's own cursor value."""
    state = {name: value for name, value in cursor.value.items() if isinstance(value, dict)}
    for name, walk in walks.items():
        for page in walk(Cursor(source_id=cursor.source_id, value=state.get(name) or {})):
            if page.cursor.value:
                state = {**state, name: dict(page.cursor.value)}
            yield replace(page, cursor=Cursor(source_id=cursor.source_id, value=state))


def bounded_first_look(ask: Ask, max_pages: int) -> Ask:
    """The same, but a walk that never ran before ends after `max_pages`: what is new matters more than all history."""
    count = 0

    def bounded(token: str | None, mark: Json) -> Answer:
        nonlocal count
        count += 1
        answer = ask(token, mark)
        return replace(answer, next=None) if mark is None and count >= max_pages else answer

    return bounded
