"""How much tracking error each bit of turnover takes away: the least one for each turnover."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError
from tilt.optimize.case import Case
from tilt.optimize.constraints import Rule
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem
from tilt.optimize.route import Found, find
from tilt.optimize.terms import Array

POINTS, FEWEST, MOST = 12, 3, 40
OBJECTIVE = "min_te"


@dataclass(frozen=True, eq=False)
class TurnoverCurve:
    """The trade-off between turnover and tracking error, all other rules kept.

    table    : turnover (one way), tracking_error (yearly), names; by turnover, empty where no
               weights keep the rules
    holdings : tracking error of the holdings as they are, a year
    messages : what the reader should know
    """

    table: pd.DataFrame
    holdings: float
    messages: tuple[str, ...]


def trace_turnover(problem: Problem, *, points: int = POINTS) -> TurnoverCurve:
    """Return the least tracking error at each turnover from none to all that helps.

    Turnover rules of the problem are left aside: the curve says what they cost.

    Parameters
    ----------
    problem : its objective is not used: it is ``min_te``
    points  : of the curve, 3 to 40

    Raises
    ------
    ArgumentError
        If there is no benchmark, or there are too few or too many points.
    """
    if not FEWEST <= points <= MOST:
        raise ArgumentError(f"points must be from {FEWEST} to {MOST}; got {points}.")
    kept = tuple(rule for rule in problem.rules if rule.rule != "turnover")
    free = replace(problem, objective=OBJECTIVE, rules=kept)
    case = open_case(free)
    holdings = case.headline(case.current)
    best = find(case)
    columns = ["turnover", "tracking_error", "names"]
    if not _solved(best):
        message = "No weights keep all rules, whatever the turnover. Solve to see the repairs."
        return TurnoverCurve(pd.DataFrame(columns=columns, dtype=float), holdings, (message,))
    caps = np.linspace(0.0, _turnover(case, best.weights), points)
    found = [_within(free, kept, float(cap)) for cap in caps[:-1]]
    rows = [_row(case, weights) for weights in (*found, best.weights) if weights is not None]
    table = pd.DataFrame(rows, columns=columns).sort_values("turnover", ignore_index=True)
    missing = sum(weights is None for weights in found)
    messages = (
        (f"The rules cannot be kept with a turnover under {table['turnover'].iloc[0]:.2%}.",)
        if missing
        else ()
    )
    return TurnoverCurve(table, holdings, messages)


def _within(problem: Problem, kept: tuple[Rule, ...], cap: float) -> Array | None:
    """Return the weights of least tracking error within a turnover, None if there are none."""
    found = find(open_case(replace(problem, rules=(*kept, Rule("turnover", "", None, cap)))))
    return found.weights if _solved(found) else None


def _solved(found: Found) -> bool:
    return found.status in ("optimal", "optimal_inaccurate")


def _turnover(case: Case, weights: Array) -> float:
    trade = weights - case.current
    return float((np.abs(trade).sum() + abs(trade.sum())) / 2)


def _row(case: Case, weights: Array) -> tuple[float, float, float]:
    return _turnover(case, weights), case.headline(weights), float((weights != 0).sum())
