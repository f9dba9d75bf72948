"""Books through time as a sheet gives them: holdings, dated ones, a universe, a backtest, a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import (
    Asked,
    ask_backtest,
    read_benchmark,
    read_number_option,
    run_backtest,
)
from tilt.api.books import date_of
from tilt.api.runs import backtest_of
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.backtest.held import (
    track_of_backtest,
    track_of_benchmark,
    track_of_universe,
    track_of_weights,
)
from tilt.backtest.parse import is_strategy, read_dated
from tilt.backtest.result import BacktestResult
from tilt.data.derive import data_snapshot
from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.frames import Panel, Weights
from tilt.portfolio.cells import is_blank, is_zero
from tilt.portfolio.holdings import parse_holdings
from tilt.portfolio.layout import looks_dated
from tilt.portfolio.range_groups import read_groups
from tilt.portfolio.track import Track, in_cash

COLUMNS = ("sector", "industry", "country", "currency")
MONTH = "-1M"
_RUN = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class AttributionAsked:
    """An attribution as it is asked for.

    start, end : closes: the returns after ``start`` until ``end`` are explained
    method     : a name of ``METHODS``
    by         : empty for the method's first
    options    : by the names of ``OPTIONS``
    """

    holdings: Grid
    benchmark: Grid | None = None
    start: object = None
    end: object = None
    method: str = "brinson"
    by: str = ""
    universe: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    long_short: bool = False


@dataclass(frozen=True, eq=False)
class Tracks:
    """Portfolio and benchmark, day by day.

    panel  : the data that they are of
    groups : those that the range gives its names
    """

    portfolio: Track
    benchmark: Track
    panel: Panel
    groups: "pd.Series[str] | None" = None


@dataclass(frozen=True, eq=False)
class Finished:
    """A backtest that was run, with the data that it ran on."""

    asked: Asked
    result: BacktestResult
    panel: Panel


def read_tracks(state: State, asked: AttributionAsked, *, wait: bool = False) -> Tracks:
    """Return the books that an attribution is of.

    Parameters
    ----------
    wait : run a backtest here and now, instead of as a job

    Raises
    ------
    RunningError
        If a backtest that it needs is not done yet.
    TiltError
        If an argument is wrong.
    """
    text = one_text(asked.holdings)
    if is_run(state, text):
        return _of_run(state, asked, text.casefold(), wait=wait)
    panel = state.panel(asked.universe or None)
    if text and is_strategy(text):
        return _of_strategy(state, panel, asked, wait=wait)
    last = panel.as_of if _left_out(asked.end) else date_of(asked.end, panel, "end")
    dated = not text and looks_dated(asked.holdings)
    given: dict[pd.Timestamp, Weights] = {}
    notes: tuple[str, ...] = ()
    if dated:
        given, notes = read_dated(asked.holdings, panel, long_short=asked.long_short)
    else:
        given = _saved_dates(state, text)
    start = min(given) if given else date_of(MONTH, panel, "start")
    first = start if _left_out(asked.start) else date_of(asked.start, panel, "start")
    first = panel.trading_day(first)
    if not given and text and (of := _universe(state, panel, text)) is not None:
        portfolio = track_of_universe(of, first, last)
    else:
        if not given:
            held = parse_holdings(
                asked.holdings,
                panel,
                first,
                saved=state.store.named(first),
                long_short=asked.long_short,
            )
            given, notes = {first: held.weights}, held.notes
        portfolio = track_of_weights(panel, given, first, last, cash_rate=_rate(asked), notes=notes)
    groups = None
    if not text and asked.method != "factor" and asked.by:
        groups = read_groups(asked.holdings, asked.by, panel, first)
        if groups is not None:
            groups = _filled(groups, panel, asked.by)
    benchmark = track_of_given(
        state, panel, asked.benchmark, first, last, long_short=asked.long_short
    )
    return Tracks(portfolio, benchmark, panel, groups)


def _filled(groups: "pd.Series[str]", panel: Panel, by: str) -> "pd.Series[str]":
    """Return the range's groups; names that only the benchmark holds keep the data's own."""
    column = by.strip().casefold()
    if column not in COLUMNS or column not in panel.securities:
        return groups
    own = panel.securities[column].dropna().astype(str)
    return pd.concat([groups, own[~own.index.isin(groups.index)]])


def _saved_dates(state: State, text: str) -> dict[pd.Timestamp, Weights]:
    """Return the holdings of a saved portfolio that has several dates, by date."""
    if not text or state.store.is_universe(text):
        return {}
    try:
        dates = state.store.portfolio_dates(text)
    except UnknownNameError:
        return {}  # parse_holdings says so, with what else the text may mean
    if len(dates) < 2:
        return {}
    return {pd.Timestamp(day): state.store.portfolio(text, day) for day in dates}


def _universe(state: State, panel: Panel, text: str) -> Panel | None:
    if text.casefold() == panel.universe.casefold():
        return panel
    return state.store.panel(text) if state.store.is_universe(text) else None


def track_of_given(
    state: State,
    panel: Panel,
    given: Grid | None,
    first: pd.Timestamp,
    last: pd.Timestamp,
    *,
    long_short: bool = False,
) -> Track:
    """Return a benchmark day by day: the universe where it is left out, cash for ``NONE``."""
    text = "" if given is None else one_text(given)
    if given is None or (text and (of := _universe(state, panel, text)) is not None):
        return track_of_universe(panel if given is None or of is None else of, first, last)
    if text.upper() in {"CASH", "NONE"}:
        return in_cash(panel.dates[(panel.dates > first) & (panel.dates <= last)])
    if not text and looks_dated(given):
        held, notes = read_dated(given, panel, long_short=long_short, argument="benchmark")
        return track_of_weights(panel, held, max(first, min(held)), last, notes=notes)
    saved = _saved_dates(state, text)
    if saved:
        return track_of_weights(panel, saved, max(first, min(saved)), last)
    one = parse_holdings(
        given,
        panel,
        first,
        saved=state.store.named(first),
        long_short=long_short,
        argument="benchmark",
    )
    return track_of_weights(panel, {first: one.weights}, first, last, notes=one.notes)


def _of_strategy(state: State, panel: Panel, asked: AttributionAsked, *, wait: bool) -> Tracks:
    _, result = strategy_result(state, asked, wait=wait)
    return tracks_of_result(state, panel, result, asked.benchmark)


def strategy_result(
    state: State, asked: AttributionAsked, *, wait: bool
) -> tuple[Asked, BacktestResult]:
    """Return a strategy's backtest; it is one that BACKTEST with these arguments finds done."""
    options = {k: v for k, v in asked.options.items() if k in OF_BACKTEST}
    backtest = Asked(
        asked.holdings,
        asked.start,
        asked.end,
        str(asked.options.get("rebalance", "")),
        None,
        asked.benchmark,
        options,
        asked.long_short,
        universe=asked.universe,
    )
    return backtest, (run_backtest if wait else ask_backtest)(state, backtest)


def is_run(state: State, text: str) -> bool:
    """Return whether a text is a run id; a portfolio or universe of that name goes first."""
    if not _RUN.fullmatch(text.casefold()) or state.store.is_universe(text):
        return False
    return text.casefold() not in {str(n).casefold() for n in state.store.portfolios()["name"]}


def find_finished(state: State, run: str, *, wait: bool = False) -> Finished:
    """Return the caller's backtest of a run id, over the data that it ran on.

    Raises
    ------
    RunningError
        If it has to be computed again and is not done yet.
    UnknownNameError
        If the caller has no such backtest, or its snapshot is no longer kept.
    DataError
        If it cannot be had again: what it names, as a saved portfolio, is not what it was.
    """
    asked, snapshot = backtest_of(state, run)
    panel = state.panel(asked.universe or None)
    if panel.snapshot != snapshot:
        data = data_snapshot(snapshot)
        panel = state.store.panel(asked.universe or None, data)
    result = (run_backtest if wait else ask_backtest)(state, asked, panel)
    if result.run_id != run:
        raise DataError(
            f"Run {run} cannot be had again: what it names has changed since, as a saved portfolio "
            f"may; now it is {result.run_id}. Calculate the backtest anew and take its run id."
        )
    return Finished(asked, result, panel)


def _of_run(state: State, asked: AttributionAsked, run: str, *, wait: bool) -> Tracks:
    """Return the tracks of a backtest by its run id, all its days or some of them."""
    own = [key for key in asked.options if key in OF_BACKTEST or key == "rebalance"]
    if own:
        raise ArgumentError(
            f"option {own[0]} is of a strategy; run {run} has its own. Leave it out."
        )
    found = find_finished(state, run, wait=wait)
    panel = found.panel
    if asked.universe and asked.universe.strip().casefold() != panel.universe.casefold():
        raise ArgumentError(
            f"Run {run} is of universe '{panel.universe}', not '{asked.universe}'. Leave it out."
        )
    benchmark = found.asked.benchmark if asked.benchmark is None else asked.benchmark
    tracks = tracks_of_result(state, panel, found.result, benchmark)
    if _left_out(asked.start) and _left_out(asked.end):
        return tracks
    days = tracks.portfolio.dates
    last = days[-1] if _left_out(asked.end) else date_of(asked.end, panel, "end")
    first = found.result.market.dates[0]
    if not _left_out(asked.start):
        first = date_of(asked.start, panel, "start")
    return replace(
        tracks,
        portfolio=tracks.portfolio.between(first, last),
        benchmark=tracks.benchmark.between(first, last),
    )


def tracks_of_result(
    state: State, panel: Panel, result: BacktestResult, benchmark: Grid | None
) -> Tracks:
    """Return a backtest and its benchmark, day by day.

    Raises
    ------
    ArgumentError
        If the benchmark is the published index, whose weights are not known.
    """
    first, last = result.market.dates[0], result.market.dates[-1]
    compared = read_benchmark(state, panel, benchmark, last)
    if isinstance(compared, Panel):
        theirs = track_of_universe(compared, first, last)
    elif not isinstance(compared, str):
        theirs = track_of_benchmark(result, panel, compared)
    elif compared == "universe":
        theirs = track_of_universe(panel, first, last)
    elif compared == "none":
        theirs = in_cash(result.market.dates[1:])
    else:
        raise ArgumentError(
            "The published index has no weights to attribute to. Leave the benchmark out for the "
            "universe by market cap, or give weights."
        )
    return Tracks(track_of_backtest(result), theirs, panel)


def one_text(grid: Grid) -> str:
    """Return the text of a single cell, empty for anything else."""
    cell = grid[0][0] if len(grid) == len(grid[0]) == 1 else None
    return cell.strip() if isinstance(cell, str) else ""


def _left_out(given: object) -> bool:
    return is_blank(given) or is_zero(given)


def _rate(asked: AttributionAsked) -> float:
    return read_number_option("cash", asked.options.get("cash", 0.0))
