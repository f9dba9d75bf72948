"""Long-only weights whose shares of the risk are given: risk parity without further rules.

The weights solve ``min x'Vx/2 - Σ b ln x``, a convex problem whose answer, scaled to any sum, meets
the budgets exactly. In a factor model ``V = ZZ' + D`` each weight is the positive root of one
quadratic equation once the exposures ``y = Z'x`` are known, so that only as many unknowns as there
are factors remain: Newton's method on them ends in a few steps whatever the number of names.

References
----------
Spinu (2013), An Algorithm for Computing Risk Parity Weights; Maillard, Roncalli, Teiletche (2010),
The Properties of Equally Weighted Risk Contribution Portfolios, J. Portfolio Management 36(4).
"""

import numpy as np
import scipy.linalg as la

from tilt.errors import DataError
from tilt.optimize.terms import Array, Factors

CLOSE = 1e-11  # of a budget: how exactly each risk share meets it
STEPS = 100
AGAIN = 0.2  # a step that leaves more of the error needs a new matrix
OWN = 1e-6  # of the largest variance: with less risk of its own a name has no root of its own


def meet_budgets(model: Factors, budgets: Array) -> Array:
    """Return positive weights, summing to one, whose shares of the variance are the budgets.

    Parameters
    ----------
    budgets : by asset, positive, summing to one

    Raises
    ------
    DataError
        If no portfolio has these shares: long positions exist whose risk is nothing.
    """
    z = model.exposures @ model.root
    own = model.specific
    total = np.einsum("ij,ij->i", z, z) + own
    if (total <= 0).any():
        raise DataError("A name without any risk has no share of it. Leave it out of the budgets.")
    if own.min() > OWN * total.max() and 2 * z.shape[1] < len(own):
        return by_exposures(z, own, budgets)
    return by_names(z @ z.T + np.diag(own), budgets)


def by_exposures(z: Array, own: Array, budgets: Array) -> Array:
    """Return the weights for ``V = ZZ' + diag(own)`` by Newton's method on ``y = Z'x``.

    The dual of the problem is concave in ``y``: its gradient is ``Z'x(y) - y``, and each x(y) is a
    root. A matrix is kept for as long as it brings the error down.
    """
    spread = 4 * own * budgets
    start = np.sqrt(budgets / (np.einsum("ij,ij->i", z, z) + own))
    y = z.T @ start
    y *= np.sqrt(budgets.sum() / (y @ y + own @ start**2))
    x, miss, error = _roots(z, own, budgets, spread, y)
    factor = None
    for _ in range(STEPS):
        if error < CLOSE:
            return np.asarray(x / x.sum())
        fresh = factor is None
        if factor is None:
            # dx/dc = -x / (2 D x + c), with c = Zy; 2 D x + c is the root of the discriminant.
            weight = x / np.sqrt((z @ y) ** 2 + spread)
            jacobian = z.T @ (weight[:, None] * z)
            jacobian[np.diag_indices_from(jacobian)] += 1.0
            factor = la.cho_factor(jacobian, check_finite=False)
        step = la.cho_solve(factor, miss, check_finite=False)
        length = 1.0
        while True:
            tried = _roots(z, own, budgets, spread, y + length * step)
            if tried[2] < error or not fresh or length < 1e-6:
                break
            length /= 2
        if tried[2] > AGAIN * error:
            factor = None
        if tried[2] < error or fresh:
            y = y + length * step
            x, miss, error = tried
    return by_names(z @ z.T + np.diag(own), budgets)


def _roots(
    z: Array, own: Array, budgets: Array, spread: Array, y: Array
) -> tuple[Array, Array, float]:
    """Return x with ``D x² + c x = b`` for ``c = Zy``, what Z'x is off y, and the worst error."""
    c = z @ y
    root = np.sqrt(c * c + spread)
    # The form without cancellation, by the sign of c.
    x = np.where(c > 0, 2 * budgets / (np.abs(c) + root), (root + np.abs(c)) / (2 * own))
    miss = z.T @ x - y
    return x, miss, float(np.abs((z @ miss) * x / budgets).max())


def by_names(cov: Array, budgets: Array) -> Array:
    """Return the weights for any covariance by Newton's method on the names.

    Each step ends where the function has fallen enough, inside of all positive weights.
    """
    x = np.sqrt(budgets / np.diag(cov))
    for _ in range(STEPS):
        pull = cov @ x
        size = x @ pull
        if not size > 1e-14 * (x * x) @ np.diag(cov):
            break
        scale = np.sqrt(budgets.sum() / size)
        x, pull = x * scale, pull * scale
        gap = pull - budgets / x
        if np.abs(gap * x / budgets).max() < CLOSE:
            return np.asarray(x / x.sum())
        curve = cov + np.diag(budgets / x**2)
        step = -la.solve(curve, gap, assume_a="pos", check_finite=False)
        x = x + _length(cov, budgets, x, step, float(gap @ step)) * step
    raise DataError(
        "No long-only portfolio has these shares of the risk: some long positions carry none "
        "together. Use another risk model or min_risk."
    )


def _length(cov: Array, budgets: Array, x: Array, step: Array, slope: float) -> float:
    """Return how much of a step to take: all of it near the end."""
    bend = float(step @ cov @ step)
    pull = float(step @ cov @ x)
    edge = float((-step / x).max())
    length = 1.0 if edge < 1 else 0.95 / edge
    while length > 1e-10:
        rise = length * pull + length**2 * bend / 2 - budgets @ np.log1p(length * step / x)
        if rise <= 1e-4 * length * slope or abs(slope) < 1e-13:
            break
        length /= 2
    return length
