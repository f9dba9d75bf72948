"""Portfolios and backtests through time side by side, as a sheet asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

import pandas as pd

from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import read_number_option
from tilt.api.books import date_of, with_notes
from tilt.api.cell_jobs import RunningError
from tilt.api.frames import split
from tilt.api.places import Place
from tilt.api.runs import backtest_of
from tilt.api.seen import look_at
from tilt.api.state import State, pin
from tilt.api.tracks import (
    AttributionAsked,
    find_finished,
    is_run,
    one_text,
    read_tracks,
    strategy_result,
    track_of_given,
)
from tilt.api.trials import WORKBOOK, count_trial
from tilt.api.values import Grid
from tilt.backtest.held import track_of_backtest
from tilt.backtest.parse import is_strategy
from tilt.backtest.result import BacktestResult
from tilt.errors import ArgumentError
from tilt.frames import Panel, content_id
from tilt.jobs import Job, Progress
from tilt.portfolio.cells import is_blank, is_zero
from tilt.portfolio.side_by_side import VIEWS, Candidate, SideBySide, candidate, side_by_side

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "start": "of the views through time: the close before the first return; a year unless told",
        "rebalance": "of strategies: M (default), D, W, Q, Y or drift:0.05",
        **OF_BACKTEST,
    }
)
YEAR = "-1Y"
MOST = 20  # books that one can still tell apart
NONE: Grid = [["NONE"]]


@dataclass(frozen=True)
class ComparisonAsked:
    """Books to be put side by side.

    books   : by the head of its column: holdings, or a cell with the name of a portfolio, a
        universe, a strategy, or a backtest's run id
    start, end : closes; blank for the common window of the backtests, else a year, and for the last
    options : by the names of ``OPTIONS``
    """

    books: Mapping[str, Grid]
    benchmark: Grid | None = None
    start: object = None
    end: object = None
    universe: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    long_short: bool = False


@dataclass(frozen=True, eq=False)
class _Run:
    """A backtest among the books; what is said of it where its head is not its strategy."""

    result: BacktestResult
    panel: Panel
    words: str = ""


def books_of(given: Mapping[str, Grid]) -> dict[str, Grid]:
    """Return each book of some arguments by the head of its column.

    A row or column of texts is as many books, each with its text as head; all else is one, named as
    its argument. Where every argument is one book, the heads are the arguments' names.

    Raises
    ------
    ArgumentError
        If there are over twenty books, or one twice.
    """
    lists = {name: _texts(grid) for name, grid in given.items()}
    several = any(len(texts) > 1 for texts in lists.values())
    found: dict[str, Grid] = {}
    for name, grid in given.items():
        texts = lists[name] if several else []
        books: list[tuple[str, Grid]] = [(text, [[text]]) for text in texts] or [(name, grid)]
        for head, book in books:
            if head in found:
                raise ArgumentError(f"'{head}' is there twice. Give each portfolio once.")
            found[head] = book
    if len(found) > MOST:
        raise ArgumentError(f"There are {len(found)} to compare; the most is {MOST}. Use fewer.")
    return found


def _texts(grid: Grid) -> list[str]:
    """Return the texts of a row or a column that has nothing else; empty for any other range."""
    cells = [cell for row in grid for cell in row if not is_blank(cell)]
    flat = len(grid) == 1 or len(grid[0]) == 1
    if not flat or not all(isinstance(cell, str) for cell in cells):
        return []
    return [str(cell).strip() for cell in cells]


def compare_through_time(state: State, asked: ComparisonAsked, *, wait: bool = False) -> SideBySide:
    """Return books side by side over the days that all of them share.

    Parameters
    ----------
    wait : run backtests here and now, instead of as jobs

    Raises
    ------
    RunningError
        If a backtest is not done yet; all of them have been asked for by then.
    TiltError
        If an argument is wrong.
    """
    runs = _runs(state, asked, wait=wait)
    universe = asked.universe or next((r.panel.universe for r in runs.values()), "")
    panel = state.panel(universe or None)
    first, last = _window(panel, asked, [r.result for r in runs.values()])
    books = [
        _of_result(name, runs[name].result)
        if name in runs
        else _of_holdings(state, asked, name, grid, panel, first, last)
        for name, grid in asked.books.items()
    ]
    base = track_of_given(state, panel, asked.benchmark, first, last, long_short=asked.long_short)
    rate, notes = _risk_free(asked, [r.result for r in runs.values()])
    found = side_by_side(
        [_cut(book, first, last) for book in books],
        base if base.weights.shape[1] else None,
        risk_free=rate,
    )
    said = [r.words for r in runs.values() if r.words]
    own = [note for book in books for note in book.track.notes]
    dates = found.dates
    window = f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, {len(dates)} days"
    about = f"{window}, against {base.words}."
    return replace(found, notes=(about, *found.notes, *said, *notes, *dict.fromkeys(own)))


def view_comparison(state: State, asked: ComparisonAsked, view: str) -> pd.DataFrame:
    """Return a view of ``side_by_side.VIEWS``; of two books ``a`` and ``b`` with a difference."""
    found = compare_through_time(state, asked)
    table = found.view(view)
    if view == "performance" and list(asked.books) == ["a", "b"]:
        table.insert(3, "difference", table["a"] - table["b"])
    table = with_notes(table, found.notes)
    table.attrs["totals"] = 0
    return table


def submit_comparison(state: State, asked: ComparisonAsked, owner: str) -> Job:
    """Return the job that puts books side by side, its own or one that runs."""
    panel = state.panel(asked.universe or None)
    texts = [one_text(grid) for grid in (*asked.books.values(), asked.benchmark) if grid]
    look_at(state.store, texts)
    for text in texts:
        if is_run(state, text):
            backtest_of(state, text.casefold())  # whoever cannot have it is told so at once
    place = Place.of(state, panel, asked.universe)
    given = [getattr(asked, f.name) for f in fields(asked)]
    return state.jobs.submit(
        comparison_job,
        place,
        asked,
        owner=owner,
        key=f"comparison {content_id(state.edition(), panel.snapshot, place.decimal, *given)}",
        title=f"{len(asked.books)} books side by side",
        snapshot=place.snapshot,
    )


def comparison_job(progress: Progress, place: Place, asked: ComparisonAsked) -> dict[str, object]:
    """Put books side by side in a worker process; return every view as JSON knows it."""
    progress(0.0, "reading the data")
    state, panel = place.open()
    pin(panel)
    progress(0.1, "running the backtests")
    found = compare_through_time(state, asked, wait=True)
    views = {name: split(found.view(name)) for name in VIEWS}
    return {"books": list(asked.books), "views": views, "notes": list(found.notes)}


def held_then(state: State, grid: Grid, date: object) -> Grid:
    """Return a book's holdings at a close: those of a backtest where a cell has its run id.

    Raises
    ------
    ArgumentError
        If the backtest has no such day.
    """
    text = one_text(grid)
    if not is_run(state, text):
        return grid
    found = find_finished(state, text.casefold())
    result = found.result
    day = date_of(date, found.panel)
    days = result.market.dates
    if is_blank(date) or is_zero(date):
        day = days[-1]
    if day not in days:
        raise ArgumentError(
            f"Run {text} has no {day:%Y-%m-%d}: it goes from {days[0]:%Y-%m-%d} to "
            f"{days[-1]:%Y-%m-%d}. Give a date of it."
        )
    row = days.get_loc(day)
    weights = result.ledger.positions[row] / result.ledger.nav[row]
    held = weights != 0.0
    return [
        [str(name), float(w)]
        for name, w in zip(result.market.assets[held], weights[held], strict=True)
    ]


def _runs(state: State, asked: ComparisonAsked, *, wait: bool) -> dict[str, _Run]:
    """Return the backtests among the books; every one is asked for before one is waited for."""
    found: dict[str, _Run] = {}
    running: RunningError | None = None
    for name, grid in asked.books.items():
        text = one_text(grid)
        try:
            if is_run(state, text):
                done = find_finished(state, text.casefold(), wait=wait)
                which = "" if name == done.result.run_id else f", run {done.result.run_id}"
                words = f"{name} is {done.result.strategy}{which}."
                found[name] = _Run(done.result, done.panel, words)
            elif text and is_strategy(text):
                found[name] = _of_strategy(state, asked, grid, wait=wait)
        except RunningError as error:
            running = running or error
    if running is not None:
        raise running
    return found


def _of_strategy(state: State, asked: ComparisonAsked, grid: Grid, *, wait: bool) -> _Run:
    given = AttributionAsked(
        grid,
        asked.benchmark,
        asked.start,
        asked.end,
        universe=asked.universe,
        options=asked.options,
        long_short=asked.long_short,
    )
    backtest, result = strategy_result(state, given, wait=wait)
    if WORKBOOK.get():
        count_trial(
            state, backtest, result.strategy, result.returns,
            risk_free=result.risk_free, run_id=result.run_id,
        )  # fmt: skip
    return _Run(result, state.panel(asked.universe or None))


def _window(
    panel: Panel, asked: ComparisonAsked, results: Sequence[BacktestResult]
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the close before the first return, and the last one, of books and benchmark."""
    blank = [is_blank(given) or is_zero(given) for given in (asked.start, asked.end)]
    first = max((r.market.dates[0] for r in results), default=panel.dates[0])
    last = min((r.market.dates[-1] for r in results), default=panel.as_of)
    if not blank[1]:
        last = min(last, date_of(asked.end, panel, "date"))
    if not blank[0]:
        first = max(first, date_of(asked.start, panel, "start"))
    elif not results:
        first = date_of(YEAR, panel, "start")
    return panel.trading_day(first), panel.trading_day(last)


def _of_result(name: str, result: BacktestResult) -> Candidate:
    """Return a backtest; the costs of its opening count with the first day, as in its returns."""
    series = result.series
    costs = series["cost"].iloc[1:].copy()
    costs.iloc[0] += series["cost"].iloc[0]
    return Candidate(name, track_of_backtest(result), costs, series["turnover"].iloc[1:])


def _of_holdings(
    state: State,
    asked: ComparisonAsked,
    name: str,
    grid: Grid,
    panel: Panel,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> Candidate:
    given = AttributionAsked(
        grid,
        NONE,
        f"{first:%Y-%m-%d}",
        f"{last:%Y-%m-%d}",
        universe=panel.universe,
        options={k: v for k, v in asked.options.items() if k == "cash"},
        long_short=asked.long_short,
    )
    return candidate(name, read_tracks(state, given).portfolio)


def _cut(book: Candidate, first: pd.Timestamp, last: pd.Timestamp) -> Candidate:
    dates = book.track.dates
    inside = dates[(dates > first) & (dates <= last)]
    if not len(inside):
        raise ArgumentError(
            f"'{book.name}' has no day after {first:%Y-%m-%d} and until {last:%Y-%m-%d}. "
            "Choose another start or date."
        )
    return book.on(inside)


def _risk_free(
    asked: ComparisonAsked, results: Sequence[BacktestResult]
) -> tuple[float, tuple[str, ...]]:
    """Return the riskless rate of the ratios: that of the option, else of the backtests."""
    if "cash" in asked.options:
        return read_number_option("cash", asked.options["cash"]), ()
    rates = {r.risk_free for r in results} or {0.0}
    if len(rates) == 1:
        return rates.pop(), ()
    return 0.0, ("The backtests have different riskless rates; here it is 0 for all.",)
