"""Solve a problem again with one bound moved, from the answer that is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tilt.optimize.case import Case
from tilt.optimize.constraints import Rule, Side
from tilt.optimize.limits import Half, Layout, halves, lay_out
from tilt.optimize.newton import Standing, solve_newton
from tilt.optimize.program import SCALE, Ease
from tilt.optimize.route import Found
from tilt.optimize.standing import loosened, standing_of, start_of
from tilt.optimize.terms import Array

OTHER_UNIT = ("adv",)  # rules whose bound is not in the unit of their rows


@dataclass(frozen=True, eq=False)
class Nearby:
    """A solved problem in the form of the Newton method.

    start   : the prices at its optimum, in the order of ``Standing``
    weights : at its optimum, by asset
    """

    layout: Layout
    sides: Sequence[Half]
    standing: Standing
    start: Array
    weights: Array

    def moved(self, rule: Rule, side: Side, who: str, by: float) -> "Nearby | None":
        """Return the answer with a bound looser by ``by``; None where that is not found.

        Parameters
        ----------
        who : the member whose bound moves, for a rule that names each; else ignored
        by : in the unit of the bound; negative is tighter
        """
        standing = self.standing
        if rule.rule in OTHER_UNIT:
            return None
        for index, half in enumerate(self.sides):
            if half.rule == rule and half.side == side:
                named = who and not len(half.at) and len(half.names) > 1 and who in half.names
                row = half.names.index(who) if named else None
                standing = loosened(self.layout, self.sides, standing, index, row, by)
        if (standing.lower > standing.upper).any() or (standing.low > standing.high).any():
            return None
        answer = solve_newton(standing, self.start)
        if answer is None:
            return None
        weights, prices = answer
        return replace(self, standing=standing, start=prices, weights=weights)


def near(case: Case, found: Found) -> Nearby | None:
    """Return a solved case as one to solve again; None where it is of another kind."""
    if case.discrete or not case.goal.quadratic:
        return None
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    ease = {
        index: Ease(half.rule.priority * SCALE, shared=False)
        for index, half in enumerate(sides)
        if half.rule.priority is not None
    }
    standing = standing_of(layout, sides, case.goal, ease)
    if standing is None:
        return None
    paid = {index: prices * SCALE for index, prices in found.prices.items()}
    start = start_of(standing, found.weights, paid, found.budget * SCALE)
    answer = solve_newton(standing, start)
    if answer is None:
        return None
    weights, prices = answer
    return Nearby(layout, sides, standing, prices, weights)
