"""A problem in the one form that the native solvers take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from tilt.optimize.costs import POWER, Cost, Turnover
from tilt.optimize.limits import Half, Layout
from tilt.optimize.sparse_rows import Rows, dense_rows, diagonal_rows, no_rows, one_each, stacked
from tilt.optimize.terms import Array, Objective

SCALE = 100.0  # return in per cent: solvers like numbers near one
NOBODY = -1


@dataclass(frozen=True)
class Ease:
    """How one half may be violated: at a cost a unit, by one shared amount or row by row."""

    cost: float
    shared: bool


@dataclass(frozen=True, eq=False)
class Cone:
    """``‖matrix x + shift‖ ≤ radius + x[slack]``."""

    half: int
    matrix: sp.csr_matrix
    shift: Array
    radius: float
    slack: int  # NOBODY where the radius is fixed


@dataclass(frozen=True, eq=False)
class Powers:
    """``x[above] ≥ |x[at] - held|^1.5``, one by one."""

    above: Array
    at: Array
    held: Array


@dataclass(frozen=True, eq=False)
class Program:
    """Minimize ``x'Px/2 + q'x`` over ``A x = b, G x ≤ h, lower ≤ x ≤ upper``, cones and powers.

    Rows know the half they come from: ``inequality`` by row of G, ``equality`` by row of A as the
    pair of halves (min, max) that it stands for; ``floor`` and ``cap`` by variable.
    """

    quadratic: sp.csc_matrix
    linear: Array
    equality_matrix: sp.csc_matrix
    equality_bound: Array
    equality: Array
    inequality_matrix: sp.csc_matrix
    inequality_bound: Array
    inequality: Array
    lower: Array
    upper: Array
    floor: Array
    cap: Array
    cones: tuple[Cone, ...]
    slack: Mapping[int, Array]
    budget_row: int
    powers: Powers | None = None

    @property
    def size(self) -> int:
        return len(self.linear)


@dataclass(eq=False)
class _Collected:
    """Rows as they are collected."""

    blocks: list[Rows] = field(default_factory=list)
    bounds: list[Array] = field(default_factory=list)
    owners: list[Array] = field(default_factory=list)

    def add(self, rows: Rows, bound: Array, owner: Array) -> None:
        self.blocks.append(rows)
        self.bounds.append(bound)
        self.owners.append(owner)

    def stacked(self, size: int) -> tuple[sp.csc_matrix, Array]:
        if not self.blocks:
            return sp.csc_matrix((0, size)), np.zeros(0)
        return stacked(self.blocks, size).csc(), np.concatenate(self.bounds)


def build(
    layout: Layout,
    halves: Sequence[Half],
    goal: Objective | None,
    *,
    ease: Mapping[int, Ease] | None = None,
) -> Program:
    """Return the program of a goal within halves; no goal: only what easing costs counts."""
    ease = ease or {}
    slack, size = _slack_columns(layout.size, halves, ease)
    lower, upper, floor, cap = _bounds(layout, size)
    inequality, equality = _Collected(), _Collected()
    cones: list[Cone] = []
    rows, bound = layout.parts
    inequality.add(rows, bound, np.full(len(bound), NOBODY))
    budget_row = _implicit(layout, equality)
    at = 0
    while at < len(halves):
        half = halves[at]
        pair = at + 1 < len(halves) and _is_pair(half, halves[at + 1])
        if at in ease or (pair and at + 1 in ease):
            _add_eased(half, at, slack, size, inequality, cones)
        elif half.conic:
            cones.append(_cone(half, at, NOBODY))
        elif pair:
            owners = np.tile([at, at + 1], (len(half.bound), 1))
            equality.add(halves[at + 1].rows, halves[at + 1].bound, owners)
            at += 1
        elif len(half.at):
            _tighten(half, at, lower, upper, floor, cap)
        else:
            inequality.add(half.rows, half.bound, np.full(len(half.bound), at))
        at += 1
    powers = _powers(layout, lower, upper)
    _fix(lower, upper, floor, cap, equality, size)
    g, h = inequality.stacked(size)
    a, b = equality.stacked(size)
    quadratic, linear = _objective(layout, goal, size)
    for index, columns in slack.items():
        linear[columns] += ease[index].cost
    return Program(
        quadratic=quadratic,
        linear=linear,
        equality_matrix=a,
        equality_bound=b,
        equality=np.vstack(equality.owners),
        inequality_matrix=g,
        inequality_bound=h,
        inequality=np.concatenate(inequality.owners),
        lower=lower,
        upper=upper,
        floor=floor,
        cap=cap,
        cones=tuple(cones),
        slack=slack,
        budget_row=budget_row,
        powers=powers,
    )


def _is_pair(half: Half, after: Half) -> bool:
    """Return whether two halves are the equal bounds of one rule."""
    same = half.rule is after.rule and (half.side, after.side) == ("min", "max")
    return same and half.rule.low == half.rule.high and not half.conic


def _slack_columns(
    size: int, halves: Sequence[Half], ease: Mapping[int, Ease]
) -> tuple[dict[int, Array], int]:
    columns: dict[int, Array] = {}
    for index, how in ease.items():
        # Buys and sells are two rows of one number, so a rule without members has one slack.
        one = how.shared or halves[index].conic or not any(halves[index].names)
        count = 1 if one else len(halves[index].bound)
        columns[index] = np.arange(size, size + count)
        size += count
    return columns, size


def _bounds(layout: Layout, size: int) -> tuple[Array, Array, Array, Array]:
    lower = np.full(size, -np.inf)
    if not layout.case.options.long_short:
        lower[: layout.assets] = 0.0
    lower[layout.assets + layout.factors :] = 0.0  # buys, long parts and slacks
    upper = np.full(size, np.inf)
    return lower, upper, np.full(size, NOBODY), np.full(size, NOBODY)


def _implicit(layout: Layout, equality: _Collected) -> int:
    """Add the definitions of the factor exposures and the budget; return the budget's row."""
    definitions, bound = layout.definitions
    equality.add(definitions, bound, np.full((len(bound), 2), NOBODY))
    if layout.case.invested is None:
        return NOBODY
    row = layout.row([(np.arange(layout.assets), 1.0)])
    equality.add(row, np.array([layout.case.invested]), np.full((1, 2), NOBODY))
    return len(bound)


def _add_eased(
    half: Half,
    index: int,
    slack: Mapping[int, Array],
    size: int,
    inequality: _Collected,
    cones: list[Cone],
) -> None:
    columns = slack.get(index)
    if half.conic:
        at = NOBODY if columns is None else int(columns[0])
        cones.append(_cone(half, index, at))
        return
    rows = half.rows
    if columns is not None:
        rows = rows.with_last(np.broadcast_to(columns, rows.count), -1.0, size)
    inequality.add(rows, half.bound, np.full(rows.count, index))


def _cone(half: Half, index: int, slack: int) -> Cone:
    return Cone(index, half.rows.csr(), half.shift_or_zero, float(half.bound[0]), slack)


def _tighten(half: Half, index: int, lower: Array, upper: Array, floor: Array, cap: Array) -> None:
    """Put a half about single weights into the bounds of the variables."""
    if half.side == "max":
        tighter = half.bound < upper[half.at]
        upper[half.at[tighter]] = half.bound[tighter]
        cap[half.at[tighter]] = index
    else:
        tighter = -half.bound > lower[half.at]
        lower[half.at[tighter]] = -half.bound[tighter]
        floor[half.at[tighter]] = index


def _powers(layout: Layout, lower: Array, upper: Array) -> Powers | None:
    """Return the impacts; one of a weight that cannot move is a number, put into its bound."""
    at = layout.curved
    if not len(at):
        return None
    held = layout.case.current[at]
    stuck = upper[at] - lower[at] <= 1e-12
    lower[layout.impacts[stuck]] = np.abs(upper[at] - held)[stuck] ** POWER
    return Powers(layout.impacts[~stuck], at[~stuck], held[~stuck])


def _fix(
    lower: Array, upper: Array, floor: Array, cap: Array, equality: _Collected, size: int
) -> None:
    """Turn equal bounds into equalities: an interior-point method needs room."""
    fixed = np.flatnonzero((upper - lower <= 1e-12) & (upper >= lower - 1e-12))
    if not len(fixed):
        return
    owners = np.column_stack([floor[fixed], cap[fixed]])
    equality.add(one_each(fixed, 1.0, size), upper[fixed].copy(), owners)
    lower[fixed], upper[fixed] = -np.inf, np.inf
    floor[fixed] = cap[fixed] = NOBODY


def _objective(layout: Layout, goal: Objective | None, size: int) -> tuple[sp.csc_matrix, Array]:
    linear = np.zeros(size)
    if goal is None:
        return sp.csc_matrix((size, size)), linear
    case = layout.case
    n, k = layout.assets, layout.factors
    diagonal, factor = np.zeros(n), 0.0
    for scale, form in goal.forms():
        cost = -scale * SCALE
        diagonal += 2 * cost * form.diagonal
        linear[:n] += cost * (form.linear - 2 * form.diagonal * form.center)
        factor += cost * form.factor
        if form.factor and form.center is not case.center:
            shift = case.model.exposures.T @ (case.center - form.center)
            linear[n : n + k] += 2 * cost * form.factor * (case.model.covariance @ shift)
    for scale, term in goal.others():
        if isinstance(term, Cost):
            row, _ = layout.cost
            linear[row.columns] -= scale * SCALE * row.values
        elif isinstance(term, Turnover):
            linear[layout.size - 1] -= scale * SCALE
        else:
            raise TypeError(f"{type(term).__name__} has no rows in a program of its own")
    blocks = [
        diagonal_rows(diagonal, size),
        dense_rows(2 * factor * case.model.covariance, size, n),
        no_rows(size, size - n - k),
    ]
    return stacked(blocks, size).mirrored(), linear
