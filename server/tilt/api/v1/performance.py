"""Backtests and attribution of portfolios: what would have been earned, and why it was."""

import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.attributions import METHODS, AttributionAsked, Explained, explain
from tilt.api.backtest_reports import submit_backtest
from tilt.api.backtests import Asked
from tilt.api.comparisons import OPTIONS as OF_COMPARISON
from tilt.api.comparisons import ComparisonAsked, books_of, submit_comparison
from tilt.api.configured import CONFIG, complete
from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.runs import keep_attribution
from tilt.api.sweep_reports import submit_sweep
from tilt.api.sweeps import parse_axis
from tilt.api.v1.asking import Body, Cell, Cells, StrictRoute, Universe, grid_of, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.errors import ArgumentError, one_of
from tilt.portfolio.attribution import LINKS, compound

router = APIRouter(tags=["performance"], route_class=StrictRoute)

Given = str | float | None
Option = str | bool | int | float


class AttributionBody(Body):
    """A portfolio, what it is measured against, and which days."""

    holdings: Cells = Field(
        description="Holdings, dated holdings, a portfolio, a universe, or a strategy of BACKTEST."
    )
    benchmark: Cells | None = Field(default=None, description="Left out: the universe.")
    start: Given = Field(default=None, description="The close before the first return.")
    end: Given = Field(default=None, description="Left out: the last day with data.")
    method: str = Field(default="brinson", max_length=40, description=", ".join(METHODS))
    by: str = Field(default="", max_length=60, description="sector, industry, a column; group.")
    universe: Universe = None
    long_short: bool = False
    options: dict[str, Option] = Field(default={}, description=f"link: {', '.join(LINKS)}; ...")


@router.post("/attribution")
async def attribution(body: AttributionBody, request: Request) -> dict[str, object]:
    """Explain an active return day by day; the rows sum to the compounded active return.

    A strategy's backtest runs as a job: until it is done the answer is 503, and says how far it is.
    """

    def work(tilt: Running) -> dict[str, object]:
        most = tilt.state.settings.max_cells
        asked = AttributionAsked(
            _needed(grid_of(body.holdings, "holdings", most), "holdings"),
            grid_of(body.benchmark, "benchmark", most),
            body.start,
            body.end,
            body.method,
            body.by,
            body.universe or "",
            body.options,
            body.long_short,
        )
        found = explain(tilt.state, asked)
        run = keep_attribution(tilt.state, asked.universe, asked.method, asked, found.noted)
        return {"run_id": run, **_attribution_body(found, body.method)}

    return await in_pool(request, work)


def _needed(grid: "list[list[object]] | None", name: str) -> list[list[object]]:
    if grid is None:
        raise ArgumentError(f"{name} is missing.")
    return grid


def _attribution_body(found: Explained, method: str) -> dict[str, object]:
    mine, theirs = found.portfolio, found.benchmark
    dates = mine.dates.intersection(theirs.dates)
    curve = pd.DataFrame({"portfolio": mine.earned[dates], "benchmark": theirs.earned[dates]})
    return {
        "method": method,
        "table": split(found.table),
        "portfolio": compound(curve["portfolio"]),
        "benchmark": compound(curve["benchmark"]),
        "start": f"{dates[0]:%Y-%m-%d}",
        "end": f"{dates[-1]:%Y-%m-%d}",
        "days": len(dates),
        "words": mine.words,
        "against": theirs.words,
        "notes": list(found.notes),
    }


class BacktestBody(Body):
    """A strategy and how it trades; what is left out is as in ``TILT.BACKTEST``."""

    strategy: Cells = Field(description="A strategy's name, holdings, or dated holdings.")
    start: Given = None
    end: Given = None
    rebalance: str = Field(default="", max_length=20, description="M, D, W, Q, Y or drift:0.05.")
    constraints: list[list[Cell]] = Field(default=[], description="Of an objective; rows.")
    benchmark: Cells | None = None
    universe: Universe = None
    configuration: str | None = Field(default=None, max_length=200)
    long_short: bool = False
    options: dict[str, Option] = Field(default={}, description="Those of TILT.BACKTEST.")
    workbook: str = Field(
        default="",
        max_length=200,
        description="Whose trials it counts among; empty: no workbook's.",
    )


@router.post("/backtest", status_code=202)
async def backtest(body: BacktestBody, request: Request) -> dict[str, object]:
    """Run a backtest as a job; its result has every view.

    What is wrong with the question is said at once.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        asked = _asked(tilt, body)
        return job_body(tilt, submit_backtest(tilt.state, asked, owner, body.workbook))

    return await in_pool(request, work)


def _asked(tilt: Running, body: BacktestBody) -> Asked:
    most = tilt.state.settings.max_cells
    asked = Asked(
        grid_of(body.strategy, "strategy", most) or [[CONFIG if body.configuration else None]],
        body.start,
        body.end,
        body.rebalance,
        grid_of(body.constraints, "constraints", most),
        grid_of(body.benchmark, "benchmark", most),
        body.options,
        body.long_short,
        universe=body.universe or "",
    )
    return complete(tilt.state, asked, body.configuration)


class SweepBody(BacktestBody):
    """A backtest with one or two parameters to be changed, as ``TILT.SWEEP`` does it."""

    rows: str = Field(max_length=4000, description="factor=Value,Momentum: a name, its values.")
    columns: str = Field(default="", max_length=4000, description="Another one, or left out.")
    measure: str = Field(default="sharpe", max_length=40, description="A row of TILT.BACKTEST.")


@router.post("/sweep", status_code=202)
async def sweep(body: SweepBody, request: Request) -> dict[str, object]:
    """Run a backtest for many values of one or two parameters, as a job.

    Its result has the views heat, list and overfitting; each backtest counts as a trial.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        columns = parse_axis(body.columns, "columns") if body.columns else None
        axes = parse_axis(body.rows, "rows"), columns
        asked = _asked(tilt, body)
        found = submit_sweep(tilt.state, asked, axes, body.measure, owner, body.workbook)
        return job_body(tilt, found)

    return await in_pool(request, work)


class ComparisonBody(Body):
    """Books to be put side by side through time, as ``TILT.COMPARE`` does it."""

    books: list[str] = Field(
        min_length=2,
        max_length=20,
        description="Portfolios, universes, strategies of BACKTEST, run ids of backtests.",
    )
    benchmark: Cells | None = Field(default=None, description="Left out: the universe.")
    start: Given = Field(default=None, description="The close before the first return.")
    end: Given = Field(default=None, description="Left out: the last day with data.")
    universe: Universe = None
    long_short: bool = False
    options: dict[str, Option] = Field(default={}, description="Those of TILT.COMPARE.")


@router.post("/compare", status_code=202)
async def compare(body: ComparisonBody, request: Request) -> dict[str, object]:
    """Put portfolios and backtests side by side through time, as a job.

    Its result has the views performance, yearly, correlation and growth.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        for key in body.options:
            one_of("option", key, OF_COMPARISON)
        asked = ComparisonAsked(
            books_of({"books": [[text] for text in body.books]}),
            grid_of(body.benchmark, "benchmark", tilt.state.settings.max_cells),
            body.start,
            body.end,
            body.universe or "",
            body.options,
            body.long_short,
        )
        return job_body(tilt, submit_comparison(tilt.state, asked, owner))

    return await in_pool(request, work)
