"""Risk and optimal weights of a portfolio."""

import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt import __version__ as tilt_version
from tilt.api import tasks
from tilt.api.books import Book, open_book
from tilt.api.configured import CONFIG, Posed, open_posed, pose, posed_problem
from tilt.api.frames import plain, split
from tilt.api.optimizations import asked_as
from tilt.api.running import Running
from tilt.api.state import State
from tilt.api.v1.asking import Body, Cell, Cells, StrictRoute, Universe, grid_of, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.optimize.check import read_rules
from tilt.optimize.options import read_options
from tilt.optimize.posing import open_case
from tilt.optimize.solve import Problem
from tilt.risk.measures import (
    GROUPINGS,
    MEASURES,
    exposure_table,
    risk_measure_many,
    risk_table,
)

router = APIRouter(tags=["analysis"], route_class=StrictRoute)

OBJECTIVE = "min_te"

SHARES = {"volatility": ("factor_volatility", "specific_volatility"),
          "tracking_error": ("factor_te", "specific_te")}  # fmt: skip


class BookBody(Body):
    """A portfolio, what it is measured against, and when."""

    holdings: Cells = Field(description="Tickers and weights, or a portfolio's name.")
    benchmark: Cells | None = Field(
        default=None,
        description="Likewise; left out: the universe by market cap; NONE: no benchmark.",
    )
    date: str | float | None = Field(
        default=None, description="The last day with data if left out."
    )
    universe: Universe = None
    long_short: bool = Field(default=False, description="Weights may be negative or sum to any.")


class ProblemBody(BookBody):
    """What to strive for within which rules."""

    objective: str | None = Field(
        default=None, max_length=1000, description="Left out: the configuration's, or min_te."
    )
    configuration: str | None = Field(
        default=None,
        max_length=200,
        description="Name of a saved one, which says what the body leaves out.",
    )
    constraints: list[list[Cell]] = Field(
        default=[], description="Rows of rule, who, min, max, relative, priority."
    )
    alpha: Cells | None = Field(
        default=None, description="Tickers and expected yearly returns, or a factor's name."
    )
    views: list[list[Cell]] | None = Field(
        default=None, description="Rows of name, (minus,) view and confidence, as in OPTIMIZE."
    )
    options: dict[str, str | bool | int | float] = Field(
        default={}, description="By the names of the options of TILT.OPTIMIZE."
    )


def _open(state: State, body: BookBody) -> Book:
    most = state.settings.max_cells
    return open_book(
        state,
        grid_of(body.holdings, "holdings", most) or [[None]],
        grid_of(body.benchmark, "benchmark", most),
        body.date,
        body.universe,
        long_short=body.long_short,
    )


def context_of(book: Book) -> dict[str, object]:
    """Return what a number was computed from."""
    return {
        "universe": book.panel.universe,
        "snapshot": book.panel.snapshot,
        "date": f"{book.date:%Y-%m-%d}",
        "absolute": book.benchmark is None,
        "notes": list(book.notes),
    }


@router.post("/risk")
async def risk(body: BookBody, request: Request) -> dict[str, object]:
    """Measure a portfolio's risk, and say what contributes to it: tables that add up."""
    return await in_pool(request, lambda tilt: _risk(_open(tilt.state, body)))


def _risk(book: Book) -> dict[str, object]:
    held = book.weights.to_frame("w")
    measures = {
        name: plain(float(risk_measure_many(book.model, held, book.benchmark, name).iloc[0]))
        for name in MEASURES
    }
    of = "volatility" if book.benchmark is None else "tracking_error"
    at_risk = (measures[of] or 0.0) != 0.0
    return {
        **context_of(book),
        "of": of,
        "parts": {"factor": measures[SHARES[of][0]], "specific": measures[SHARES[of][1]]},
        "measures": measures,
        "tables": {
            by: split(risk_table(book.model, book.weights, book.benchmark, by=by))
            for by in GROUPINGS
        }
        if at_risk
        else {},
    }


@router.post("/exposures")
async def exposures(body: BookBody, request: Request) -> dict[str, object]:
    """Return factor, group, portfolio, benchmark and active exposure, a row per factor."""

    def work(tilt: Running) -> dict[str, object]:
        book = _open(tilt.state, body)
        table = exposure_table(book.model, book.weights, book.benchmark)
        return {**context_of(book), "exposures": split(table)}

    return await in_pool(request, work)


def stated_in(state: State, body: ProblemBody) -> Posed:
    """Return the problem that a body states, before its names are looked up."""
    most = state.settings.max_cells
    given = Posed(
        body.objective or (CONFIG if body.configuration else OBJECTIVE),
        grid_of(body.constraints, "constraints", most),
        grid_of(body.benchmark, "benchmark", most),
        body.universe,
        body.options,
        body.long_short or read_options(body.options).long_short,
    )
    return pose(state, body.configuration, given)


def posed_of(state: State, body: ProblemBody) -> tuple[Book, Problem]:
    """Return a problem as it is asked; whatever is wrong with it is an error here."""
    most = state.settings.max_cells
    posed = stated_in(state, body)
    holdings = grid_of(body.holdings, "holdings", most) or [[None]]
    book = open_posed(state, holdings, posed, body.date)
    alpha, views = (
        grid_of(given, name, most) for given, name in ((body.alpha, "alpha"), (body.views, "views"))
    )
    return book, posed_problem(state, book, posed, alpha, views)


@router.post("/optimize/check")
async def check(body: ProblemBody, request: Request) -> dict[str, object]:
    """Say which rules the portfolio as it is keeps and breaks, and by how much."""
    return await in_pool(request, lambda tilt: _check(tilt.state, body))


def _check(state: State, body: ProblemBody) -> dict[str, object]:
    book, problem = posed_of(state, body)
    case = open_case(problem)
    readings = read_rules(case, case.current, problem.rules)
    columns = ["row", "rule", "who", "words", "value", "bound", "slack", "status"]
    table = pd.DataFrame(
        [
            (
                r.rule.row,
                r.rule.rule,
                r.who,
                r.rule.only(r.side).words(),
                r.value,
                r.rule.bound(r.side),
                r.slack,
                r.status,
            )
            for r in readings
        ],
        columns=columns,
    )
    return {**context_of(book), "rules": split(table)}


@router.post("/optimize", status_code=202)
async def optimize(body: ProblemBody, request: Request) -> dict[str, object]:
    """Find the best weights, as a job; its result has every view of the answer.

    What is wrong with the problem as stated is said at once; a problem without a solution is no
    error: the job's result says what conflicts and what repairs it.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        book, problem = posed_of(tilt.state, body)
        open_case(problem)  # raises here what the job would raise later
        job = tilt.state.jobs.submit(
            tasks.solve_problem,
            problem,
            owner=owner,
            # another version may answer otherwise
            key=f"optimize {tilt_version} {asked_as(problem)}",
            title=f"Optimize {problem.objective}",
            snapshot=book.panel.snapshot,
        )
        return {**job_body(tilt, job), "context": context_of(book)}

    return await in_pool(request, work)
