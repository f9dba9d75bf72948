"""Who is let in: host, origin, client header, API key, rate and size, before any body is read."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tilt.api.problems import RefusedError, problem_of
from tilt.api.rates import Rates
from tilt.audit import ACTOR
from tilt.errors import TiltError
from tilt.security.deciding import LOCAL, NOBODY, Who
from tilt.settings import LOOPBACK, Settings

READS = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC = (  # what Excel loads before anybody can sign in; holds no data
    "/static/",
    "/help",
    "/health",
    "/taskpane",
    "/manifest",
    "/workbench",
    "/favicon.ico",
    "/api/v1/sign-in",
    "/docs",
    "/openapi.json",
    "/xlwings/alert",
    "/xlwings/custom-functions-meta",
    "/xlwings/custom-functions-code",
    "/xlwings/custom-scripts-meta",
)
_CLIENT = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SIZE = re.compile(r"\d{1,15}")

Authenticate = Callable[[str], Awaitable[Who]]


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the host names that requests may be addressed to."""
    return LOOPBACK | {h.lower() for h in (*settings.allowed_hosts, settings.host)}


class Guard:
    """Refuses what is not let in, and counts the bytes of what is.

    authenticate : from an ``Authorization`` header to the user, or None when everybody on this
        machine is let in
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, authenticate: Authenticate | None, rates: Rates
    ) -> None:
        self.app = app
        self.hosts = allowed_hosts(settings)
        self.most = settings.max_body_bytes
        self.authenticate = authenticate
        self.seconds = settings.body_seconds
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_origin(scope["method"], headers)
            who = await self._who(scope["method"], scope["path"], headers)
            await self._check_rate(who.id)
            self._check_size(headers)
        except TiltError as error:
            await problem_of(scope["path"], error)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(user=who.id, who=who, touched=set())
        ACTOR.set(replace(ACTOR.get(), who=who.id))
        await self.app(scope, self._counted(receive), send)

    def _check_origin(self, method: str, headers: Headers) -> None:
        host = _host_name(headers.get("host", ""))
        if host not in self.hosts:
            raise RefusedError(
                f"This server does not answer to the host '{host}'. Name it in TILT_ALLOWED_HOSTS.",
                421,
            )
        if method in READS:
            return
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower():
            raise RefusedError("The request comes from the page of another origin.", 403)
        if not _CLIENT.fullmatch(headers.get("x-tilt-client", "")):
            raise RefusedError(
                f"Every {method} needs the header X-Tilt-Client: a name of 1 to 32 letters.", 403
            )

    async def _who(self, method: str, path: str, headers: Headers) -> Who:
        if self.authenticate is None:
            return LOCAL
        if method in READS and (path == "/" or path.startswith(PUBLIC)):
            return NOBODY
        return await self.authenticate(headers.get("authorization", ""))

    async def _check_rate(self, user: str) -> None:
        seconds = await self.rates.wait_for(user)
        if seconds == 0:
            return
        raise RefusedError(
            f"More than {self.rates.limit.amount:,} requests in a minute. Wait {seconds} seconds, "
            "or have TILT_REQUESTS_PER_MINUTE raised.",
            429,
            "#N/A",
            retry=seconds,
        )

    def _check_size(self, headers: Headers) -> None:
        declared = headers.get("content-length")
        if declared is None:
            return
        if not _SIZE.fullmatch(declared):
            raise RefusedError("Content-Length is not a number of bytes.")
        if int(declared) > self.most:
            raise self._too_large()

    def _counted(self, receive: Receive) -> Receive:
        read = 0
        until = asyncio.get_running_loop().time() + self.seconds
        whole = False

        async def counted() -> Message:
            nonlocal read, whole
            if whole:  # what comes now is the client's going away, whenever that is
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise RefusedError(
                    f"The request did not arrive within {self.seconds:g} seconds.", 408, "#N/A"
                ) from None
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > self.most:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> RefusedError:
        return RefusedError(
            f"The request is larger than {self.most:,} bytes. "
            "Send fewer cells, or raise TILT_MAX_BODY_BYTES.",
            413,
        )


def _host_name(host: str) -> str:
    """Return the host without its port, in lower case; IPv6 without its brackets."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if ":" in name else name
