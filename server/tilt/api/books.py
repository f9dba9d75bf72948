"""A portfolio as a sheet gives it, with everything that a number about it needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tilt.api import lookup
from tilt.api.pairs import read_pairs, ticker_in
from tilt.api.permission import only_looking, who
from tilt.api.research import is_own, scores_at
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, UnknownNameError, one_of
from tilt.frames import Panel, Weights, content_id, listed
from tilt.optimize.constraints import parse_rules
from tilt.optimize.market import quotes
from tilt.optimize.options import read_options
from tilt.optimize.solve import OPTIONS, Problem
from tilt.optimize.views import View, parse_views
from tilt.portfolio.cells import DECIMAL_SIGN, is_error, shown
from tilt.portfolio.holdings import Holdings, parse_benchmark, parse_holdings
from tilt.portfolio.identifiers import Tickers
from tilt.risk.model import FACTOR, RiskModel
from tilt.risk.returns_model import LOOKBACK

MOST_WITHOUT_DATA = 0.2  # of the weight, beyond which a result would mislead
MOST_TEXT = 2000  # characters of a note; a cell of Excel holds 32,767, and nobody reads them
ALPHA_PER_SCORE = 0.01  # a year, for one unit of the factor whose name is given as alpha


@dataclass(frozen=True, eq=False)
class Day:
    """A universe on a date, and what a portfolio is measured against.

    benchmark : what of it has risk data, its sum unchanged; None for absolute risk
    """

    panel: Panel
    date: pd.Timestamp
    benchmark: Weights | None
    model: RiskModel


@dataclass(frozen=True, eq=False)
class Book(Day):
    """Holdings and benchmark at a date.

    weights : what is held and has risk data, fractions of capital
    notes   : what had to be assumed, one sentence each
    """

    weights: Weights
    notes: tuple[str, ...]


def grid_id(grid: Grid) -> bytes:
    """Return what is equal for equal cells and short, however many they are."""
    return hashlib.blake2b(repr(grid).encode(errors="backslashreplace"), digest_size=16).digest()


def named_content(state: State, given: Grid | None) -> str:
    """Return an id of what a single cell names: a universe's snapshot, a portfolio's weights.

    Those of every date that the portfolio has. An id of the whole store would be another one after
    anybody has saved anything, and the job that runs would be begun anew.

    Returns
    -------
    empty if it names neither
    """
    name = given[0][0] if given and len(given) == len(given[0]) == 1 else None
    if not isinstance(name, str) or not name.strip():
        return ""
    store = state.store
    if store.is_universe(name):
        return store.panel(name).snapshot

    def content() -> str:
        try:
            dates = store.portfolio_dates(name)
        except UnknownNameError:  # a strategy's name, or one that the question itself will refuse
            return ""
        every: list[pd.Timestamp | None] = [*dates] or [None]
        return content_id([str(day) for day in every], *(store.portfolio(name, d) for d in every))

    return state.once(("content", name, store.edition()), content)


def date_of(given: object, panel: Panel, argument: str = "date") -> pd.Timestamp:
    """Return the trading day that a date argument means; the last one if it is blank."""
    if given == 0 and not isinstance(given, bool):  # how Excel may send a blank cell
        given = None
    return parse_date(given, panel.dates, argument)


def open_book(
    state: State,
    holdings: Grid,
    benchmark: Grid | None,
    date: object,
    universe: str | None,
    *,
    long_short: bool = False,
    horizon: str = "short",
    estimator: str = "",
    lookback: int = LOOKBACK,
) -> Book:
    """Read holdings and benchmark, and estimate the risk model of their date."""
    day = open_day(
        state,
        benchmark,
        date,
        universe,
        long_short=long_short,
        horizon=horizon,
        estimator=estimator,
        lookback=lookback,
    )
    return hold(state, day, holdings, long_short=long_short)


def open_day(
    state: State,
    benchmark: Grid | None,
    date: object,
    universe: str | None,
    *,
    long_short: bool = False,
    horizon: str = "short",
    estimator: str = "",
    lookback: int = LOOKBACK,
) -> Day:
    """Read a benchmark, and estimate the risk model of its date; arguments as `State.model`."""
    panel = state.panel(universe)
    day = date_of(date, panel)
    with only_looking():
        saved = state.store.named(day)
    base = parse_benchmark(benchmark, panel, day, saved, long_short=long_short)
    model = state.model(panel, day, horizon, estimator, lookback)
    return Day(panel, day, _covered(base, model), model)


def hold(state: State, day: Day, holdings: Grid, *, long_short: bool = False) -> Book:
    """Read the holdings of a day."""
    panel, saved = day.panel, state.store.named(day.date)

    def read() -> Holdings:
        return parse_holdings(holdings, panel, day.date, saved=saved, long_short=long_short)

    if len(holdings) == len(holdings[0]) == 1:
        held = read()  # a name, whose portfolio may be saved anew
    else:
        read_as = (who().sight, long_short, DECIMAL_SIGN.get(), grid_id(holdings))
        key = (panel.universe, panel.snapshot, day.date, *read_as)
        held = state.holdings.get(key, read)
    weights, note = _with_risk_data(held, day.model)
    assumed = day.model.notes if day.model.estimator != FACTOR else ()
    short = () if long_short else _short_note(weights)
    notes = (*held.notes, *note, *short, *assumed)
    return Book(day.panel, day.date, day.benchmark, day.model, weights, notes)


def _with_risk_data(held: Holdings, model: RiskModel) -> tuple[Weights, tuple[str, ...]]:
    """Return the weights that the model covers, and a note on the others.

    Raises
    ------
    UnknownNameError
        If the others are more than 20 % of the weight.
    """
    weights = held.weights
    known = frozenset(model.assets)
    unknown = [str(t) for t, w in weights.items() if t not in known and w != 0]
    if not unknown:
        return weights, ()
    outside = weights.loc[unknown]
    share = float(outside.abs().sum() / weights.abs().sum())
    words = (
        f"{listed(outside.index)} ({share:.1%} of the weight) has no risk data on "
        f"{model.date:%Y-%m-%d}"
    )
    if share > MOST_WITHOUT_DATA:
        raise UnknownNameError(f"{words}. Remove it from holdings or choose another date.")
    return weights.drop(index=outside.index), (f"{words} and counts as cash.",)


def _short_note(weights: Weights) -> tuple[str, ...]:
    """Return a note on names held short, which a slip of the hand may be."""
    short = weights[weights < 0]
    if short.empty:
        return ()
    return (f"{listed(short.index)} is held short, {-short.sum():.4g} of the capital in all.",)


def _covered(benchmark: "Weights | None", model: RiskModel) -> "Weights | None":
    if benchmark is None:
        return None
    known = benchmark[model.assets.get_indexer(benchmark.index) >= 0]
    if known.empty or known.sum() == 0:
        if benchmark.empty:
            return None  # all of it is cash
        raise UnknownNameError(
            f"No name of the benchmark has risk data on {model.date:%Y-%m-%d}. "
            "Choose another date or benchmark."
        )
    return known * (benchmark.sum() / known.sum())


def state_problem(
    state: State,
    book: Book,
    objective: str,
    *,
    constraints: Grid | None = None,
    alpha: Grid | None = None,
    views: Grid | None = None,
    options: Mapping[str, object],
    long_short: bool = False,
    configuration: str = "",
) -> Problem:
    """Return a portfolio problem as the optimizer takes it.

    Parameters
    ----------
    alpha : rows of ticker and expected yearly return, or the name of a factor
    views : rows of name, view, confidence; or name, minus, view, confidence
    options : of the solver, by the names of ``OPTIONS``
    configuration : id of the one that states a part of the problem
    """
    own = {k: v for k, v in options.items() if k in OPTIONS}
    rules = parse_rules(
        constraints or [],
        securities=book.panel.securities,
        factors=book.model.factor_cov.index,
        long_short=long_short,
    )
    read = read_options(own)
    market = quotes(book.panel, book.date, rules, read)
    return Problem(
        objective,
        book.model,
        book.panel.securities,
        book.weights,
        book.benchmark,
        alpha=None if alpha is None else read_alpha(state, book, alpha),
        rules=rules,
        options=own,
        configuration=configuration,
        scenarios=problem_scenarios(book.panel, book.model, objective, read.lookback),
        views=() if views is None else read_views(book, views),
        adv=market.adv,
        sigma=market.sigma,
        prices=market.prices,
    )


def problem_scenarios(
    panel: Panel, model: RiskModel, objective: str, days: int
) -> pd.DataFrame | None:
    """Return the days of returns that an objective looks at, up to the date of the risk model."""
    if "cvar" not in objective.casefold():
        return None
    return panel.returns.loc[: model.date].tail(days).reindex(columns=model.assets)


def read_views(book: Book, grid: Grid) -> tuple[View, ...]:
    """Return the views of a range; names are tickers, as in holdings, or sectors.

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        As ``parse_views``.
    """
    tickers = Tickers(book.panel, book.date)
    sectors = {str(s).casefold(): str(s) for s in book.panel.securities["sector"].dropna().unique()}

    def known(text: str) -> str | None:
        match = tickers.find(text)
        return sectors.get(text.casefold()) if match is None else match.ticker

    return parse_views(grid, known, [*map(str, book.model.assets), *sectors.values()])


def read_alpha(state: State, book: Book, grid: Grid) -> Weights:
    """Return expected yearly returns by ticker.

    Raises
    ------
    ArgumentError
        If it is neither the name of a factor nor two columns.
    DataError
        If a return is no number, or a ticker comes twice.
    UnknownNameError
        If a ticker is not known.
    """
    if len(grid) == len(grid[0]) == 1:
        scores = lookup.exposures(state, book.panel, book.date)
        if not isinstance(grid[0][0], str) or is_error(grid[0][0]):
            raise ArgumentError(
                f"alpha is {shown(grid[0][0])}. Give tickers and returns, or a factor."
            )
        if is_own(state, book.panel, grid[0][0]):
            own = scores_at(state, book.panel, grid[0][0], book.date, book.model.assets)
            return ALPHA_PER_SCORE * own.fillna(0.0)
        factor = one_of("alpha", grid[0][0], scores.columns)
        return ALPHA_PER_SCORE * scores[factor].reindex(book.model.assets).fillna(0.0)
    if len(grid[0]) != 2:
        raise ArgumentError("alpha must be two columns, ticker and expected return, or a factor.")
    known = Tickers(book.panel, book.date)
    return pd.Series(read_pairs(grid, "alpha", "expected return", ticker_in(known)), dtype=float)


def with_notes(frame: pd.DataFrame, notes: tuple[str, ...]) -> pd.DataFrame:
    """Return a table with a last column ``note`` if something had to be assumed to compute it."""
    if not notes or frame.empty or "note" in frame.columns:
        return frame
    rest = " ".join(notes[len(frame) - 1 :])
    lines = [*notes[: len(frame) - 1], rest if len(rest) <= MOST_TEXT else f"{rest[:MOST_TEXT]}..."]
    return frame.assign(note=[*lines, *[""] * (len(frame) - len(lines))])
