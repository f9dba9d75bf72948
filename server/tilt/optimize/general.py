"""The general path: the same problem written in cvxpy from the meaning of each rule.

It shares no matrix with the native form, so that each tests the other, and takes any convex term.
"""

import time

import cvxpy as cp
import numpy as np
from cvxpy.atoms.affine.binary_operators import multiply
from cvxpy.atoms.affine.hstack import hstack
from cvxpy.atoms.affine.sum import sum as total
from cvxpy.atoms.elementwise.abs import abs as absolute
from cvxpy.atoms.elementwise.maximum import maximum
from cvxpy.atoms.norm import norm
from cvxpy.atoms.norm1 import norm1
from cvxpy.constraints.nonpos import Inequality

from tilt.optimize.case import Case
from tilt.optimize.constraints import Rule, Side
from tilt.optimize.limits import AFTERWARDS, FROZEN
from tilt.optimize.native import Answer, Status
from tilt.optimize.program import SCALE
from tilt.optimize.terms import Array, Factors

_STATUS: dict[str, Status] = {
    cp.OPTIMAL: "optimal",
    cp.OPTIMAL_INACCURATE: "optimal_inaccurate",
    cp.INFEASIBLE: "infeasible",
    cp.INFEASIBLE_INACCURATE: "infeasible",
    cp.UNBOUNDED: "unbounded",
    cp.UNBOUNDED_INACCURATE: "unbounded",
    cp.USER_LIMIT: "time_limit",
}


def solve_cvxpy(case: Case, *, time_limit: float | None = None) -> Answer:
    """Solve a case through cvxpy and Clarabel."""
    start = time.perf_counter()
    w = cp.Variable(len(case.assets))
    cost = cp.Constant(0.0) - SCALE * case.goal.to_cvxpy(w)
    halves: list[cp.Constraint] = []
    for rule in case.rules:
        if rule.rule in AFTERWARDS:
            continue
        value = _value(case, rule, w)
        for side, bound in _sides(rule):
            slack: cp.Expression = cp.Constant(0.0)
            if rule.priority is not None:
                slack = cp.Variable(value.shape, nonneg=True)
                cost = cost + SCALE * rule.priority * total(slack)
            over = value - bound if side == "max" else bound - value
            halves.append(Inequality(over, slack))
    implicit: list[cp.Constraint] = []
    if not case.options.long_short:
        implicit.append(w >= 0)
    if case.invested is not None:
        implicit.append(total(w) == case.invested)
    problem = cp.Problem(cp.Minimize(cost), halves + implicit)
    tolerance = 1e-8 if case.options.impact else 1e-9
    names = ("tol_gap_abs", "tol_gap_rel", "tol_feas")
    options: dict[str, float] = dict.fromkeys(names, tolerance)
    if time_limit is not None:
        options["time_limit"] = time_limit
    try:
        problem.solve(solver=cp.CLARABEL, **options)  # type: ignore[no-untyped-call]
        status = _STATUS.get(problem.status, "failed")
    except cp.SolverError:
        status = "failed"
    return Answer(
        status=status,
        solver="cvxpy",
        seconds=time.perf_counter() - start,
        x=np.full(len(case.assets), np.nan) if w.value is None else np.array(w.value),
        prices={n: _duals(c) for n, c in enumerate(halves)},
        budget=0.0 if case.invested is None else float(_duals(implicit[-1]).sum()),
    )


def _sides(rule: Rule) -> list[tuple[Side, float]]:
    sides: list[tuple[Side, float]] = []
    if rule.low is not None and not rule.kind.max_only:
        sides.append(("min", rule.low))
    if rule.high is not None:
        sides.append(("max", rule.high))
    return sides


def _duals(constraint: cp.Constraint) -> Array:
    value = constraint.dual_value
    return np.zeros(1) if value is None else np.atleast_1d(np.asarray(value, dtype=float))


def _value(case: Case, rule: Rule, w: cp.Variable) -> cp.Expression:
    """Return what a rule bounds, one entry for each member."""
    off = w - case.center if rule.relative else w
    value: cp.Expression
    if rule.rule == "weight":
        value = off[case.members(rule)[0][1]]
    elif rule.column:
        value = hstack([total(off[at]) for _, at in case.members(rule)])
    elif rule.rule == "factor":
        value = cp.Constant(case.model.exposures[:, case.exposures_of(rule)].T) @ off
    elif rule.rule == "turnover":
        trade = w - case.current
        value = maximum(total(maximum(trade, 0)), total(maximum(-trade, 0)))
    elif rule.rule == "adv":
        value = multiply(_shares(case), absolute(w - case.current))
    elif rule.rule == "cost":
        value = case.cost.to_cvxpy(w)
    elif rule.rule == "tracking_error":
        value = _risk(case.model, w - case.center)
    elif rule.rule == "volatility":
        value = _risk(case.model, w)
    elif rule.rule == "beta":
        covariance = case.model.apply(case.center)
        beta = cp.Constant(covariance / (case.center @ covariance)) @ w
        value = beta - 1.0 if rule.relative else beta
    else:
        value = {
            "net": total(w),
            "gross": norm1(w),
            "long": total(maximum(w, 0)),
            "short": total(maximum(-w, 0)),
        }[rule.rule]
    return value


def _risk(model: Factors, off: cp.Expression) -> cp.Expression:
    factor = cp.Constant(model.root.T) @ (cp.Constant(model.exposures.T) @ off)
    risk: cp.Expression = norm(hstack([factor, multiply(np.sqrt(model.specific), off)]))
    return risk


def _shares(case: Case) -> Array:
    """Return by name what a unit of capital is of its volume; huge where nothing trades."""
    return np.where(np.isfinite(case.participation), case.participation, FROZEN)
