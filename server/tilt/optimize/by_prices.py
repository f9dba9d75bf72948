"""Solve a standing problem by the Newton method alone, and say what each rule costs."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.limits import Half, Layout
from tilt.optimize.native import Answer, known
from tilt.optimize.newton import Standing, solve_newton
from tilt.optimize.program import NOBODY, Ease
from tilt.optimize.standing import standing_of
from tilt.optimize.terms import Array, Objective

LEAST_NAMES = 300  # PIQP solves smaller problems sooner,
LEAST_WITH_RETURNS = 500  # and more so where expected returns pull away from the benchmark
STEPS = 15  # from afar it needs 3 to 12


def pays(case: Case) -> bool:
    """Return whether a case is of the kind that the Newton method solves sooner than PIQP.

    It begins where nothing has a price, at the benchmark: least risk lies too far from there.
    """
    if case.options.solver != "auto" or case.options.time_limit is not None:
        return False
    if any(rule.kind.discrete or rule.rule == "risk_share" for rule in case.rules):
        return False
    if len(case.assets) < LEAST_NAMES or not case.goal.quadratic:
        return False
    forms = [form for _, form in case.goal.forms()]
    pulled = any(form.linear.any() for form in forms)
    near = all(form.center.any() for form in forms if form.factor)
    return near and (not pulled or len(case.assets) >= LEAST_WITH_RETURNS)


def solve_by_prices(
    layout: Layout, sides: Sequence[Half], goal: Objective, ease: Mapping[int, Ease]
) -> Answer | None:
    """Return the optimum of a standing problem; None where the method does not end at it.

    Every problem is begun at prices of nothing, so that its answer depends on nothing else that
    was solved. Where the method ends, rules and prices agree to ``newton.CLOSE`` and each weight
    is the best at these prices: that is the optimum, whatever the way there. A problem that is
    impossible, or of another kind, has no such end.

    Returns
    -------
    The answer, with the weights for variables.
    """
    start = time.perf_counter()
    standing = None if len(layout.split) else standing_of(layout, sides, goal, ease)
    if standing is None:
        return None
    ended = solve_newton(standing, np.zeros(len(standing.shared)), steps=STEPS)
    if ended is None:
        return None
    weights, prices = ended
    rows = prices[standing.factors :]
    return Answer(
        status="optimal",
        solver="newton",
        seconds=time.perf_counter() - start,
        x=weights,
        prices={**_of_rows(standing, rows), **_of_bounds(standing, weights, prices)},
        budget=_of_budget(layout, sides, standing, rows),
    )


def _of_rows(standing: Standing, rows: Array) -> dict[int, Array]:
    """Return the prices of rules on many names together, by half."""
    found: dict[int, Array] = {}
    for owners, prices in zip(standing.owners.T, (-rows, rows), strict=True):
        paid = np.maximum(prices, 0.0)
        for index in known(owners):
            found[index] = paid[owners == index]
    return found


def _of_bounds(standing: Standing, weights: Array, prices: Array) -> dict[int, Array]:
    """Return by half what one unit more room is worth to all the single weights it stops."""
    s = standing
    slope = s.curvature * weights + s.slope + prices @ s.shared
    steeper = s.steeper(prices)
    outward = (
        (s.floor, (weights == s.lower) * (slope + steeper * (weights > s.kink))),
        (s.cap, (weights == s.upper) * (-slope - steeper * (weights >= s.kink))),
    )
    found: dict[int, Array] = {}
    for owners, gains in outward:
        paid = np.maximum(gains, 0.0)
        for index in known(owners):
            found[index] = paid[owners == index].sum(keepdims=True)
    return found


def _of_budget(layout: Layout, sides: Sequence[Half], standing: Standing, rows: Array) -> float:
    """Return what one unit more of invested capital is worth.

    Where sells are what the turnover bounds, more capital to invest means fewer of them.
    """
    invested = layout.case.invested
    if invested is None:
        return 0.0
    worth = float(rows[(standing.owners == NOBODY).all(axis=1)].sum())
    for index, half in enumerate(sides):
        if half.rule.rule == "turnover" and half.bound[1] + invested < half.bound[0]:
            worth += float(rows[standing.owners[:, 1] == index].sum())
    return worth
