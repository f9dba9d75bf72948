"""The views of a backtest as a cell asks for them, each run counted in the workbook's ledger."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from tilt.api.attributions import explain_tracks, tracks_of_result
from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import Asked, ask_backtest, run_backtest
from tilt.api.luck import AS_USUAL, Luck, ask_luck, without_luck
from tilt.api.luck import OPTIONS as OF_LUCK
from tilt.api.luck import VIEWS as LUCK
from tilt.api.runs import keep_backtest
from tilt.api.state import State
from tilt.api.sweeps import ask_capacity
from tilt.api.trials import TRIALS, count_trial, listed_trials, with_trials, without_count
from tilt.backtest.result import VIEWS as OF_RESULT
from tilt.backtest.result import BacktestResult

CAPACITY = "capacity"
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        **OF_BACKTEST,
        TRIALS: "how many were tried in all; left out: those run from the workbook",
        **OF_LUCK,
    }
)
VIEWS: Mapping[str, str] = MappingProxyType(
    {
        **OF_RESULT,
        "attribution": "group, weight, benchmark_weight, return, ...: Brinson's effects by sector",
        "forecast": "period, model, last, days, volatility, ...: forecast risk against what came",
        "regimes": "state, periods, share, mean, volatility, ...: in calm and in turbulent days",
        **LUCK,
        CAPACITY: "capital, cagr, volatility, ..., cost_per_year: as the book grows, with impact",
        "trials": "run, strategy, first, last, sharpe, at: what was tried from this workbook",
    }
)

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {"attribution": "brinson", "forecast": "forecast", "regimes": "regimes"}
)


def view_backtest(state: State, asked: Asked, view: str) -> pd.DataFrame:
    """Return one of ``VIEWS`` of a backtest that a job computes.

    Raises
    ------
    RunningError
        If it is not done yet.
    TiltError
        If an argument is wrong.
    """
    asked, count = without_count(asked)
    asked, luck = without_luck(asked)
    result = ask_backtest(state, asked)
    _count(state, asked, result)
    return show(state, asked, result, view, count, luck)


def run_counted(state: State, asked: Asked) -> tuple[BacktestResult, pd.DataFrame]:
    """Return a backtest run here and now, and its view ``overfitting``."""
    asked, count = without_count(asked)
    asked, _ = without_luck(asked)
    result = run_backtest(state, asked)
    _count(state, asked, result)
    return result, show(state, asked, result, "overfitting", count)


def show(
    state: State,
    asked: Asked,
    result: BacktestResult,
    view: str,
    count: int = 0,
    luck: Luck = AS_USUAL,
) -> pd.DataFrame:
    """Return a view of a result; ``count`` as the option ``trials``, ``luck`` how to draw."""
    if view == CAPACITY:
        return ask_capacity(state, asked)
    if view in LUCK:
        return ask_luck(state, asked, result, view, luck)
    if view == "trials":
        return listed_trials(state, asked)
    if view == "overfitting":
        return with_trials(state, asked, result, count).overfitting
    if view in EXPLAINED:
        panel = state.panel(asked.universe or None)
        tracks = tracks_of_result(state, panel, result, asked.benchmark)
        return explain_tracks(state, tracks, method=EXPLAINED[view]).noted
    return result.view(view)


def _count(state: State, asked: Asked, result: BacktestResult) -> None:
    count_trial(
        state,
        asked,
        result.strategy,
        result.returns,
        risk_free=result.risk_free,
        run_id=result.run_id,
    )
    keep_backtest(state, asked, result)
