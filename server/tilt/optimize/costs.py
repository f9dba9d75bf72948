"""What trades are expected to cost, as a term of the objective and as what a rule bounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilt.optimize.terms import Array, Factors, Term

if TYPE_CHECKING:
    import cvxpy as cp  # loaded where it is asked for: it takes a second, and 70 MB

POWER = 1.5  # of the market's impact in the size of a trade


@dataclass(frozen=True, eq=False)
class Cost(Term):
    """``Σ half |x| + slope |x|^1.5 + borrow max(-w, 0)`` for trades ``x = w - current``.

    half    : paid on each unit traded: the linear cost and half the spread
    slope   : by asset, c σ sqrt(value / ADV) with σ per day; zeros without impact
    borrow  : a year on the value of shorts
    current : by asset, fractions of capital

    References
    ----------
    Boyd et al. (2017), Multi-Period Trading via Convex Optimization, section 2.3.
    """

    half: float
    slope: Array
    borrow: float
    current: Array

    @property
    def quadratic(self) -> bool:
        return False

    def by_name(self, weights: Array) -> Array:
        """Return what each name costs, a fraction of capital."""
        size = np.abs(weights - self.current)
        shorts = np.clip(-weights, 0.0, None)
        return np.asarray(self.half * size + self.slope * size**POWER + self.borrow * shorts)

    def value(self, weights: Array, model: Factors) -> float:
        return float(self.by_name(weights).sum())

    def gradient(self, weights: Array, model: Factors) -> Array:
        trade = weights - self.current
        size, side = np.abs(trade), np.sign(trade)
        marginal = self.half + POWER * self.slope * np.sqrt(size)
        return np.asarray(side * marginal - self.borrow * (weights < 0))

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.atoms.affine.binary_operators import multiply
        from cvxpy.atoms.affine.sum import sum as total
        from cvxpy.atoms.elementwise.abs import abs as absolute
        from cvxpy.atoms.elementwise.maximum import maximum
        from cvxpy.atoms.elementwise.power import power

        size = absolute(w - self.current)
        cost: cp.Expression = self.half * total(size)
        if self.slope.any():
            cost = cost + total(multiply(self.slope, power(size, POWER)))
        if self.borrow:
            cost = cost + self.borrow * total(maximum(-w, 0))
        return cost


@dataclass(frozen=True, eq=False)
class Turnover(Term):
    """One-way turnover, the change of cash counted: the larger of all buys and all sells."""

    current: Array

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: Array, model: Factors) -> float:
        trade = weights - self.current
        return float(max(trade.clip(min=0).sum(), -trade.clip(max=0).sum()))

    def gradient(self, weights: Array, model: Factors) -> Array:
        trade = weights - self.current
        if trade.sum() >= 0:
            return np.asarray(1.0 * (trade > 0))
        return np.asarray(-1.0 * (trade < 0))

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.atoms.affine.sum import sum as total
        from cvxpy.atoms.elementwise.maximum import maximum

        trade = w - self.current
        larger: cp.Expression = maximum(total(maximum(trade, 0)), total(maximum(-trade, 0)))
        return larger
