"""What a problem strives for: terms that scale and add, such as ``Return(mu) - 4 * Variance(...)``.

Every term is a quadratic form in factor shape, so that no solver ever sees an assets × assets
matrix. An objective is always maximized.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tilt.errors import ArgumentError

if TYPE_CHECKING:
    import cvxpy as cp  # loaded where it is asked for: it takes a second, and 70 MB

Array: TypeAlias = np.ndarray

OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "min_te": "smallest tracking error against the benchmark",
        "min_risk": "smallest volatility",
        "max_utility": "alpha less risk_aversion times the active variance",
        "max_return": "largest alpha; needs a cap on risk or weights",
        "equal_weight": "weights as equal as the rules allow",
        "max_sharpe": "largest alpha above risk_free for its volatility",
        "max_diversification": "largest mean volatility of the names over the portfolio's",
        "risk_parity": "the same share of the risk from each name; or option budgets",
        "risk_budget": "shares of the risk as option budgets says",
        "min_cvar": "smallest mean loss of the worst days of the past",
        "hrp": "hierarchical risk parity, or the nearest to it that the rules allow",
        "black_litterman": "utility of the returns that the benchmark and views imply",
        "pure_factor": "the benchmark plus the pure portfolio of option factor",
        "min_cost": "fewest and cheapest trades after which the rules hold",
    }
)
# Reported as the square root of what is minimized.
RISK_OBJECTIVES = ("min_te", "min_risk", "pure_factor", "factor_budget")


@dataclass(frozen=True)
class Shown:
    """How an objective's value is said: its name, and whether it is a fraction to be small."""

    name: str
    percent: bool = True
    smaller_is_better: bool = False


SHOWN: Mapping[str, Shown] = MappingProxyType(
    {
        "min_te": Shown("tracking error", smaller_is_better=True),
        "min_risk": Shown("volatility", smaller_is_better=True),
        "max_utility": Shown("utility"),
        "max_return": Shown("expected return"),
        "max_sharpe": Shown("Sharpe ratio", percent=False),
        "max_diversification": Shown("diversification ratio", percent=False),
        "risk_parity": Shown("distance from the risk budgets", smaller_is_better=True),
        "risk_budget": Shown("distance from the risk budgets", smaller_is_better=True),
        "min_cvar": Shown("mean loss of the worst days", smaller_is_better=True),
        "hrp": Shown("the distance to the hierarchy's weights", percent=False),
        "black_litterman": Shown("utility"),
        "pure_factor": Shown("tracking error to the pure portfolio", smaller_is_better=True),
        # What risk_budget becomes where its budgets are of factors.
        "factor_budget": Shown("tracking error to the budgets' portfolio", smaller_is_better=True),
        "min_cost": Shown("cost of trading", smaller_is_better=True),
        "equal_weight": Shown("the distance to equal weights", percent=False),
    }
)


@dataclass(frozen=True, eq=False)
class Factors:
    """A risk model as arrays, yearly: ``V = B F B' + diag(D)``."""

    exposures: Array
    covariance: Array
    specific: Array
    root: Array  # L with L L' = F

    def apply(self, weights: Array) -> Array:
        """Return ``V w``."""
        factor = self.exposures @ (self.covariance @ (self.exposures.T @ weights))
        return np.asarray(factor + self.specific * weights)

    def volatility(self, weights: Array) -> float:
        return float(np.sqrt(max(weights @ self.apply(weights), 0.0)))


@dataclass(frozen=True, eq=False)
class Form:
    """``factor · (w-c)'BFB'(w-c) + Σ diagonal (w-c)² + linear'w``, with c the center."""

    factor: float
    diagonal: Array
    center: Array
    linear: Array


class Term:
    """One thing to strive for; ``2 * term``, ``-term`` and ``term + term`` are objectives."""

    @property
    def quadratic(self) -> bool:
        """Whether ``form`` says all of it."""
        return True

    def value(self, weights: Array, model: "Factors") -> float:
        """Return what the term is for some weights."""
        return _value(self.form(), weights, model)

    def gradient(self, weights: Array, model: "Factors") -> Array:
        """Return the derivative by each weight."""
        f = self.form()
        off = weights - f.center
        slope = 2 * f.diagonal * off + f.linear
        if f.factor:
            y = model.covariance @ (model.exposures.T @ off)
            slope = slope + 2 * f.factor * (model.exposures @ y)
        return np.asarray(slope)

    def form(self) -> Form:
        raise ArgumentError(f"{type(self).__name__} has no quadratic form.")

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        raise ArgumentError(f"{type(self).__name__} has no cvxpy expression.")

    def __mul__(self, scale: float) -> "Objective":
        return Objective(((float(scale), self),))

    def __rmul__(self, scale: float) -> "Objective":
        return self * scale

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __add__(self, other: "Term | Objective") -> "Objective":
        return self * 1.0 + other

    def __sub__(self, other: "Term | Objective") -> "Objective":
        return self * 1.0 - other


@dataclass(frozen=True, eq=False)
class Objective:
    """A weighted sum of terms, to be maximized."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: "Term | Objective") -> "Objective":
        more = other if isinstance(other, Objective) else other * 1.0
        return Objective((*self.terms, *more.terms))

    def __sub__(self, other: "Term | Objective") -> "Objective":
        return self + -1.0 * other

    def __mul__(self, scale: float) -> "Objective":
        return Objective(tuple((scale * c, term) for c, term in self.terms))

    def __rmul__(self, scale: float) -> "Objective":
        return self * scale

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.expressions.constants.constant import Constant

        total: cp.Expression = Constant(0.0)
        for c, term in self.terms:
            total = total + c * term.to_cvxpy(w)
        return total

    @property
    def quadratic(self) -> bool:
        """Whether ``forms`` says all of it."""
        return all(term.quadratic for _, term in self.terms)

    def forms(self) -> list[tuple[float, Form]]:
        """Return the quadratic terms; see ``others``."""
        return [(c, term.form()) for c, term in self.terms if term.quadratic]

    def others(self) -> list[tuple[float, Term]]:
        """Return the terms that are no quadratic form: costs, turnover."""
        return [(c, term) for c, term in self.terms if not term.quadratic]

    def value(self, weights: Array, model: Factors) -> float:
        return float(sum(c * term.value(weights, model) for c, term in self.terms))

    def gradient(self, weights: Array, model: Factors) -> Array:
        """Return the derivative by each weight."""
        total = np.zeros(len(weights))
        for c, term in self.terms:
            total += c * term.gradient(weights, model)
        return total


def _value(f: Form, weights: Array, model: Factors) -> float:
    off = weights - f.center
    y = model.exposures.T @ off
    return float(
        f.factor * (y @ model.covariance @ y) + (f.diagonal * off) @ off + f.linear @ weights
    )


@dataclass(frozen=True, eq=False)
class Variance(Term):
    """Yearly variance of ``w - center``: of the active weights when the center is the benchmark."""

    model: Factors
    center: Array

    def form(self) -> Form:
        return Form(1.0, self.model.specific, self.center, np.zeros(len(self.center)))

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        return risk_squared(self.model, w - self.center)


@dataclass(frozen=True, eq=False)
class Return(Term):
    """Expected yearly return ``alpha'w``."""

    alpha: Array

    def form(self) -> Form:
        zero = np.zeros(len(self.alpha))
        return Form(0.0, zero, zero, self.alpha)

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.expressions.constants.constant import Constant

        expected: cp.Expression = Constant(self.alpha) @ w
        return expected


@dataclass(frozen=True, eq=False)
class Distance(Term):
    """Squared distance to target weights: ``Σ (w - target)²``."""

    target: Array

    def form(self) -> Form:
        size = len(self.target)
        return Form(0.0, np.ones(size), self.target, np.zeros(size))

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        return _squares(w - self.target)


def risk_squared(model: Factors, off: "cp.Expression") -> "cp.Expression":
    """Return the yearly variance of ``off`` with the factor exposures as the inner variables."""
    from cvxpy.atoms.affine.binary_operators import multiply
    from cvxpy.expressions.constants.constant import Constant

    factor = Constant(model.root.T) @ (Constant(model.exposures.T) @ off)
    variance: cp.Expression = _squares(factor) + _squares(multiply(np.sqrt(model.specific), off))
    return variance


def _squares(of: "cp.Expression") -> "cp.Expression":
    from cvxpy.atoms.sum_squares import sum_squares

    squares: cp.Expression = sum_squares(of)
    return squares
