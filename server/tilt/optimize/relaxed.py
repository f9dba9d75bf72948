"""The best point of a mixed-integer problem whose names may be held by halves, and good choices.

The relaxation is solved as cones, exactly; its point is where the first tangents belong. Choices
near it are answers before any search has begun.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import clarabel
import numpy as np
import scipy.sparse as sp

from tilt.optimize.costs import POWER
from tilt.optimize.linear import Linear
from tilt.optimize.program import NOBODY, Program
from tilt.optimize.terms import Array

SWAPS = 12  # rounds in a row without a better choice, before the search gives up
ADDED = (1, 2, 4, 1, 3, 6)  # names tried in at once, round by round


@dataclass(frozen=True, eq=False)
class Curves:
    """What a linear program stands for: its rows, and squares above their curves.

    products : triples of columns (T, v, z) with ``T z ≥ grown (x[v] - center)²``, z two columns
    squares  : pairs (G, g) with ``G ≥ grown g²``
    """

    linear: Linear
    grown: float
    products: tuple[Array, Array, Array, Array, Array]
    squares: tuple[Array, Array]
    program: Program


def solve_relaxed(curves: Curves, *, seconds: float) -> Array | None:
    """Return the point where the relaxation is best; None where the solver finds none."""
    linear = curves.linear
    size = len(linear.cost)
    one = sp.identity(size, format="csr")
    equal = linear.low == linear.high
    below, above = np.isfinite(linear.high) & ~equal, np.isfinite(linear.low) & ~equal
    lower, upper = np.isfinite(linear.lower), np.isfinite(linear.upper)
    rows = [linear.matrix[below], -linear.matrix[above], one[upper], -one[lower]]
    bounds = [linear.high[below], -linear.low[above], linear.upper[upper], -linear.lower[lower]]
    count = sum(m.shape[0] for m in rows)
    curved, shifts, cones = _cones(curves, size)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.time_limit = max(seconds, 0.1)
    solver = clarabel.DefaultSolver(
        sp.csc_matrix((size, size)),
        linear.cost,
        sp.vstack([linear.matrix[equal], *rows, curved], format="csc"),
        np.concatenate([linear.high[equal], *bounds, shifts]),
        [clarabel.ZeroConeT(int(equal.sum())), clarabel.NonnegativeConeT(count), *cones],
        settings,
    )
    found = solver.solve()
    return np.array(found.x) if str(found.status) in ("Solved", "AlmostSolved") else None


def _cones(curves: Curves, size: int) -> tuple[sp.csr_matrix, Array, list[object]]:
    """Return rows, bounds and cones of the curves, in Clarabel's form ``rows x + s = bound``."""
    rows: list[sp.csr_matrix] = []
    bounds: list[Array] = []
    cones: list[object] = []
    above, at, center, first, second = curves.products
    count, root = len(above), np.sqrt(curves.grown)
    line = 3 * np.arange(count)
    rows.append(  # ‖(T - z, 2 √grown v)‖ ≤ T + z
        _rows(
            3 * count,
            size,
            [
                (line, above, -1.0), (line, first, -1.0), (line, second, -1.0),
                (line + 1, above, -1.0), (line + 1, first, 1.0), (line + 1, second, 1.0),
                (line + 2, at, -2 * root),
            ],
        )
    )  # fmt: skip
    bound = np.zeros(3 * count)
    bound[line + 2] = -2 * root * center
    bounds.append(bound)
    squared, along = curves.squares
    line = 3 * np.arange(len(squared))
    rows.append(
        _rows(
            3 * len(squared),
            size,
            [(line, squared, -1.0), (line + 1, squared, -1.0), (line + 2, along, -2 * root)],
        )
    )
    bounds.append(np.tile([1.0, -1.0, 0.0], len(squared)))
    cones += [clarabel.SecondOrderConeT(3)] * (count + len(squared))
    for cone in curves.program.cones:
        if cone.slack != NOBODY:
            flat = cone.matrix.tocsr()
            head = sp.csr_matrix(([-1.0], ([0], [cone.slack])), (1, size))
            body = sp.csr_matrix((-flat.data, flat.indices, flat.indptr), (flat.shape[0], size))
            rows += [head, body]
            bounds += [np.array([cone.radius]), cone.shift]
            cones.append(clarabel.SecondOrderConeT(flat.shape[0] + 1))
    powers = curves.program.powers
    if powers is not None:
        line = 3 * np.arange(len(powers.at))
        entries = [(line, powers.above, -1.0), (line + 2, powers.at, -1.0)]
        rows.append(_rows(3 * len(line), size, entries))
        bounds.append(np.column_stack([0 * powers.held, 0 * powers.held + 1, -powers.held]).ravel())
        cones += [clarabel.PowerConeT(1 / POWER)] * len(line)
    return sp.vstack(rows, format="csr"), np.concatenate(bounds), cones


def _rows(count: int, size: int, entries: list[tuple[Array, Array, float]]) -> sp.csr_matrix:
    at = np.concatenate([rows for rows, _, _ in entries])
    columns = np.concatenate([c for _, c, _ in entries])
    values = np.concatenate([np.full(len(rows), value) for rows, _, value in entries])
    return sp.csr_matrix((values, (at, columns)), shape=(count, size))


def pulls(program: Program, x: Array, held: Array) -> Array:
    """Return by weight how fast the objective falls when a name that is not held is bought.

    What the rows cost is fitted to the names that are held: there nothing pulls.

    Parameters
    ----------
    held : True for the names that are held
    """
    n = len(held)
    gradient = program.quadratic @ x + program.linear
    slack = program.inequality_bound - program.inequality_matrix @ x
    active = program.inequality_matrix.tocsr()[slack < 1e-7]
    rows = sp.vstack([program.equality_matrix, active], format="csc")
    inside = np.ones(program.size, dtype=bool)
    inside[:n] = held & (x[:n] < program.upper[:n] - 1e-7) & (x[:n] > program.lower[:n] + 1e-7)
    prices = np.linalg.lstsq(rows[:, inside].T.toarray(), -gradient[inside], rcond=None)[0]
    return np.asarray(-(gradient + rows.T @ prices)[:n])


class Value(Protocol):
    """Cost and point of a set of names; None where the rules cannot hold with it.

    Without ``strict`` the set may be too large and the names too small.
    """

    def __call__(self, names: Array, *, strict: bool = True) -> tuple[float, Array] | None: ...


def swap_names(
    chosen: Array,
    value: Value,
    pull: Callable[[Array, Array], Array],
    going: Callable[[], bool],
) -> None:
    """Try other sets of names near one: those that pull most in, and the smallest out.

    Parameters
    ----------
    chosen : True for the names held
    value : what a set is worth; it keeps the best
    pull : by name, how much it would add, for a point and its set
    going : whether there is time left and need to go on
    """
    found, idle = value(chosen), 0
    best, tried = chosen, {chosen.tobytes()}
    while found is not None and idle < SWAPS and going():
        cost, point = found
        order = np.argsort(-np.where(best, -np.inf, np.abs(pull(point, best))), kind="stable")
        count, skip = ADDED[idle % len(ADDED)], idle // len(ADDED)
        idle += 1
        wider = best.copy()
        wider[order[skip : skip + count]] = True
        both = value(wider, strict=False)
        if both is None:
            continue
        size = np.where(wider, np.abs(both[1][: len(wider)]), np.inf)
        smaller = wider.copy()
        smaller[np.argsort(size, kind="stable")[: int(wider.sum() - best.sum())]] = False
        if smaller.tobytes() in tried:
            continue
        tried.add(smaller.tobytes())
        again = value(smaller)
        if again is not None and again[0] < cost - 1e-9 * abs(cost):
            best, found, idle = smaller, again, 0
