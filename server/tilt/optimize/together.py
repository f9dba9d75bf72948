"""Whether rules on names and trades can hold together with others, and what would make them."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tilt.optimize.choice import cost_of
from tilt.optimize.limits import Half, Layout, halves
from tilt.optimize.master import REACH, Master
from tilt.optimize.mixed import SECONDS, Search, offset_of, root_of
from tilt.optimize.native import solve_clarabel
from tilt.optimize.program import SCALE, Ease, Program, build
from tilt.optimize.relaxed import solve_relaxed
from tilt.optimize.terms import Variance

UNIT = 1e-4  # of capital: repairs are found to this
FINE = 1e-7  # a square this little below its curve is not cut here


def hold_together(layout: Layout, sides: Sequence[Half]) -> bool | None:
    """Return whether halves, discrete ones among them, can hold together; None if time is over."""
    if not any(half.rule.kind.discrete for half in sides):
        program = build(layout, sides, None)
        return solve_clarabel(program).status in ("optimal", "optimal_inaccurate")
    cone = next((half for half in sides if half.conic), None)
    if cone is None:
        found = _least(layout, sides, build(layout, sides, None), _plain)
        return found.holds
    # The least risk guides the search for a portfolio within a cap on risk.
    others = [half for half in sides if half is not cone]
    program, offset = _least_risk(layout, others, cone)
    enough = SCALE * float(cone.bound[0]) ** 2 - offset
    found = _least(layout, others, program, _plain, enough)
    if found.cost is not None and found.cost <= enough:
        return True
    if found.bound > enough:
        return False
    return None if found.holds else found.holds


def _least_risk(layout: Layout, sides: Sequence[Half], cone: Half) -> tuple[Program, float]:
    """Return the program of the least risk that a cap speaks of, and its offset."""
    case = layout.case
    tracking = cone.rule.rule == "tracking_error"
    goal = -Variance(case.model, case.center if tracking else np.zeros(layout.assets))
    program = build(layout, sides, goal)
    return program, offset_of(layout, program, goal)


def least_move(layout: Layout, sides: Sequence[Half], index: int) -> float | None:
    """Return how far the bound of one half must move while the others hold; None if no way helps.

    A bound on single weights, a count or a least size is found by halving: it says how tight the
    choice of names is, and eased it would say nothing. A bound on risk is the least risk.
    """
    half = sides[index]
    others = [side for n, side in enumerate(sides) if n != index]
    if half.rule.kind.discrete or len(half.at):
        return _by_halving(layout, half, others)
    if half.conic:
        program, offset = _least_risk(layout, others, half)
        found = _least(layout, others, program, lambda c: root_of((c + offset) / SCALE))
        if found.cost is None:
            return None
        return max(root_of((found.cost + offset) / SCALE) - float(half.bound[0]), 0.0)
    program = build(layout, sides, None, ease={index: Ease(SCALE, shared=True)})
    found = _least(layout, sides, program, _plain)
    return None if found.cost is None else found.cost / SCALE


def _by_halving(layout: Layout, half: Half, others: list[Half]) -> float | None:
    """Return the least number of units by which a bound must move, as an amount."""
    if not hold_together(layout, others):
        return None
    unit = 1.0 if half.rule.kind.integer else UNIT
    bound = half.rule.bound(half.side) or 0.0
    too_little, enough = 0, math.ceil((bound if half.side == "min" else _room(layout, half)) / unit)
    sign = 1.0 if half.side == "max" else -1.0
    while enough - too_little > 1:
        middle = (too_little + enough) // 2
        moved = half.rule.moved(half.side, bound + sign * unit * middle)
        if hold_together(layout, [*others, *halves(layout, [moved.only(half.side)])]):
            enough = middle
        else:
            too_little = middle
    return unit * enough


def _plain(cost: float) -> float:
    return cost / SCALE


def _room(layout: Layout, half: Half) -> float:
    """Return how far a largest weight or count can be raised before it says nothing."""
    if half.rule.kind.integer:
        return layout.assets - (half.rule.high or 0.0)
    return REACH - (half.rule.high or 0.0)


@dataclass(frozen=True)
class _Least:
    """The least cost found of a program, None where it has none; and what none can better."""

    status: str
    cost: float | None
    bound: float

    @property
    def holds(self) -> bool | None:
        """Whether the rules hold together; None where time was over before it was known."""
        if self.cost is not None:
            return True
        return None if self.status == "time_limit" else False


def _least(
    layout: Layout,
    sides: Sequence[Half],
    program: Program,
    reported: Callable[[float], float],
    enough: float | None = None,
) -> _Least:
    """Return the least cost of a program with its discrete halves, those that stay."""
    if (program.lower > program.upper).any():
        return _Least("infeasible", None, np.inf)
    if not any(half.rule.kind.discrete for half in sides):
        answer = solve_clarabel(program)
        solved = answer.status in ("optimal", "optimal_inaccurate")
        cost = cost_of(program, answer.x) if solved else None
        return _Least(answer.status, cost, np.inf if cost is None else cost)
    master = Master(layout, program, sides)
    gap = 1e-3 if enough is None else 1e-7  # a cap is reached or not
    search = Search(master, reported, gap=gap, seconds=SECONDS, enough=enough)
    status = search.run().answer.status
    cost = None if search.best is None else search.best.cost
    return _Least("optimal" if search.settled() else status, cost, search.bound)


def least_moves(
    layout: Layout, program: Program, sides: Sequence[Half], ease: Mapping[int, Ease]
) -> dict[int, float] | None:
    """Return by how much each eased half must move so that all hold; None if not found in time.

    Parameters
    ----------
    program : of the halves, without a goal, built with the same ``ease``
    ease : halves that may move, by one shared amount each; discrete ones among them
    """
    master = Master(layout, program, sides, ease)
    x = solve_relaxed(master.curves, seconds=SECONDS)
    if x is not None:
        master.cut(x, -1.0)
    master.integral()
    over = time.perf_counter() + SECONDS
    while True:
        point = master.solve(max(over - time.perf_counter(), 0.05))
        if not len(point.x):
            return None
        if not master.cut(point.x, FINE):
            break
        if time.perf_counter() > over:
            return None
    columns = {**program.slack, **{k: np.array([at]) for k, at in master.slack.items()}}
    return {k: max(float(point.x[at].max()), 0.0) for k, at in columns.items()}
