"""Charts of workbooks: read from a file as far as the workbench draws them, and written to one."""

from collections.abc import Iterable, Iterator, Mapping

import xlsxwriter
from openpyxl.chart._chart import ChartBase
from openpyxl.chart.area_chart import AreaChart
from openpyxl.chart.bar_chart import BarChart
from openpyxl.chart.line_chart import LineChart
from openpyxl.utils import range_boundaries
from openpyxl.workbook import Workbook as FileBook
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter.worksheet import Worksheet as NewSheet

from tilt.api.workbook_model import Chart, Kind, Sheet

_KINDS: tuple[tuple[type[ChartBase], Kind], ...] = (
    (LineChart, "line"),
    (AreaChart, "area"),
    (BarChart, "bar"),
)
_CHART_ROWS = 16  # of the sheet, from one chart to the next
_Place = tuple[str, int, int, int]  # sheet, column, first and last row, all from 1


def read_charts(sheet: Worksheet, book: FileBook) -> tuple[Chart, ...]:
    """Return the lines, areas and bars of a sheet whose series are columns below their headers.

    Others are left out: the workbench could not draw them from the same cells.
    """
    found = (_read_chart(chart, sheet, book) for chart in sheet._charts)  # noqa: SLF001
    return tuple(chart for chart in found if chart is not None)


def _read_chart(chart: ChartBase, sheet: Worksheet, book: FileBook) -> Chart | None:
    kind = next((name for type_, name in _KINDS if isinstance(chart, type_)), None)
    series = list(chart.series)
    values = [_place(one.val) for one in series]
    labels = _place(series[0].cat) if series else None
    if kind is None or labels is None or any(place is None for place in values):
        return None
    places = [labels, *(place for place in values if place is not None)]
    name, _, first, last = labels
    if {(p[0], p[2], p[3]) for p in places} != {(name, first, last)} or first == 1:
        return None  # of several sheets or lengths, or without a row for headers
    if name not in book.sheetnames:
        return None
    data = book[name]
    heads = [data.cell(first - 1, column).value for _, column, _, _ in places]
    if not all(isinstance(head, str) and head for head in heads):
        return None
    columns = [column for _, column, _, _ in places]
    return Chart(
        row=first - 2,
        column=min(columns) - 1,
        rows=last - first + 2,
        columns=max(columns) - min(columns) + 1,
        title=_title(chart)[:255],
        kind=kind,
        labels=str(heads[0]),
        series=tuple(str(head) for head in heads[1:]),
        number_format=data.cell(first, columns[1]).number_format,
        source="" if name == sheet.title else name,
    )


def _place(data: object) -> _Place | None:
    """Return where a column of a series stands; None for what is no single column of cells."""
    reference = getattr(data, "numRef", None) or getattr(data, "strRef", None)
    name, _, cells = (reference.f if reference else "").rpartition("!")
    if not name:
        return None
    try:
        left, top, right, bottom = range_boundaries(cells)
    except ValueError:
        return None
    if left != right or None in (left, top, bottom):
        return None
    return name.removeprefix("'").removesuffix("'").replace("''", "'"), left, top, bottom


def _title(chart: ChartBase) -> str:
    text = getattr(chart.title, "tx", None)
    rich = getattr(text, "rich", None)
    if rich is None:
        return ""
    return " ".join("".join(run.t for run in part.r or []) for part in rich.p).strip()


def write_chart(
    book: xlsxwriter.Workbook, made: NewSheet, sheet: Sheet, chart: Chart, sheets: Iterable[Sheet]
) -> None:
    """Draw a chart natively, right of its cells; one without its headers is left out."""
    data = next((s for s in sheets if s.name == chart.source), sheet)
    heads = {
        str(c.value): c.column
        for c in data.cells
        if c.row == chart.row and chart.column <= c.column < chart.column + chart.columns
    }
    if chart.rows < 2 or chart.labels not in heads:
        return
    drawn = book.add_chart({"type": "column" if chart.kind == "bar" else chart.kind})
    for name in _present(chart.series, heads):
        drawn.add_series(
            {
                "name": name,
                "categories": _column(data.name, chart, heads[chart.labels]),
                "values": _column(data.name, chart, heads[name]),
            }
        )
    drawn.set_title({"name": chart.title})
    drawn.set_y_axis({"num_format": chart.number_format})
    above = _CHART_ROWS * sheet.charts.index(chart)
    if chart.source:
        right = max((c.column for c in sheet.cells), default=0) + 2
        made.insert_chart(above, right, drawn)
    else:
        made.insert_chart(chart.row + above, chart.column + chart.columns + 1, drawn)


def _present(series: Iterable[str], heads: Mapping[str, int]) -> Iterator[str]:
    return (name for name in series if name in heads)


def _column(sheet: str, chart: Chart, column: int) -> list[object]:
    return [sheet, chart.row + 1, column, chart.row + chart.rows - 1, column]
