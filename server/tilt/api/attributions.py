"""Attribution as a sheet asks for it: of holdings, of dated holdings, of a universe, a backtest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import (
    Asked,
    ask_backtest,
    read_benchmark,
    read_number_option,
    run_backtest,
)
from tilt.api.books import date_of, with_notes
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
from tilt.errors import ArgumentError, UnknownNameError, one_of
from tilt.frames import Panel, Weights
from tilt.portfolio.attribution import LINKS, brinson_table
from tilt.portfolio.cells import is_blank, is_zero
from tilt.portfolio.daily_attribution import brinson_daily, positions_table
from tilt.portfolio.factor_attribution import factor_effects, factor_table
from tilt.portfolio.holdings import parse_holdings
from tilt.portfolio.layout import looks_dated
from tilt.portfolio.range_groups import read_groups
from tilt.portfolio.track import Track, in_cash

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "brinson": "allocation, selection and interaction by group",
        "factor": "by the factors of the risk model, with specific return, trading and costs",
        "position": "what each position contributed",
    }
)
COLUMNS = ("sector", "industry", "country", "currency")
OF_FACTORS = ("factor", "group")
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "link": "carino (default), menchero, grap or frongello: how days are linked",
        "interaction": "show (default) or merge it into selection",
        "rebalance": "of a strategy: M (default), D, W, Q, Y or drift:0.05",
        **OF_BACKTEST,
    }
)
MONTH = "-1M"


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
class Explained:
    """An attribution's table and the two books it is of."""

    table: pd.DataFrame
    portfolio: Track
    benchmark: Track
    notes: tuple[str, ...]

    @property
    def noted(self) -> pd.DataFrame:
        return with_notes(self.table, self.notes)


@dataclass(frozen=True, eq=False)
class Tracks:
    """Portfolio and benchmark, day by day, and the groups that the range gives its names."""

    portfolio: Track
    benchmark: Track
    groups: "pd.Series[str] | None" = None


def explain(state: State, asked: AttributionAsked, *, wait: bool = False) -> Explained:
    """Return why a portfolio did better or worse than its benchmark.

    Parameters
    ----------
    wait : run a backtest here and now, instead of as a job

    Raises
    ------
    RunningError
        If a backtest that it needs is not done yet.
    TiltError
        If an argument is wrong, or there is nothing to explain.
    """
    method = one_of("method", asked.method or "brinson", METHODS)
    link = one_of("option link", str(asked.options.get("link", "carino")), LINKS)
    panel = state.panel(asked.universe or None)
    tracks = _tracks(state, panel, asked, wait=wait)
    return _explained(tracks, panel, asked, method, link)


def explain_tracks(
    tracks: Tracks, panel: Panel, *, method: str, by: str = "", link: str = "carino"
) -> Explained:
    """Return the attribution of books whose days are known."""
    asked = AttributionAsked([[None]], method=method, by=by)
    return _explained(tracks, panel, asked, method, link)


def _explained(
    tracks: Tracks, panel: Panel, asked: AttributionAsked, method: str, link: str
) -> Explained:
    notes = tuple(dict.fromkeys((*tracks.portfolio.notes, *tracks.benchmark.notes)))
    if method == "factor":
        by = one_of("by", asked.by or "factor", OF_FACTORS)
        found = factor_effects(tracks.portfolio, tracks.benchmark, panel.factors)
        table = factor_table(found, link=link, by_group=by == "group")
        more = found.notes
    elif method == "position":
        groups = panel.securities["sector"].astype(str)
        table, more = positions_table(tracks.portfolio, tracks.benchmark, groups, link=link)
    else:
        merge = one_of(
            "option interaction", str(asked.options.get("interaction", "show")), ("show", "merge")
        )
        effects, more = brinson_daily(
            tracks.portfolio, tracks.benchmark, _groups(tracks, panel, asked.by or "sector")
        )
        table = brinson_table(effects, link=link, merge=merge == "merge")
    return Explained(table, tracks.portfolio, tracks.benchmark, (*notes, *more))


def _groups(tracks: Tracks, panel: Panel, by: str) -> "pd.Series[str]":
    """Return each asset's group: a column of the range, or of the securities."""
    if tracks.groups is not None:
        return tracks.groups.astype(str)
    column = one_of("by", by, [c for c in COLUMNS if c in panel.securities])
    named = panel.securities[column]
    return named.astype(object).where(named.notna(), "").astype(str)


def _tracks(state: State, panel: Panel, asked: AttributionAsked, *, wait: bool) -> Tracks:
    text = one_text(asked.holdings)
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
    return Tracks(portfolio, _benchmark(state, panel, asked, first, last), groups)


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


def _benchmark(
    state: State,
    panel: Panel,
    asked: AttributionAsked,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> Track:
    given = asked.benchmark
    text = "" if given is None else one_text(given)
    if given is None or (text and (of := _universe(state, panel, text)) is not None):
        return track_of_universe(panel if given is None or of is None else of, first, last)
    if text.upper() in {"CASH", "NONE"}:
        return in_cash(panel.dates[(panel.dates > first) & (panel.dates <= last)])
    if not text and looks_dated(given):
        held, notes = read_dated(given, panel, long_short=asked.long_short, argument="benchmark")
        return track_of_weights(panel, held, max(first, min(held)), last, notes=notes)
    saved = _saved_dates(state, text)
    if saved:
        return track_of_weights(panel, saved, max(first, min(saved)), last)
    one = parse_holdings(
        given,
        panel,
        first,
        saved=state.store.named(first),
        long_short=asked.long_short,
        argument="benchmark",
    )
    return track_of_weights(panel, {first: one.weights}, first, last, notes=one.notes)


def _of_strategy(state: State, panel: Panel, asked: AttributionAsked, *, wait: bool) -> Tracks:
    """Return the tracks of a backtest; it is one that BACKTEST with these arguments finds done."""
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
    result = (run_backtest if wait else ask_backtest)(state, backtest)
    return tracks_of_result(state, panel, result, asked.benchmark)


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
    return Tracks(track_of_backtest(result), theirs)


def one_text(grid: Grid) -> str:
    """Return the text of a single cell, empty for anything else."""
    cell = grid[0][0] if len(grid) == len(grid[0]) == 1 else None
    return cell.strip() if isinstance(cell, str) else ""


def _left_out(given: object) -> bool:
    return is_blank(given) or is_zero(given)


def _rate(asked: AttributionAsked) -> float:
    return read_number_option("cash", asked.options.get("cash", 0.0))
