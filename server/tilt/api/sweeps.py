"""One backtest many times over, a parameter or two changed: a job in pieces, a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.api.backtests import OPTIONS as OF_BACKTEST
from tilt.api.backtests import Asked, asked_id, check_backtest, run_prepared
from tilt.api.books import with_notes
from tilt.api.cell_jobs import work_out
from tilt.api.places import Place
from tilt.api.seen import look_at
from tilt.api.state import State
from tilt.api.trials import count_trial
from tilt.backtest.costs import DAYS
from tilt.errors import ArgumentError, TiltError, cut, did_you_mean, one_of
from tilt.frames import Panel, content_id
from tilt.jobs import Pieces, Progress
from tilt.jobs.pieces import runs
from tilt.portfolio.honesty import Trials, honest_table, sharpe_ratio
from tilt.portfolio.measures import per_period

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "heat": "a row for each value of rows, a column for each value of columns",
        "list": "a row for each backtest with its figures",
        "overfitting": "what is left of the best one, given how many were tried",
    }
)
SHOWN = (
    "cagr", "volatility", "sharpe", "information_ratio", "max_drawdown", "turnover_per_year",
    "cost_per_year",
)  # fmt: skip
MOST = 400  # backtests of one sweep
CAPITALS = ("1e6", "1e7", "1e8", "3e8", "1e9", "3e9", "1e10", "1e11")
USUAL_IMPACT = 1  # of the square-root law: about a day's deviation for a day's volume
ARGUMENTS = ("rebalance", "start", "end")


@dataclass(frozen=True)
class Axis:
    """A parameter and the values it takes.

    name : of a ``{placeholder}`` in the strategy, an option of BACKTEST, or rebalance, start, end
    """

    name: str
    taken: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Point:
    """What one backtest of a sweep gave.

    stats   : by measure, of the portfolio
    returns : net, by session; None where it failed
    problem : why it failed; empty where it did not
    """

    strategy: str
    run_id: str
    stats: Mapping[str, float]
    returns: "pd.Series[float] | None"
    risk_free: float = 0.0
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Sweep:
    """The points of a sweep, row by row."""

    rows: Axis
    columns: Axis | None
    points: tuple[Point, ...]

    def view(self, name: str, measure: str) -> pd.DataFrame:
        """Return one of ``VIEWS``; a backtest that failed is missing, with a note.

        Raises
        ------
        ArgumentError
            If the view or the measure is unknown.
        TiltError
            If no backtest succeeded: the reason of the first.
        """
        view = one_of("option view", name, VIEWS)
        done = [p for p in self.points if p.returns is not None]
        if not done:
            raise ArgumentError(f"No backtest of the sweep succeeded. {self.points[0].problem}")
        measure = one_of("measure", measure, done[0].stats)
        failed = tuple(
            dict.fromkeys(f"{p.strategy}: {p.problem}" for p in self.points if p.problem)
        )
        if view == "overfitting":
            return with_notes(self._overfitting(done, measure), failed)
        return with_notes(self._heat(measure) if view == "heat" else self._list(measure), failed)

    def _heat(self, measure: str) -> pd.DataFrame:
        values = np.array([p.stats.get(measure, np.nan) for p in self.points])
        across = self.columns.taken if self.columns else (measure,)
        table = pd.DataFrame(values.reshape(len(self.rows.taken), -1), columns=list(across))
        table.insert(0, self.rows.name, list(self.rows.taken), allow_duplicates=True)
        return table

    def _list(self, measure: str) -> pd.DataFrame:
        shown = list(dict.fromkeys((measure, *SHOWN)))
        table = pd.DataFrame([{m: p.stats.get(m, np.nan) for m in shown} for p in self.points])
        axes = [a for a in (self.rows, self.columns) if a is not None]
        for place, chosen in enumerate(zip(*product(*(a.taken for a in axes)), strict=True)):
            table.insert(place, axes[place].name, list(chosen), allow_duplicates=True)
        return table

    def _overfitting(self, done: Sequence[Point], measure: str) -> pd.DataFrame:
        best = max(done, key=lambda p: np.nan_to_num(p.stats[measure], nan=-np.inf))
        sharpes, series = [], {}
        for number, point in enumerate(done):
            sharpes.append(sharpe_ratio(_excess(point)))
            series[number] = point.returns
        together = pd.DataFrame(series).dropna()
        if best.returns is None:
            raise ValueError("a point that is done has returns")
        table = honest_table(
            best.returns,
            Trials(len(self.points), tuple(sharpes), together),
            per_year=DAYS,
            risk_free=per_period(best.risk_free, DAYS),
        )
        first = pd.DataFrame(
            [("best", best.stats[measure], f"{best.strategy}: {measure}")], columns=table.columns
        )
        return pd.concat([first, table], ignore_index=True)


def _excess(point: Point) -> np.ndarray:
    rate = per_period(point.risk_free, DAYS)
    return np.asarray(point.returns, dtype=np.float64) - rate


def parse_axis(text: str, argument: str) -> Axis:
    """Return the parameter and values that ``factor=Value,Momentum`` means.

    Raises
    ------
    ArgumentError
        If the text has another form, or a value is there twice.
    """
    name, sign, rest = text.partition("=")
    values = tuple(v.strip() for v in rest.split(",") if v.strip())
    if not sign or not name.strip() or not values:
        raise ArgumentError(
            f"{argument} must be a parameter and its values, factor=Value,Momentum; "
            f"got '{cut(text)}'."
        )
    twice = [v for v in values if values.count(v) > 1]
    if twice:
        raise ArgumentError(f"{argument} has the value '{cut(twice[0])}' twice. Keep one.")
    return Axis(name.strip().casefold(), values)


def spread_out(asked: Asked, rows: Axis, columns: Axis | None) -> tuple[Asked, ...]:
    """Return the backtests of a sweep, row by row.

    Raises
    ------
    ArgumentError
        If a parameter is no placeholder, option or argument, or there are too many backtests.
    """
    axes = [rows] if columns is None else [rows, columns]
    if len({a.name for a in axes}) < len(axes):
        raise ArgumentError(f"rows and columns both change '{rows.name}'. Name another parameter.")
    count = int(np.prod([len(a.taken) for a in axes]))
    if count > MOST:
        raise ArgumentError(
            f"{count} backtests in one sweep; the most is {MOST}. Use fewer values."
        )
    found = []
    for values in product(*(a.taken for a in axes)):
        one = asked
        for axis, value in zip(axes, values, strict=True):
            one = _changed(one, axis.name, value)
        found.append(one)
    return tuple(found)


def _changed(asked: Asked, name: str, value: str) -> Asked:
    place = "{" + name + "}"
    text = asked.strategy[0][0]
    if isinstance(text, str) and place in text.casefold():
        at = text.casefold().index(place)
        return replace(asked, strategy=[[f"{text[:at]}{value}{text[at + len(place) :]}"]])
    if name == "rebalance":
        return replace(asked, rebalance=value)
    if name == "start":
        return replace(asked, start=value)
    if name == "end":
        return replace(asked, end=value)
    if name in OF_BACKTEST:
        return replace(asked, options={**asked.options, name: value})
    known = (*ARGUMENTS, *OF_BACKTEST)
    raise ArgumentError(
        f"'{cut(name)}' is no {{{cut(name)}}} of the strategy and no parameter of BACKTEST."
        f"{did_you_mean(name, known)} Parameters are {', '.join(known)}."
    )


def ask_sweep(state: State, asked: Asked, rows: Axis, columns: Axis | None) -> Sweep:
    """Return a sweep that one job computes; each of its backtests counts as a trial.

    Raises
    ------
    RunningError
        If it is not done yet.
    """
    every = spread_out(asked, rows, columns)
    points = _ask_points(state, asked, every, (rows, columns))
    count_points(state, every, points)
    return Sweep(rows, columns, points)


def count_points(state: State, every: Sequence[Asked], points: Sequence[Point]) -> None:
    """Write the backtests of a sweep that succeeded into the ledger of the workbook that asks."""
    for one, point in zip(every, points, strict=True):
        if point.returns is not None:
            count_trial(
                state, one, point.strategy, point.returns,
                risk_free=point.risk_free, run_id=point.run_id,
            )  # fmt: skip


def ask_capacity(state: State, asked: Asked) -> pd.DataFrame:
    """Return what a backtest would have earned with a book of each size, its impact paid.

    The sizes are no trials: nobody chooses the strategy by them.

    Raises
    ------
    RunningError
        If it is not done yet.
    """
    impact = asked.options.get("impact", USUAL_IMPACT)
    priced = replace(asked, options={**asked.options, "impact": impact})
    axis = Axis("capital", CAPITALS)
    points = _ask_points(state, priced, spread_out(priced, axis, None), (axis, None))
    table = Sweep(axis, None, points).view("list", "cagr")
    words = (
        f"An impact of {impact} σ |x|^1.5 / √ADV, beside the costs given, for a book of capital."
    )
    return with_notes(table.assign(capital=table["capital"].astype(float)), (words,))


def _ask_points(
    state: State, asked: Asked, every: tuple[Asked, ...], axes: tuple[Axis, Axis | None]
) -> tuple[Point, ...]:
    """Return what each backtest of a sweep gives, from a job."""
    panel = state.panel(asked.universe or None)
    check_sweep(state, panel, every)
    place = Place.of(state, panel, asked.universe)
    return work_out(
        state,
        sweep_job,
        place,
        every,
        key=f"sweep {content_id(asked_id(state, panel, asked), repr(axes))}",
        title=title_of(every, axes),
        snapshot=place.snapshot,
    )


def check_sweep(state: State, panel: Panel, every: Sequence[Asked]) -> None:
    """Raise what is wrong with the first backtest of a sweep, and note what all of them name."""
    check_backtest(state, panel, every[0])
    look_at(state.store, {str(one.strategy[0][0]) for one in every})


def title_of(every: Sequence[Asked], axes: tuple[Axis, Axis | None]) -> str:
    """Return what a sweep is over, in words."""
    names = " and ".join(axis.name for axis in axes if axis is not None)
    return f"{len(every)} backtests over {names}"


def sweep_job(
    progress: Progress, place: Place, every: Sequence[Asked]
) -> Pieces[tuple[Point, ...]]:
    """Cut the backtests of a sweep into runs for workers to share."""
    progress(0.0, "cutting the sweep")
    each = [(place, tuple(run)) for run in runs(every)]
    return Pieces(sweep_part, each, sweep_points, stage=f"running {len(every)} backtests")


def sweep_points(_progress: Progress, parts: Sequence[tuple[Point, ...]]) -> tuple[Point, ...]:
    """Return the points of all runs, in order."""
    return tuple(point for part in parts for point in part)


def sweep_part(progress: Progress, place: Place, every: Sequence[Asked]) -> tuple[Point, ...]:
    """Run some backtests of a sweep in a worker process."""
    progress(0.0, "reading the data")
    state, panel = place.open()

    def part(number: int, done: float, stage: str) -> None:
        progress((number + done) / len(every), f"{number + 1} of {len(every)}: {stage}")

    points = []
    for number, asked in enumerate(every):
        try:
            result = run_prepared(state, panel, asked, partial(part, number))
        except TiltError as error:
            points.append(Point(str(asked.strategy[0][0]), "", {}, None, 0.0, str(error)))
            continue
        stats = result.stats.set_index("measure")["portfolio"].astype(float).to_dict()
        named = {str(name): float(value) for name, value in stats.items()}
        points.append(
            Point(result.strategy, result.run_id, named, result.returns, result.risk_free)
        )
    return tuple(points)
