"""A problem on a list of dates or a schedule, as a job."""

from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from tilt.api.books import date_of, grid_id, named_content
from tilt.api.cell_jobs import work_out
from tilt.api.configured import Posed, open_posed, posed_problem
from tilt.api.frames import split
from tilt.api.places import Place
from tilt.api.state import State, pin
from tilt.api.values import Grid
from tilt.calendar import period_ends
from tilt.errors import ArgumentError, one_of
from tilt.frames import PERIODS_PER_YEAR, Panel, content_id
from tilt.jobs import Job, Progress
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem
from tilt.optimize.through_time import ThroughTime, solve_through_time
from tilt.portfolio.cells import DECIMAL_SIGN, is_blank

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "schedule": "D, W, M, Q or Y: solve at the end of each period from start to end",
        "dates": "solve on these dates, as 2016-01-29,2016-02-29",
        "start": "first date of a schedule; a year before the end unless given",
        "end": "last date of a schedule; the last with data unless given",
    }
)
TITLE = "Optimization through time"


@dataclass(frozen=True)
class Asked:
    """A problem as it is stated, and when it is to be solved."""

    holdings: Grid
    posed: Posed
    alpha: Grid | None
    views: Grid | None
    dates: tuple[pd.Timestamp, ...]


def dates_of(panel: Panel, options: Mapping[str, object]) -> tuple[pd.Timestamp, ...]:
    """Return the dates that options ask for; none where they ask for no other date.

    Raises
    ------
    ArgumentError
        If both a schedule and dates are given, or start and end without a schedule.
    """
    schedule, dates = options.get("schedule"), options.get("dates")
    limits = [key for key in ("start", "end") if not is_blank(options.get(key))]
    if is_blank(schedule):
        if limits:
            raise ArgumentError(f"option {limits[0]} needs option schedule: D, W, M, Q or Y.")
        if is_blank(dates):
            return ()
        parts = [part.strip() for part in str(dates).split(",") if part.strip()]
        return tuple(sorted({date_of(part, panel, "option dates") for part in parts}))
    if not is_blank(dates):
        raise ArgumentError("Give option schedule or option dates, not both.")
    period = one_of("option schedule", str(schedule), tuple(PERIODS_PER_YEAR))
    end = date_of(options.get("end"), panel, "option end")
    first = options.get("start")
    start = (
        end - pd.DateOffset(years=1) if is_blank(first) else date_of(first, panel, "option start")
    )
    if start > end:
        raise ArgumentError(f"option start {start:%Y-%m-%d} is after end {end:%Y-%m-%d}.")
    ends = period_ends(panel.dates, period)
    found = tuple(date for date in ends if start <= date <= end)
    if not found:
        raise ArgumentError("No end of a period lies between option start and option end.")
    return found


def ask_through_time(state: State, asked: Asked) -> ThroughTime:
    """Return the answers along time, from a job.

    Raises
    ------
    RunningError
        If it is not done yet.
    """
    panel, problem = check_last(state, asked)
    return work_out(
        state,
        through_time_job,
        Place.of(state, panel, asked.posed.universe),
        asked,
        key=f"through time {asked_id(state, asked, panel, problem)}",
        title=TITLE,
        snapshot=panel.snapshot,
    )


def submit_through_time(state: State, asked: Asked, owner: str) -> Job:
    """Return the job that gives the answers along time as JSON."""
    panel, problem = check_last(state, asked)
    return state.jobs.submit(
        through_time_body,
        Place.of(state, panel, asked.posed.universe),
        asked,
        owner=owner,
        key=f"through time as json {asked_id(state, asked, panel, problem)}",
        title=TITLE,
        snapshot=panel.snapshot,
    )


def asked_id(state: State, asked: Asked, panel: Panel, problem: Problem) -> str:
    """Return an id of all that decides the answers, also of what a name stands for now.

    Parameters
    ----------
    problem : of the last date
    """
    posed = asked.posed
    named = [named_content(state, grid) for grid in (asked.holdings, posed.benchmark)]
    return content_id(
        panel.universe,
        panel.snapshot,
        DECIMAL_SIGN.get(),
        [grid_id(grid or []) for grid in (asked.holdings, posed.constraints, posed.benchmark)],
        named,
        [grid_id(grid or []) for grid in (asked.alpha, asked.views)],
        problem.run_id,
        [posed.objective, posed.universe, posed.long_short, posed.horizon, posed.configuration],
        {str(k): str(v) for k, v in posed.options.items()},
        [f"{date:%Y-%m-%d}" for date in asked.dates],
    )


def check_last(state: State, asked: Asked) -> tuple[Panel, Problem]:
    """Return the universe and the last date's problem; raise what the job would raise of it."""
    problem = _problem(state, asked, asked.dates[-1])
    open_case(problem)
    return state.panel(asked.posed.universe), problem


def _problem(state: State, asked: Asked, date: pd.Timestamp) -> Problem:
    """Return the problem as it is known on a date."""
    book = open_posed(state, asked.holdings, asked.posed, f"{date:%Y-%m-%d}")
    return posed_problem(state, book, asked.posed, asked.alpha, asked.views)


def through_time_job(progress: Progress, place: Place, asked: Asked) -> ThroughTime:
    """Solve on each date in a worker process."""
    progress(0.0, "opening the store")
    state, panel = place.open()
    pin(panel)

    here = copy_context()  # for whom, on what data; a thread has a context of its own

    def problem_at(date: pd.Timestamp) -> Problem:
        return here.copy().run(_problem, state, asked, date)

    return solve_through_time(asked.dates, problem_at, panel.returns, progress=progress)


def through_time_body(progress: Progress, place: Place, asked: Asked) -> dict[str, object]:
    """Solve on each date in a worker process; return the answers as JSON knows them."""
    found = through_time_job(progress, place, asked)
    return {
        "summary": split(found.summary),
        "weights": split(found.weights),
        "messages": list(found.messages),
    }
