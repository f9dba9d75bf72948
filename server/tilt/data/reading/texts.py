"""Text as files hold it: a ticker stays what was typed, and what Excel made of one is named."""

import datetime as dt

import numpy as np
import pandas as pd

MOST_CODE = 10_000_000  # a whole number above this is no ticker: Excel made it of a code
AS_TEXT = "Format the column as Text and type it again."


def read_texts(column: "pd.Series[str]") -> "tuple[pd.Series[str], np.ndarray]":
    """Return a column as text, and where a cell is none: a date, or a number that no code is.

    Nothing in it is taken for a number, a truth value or missing.
    """
    nowhere = np.zeros(len(column), dtype=bool)
    if isinstance(column.dtype, pd.StringDtype):
        text = column.str.strip()
        return text.mask(text == ""), nowhere
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "TRUE", False: "FALSE"}).astype("str"), nowhere
    bad = np.array([bool(why_no_text(cell)) for cell in column], dtype=bool)
    cells = [None if wrong else _text(cell) for cell, wrong in zip(column, bad, strict=True)]
    return pd.Series(cells, dtype="str"), bad


def why_no_text(cell: object) -> str:
    """Return what is wrong with a cell that should be text; empty if nothing is."""
    if isinstance(cell, str | bool | np.bool_) or cell is None or cell is pd.NaT or cell is pd.NA:
        return ""
    if isinstance(cell, dt.datetime | dt.date):
        typed = f"{cell:%b}{cell.day}".upper()
        return f"is the date {cell:%Y-%m-%d}: Excel makes one of a text such as {typed}"
    if not isinstance(cell, int | float | np.number):
        return f"is a {type(cell).__name__}, not text"
    number = float(cell)
    if np.isnan(number) or (number.is_integer() and abs(number) < MOST_CODE):
        return ""
    return f"is the number {number:g}: Excel makes one of a code such as 12E7"


def _text(cell: object) -> str | None:
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool | np.bool_):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float | np.number) and not np.isnan(float(cell)):
        return str(int(cell))
    return None
