"""Risk parity and risk budgets, within rules where they are asked for.

Without further rules the budgets are met exactly. Within rules the portfolio has the largest
``Σ b ln w - ln σ(w)`` that they allow, which is the same for every multiple of a portfolio: the
convex problem ``min y'Vy/2 - Σ b ln y`` over the multiples ``y`` of what the rules allow. It is
solved by quadratic programs, each with the logarithms as they curve at the last answer.

References
----------
Spinu (2013), An Algorithm for Computing Risk Parity Weights; Maillard, Roncalli, Teiletche (2010);
Richard, Roncalli (2019), Constrained Risk Budgeting Portfolios.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from tilt.errors import ArgumentError
from tilt.optimize import route
from tilt.optimize.case import Case
from tilt.optimize.constraints import amount
from tilt.optimize.goals import RiskBudgets, risk_shares
from tilt.optimize.homogeneous import Homogeneous, homogenize
from tilt.optimize.implied import Tried, settle
from tilt.optimize.limits import Half, halves, lay_out, without_rows
from tilt.optimize.native import Answer, solve_clarabel, solve_piqp
from tilt.optimize.program import SCALE, Program, build
from tilt.optimize.route import Found, first_kept, solver_order
from tilt.optimize.terms import Array, Factors, Term, Variance

if TYPE_CHECKING:
    import cvxpy as cp  # loaded where it is asked for: it takes a second, and 70 MB

EXACT = "newton"  # the solver of budgets that the rules let be met
STEPS = 60
CLOSE = 1e-6  # of a step, relative to the weights; the error left is its square
FEWER = 100.0  # how much dearer a name without a budget is than its risk
OFF = 5e-5  # of the risk: a share nearer to its budget meets it


def find_budgets(case: Case) -> Found:
    """Return the portfolio whose risk shares are nearest to the budgets within the rules."""
    found = _find(case)
    return replace(found, notes=(*found.notes, *case.budgets.notes, *_deviation(case, found)))


def find_tilt(case: Case) -> Found:
    """Return the nearest portfolio to the benchmark plus the factors in their shares of risk."""
    found = route.find(case)
    if found.status not in ("optimal", "optimal_inaccurate"):
        return found
    named = len(case.factors)
    active = case.model.exposures[:, :named].T @ (found.weights - case.center)
    risk = active * (case.model.covariance[:named, :named] @ active)
    at = {str(f): float(r / risk.sum()) for f, r in zip(case.factors, risk, strict=True)}
    told = ", ".join(f"{f} {amount(at[f])} ({amount(b)})" for f, b in case.tilt.items())
    note = f"Of the active factor risk comes, with the budget in brackets, from {told}."
    return replace(found, notes=(*found.notes, note))


def _find(case: Case) -> Found:
    goal = case.goal
    if not isinstance(goal, RiskBudgets):
        raise TypeError(f"{case.objective} has no risk budgets.")
    _refuse(case)
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    nowhere = Answer("infeasible", "bounds", 0.0, np.full(len(case.assets), np.nan), {}, 0.0)
    if case.options.long_short:  # asked by nobody but what prices long-only
        return first_kept(case, sides, [lambda: nowhere])
    exact = _exactly(case, goal, sides)
    if exact is not None:
        return exact
    program = build(layout, sides, -Variance(case.model, np.zeros(len(case.assets))))
    if (program.lower > program.upper).any():
        return first_kept(case, sides, [lambda: nowhere])
    tilt = case.model.exposures.T @ case.center
    everything = homogenize(program, SCALE * float(tilt @ case.model.covariance @ tilt))
    attempts = {
        "piqp": lambda: _by_programs(solve_piqp, everything, case, goal),
        "clarabel": lambda: _by_programs(_clarabel(case), everything, case, goal),
        "cvxpy": lambda: _by_logarithms(case, goal),
    }
    order = solver_order(case, conic=bool(program.cones))
    return first_kept(case, sides, [attempts[name] for name in order])


def _clarabel(case: Case) -> Callable[[Program], Answer]:
    return lambda program: solve_clarabel(program, time_limit=case.options.time_limit)


def _refuse(case: Case) -> None:
    apart = [*without_rows(case.rules), *(r for r in case.rules if r.rule == "cost")]
    if apart:
        raise ArgumentError(
            f"{case.objective} does not take the rule '{apart[0].words()}'. "
            "Leave it out, or say in option budgets which names are held."
        )
    for rule in case.rules:
        if not rule.hard:
            raise ArgumentError(
                f"'{rule.words()}' is soft, and {case.objective} has nothing to weigh it "
                "against. Make it hard or leave it out."
            )


def _exactly(case: Case, goal: RiskBudgets, sides: list[Half]) -> Found | None:
    """Return the portfolio that meets the budgets, if it keeps the rules."""
    start = time.perf_counter()
    invested = case.invested
    if invested is None:
        invested = float(case.current.sum()) or 1.0
    answer = Answer("optimal", EXACT, 0.0, invested * goal.exact, {}, 0.0)
    answer = replace(answer, seconds=time.perf_counter() - start)
    found = first_kept(case, sides, [lambda: answer])
    return found if found.status == "optimal" else None


def _by_programs(
    solve: Callable[[Program], Answer], everything: Homogeneous, case: Case, goal: RiskBudgets
) -> Answer:
    """Solve by quadratic programs; prices are of the distance from the budgets.

    In units of the exact portfolio's variance the multiple is near one.
    """
    began = time.perf_counter()
    n, program = len(case.assets), everything.program
    has = np.flatnonzero(goal.budgets > 0)
    b = goal.budgets[has]
    unit = case.model.volatility(goal.exact) ** 2
    flat = program.quadratic / (2 * SCALE * unit)
    dear = np.zeros(program.size)
    dear[:n][goal.budgets == 0] = FEWER
    y = goal.exact[has]
    for _ in range(STEPS):
        curve, slope = np.zeros(program.size), dear.copy()
        curve[has], slope[has] = b / y**2, -2 * b / y
        step = replace(program, quadratic=(flat + sp.diags(curve)).tocsc(), linear=slope)
        answer = solve(step)
        if answer.status != "optimal":
            return replace(answer, x=np.full(n, np.nan), prices={})
        move = answer.x[has] - y
        if np.abs(move / y).max() < CLOSE:
            return _portfolio(answer, everything.scale, n, time.perf_counter() - began)
        y = y + min(1.0, 0.9 / max(float((-move / y).max()), 0.9)) * move
    return replace(answer, status="failed", x=np.full(n, np.nan), prices={})


def _portfolio(answer: Answer, scale: int, n: int, seconds: float) -> Answer:
    """Return an answer in weights: one unit more room moves the distance by dual times scale."""
    multiple = float(answer.x[scale])
    worth = multiple * SCALE
    prices = {half: price * worth for half, price in answer.prices.items()}
    weights = answer.x[:n] / multiple
    return replace(answer, seconds=seconds, x=weights, prices=prices, budget=answer.budget * worth)


@dataclass(frozen=True, eq=False)
class Logarithms(Term):
    """``Σ b ln w`` over the names with a budget; the others are dear."""

    budgets: Array

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: Array, model: Factors) -> float:
        has = self.budgets > 0
        own = float(self.budgets[has] @ np.log(weights[has]))
        return own - FEWER * float(weights[~has].sum())

    def gradient(self, weights: Array, model: Factors) -> Array:
        slope = np.full(len(weights), -FEWER)
        has = self.budgets > 0
        slope[has] = self.budgets[has] / weights[has]
        return slope

    def to_cvxpy(self, w: "cp.Variable") -> "cp.Expression":
        from cvxpy.atoms.elementwise.log import log
        from cvxpy.expressions.constants.constant import Constant

        has = np.flatnonzero(self.budgets > 0)
        rest = np.where(self.budgets > 0, 0.0, FEWER)
        own: cp.Expression = Constant(self.budgets[has]) @ log(w[has]) - Constant(rest) @ w
        return own


def _by_logarithms(case: Case, goal: RiskBudgets) -> Answer:
    """Solve in weights: the best of ``Σ b ln w - σ²/2s`` at the s that is its own variance."""
    from tilt.optimize.general import solve_cvxpy  # cvxpy takes a second to load

    logarithms = Logarithms(goal.budgets)
    variance = Variance(case.model, np.zeros(len(case.assets)))

    def at(price: float) -> Tried[Answer]:
        strive = logarithms - 1 / (2 * price) * variance
        answer = solve_cvxpy(replace(case, strive=strive), time_limit=case.options.time_limit)
        solved = answer.status in ("optimal", "optimal_inaccurate")
        implied = case.model.volatility(answer.x) ** 2 if solved else np.nan
        return Tried(price, answer, implied)

    return settle(at, case.model.volatility(goal.exact) ** 2).answer


def _deviation(case: Case, found: Found) -> tuple[str, ...]:
    """Say how far the shares of the risk are from their budgets."""
    if found.status not in ("optimal", "optimal_inaccurate") or found.solver == EXACT:
        return ()
    budgets = case.budgets
    reached = budgets.of(risk_shares(found.weights, case.model))
    asked = budgets.of(budgets.by_name)
    worst = int(np.argmax(np.abs(reached - asked)))
    off = float(abs(reached[worst] - asked[worst]))
    if off < OFF:
        return ()
    told = (
        f"Within the rules the shares of the risk are off their budgets by {amount(off)} at most: "
        f"{budgets.groups[worst]} has {amount(reached[worst])} instead of {amount(asked[worst])}."
    )
    return (told,)
