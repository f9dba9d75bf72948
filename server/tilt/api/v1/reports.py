"""Reports: what there is, making one as a job, and fetching the files."""

import base64
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from tilt.api import files, permission
from tilt.api.frames import split
from tilt.api.reports import choices, submit_report
from tilt.api.running import Running
from tilt.api.state import USER
from tilt.api.v1.asking import Body, Cells, StrictRoute, Universe, grid_of, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.data import packs
from tilt.errors import ArgumentError
from tilt.report.making import MOST_PORTFOLIOS, Asked, Book
from tilt.report.outputs import FORMATS
from tilt.security.deciding import Thing

router = APIRouter(tags=["reports"], route_class=StrictRoute)

MOST_TEMPLATE = 8 * 2**20  # characters of base64
Key = Annotated[str, Field(max_length=80)]
Word = Annotated[str, Field(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=100_000)]


class HeldBody(Body):
    """Holdings that are sent, and what they are called."""

    name: str = Field(min_length=1, max_length=80)
    holdings: Cells = Field(description="Identifier and one of weight, shares, market value.")


class ReportBody(Body):
    """A report: of which portfolios, of what kind, with which sections, in which form."""

    kind: Key = "portfolio"
    portfolios: list[Word | HeldBody] = Field(
        default_factory=list, max_length=MOST_PORTFOLIOS, description="Saved ones, or holdings."
    )
    sections: list[Key] = Field(
        default_factory=list, max_length=60, description="All of the kind's unless given."
    )
    format: Key = Field(default="xlsx", description="xlsx, pdf or html.")
    mode: Key = Field(default="formulas", description="Of a workbook: formulas, frozen or live.")
    separate: bool = Field(default=False, description="A file for each portfolio.")
    universe: Universe = None
    constraints: Cells | None = Field(default=None, description="Limits of a rebalance.")
    options: dict[Key, Word] = Field(default_factory=dict, max_length=30)
    long_short: bool = False
    template: str = Field(
        default="", max_length=MOST_TEMPLATE, description="A workbook to be filled, in base64."
    )


@router.get("/reports")
async def report_choices(request: Request) -> dict[str, object]:
    """List the kinds of reports with their sections and options, the formats and the modes."""
    return await in_pool(request, lambda _: choices())


@router.post("/reports", status_code=202)
async def make_report(body: ReportBody, request: Request) -> dict[str, object]:
    """Make a report as a job; its result names the files, which are kept for a day."""
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        asked = _asked(body, tilt.state.settings.max_cells)
        return job_body(tilt, submit_report(tilt.state, asked, owner))

    return await in_pool(request, work)


@router.get("/reports/{file}", response_class=Response)
async def report(file: str, request: Request) -> Response:
    """Return a file that was made for you: a workbook, a PDF or a page; it is kept for a day."""

    def work(tilt: Running) -> tuple[bytes, str]:
        folder, owner = tilt.state.settings.data_path, USER.get()
        kind = files.find(folder, owner, file).suffix.removeprefix(".")
        return files.fetch(folder, owner, file), kind

    content, kind = await in_pool(request, work)
    headers = {"Content-Disposition": f'attachment; filename="tilt-{file[:8]}.{kind}"'}
    return Response(content, media_type=FORMATS[kind], headers=headers)


@router.get("/packs")
async def made_before(
    request: Request, limit: Limit = 100, offset: Offset = 0
) -> dict[str, object]:
    """List your reports on record: the next one of a portfolio is compared with its last."""
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        catalog = tilt.state.store.catalog
        found = packs.listed(catalog, owner, most=limit, after=offset)
        things = [Thing("file", str(pack), owner) for pack in found["pack"]]
        kept = permission.still_seen(catalog, things)
        there = np.array([thing in kept for thing in things], dtype=bool)
        shown = split(found[there].reset_index(drop=True))
        return {"packs": shown, "limit": limit, "offset": offset}

    return await in_pool(request, work)


@router.delete("/packs/{pack}", status_code=204)
async def forget(pack: str, request: Request) -> None:
    """Remove one of your reports from the record; later ones are not compared with it."""
    owner = owner_of(request)
    await in_pool(request, lambda tilt: packs.forget(tilt.state.store.catalog, owner, pack))


def _asked(body: ReportBody, most: int) -> Asked:
    return Asked(
        kind=body.kind,
        books=tuple(_book(given, most) for given in body.portfolios),
        sections=tuple(body.sections),
        format=body.format,
        mode=body.mode,
        universe=body.universe or "",
        rules=grid_of(body.constraints, "constraints", most) or [],
        options=dict(body.options),
        long_short=body.long_short,
        separate=body.separate,
        template=_template(body.template),
    )


def _book(given: "str | HeldBody", most: int) -> Book:
    if isinstance(given, str):
        return Book(given, given)
    return Book(given.name, grid_of(given.holdings, f"holdings of {given.name}", most) or [])


def _template(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also of letters that are not ASCII
        raise ArgumentError("The template did not arrive whole. Choose the file again.") from None
