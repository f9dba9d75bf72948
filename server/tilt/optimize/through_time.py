"""One problem on many dates, each with what was known then and the weights that drifted there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, one_of
from tilt.frames import Returns, Weights, listed
from tilt.optimize.check import turnover
from tilt.optimize.problem import Problem
from tilt.optimize.solve import Solution, solve
from tilt.optimize.terms import Array

AHEAD = 2  # dates whose risk models are estimated while one is solved
MOST = 2_600  # dates: ten years of days
SUMMARY = ["date", "objective", "turnover", "names", "status"]
VIEWS: Mapping[str, str] = MappingProxyType(
    {"summary": ", ".join(SUMMARY), "weights": "date, ticker, weight"}
)


@dataclass(frozen=True, eq=False)
class ThroughTime:
    """The answers of a problem along time.

    summary  : date, objective (as the problem reports it; NaN without an answer), one-way
        turnover from the drifted weights, names held, status
    weights  : date, ticker, weight; where a date has no answer, the weights that drifted there
    messages : what the reader should know
    """

    summary: pd.DataFrame
    weights: pd.DataFrame
    messages: tuple[str, ...]

    def view(self, name: str) -> pd.DataFrame:
        """Return one of ``VIEWS``."""
        return self.weights if one_of("view", name, VIEWS) == "weights" else self.summary


def _silent(fraction: float, stage: str) -> None:
    """Tell nobody."""


def solve_through_time(
    dates: Sequence[pd.Timestamp],
    problem_at: Callable[[pd.Timestamp], Problem],
    returns: Returns,
    *,
    progress: Callable[[float, str], None] = _silent,
) -> ThroughTime:
    """Solve a problem on each date.

    Parameters
    ----------
    dates : in rising order
    problem_at : the problem as it is known on a date; its current holdings count on the first
        date, and later where nothing was held before. Called from several threads, ahead of time
    returns : dates × assets, simple daily returns as decimals; a missing one counts with zero
    progress : told the fraction done and the stage; may raise to end it

    Raises
    ------
    ArgumentError
        If there is no date, too many, or they do not rise.
    """
    if not 0 < len(dates) <= MOST:
        raise ArgumentError(f"{len(dates)} dates are asked for; give 1 to {MOST:,}.")
    if any(b <= a for a, b in pairwise(dates)):
        raise ArgumentError("The dates must rise, each once.")
    rows: list[tuple[object, ...]] = []
    held: list[tuple[Array, Array]] = []
    messages: list[str] = []
    before: tuple[pd.Timestamp, Weights] | None = None
    for n, (date, problem) in enumerate(_prepared(dates, problem_at)):
        progress(n / len(dates), f"{date:%Y-%m-%d}")
        start = problem.current if before is None else _drifted(*before, date, returns)
        posed, gone = _with_current(problem, start)
        if gone:
            messages.append(f"{date:%Y-%m-%d}: {listed(gone)} had no risk data and was sold.")
        solution = solve(posed)
        if not solution.solved:
            messages.append(f"{date:%Y-%m-%d}: {solution.refusal}")
        weights = solution.weights if solution.solved else posed.current
        rows.append(_row(date, posed, solution, weights))
        held.append(_largest_first(weights))
        before = date, weights
    summary = pd.DataFrame(rows, columns=SUMMARY)
    return ThroughTime(summary, _long(dates, held), tuple(messages))


def _prepared(
    dates: Sequence[pd.Timestamp], problem_at: Callable[[pd.Timestamp], Problem]
) -> Iterator[tuple[pd.Timestamp, Problem]]:
    """Return each date's problem, stated while the ones before it are solved."""
    with ThreadPoolExecutor(AHEAD) as pool:
        waiting: list[Future[Problem]] = [pool.submit(problem_at, d) for d in dates[:AHEAD]]
        try:
            for n, date in enumerate(dates):
                problem = waiting.pop(0).result()
                if n + AHEAD < len(dates):
                    waiting.append(pool.submit(problem_at, dates[n + AHEAD]))
                yield date, problem
        finally:
            for future in waiting:
                future.cancel()


def _drifted(
    since: pd.Timestamp, weights: Weights, until: pd.Timestamp, returns: Returns
) -> Weights:
    """Return weights as the returns after ``since`` and up to ``until`` left them; cash stays."""
    first, last = (returns.index.searchsorted(day, side="right") for day in (since, until))
    # all names, not those held alone: labels that stay the same need no look-up, which costs more
    place = returns.columns.get_indexer(weights.index)
    earned = returns.iloc[first:last].to_numpy(dtype=float)[:, place]
    growth = (1.0 + np.where(np.isnan(earned) | (place < 0), 0.0, earned)).prod(axis=0)
    held = weights.to_numpy(dtype=float)
    value = held * growth
    return pd.Series(value / (value.sum() + 1.0 - held.sum()), index=weights.index)


def _with_current(problem: Problem, weights: Weights) -> tuple[Problem, list[str]]:
    """Return the problem with other holdings, and the names that it knows no risk of.

    Those are sold, and as much is invested as before.
    """
    known = problem.model.exposures.index.get_indexer(weights.index) >= 0
    if known.all():
        return replace(problem, current=weights), []
    gone = [str(name) for name in weights.index[~known & (weights.to_numpy() != 0)]]
    if not gone:
        return replace(problem, current=weights[known]), gone
    options = {"cash": 1.0 - float(weights.sum()), **problem.options}
    return replace(problem, current=weights[known], options=options), gone


def _row(
    date: pd.Timestamp, problem: Problem, solution: Solution, weights: Weights
) -> tuple[object, ...]:
    held = np.zeros(len(weights))  # what is held is known to the model: ``_with_current``
    held[weights.index.get_indexer(problem.current.index)] = problem.current.to_numpy(dtype=float)
    moved = turnover(held, weights.to_numpy(dtype=float))
    value = solution.objective if solution.solved else np.nan
    return date, value, moved, float(np.count_nonzero(weights.to_numpy())), solution.status


def _largest_first(weights: Weights) -> tuple[Array, Array]:
    """Return names and weights of what is held, the largest first; equal ones keep their order."""
    values = weights.to_numpy(dtype=float)
    held = np.flatnonzero(values)
    order = held[np.argsort(-values[held], kind="stable")]
    return weights.index.to_numpy(dtype=object)[order], values[order]


def _long(dates: Sequence[pd.Timestamp], held: Sequence[tuple[Array, Array]]) -> pd.DataFrame:
    """Return date, ticker, weight."""
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex(list(dates)).repeat([len(names) for names, _ in held]),
            "ticker": pd.Index(np.concatenate([names for names, _ in held]), dtype=object),
            "weight": np.concatenate([weights for _, weights in held]),
        }
    )
