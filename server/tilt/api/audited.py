"""Each request in the audit: who asked for what, from where, with which run ids came out."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tilt.api.entrances import BUTTONS
from tilt.api.guard import READS
from tilt.api.problems import problem_of
from tilt.api.routes import whole_path
from tilt.api.trail import REFUSED, Trail
from tilt.audit import ACTOR, Actor, Entry
from tilt.data import portfolios
from tilt.errors import TiltError
from tilt.monitoring import REQUEST_ID
from tilt.sealing import seal_of
from tilt.security.deciding import LOCAL, Thing

COMPUTED, EXPORTED, ASKED, PRESSED = "computed", "exported", "asked", "pressed"
RUNS: ContextVar[list[str] | None] = ContextVar("runs", default=None)
_CELLS = ("/xlwings/custom-functions-batch", "/xlwings/custom-functions-call")
_BUTTONS = "/xlwings/custom-scripts-call/"
_REST = "/api/v1/"
_POLLED = ("/api/v1/status", "/api/v1/jobs")  # asked every second; they compute nothing
_FILES = "/api/v1/reports/"
_OBJECTS = frozenset({"portfolio", "universe", "configuration"})
_MOST_NAMED = 50
_SILENT = "silent"
_SEEN_AGAIN = 3600.0  # seconds


def found_run(run: str) -> None:
    """Note that the request that is answered now shows a run."""
    runs = RUNS.get()
    if runs is not None and run not in runs:
        runs.append(run)


def tell_cells(scope: Scope, counts: Mapping[str, int], failed: int, *, waits: bool) -> None:
    """Say what cells a batch had, for its one entry.

    Parameters
    ----------
    counts : of the calls of each function
    failed : how many calls were answered by an error
    waits : whether it only asked again for a job that runs, which is no news
    """
    told = scope.get("state", {}).get("audited")
    if told is not None:
        told |= {"cells": sum(counts.values()), "functions": {**counts}, "failed": failed}
        told |= {_SILENT: True} if waits else {}


class Audited:
    """Stands before the guard, whose refusals it notes; who asks is known behind it.

    Cells and reading requests are gathered; of all others the entry is on record before the client
    has the answer, and if it cannot be written, the answer is that.
    """

    def __init__(self, app: ASGIApp, trail: Trail, catalog: Engine) -> None:
        self.app = app
        self.trail = trail
        self.catalog = catalog
        self._seen: dict[tuple[str, str], float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["audited"] = {}
        client = Headers(scope=scope).get("x-tilt-client", "")
        ACTOR.set(Actor("", client, REQUEST_ID.get()))
        RUNS.set([])
        refused = answered = False

        async def noted(message: Message) -> None:
            nonlocal refused, answered
            if message["type"] == "http.response.start":
                answered = True
                try:
                    await self._note(scope, message["status"])
                except TiltError as error:
                    refused = True
                    await problem_of(scope["path"], error)(scope, receive, send)
            if not refused:
                await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            if not answered:  # it failed inside, after it may have done something
                await self._note(scope, 500)

    async def _note(self, scope: Scope, status: int) -> None:
        self._note_sign_in(scope)
        action = _action(scope, status)
        if not action or scope["state"]["audited"].get(_SILENT):
            return
        told = {**scope["state"]["audited"], "status": status}
        looked_at = list(scope["state"].get("touched", ()))  # work left behind may still add to it
        touched = [thing for thing in looked_at if thing.kind in _OBJECTS]
        if touched:
            told["objects"] = await asyncio.to_thread(self._named, touched)
        entry = Entry(action, _subject(scope), told, tuple(RUNS.get() or ()), _actor(scope))
        if action in (COMPUTED, REFUSED):
            self.trail.gather(entry)
        else:
            await asyncio.to_thread(self.trail.add, entry)

    def _note_sign_in(self, scope: Scope) -> None:
        """Note who is there, once an hour for each of a server's users and programs."""
        actor = _actor(scope)
        if not actor.who or scope["state"].get("who") == LOCAL:
            return
        key, now = (actor.who, actor.client), time.monotonic()
        if now - self._seen.get(key, -_SEEN_AGAIN) >= _SEEN_AGAIN:
            self._seen = {k: at for k, at in self._seen.items() if now - at < _SEEN_AGAIN}
            self._seen[key] = now
            self.trail.gather(Entry("signed in", "server", actor=actor))

    def _named(self, touched: Iterable[Thing]) -> list[str]:
        """Return objects as the audit names them: an encrypted portfolio by its id."""
        things = sorted({(t.kind, t.name) for t in touched})[:_MOST_NAMED]
        secret = "portfolio" if seal_of(self.catalog).on else ""  # the kind whose names are
        ids: dict[str, str] = {}
        if any(kind == secret for kind, _ in things):
            by_id = portfolios.names_by_id(self.catalog)
            ids = {name.casefold(): kept for kept, name in by_id.items()}
        return [
            f"{kind} {ids.get(name.casefold(), '~') if kind == secret else name}"
            for kind, name in things
        ]


def _actor(scope: Scope) -> Actor:
    before = ACTOR.get()
    return Actor(scope["state"].get("user", ""), before.client, before.request)


def _action(scope: Scope, status: int) -> str:
    """Return what a request is called in the audit; empty for one that is not there."""
    path, reads = scope["path"], scope["method"] in READS
    if status in (401, 403, 421, 429):
        return REFUSED
    if path in _CELLS:
        return COMPUTED
    if path.startswith(_BUTTONS):
        return PRESSED
    if not path.startswith(_REST) or (reads and path.startswith(_POLLED)):
        return ""
    if reads:
        return EXPORTED if path.startswith(_FILES) else COMPUTED
    return ASKED


def _subject(scope: Scope) -> str:
    """Return what was asked for, without the parts of the path that a client chose."""
    if scope["path"] in _CELLS:
        return "cells"
    if scope["path"].startswith(_BUTTONS) and getattr(scope.get("route"), "path", ""):
        name = scope["path"].removeprefix(_BUTTONS)
        return f"button {name if name in BUTTONS else 'that is none'}"
    return f"{scope['method']} {whole_path(scope)}"
