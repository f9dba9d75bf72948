"""Which solver takes a problem, and which one comes next when the first gives no good answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tilt.errors import ArgumentError
from tilt.optimize.by_prices import pays, solve_by_prices
from tilt.optimize.case import Case
from tilt.optimize.check import TOLERANCE, worst_broken
from tilt.optimize.constraints import amount
from tilt.optimize.limits import Half, Layout, halves, lay_out
from tilt.optimize.mixed import SECONDS, Best, solve_mixed
from tilt.optimize.native import Answer, Status, solve_clarabel, solve_piqp
from tilt.optimize.program import SCALE, Ease, Program, build
from tilt.optimize.risk_shares import risk_share, within_shares
from tilt.optimize.terms import Array

TINY = 1e-7  # a weight below it is no position


@dataclass(frozen=True, eq=False)
class Found:
    """The answer that was taken.

    weights : by asset; the last ones seen where there is no answer
    prices  : by half, what one unit more room adds to the maximized objective, row by row
    budget  : the same for one unit more of invested capital
    notes   : what happened on the way, for the user
    refusal : why there is no answer although the rules hold together; empty where there is one
    gap     : of a mixed-integer problem, how far the objective may be from the best possible, as
              a share of it; NaN for others, and without an answer
    """

    status: Status
    weights: Array
    halves: list[Half]
    prices: dict[int, Array]
    budget: float
    solver: str
    seconds: float
    notes: tuple[str, ...]
    refusal: str = ""
    gap: float = np.nan

    @property
    def solved(self) -> bool:
        """Whether there are weights to show: at a time limit, the best ones found."""
        known = self.status == "time_limit" and np.isfinite(self.gap)
        return known or self.status in ("optimal", "optimal_inaccurate")


def find(case: Case) -> Found:
    """Solve a case: the first solver whose answer keeps every rule is taken."""
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    ease = {
        n: Ease(half.rule.priority * SCALE, shared=False)
        for n, half in enumerate(sides)
        if half.rule.priority is not None
    }
    trouble, exact = "", solve_by_prices(layout, sides, case.goal, ease) if pays(case) else None
    if exact is not None:
        weights, trouble = _checked(case, exact)
        if not trouble:
            return _found(sides, exact, weights, ())
    program = build(layout, sides, case.goal, ease=ease)
    if (program.lower > program.upper).any():
        nowhere = np.full(len(case.assets), np.nan)
        return _found(sides, Answer("infeasible", "bounds", 0.0, nowhere, {}, 0.0), nowhere, ())
    if any(rule.rule == "risk_share" for rule in case.rules):
        return _find_within_shares(case, layout, sides, ease)
    if case.discrete:
        return _find_mixed(case, layout, program, sides)
    found = first_kept(case, sides, _attempts(case, program))
    return replace(found, notes=(trouble, *found.notes)) if trouble else found


def _find_mixed(case: Case, layout: Layout, program: Program, sides: list[Half]) -> Found:
    """Solve a case with rules on names or trades; the answer is checked like any other."""
    if case.options.solver != "auto":
        rule = next(r for r in case.rules if r.kind.discrete)
        raise ArgumentError(
            f"solver {case.options.solver} does not take '{rule.words()}'. Leave solver auto: "
            "HiGHS chooses the names."
        )
    best = solve_mixed(case, layout, program, sides)
    answer = best.answer
    if not np.isfinite(best.gap):
        return _found(sides, answer, answer.x[: len(case.assets)], ())
    weights, trouble = _checked(case, replace(answer, status="optimal"))
    if trouble:
        answer = replace(answer, status="optimal_inaccurate")
    found = _found(sides, answer, weights, (trouble,) if trouble else ())
    return replace(found, gap=best.gap, notes=(*found.notes, proof(case, best)))


def _find_within_shares(
    case: Case, layout: Layout, sides: list[Half], ease: dict[int, Ease]
) -> Found:
    """Solve a case with rules on shares of the risk, from the answer without them."""
    free = replace(case, rules=tuple(r for r in case.rules if r.rule != "risk_share"))
    start = find(free)
    if not start.solved:
        return start
    shares = [r for r in case.rules if r.rule == "risk_share"]
    if all(risk_share(case, start.weights, r) <= (r.high or 0.0) + TOLERANCE for r in shares):
        return start  # nothing to give way for: the best of all
    near = within_shares(case, layout, sides, ease, start.weights)
    said = " and ".join(f"'{rule.words()}'" for rule in shares)
    if near is None or near.over > TOLERANCE:
        reached = " and ".join(
            f"{rule.shown(risk_share(case, start.weights if near is None else near.weights, rule))}"
            for rule in shares
        )
        refusal = (
            f"No solution found that keeps {said}: the search ended at {reached}. A share of risk "
            "is no convex rule, so one may exist; raise its max, or cap weights instead."
        )
        return replace(start, status="infeasible", refusal=refusal)
    weights = clean(near.weights)
    broken = worst_broken(case, weights)
    note = (
        f"{said} is no convex rule: the answer is the best of its neighborhood, not proven the "
        "best of all."
    )
    if broken is not None:
        note += f" '{broken.rule.words()}' is broken by {broken.rule.shown(-broken.slack)}."
    return replace(
        start,
        status="optimal" if broken is None else "optimal_inaccurate",
        weights=weights,
        halves=sides,
        prices={n: p / SCALE for n, p in near.prices.items()},
        notes=(*start.notes, note),
    )


def proof(case: Case, best: Best) -> str:
    """Return how near to the best possible an answer is proven to be, in words."""
    if best.gap <= case.options.gap:
        return f"Names and trades chosen by HiGHS, proven within {amount(best.gap)} of the best."
    limit = case.options.time_limit or SECONDS
    return (
        f"Time limit of {limit:g} s: the answer is within {amount(best.gap)} of the best possible. "
        "Raise option time_limit to narrow it, or option gap to stop sooner."
    )


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
        "cvxpy": lambda: _generally(case, limit),
    }
    conic = bool(program.cones) or program.powers is not None
    return [by_name[name] for name in solver_order(case, conic=conic)]


def _generally(case: Case, limit: float | None) -> Answer:
    from tilt.optimize.general import solve_cvxpy  # cvxpy takes a second to load

    return solve_cvxpy(case, time_limit=limit)


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
    broken = worst_broken(case, swept)
    if broken is not None and swept is not weights:
        swept, broken = weights, worst_broken(case, weights)
    if broken is None:
        return swept, ""
    return (
        swept,
        f"{answer.solver} broke '{broken.rule.words()}' by {broken.rule.shown(-broken.slack)}.",
    )


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
