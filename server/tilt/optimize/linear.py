"""A linear program for HiGHS: written column by column and row by row, then opened and cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import highspy
import numpy as np
import scipy.sparse as sp

from tilt.optimize.terms import Array

Entries: TypeAlias = Sequence[tuple[Array, Array | float]]  # columns, a coefficient for each
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Linear:
    """Minimize ``cost x`` with ``low ≤ matrix x ≤ high`` and ``lower ≤ x ≤ upper``."""

    cost: Array
    matrix: sp.csr_matrix
    low: Array
    high: Array
    lower: Array
    upper: Array


class Draft:
    """A linear program being written, from its first columns on.

    Columns are known by their numbers; those of a row must have been added before it.
    """

    def __init__(self, lower: Array, upper: Array, cost: Array) -> None:
        self.size = len(cost)
        self._lower, self._upper, self._cost = [lower], [upper], [cost.copy()]
        self._rows: list[sp.csr_matrix] = []
        self._low: list[Array] = []
        self._high: list[Array] = []

    def columns(self, count: int, low: float, high: float, cost: Array | float = 0.0) -> Array:
        """Add columns between bounds; return their numbers."""
        added = self.size + np.arange(count)
        self._lower.append(np.full(count, low))
        self._upper.append(np.full(count, high))
        self._cost.append(_each(cost, count))
        self.size += count
        return added

    def raise_cost(self, more: Array) -> None:
        """Add to the costs of the first columns."""
        self._cost[0][: len(more)] += more

    def rows(self, entries: Entries, low: Array | float, high: Array | float) -> None:
        """Add rows, each with one coefficient for each pair of columns and coefficients."""
        count = len(entries[0][0])
        values = np.concatenate([np.broadcast_to(c, count) for _, c in entries])
        columns = np.concatenate([columns for columns, _ in entries])
        at = (np.tile(np.arange(count), len(entries)), columns)
        self.stack(sp.csr_matrix((values, at), shape=(count, self.size)), low, high)

    def row(self, columns: Array, values: Array, low: float, high: float) -> None:
        """Add one row."""
        at = (np.zeros(len(columns), dtype=int), columns)
        self.stack(sp.csr_matrix((values, at), shape=(1, self.size)), low, high)

    def stack(self, matrix: sp.csr_matrix, low: Array | float, high: Array | float) -> None:
        """Add the rows of a matrix over the columns so far."""
        self._rows.append(matrix)
        self._low.append(_each(low, matrix.shape[0]))
        self._high.append(_each(high, matrix.shape[0]))

    def written(self) -> Linear:
        """Return the program as it stands."""
        wide = [
            sp.csr_matrix((m.data, m.indices, m.indptr), shape=(m.shape[0], self.size))
            for m in self._rows
        ]
        return Linear(
            cost=np.concatenate(self._cost),
            matrix=sp.vstack(wide, format="csr"),
            low=np.concatenate(self._low),
            high=np.concatenate(self._high),
            lower=np.concatenate(self._lower),
            upper=np.concatenate(self._upper),
        )


def _each(value: Array | float, count: int) -> Array:
    return np.broadcast_to(np.asarray(value, dtype=float), count).copy()


def open_solver(program: Linear, offset: float) -> "highspy.Highs":
    """Return HiGHS with a program whose objective has a constant besides; one thread, one seed."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = program.matrix.shape
    lp.col_cost_ = program.cost
    lp.col_lower_, lp.col_upper_ = program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.low, program.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = program.matrix.indptr
    lp.a_matrix_.index_ = program.matrix.indices
    lp.a_matrix_.value_ = program.matrix.data
    lp.offset_ = offset
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the option's value
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    for tolerance in ("primal_feasibility_tolerance", "mip_feasibility_tolerance"):
        solver.setOptionValue(tolerance, TOLERANCE)
    solver.passModel(lp)
    return solver


def add_row(solver: "highspy.Highs", columns: Array, values: Array, low: float) -> None:
    """Add one row that must reach a bound."""
    solver.addRow(low, np.inf, len(columns), columns.astype(np.int32), values)


def add_rows(solver: "highspy.Highs", entries: Entries, low: Array) -> int:
    """Add rows that must reach their bounds, as ``Draft.rows`` writes them; return how many."""
    count, width = len(low), len(entries)
    if not count:
        return 0
    index = np.column_stack([columns for columns, _ in entries]).astype(np.int32)
    value = np.column_stack([np.broadcast_to(c, count) for _, c in entries])
    solver.addRows(
        count,
        low,
        np.full(count, np.inf),
        count * width,
        (width * np.arange(count)).astype(np.int32),
        index.ravel(),
        np.ascontiguousarray(value.ravel(), dtype=float),
    )
    return count
