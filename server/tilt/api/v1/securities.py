"""Members of a universe, what is known of securities, and identifiers matched to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from tilt.api import lookup
from tilt.api.books import date_of
from tilt.api.frames import plain, split
from tilt.api.running import Running
from tilt.api.v1.asking import Body, Cell, StrictRoute, Universe, in_pool
from tilt.errors import UnknownNameError, cut
from tilt.frames import Panel
from tilt.portfolio.match_table import MIN_CONFIDENCE, match_table

router = APIRouter(tags=["securities"], route_class=StrictRoute)

Asked = Annotated[str | None, Query(max_length=200)]
Day = Annotated[str | None, Query(max_length=40, description="The last day with data if left out.")]
Limit = Annotated[int, Query(ge=1, le=10_000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]
MOST = 100_000  # identifiers of a request


class MatchBody(Body):
    """Identifiers to be matched, and the companies' names where they are known."""

    ids: list[Cell] = Field(max_length=MOST)
    names: list[Cell] | None = Field(default=None, max_length=MOST)
    universe: Universe = None
    asof: str | float | None = Field(
        default=None, description="The day on which they were in use; today if left out."
    )
    min_confidence: float = Field(default=MIN_CONFIDENCE, ge=0, le=1)


@router.get("/members")
async def members(
    request: Request, universe: Asked = None, date: Day = None, limit: Limit = 1000,
    offset: Offset = 0,
) -> dict[str, object]:  # fmt: skip
    """List a universe's members on a date, the largest first, a page at a time."""

    def work(tilt: Running) -> dict[str, object]:
        panel = tilt.state.panel(universe)
        day = date_of(date, panel)
        found = lookup.members(panel, day)
        return {
            **_context(panel),
            "date": f"{day:%Y-%m-%d}",
            "total": len(found),
            "members": split(found.iloc[offset : offset + limit]),
        }

    return await in_pool(request, work)


@router.get("/securities")
async def securities(
    request: Request,
    tickers: Annotated[str, Query(max_length=20_000, description="With commas between.")],
    fields: Annotated[
        str, Query(max_length=2000, description="As in TILT.SECURITY, with commas between.")
    ] = "name,sector,industry,close,market_cap",
    universe: Asked = None,
    date: Day = None,
) -> dict[str, object]:
    """Return what is known of securities on a date, a row per ticker."""

    def work(tilt: Running) -> dict[str, object]:
        panel = tilt.state.panel(universe)
        day = date_of(date, panel)
        known = lookup.tickers(tilt.state, panel)
        found: list[str] = []
        for text in filter(None, (t.strip() for t in tickers.split(","))):
            match = known.find(text)
            if match is None:
                raise UnknownNameError(f"Unknown ticker '{cut(text)}'.{known.suggest(text)}")
            found.append(match.ticker)
        names = [f.strip() for f in fields.split(",") if f.strip()]
        rows = lookup.table(tilt.state, panel, found, names, day)
        return {
            **_context(panel),
            "date": f"{day:%Y-%m-%d}",
            "securities": {
                "index": found,
                "columns": names,
                "data": [[plain(value) for value in row] for row in rows],
            },
        }

    return await in_pool(request, work)


@router.post("/match")
async def match(body: MatchBody, request: Request) -> dict[str, object]:
    """Find the security that each identifier means: given, ticker, name, kind, confidence, note."""

    def work(tilt: Running) -> dict[str, object]:
        panel = tilt.state.panel(body.universe)
        asof = None if body.asof is None else date_of(body.asof, panel, "asof")
        table = match_table(
            panel, body.ids, body.names, min_confidence=body.min_confidence, asof=asof
        )
        return {
            **_context(panel),
            "matched": int(table["ticker"].notna().sum()),
            "total": len(table),
            "matches": split(table),
        }

    return await in_pool(request, work)


def _context(panel: Panel) -> dict[str, object]:
    return {"universe": panel.universe, "snapshot": panel.snapshot}
