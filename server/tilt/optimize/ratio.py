"""The best ratio of a gain to volatility: the Sharpe ratio, and the diversification ratio.

Natively over the multiples of the portfolios that keep the rules (Charnes, Cooper 1962). The other
way works in weights: the best ratio is also the best of ``gain - price/2 variance`` at the price
that its own portfolio implies, gain over variance; that one number is searched for. It takes any
rule and any cost that the other objectives take.

A soft rule costs gain: the ratio is that of the gain less what broken soft rules cost.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.check import TOLERANCE, read_each, read_implicit, read_rules, worst
from tilt.optimize.constraints import amount
from tilt.optimize.goals import Ratio
from tilt.optimize.homogeneous import Homogeneous, homogenize
from tilt.optimize.implied import Tried, settle
from tilt.optimize.limits import Half, halves, lay_out, without_rows
from tilt.optimize.native import Answer, solve_clarabel, solve_piqp
from tilt.optimize.program import SCALE, Ease, Program, build
from tilt.optimize.route import Found, find, first_kept, solver_order
from tilt.optimize.terms import Array, Return, Variance

SOLVED = ("optimal", "optimal_inaccurate")
GENTLE = 1e-3  # a price of variance at which the gain decides
LARGE = 100.0  # times a portfolio: rules that still hold limit nothing
ANY_SIZE = (
    "No solution: the rules hold at any size, and the ratio is the same at each. "
    "Add a max on gross, volatility or each weight."
)
NO_END = 1e-7  # a scale below it: the rules hold at any size


def find_ratio(case: Case) -> Found:
    """Return the portfolio with the best ratio within the rules."""
    goal = case.goal
    if not isinstance(goal, Ratio):
        raise TypeError(f"{case.objective} is no ratio.")
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    soft = {n: h.rule.priority for n, h in enumerate(sides) if h.rule.priority is not None}
    ease = {n: Ease(0.0, shared=False) for n in soft}
    around = np.zeros(len(case.assets))
    program = build(layout, sides, -Variance(case.model, around), ease=ease)
    apart = without_rows(case.rules)
    if apart or program.powers or (program.lower > program.upper).any():
        return _by_price(case, goal)
    tilt = case.model.exposures.T @ case.center
    everything = homogenize(program, SCALE * float(tilt @ case.model.covariance @ tilt))
    paid = np.zeros(program.size)
    paid[: len(case.assets)] = goal.gain
    for n, columns in program.slack.items():
        paid[columns] -= soft[n]
    return _found(case, goal, sides, everything, paid)


def _found(
    case: Case, goal: Ratio, sides: list[Half], everything: Homogeneous, paid: Array
) -> Found:
    size = float(np.abs(goal.gain).max())
    if size == 0:
        return _without_gain(case, goal)
    unit = size / 2  # makes the scale a number near one
    program = everything.fixing(paid, unit)
    native: dict[str, Callable[[Program], Answer]] = {
        "piqp": solve_piqp,
        "clarabel": lambda p: solve_clarabel(p, time_limit=case.options.time_limit),
    }
    order = solver_order(case, conic=bool(program.cones))
    attempts = [
        _attempt(native[name], program, everything.scale, case, unit)
        for name in order
        if name in native
    ]
    if order[0] == "cvxpy":
        return _by_price(case, goal)
    found = first_kept(case, sides, attempts)
    if found.status == "infeasible":
        return _without_gain(case, goal, found)
    if found.status == "optimal" and _at_any_size(case, found):
        found = replace(found, status="unbounded")
    if found.status == "unbounded":
        return replace(found, refusal=ANY_SIZE)
    if found.status in ("optimal", "time_limit"):
        return found
    again = _by_price(replace(case, options=replace(case.options, solver="cvxpy")), goal)
    return (
        replace(again, notes=(*found.notes, *again.notes)) if again.status == "optimal" else found
    )


def _at_any_size(case: Case, found: Found) -> bool:
    weights = found.weights * LARGE
    broken = worst(read_rules(case, weights, case.rules) + read_implicit(case, weights))
    return broken is None or -broken.slack < TOLERANCE * LARGE  # rounding grows with the weights


def _attempt(
    solve: Callable[[Program], Answer], program: Program, scale: int, case: Case, unit: float
) -> Callable[[], Answer]:
    return lambda: _portfolio(solve(program), scale, case, unit)


def _portfolio(answer: Answer, scale: int, case: Case, unit: float) -> Answer:
    """Return an answer in weights; its prices are of the ratio.

    With ``v(h) = SCALE unit² / ratio²`` the least variance at a gain of ``unit``, one unit more
    room in a rule moves v by its dual times the scale, and the ratio by ``ratio³ / (2 unit²)`` of
    that.
    """
    n = len(case.assets)
    if answer.status != "optimal":
        return replace(answer, x=np.full(n, np.nan), prices={})
    multiple = float(answer.x[scale])
    if multiple < NO_END:
        return replace(answer, status="unbounded", x=np.full(n, np.nan), prices={})
    weights = answer.x[:n] / multiple
    ratio = unit / (case.model.volatility(weights) * multiple)
    worth = multiple * ratio**3 / (2 * unit**2)
    prices = {half: price * worth for half, price in answer.prices.items()}
    return replace(answer, x=weights, prices=prices, budget=answer.budget * worth)


def _without_gain(case: Case, goal: Ratio, found: Found | None = None) -> Found:
    """Return why no ratio is above zero, or what was found where the rules themselves conflict."""
    best = find(replace(case, strive=Return(goal.gain) * 1.0))
    if best.status != "optimal":
        return best if found is None else found
    value = _gain(case, goal, best.weights)
    return replace(
        best,
        status="infeasible",
        refusal=f"No solution: no portfolio within the rules has an expected return above the "
        f"risk-free rate; the best is {amount(value)} a year above it. "
        "Raise alpha, lower risk_free, or use min_risk.",
    )


def _gain(case: Case, goal: Ratio, weights: Array) -> float:
    """Return the gain less what broken soft rules cost."""
    broken = sum((r.rule.priority or 0.0) * max(-r.slack, 0.0) for r in read_each(case, weights))
    return float(goal.gain @ weights) - broken


def _by_price(case: Case, goal: Ratio) -> Found:
    """Search the price of variance at which the best portfolio implies that price."""
    variance = Variance(case.model, np.zeros(len(case.assets)))

    def at(price: float) -> Tried[Found]:
        found = find(replace(case, strive=Return(goal.gain) - price / 2 * variance))
        if found.status not in SOLVED:
            return Tried(price, found, np.nan)
        risk = case.model.volatility(found.weights)
        return Tried(price, found, _gain(case, goal, found.weights) / risk**2)

    start = at(GENTLE)
    if start.answer.status not in SOLVED:
        return start.answer
    if not start.implied > 0:
        return _without_gain(case, goal)
    found = settle(at, start.implied).answer
    if found.status not in SOLVED:
        return found
    worth = 1 / case.model.volatility(found.weights)
    prices = {n: p * worth for n, p in found.prices.items()}
    return replace(found, prices=prices, budget=found.budget * worth)
