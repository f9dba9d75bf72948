"""Errors as RFC 9457 problem details, with the Excel error value beside them."""

import logging
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from tilt.errors import TiltError

log = logging.getLogger(__name__)

CLIENT_GONE = 499  # as nginx counts it; HTTP has no status for it
INTERNAL = "Tilt failed inside; nothing is wrong with the call. The server's log has the details."


class RefusedError(TiltError):
    """A request that is not let in, or whose envelope is not what it must be."""

    def __init__(
        self, detail: str, status: int = 400, cell: str = "#VALUE!", *, retry: int = 0
    ) -> None:
        super().__init__(detail)
        self.refused = status
        self.shown = cell
        self.retry = retry  # seconds until it may be let in


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


def status_of(error: TiltError) -> int:
    """Return the HTTP status of an error."""
    return error.refused if isinstance(error, RefusedError) else error.status


def cell_of(error: TiltError) -> str:
    """Return the Excel error value that an error shows as."""
    return error.shown if isinstance(error, RefusedError) else error.cell


def problem(path: str, detail: str, *, status: int, cell: str, retry: int = 0) -> Response:
    """Return a problem document.

    The same request may go through ``retry`` seconds later, which the body says too: what the
    add-in asks with hands on no header.

    Under ``/xlwings`` its type is ``application/json``: the add-in's JavaScript parses no other.
    """
    body: dict[str, str | int] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "cell": cell,
    }
    kind = "application/json" if path.startswith("/xlwings/") else "application/problem+json"
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if retry or status == HTTPStatus.SERVICE_UNAVAILABLE:
        body["retry_after"] = retry or 1
        headers["Retry-After"] = str(retry or 1)
    return Response(orjson.dumps(body), status_code=status, media_type=kind, headers=headers)


def problem_of(path: str, error: TiltError) -> Response:
    """Return the problem document of an error."""
    retry = error.retry if isinstance(error, RefusedError) else 0
    return problem(path, str(error), status=status_of(error), cell=cell_of(error), retry=retry)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    async def tilt_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, TiltError):
            raise error
        return problem_of(request.url.path, error)

    async def http_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return problem(
            request.url.path, str(error.detail), status=error.status_code, cell="#VALUE!"
        )

    async def invalid(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        detail = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        return problem(request.url.path, detail, status=422, cell="#VALUE!")

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)  # for the log line alone

    async def internal(request: Request, error: Exception) -> Response:
        log.error("a request failed inside", exc_info=error)
        return problem(request.url.path, INTERNAL, status=500, cell="#VALUE!")

    app.add_exception_handler(TiltError, tilt_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ClientGoneError, gone)
    app.add_exception_handler(Exception, internal)
