"""Request bodies read, and clients that went away noticed."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import TypeVar

import orjson
from starlette.requests import Request

from tilt.api.problems import ClientGoneError, RefusedError

T = TypeVar("T")
_LARGE = 2**20  # bytes


async def read_json(request: Request) -> dict[str, object]:
    """Return the JSON object in the body of a request.

    Raises
    ------
    RefusedError
        If it is declared as something else, is not JSON (NaN and Infinity are not), or no object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError("The body must be JSON: Content-Type application/json.", 415)
    try:
        body = _parsed(await request.body())
    except orjson.JSONDecodeError as error:
        raise RefusedError(f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    return body


def _parsed(content: bytes) -> object:
    """Return what JSON says; a large body is read without looking for garbage meanwhile.

    A whole column is a million short lists, and the collector would go through them again and
    again while the event loop waits.
    """
    if len(content) < _LARGE or not gc.isenabled():
        return orjson.loads(content)
    gc.disable()
    try:
        return orjson.loads(content)
    finally:
        gc.enable()


async def until_gone(request: Request, work: Coroutine[object, object, T]) -> T:
    """Return what ``work`` returns; cancel it if the client goes away. The body must be read."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGoneError
    finally:
        working.cancel()
        leaving.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
