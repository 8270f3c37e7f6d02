"""Who are you, and how do you like it: the first minute and the page "me"."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from monitor.text.clean import one_line
from monitor.web.page import AGENT_COOKIE, back, desk_of, draw, remember
from monitor.web.security import own_path, token_holds
from monitor.web.words import LANGUAGES

_THEMES = frozenset({"system", "light", "dark"})
router = APIRouter(include_in_schema=False)
Short = Annotated[str, Form(max_length=200)]


@router.get("/me")
def me(request: Request) -> Response:
    """Name, language, theme and keys."""
    return draw(request, "me.html", agents=desk_of(request).settings.policy.agents)


@router.post("/me")
def save_me(  # noqa: PLR0913, PLR0917 - a form's fields
    request: Request,
    token: Short = "",
    agent: Short = "",
    other: Short = "",
    language: Short = "",
    theme: Short = "",
    letters: Short = "",
    next: Short = "/",  # noqa: A002 - the field's name in every form
) -> Response:
    """Kept in this browser. Only what was sent is changed."""
    if not token_holds(request, token):
        raise HTTPException(403)
    answer = back(own_path(next))
    name = one_line(other or agent, 60)
    if name:
        remember(answer, AGENT_COOKIE, name)
    if language in LANGUAGES:
        remember(answer, "language", language)
    if theme in _THEMES:
        remember(answer, "theme", theme)
    if letters in {"on", "off"}:
        remember(answer, "letters", letters)
    return answer
