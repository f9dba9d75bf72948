"""Objectives that are no sum of quadratic terms: ratios, risk budgets, the worst days.

Each has a value and a gradient at any weights, and is solved by a method of its own.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.optimize.parity import meet_budgets
from tilt.optimize.terms import Array, Factors, Form, Objective, Term

if TYPE_CHECKING:
    import cvxpy as cp  # loaded where it is asked for: it takes a second, and 70 MB

NODES = 8  # of the mean over the way from one portfolio to another
LOSSES = ("risk_parity", "risk_budget", "min_cvar", "min_cost")  # reported as what is made small


@dataclass(frozen=True, eq=False)
class Curved(Objective):
    """An objective without quadratic terms."""

    terms: tuple[tuple[float, Term], ...] = field(default=(), init=False)

    @property
    def quadratic(self) -> bool:
        return False

    def forms(self) -> list[tuple[float, Form]]:
        return []


@dataclass(frozen=True, eq=False)
class Ratio(Curved):
    """``gain'w`` over yearly volatility: the Sharpe ratio where gain is the excess return.

    gain : by asset, a year; the names' own volatilities for the diversification ratio
    """

    gain: Array

    def value(self, weights: Array, model: Factors) -> float:
        risk = model.volatility(weights)
        return float(self.gain @ weights) / risk if risk > 0 else 0.0

    def gradient(self, weights: Array, model: Factors) -> Array:
        risk = model.volatility(weights)
        pull = model.apply(weights) * (self.gain @ weights) / risk**3
        return np.asarray(self.gain / risk - pull)

    def parts(self, before: Array, after: Array, model: Factors, named: int) -> Array:
        """Return what moves the ratio from one portfolio to another, for one unit of each asset.

        Columns are the named factors, own risk, and the gain; the mean over the way between.
        """
        found = np.zeros((len(after), named + 2))
        for at, share in zip(*np.polynomial.legendre.leggauss(NODES), strict=True):
            weights = before + (at + 1) / 2 * (after - before)
            risk = model.volatility(weights)
            if risk <= 0:
                continue
            price = float(self.gain @ weights) / risk**3
            pull = model.exposures * (model.covariance @ (model.exposures.T @ weights))
            found[:, :named] -= share / 2 * price * pull[:, :named]
            found[:, named] -= share / 2 * price * pull[:, named:].sum(axis=1)
            found[:, named] -= share / 2 * price * model.specific * weights
            found[:, named + 1] += share / 2 * self.gain / risk
        return found


@dataclass(frozen=True, eq=False)
class RiskBudgets(Curved):
    """How far risk shares are from budgets: ``Σ b ln w - ln σ(w)``, less the most it can be.

    Zero exactly where each name's share of the variance is its budget; minus infinity where a name
    with a budget is not held. It does not depend on how much is invested.

    budgets : by asset, shares of the variance that sum to one; zero for a name that is not held
    exact   : the weights that meet the budgets, summing to one
    best    : ``Σ b ln w - ln σ(w)`` of them
    """

    budgets: Array
    exact: Array
    best: float

    def value(self, weights: Array, model: Factors) -> float:
        return score(weights, self.budgets, model) - self.best

    def gradient(self, weights: Array, model: Factors) -> Array:
        pull = model.apply(weights) / model.volatility(weights) ** 2
        own = np.zeros(len(weights))
        has = self.budgets > 0
        own[has] = self.budgets[has] / weights[has]
        return np.asarray(own - pull)


def budget_goal(model: Factors, budgets: Array) -> RiskBudgets:
    """Return the goal of some budgets, which sum to one; names with zero are not held."""
    has = budgets > 0
    held = replace(model, exposures=model.exposures[has], specific=model.specific[has])
    exact = np.zeros(len(budgets))
    exact[has] = meet_budgets(held, budgets[has])
    return RiskBudgets(budgets, exact, score(exact, budgets, model))


def score(weights: Array, budgets: Array, model: Factors) -> float:
    """Return ``Σ b ln w - ln σ(w)``; minus infinity where a name with a budget is not held."""
    has = budgets > 0
    if (weights[has] <= 0).any():
        return -np.inf
    return float(budgets[has] @ np.log(weights[has]) - np.log(model.volatility(weights)))


def risk_shares(weights: Array, model: Factors) -> Array:
    """Return each name's share of the variance; they sum to one."""
    pull = model.apply(weights) * weights
    return np.asarray(pull / pull.sum())


@dataclass(frozen=True, eq=False)
class WorstDays(Term):
    """The mean loss of the worst days, a positive number where they lose.

    scenarios  : days × assets, simple returns
    confidence : 0.95 for the mean of the worst 5 % of the days; of the last one that counts, a part
    """

    scenarios: Array
    confidence: float

    @property
    def quadratic(self) -> bool:
        return False

    @property
    def tail(self) -> float:
        """How many days count."""
        return (1.0 - self.confidence) * len(self.scenarios)

    def value(self, weights: Array, model: Factors) -> float:
        losses = np.sort(-self.scenarios @ weights)[::-1]
        return float(self._shares() @ losses)

    def gradient(self, weights: Array, model: Factors) -> Array:
        order = np.argsort(self.scenarios @ weights, kind="stable")
        return np.asarray(-self._shares() @ self.scenarios[order])

    def _shares(self) -> Array:
        """Return how much each day counts, the worst first."""
        days = np.arange(len(self.scenarios))
        return np.asarray(np.clip(self.tail - days, 0.0, 1.0) / self.tail)

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.atoms.affine.sum import sum as total
        from cvxpy.atoms.elementwise.maximum import maximum
        from cvxpy.expressions.constants.constant import Constant
        from cvxpy.expressions.variable import Variable

        edge = Variable()
        beyond = maximum(-(Constant(self.scenarios) @ w) - edge, 0)
        mean: cp.Expression = edge + total(beyond) / self.tail
        return mean


def worst_days(scenarios: pd.DataFrame | None, assets: Array, confidence: float) -> WorstDays:
    """Return the term of some scenarios, dates × assets; a missing return counts with zero.

    A name without a return on each day is no name to buy; see ``Case.unknown_days``.

    Raises
    ------
    ArgumentError
        If there are none.
    DataError
        If they are too few.
    """
    if scenarios is None:
        raise ArgumentError("min_cvar needs scenarios: returns of the past or of one's own.")
    known = scenarios.reindex(columns=assets).fillna(0.0)
    term = WorstDays(known.to_numpy(dtype=float), confidence)
    if term.tail < 1:
        raise DataError(
            f"{len(known)} days are too few for a confidence of {confidence:g}: the worst "
            f"{100 * (1 - confidence):.3g} % of them is less than a day. Raise option lookback."
        )
    return term
