"""Factors: which there are, what they earned and foretold, and portfolios of one factor.

Every number comes from the function of the sheet that has it, so that a program, the task pane and
a formula see the same; each answer says which formula shows it in a sheet.
"""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import pandas as pd
from fastapi import APIRouter, Query, Request
from pydantic import Field

from tilt.api.formulas import Given, formula_of, table_of
from tilt.api.frames import split
from tilt.api.pure_factors import PureAsked, submit_history
from tilt.api.research import imported_names
from tilt.api.running import Running
from tilt.api.state import State
from tilt.api.v1.asking import Body, Cells, StrictRoute, Universe, grid_of, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.optimize.pure import KINDS, Limits

router = APIRouter(tags=["factors"], route_class=StrictRoute)

Asked = Annotated[str | None, Query(max_length=200)]
Day = Annotated[str | None, Query(max_length=40, description="As a formula takes it: -1Y, YTD.")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
When = Annotated[str | None, Field(max_length=40)]
View: TypeAlias = Literal[
    "returns", "statistics", "ic", "ic_series", "decay", "quantiles", "correlation", "shape"
]
Kind: TypeAlias = Literal["simple", "pure", "min_risk", "investable"]
Rebalance: TypeAlias = Literal["M", "Q", "W"]
Call: TypeAlias = tuple[str, Given]  # a function of the sheet, arguments

TABLE = "TiltHoldings"  # the marked holdings of a workbook
LEFT_OUT = "style_left_out"  # the finding on a style that the data cannot give


class ResearchBody(Body):
    """What to find out about a factor."""

    factor: Text = Field(description="A factor, a field, or an expression such as rank(roe).")
    start: When = Field(default=None, description="The first day; all there is if left out.")
    end: When = Field(default=None, description="The last day; the last with data if left out.")
    horizon: int = Field(default=21, description="Trading days ahead.")
    quantiles: int = Field(default=5, description="How many portfolios.")
    frequency: str = Field(default="D", max_length=20, description="Of returns: D, W, M, Q or Y.")
    universe: Universe = None


class PureBody(Body):
    """A portfolio of one factor."""

    factor: Text = Field(description="A factor, a field, or an expression such as rank(roe).")
    date: When = Field(default=None, description="The last day with data if left out.")
    universe: Universe = None
    exposure: float = Field(default=1.0, description="That the investable portfolio strives for.")
    long_only: bool = Field(default=True, description="Of the investable portfolio.")
    max_weight: float = Field(default=0.05, description="Of a name in it.")
    max_turnover: float | None = Field(default=None, description="From what is held, one way.")
    cost_bps: float = Field(default=10.0, description="Of what is traded.")
    holdings: Cells | None = Field(
        default=None, description="What is held now: rows, or a saved portfolio's name."
    )


class PureHistoryBody(PureBody):
    """Portfolios of one factor through time."""

    start: When = Field(default=None, description="The first rebalance; all there is if left out.")
    rebalance: Rebalance = Field(default="M", description="M, Q or W.")


_CALLS: dict[View, Callable[[ResearchBody], Call]] = {
    "returns": lambda b: (
        "factor_returns",
        (b.factor, b.start, b.end, b.frequency, b.universe),
    ),
    "statistics": lambda b: ("factor_stats", (b.factor, b.start, b.end, b.universe)),
    "ic": lambda b: _ic(b, ""),
    "ic_series": lambda b: _ic(b, "view=series"),
    "decay": lambda b: _ic(b, "view=decay"),
    "quantiles": lambda b: (
        "factor_quantiles",
        (b.factor, b.quantiles, b.horizon, b.start, b.end, b.universe),
    ),
    "correlation": lambda b: ("factor_correlation", (f"*,{b.factor}", b.start, b.end, b.universe)),
    "shape": lambda b: ("factor_shape", (b.factor, b.end, b.universe)),
}


def _ic(body: ResearchBody, options: str) -> Call:
    given = (body.factor, body.horizon, body.start, body.end, body.universe)
    return "factor_ic", (*given, options or None)


@router.get("/factors")
async def factors(request: Request, universe: Asked = None) -> dict[str, object]:
    """List the factors of a universe and since when they have returns, and the imported ones."""
    return await in_pool(request, lambda tilt: _factors(tilt.state, universe))


def _factors(state: State, universe: str | None) -> dict[str, object]:
    panel = state.panel(universe)
    known, findings = panel.factors, state.store.findings(panel.universe)
    rows = []
    for name, about in known.factors.iterrows():
        has = known.returns[name].notna()
        rows.append(
            {
                "factor": str(name),
                "group": about["group"],
                "description": about["description"],
                "first_date": has.idxmax() if has.any() else None,
                "days": int(has.sum()),
            }
        )
    return {
        "universe": panel.universe,
        "snapshot": panel.snapshot,
        "as_of": f"{panel.as_of:%Y-%m-%d}",
        "factors": split(pd.DataFrame(rows)),
        "imported": imported_names(state, panel),
        "left_out": [str(d) for d in findings.loc[findings["check"] == LEFT_OUT, "detail"]],
    }


@router.get("/factor-returns")
async def factor_returns(
    request: Request,
    factors: Annotated[str | None, Query(max_length=4000, description="With commas.")] = None,
    start: Day = None,
    end: Day = None,
    frequency: Annotated[str, Query(max_length=20)] = "D",
    universe: Asked = None,
) -> dict[str, object]:
    """Return what each factor returned, dates down, as ``FACTOR_RETURNS`` does."""
    call = ("factor_returns", (factors, start, end, frequency, universe))
    return await in_pool(request, lambda tilt: _answer(tilt, call))


@router.get("/factor-statistics")
async def factor_statistics(
    request: Request,
    factors: Annotated[str | None, Query(max_length=4000, description="With commas.")] = None,
    start: Day = None,
    end: Day = None,
    universe: Asked = None,
) -> dict[str, object]:
    """Sum up factor returns, a row per factor, as ``FACTOR_STATS`` does."""
    call = ("factor_stats", (factors, start, end, universe))
    return await in_pool(request, lambda tilt: _answer(tilt, call))


@router.post("/factor-research/{view}")
async def factor_research(view: View, body: ResearchBody, request: Request) -> dict[str, object]:
    """Return one view of a factor: its returns, what it foretold, what it is like."""
    return await in_pool(request, lambda tilt: _answer(tilt, _CALLS[view](body)))


@router.post("/pure-factor")
async def pure_factor(body: PureBody, request: Request) -> dict[str, object]:
    """Put the four portfolios of a factor side by side: exposure, risk, turnover, cost."""
    return await in_pool(request, lambda tilt: _portfolios(tilt, body, "view=compare"))


@router.post("/pure-factor/history", status_code=202)
async def pure_factor_history(body: PureHistoryBody, request: Request) -> dict[str, object]:
    """Make the four portfolios anew in each period, as a job; what is wrong is said at once."""
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        limits = Limits(body.exposure, body.long_only, body.max_weight, body.max_turnover)
        asked = PureAsked(
            [[body.factor]],
            body.date,
            body.universe or "",
            limits,
            cost=body.cost_bps / 1e4,
            start=body.start,
            rebalance=body.rebalance,
        )
        return job_body(tilt, submit_history(tilt.state, asked, owner))

    return await in_pool(request, work)


@router.post("/pure-factor/{kind}")
async def pure_factor_weights(kind: Kind, body: PureBody, request: Request) -> dict[str, object]:
    """Return the weights of one portfolio of a factor, the largest first."""
    return await in_pool(request, lambda tilt: _portfolios(tilt, body, f"kind={kind}"))


def _portfolios(tilt: Running, body: PureBody, view: str) -> dict[str, object]:
    name, given = _pure(body, view)
    held = grid_of(body.holdings, "holdings", tilt.state.settings.max_cells)
    if held is None:
        return _answer(tilt, (name, given))
    # a range is a table of the workbook to a formula
    named = body.holdings if isinstance(body.holdings, str) else ""
    formula = formula_of(name, (*given, named))
    if not named:
        formula = f"{formula[:-1]},{TABLE})"
    return _told(table_of(tilt.state, name, (*given, held)), formula)


def _pure(body: PureBody, view: str) -> Call:
    of_kind = view.removeprefix("kind=")
    rules: dict[str, object] = {}
    if of_kind not in KINDS[:3]:  # the first three have no rules
        rules = {
            "exposure": _unless(body.exposure, 1.0),
            "long_only": None if body.long_only else "no",
            "max_weight": _unless(body.max_weight, 0.05),
            "max_turnover": body.max_turnover,
        }
    if of_kind not in KINDS:
        rules["cost_bps"] = _unless(body.cost_bps, 10.0)
    given = [f"{name}={value}" for name, value in rules.items() if value is not None]
    return "pure_factor", (body.factor, body.date, body.universe, ";".join([view, *given]))


def _unless(value: float, default: float) -> float | None:
    return None if value == default else value


def _answer(tilt: Running, call: Call) -> dict[str, object]:
    name, given = call
    return _told(table_of(tilt.state, name, given), formula_of(name, given))


def _told(frame: pd.DataFrame, formula: str) -> dict[str, object]:
    notes = [] if "note" not in frame else [str(n) for n in frame["note"] if n]
    return {
        "table": split(frame.drop(columns="note", errors="ignore")),
        "formula": formula,
        "notes": notes,
    }
