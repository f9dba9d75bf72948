"""Holdings in any form: read, matched, saved under a name, and read again."""

from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, model_validator

from tilt.api import lookup, permission
from tilt.api.books import date_of
from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.state import State
from tilt.api.v1.asking import (
    Body,
    Cell,
    Cells,
    StrictRoute,
    Universe,
    grid_of,
    in_pool,
)
from tilt.api.v1.uploads import read_file, read_text
from tilt.errors import ArgumentError, DataError, name_taken
from tilt.portfolio.cells import Grid
from tilt.portfolio.holdings import Holdings, check_table, inspect_holdings

router = APIRouter(tags=["portfolios"], route_class=StrictRoute)

RESERVED = frozenset({"cash", "none"})  # mean something else wherever a portfolio's name may stand

Name = Annotated[str, Path(max_length=200)]


class Reading(Body):
    """How to read holdings."""

    universe: Universe = None
    date: str | float | None = Field(
        default=None, description="The last day with data if left out."
    )
    long_short: bool = Field(default=False, description="Weights may be negative or sum to any.")


class UploadBody(Reading):
    """Holdings as they come: exactly one of text, cells, file."""

    text: str | None = Field(default=None, description="Pasted from a sheet, a mail or a CSV.")
    cells: list[list[Cell]] | None = None
    file: str | None = Field(default=None, description="A .csv or .xlsx file, in base64.")
    name: str = Field(default="The file", max_length=260, description="What the file is called.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "UploadBody":
        if sum(given is not None for given in (self.text, self.cells, self.file)) != 1:
            raise ValueError("give exactly one of text, cells, file")
        return self


class PortfolioBody(Reading):
    """A portfolio to be saved: cells, or the name of a portfolio or universe to copy."""

    holdings: Cells


@router.post("/uploads")
async def uploads(body: UploadBody, request: Request) -> dict[str, object]:
    """Read holdings in any form: cells, weights, cash, and what is to be mended, row by row."""

    def work(tilt: Running) -> dict[str, object]:
        most = tilt.state.settings.max_cells
        if body.text is not None:
            grid: Grid | None = read_text(body.text, most=most)
        elif body.file is not None:
            grid = read_file(body.file, body.name, most=most)
        else:
            grid = grid_of(body.cells, "cells", most)
        if grid is None:
            raise DataError("There are no cells. Give tickers in one column, weights in another.")
        return {"cells": grid, **_read(tilt.state, grid, body)}

    return await in_pool(request, work)


def _read(state: State, grid: Grid, how: Reading) -> dict[str, object]:
    held, date, universe = _inspect(state, grid, how)
    return {
        "universe": universe,
        "date": f"{date:%Y-%m-%d}",
        "usable": held.error is None,
        "error": "" if held.error is None else str(held.error),
        "holdings": None if held.error else split(_named(state, held.weights, universe)),
        "cash": None if held.error else held.cash,
        "findings": split(check_table(held)),
        "notes": list(held.notes),
    }


def _inspect(state: State, grid: Grid, how: Reading) -> tuple[Holdings, pd.Timestamp, str]:
    panel = state.panel(how.universe)
    date = date_of(how.date, panel)
    held = inspect_holdings(
        grid, panel, date, saved=state.store.named(date), long_short=how.long_short
    )
    return held, date, panel.universe


def _named(state: State, weights: "pd.Series[float]", universe: str | None) -> pd.DataFrame:
    panel = state.panel(universe)
    tickers = [str(t) for t in weights.index]
    known = panel.securities.reindex(tickers)
    return pd.DataFrame(
        {
            "ticker": tickers,
            "name": known["name"].fillna("").to_numpy(),
            "sector": known["sector"].fillna("").to_numpy(),
            "weight": weights.to_numpy(dtype=float),
        }
    )


@router.get("/portfolios")
async def portfolios(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List the saved portfolios: name, as_of, names, source."""

    def work(tilt: Running) -> dict[str, object]:
        found = tilt.state.store.portfolios()
        page = split(found.iloc[offset : offset + limit])
        return {"total": len(found), "portfolios": page}

    return await in_pool(request, work)


@router.get("/portfolios/{name}")
async def portfolio(
    name: Name, request: Request, universe: Annotated[str | None, Query(max_length=200)] = None
) -> dict[str, object]:
    """Return a saved portfolio: ticker, name, sector, weight; and its cash."""

    def work(tilt: Running) -> dict[str, object]:
        weights = tilt.state.store.portfolio(name)
        return {
            "name": name.strip(),
            "holdings": split(_named(tilt.state, weights, universe)),
            "cash": 1.0 - float(weights.sum()),
        }

    return await in_pool(request, work)


@router.put("/portfolios/{name}")
async def save_portfolio(name: Name, body: PortfolioBody, request: Request) -> dict[str, object]:
    """Save holdings under a name, in place of the portfolio that has it; errors are by row."""

    def work(tilt: Running) -> dict[str, object]:
        state = tilt.state
        kept = checked_name(name, state)
        grid = grid_of(body.holdings, "holdings", state.settings.max_cells)
        if grid is None:
            raise ArgumentError("holdings are missing. Give tickers and weights.")
        held, date, _ = _inspect(state, grid, body)
        held.require()
        if held.weights.empty:
            raise DataError("There is no holding to save: no ticker was recognized.")
        source = f"saved by {permission.who().name}"
        state.store.save_portfolio(kept, held.weights, source, as_of=date)
        return {
            "name": kept,
            "names": len(held.weights),
            "cash": held.cash,
            "notes": list(held.notes),
        }

    return await in_pool(request, work)


@router.delete("/portfolios/{name}", status_code=204)
async def delete_portfolio(name: Name, request: Request) -> Response:
    """Delete a saved portfolio."""
    await in_pool(request, lambda tilt: tilt.state.store.delete_portfolio(name))
    return Response(status_code=204)


def checked_name(name: str, state: State) -> str:
    """Return a name under which a portfolio can be found again by every function."""
    kept = name.strip()
    taken = {*RESERVED, *(str(n).casefold() for n in state.store.universes()["name"])}
    if kept.casefold() in taken:
        raise name_taken(kept)
    if not kept.isprintable() or lookup.tickers(state, state.panel(None)).find(kept) is not None:
        raise ArgumentError(
            f"'{kept}' is a ticker or cannot be typed; a formula would not find it. "
            "Choose another name."
        )
    return kept
