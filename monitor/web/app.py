"""The inbox as one FastAPI application. Serves loopback only until accounts exist."""

from __future__ import annotations

import uuid
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from monitor.config import Settings
from monitor.domain.clock import calendar_of
from monitor.errors import SearchUnavailable, StoreError
from monitor.protocols import Clock, SearchIndex, Store
from monitor.web import alerts, api, case, inbox, live, search, sources, start
from monitor.web.page import Desk, desk_of, draw
from monitor.web.security import HEADERS, Shield

_log = structlog.get_logger(__name__)


def create_app(store: Store, index: SearchIndex, settings: Settings, now: Clock, *, town: bool = False) -> FastAPI:
    """The application. `town`: the data is a demo, and every page says so."""
    app = FastAPI(title="Luisterpost", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.desk = Desk(
        store=store,
        index=index,
        settings=settings,
        now=now,
        calendar=calendar_of(settings.policy, settings.time_zone),
        town=town,
    )
    for module in (inbox, case, search, alerts, sources, start, live, api):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_api_route("/health", health, methods=["GET"])
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StoreError, _failed)
    app.add_exception_handler(SearchUnavailable, _failed)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Shield)
    return app


def health(request: Request) -> JSONResponse:
    """200 while the record answers, else 503."""
    try:
        return JSONResponse(api.health_json(desk_of(request)))
    except StoreError as error:
        return JSONResponse({"status": "down", "error": str(error)}, status_code=503)


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/openapi", "/health", "/live"))


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    if _wants_json(request):
        return JSONResponse({"error": detail}, status_code=status)
    return draw(request, "error.html", status=status, status_code=status, number="")


async def _invalid(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    told = [{"field": ".".join(map(str, fault["loc"])), "error": fault["msg"]} for fault in faults]
    if _wants_json(request):
        return JSONResponse({"error": told}, status_code=422)
    status = 404 if any(fault["loc"][:1] == ("path",) for fault in faults) else 422
    return draw(request, "error.html", status=status, status_code=status, number="")


async def _failed(request: Request, error: Exception) -> Response:
    number = uuid.uuid4().hex[:8]
    _log.error("request failed", number=number, path=request.url.path, kind=type(error).__name__)
    known = isinstance(error, StoreError | SearchUnavailable)
    status = 503 if known else 500
    message = str(error) if known else "something went wrong on our side"
    answer: Response = (
        JSONResponse({"error": message, "number": number}, status_code=status)
        if _wants_json(request) or isinstance(error, StoreError)
        else draw(request, "error.html", status=status, status_code=status, number=number)
    )
    answer.headers.update(HEADERS)  # an unexpected fault is answered outside the shield
    return answer
