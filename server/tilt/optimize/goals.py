"""Objectives that are no sum of quadratic terms: ratios, risk budgets and the mean of the worst days.

Each is maximized, has a value and a gradient at any weights, and is solved by a method of its own.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from tilt.optimize.parity import meet_budgets
from tilt.optimize.terms import Array, Factors, Form, Objective, Term

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
class WorstDays(Curved):
    """Minus the mean loss of the worst days: CVaR over equally likely scenarios.

    scenarios  : days × assets, simple returns
    confidence : 0.95 for the mean of the worst 5 % of the days
    """

    scenarios: Array
    confidence: float

    def value(self, weights: Array, model: Factors) -> float:
        losses = np.sort(-self.scenarios @ weights)[::-1]
        return -float(self.shares(len(losses)) @ losses)

    def gradient(self, weights: Array, model: Factors) -> Array:
        order = np.argsort(self.scenarios @ weights, kind="stable")
        return np.asarray(self.shares(len(order)) @ self.scenarios[order])

    def shares(self, days: int) -> Array:
        """Return how much each day counts, the worst first: the last one that counts, in part."""
        tail = (1.0 - self.confidence) * days
        return np.clip(tail - np.arange(days), 0.0, 1.0) / tail
