"""Cells that are not what their column holds: read as missing, counted, and kept as typed.

A file of a vendor always has some. A few are set aside, each with its row; where more than one in
twenty of a column cannot be read, something else is wrong (another decimal sign, another column),
and the file is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, noted
from tilt.data.reading.raw import Raw
from tilt.errors import DataError, cut

MOST = 0.05  # part of the filled cells of a column
TOLD = 100  # findings of one column of a file; the others are counted in one more
SHOWN = 3
CHECK = "unreadable_value"
TABLE = "unreadable"  # of a snapshot's record
COLUMNS = ("file", "row", "column", "text", "problem", "left_out", "date", "ticker")
_TYPES = {"row": "int64", "left_out": "bool", "date": "datetime64[us]"}
READ_AS_MISSING = "Quarantined: read as missing."
ROW_LEFT_OUT = "Quarantined: the row is left out."


@dataclass(frozen=True, eq=False)
class Fault:
    """The cells of one column that cannot be read.

    column  : its place in the file
    bad     : of each row, whether its cell is one of them
    problem : what is wrong with them, such as ``is not a number``
    """

    column: int
    bad: np.ndarray
    problem: str


def none_unreadable() -> pd.DataFrame:
    """Return the table of cells that cannot be read, without rows."""
    return pd.DataFrame({c: pd.Series(dtype=_TYPES.get(c, "str")) for c in COLUMNS})


def check_few(raw: Raw, fault: Fault, remedy: str) -> None:
    """Raise ``DataError`` if the cells are too many of their column for a slip.

    Parameters
    ----------
    remedy : what to do about a single one
    """
    places = np.flatnonzero(fault.bad)
    filled = int(is_filled(raw.columns[fault.column]).sum())
    blank = len(places) if not _text(raw, fault.column, int(places[0])) else 0
    if len(places) <= MOST * (filled + blank):
        return
    if len(places) == 1:
        raise raw.wrong(int(places[0]), fault.column, _said(raw, fault, int(places[0])), remedy)
    few = ", ".join(
        f"row {raw.row(p)} '{cut(_text(raw, fault.column, p), 40)}'"
        for p in places[:SHOWN].tolist()
    )
    raise DataError(
        f"{raw.origin} column '{raw.headers[fault.column]}': {len(places):,} of its "
        f"{filled + blank:,} cells cannot be read, more than {MOST:.0%}: {few}; the first "
        f"{fault.problem}. {remedy} Where all are alike, it may be another column or another "
        "decimal sign: rename the header, or say which sign it is."
    )


def is_filled(column: "pd.Series[str]") -> np.ndarray:
    """Return where a column has something in a cell."""
    there: np.ndarray = column.notna().to_numpy()
    if isinstance(column.dtype, pd.StringDtype):
        return there & (column.str.strip() != "").to_numpy(dtype=bool)
    if column.dtype == object:
        return np.array([c is not None and str(c).strip() != "" for c in column], dtype=bool)
    return there


def set_aside(
    raw: Raw, fault: Fault, *, left_out: bool, days: np.ndarray, tickers: Sequence[str]
) -> None:
    """Keep the cells with their rows, and note how many they are.

    Parameters
    ----------
    left_out : whether the rows go, because they cannot be without the value
    days, tickers : of each row, where they are known
    """
    header = raw.headers[fault.column]
    places = np.flatnonzero(fault.bad).tolist()
    rows = [
        (
            raw.origin,
            raw.row(place),
            header,
            _text(raw, fault.column, place),
            fault.problem,
            left_out,
            days[place],
            tickers[place],
        )
        for place in places
    ]
    raw.unreadable.append(pd.DataFrame(rows, columns=list(COLUMNS)).astype(_dtypes()))
    first = f"row {raw.row(places[0])} {_said(raw, fault, places[0])}"
    what = "rows are left out" if left_out else "cells are read as missing"
    if len(places) == 1:
        what = what.replace("rows are", "row is").replace("cells are", "cell is")
    raw.note("cells", f"{len(places):,} {what}: '{header}' cannot be read there, first {first}")


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the cells of several tables as one."""
    return pd.concat(parts, ignore_index=True) if parts else none_unreadable()


def unreadable_findings(table: pd.DataFrame, last: pd.Timestamp) -> list[Finding]:
    """Return a finding for each cell, of a column with very many for the first ones and the rest.

    Parameters
    ----------
    last : the day of those whose row has none
    """
    findings: list[Finding] = []
    for (file, column, left_out), cells in table.groupby(["file", "column", "left_out"], sort=True):
        action = ROW_LEFT_OUT if left_out else READ_AS_MISSING
        for _, cell in cells.iloc[:TOLD].iterrows():
            said = _worded(cell["text"], cell["problem"]).replace(" | ", " ; ")
            words = f"{file} row {cell['row']}, column '{column}': {said} | {action}"
            day = last if pd.isna(cell["date"]) else pd.Timestamp(cell["date"])
            findings.append(noted(day, CHECK, words, ticker=cell["ticker"]))
        more = len(cells) - TOLD
        if more > 0:
            words = f"{file}, column '{column}': {more:,} more cells cannot be read | {action}"
            findings.append(noted(last, CHECK, words))
    return findings


def _dtypes() -> dict[str, str]:
    return {c: _TYPES.get(c, "str") for c in COLUMNS}


def _text(raw: Raw, column: int, place: int) -> str:
    given = raw.columns[column]
    return str(given.iloc[place]) if given.notna().iloc[place] else ""


def _said(raw: Raw, fault: Fault, place: int) -> str:
    return _worded(_text(raw, fault.column, place), fault.problem)


def _worded(text: object, problem: object) -> str:
    shown = str(text).strip()
    return f"'{cut(shown)}' {problem}." if shown else "the cell is blank."
