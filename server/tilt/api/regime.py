"""In what times a market is, told from its own returns once per snapshot."""

import pandas as pd

from tilt.api.books import with_notes
from tilt.api.state import State
from tilt.errors import DataError
from tilt.factors.descriptors import market_return
from tilt.frames import Panel
from tilt.portfolio.rolling import figures_by_state
from tilt.risk.regimes import Regimes, markov_regimes


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
