"""In what times a market or a series is: quick ones at once, slow ones as jobs."""

from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from tilt.api.books import with_notes
from tilt.api.cell_jobs import work_out
from tilt.api.state import State
from tilt.errors import DataError
from tilt.factors.descriptors import market_return
from tilt.frames import Panel, content_id
from tilt.jobs import Progress
from tilt.portfolio.rolling import figures_by_state
from tilt.risk.regimes import (
    LEAST_RETURNS,
    STATES,
    Regimes,
    absorption_ratio,
    markov_regimes,
    turbulence,
)

T = TypeVar("T")

LEVELS = {"turbulence": turbulence, "absorption": absorption_ratio}
QUICK = 3000  # returns that two states are fitted to within half a second of processor time
QUICK_CROWD = 400_000  # dates × columns² that are judged in as long


def ask_regimes(
    state: State,
    returns: "pd.Series[float]",
    *,
    states: int = STATES[0],
    smoothed: bool = False,
    snapshot: str = "",
) -> Regimes:
    """Return the regimes of a series; a long series, or three states, by a job.

    Parameters
    ----------
    snapshot : the one that the returns are from

    Raises
    ------
    RunningError
        If the job is not done yet.
    """
    most = LEAST_RETURNS if states == STATES[-1] else QUICK  # what cannot be is said at once
    return _asked(
        state,
        regimes_job,
        returns,
        states,
        smoothed,
        quick=len(returns) <= most,
        title=f"Regimes, {states} states",
        snapshot=snapshot,
    )


def ask_level(
    state: State, method: str, returns: pd.DataFrame, *, snapshot: str = ""
) -> "pd.Series[float]":
    """Return by date how unusual, or how much as one, several series moved; of many by a job.

    Parameters
    ----------
    method : one of ``LEVELS``
    snapshot : the one that the returns are from

    Raises
    ------
    RunningError
        If the job is not done yet.
    """
    return _asked(
        state,
        level_job,
        method,
        returns,
        quick=returns.size * returns.shape[1] <= QUICK_CROWD,
        title=f"{method.capitalize()} of {returns.shape[1]} series",
        snapshot=snapshot,
    )


def _asked(
    state: State,
    job: Callable[..., T],
    *given: object,
    quick: bool,
    title: str,
    snapshot: str,
) -> T:
    """Return what a job returns, at once where it is quick."""
    key = f"{job.__name__} {content_id(state.program(), *given)}"
    if quick:
        return state.once(key, lambda: job(_untold, *given))
    return work_out(state, job, *given, key=key, title=title, snapshot=snapshot)


def _untold(fraction: float, stage: str) -> None:
    """Tell nobody how far it is."""


def regimes_job(
    progress: Progress,
    returns: "pd.Series[float]",
    states: int,
    smoothed: bool,  # noqa: FBT001 - a job's arguments have no names
) -> Regimes:
    """Fit the regimes of a series."""
    progress(0.0, "fitting")
    return markov_regimes(returns, states=states, smoothed=smoothed)


def level_job(progress: Progress, method: str, returns: pd.DataFrame) -> "pd.Series[float]":
    """Judge several series date by date."""
    progress(0.0, "going through the dates")
    return LEVELS[method](returns)


def market_regimes(
    state: State,
    panel: Panel,
    date: pd.Timestamp,
    states: int = STATES[0],
    *,
    wait: bool = False,
) -> Regimes:
    """Return the regimes of a universe's market by cap, from what was known at ``date``.

    Probabilities are filtered: a date knows itself and the dates before it. Three states are
    fitted by a job.

    Parameters
    ----------
    wait : fit them here and now, instead of as a job

    Raises
    ------
    RunningError
        If the job is not done yet.
    """

    def fitted() -> Regimes:
        returns = market_return(panel).loc[:date]
        if states != STATES[-1] or wait:
            return markov_regimes(returns, states=states)
        return ask_regimes(state, returns, states=states, snapshot=panel.snapshot)

    return state.once(("regimes", panel.universe, panel.snapshot, date, states), fitted)


def words_of(regimes: Regimes, panel: Panel) -> str:
    """Return the last state in a sentence."""
    name, probability, since = regimes.now()
    return (
        f"The market of {panel.universe} is {name} since {since:%Y-%m-%d}, filtered probability "
        f"{probability:.0%}."
    )


def figures_by_regime(
    state: State,
    panel: Panel,
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None",
    *,
    states: int,
    risk_free: float,
    wait: bool = False,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return performance by the state of a universe's market known at the close before each day.

    Parameters
    ----------
    returns, benchmark : by day; later returns of the market than the last one are not looked at
    risk_free : a year
    wait : fit three states here and now, instead of as a job

    Returns
    -------
    The table of ``figures_by_state``, and notes
    """
    last = panel.trading_day(pd.Timestamp(returns.index[-1]))
    regimes = market_regimes(state, panel, last, states, wait=wait)
    table = figures_by_state(
        returns, regimes.state.shift(1).dropna(), benchmark, risk_free=risk_free
    )
    table.attrs["totals"] = 1
    known = (
        "A day counts in the state known at the close before it, by a model of all returns until "
        f"{last:%Y-%m-%d}."
    )
    return table, (words_of(regimes, panel), known)


def stats_by_regime(
    state: State,
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None",
    *,
    universe: str,
    states: int,
    risk_free: float,
) -> pd.DataFrame:
    """Return performance of a series by the state of a universe's market, with notes.

    Raises
    ------
    DataError
        If the returns have no dates, or no trading day before the last of them.
    """
    if not isinstance(returns.index, pd.DatetimeIndex):
        raise DataError("view=regimes needs dates beside the returns. Give two columns.")
    panel = state.panel(universe or None)
    table, notes = figures_by_regime(
        state, panel, returns.sort_index(), benchmark, states=states, risk_free=risk_free
    )
    return with_notes(table, notes)
