"""The workbench: the add-in in a browser spreadsheet, for people and machines without Excel."""

import re
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp, Message

from tilt.api.pages import STYLE
from tilt.api.running import running
from tilt.settings import addin_path

router = APIRouter(include_in_schema=False)

HOST = "/static/workbench/dist/office.js"
_OFFICE_JS = re.compile(r'<script src="[^"]*/office\.js"></script>')
_NOT_BUILT = """The workbench is not built on this server. Whoever runs it builds it once with
<code>make workbench</code>, or with <code>npm ci</code> and <code>npm run build</code>, which need
Node 20 or later. Everything else of Tilt works without it."""


@router.get("/workbench")
async def workbench() -> HTMLResponse:
    """Open the add-in in a browser spreadsheet."""
    folder = addin_path()
    if not (folder / "static/workbench/dist/main.js").is_file():
        return HTMLResponse(_message("Workbench", _NOT_BUILT), status_code=503)
    return HTMLResponse((folder / "workbench/index.html").read_text(encoding="utf-8"))


@router.get("/workbench/pane")
async def pane(request: Request) -> HTMLResponse:
    """Serve the add-in's own page with our Office host where it loads Excel's."""
    scope: dict[str, object] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": request.url.scheme,
        "path": "/taskpane.html",
        "raw_path": b"/taskpane.html",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", request.headers["host"].encode("latin-1"))],
        "client": request.scope.get("client"),
        "server": request.scope.get("server"),
        "state": {},
    }
    page, found = _OFFICE_JS.subn(
        f'<script src="{HOST}"></script>', await _page(running(request).shipped.app, scope)
    )
    if found != 1:
        raise RuntimeError("the page of the add-in does not load office.js as it used to")
    return HTMLResponse(page)


async def _page(app: ASGIApp, scope: dict[str, object]) -> str:
    """Return what an application answers to a GET."""
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(parts).decode()


def _message(title: str, text: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Tilt'
        f'</title><link rel="stylesheet" href="{STYLE}"></head><body><main><h1>{escape(title)}</h1>'
        f"<p>{text}</p></main></body></html>"
    )
