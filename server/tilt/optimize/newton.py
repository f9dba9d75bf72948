"""A Newton method for the standing problems: quadratic, with some own risk in every name.

Given the prices of the factors and of the rules, each name's best weight is one line of arithmetic.
What is left is to find the prices: a concave problem in as many variables as there are factors and
binding rules, whatever the number of names. From the prices of a problem nearby Newton's method
ends at the exact optimum in a few steps.

References
----------
Li, Sun, Toh (2018), A highly efficient semismooth Newton augmented Lagrangian method, SIAM J.
Optim. 28(1); Bertsekas (1982), Projected Newton methods, SIAM J. Control Optim. 20(2).
"""

from dataclasses import dataclass

import numpy as np

from tilt.optimize.terms import Array

STEPS = 30  # Newton steps before giving up; from nearby it needs 2 to 8
SHORTER = 4  # halvings of one step
SHARES = (0.0, 0.1, 1.0)  # of the answer that names on a bound give to a price
DAMPING = 0.03  # of a step from afar; it fades as the prices settle
CLOSE = 1e-11  # how exactly rules and factor exposures must agree


@dataclass(frozen=True, eq=False)
class Standing:
    """Minimize ``Σ (½D w² + c w) + ½‖f‖²``, with ``f = B'w - b``, over rows and bounds.

    Each row bounds ``R w`` between ``low`` and ``high``. Some bound ``R w + K max(0, w - kink)``:
    what a name buys counts in the turnover, what it sells does not.

    curvature, slope, kink, lower, upper : D, c and the rest, by name
    shared  : B' and R, (factors + rows) × names
    center  : b, as long as there are factors
    bent    : K of the rows at ``bent_at``, rows × names
    cost    : most that a unit of a soft row may cost; infinite for a hard one
    owners  : the halves (min, max) of each row
    floor, cap : the halves that a name's bounds come from
    """

    curvature: Array
    slope: Array
    shared: Array
    center: Array
    bent: Array
    bent_at: Array
    kink: Array
    low: Array
    high: Array
    cost: Array
    owners: Array
    lower: Array
    upper: Array
    floor: Array
    cap: Array

    @property
    def factors(self) -> int:
        return len(self.center)

    def steeper(self, prices: Array) -> Array:
        """Return by how much each name's cost rises at its kink."""
        return np.asarray(prices[self.factors + self.bent_at] @ self.bent)


@dataclass(frozen=True, eq=False)
class _Point:
    """Prices, the weights that they make best, the value of the dual and its slope."""

    prices: Array
    weights: Array
    value: float
    gradient: Array


def solve_newton(
    standing: Standing, start: Array, *, steps: int = STEPS
) -> tuple[Array, Array] | None:
    """Return the optimal weights and prices; None where the method does not end at them.

    Parameters
    ----------
    start : prices to begin with, of the factors and then of the rows, positive at a max
    steps : how many before giving up
    """
    here = _at(standing, start)
    for _ in range(steps):
        moving, slope = _moving(standing, here)
        if np.abs(slope).max(initial=0.0) <= CLOSE:
            return here.weights, here.prices
        ahead = _ahead(standing, here, moving, slope)
        if ahead is None:
            return None
        here = ahead
    return None


def _at(standing: Standing, prices: Array) -> _Point:
    """Return each name's best weight at some prices, and what that is worth."""
    s, k = standing, standing.factors
    slope = s.slope + prices @ s.shared
    steeper = s.steeper(prices) if len(s.bent) else np.zeros(len(slope))
    below = -slope / s.curvature
    weights = np.maximum(np.minimum(below, s.kink), below - steeper / s.curvature)
    weights = np.minimum(np.maximum(weights, s.lower), s.upper)
    over = np.maximum(weights - s.kink, 0.0)
    worth = (0.5 * s.curvature * weights + slope) @ weights + steeper @ over
    factors, rows = prices[:k], prices[k:]
    bound = rows @ np.where(rows > 0, s.high, np.where(rows < 0, s.low, 0.0))
    value = worth - 0.5 * factors @ factors - factors @ s.center - bound
    gradient = s.shared @ weights
    gradient[:k] -= s.center + factors
    if len(s.bent):
        gradient[k + s.bent_at] += s.bent @ over
    return _Point(prices, weights, float(value), gradient)


def _moving(standing: Standing, here: _Point) -> tuple[Array, Array]:
    """Return which prices are not at rest, and the slope of the dual in each."""
    s, k = standing, standing.factors
    rows, reached = here.prices[k:], here.gradient[k:]
    above, below = reached - s.high, reached - s.low
    at_high = (rows > 0) | ((rows == 0) & (above > 0))
    at_low = (rows < 0) | ((rows == 0) & (below < 0))
    off = np.where(at_high, above, np.where(at_low, below, 0.0))
    given_up = (np.abs(rows) >= s.cost) & (off * rows > 0)
    off[given_up] = 0.0
    moving = np.concatenate([np.ones(k, dtype=bool), (at_high | at_low) & ~given_up])
    return moving, np.concatenate([here.gradient[:k], off])


def _ahead(standing: Standing, here: _Point, moving: Array, slope: Array) -> _Point | None:
    """Return the next point: a Newton step, shortened until it gains."""
    s, w = standing, here.weights
    free = (w > s.lower) & (w < s.upper) & (w != s.kink)
    for share in SHARES:
        answering = np.where(free, 1.0, share)
        direction = _inward(standing, here, moving, slope, answering)
        there = None if direction is None else _gaining(standing, here, slope, direction)
        if there is not None:
            return there
    return None


def _inward(
    standing: Standing, here: _Point, moving: Array, slope: Array, answering: Array
) -> Array | None:
    """Return the step of the prices; a row without a price does not get one of the wrong sign.

    Where two rows say nearly the same, the step of both would push one of them below nothing. It
    stays there, and the others are asked again without it.
    """
    s, k = standing, standing.factors
    unpriced = (here.prices[k:] == 0) & (s.low != s.high)
    while True:
        full = _direction(s, here, moving, slope, answering)
        if full is None:
            return None
        wrong = unpriced & (full[k:] * slope[k:] < 0)
        if not wrong.any():
            return full
        moving = moving & ~np.concatenate([np.zeros(k, dtype=bool), wrong])


def _direction(
    standing: Standing, here: _Point, moving: Array, slope: Array, answering: Array
) -> Array | None:
    """Return the step of the moving prices, from how much each name answers to them.

    Names on a bound do not answer, and few free names make a step too long: where all of them are
    taken to answer in full it cannot be.
    """
    s, k = standing, standing.factors
    few = 2 * np.count_nonzero(answering) < len(answering)  # worth taking out of the others
    at = np.flatnonzero(answering) if few else slice(None)
    loose = s.shared[moving][:, at]
    place = np.cumsum(moving) - 1
    bought = here.weights[at] > s.kink[at]
    for row, bent in zip(k + s.bent_at, s.bent, strict=True):
        if moving[row]:
            loose[place[row]] += bent[at] * bought
    loose *= np.sqrt(answering[at] / s.curvature[at])
    hessian = loose @ loose.T  # a matrix by its own transpose: half the work
    diagonal = hessian.reshape(-1)[:: len(hessian) + 1]
    diagonal[:k] += 1.0
    # Rows that say the same twice, as all sectors and the budget do, leave a direction open.
    damping = max(DAMPING * min(1.0, float(np.abs(slope).max())) ** 1.5, 1e-13)
    diagonal += damping * diagonal.sum() / len(hessian)
    full = np.zeros(len(slope))
    try:
        full[moving] = np.linalg.solve(hessian, slope[moving])
    except np.linalg.LinAlgError:
        return None
    return full


def _gaining(standing: Standing, here: _Point, slope: Array, direction: Array) -> _Point | None:
    k, step = standing.factors, 1.0
    for _ in range(SHORTER):
        prices = here.prices + step * direction
        prices[k:] = _kept(standing, here.prices[k:], prices[k:], slope[k:])
        there = _at(standing, prices)
        gain = slope @ (prices - here.prices)
        if there.value >= here.value + 1e-4 * gain - 1e-13 * max(1.0, abs(here.value)):
            return there
        step /= 2
    return None


def _kept(standing: Standing, before: Array, after: Array, push: Array) -> Array:
    """Return row prices that keep their sign and do not cost more than a soft row is worth."""
    side = np.where(before != 0, before, push)
    held = np.where((standing.low == standing.high) | (after * side > 0), after, 0.0)
    return np.asarray(np.minimum(np.maximum(held, -standing.cost), standing.cost))
