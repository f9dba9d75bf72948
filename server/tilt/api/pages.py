"""Pages for people: the guides, one per cell function, and the HTTP routes."""

from collections.abc import Iterable, Iterator
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from tilt.api.cells import Cell, find
from tilt.api.examples import examples
from tilt.api.guides import (
    PICTURE,
    Guide,
    folder,
    guide_body,
    guides,
    section_about,
    sections,
)
from tilt.api.problems import RefusedError
from tilt.api.running import running

router = APIRouter(include_in_schema=False)

STYLE = "/static/css/help.css"
PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}


def function_page(cell: Cell) -> str:
    """Return the help page of one function."""
    arguments = _table(
        ("argument", "", "meaning"),
        (
            (a.name, "optional" if a.optional else "needed", _with_choices(a.doc, a.choices))
            for a in cell.arguments
        ),
    )
    options = _table(("option", "meaning"), cell.options.items()) if cell.options else ""
    body = [
        f"<h1>{escape(cell.name.upper())}</h1>",
        f"<p>{escape(cell.summary)}</p>",
        f"<pre>={escape(cell.signature)}</pre>",
        *[f"<p>{escape(p)}</p>" for p in cell.description.split("\n\n") if p.strip()],
        f"<h2>Result</h2><p>{escape(cell.result)}</p>",
        f"<h2>Arguments</h2>{arguments}" if cell.arguments else "",
        f"<h2>Options</h2>{options}" if options else "",
        *_example(cell),
        _conventions(cell.name.upper()),
        '<p><a href="/help">All functions</a></p>',
    ]
    return _page(cell.name.upper(), "\n".join(body))


def _example(cell: Cell) -> Iterator[str]:
    """Yield a function's example with what it gives over the embedded sample, and a slip."""
    yield f"<h2>Example</h2><pre>{escape(cell.example)}</pre>"
    known = examples().get(cell.name, {})
    if known.get("formula") != cell.example:
        return
    ranges, rows, slip = known["ranges"], known["rows"], known["slip"]
    if isinstance(ranges, dict) and ranges:
        words = "; ".join(f"{place} holds {said}" for place, said in ranges.items())
        yield f"<p>Here {escape(words)}.</p>"
    if isinstance(rows, list) and rows:
        more = f", and {known['more']} more rows" if known["more"] else ""
        yield f"<p>It gives, over the embedded sample{more}:</p>"
        yield (
            _table(rows[0], rows[1:]) if len(rows) > 1 else f"<pre>{escape(str(rows[0][0]))}</pre>"
        )
    yield "<h2>Errors</h2>"
    if isinstance(slip, dict):
        yield (
            f"<p><code>{escape(slip['formula'])}</code> is <code>{escape(slip['cell'])}</code>: "
            f"{escape(slip['message'])}</p>"
        )
    yield '<p>What each error of a cell means: <a href="/help/functions#errors">Errors</a>.</p>'


def _conventions(name: str) -> str:
    """Return the section of the conventions that names a function: formulas and sources."""
    found = section_about(guides()["conventions"], name)
    return f"<h2>Formula and source</h2>{found}" if found else ""


def index_page(cells: Iterable[Cell], pages: Iterable[Guide] = ()) -> str:
    """Return the list of all guides and functions."""
    rows = "".join(
        f'<tr><td><a href="/help/{c.name}">{escape(c.signature)}</a></td>'
        f"<td>{escape(c.summary)}</td></tr>"
        for c in cells
    )
    listed = "".join(
        f'<tr><td><a href="/help/{g.name}">{escape(g.title)}</a></td><td>{escape(g.lead)}</td></tr>'
        for g in pages
    )
    body = (
        f"<h1>Help of Tilt</h1><h2>Guides</h2><table>{listed}</table>"
        f'<h2 id="functions">Functions</h2><table>{rows}</table>'
        '<p>For programs: <a href="/docs">the HTTP interface</a>.</p>'
    )
    return _page("Help", body)


def guide_page(guide: Guide, all_guides: Iterable[Guide]) -> str:
    """Return a guide with links to the others."""
    links = "".join(
        f'<li><a href="/help/{g.name}"{_current(guide, g)}>{escape(g.title)}</a></li>'
        for g in all_guides
    )
    navigation = (
        '<nav class="guides" aria-label="Guides"><ul><li><a href="/help">Help</a></li>'
        f"{links}</ul></nav>"
    )
    return _page(guide.title, navigation + guide_body(guide))


@router.get("/help")
async def help_index(request: Request) -> HTMLResponse:
    """List the guides and the functions."""
    return HTMLResponse(index_page(running(request).state.cells.values(), guides().values()))


@router.get("/help/pictures/{name}")
async def picture(name: str) -> FileResponse:
    """Show a picture of the guides."""
    path = folder() / "pictures" / name
    if not PICTURE.fullmatch(name) or not path.is_file():
        raise RefusedError(f"There is no picture '{name[:40]}'.", 404)
    return FileResponse(path, media_type=PICTURES[path.suffix])


@router.get("/help/index.json")
async def help_sections() -> JSONResponse:
    """List the parts of all guides with their words, for a search."""
    return JSONResponse([part for guide in guides().values() for part in sections(guide)])


@router.get("/help/{page}")
async def help_page(page: str, request: Request) -> HTMLResponse:
    """Show one guide, or explain one function."""
    name = page.lower().removeprefix("tilt.")
    written = guides()
    if name in written:
        return HTMLResponse(guide_page(written[name], written.values()))
    return HTMLResponse(function_page(find(running(request).state.cells, name)))


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """List the HTTP routes; the page needs nothing from elsewhere."""
    schema = request.app.openapi()
    rows = [
        (method.upper(), path, str(route.get("summary", "")), str(route.get("description", "")))
        for path, methods in schema["paths"].items()
        for method, route in methods.items()
    ]
    body = (
        '<h1>HTTP interface of Tilt</h1><p>The full schema: <a href="/openapi.json">openapi.json'
        "</a>.</p>" + _table(("method", "path", "name", "does"), rows)
    )
    return HTMLResponse(_page("HTTP interface", body))


def _current(shown: Guide, linked: Guide) -> str:
    return ' aria-current="page"' if shown.name == linked.name else ""


def _with_choices(doc: str, choices: tuple[str, ...]) -> str:
    return f"{doc} One of {', '.join(choices)}." if choices else doc


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in headers)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Tilt'
        f'</title><link rel="stylesheet" href="{STYLE}"></head><body><main>{body}</main></body>'
        "</html>"
    )
