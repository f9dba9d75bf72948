"""What a portfolio may lose, how fast it can be sold, and in what times it is held.

Every number comes from the function of the sheet that has it, so that a program, the task pane and
a formula see the same.
"""

from typing import Literal

import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.books import date_of
from tilt.api.formulas import Asked, table_of
from tilt.api.frames import plain, split
from tilt.api.regime import market_regimes
from tilt.api.running import Running
from tilt.api.state import State
from tilt.api.v1.analysis import BookBody
from tilt.api.v1.asking import Cell, StrictRoute, grid_of, in_pool
from tilt.api.values import Grid
from tilt.errors import ArgumentError
from tilt.risk.liquidity import MILESTONES, PARTICIPATION

router = APIRouter(prefix="/risk", tags=["analysis"], route_class=StrictRoute)

SHOWN = 252  # days of the probability of turbulence


class StressBody(BookBody):
    """What happens to a portfolio: shocks of one's own, or a window of the past."""

    shocks: list[list[Cell]] = Field(
        default=[], description="Rows of factor, sector or ticker, and return: minus 20 % is -0.2."
    )
    scenario: str | None = Field(
        default=None,
        max_length=100,
        description="In place of shocks: a window of the library, or 2016-01-04 to 2016-02-11.",
    )
    others: Literal["expected", "zero"] = Field(
        default="expected",
        description="What is not shocked moves as the model expects given the shocks, or stays.",
    )


class TailBody(BookBody):
    """A loss that is exceeded with probability 1 - confidence."""

    confidence: float = Field(default=0.95, description="From 0.5 to below 1.")
    horizon: int = Field(default=1, description="Trading days.")


class LiquidityBody(BookBody):
    """How much money is to be sold at which share of the volume."""

    value: float = Field(description="Capital in the currency of the prices.")
    participation: float = Field(
        default=PARTICIPATION, description="Share of a day's volume that is ours."
    )


class TradesBody(BookBody):
    """Trades that are not made yet."""

    trades: list[list[Cell]] = Field(
        description="Rows of ticker and change of weight: 0.01 buys 1 %."
    )
    fund: Literal["cash", "prorata"] = Field(
        default="cash", description="Cash pays, or what is not traded."
    )


@router.post("/stress")
async def stress(body: StressBody, request: Request) -> dict[str, object]:
    """Show what shocks, or a window of the past, do to a portfolio, factor by factor."""
    if bool(body.shocks) == bool(body.scenario):
        raise ArgumentError("Give either shocks, rows of a name and a return, or a scenario.")

    def work(tilt: Running) -> dict[str, object]:
        shocks = grid_of(body.scenario or body.shocks, "shocks", tilt.state.settings.max_cells)
        given = (shocks, body.date, _benchmark(tilt.state, body))
        return _answer(tilt.state, "stress", body, given, [["others", body.others]])

    return await in_pool(request, work)


@router.post("/scenarios")
async def scenarios(body: BookBody, request: Request) -> dict[str, object]:
    """Replay every window of the library that the data hold."""

    def work(tilt: Running) -> dict[str, object]:
        given = (body.date, _benchmark(tilt.state, body))
        return _answer(tilt.state, "scenarios", body, given)

    return await in_pool(request, work)


@router.post("/tail")
async def tail(body: TailBody, request: Request) -> dict[str, object]:
    """Return VaR and CVaR of the portfolio, whatever its benchmark, by three methods."""

    def work(tilt: Running) -> dict[str, object]:
        given = (body.confidence, float(body.horizon), None, body.date)
        frame = _table(tilt.state, "var", body, given, [["view", "compare"]])
        return {"table": split(frame), "notes": []}  # each method has a note of its own

    return await in_pool(request, work)


@router.post("/liquidity")
async def liquidity(body: LiquidityBody, request: Request) -> dict[str, object]:
    """Return days to exit by position, and the share of what is held that is out in 1, 5, 20."""

    def work(tilt: Running) -> dict[str, object]:
        given = (body.value, body.participation, body.date)
        frame = _table(tilt.state, "liquidity", body, given)
        shares = frame.iloc[-1][["weight", "days_to_exit", "pct_adv"]]  # out within the milestones
        positions = frame.iloc[:-1].drop(columns="note", errors="ignore")
        return {
            **_as_answer(frame),
            "table": split(positions),
            "out": [
                {"days": days, "share": plain(share)}
                for days, share in zip(MILESTONES, shares, strict=True)
            ],
        }

    return await in_pool(request, work)


@router.post("/what-if")
async def what_if(body: TradesBody, request: Request) -> dict[str, object]:
    """Return risk, concentration and exposures before and after trades."""

    def work(tilt: Running) -> dict[str, object]:
        trades = grid_of(body.trades, "trades", tilt.state.settings.max_cells)
        given = (trades, _benchmark(tilt.state, body), body.date)
        return _answer(tilt.state, "whatif", body, given, [["fund", body.fund]])

    return await in_pool(request, work)


@router.post("/regime")
async def regime(body: BookBody, request: Request) -> dict[str, object]:
    """Say in what times the market is, since when, and how today's holdings do in each kind."""

    def work(tilt: Running) -> dict[str, object]:
        given = (body.date, _benchmark(tilt.state, body))
        answer = _answer(tilt.state, "regime_risk", body, given)
        panel = tilt.state.panel(body.universe)
        found = market_regimes(tilt.state, panel, date_of(body.date, panel))
        name, probability, since = found.now()
        wild = found.probabilities.iloc[-SHOWN:, -1].rename("turbulent")
        return {
            **answer,
            "universe": panel.universe,
            "state": name,
            "probability": probability,
            "since": f"{since:%Y-%m-%d}",
            "filtered": True,
            "series": split(wild.rename_axis("date").reset_index()),
        }

    return await in_pool(request, work)


@router.post("/health")
async def health(body: BookBody, request: Request) -> dict[str, object]:
    """Hold past forecasts, of today's portfolio and of others, against what followed them."""

    def work(tilt: Running) -> dict[str, object]:
        given = ("health", body.date, _benchmark(tilt.state, body), body.universe)
        frame = _table(tilt.state, "risk_table", body, given, named=False)
        return _as_answer(frame)

    return await in_pool(request, work)


def _benchmark(state: State, body: BookBody) -> Grid | None:
    return grid_of(body.benchmark, "benchmark", state.settings.max_cells)


def _table(
    state: State,
    name: str,
    body: BookBody,
    given: Asked,
    options: Grid | None = None,
    *,
    named: bool = True,
) -> pd.DataFrame:
    """Return the table of a function of the sheet whose first argument are the holdings.

    Parameters
    ----------
    named : the universe is one of its options
    """
    holdings = grid_of(body.holdings, "holdings", state.settings.max_cells)
    every: Grid = [*(options or []), ["long_short", "yes" if body.long_short else "no"]]
    if body.universe and named:
        every.append(["universe", body.universe])
    return table_of(state, name, (holdings or [[None]], *given, every))


def _answer(
    state: State, name: str, body: BookBody, given: Asked, options: Grid | None = None
) -> dict[str, object]:
    return _as_answer(_table(state, name, body, given, options))


def _as_answer(frame: pd.DataFrame) -> dict[str, object]:
    """Return a table as the routes send it, its notes beside it."""
    notes = [] if "note" not in frame else [str(n) for n in frame["note"] if n]
    return {"table": split(frame.drop(columns="note", errors="ignore")), "notes": notes}
