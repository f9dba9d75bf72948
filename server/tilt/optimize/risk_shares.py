"""Rules on shares of the risk: not convex, so the best answer nearby is looked for.

The share of a name, a sector or a factor is replaced by its tangent at the last weights, the convex
problem is solved, and so on until the weights stay; then the shares are checked as they are. Each
step stays within all other rules. The answer is the best of its neighborhood, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tilt.errors import ArgumentError, UnknownNameError, did_you_mean
from tilt.optimize.case import Case
from tilt.optimize.limits import Half, Layout
from tilt.optimize.native import solve_clarabel, solve_piqp
from tilt.optimize.program import SCALE, Ease, build
from tilt.optimize.rules import Rule
from tilt.optimize.terms import Array

STEPS = 60
STILL = 1e-8  # weights that move less stay
DEAR = 10.0  # what a unit of share too much costs on the way, in yearly return


@dataclass(frozen=True, eq=False)
class Near:
    """Weights near which nothing better keeps the shares; None where none were found."""

    weights: Array
    prices: Mapping[int, Array]
    over: float


def risk_share(case: Case, weights: Array, rule: Rule) -> float:
    """Return the share of a ticker, sector or factor in the variance; zero without any risk."""
    return _share(case, weights, rule)[0]


def _share(case: Case, weights: Array, rule: Rule) -> tuple[float, Array]:
    """Return a share and its derivative by each weight."""
    off = weights - case.center if rule.relative else weights
    model = case.model
    pull = model.apply(off)
    variance = float(off @ pull)
    if variance <= 0:
        return 0.0, np.zeros(len(off))
    at = np.flatnonzero(case.factors == rule.who)
    named = case.assets == rule.who
    if named.any() or rule.who in case.groups("sector"):
        inside = named if named.any() else case.sector == rule.who
        part = float(off[inside] @ pull[inside])
        slope = inside * pull + model.apply(inside * off)
    elif len(at):
        y = model.exposures.T @ off
        risk = model.covariance @ y
        k = int(at[0])
        part = float(y[k] * risk[k])
        slope = model.exposures[:, k] * risk[k] + model.exposures @ (model.covariance[k] * y[k])
    else:
        known = [*case.assets, *case.groups("sector"), *case.factors]
        raise UnknownNameError(
            f"'{rule.who}' of '{rule.words()}' is no ticker, sector or factor here."
            f"{did_you_mean(rule.who, known)}"
        )
    share = part / variance
    return share, np.asarray((slope - 2 * share * pull) / variance)


def within_shares(
    case: Case, layout: Layout, sides: list[Half], ease: Mapping[int, Ease], start: Array
) -> Near | None:
    """Return the weights near a start that keep the shares; None if the other rules have none.

    Parameters
    ----------
    sides : of all rules; those of shares have no rows of their own
    ease : of the soft ones
    start : weights that keep the other rules
    """
    if case.discrete:
        rule = next(r for r in case.rules if r.rule == "risk_share")
        raise ArgumentError(
            f"'{rule.words()}' cannot stand beside rules on names, holding or trade. "
            "Leave one of them out."
        )
    weights, size = start, 1.0
    over = _over(case, sides, weights)
    prices: Mapping[int, Array] = {}
    dear = {n: Ease(DEAR * SCALE, shared=True) for n, h in enumerate(sides) if _is_share(h)}
    for _ in range(STEPS):
        tangents = [_tangent(layout, h, weights) if _is_share(h) else h for h in sides]
        program = build(layout, tangents, case.goal, ease={**ease, **dear})
        conic = bool(program.cones) or program.powers is not None
        answer = solve_clarabel(program) if conic else solve_piqp(program)
        if answer.status not in ("optimal", "optimal_inaccurate"):
            return None
        prices = answer.prices
        step = answer.x[: layout.assets] - weights
        tried = weights + size * step
        now = _over(case, sides, tried)
        if now > max(over, STILL) * 1.5 and size > 1e-3:
            size /= 2  # the tangent promised too much
            continue
        moved = float(np.abs(tried - weights).max())
        weights, over, size = tried, now, min(1.0, 1.5 * size)
        if moved < STILL:
            break
    return Near(weights, prices, over)


def _is_share(half: Half) -> bool:
    return half.rule.rule == "risk_share"


def _over(case: Case, sides: list[Half], weights: Array) -> float:
    """Return by how much the worst share is too large."""
    shares = [h.rule for h in sides if _is_share(h)]
    return max((risk_share(case, weights, r) - (r.high or 0.0) for r in shares), default=0.0)


def _tangent(layout: Layout, half: Half, weights: Array) -> Half:
    """Return the half whose row is the share's tangent at some weights."""
    share, slope = _share(layout.case, weights, half.rule)
    row = layout.row([(np.arange(layout.assets), slope)])
    bound = np.array([(half.rule.high or 0.0) - share + float(slope @ weights)])
    return replace(half, names=("",), rows=row, bound=bound)
