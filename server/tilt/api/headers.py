"""The outermost layer: security headers, a request id and one log line for every answer."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tilt.api.leaving import Leaving
from tilt.api.routes import whole_path
from tilt.monitoring import REQUEST_ID

log = logging.getLogger("tilt.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_IMAGES = (".png", ".ico", ".svg")

# Excel on the web shows the add-in in a frame of one of these
OFFICE_HOSTS = (
    "https://*.officeapps.live.com https://*.office.com https://*.office365.com "
    "https://*.microsoft365.com https://*.cloud.microsoft https://*.sharepoint.com "
    "https://*.live.com"
)


def content_security_policy(sign_in: str = "") -> str:
    """Return what a page may load, reach and be framed by.

    sign_in : address where people sign in to Microsoft, whose library asks it for tokens; empty
        where nobody does
    """
    where = urlsplit(sign_in)
    reached = "'self' https://*.office.com https://*.microsoft.com"
    return "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' https://appsforoffice.microsoft.com",
            "style-src 'self' 'unsafe-inline'",  # Office.js and the spreadsheet set styles
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            f"connect-src {reached}" + (f" {where.scheme}://{where.netloc}" if sign_in else ""),
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors 'self' {OFFICE_HOSTS}",
        ]
    )


SECURITY_HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "Cross-Origin-Resource-Policy": "cross-origin",  # Excel on the web loads it from its own origin
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Permitted-Cross-Domain-Policies": "none",
}


class OuterLayer:
    """Wraps the whole application, also its answers to failures inside.

    answered : told the path, the status and the seconds of every answer
    leaving : whether the server was told to end; each answer then ends its connection, so that the
        client's next request goes to another server
    sign_in : address where people sign in to Microsoft, empty where nobody does
    """

    def __init__(
        self,
        app: ASGIApp,
        answered: Callable[[str, int, float], None],
        leaving: Leaving,
        sign_in: str = "",
    ) -> None:
        self.app = app
        self.answered = answered
        self.leaving = leaving
        self.policy = content_security_policy(sign_in)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        token = REQUEST_ID.set(request_id)
        start = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["Content-Security-Policy"] = self.policy
                headers["X-Request-ID"] = request_id
                headers["Cache-Control"] = _caching(scope)
                if self.leaving.told:
                    headers["Connection"] = "close"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        try:
            await self.app(scope, receive, dressed)
        finally:
            seconds = time.perf_counter() - start
            self.answered(scope["path"], status, seconds)
            fields = {
                "method": scope["method"],
                "path": whole_path(scope),  # without what may be private: names, and the query
                "status": status,
                "ms": round(1e3 * seconds, 1),
                "user": scope.get("state", {}).get("user", ""),
            }
            log.info("request", extra={"fields": fields})
            REQUEST_ID.reset(token)


def _caching(scope: Scope) -> str:
    if scope["method"] == "GET" and scope["path"].startswith("/static/"):
        # Excel on Windows shows no ribbon icon that it may not keep
        return "max-age=86400" if scope["path"].endswith(_IMAGES) else "no-cache"
    return "no-store"
