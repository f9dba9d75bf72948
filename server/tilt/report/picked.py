"""Rows of a table that a sentence is about."""

import numpy as np
import pandas as pd


def place_of(values: "pd.Series[float]", *, size: bool = False) -> int:
    """Return the place of the largest value, or of the largest without its sign; NaN is none."""
    x = values.to_numpy(dtype=float)
    x = np.where(np.isnan(x), -np.inf, np.abs(x) if size else x)
    return int(x.argmax())


def highest(table: pd.DataFrame, column: str) -> dict[str, object]:
    """Return the row with the largest value of a column."""
    return _row(table, place_of(table[column]))


def lowest(table: pd.DataFrame, column: str) -> dict[str, object]:
    """Return the row with the smallest value of a column."""
    return _row(table, place_of(-table[column]))


def farthest(table: pd.DataFrame, column: str) -> dict[str, object]:
    """Return the row whose value is farthest from 0."""
    return _row(table, place_of(table[column], size=True))


def _row(table: pd.DataFrame, place: int) -> dict[str, object]:
    return {str(column): table[column].iloc[place] for column in table.columns}


def textual(table: pd.DataFrame, *without: str) -> list[str]:
    """Return the names of the columns, less those given."""
    return [str(column) for column in table.columns if column not in without]
