"""The continuous program with names and trades as chosen: fewer columns, and exact."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from tilt.optimize.costs import POWER
from tilt.optimize.master import CHOSEN, Master, Part
from tilt.optimize.native import Answer, solve_clarabel, solve_piqp
from tilt.optimize.program import NOBODY, Cone, Powers, Program
from tilt.optimize.terms import Array

CUT = 1e-6  # a square this little below its curve is not cut, a row this little off holds


def cost_of(program: Program, x: Array) -> float:
    """Return a program's objective at a point."""
    return float(0.5 * x @ (program.quadratic @ x) + program.linear @ x)


def solve_choice(master: Master, program: Program, x: Array) -> Answer | None:
    """Solve the program with names and trades as a point chooses them; None if they cannot be."""
    low, high = master.floor.copy(), master.cap.copy()
    for part in master.parts:
        up, down = x[part.bought] > 0.5, x[part.sold] > 0.5
        low, high = _between(part, up, down, low, high)
    return _solve_between(program, low, high)


def settle(master: Master, program: Program, chosen: Array, *, strict: bool) -> Answer | None:
    """Solve the program for a set of names (or of trades, where only they are asked about).

    The sign of each, and what is too small to be made, follow from the solution that knows no
    least size; without ``strict`` that one is returned.
    """
    n, first = master.assets, master.parts[0]
    low = np.where(chosen, master.floor, np.maximum(master.floor, first.center))
    high = np.where(chosen, master.cap, np.minimum(master.cap, first.center))
    answer = _solve_between(program, low, high)
    if answer is None or not strict:
        return answer
    if all(part.least == 0 for part in master.parts):
        return answer
    weights = answer.x[:n]
    low, high = master.floor.copy(), master.cap.copy()
    for part in master.parts:
        off = weights - part.center
        made = np.abs(off) >= max(part.least / 2, CHOSEN)
        if part is first:
            largest = np.argsort(-np.where(chosen, np.abs(off), -1.0), kind="stable")
            made[largest[: master.choice.fewest]] = True
            made &= chosen
        low, high = _between(part, made & (off >= 0), made & (off < 0), low, high)
    return _solve_between(program, low, high)


def _between(part: Part, up: Array, down: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds of the weights when a part moves up, down or, where neither, stays."""
    low = np.maximum(low, np.where(down, -np.inf, part.center + part.least * up))
    high = np.minimum(high, np.where(up, np.inf, part.center - part.least * down))
    return low, high


def _solve_between(program: Program, low: Array, high: Array) -> Answer | None:
    """Solve the program with single weights between bounds; those without room drop out."""
    n = len(low)
    if (low > high + 1e-9).any():
        return None
    fixed = high <= low + 1e-12
    middle = np.full(n, np.nan)
    middle[fixed] = (low[fixed] + high[fixed]) / 2
    inner, kept = restrict(program, middle, low, high)
    answer = solve_clarabel(inner) if inner.cones or inner.powers is not None else solve_piqp(inner)
    if answer.status == "failed":
        answer = solve_clarabel(inner)
    if answer.status not in ("optimal", "optimal_inaccurate"):
        return None
    whole = np.zeros(program.size)
    whole[:n][fixed] = middle[fixed]
    whole[kept] = answer.x
    return replace(answer, x=whole)


def restrict(program: Program, value: Array, low: Array, high: Array) -> tuple[Program, Array]:
    """Return a program without the weights that have a value, and which columns it keeps.

    Parameters
    ----------
    value : by asset; NaN where the weight stays free
    low, high : bounds of the free weights
    """
    n = len(value)
    fixed = np.zeros(program.size)
    out = np.zeros(program.size, dtype=bool)
    out[:n] = np.isfinite(value)
    fixed[:n][out[:n]] = value[out[:n]]
    kept = np.flatnonzero(~out)
    lower, upper = program.lower.copy(), program.upper.copy()
    floor, cap = program.floor.copy(), program.cap.copy()
    floor[:n] = np.where(low > lower[:n], NOBODY, floor[:n])
    cap[:n] = np.where(high < upper[:n], NOBODY, cap[:n])
    lower[:n], upper[:n] = np.maximum(lower[:n], low), np.minimum(upper[:n], high)
    place = np.full(program.size, NOBODY)
    place[kept] = np.arange(len(kept))
    powers = program.powers
    if powers is not None:
        stuck = out[powers.at]
        lower[powers.above[stuck]] = np.abs(fixed[powers.at] - powers.held)[stuck] ** POWER
        free = ~stuck
        powers = Powers(place[powers.above[free]], place[powers.at[free]], powers.held[free])
    cones = []
    for cone in program.cones:
        matrix = _wide(cone.matrix, program.size)
        shift = cone.shift + matrix @ fixed
        slack = NOBODY if cone.slack == NOBODY else int(place[cone.slack])
        cones.append(Cone(cone.half, matrix[:, kept], shift, cone.radius, slack))
    equality = program.equality_matrix.tocsc()[:, kept]
    rest = program.equality_bound - program.equality_matrix @ fixed
    left = (np.diff(equality.tocsr().indptr) > 0) | (np.abs(rest) > CUT)
    quadratic = program.quadratic.tocsc()
    inequality = program.inequality_matrix.tocsc()
    inner = replace(
        program,
        quadratic=quadratic[kept][:, kept].tocsc(),
        linear=(program.linear + quadratic @ fixed)[kept],
        equality_matrix=equality[left],
        equality_bound=rest[left],
        equality=program.equality[left],
        inequality_matrix=inequality[:, kept],
        inequality_bound=program.inequality_bound - inequality @ fixed,
        lower=lower[kept],
        upper=upper[kept],
        floor=floor[kept],
        cap=cap[kept],
        cones=tuple(cones),
        slack={index: place[columns] for index, columns in program.slack.items()},
        budget_row=NOBODY
        if program.budget_row == NOBODY or not left[program.budget_row]
        else int(left[: program.budget_row].sum()),
        powers=powers,
    )
    return inner, kept


def _wide(matrix: sp.csr_matrix, size: int) -> sp.csc_matrix:
    flat = matrix.tocsr()
    rows = (flat.data, flat.indices, flat.indptr)
    return sp.csr_matrix(rows, shape=(flat.shape[0], size)).tocsc()
