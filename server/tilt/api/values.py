"""Values as Excel sends and shows them: grids of cells in, numbers, dates and tables out."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import pandas as pd

from tilt.calendar import EXCEL_EPOCH
from tilt.errors import ArgumentError
from tilt.portfolio.cells import clean, is_error

Value: TypeAlias = str | float | int | bool | None
Grid: TypeAlias = list[list[object]]
Scalar: TypeAlias = object  # text, number, bool, date, numpy's of these, or None
Result: TypeAlias = object  # a scalar, rows of scalars, a frame or a Table
Wire: TypeAlias = object  # what JSON knows: text, number, bool, or an object for a date or error

DATE_FORMAT = "yyyy-mm-dd"  # the one that no reader takes for another day
_PLAIN = {str, float, int, bool, type(None)}
_BLANKS = (None, "")
_ERROR_TEXTS = {
    "blocked": "#BLOCKED!",
    "busy": "#BUSY!",
    "calc": "#CALC!",
    "connect": "#CONNECT!",
    "div0": "#DIV/0!",
    "external": "#EXTERNAL!",
    "field": "#FIELD!",
    "gettingdata": "#GETTING_DATA",
    "name": "#NAME?",
    "notavailable": "#N/A",
    "null": "#NULL!",
    "num": "#NUM!",
    "python": "#PYTHON!",
    "ref": "#REF!",
    "spill": "#SPILL!",
    "timeout": "#TIMEOUT!",
    "value": "#VALUE!",
}
_ERRORS = {
    "#DIV/0!": "Div0",
    "#N/A": "NotAvailable",
    "#NAME?": "Name",
    "#NULL!": "Null",
    "#NUM!": "Num",
    "#REF!": "Ref",
    "#VALUE!": "Value",
}


@dataclass(frozen=True, eq=False)
class Table:
    """A frame on its way to a sheet: its columns are shown, its index is not.

    headers : whether the first row holds the names of the columns
    missing : what stands for a missing number: ``error``, ``blank`` or ``zero``
    """

    frame: pd.DataFrame
    headers: bool = True
    missing: str = "error"


@dataclass(frozen=True, eq=False)
class Shared:
    """Cells that several calls of a batch have as an argument, sent once.

    place : which of the batch's shared ranges; calls name it
    """

    place: int
    grid: object

    def __post_init__(self) -> None:
        if not isinstance(self.grid, list):
            raise TypeError("a shared range is a list of rows")


def read_grid(raw: object, name: str) -> Grid | None:
    """Return the cells of one argument, None for an argument left out or a blank cell.

    An error cell becomes its text, ``"#REF!"``; a blank cell becomes None; of a text what nobody
    sees is taken off. Blank rows at the end and blank columns at the right do not count: a whole
    column is what stands in it.

    Raises
    ------
    ArgumentError
        If it is no rectangle of cells.
    """
    if raw is None:
        return None
    if not isinstance(raw, list):
        return _unless_blank([[_read_cell(raw, name)]])
    if len(raw) == 1 and type(raw[0]) is list and len(raw[0]) == 1:
        return _unless_blank([[_read_single(raw[0][0], name)]])
    rows: Grid = raw if raw and set(map(type, raw)) == {list} else [raw]
    rows = _without_blank_end(rows)
    if len(set(map(len, rows))) != 1 or not rows[0]:
        raise ArgumentError(f"{name} is not a rectangle of cells: its rows differ in length.")
    kinds = set(map(type, chain.from_iterable(rows)))
    if not kinds <= _PLAIN or (str in kinds and not _are_plain(rows)):
        rows = [[_read_cell(v, name) for v in row] for row in rows]
    return _unless_blank(_without_blank_right(rows))


def _read_single(value: object, name: str) -> Value:
    """Return the cell of an argument that is one cell, as most are, read as one of a range is."""
    if isinstance(value, str) and value and value.isascii() and value.isprintable():
        return value
    return _read_cell(value, name)


def _without_blank_end(rows: Grid) -> Grid:
    """Return the rows up to the last that is not blank, or the first one."""
    last, end = rows[-1], len(rows)
    if not _is_void(last):
        return rows
    while end > 1 and (rows[end - 1] == last or _is_void(rows[end - 1])):
        end -= 1
    return rows[:end]


def _is_void(row: list[object]) -> bool:
    """Return whether a row is blank; two zeros and more are how Excel may send blank cells."""
    if any(row):
        return False
    return all(v in _BLANKS for v in row) or (len(row) > 1 and bool not in map(type, row))


def _without_blank_right(rows: Grid) -> Grid:
    width = len(rows[0])
    while width > 2 and all(row[width - 1] is None for row in rows):
        width -= 1  # a second column may be blank and yet meant: the values of options
    return [row[:width] for row in rows] if width < len(rows[0]) else rows


def _are_plain(rows: Grid) -> bool:
    """Return whether no text needs a look: none is blank or holds a hidden sign."""
    texts = {v for v in chain.from_iterable(rows) if isinstance(v, str)}
    return "" not in texts and all(t.isascii() and t.isprintable() for t in texts)


def _unless_blank(grid: Grid) -> Grid | None:
    return None if len(grid) == len(grid[0]) == 1 and grid[0][0] is None else grid


def _read_cell(value: object, name: str) -> Value:
    if isinstance(value, str):
        return clean(value) or None
    if value is None or isinstance(value, float | int):
        return value
    if isinstance(value, dict):
        kind, basic = value.get("type"), value.get("basicValue")
        if kind == "Error":
            return _error_text(value.get("errorType"), basic)
        if isinstance(basic, str | float | int):
            return _read_cell(basic, name)
    raise ArgumentError(f"{name} holds a cell that is neither number nor text. Use its value.")


def _error_text(kind: object, basic: object) -> str:
    if isinstance(basic, str) and is_error(basic):
        return basic
    return _ERROR_TEXTS.get(kind.casefold(), "#VALUE!") if isinstance(kind, str) else "#VALUE!"


def cell_count(arguments: Sequence[object]) -> int:
    """Return how many cells the arguments of a call hold."""
    return sum(_cells_of(a) for a in arguments)


def _cells_of(argument: object) -> int:
    if not isinstance(argument, list):
        return 1
    if len(argument) == 1:
        return len(argument[0]) if isinstance(argument[0], list) else 1
    if set(map(type, argument)) == {list}:
        return sum(map(len, argument))
    return sum(len(row) if isinstance(row, list) else 1 for row in argument)


def filled_count(arguments: Sequence[object]) -> int:
    """Return how many cells they hold up to the last row of each that is not blank or zero."""
    return sum(_cells_of(_filled(a)) for a in arguments)


def _filled(argument: object) -> object:
    if not isinstance(argument, list) or set(map(type, argument)) != {list}:
        return argument
    end = len(argument)
    while end and not any(argument[end - 1]):
        end -= 1
    return argument[:end]


def write_result(result: Result, *, rich: bool) -> list[list[Wire]]:
    """Return a result as rows of cells.

    Parameters
    ----------
    rich : whether the client knows formatted numbers and error values (runtime 1.4); an older one
        gets serial numbers and the text ``#N/A``
    """
    if isinstance(result, list | tuple):
        return [[write_value(v, rich=rich) for v in row] for row in result]
    if isinstance(result, pd.DataFrame):
        result = Table(result)
    if isinstance(result, Table):
        return _write_table(result, rich=rich)
    return [[write_value(result, rich=rich)]]


def write_value(value: Scalar, *, rich: bool) -> Wire:
    """Return one cell; what is missing or not finite is ``#N/A``."""
    if type(value) is float:  # most cells are, so they are asked about first
        return value if math.isfinite(value) else error_value("#N/A", rich=rich)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT:
        return error_value("#N/A", rich=rich)
    if isinstance(value, dt.date):
        moment = pd.Timestamp(value).tz_localize(None)  # Excel knows no time zones
        serial = float((moment - EXCEL_EPOCH) / pd.Timedelta(days=1))
        if not rich:
            return serial
        return {"type": "FormattedNumber", "basicValue": serial, "numberFormat": DATE_FORMAT}
    if isinstance(value, float) and not np.isfinite(value):
        return error_value("#N/A", rich=rich)
    return value


def error_value(text: str, *, rich: bool) -> Wire:
    """Return an Excel error as a cell value."""
    return {"type": "Error", "errorType": _ERRORS[text]} if rich else text


def _write_table(table: Table, *, rich: bool) -> list[list[Wire]]:
    frame = table.frame
    missing: Wire = {"error": error_value("#N/A", rich=rich), "blank": "", "zero": 0.0}[
        table.missing
    ]
    columns = [_write_column(frame.iloc[:, i], missing, rich=rich) for i in range(frame.shape[1])]
    rows: list[list[Wire]] = [list(row) for row in zip(*columns, strict=True)]
    if table.headers:
        rows.insert(0, [write_value(c, rich=rich) for c in frame.columns])
    return rows or [[missing]]


def _write_column(column: "pd.Series[float]", missing: Wire, *, rich: bool) -> list[Wire]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        values = column.to_numpy(dtype=float)
        bad = ~np.isfinite(values)
        cells: list[Wire] = [*values.tolist()]
        for i in np.flatnonzero(bad):
            cells[i] = missing
        return cells
    gone = column.isna().to_numpy()
    return [
        missing if is_gone else _unless_infinite(value, missing, rich=rich)
        for value, is_gone in zip(column.tolist(), gone, strict=True)
    ]


def _unless_infinite(value: Scalar, missing: Wire, *, rich: bool) -> Wire:
    if isinstance(value, float) and not np.isfinite(value):
        return missing
    return write_value(value, rich=rich)
