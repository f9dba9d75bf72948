"""In what times a market or a series is: quick ones at once, slow ones as jobs."""

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
    key = f"markov {content_id(state.program(), returns, states, smoothed)}"
    quick = LEAST_RETURNS if states == STATES[-1] else QUICK  # what cannot be is said at once
    if len(returns) <= quick:
        return state.once(key, lambda: markov_regimes(returns, states=states, smoothed=smoothed))
    title = f"Regimes, {states} states"
    return work_out(
        state, regimes_job, returns, states, smoothed, key=key, title=title, snapshot=snapshot
    )


def ask_level(
    state: State, method: str, returns: pd.DataFrame, *, snapshot: str = ""
) -> "pd.Series[float]":
    """Return by date how unusual, or how much as one, several series moved; of many by a job.

    Parameters
    ----------
    method : turbulence or absorption
    snapshot : the one that the returns are from

    Raises
    ------
    RunningError
        If the job is not done yet.
    """
    key = f"{method} {content_id(state.program(), returns)}"
    if returns.size * returns.shape[1] <= QUICK_CROWD:
        return state.once(key, lambda: _level(method, returns))
    return work_out(
        state,
        level_job,
        method,
        returns,
        key=key,
        title=f"{method.capitalize()} of {returns.shape[1]} series",
        snapshot=snapshot,
    )


def regimes_job(
    progress: Progress,
    returns: "pd.Series[float]",
    states: int,
    smoothed: bool,  # noqa: FBT001 - a job's arguments have no names
) -> Regimes:
    """Fit the regimes of a series in a worker process."""
    progress(0.0, "fitting")
    return markov_regimes(returns, states=states, smoothed=smoothed)


def level_job(progress: Progress, method: str, returns: pd.DataFrame) -> "pd.Series[float]":
    """Judge several series date by date in a worker process."""
    progress(0.0, "going through the dates")
    return _level(method, returns)


def _level(method: str, returns: pd.DataFrame) -> "pd.Series[float]":
    return turbulence(returns) if method == "turbulence" else absorption_ratio(returns)


def ask_market_regimes(state: State, panel: Panel, date: pd.Timestamp, states: int) -> Regimes:
    """Return what ``market_regimes`` does; three states by a job.

    Raises
    ------
    RunningError
        If the job is not done yet.
    """
    if states == STATES[0]:
        return market_regimes(state, panel, date)
    returns = market_return(panel).loc[:date]
    return ask_regimes(state, returns, states=states, snapshot=panel.snapshot)


def market_regimes(state: State, panel: Panel, date: pd.Timestamp, states: int = 2) -> Regimes:
    """Return the regimes of a universe's market by cap, from what was known at ``date``.

    Probabilities are filtered: a date knows itself and the dates before it.
    """
    key = ("regimes", panel.universe, panel.snapshot, date, states)
    return state.once(key, lambda: markov_regimes(market_return(panel).loc[:date], states=states))


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
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return performance by the state of a universe's market known at the close before each day.

    Parameters
    ----------
    returns, benchmark : by day; later returns of the market than the last one are not looked at
    risk_free : a year

    Returns
    -------
    The table of ``figures_by_state``, and notes
    """
    last = panel.trading_day(pd.Timestamp(returns.index[-1]))
    regimes = market_regimes(state, panel, last, states)
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
