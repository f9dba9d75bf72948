"""Native Excel charts over the blocks of a workbook."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from xlsxwriter.chart import Chart as NativeChart
from xlsxwriter.workbook import Workbook

from tilt.report.style import FONT, GRAY, INK, NAVY, NUMBER_FORMATS, RULE, SERIES
from tilt.report.tables import Block, header

ROW_PIXELS = 20


@dataclass(frozen=True)
class Chart:
    """One chart over columns of a block, wherever in the workbook the block is.

    block      : key of the block that holds the data
    categories : its column along the axis
    series     : its columns drawn
    beside     : True puts it to the right of the block above instead of below
    rows       : first and last row of the block drawn, from 0; None draws all
    alt        : what a screen reader says
    """

    kind: Literal["line", "bar", "column", "area"]
    title: str
    block: str
    categories: str
    series: tuple[str, ...]
    alt: str
    number_format: str = "number"
    beside: bool = False
    rows: tuple[int, int] | None = None
    width: int = 860
    height: int = 320

    @property
    def sheet_rows(self) -> int:
        return -(-self.height // ROW_PIXELS)


@dataclass(frozen=True)
class Place:
    """Where a block landed: its sheet, the row of its header and its first column, from 0."""

    block: Block
    sheet: str
    row: int
    column: int

    def cells(self, column: str, rows: tuple[int, int] | None) -> list[str | int]:
        """Return XlsxWriter's list form of a range: sheet, first row, column, last row, column."""
        first, last = rows if rows is not None else (0, len(self.block.table) - 1)
        at = self.column + list(self.block.table.columns).index(column)
        return [self.sheet, self.row + 1 + first, at, self.row + 1 + last, at]


def build_chart(book: Workbook, chart: Chart, places: Mapping[str, Place]) -> NativeChart:
    """Return the native chart, ready to insert."""
    place = places[chart.block]
    native = book.add_chart({"type": chart.kind})
    for number, column in enumerate(chart.series):
        native.add_series(_series(chart, place, column, SERIES[number % len(SERIES)]))
    native.set_title(
        {
            "name": chart.title,
            "overlay": False,
            "layout": {"x": 0.02, "y": 0.03},
            "name_font": {"name": FONT, "size": 11, "bold": True, "color": NAVY},
        }
    )
    _set_axes(native, chart, place.block)
    if len(chart.series) > 1:
        native.set_legend({"position": "bottom", "font": {"name": FONT, "size": 9, "color": INK}})
    else:
        native.set_legend({"none": True})
    native.set_chartarea({"border": {"color": RULE, "width": 0.75}})
    native.show_hidden_data()  # of a sheet that is not printed
    native.set_size({"width": chart.width, "height": chart.height})
    return native


def _set_axes(native: NativeChart, chart: Chart, block: Block) -> None:
    font = {"name": FONT, "size": 9, "color": GRAY}
    line = {"color": RULE, "width": 0.75}
    numbers: dict[str, object] = {
        "num_format": NUMBER_FORMATS[chart.number_format],
        "num_font": font,
        "line": {"none": True},
        "major_gridlines": {"visible": True, "line": line},
    }
    names: dict[str, object] = {
        "num_font": font,
        "line": {"color": GRAY, "width": 0.75},
        "label_position": "low",
        "major_gridlines": {"visible": False},
    }
    if chart.kind == "line":  # wealth never nears zero, and its moves are what matters
        drawn = block.table[list(chart.series)]
        lowest, highest = float(drawn.min().min()), float(drawn.max().max())
        steps = 10 if highest - lowest > 0.3 else 50  # in 1
        numbers["min"] = math.floor(steps * lowest) / steps
    if chart.kind in {"bar", "column"} and float(block.table[list(chart.series)].min().min()) >= 0:
        numbers["min"] = 0  # a bar that does not begin at nothing shows no size
    if chart.kind == "bar":
        names["reverse"] = True  # the first row of the table on top
        numbers["label_position"] = "high"
    if block.formats.get(chart.categories) == "date":
        names |= {"date_axis": True, "num_format": "yyyy", "major_unit": 1}
        names |= {"major_unit_type": "years", "major_tick_mark": "outside"}
    along, across = (numbers, names) if chart.kind == "bar" else (names, numbers)
    native.set_x_axis(along)
    native.set_y_axis(across)


def _series(chart: Chart, place: Place, column: str, color: str) -> dict[str, object]:
    series: dict[str, object] = {
        "name": header(column),
        "categories": place.cells(chart.categories, chart.rows),
        "values": place.cells(column, chart.rows),
    }
    if chart.kind == "line":
        series["line"] = {"color": color, "width": 1.75}
    elif chart.kind == "area":
        series["fill"] = {"color": color, "transparency": 45}
        series["border"] = {"color": color, "width": 1}
    else:
        series["fill"] = {"color": color}
        series["gap"] = 60
        series["overlap"] = -5 if len(chart.series) > 1 else 0
    return series
