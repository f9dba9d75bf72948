"""Writes with an ``Idempotency-Key``: sent again, they are answered again and not done again."""

import asyncio
import hashlib
import re
from contextlib import suppress

from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tilt.api import permission
from tilt.api.guard import READS
from tilt.api.problems import RefusedError, problem_of
from tilt.errors import BusyError, TiltError, UnknownNameError
from tilt.jobs.repeats import Answer, Repeats
from tilt.security.deciding import NOBODY, Thing, Who

MOST_KEPT = 8 * 2**20  # bytes of an answer
_TRIES, _PAUSE = 10, 1.0  # seconds, while the catalog is away
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_NOT_FINAL = frozenset({401, 403, 408, 409, 413, 429, 499})  # another try may succeed


class Idempotency:
    """Stands behind the guard, which names the user; one user's keys are nothing to another."""

    def __init__(self, app: ASGIApp, repeats: Repeats, catalog: Engine) -> None:
        self.app = app
        self.catalog = catalog
        self.repeats = repeats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS:
            await self.app(scope, receive, send)
            return
        key = Headers(scope=scope).get("idempotency-key")
        if key is None or not scope["path"].startswith("/api/v1/"):
            await self.app(scope, receive, send)
            return
        try:
            await self._once(key, scope, receive, send)
        except TiltError as error:
            await problem_of(scope["path"], error)(scope, receive, send)

    async def _once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not _KEY.fullmatch(key):
            raise RefusedError("Idempotency-Key must be 1 to 128 visible ASCII characters.")
        body = await _whole(receive)
        asked = _fingerprint(scope, body)
        owner = str(scope.get("state", {}).get("user", ""))
        before = await asyncio.to_thread(self.repeats.begin, owner, key, asked)
        if before is None:
            await self._carry_out(owner, key, asked, body, scope, receive, send)
            return
        if before.request != asked:
            raise RefusedError(
                "This Idempotency-Key was used for another request within 24 hours. Use a new key.",
                422,
            )
        if before.status == 0:
            raise RefusedError(
                "The request with this Idempotency-Key is still being carried out. "
                "Send it again in a moment.",
                409,
            )
        await asyncio.to_thread(self._require_seen, scope, owner, key)
        again = {"Idempotency-Replayed": "true"}
        if before.content_type:
            again["Content-Type"] = before.content_type
        await Response(before.body, before.status, again)(scope, receive, send)

    async def _carry_out(
        self,
        owner: str,
        key: str,
        asked: str,
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        heard = _Heard(send)
        final = False
        try:
            await self.app(scope, _replayed(body, receive), heard.send)
            final = heard.status < 500 and heard.status not in _NOT_FINAL and not heard.too_long
        finally:
            if final:
                kind = heard.content_type
                answer = Answer(asked, heard.status, kind, bytes(heard.body))
                await self._put_on_record(scope, owner, key, answer)
            else:
                await asyncio.to_thread(self.repeats.forget, owner, key)
        await heard.let_go()

    async def _put_on_record(self, scope: Scope, owner: str, key: str, answer: Answer) -> None:
        """Keep an answer, also if the catalog is away just now: the write itself is done."""
        for _ in range(_TRIES):
            with suppress(BusyError):
                await asyncio.to_thread(self._finish, scope, owner, key, answer)
                return
            await asyncio.sleep(_PAUSE)
        await asyncio.to_thread(self._finish, scope, owner, key, answer)

    def _finish(self, scope: Scope, owner: str, key: str, answer: Answer) -> None:
        permission.let_in(*_asking(scope))
        permission.remember(self.catalog, Thing("answer", key, owner))
        self.repeats.finish(owner, key, answer)

    def _require_seen(self, scope: Scope, owner: str, key: str) -> None:
        """Refuse an answer of before to who may no longer see what it rests on."""
        permission.let_in(*_asking(scope))
        what = Thing("answer", key, owner)
        words = "What you were answered before is no longer there for you."
        permission.require_rests(self.catalog, what, lambda: UnknownNameError(words))


def _asking(scope: Scope) -> tuple[Who, set[Thing]]:
    told = scope.get("state", {})
    return told.get("who", NOBODY), told.get("touched", set())


class _Heard:
    """What an application answers: held back until it is on record, unless it is too long for that.

    A client that has its answer may send the request again at once, and is to find it answered.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self.status = 500
        self.content_type = ""
        self.body = bytearray()
        self.too_long = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.content_type = Headers(raw=message.get("headers", [])).get("content-type", "")
        elif message["type"] == "http.response.body" and not self.too_long:
            self.body += message.get("body", b"")
            self.too_long = len(self.body) > MOST_KEPT
        self._held.append(message)
        if self.too_long:
            await self.let_go()

    async def let_go(self) -> None:
        """Pass on what is held back."""
        held, self._held = self._held, []
        for message in held:
            await self._send(message)


def _fingerprint(scope: Scope, body: bytes) -> str:
    kind = Headers(scope=scope).get("content-type", "")
    digest = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"],
                 kind.encode(), body):  # fmt: skip
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


async def _whole(receive: Receive) -> bytes:
    """Return the body; the guard counts its bytes."""
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
