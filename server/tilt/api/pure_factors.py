"""Portfolios of one factor as a sheet asks for them: on a date, or through time as a job."""

from dataclasses import dataclass

import pandas as pd

from tilt.api.books import date_of, grid_id, open_book
from tilt.api.cell_jobs import work_out
from tilt.api.frames import split
from tilt.api.places import Place
from tilt.api.research import read_factor
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.calendar import parse_date, period_ends
from tilt.errors import ArgumentError
from tilt.frames import PERIODS_PER_YEAR, Panel, Weights, content_id
from tilt.jobs import Job, Progress
from tilt.optimize.pure import FactorCase, Limits, compare, open_factor
from tilt.optimize.pure_history import PureHistory, performance
from tilt.portfolio.cells import DECIMAL_SIGN

MONTH = 21
LEAST_DAYS = 126  # of factor returns, for a risk model
TITLE = "Portfolios of a factor through time"
FREQUENCIES = ("M", "Q", "W")  # of rebalances through time


@dataclass(frozen=True)
class PureAsked:
    """Portfolios of a factor as they are asked for.

    universe  : empty for the default one
    holdings  : None starts from the benchmark
    cost      : of trading, as a fraction of what is traded
    start     : of the history; blank for all there is
    rebalance : of the history, one of `FREQUENCIES`
    """

    factor: Grid
    date: object
    universe: str
    limits: Limits
    holdings: Grid | None = None
    cost: float = 0.001
    start: object = None
    rebalance: str = FREQUENCIES[0]


def open_case(
    state: State,
    panel: Panel,
    asked: PureAsked,
    date: pd.Timestamp,
    held: Weights | None = None,
) -> tuple[FactorCase, tuple[str, ...]]:
    """Return the case of a factor on a date, and what is to be noted of it."""
    found = read_factor(state, panel, asked.factor, date=date)
    members = panel.assets[panel.member.loc[date].to_numpy(dtype=bool)]
    case = open_factor(
        state.model(panel, date),
        panel.securities,
        panel.market_cap.T[date],
        members,
        found.name,
        scores=None if found.model else found.scores.T[date],
        held=held,
    )
    return case, found.notes


def case_today(state: State, asked: PureAsked) -> tuple[FactorCase, tuple[str, ...]]:
    """Return the case of the date asked for, with what is held then."""
    panel = state.panel(asked.universe or None)
    day = date_of(asked.date, panel)
    held: Weights | None = None
    notes: tuple[str, ...] = ()
    if asked.holdings is not None:
        book = open_book(state, asked.holdings, None, day, asked.universe or None)
        held, notes = book.weights, book.notes
    case, more = open_case(state, panel, asked, day, held)
    return case, (*notes, *more)


def compared(state: State, asked: PureAsked) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the four kinds side by side, and what is to be noted."""
    panel = state.panel(asked.universe or None)
    case, notes = case_today(state, asked)
    at = int(panel.dates.get_indexer(pd.DatetimeIndex([case.model.date]))[0])
    earlier, _ = open_case(state, panel, asked, panel.dates[max(at - MONTH, 0)])
    return compare((case, earlier), asked.limits, cost=asked.cost), notes


def history(state: State, asked: PureAsked) -> PureHistory:
    """Return what the four kinds earned through time, computed by a job.

    Raises
    ------
    RunningError
        If it is not done yet.
    TiltError
        If an argument is wrong.
    """
    place, key = _job(state, asked)
    return work_out(state, history_job, place, asked, key=key, title=TITLE, snapshot=place.snapshot)


def submit_history(state: State, asked: PureAsked, owner: str) -> Job:
    """Return the job that computes a history as JSON, its own or one that runs."""
    place, key = _job(state, asked)
    return state.jobs.submit(
        report_job,
        place,
        asked,
        owner=owner,
        key=f"report {key}",
        title=TITLE,
        snapshot=place.snapshot,
    )


def _job(state: State, asked: PureAsked) -> tuple[Place, str]:
    """Return a job's place and its key; raise at once what is wrong with it."""
    panel = state.panel(asked.universe or None)
    read_factor(state, panel, asked.factor)
    _rebalances(panel, asked)
    return Place.of(state, panel, asked.universe), _key(state, panel, asked)


def report_job(progress: Progress, place: Place, asked: PureAsked) -> dict[str, object]:
    """Compute a history in a worker process; return its views as JSON knows them."""
    found = history_job(progress, place, asked)
    return {
        "history": split(found.returns.reset_index()),
        "net": split(found.net.reset_index()),
        "performance": split(found.summary(PERIODS_PER_YEAR[asked.rebalance])),
        "notes": list(found.notes),
    }


def history_job(progress: Progress, place: Place, asked: PureAsked) -> PureHistory:
    """Compute a history in a worker process."""
    progress(0.0, "reading the data")
    state, panel = place.open()
    return walk(state, panel, asked, progress)


def walk(
    state: State, panel: Panel, asked: PureAsked, progress: Progress | None = None
) -> PureHistory:
    """Return what the four kinds earned, each made with what was known on its date."""
    dates, last = _rebalances(panel, asked)
    return performance(
        lambda date: open_case(state, panel, asked, date)[0],
        dates,
        panel.returns.loc[:last],
        asked.limits,
        cost=asked.cost,
        progress=progress,
    )


def _rebalances(panel: Panel, asked: PureAsked) -> tuple[list[pd.Timestamp], pd.Timestamp]:
    """Return the dates of the rebalances, and the last day of the history."""
    last = date_of(asked.date, panel)
    sessions = panel.factors.dates[panel.factors.dates <= last]
    known = panel.factors.returns.dropna(how="all").index
    # a risk model needs some history before the first portfolio
    ready = sessions[sessions >= known[min(LEAST_DAYS, len(known) - 1)]]
    blank = asked.start == 0 and not isinstance(asked.start, bool)
    if not len(ready):
        raise ArgumentError(
            f"The factor returns begin on {known[0]:%Y-%m-%d}; a portfolio needs {LEAST_DAYS} days "
            f"of them. Choose a date after {known[min(LEAST_DAYS, len(known) - 1)]:%Y-%m-%d}."
        )
    start = parse_date(None if blank else asked.start, panel.dates, "start", default=ready[0])
    if start >= last:
        raise ArgumentError(f"start {start:%Y-%m-%d} is not before date {last:%Y-%m-%d}.")
    ends = period_ends(ready[ready >= start], asked.rebalance)
    return [day for day in ends if day < last], last


def _key(state: State, panel: Panel, asked: PureAsked) -> str:
    given = (
        grid_id(asked.factor).hex(), str(asked.date), asked.universe, repr(asked.limits),
        asked.cost, str(asked.start), asked.rebalance,
    )  # fmt: skip
    own = content_id(state.edition(), panel.snapshot, DECIMAL_SIGN.get(), *given)
    return f"pure factor {own}"
