"""The cell about calm and turbulent times."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import End, Start
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, number, tickers_of
from custom_functions._series import read_columns, read_series
from tilt.api import lookup
from tilt.api.books import with_notes
from tilt.api.regime import LEVELS, ask_level, ask_regimes
from tilt.api.state import State, current
from tilt.api.values import Grid
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, one_of
from tilt.factors.descriptors import market_return
from tilt.factors.series import by_regime
from tilt.frames import Panel
from tilt.portfolio.cells import is_zero
from tilt.risk import regimes as engine

METHODS = ("markov", "threshold", *LEVELS)
VIEWS = ("series", "summary", "factors")
ENTER, LEAVE = 0.8, 0.6
LOOK_AHEAD = "Look-ahead: smoothed probabilities know what came later. They describe, no more."
WHOLE = "The parameters are fitted to all returns shown; a strategy fits anew on every date."


@udf(
    result="date, state, calm, turbulent (middle between them with 3 states; level, the figure "
    "that a threshold judges); view=summary: state, mean, volatility, share, duration, bic; "
    "view=factors: factor, state, days, mean, volatility, ir, t_stat, share_positive",
    example='=TILT.REGIMES("Market",2,"-3Y")',
    keys={
        "method": "markov (default), threshold (volatility of 21 days), turbulence or absorption",
        "view": "series (default), summary, or factors: what each earned in each state",
        "smoothed": "yes looks back from the end, of markov; left out: filtered",
        "enter": f"quantile above which turbulence begins, not of markov; {ENTER} unless told",
        "leave": f"quantile beneath which it ends; {LEAVE} unless told",
        "universe": "that the name belongs to; left out: the default of the settings",
    },
    alone=True,
)
def regimes(
    series: Annotated[
        Grid | None,
        cells("Returns, with or without dates; or a ticker, a factor or a universe."),
    ] = None,
    states: Annotated[float, number("2 (default) or 3 states, of markov.")] = 2.0,
    start: Start = None,
    end: End = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Tell calm from turbulent times in a series: how likely each state was on each date.

    markov fits a mean and a variance per state (Hamilton 1989), the calmest first. The others are
    rules with a memory: turbulence begins when the level rises above the enter quantile of the
    levels before it, and ends beneath the leave quantile. Turbulence and absorption (Kritzman and
    Li) take several columns of returns, or a universe's sectors. Left out, the series is the
    market of the default universe. Without dates, date is the row. The summary's mean and
    volatility are per period of the series, the duration in periods. With view=factors a day counts
    in the state known at the close before it, so a strategy could have used it; smoothed, in its
    own.
    """
    method = one_of("option method", options.text("method", METHODS[0]), METHODS)
    view = one_of("option view", options.text("view", VIEWS[0]), VIEWS)
    if states not in engine.STATES:
        raise ArgumentError(f"states must be 2 or 3; got {states:g}.")
    several = method in LEVELS
    state = current()
    panel = state.panel(options.text("universe", "") or None)
    returns = _returns(state, panel, series, several=several)
    begin, last = _window(returns, start, end)
    if method == "markov":
        found = ask_regimes(
            state,
            returns.loc[begin:last].iloc[:, 0],
            states=int(states),
            smoothed=options.flag("smoothed"),
            snapshot=panel.snapshot,
        )
        notes = (LOOK_AHEAD,) if options.flag("smoothed") else (WHOLE,)
        if view == "factors":
            return with_notes(_of_factors(panel, options, found.state), notes)
        if view == "summary":
            return with_notes(found.summary(), notes)
        return with_notes(_dated(found.table()), notes)
    if options.flag("smoothed") or states != engine.STATES[0]:
        raise ArgumentError(f"method={method} has two states and is never smoothed.")
    past = returns.loc[:last]
    if several:
        level = ask_level(state, method, past, snapshot=panel.snapshot)
    else:
        level = engine.trailing_volatility(past.iloc[:, 0])
    table = engine.threshold_regimes(
        level, enter=options.number("enter", ENTER), leave=options.number("leave", LEAVE)
    ).loc[begin:]
    if view == "factors":
        return _of_factors(panel, options, table["state"])
    if view == "summary":
        return engine.threshold_summary(table["state"], returns.mean(axis=1))
    return _dated(table)


def _of_factors(panel: Panel, options: Options, regime: "pd.Series[str]") -> pd.DataFrame:
    """Return what the universe's factors earned in each state."""
    if not isinstance(regime.index, pd.DatetimeIndex):
        raise ArgumentError("view=factors needs dates beside the returns of series.")
    days = regime if options.flag("smoothed") else regime.shift(1).dropna()
    return by_regime(panel.factors.returns, days)


def _returns(state: State, panel: Panel, given: Grid | None, *, several: bool) -> pd.DataFrame:
    """Return the column of returns that is meant, or several."""
    if given is None or (len(given) == len(given[0]) == 1):
        name = panel.universe if given is None or is_zero(given[0][0]) else given[0][0]
        return _named(state, panel, name, several=several)
    found = read_columns(given, "series") if several else read_series(given, "series").to_frame()
    if several and found.shape[1] < 2:
        raise ArgumentError("series must have several columns of returns for this method.")
    if not isinstance(found.index, pd.DatetimeIndex):
        return found.set_axis(range(1, len(found) + 1))
    if not found.index.is_monotonic_increasing or found.index.has_duplicates:
        raise ArgumentError("The dates of series must ascend, each once. Sort the range.")
    return found


def _named(state: State, panel: Panel, name: object, *, several: bool) -> pd.DataFrame:
    """Return the returns of a universe (its sectors if several), a factor or a ticker."""
    if not isinstance(name, str):
        raise ArgumentError(f"series is {name}. Give returns, a ticker, a factor or a universe.")
    every = {str(u).casefold(): str(u) for u in state.store.universes()["name"]}
    wanted = name.strip().casefold()
    if wanted in every:
        chosen = panel if wanted == panel.universe.casefold() else state.panel(every[wanted])
        return _sectors(chosen) if several else market_return(chosen).to_frame()
    if several:
        raise ArgumentError(
            f"'{name}' is one series. Turbulence and absorption need several columns of returns, "
            "or a universe."
        )
    if panel.factor_history is not None:
        factors = {str(f).casefold(): f for f in panel.factors.returns}
        if wanted in factors:
            return panel.factors.returns[[factors[wanted]]]
    return panel.returns[tickers_of((name.strip(),), lookup.tickers(state, panel), "series")]


def _sectors(panel: Panel) -> pd.DataFrame:
    """Return the returns of the sectors, the market's with them."""
    history = panel.factors
    sectors = history.factors.index[history.factors["group"] == "sector"]
    found = history.returns[sectors].add(history.returns["Market"], axis=0)
    return found.dropna(axis=1, how="all")


def _window(returns: pd.DataFrame, start: object, end: object) -> tuple[object, object]:
    """Return the first and last label wanted."""
    days = returns.index
    if not isinstance(days, pd.DatetimeIndex):
        if start is not None or end is not None:
            raise ArgumentError("start and end need dates beside the returns of series.")
        return days[0], days[-1]
    last = parse_date(end, days, "end")
    begin = parse_date(start, days[days <= last], "start", default=days[0])
    if begin >= last:
        raise ArgumentError(f"start {begin:%Y-%m-%d} is not before end {last:%Y-%m-%d}.")
    return begin, last


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename_axis("date").reset_index()
