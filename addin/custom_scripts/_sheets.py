"""Tables and charts of a workbook, read and written by name; a sheet of its own for each button.

A button's sheet is found again by its name and its tables by theirs: pressed twice, a button writes
to the same places and leaves everything else as it is.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import TypeAlias

import numpy as np
import pandas as pd
import xlwings as xw

from tilt.api.values import Grid
from tilt.calendar import EXCEL_EPOCH
from tilt.errors import ArgumentError
from tilt.report.style import NUMBER_FORMATS, measure_format

FIRST_ROW = 6  # of the tables; the words above say what they are
TITLE_SIZE = 14
_GAP = 1  # blank columns between two tables
_CHART_COLUMNS, _CHART_WIDTH, _CHART_HEIGHT = 11, 480, 320  # a standard column is 48 points
_WIDEST, _WIDTH = 60, 320  # characters; points of a column that holds sentences
_PERCENT, _NUMBER, _DATE, _COUNT = "0.00%", "0.000", "yyyy-mm-dd", "#,##0"
_COUNTS = frozenset({"days", "days_down", "days_to_recover", "names", "periods"})  # columns
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Output:
    """A table to be written.

    percent : the columns that are fractions
    plain   : where the rows are measures, those that are no fractions, beside what is known
    """

    name: str
    frame: pd.DataFrame
    percent: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart of a table's first columns: the categories, then a series each.

    kind : as xlwings names it: line, bar_clustered
    """

    name: str
    title: str
    kind: str
    table: str
    columns: int = 2


Part: TypeAlias = Output | Chart


def read_table(book: xw.Book, name: str) -> Grid | None:
    """Return the cells of a table with its header, or None if the workbook has no such table.

    A blank cell is None, an error cell its text.
    """
    table = _find_table(book, name)
    if table is None:
        return None
    cells: Grid = table.range.options(ndim=2, err_to_str=True, empty=None).value
    return cells


def replace_rows(book: xw.Book, output: Output) -> str:
    """Put other rows into a table that is there; return the name of its sheet.

    Raises
    ------
    ArgumentError
        If its columns are not those to be written, or it would grow over cells that are not blank.
    """
    table = _find_table(book, output.name)
    if table is None:
        raise ArgumentError(f"There is no table {output.name}.")
    header = [str(cell or "").strip().casefold() for cell in read_table(book, output.name)[0]]  # type: ignore[index]
    wanted = [str(c) for c in output.frame.columns]
    if header != wanted:
        raise ArgumentError(
            f"The table {output.name} has the columns {', '.join(header)}; Tilt would write "
            f"{', '.join(wanted)}. Rename the table to keep it, and press again."
        )
    sheet, place = table.parent, table.range
    below = place.last_cell.offset(1, 0)
    last = place.row + len(output.frame)
    if last >= below.row:
        area = sheet.range((below.row, place.column), (last, place.last_cell.column))
        cells = area.options(ndim=2, err_to_str=True, empty=None).value
        if any(value is not None for row in cells for value in row):
            raise ArgumentError(
                f"There is something below the table {output.name} on the sheet {sheet.name}. "
                f"{len(output.frame)} rows need the cells down to row {last}: clear them."
            )
    _write_cells(sheet, output, place.row, place.column, table)
    return str(sheet.name)


def write_sheet(book: xw.Book, name: str, words: Sequence[str], parts: Sequence[Part]) -> str:
    """Write tables and charts side by side on the sheet of that name; return the name.

    The sheet is made if it is not there.

    Parameters
    ----------
    words : at most four lines for the top of the sheet, the first one its title
    """
    sheet = _own_sheet(book, name)
    lines = [*words, *[""] * (FIRST_ROW - 2 - len(words))]
    sheet.range((1, 1), (len(lines), 1)).value = [[_typed(line)] for line in lines]
    sheet.range((1, 1)).font.bold = True
    sheet.range((1, 1)).font.size = TITLE_SIZE
    areas: dict[str, xw.Range] = {}
    charts: list[tuple[Chart, xw.Range]] = []
    column = 1
    for part in parts:
        if isinstance(part, Output):
            area = _write_table(book, sheet, part, column)
            areas[part.name] = area
            column = max(column, area.last_cell.column + 1) + _GAP
        else:
            charts.append((part, sheet.range((FIRST_ROW, column))))
            column += _CHART_COLUMNS
    for chart, anchor in charts:  # last, as a chart may show a table that stands after it
        _write_chart(sheet, chart, areas[chart.table], anchor)
    sheet.activate()
    return name


def write_beside(book: xw.Book, name: str, output: Output) -> str:
    """Write one more table right of the tables of a sheet; return the sheet's name.

    The sheet is made if it is not there.
    """
    sheet = _own_sheet(book, name)
    taken = [table.range.last_cell.column for table in sheet.tables]
    _write_table(book, sheet, output, max(taken) + 1 + _GAP if taken else 1)
    return str(sheet.name)


def say(book: xw.Book, text: str) -> None:
    """Tell the user in the task pane what was done."""
    # not app.macro: that takes the book that was opened last, which may be another user's
    book.impl.append_json_action(func="runMacro", args=["tiltSay", text])


def offer(book: xw.Book, file: str, name: str) -> None:
    """Offer the user a file that the server keeps for them.

    Parameters
    ----------
    file : its id
    name : what it is called when it is saved
    """
    book.impl.append_json_action(func="runMacro", args=["tiltOffer", file, name])


def follow(book: xw.Book, job: str, title: str) -> None:
    """Show a job in the task pane until it ends, and offer the files that it makes.

    Parameters
    ----------
    job : its id
    title : what it is called while it runs
    """
    book.impl.append_json_action(func="runMacro", args=["tiltFollow", job, title])


def _typed(value: object) -> object:
    """Return a value as a cell takes it: missing blank, dates as numbers, text never a formula."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value != value:
        return ""
    if isinstance(value, float) and not np.isfinite(value):
        return ""
    if isinstance(value, dt.date):
        return float((pd.Timestamp(value).tz_localize(None) - EXCEL_EPOCH) / pd.Timedelta(days=1))
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _find_table(book: xw.Book, name: str) -> xw.main.Table | None:
    for sheet in book.sheets:
        for table in sheet.tables:
            if table.name.casefold() == name.casefold():
                return table
    return None


def _own_sheet(book: xw.Book, name: str) -> xw.Sheet:
    for sheet in book.sheets:
        if sheet.name.casefold() == name.casefold():
            return sheet
    return book.sheets.add(name=name, after=book.sheets[len(book.sheets) - 1])


def _write_table(book: xw.Book, sheet: xw.Sheet, output: Output, column: int) -> xw.Range:
    """Write a table where it stands on the sheet, or make it; return its cells."""
    old = next((t for t in sheet.tables if _is_named(t.name, output.name)), None)
    if old is not None:
        return _write_cells(sheet, output, old.range.row, old.range.column, old)
    area = _write_cells(sheet, output, FIRST_ROW, column, None)
    sheet.tables.add(source=area, name=_free_name(book, output.name), has_headers=True)
    area.columns.autofit()
    for i, name in enumerate(output.frame.columns):
        if output.frame[name].astype(str).str.len().max() > _WIDEST:
            area[:, i].column_width = _WIDTH
    return area


def _is_named(given: str, name: str) -> bool:
    """Whether a table has the name, or the one it got because the name was taken."""
    rest = given.casefold().removeprefix(name.casefold())
    return given.casefold().startswith(name.casefold()) and (not rest or rest.isdigit())


def _free_name(book: xw.Book, name: str) -> str:
    """Return the name, with a number if a table of an older, renamed sheet has it."""
    taken = {t.name.casefold() for sheet in book.sheets for t in sheet.tables}
    numbered = (f"{name}{i}" for i in count(2))
    return name if name.casefold() not in taken else next(
        n for n in numbered if n.casefold() not in taken
    )  # fmt: skip


def _write_cells(
    sheet: xw.Sheet, output: Output, row: int, column: int, old: xw.main.Table | None
) -> xw.Range:
    frame = output.frame
    body = [[_typed(v) for v in cells] for cells in frame.astype(object).to_numpy().tolist()]
    rows = [[str(c) for c in frame.columns], *(body or [[""] * len(frame.columns)])]
    last = (row + len(rows) - 1, column + len(frame.columns) - 1)
    area = sheet.range((row, column), last)
    if old is not None:
        old.range.clear_contents()
        old.resize(area)
    area.value = rows
    formats = [_format(frame.iloc[:, i], c in output.percent) for i, c in enumerate(frame.columns)]
    for shown, first, end in _runs(formats):
        cells = sheet.range((row + 1, column + first), (last[0], column + end))
        cells.number_format = shown
    if body and frame.columns[0] == "measure":  # rows of different units
        units = [
            _NUMBER if m in output.plain else NUMBER_FORMATS[measure_format(str(m))]
            for m in frame["measure"]
        ]
        for shown, first, end in _runs(units):
            cells = sheet.range((row + 1 + first, column + 1), (row + 1 + end, last[1]))
            cells.number_format = shown
    return area


def _runs(values: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Return each value with the first and last place of its run."""
    start = 0
    for value, run in groupby(values):
        end = start + len(list(run))
        yield value, start, end - 1
        start = end


def _write_chart(sheet: xw.Sheet, chart: Chart, table: xw.Range, anchor: xw.Range) -> None:
    source = sheet.range(
        (table.row, table.column), (table.last_cell.row, table.column + chart.columns - 1)
    )
    there = sheet.impl.api.setdefault("charts", [])
    if chart.name in {c["name"] for c in there}:
        sheet.charts[chart.name].set_source_data(source, plot_by="columns")
        return
    made = sheet.charts.add(
        width=_CHART_WIDTH,
        height=_CHART_HEIGHT,
        chart_type=chart.kind,
        name=chart.name,
        anchor=anchor,
    )
    made.set_source_data(source, plot_by="columns")
    made.title = chart.title


def _format(values: "pd.Series[float]", percent: bool) -> str:  # noqa: FBT001
    if pd.api.types.is_datetime64_any_dtype(values):
        return _DATE
    if percent:
        return _PERCENT
    if values.name in _COUNTS:
        return _COUNT
    return _NUMBER if pd.api.types.is_float_dtype(values) else "General"
