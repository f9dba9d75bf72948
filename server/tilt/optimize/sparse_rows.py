"""Rows of numbers that are mostly zero, as plain arrays.

A program is put together from dozens of small blocks. scipy checks every sparse matrix that it is
given, and again what comes of each sign and each stacking: for five hundred names that took as
long as the solver. Here nothing is checked until the whole is handed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tilt.optimize.terms import Array


@dataclass(frozen=True, eq=False)
class Rows:
    """Sparse rows, as a matrix of scipy's CSR format holds them.

    values  : the entries, row after row
    columns : where each stands, ascending within a row
    starts  : where each row begins among the entries, and where the last one ends
    width   : how many columns there are
    """

    values: Array
    columns: Array
    starts: Array
    width: int

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.starts) - 1

    def __neg__(self) -> "Rows":
        return Rows(-self.values, self.columns, self.starts, self.width)

    def first(self) -> "Rows":
        """Return the first row alone."""
        end = self.starts[1]
        return Rows(self.values[:end], self.columns[:end], self.starts[:2], self.width)

    def with_last(self, columns: Array | int, value: float, width: int) -> "Rows":
        """Return the rows with one entry more behind the others of each, in ``width`` columns."""
        ends = self.starts[1:]
        return Rows(
            np.insert(self.values, ends, value),
            np.insert(self.columns, ends, columns),
            self.starts + np.arange(len(self.starts)),
            width,
        )

    def times(self, vector: Array) -> Array:
        """Return the product with a vector; entries behind its end count with nothing."""
        row = np.repeat(np.arange(self.count), np.diff(self.starts))
        inside = self.columns < len(vector)
        of = self.values[inside] * vector[self.columns[inside]]
        return np.bincount(row[inside], weights=of, minlength=self.count)

    def csr(self) -> sp.csr_matrix:
        """Return scipy's matrix, row by row."""
        return sp.csr_matrix(self._parts, shape=(self.count, self.width))

    def csc(self) -> sp.csc_matrix:
        """Return scipy's matrix, column by column."""
        return self.csr().tocsc()

    def mirrored(self) -> sp.csc_matrix:
        """Return a symmetric matrix, whose rows are its columns."""
        return sp.csc_matrix(self._parts, shape=(self.width, self.count))

    @property
    def _parts(self) -> tuple[Array, Array, Array]:
        return self.values, self.columns.astype(np.int32), self.starts.astype(np.int32)


def no_rows(width: int, count: int = 0) -> Rows:
    """Return rows without an entry."""
    return Rows(np.zeros(0), np.zeros(0, dtype=int), np.zeros(count + 1, dtype=int), width)


def one_each(columns: Array, values: Array | float, width: int) -> Rows:
    """Return rows of one entry each."""
    count = len(columns)
    return Rows(np.full(count, values, dtype=float), columns, np.arange(count + 1), width)


def sums_of(groups: Sequence[Array], width: int) -> Rows:
    """Return for each group of columns the row that adds them up; columns ascend in a group."""
    columns = np.concatenate(groups) if groups else np.zeros(0, dtype=int)
    starts = np.cumsum([0, *map(len, groups)])
    return Rows(np.ones(len(columns)), columns, starts, width)


def dense_rows(matrix: Array, width: int, first: int = 0) -> Rows:
    """Return the rows of a full matrix without its zeros, from column ``first`` on."""
    filled = matrix != 0
    columns = np.nonzero(filled)[1]
    starts = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    return Rows(matrix[filled], columns + first, starts, width)


def diagonal_rows(values: Array, width: int) -> Rows:
    """Return the rows of a diagonal matrix, those of its zeros without an entry."""
    columns = np.flatnonzero(values)
    starts = np.concatenate([[0], np.cumsum(values != 0)])
    return Rows(values[columns], columns, starts, width)


def stacked(blocks: Sequence[Rows], width: int) -> Rows:
    """Return rows on top of each other, with ``width`` columns: no column moves."""
    if not blocks:
        return no_rows(width)
    before = np.cumsum([0, *(len(block.values) for block in blocks)])
    ends = [block.starts[1:] + n for block, n in zip(blocks, before[:-1], strict=True)]
    return Rows(
        np.concatenate([block.values for block in blocks]),
        np.concatenate([block.columns for block in blocks]),
        np.concatenate([[0], *ends]),
        width,
    )
