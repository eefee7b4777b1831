"""Errors: RFC 9457 problem details for programs, a readable page for people. One place, so that no route invents its own."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from screener.errors import ScreenerError, UnknownCodeError, UsageError
from screener.serve.pages import problem_page
from screener.serve.security import HEADERS

_FOR_PROGRAMS = ("/v1/", "/healthz", "/openapi.json")


def add_handlers(app: FastAPI) -> None:
    """Register the handlers of every error that a route can raise."""
    app.add_exception_handler(ScreenerError, _screener_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def _screener_error(request: Request, error: Exception) -> Response:
    if isinstance(error, UnknownCodeError):
        return _reply(request, 404, str(error), error=error)
    if isinstance(error, UsageError):
        return _reply(request, 400, str(error))
    structlog.get_logger().error("serve.failed", path=request.url.path, error=str(error))
    return _reply(request, 503, "the results store can't be read; the server's log says why")


def _validation_error(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in found)
    return _reply(request, 422, detail or "a parameter is of the wrong form")


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    response = _reply(request, status, f"{request.method} {request.url.path}: {HTTPStatus(status).phrase.lower()}")
    response.headers.update(headers)
    return response


def _unexpected(request: Request, error: Exception) -> Response:
    """The outermost handler answers past the middleware, so it sets the headers itself. The framework logs the traceback."""
    structlog.get_logger().error("serve.crashed", path=request.url.path, error=type(error).__name__)
    response = _reply(request, 500, "an error of the server; its log says more")
    response.headers.update(HEADERS)
    return response


def _reply(request: Request, status: int, detail: str, *, error: UnknownCodeError | None = None) -> Response:
    if not request.url.path.startswith(_FOR_PROGRAMS):
        return problem_page(request, status, error)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    body["instance"] = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if error is not None:
        body["legal"] = list(error.legal)
    return JSONResponse(body, status, media_type="application/problem+json", headers={"Cache-Control": "no-store"})
