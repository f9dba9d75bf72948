"""Claims that several kinds of reports make about their tables, as native formulas."""

import numpy as np

from tilt.report.checks import Check, sum_of
from tilt.report.tables import Block, Formula


def foots(claim: str, block: Block, column: str, expected: float) -> Check:
    """Return the check that a column sums to what the engine says."""
    return Check(claim, sum_of(block, column), "=", expected)


def compounds(claim: str, block: Block, column: str, expected: float) -> Check:
    """Return the check that a column of returns compounds to what the engine says.

    By logarithms, which have no value for a loss of everything: such a column is checked to hold
    that loss.
    """
    values = block.table[column].to_numpy(dtype=float)
    if (values <= -1).any():
        return Check(claim, Formula(f"MIN({block.ref(column)})", float(values.min())), "=", -1.0)
    text = f"EXP(SUMPRODUCT(LN(1+{block.ref(column)})))-1"
    return Check(claim, Formula(text, float(np.expm1(np.log1p(values).sum()))), "=", expected)


def rows_close(claim: str, block: Block, whole: str, parts: tuple[str, ...]) -> Check:
    """Return the check that in every row the parts sum to the whole."""
    table = block.table.fillna(0.0)
    left = table[whole] - table[list(parts)].sum(axis=1)
    minus = "".join(f"-{block.ref(part)}" for part in parts)
    text = f"SUMPRODUCT(ABS({block.ref(whole)}{minus}))"
    return Check(claim, Formula(text, float(left.abs().sum())), "=", 0.0)


def weighted(claim: str, block: Block, columns: tuple[str, str], expected: float) -> Check:
    """Return the check that two columns, multiplied row by row, sum to what the engine says."""
    a, b = columns
    value = float((block.table[a] * block.table[b]).sum())
    text = f"SUMPRODUCT({block.ref(a)},{block.ref(b)})"
    return Check(claim, Formula(text, value), "=", expected)


def difference(claim: str, block: Block, whole: str, parts: tuple[str, str]) -> Check:
    """Return the check that in every row a column is the first part less the second."""
    first, second = parts
    table = block.table
    left = table[whole] - (table[first] - table[second])
    text = f"SUMPRODUCT(ABS({block.ref(whole)}-({block.ref(first)}-{block.ref(second)})))"
    return Check(claim, Formula(text, float(left.abs().sum())), "=", 0.0)
