"""A problem in the one form that the Newton method takes: names, and prices for what they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tilt.optimize.limits import Half, Layout
from tilt.optimize.newton import Standing
from tilt.optimize.program import NOBODY, SCALE, Ease
from tilt.optimize.sparse_rows import Rows, stacked
from tilt.optimize.terms import Array, Objective

LEAST_CURVATURE = 1e-6  # of a name: without own risk its best weight is not one number
SETTLED = 1e-7  # a price below it is an interior point's way of saying none
TERMS = ("Variance", "Return", "Distance")


@dataclass(eq=False)
class _Collected:
    """Rows as they are collected, in all variables of the layout."""

    blocks: list[Rows] = field(default_factory=list)
    low: list[Array] = field(default_factory=list)
    high: list[Array] = field(default_factory=list)
    cost: list[Array] = field(default_factory=list)
    owners: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self,
        rows: Rows,
        bounds: tuple[Array | None, Array | None],
        owners: tuple[int, int],
        cost: float,
    ) -> None:
        low, high = bounds
        self.blocks.append(rows)
        self.low.append(np.full(rows.count, -np.inf) if low is None else low)
        self.high.append(np.full(rows.count, np.inf) if high is None else high)
        self.cost.append(np.full(rows.count, cost))
        self.owners.append(owners)


def standing_of(
    layout: Layout,
    sides: Sequence[Half],
    goal: Objective,
    ease: Mapping[int, Ease],
) -> Standing | None:
    """Return a problem as the Newton method takes it; None where it is of another kind."""
    n, k = layout.assets, layout.factors
    if not _taken(layout, sides, goal, ease):
        return None
    curvature, slope, weight, pull = _goal(layout, goal)
    if curvature.min(initial=np.inf) < LEAST_CURVATURE:
        return None
    lower, upper, floor, cap = bounds_of(n, sides, shorts=layout.case.options.long_short)
    if (lower > upper).any():
        return None
    collected = _collected(layout, sides, ease)
    low, high = np.concatenate(collected.low), np.concatenate(collected.high)
    model, center = layout.case.model, layout.case.center
    rows = stacked(collected.blocks, layout.size)
    bent_at, extra = _full(rows, n + k, layout.size)
    if (extra < 0).any() or np.isfinite(low[bent_at]).any():
        return None
    roots = model.root.shape[1] if weight else 0
    shared = np.zeros((roots + len(low), n))
    np.matmul(np.sqrt(weight) * model.root.T[:roots], model.exposures.T, out=shared[:roots])
    _fill(shared[roots:], rows)
    exposed_at, exposed = _full(rows, n, n + k)
    if len(exposed_at):
        shared[roots + exposed_at] += exposed @ model.exposures.T
        shift = exposed @ (model.exposures.T @ center)
        low[exposed_at] += shift
        high[exposed_at] += shift
    kink, bent = np.zeros(n), np.zeros((len(bent_at), n))
    bent[:, np.concatenate([layout.moving, layout.split]).astype(int)] = extra
    kink[layout.moving] = layout.case.current[layout.moving]
    return Standing(
        curvature=curvature,
        slope=slope + model.exposures @ pull if pull.any() else slope,
        shared=shared,
        center=shared[:roots] @ center,
        bent=bent,
        bent_at=bent_at,
        kink=kink,
        low=low,
        high=high,
        cost=np.concatenate(collected.cost),
        owners=np.repeat(collected.owners, [block.count for block in collected.blocks], axis=0),
        lower=lower,
        upper=upper,
        floor=floor,
        cap=cap,
    )


def _full(rows: Rows, first: int, end: int) -> tuple[Array, Array]:
    """Return which rows have entries from column ``first`` to ``end``, and those written out."""
    here = np.flatnonzero((rows.columns >= first) & (rows.columns < end))
    row = np.searchsorted(rows.starts, here, side="right") - 1
    at, place = np.unique(row, return_inverse=True)
    full = np.zeros((len(at), end - first))
    full[place, rows.columns[here] - first] = rows.values[here]
    return at, full


def _fill(full: Array, rows: Rows) -> None:
    """Write the entries of rows where they stand, as far as there are columns."""
    inside = rows.columns < full.shape[1]
    row = np.repeat(np.arange(rows.count), np.diff(rows.starts))
    full[row[inside], rows.columns[inside]] = rows.values[inside]


def _taken(
    layout: Layout, sides: Sequence[Half], goal: Objective, ease: Mapping[int, Ease]
) -> bool:
    n, k, moving, split = layout.assets, layout.factors, layout.moving, layout.split
    known = layout.size == n + k + len(moving) + len(split)
    one_kink = not (len(moving) and len(split))
    quadratic = all(type(term).__name__ in TERMS for _, term in goal.terms)
    plain = all(
        not half.conic and len(half.bound) and half.rows.width == layout.size for half in sides
    )
    eased = all(
        not len(sides[index].at) and not (how.shared and len(sides[index].bound) > 1)
        for index, how in ease.items()
    )
    return known and one_kink and quadratic and plain and eased


def _goal(layout: Layout, goal: Objective) -> tuple[Array, Array, float, Array]:
    """Return curvature and slope by name, the weight of factor risk, and the pull on exposures."""
    case = layout.case
    curvature, slope = np.zeros(layout.assets), np.zeros(layout.assets)
    weight, pull = 0.0, np.zeros(layout.factors)
    for scale, form in goal.forms():
        cost = -scale * SCALE
        curvature += 2 * cost * form.diagonal
        slope += cost * (form.linear - 2 * form.diagonal * form.center)
        weight += 2 * cost * form.factor
        if form.factor and form.center is not case.center:
            shift = case.model.exposures.T @ (case.center - form.center)
            pull += 2 * cost * form.factor * (case.model.covariance @ shift)
    return curvature, slope, weight, pull


def _collected(layout: Layout, sides: Sequence[Half], ease: Mapping[int, Ease]) -> _Collected:
    found = _Collected()
    invested = layout.case.invested
    if invested is not None:
        everything = layout.row([(np.arange(layout.assets), 1.0)])
        bound = np.array([invested])
        found.add(everything, (bound, bound), (NOBODY, NOBODY), np.inf)
    at = 0
    while at < len(sides):
        half, pair = sides[at], at + 1 < len(sides) and _one_rule(sides[at], sides[at + 1])
        cost = ease[at].cost if at in ease else np.inf
        if pair and not len(half.at):
            high = sides[at + 1]
            found.add(high.rows, (-half.bound, high.bound), (at, at + 1), cost)
        elif not len(half.at) and len(half.bound):
            rows, bound = _single(layout, half)
            if half.side == "min":
                found.add(-rows, (-bound, None), (at, NOBODY), cost)
            else:
                found.add(rows, (None, bound), (NOBODY, at), cost)
        at += 2 if pair else 1
    return found


def _one_rule(half: Half, after: Half) -> bool:
    return half.rule is after.rule and (half.side, after.side) == ("min", "max")


def _single(layout: Layout, half: Half) -> tuple[Rows, Array]:
    """Return the rows of a half; of buys and sells the one that is larger, where that is known."""
    invested = layout.case.invested
    if half.rule.rule != "turnover" or invested is None:
        return half.rows, half.bound
    # Sells are buys less what is invested: two rows that can both bind, and are one.
    return half.rows.first(), np.array([min(half.bound[0], half.bound[1] + invested)])


def bounds_of(n: int, sides: Sequence[Half], *, shorts: bool) -> tuple[Array, Array, Array, Array]:
    """Return the least and largest weight of each name, and the half that says so."""
    lower = np.full(n, -np.inf if shorts else 0.0)
    upper, floor, cap = np.full(n, np.inf), np.full(n, NOBODY), np.full(n, NOBODY)
    for index, half in enumerate(sides):
        if not len(half.at):
            continue
        bounds, owners = (upper, cap) if half.side == "max" else (lower, floor)
        own = half.bound if half.side == "max" else -half.bound
        tighter = own < upper[half.at] if half.side == "max" else own > lower[half.at]
        bounds[half.at[tighter]] = own[tighter]
        owners[half.at[tighter]] = index
    return lower, upper, floor, cap


def loosened(
    layout: Layout,
    sides: Sequence[Half],
    standing: Standing,
    half: int,
    row: int | None,
    by: float,
) -> Standing:
    """Return the problem with one half looser by ``by``: in one of its rows, or None for all."""
    if len(sides[half].at):
        moved = list(sides)
        moved[half] = replace(sides[half], bound=sides[half].bound + by)
        lower, upper, floor, cap = bounds_of(
            layout.assets, moved, shorts=layout.case.options.long_short
        )
        return replace(standing, lower=lower, upper=upper, floor=floor, cap=cap)
    low, high = standing.low.copy(), standing.high.copy()
    for column, bounds, outward in ((0, low, -by), (1, high, by)):
        at = np.flatnonzero(standing.owners[:, column] == half)
        bounds[at if row is None or len(at) <= 1 else at[[row]]] += outward
    return replace(standing, low=low, high=high)


def start_of(
    standing: Standing, weights: Array, prices: Mapping[int, Array], budget: float
) -> Array:
    """Return the prices to begin with, from another solver's answer to the same problem.

    Parameters
    ----------
    prices : by half, in the unit of the program
    budget : of invested capital, likewise
    """
    k = standing.factors
    start = np.zeros(len(standing.shared))
    start[:k] = standing.shared[:k] @ weights - standing.center
    rows = start[k:]
    for column, sign in ((0, -1.0), (1, 1.0)):
        for index in np.unique(standing.owners[:, column]):
            here = standing.owners[:, column] == index
            paid = prices.get(int(index), np.zeros(1))
            rows[here] += sign * (paid if len(paid) == here.sum() else paid.sum())
    rows[np.abs(rows) < SETTLED * max(1.0, float(np.abs(rows).max(initial=0.0)))] = 0.0
    rows[(standing.owners == NOBODY).all(axis=1)] = budget
    return start
