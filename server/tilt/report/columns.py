"""Tables written by whole columns.

XlsxWriter makes an object of every cell and formats it alone, 7 microseconds each: half a minute
for half a million rows. Here a column stays an array until its rows are printed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from tilt.calendar import EXCEL_EPOCH
from tilt.report.tables import clean_text, starts_like_formula

_ROWS_AT_ONCE = 4096
_FIRST_DAY = pd.Timestamp("1900-03-01")  # before it Excel counts a day that never was
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Column:
    """A column of numbers, dates or text, and how its cells look.

    quoted : of text that a spreadsheet would take for a formula if it were typed
    """

    cells: "pd.Series[float]"
    look: Format
    quoted: Format


def plain(table: pd.DataFrame) -> bool:
    """Return whether a table has but numbers, dates from 1900 on and text: no formula, no link."""
    return all(_plain(table.iloc[:, at]) for at in range(table.shape[1]))


def _plain(values: "pd.Series[float]") -> bool:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return True
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        return bool((pd.DatetimeIndex(values.dropna()) >= _FIRST_DAY).all())
    if isinstance(values.dtype, pd.StringDtype):
        return True
    return pd.api.types.infer_dtype(values, skipna=True) == "string"


def _days(dates: "pd.Series[float]") -> np.ndarray:
    """Return dates as Excel counts them."""
    return ((pd.DatetimeIndex(dates) - EXCEL_EPOCH) / _DAY).to_numpy(dtype=float)


@dataclass(frozen=True, eq=False)
class _Printed:
    """A column ready to be printed.

    cells  : numbers, or the places of its texts in the workbook's list of texts
    known  : where there is a value
    looks  : numbers of cell formats; ``which`` says for each row which of the two
    is_text : whether the cells are places of texts
    """

    cells: np.ndarray
    known: np.ndarray
    looks: tuple[int, int]
    which: np.ndarray | None
    is_text: bool

    def xml(self, letter: str, top: int, rows: slice) -> list[str]:
        """Return the cells of some rows, ``top`` being the sheet's row, from 1, of the first."""
        mark = ' t="s"' if self.is_text else ""
        values, looks = self.cells[rows].tolist(), self.looks
        if self.which is None and self.known[rows].all():
            look = looks[0]
            return [
                f'<c r="{letter}{row}" s="{look}"{mark}><v>{value!r}</v></c>'
                for row, value in enumerate(values, top)
            ]
        known = self.known[rows].tolist()
        which = [False] * len(values) if self.which is None else self.which[rows].tolist()
        return [
            f'<c r="{letter}{row}" s="{looks[other]}"{mark}><v>{value!r}</v></c>'
            if there
            else f'<c r="{letter}{row}" s="{looks[other]}"/>'
            for row, (value, there, other) in enumerate(zip(values, known, which, strict=True), top)
        ]


@dataclass(frozen=True, eq=False)
class _Table:
    """A table's place in its sheet, rows and columns from 0."""

    row: int
    column: int
    columns: tuple[_Printed, ...]

    @property
    def rows(self) -> int:
        return len(self.columns[0].cells)

    @property
    def end(self) -> int:
        return self.row + self.rows

    def has(self, row: int, column: int) -> bool:
        """Return whether a cell of the sheet is one of the table's."""
        across = self.column <= column < self.column + len(self.columns)
        return across and self.row <= row < self.end


class ColumnSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
    """A sheet of XlsxWriter to which tables are given by column as well.

    A row of such a table has no other cells.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tables: list[_Table] = []
        self.dim_rowmin: int
        self.dim_rowmax: int

    def write_columns(self, row: int, column: int, columns: Sequence[Column]) -> None:
        """Write a table without its heading, from its top left cell on."""
        if not columns or not len(columns[0].cells):
            return
        table = _Table(row, column, tuple(self._printed(given) for given in columns))
        self._tables.append(table)
        self._check_dimensions(row, column)
        self._check_dimensions(table.end - 1, column + len(columns) - 1)

    def _printed(self, column: Column) -> _Printed:
        values, look = column.cells, column.look._get_xf_index()  # noqa: SLF001 - no public way
        if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufM":
            numbers = _days(values) if values.dtype.kind == "M" else values.to_numpy(dtype=float)
            return _Printed(numbers, np.isfinite(numbers), (look, look), None, is_text=False)
        codes, texts = pd.factorize(values)
        told = [clean_text(text) for text in texts]
        places = np.array([self.str_table._get_shared_string_index(t) for t in told] or [0])  # noqa: SLF001
        signs = np.array([starts_like_formula(text) for text in texts] or [False])
        known = codes >= 0
        self.str_table.count += int(known.sum()) - len(told)  # how many cells have a text
        if not signs.any():
            return _Printed(places[codes], known, (look, look), None, is_text=True)
        looks = (look, column.quoted._get_xf_index())  # noqa: SLF001
        return _Printed(places[codes], known, looks, signs[codes] & known, is_text=True)

    def _write_rows(self) -> None:  # as XlsxWriter prints a sheet
        first: int = self.dim_rowmin
        last: int = self.dim_rowmax
        at = first
        for table in sorted(self._tables, key=lambda t: t.row):
            self._write_cells(at, table.row - 1)
            self._write_table_rows(table)
            at = table.end
        self._write_cells(at, last)
        self.dim_rowmin, self.dim_rowmax = first, last

    def _write_cells(self, first: int, last: int) -> None:
        if first <= last:
            self.dim_rowmin, self.dim_rowmax = first, last
            super()._write_rows()

    def _write_table_rows(self, table: _Table) -> None:
        letters = [xl_col_to_name(table.column + n) for n in range(len(table.columns))]
        for start in range(0, table.rows, _ROWS_AT_ONCE):
            rows, top = slice(start, start + _ROWS_AT_ONCE), table.row + start + 1
            cells = [c.xml(x, top, rows) for x, c in zip(letters, table.columns, strict=True)]
            for row, across in enumerate(zip(*cells, strict=True), top - 1):
                if row in self.row_info:
                    self._write_row(row, None, self.row_info[row])
                else:
                    self.fh.write(f'<row r="{row + 1}">')
                self.fh.writelines((*across, "</row>"))

    def _get_range_data(
        self, first: int, left: int, last: int, right: int
    ) -> "Sequence[str | float | None]":  # what a chart shows before anything is calculated
        table = next((t for t in self._tables if t.has(first, left) and t.has(last, right)), None)
        if table is None:
            found: Sequence[str | float | None] = super()._get_range_data(first, left, last, right)
            return found
        return list(self._shown(table, first, left, last, right))

    def _shown(self, table: _Table, first: int, left: int, last: int, right: int) -> Iterator[str]:
        for row in range(first - table.row, last - table.row + 1):
            for column in table.columns[left - table.column : right - table.column + 1]:
                value = column.cells[row].item()
                if not column.known[row]:
                    yield ""
                elif column.is_text:
                    yield self.str_table._get_shared_string(value)  # noqa: SLF001
                else:
                    yield f"{value:.16g}"
