"""Which solver takes a problem, and which one comes next when the first gives no good answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tilt.errors import ArgumentError
from tilt.optimize.check import Reading, read_implicit, read_rules, worst
from tilt.optimize.general import solve_cvxpy
from tilt.optimize.limits import Half, halves, lay_out
from tilt.optimize.native import Answer, Status, solve_clarabel, solve_piqp
from tilt.optimize.problem import Case
from tilt.optimize.program import SCALE, Ease, Program, build
from tilt.optimize.terms import Array

TINY = 1e-7  # a weight below it is no position


@dataclass(frozen=True, eq=False)
class Found:
    """The answer that was taken.

    weights : by asset; the last ones seen where there is no answer
    prices  : by half, what one unit more room adds to the maximized objective, row by row
    budget  : the same for one unit more of invested capital
    notes   : what happened on the way, for the user
    """

    status: Status
    weights: Array
    halves: list[Half]
    prices: dict[int, Array]
    budget: float
    solver: str
    seconds: float
    notes: tuple[str, ...]


def find(case: Case) -> Found:
    """Solve a case: the first solver whose answer keeps every rule is taken."""
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    ease = {
        n: Ease(half.rule.priority * SCALE, shared=False)
        for n, half in enumerate(sides)
        if half.rule.priority is not None
    }
    program = build(layout, sides, case.goal, ease=ease)
    if (program.lower > program.upper).any():
        nowhere = np.full(len(case.assets), np.nan)
        return _found(sides, Answer("infeasible", "bounds", 0.0, nowhere, {}, 0.0), nowhere, ())
    return first_kept(case, sides, _attempts(case, program))


def first_kept(case: Case, sides: list[Half], attempts: list[Callable[[], Answer]]) -> Found:
    """Return the first answer of some solvers that keeps every rule; else the least bad one."""
    notes: list[str] = []
    tried: list[tuple[Answer, Array]] = []
    for attempt in attempts:
        answer = attempt()
        weights, trouble = _checked(case, answer)
        tried.append((answer, weights))
        if not trouble:
            return _found(sides, answer, weights, tuple(notes))
        notes.append(trouble)
        if answer.status == "time_limit":
            break
    return _found(sides, *_least_bad(tried), tuple(notes))


def _attempts(case: Case, program: Program) -> list[Callable[[], Answer]]:
    limit = case.options.time_limit
    by_name: dict[str, Callable[[], Answer]] = {
        "piqp": lambda: solve_piqp(program),
        "clarabel": lambda: solve_clarabel(program, time_limit=limit),
        "cvxpy": lambda: solve_cvxpy(case, time_limit=limit),
    }
    conic = bool(program.cones) or program.powers is not None
    return [by_name[name] for name in solver_order(case, conic=conic)]


def solver_order(case: Case, *, conic: bool) -> list[str]:
    """Return which solvers are tried, the one that was asked for first.

    Raises
    ------
    ArgumentError
        If the one that was asked for cannot solve such a problem.
    """
    asked, limit = case.options.solver, case.options.time_limit
    if asked == "piqp" and conic:
        raise ArgumentError(
            "solver piqp takes no tracking_error or volatility rule and no impact. "
            "Use auto, clarabel or cvxpy."
        )
    if asked == "piqp" and limit is not None:
        raise ArgumentError("solver piqp keeps no time_limit. Use auto, clarabel or cvxpy.")
    if asked != "auto":
        return [asked, "cvxpy" if asked == "clarabel" else "clarabel"]
    if conic or limit is not None:  # PIQP knows neither cones nor a clock
        return ["clarabel", "cvxpy"]
    return ["piqp", "clarabel", "cvxpy"]


def _checked(case: Case, answer: Answer) -> tuple[Array, str]:
    """Return the weights of an answer, and why it cannot be taken (nothing if it can)."""
    weights = answer.x[: len(case.assets)]
    if answer.status in ("infeasible", "unbounded"):
        return weights, ""
    if answer.status != "optimal":
        return weights, f"{answer.solver} ended with status {answer.status}."
    swept = clean(weights)
    broken = _broken(case, swept)
    if broken is not None and swept is not weights:
        swept, broken = weights, _broken(case, weights)
    if broken is None:
        return swept, ""
    return (
        swept,
        f"{answer.solver} broke '{broken.rule.words()}' by {broken.rule.shown(-broken.slack)}.",
    )


def _broken(case: Case, weights: Array) -> Reading | None:
    return worst(read_rules(case, weights, case.rules) + read_implicit(case, weights))


def clean(weights: Array) -> Array:
    """Set weights below ``TINY`` to an exact zero.

    What they held goes to the other names in proportion, so that the sum does not move.
    """
    small = np.abs(weights) < TINY
    if not small.any() or small.all():
        return weights
    swept = np.where(small, 0.0, weights)
    return np.asarray(swept + np.abs(swept) * (weights[small].sum() / np.abs(swept).sum()))


def _least_bad(tried: list[tuple[Answer, Array]]) -> tuple[Answer, Array]:
    """Return an answer that can still be shown, as inaccurate."""
    for answer, weights in tried:
        if answer.status in ("optimal", "optimal_inaccurate") and np.isfinite(weights).all():
            return replace(answer, status="optimal_inaccurate"), clean(weights)
    return tried[-1]


def _found(sides: list[Half], answer: Answer, weights: Array, notes: tuple[str, ...]) -> Found:
    return Found(
        status=answer.status,
        weights=weights,
        halves=sides,
        prices={n: p / SCALE for n, p in answer.prices.items()},
        budget=answer.budget / SCALE,
        solver=answer.solver,
        seconds=answer.seconds,
        notes=notes,
    )
