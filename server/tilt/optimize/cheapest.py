"""The cheapest repair of a portfolio: what makes it keep its rules at the least cost of trading.

Costs in proportion to trades make it a linear program, whose best corner has no more trades than
binding rules: the simplex method ends there, where an interior method would trade a little of all.
"""

from dataclasses import replace

from tilt.optimize import route
from tilt.optimize.case import Case
from tilt.optimize.limits import halves, lay_out, without_rows
from tilt.optimize.native import solve_linear
from tilt.optimize.program import SCALE, Ease, build
from tilt.optimize.route import Found, first_kept


def find_cheapest(case: Case) -> Found:
    """Return the portfolio within the rules that costs least to trade to, in few trades."""
    sides = halves(layout := lay_out(case), case.rules)
    ease = {
        n: Ease(half.rule.priority * SCALE, shared=False)
        for n, half in enumerate(sides)
        if half.rule.priority is not None
    }
    if without_rows(case.rules) or case.options.solver != "auto":
        return route.find(case)
    program = build(layout, sides, case.goal, ease=ease)
    curved = bool(program.cones) or program.powers is not None or program.quadratic.nnz > 0
    if curved or (program.lower > program.upper).any():
        return route.find(case)
    limit = case.options.time_limit
    found = first_kept(case, sides, [lambda: solve_linear(program, time_limit=limit)])
    if found.status in ("optimal", "infeasible", "unbounded", "time_limit"):
        return found
    again = route.find(case)
    return replace(again, notes=(*found.notes, *again.notes))
