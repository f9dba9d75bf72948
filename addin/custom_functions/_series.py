"""Ranges of returns, read into series."""

import pandas as pd

from tilt.api.values import Grid
from tilt.calendar import calendar_day
from tilt.errors import ArgumentError, DataError
from tilt.portfolio.cells import Number, is_blank, is_error, read_number, shown

MOST = 10.0  # a larger return of one period was typed in per cent
_MOST_ACROSS = 2  # rows of a range whose dates run across


def read_series(grid: Grid, name: str) -> "pd.Series[float]":
    """Return the returns of a range: one column or row, or dates and returns in two columns.

    A header row is skipped; a blank cell is a missing return.

    Raises
    ------
    ArgumentError
        If the range has another shape.
    DataError
        If a cell is an error or no number; the message tells its row.
    """
    across = len(grid) == 1 and len(grid[0]) > 1
    rows = [[value] for value in grid[0]] if across else grid
    place = f"{name} column" if across else f"{name} row"
    if len(rows[0]) == 2 and all(is_blank(row[1]) for row in rows):
        rows = [row[:1] for row in rows]
    width = len(rows[0])
    if width > 2:
        turn = "Turn it: =TRANSPOSE(range)." if len(rows) <= _MOST_ACROSS else "Select these alone."
        raise ArgumentError(f"{name} must be one column of returns, or dates and returns. {turn}")
    body = list(enumerate(rows, start=1))
    if _is_header(rows[0]):
        body = body[1:]
    values = [_value(row[-1], f"{place} {number}") for number, row in body]
    if width == 1:
        return pd.Series(values, dtype=float)
    kept = [(n, row, v) for (n, row), v in zip(body, values, strict=True) if not is_blank(row[0])]
    days = [_day(row[0], f"{place} {number}") for number, row, _ in kept]
    return pd.Series([v for _, _, v in kept], index=pd.DatetimeIndex(days), dtype=float)


def read_columns(grid: Grid, name: str) -> pd.DataFrame:
    """Return a range with a column of returns per name, and dates where its first column has them.

    A first row of texts has the names; without it they are "factor 1" and on. A column without a
    name or a value is left out.

    Raises
    ------
    DataError
        If a cell is an error or no number, or a name is there twice; the message tells its place.
    """
    headed = any(isinstance(c, str) and not is_error(c) and not _is_figure(c) for c in grid[0])
    body = list(enumerate(grid, start=1))[headed:]
    kept = [(n, row) for n, row in body if not all(is_blank(c) for c in row)]
    first = [row[0] for _, row in kept]
    dated = len(grid[0]) > 1 and bool(first) and all(
        not is_blank(c) and calendar_day(c) is not None for c in first
    )  # fmt: skip
    columns: dict[str, list[float]] = {}
    for place in range(int(dated), len(grid[0])):
        if all(is_blank(row[place]) for _, row in kept):
            continue
        label = str(grid[0][place]).strip() if headed else f"factor {place + 1 - int(dated)}"
        if label in columns:
            raise DataError(f"{name}: '{label}' is the name of two columns. Rename one.")
        columns[label] = [_value(row[place], f"{name} row {n} ({label})") for n, row in kept]
    if not columns:
        raise DataError(f"{name} is empty. Give a column of returns per factor.")
    if not dated:
        return pd.DataFrame(columns, dtype=float)
    days = [_day(row[0], f"{name} row {n}") for n, row in kept]
    return pd.DataFrame(columns, index=pd.DatetimeIndex(days), dtype=float)


def _is_figure(cell: str) -> bool:
    return is_blank(cell) or isinstance(read_number(cell, point_is_decimal=True), Number)


def _is_header(row: list[object]) -> bool:
    last = row[-1]
    if not isinstance(last, str) or is_error(last) or is_blank(last):
        return False
    return not any(c.isdigit() for c in last)  # 0,01 and 1.2.3 were meant as returns


def _value(cell: object, where: str) -> float:
    if isinstance(cell, float) and abs(cell) <= MOST:
        return cell
    if is_blank(cell) or (isinstance(cell, str) and cell.strip().upper() == "#N/A"):
        return float("nan")
    if is_error(cell):
        raise DataError(f"{where}: the return is {shown(cell)}.")
    read = read_number(cell, point_is_decimal=True)
    if not isinstance(read, Number):
        raise DataError(f"{where}: the return is {shown(cell)}. Type it as a number.")
    if abs(read.value) > MOST:
        raise DataError(
            f"{where}: the return is {read.value:g}, or {100 * read.value:g} %. "
            f"Type {read.value:g} % as {read.value / 100:g}."
        )
    return read.value


def _day(cell: object, where: str) -> pd.Timestamp:
    if is_error(cell):
        raise DataError(f"{where}: the date is {shown(cell)}.")
    day = calendar_day(cell)
    if day is None:
        raise DataError(f"{where}: the date is {shown(cell)}. Use an Excel date or 2026-01-31.")
    return day
