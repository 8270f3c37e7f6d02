"""Walking through pages without holes: the cursor that goes with a page never promises what was not yielded yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.errors import ResponseNotUnderstood
from monitor.model import Cursor, Json, Mention, Page, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a source.

    `mark` says how far the source is read once this answer is stored: an id or a time, as a JSON value; None: not told.
    `next` is the token that asks for the following answer; None ends the walk.
    """

    mentions: tuple[Mention, ...]
    skipped: tuple[Skipped, ...] = ()
    mark: Json = None
    next: str | None = None


Ask = Callable[[str | None, Json], Answer]
"""ask(token, mark): the answer behind `token` (None: the first) of a walk that started from `mark` (None: never)."""


def newest_first(cursor: Cursor, ask: Ask, *, max_pages: int) -> Iterator[Page]:
    """Walk from the newest mention back to the old mark; `ask` sets `next` to None once it has met that mark.

    Every page repeats the cursor the walk began with, and only the last one carries the mark of the first answer: a
    crash halfway repeats work and leaves no hole. After `max_pages` the place is kept, and the next walk goes on there
    before it looks at anything newer.
    """
    old = cursor.value.get("mark")
    resume = cursor.value.get("resume") or {}
    token: str | None = resume.get("next")
    new = resume.get("mark")
    seen: set[str | None] = {token}
    for count in range(1, max_pages + 1):
        answer = ask(token, old)
        if new is None:
            new = answer.mark
        token = answer.next
        if token is None:
            mark = old if new is None else new
            yield _page(answer, cursor.source_id, {} if mark is None else {"mark": mark})
            return
        _fail_if_repeated(token, seen, cursor.source_id)
        if count == max_pages:
            kept = {"resume": {"mark": new, "next": token}} | ({} if old is None else {"mark": old})
            yield _page(answer, cursor.source_id, kept)
            return
        yield Page(mentions=answer.mentions, skipped=answer.skipped, cursor=cursor)


def oldest_first(cursor: Cursor, ask: Ask, *, max_pages: int) -> Iterator[Page]:
    """Walk from the old mark towards now; each page moves the mark, so a crash repeats at most one page.

    `ask` gets the mark of the page before; after `max_pages` the next walk goes on from the last mark.
    """
    mark = cursor.value.get("mark")
    token: str | None = None
    seen: set[str | None] = {None}
    for _ in range(max_pages):
        answer = ask(token, mark)
        if answer.mark is not None:
            mark = answer.mark
        yield _page(answer, cursor.source_id, {} if mark is None else {"mark": mark})
        token = answer.next
        if token is None:
            return
        _fail_if_repeated(token, seen, cursor.source_id)


def _page(answer: Answer, source_id: str, value: dict[str, Json]) -> Page:
    return Page(mentions=answer.mentions, skipped=answer.skipped, cursor=Cursor(source_id=source_id, value=value))


def _fail_if_repeated(token: str, seen: set[str | None], source_id: str) -> None:
    if token in seen:
        raise ResponseNotUnderstood(
            f"{source_id}: the source pages in a circle: it gave the token {token!r} twice. "
            "Nothing is lost; the next run starts from the same place."
        )
    seen.add(token)
