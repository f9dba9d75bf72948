"""Backtests over prices or returns that are sent."""

from dataclasses import replace

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.api.v1.own_data.tables import (
    Column,
    Table,
    answer,
    check_size,
    frame_of,
    series_of,
    table_body,
)
from tilt.backtest.costs import Costs
from tilt.backtest.parse import parse_strategy
from tilt.backtest.result import VIEWS
from tilt.backtest.run import backtest
from tilt.backtest.strategy import DatedWeights, FixedWeights, Strategy
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut
from tilt.frames import Panel, Weights, content_id
from tilt.portfolio.honesty import Trials

router = APIRouter(route_class=StrictRoute)
START = 100.0  # of a price that is made of returns


class BacktestBody(Body):
    """Prices or returns of each session, and what to hold."""

    prices: Table | None = Field(default=None, description="Adjusted closes, dates × assets.")
    returns: Table | None = Field(default=None, description="Simple returns, dates × assets.")
    weights: Table | Column | None = Field(
        default=None, description="Dates × assets, or by asset for weights that are rebalanced."
    )
    strategy: str | None = Field(default=None, max_length=100, description="equal_weight, ...")
    benchmark: Column | None = Field(default=None, description="Weights by asset, rebalanced.")
    start: str | None = None
    end: str | None = None
    rebalance: str = Field(default="M", max_length=20)
    costs_bps: float = Field(default=10.0, description="Of what is traded, in basis points.")
    spread: float = 0.0
    borrow: float = 0.0
    lag: int = Field(default=1, ge=0, le=60, description="Sessions from decision to fill.")
    cash: float = Field(default=0.0, description="Yearly rate that cash earns.")
    trials: int = Field(default=1, ge=1, description="How many were tried, this one among them.")


@router.post("/backtest")
async def backtest_(body: BacktestBody, request: Request) -> dict[str, object]:
    """Simulate a strategy over prices or returns; every view of BACKTEST."""

    def work(_: object) -> dict[str, object]:
        panel = _panel(body)
        result = backtest(
            panel,
            _strategy(body, panel),
            start=None if body.start is None else parse_date(body.start, panel.dates, "start"),
            end=None if body.end is None else parse_date(body.end, panel.dates, "end"),
            rebalance=body.rebalance,
            benchmark="none"
            if body.benchmark is None
            else _held(body.benchmark, panel, "benchmark"),
            costs=Costs(cost_bps=body.costs_bps, spread=body.spread, borrow=body.borrow),
            lag=body.lag,
            cash_rate=body.cash,
        )
        result = replace(result, trials=Trials(body.trials))
        views = {name: table_body(result.view(name)) for name in VIEWS}
        assumed = result.view("assumptions")
        said = [" ".join(str(v) for v in row if v is not None) for row in assumed.to_numpy()]
        return answer(views, body, said)

    return await in_pool(request, work)


def _panel(body: BacktestBody) -> Panel:
    """Return what was sent as a panel: every asset is a member while it has a price."""
    if (body.prices is None) == (body.returns is None):
        raise ArgumentError("Send either prices or returns.")
    check_size(body.prices, body.returns)
    if body.prices is not None:
        close = frame_of(body.prices, "prices", dated=True)
        if (close <= 0).any(axis=None):
            row, column = np.argwhere((close <= 0).to_numpy())[0]
            raise DataError(
                f"prices of {close.columns[column]} on {close.index[row]:%Y-%m-%d} is "
                f"{close.iloc[row, column]:g}. A price is above zero."
            )
    elif body.returns is not None:
        close = _prices(frame_of(body.returns, "returns", dated=True))
    nothing = close * np.nan
    return Panel(
        universe="own data",
        snapshot=content_id(close),
        securities=pd.DataFrame(
            {"name": close.columns, "sector": "", "industry": ""}, index=close.columns
        ),
        close=close,
        returns=close.pct_change(fill_method=None),
        volume=nothing,
        market_cap=nothing,
        member=close.notna(),
        fundamentals={},
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="Only the assets that were sent are known.",
    )


def _prices(returns: pd.DataFrame) -> pd.DataFrame:
    """Return prices that have these returns, from 100 the day before the first."""
    if (returns <= -1).any(axis=None):
        row, column = np.argwhere((returns <= -1).to_numpy())[0]
        raise DataError(
            f"returns of {returns.columns[column]} on {returns.index[row]:%Y-%m-%d} is "
            f"{returns.iloc[row, column]:g}: nothing is left. End the column there."
        )
    grown = START * (1 + returns).cumprod()
    first = pd.DataFrame(
        START, index=[returns.index[0] - pd.Timedelta(days=1)], columns=returns.columns
    )
    return pd.concat([first, grown.where(returns.notna())])


def _strategy(body: BacktestBody, panel: Panel) -> Strategy:
    if (body.weights is None) == (body.strategy is None):
        raise ArgumentError("Send either weights or strategy.")
    if body.strategy is not None:
        return parse_strategy(body.strategy, panel, saved=_nobody)
    if isinstance(body.weights, Table):
        dated = frame_of(body.weights, "weights", dated=True)
        _check_assets(dated.columns, panel, "weights")
        return DatedWeights(dated.fillna(0.0)).on_sessions(panel.dates)
    return FixedWeights(_held(body.weights, panel, "weights"))


def _held(column: "Column | None", panel: Panel, name: str) -> Weights:
    if column is None:
        raise ArgumentError(f"{name} is missing.")
    weights = series_of(column, name)
    _check_assets(weights.index, panel, name)
    return weights.fillna(0.0)


def _check_assets(assets: "pd.Index[str]", panel: Panel, name: str) -> None:
    outside = assets.difference(panel.assets)
    if len(outside):
        raise DataError(f"{name} has '{outside[0]}', which has no price.")


def _nobody(name: str) -> Weights:
    raise UnknownNameError(f"There is no saved portfolio '{cut(name)}' in data that is sent.")
