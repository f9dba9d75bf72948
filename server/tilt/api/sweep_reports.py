"""A sweep as a job that gives every view as JSON: what programs ask for."""

from collections.abc import Sequence

from tilt.api.backtests import Asked, asked_id
from tilt.api.frames import split
from tilt.api.places import Place
from tilt.api.state import State, pin
from tilt.api.sweeps import (
    VIEWS,
    Axis,
    Point,
    Sweep,
    check_sweep,
    count_points,
    spread_out,
    sweep_job,
    title_of,
)
from tilt.api.trials import WORKBOOK
from tilt.backtest.result import STATS
from tilt.errors import one_of
from tilt.frames import content_id
from tilt.jobs import Job, Pieces, Progress

Axes = tuple[Axis, Axis | None]


def submit_sweep(
    state: State, asked: Asked, axes: Axes, measure: str, owner: str, workbook: str = ""
) -> Job:
    """Return the job that computes every view of a sweep as JSON, its own or one that runs.

    Parameters
    ----------
    measure : a row of BACKTEST
    workbook : the one whose ledger of trials its backtests go into

    Raises
    ------
    TiltError
        If the measure is unknown, or the first backtest cannot be run: at once, not by the job.
    """
    measure = one_of("measure", measure, STATS)
    panel = state.panel(asked.universe or None)
    every = spread_out(asked, *axes)
    check_sweep(state, panel, every)
    place = Place.of(state, panel, asked.universe)
    own = asked_id(state, panel, asked)
    return state.jobs.submit(
        sweep_report_job,
        place,
        asked,
        axes,
        measure,
        workbook,
        owner=owner,
        key=f"sweep report {content_id(own, repr(axes), measure, workbook)}",
        title=title_of(every, axes),
        snapshot=place.snapshot,
    )


def sweep_report_job(
    progress: Progress, place: Place, asked: Asked, axes: Axes, measure: str, workbook: str
) -> Pieces[dict[str, object]]:
    """Run a sweep in worker processes."""
    every = spread_out(asked, *axes)
    pieces = sweep_job(progress, place, every)
    return pieces.then(sweep_report, place, every, axes, measure, workbook)


def sweep_report(
    progress: Progress,
    points: Sequence[Point],
    place: Place,
    every: Sequence[Asked],
    axes: Axes,
    measure: str,
    workbook: str,
) -> dict[str, object]:
    """Return every view of a sweep as JSON knows them; its backtests count as trials."""
    progress(0.95, "counting the trials")
    state, panel = place.open()
    pin(panel)
    WORKBOOK.set(workbook)
    count_points(state, every, points)
    found = Sweep(*axes, tuple(points))
    return {
        "views": {name: split(found.view(name, measure)) for name in VIEWS},
        "run_ids": [point.run_id for point in points],
        "problems": {p.strategy: p.problem for p in points if p.problem},
    }
