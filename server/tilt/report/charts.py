"""Native Excel charts over the blocks of a workbook."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from xlsxwriter.chart import Chart as NativeChart
from xlsxwriter.workbook import Workbook

from tilt.report.style import FONT, GRAY, INK, NAVY, NUMBER_FORMATS, RULE, SERIES
from tilt.report.tables import Block, header

ROW_PIXELS = 20
TICKS = 5  # of an axis of numbers, more or less


@dataclass(frozen=True)
class Chart:
    """One chart over columns of a block, wherever in the workbook the block is.

    block      : key of the block that holds the data
    categories : its column along the axis; numbers where the kind is a scatter
    series     : its columns drawn
    beside     : True puts it to the right of the block above instead of below
    rows       : first and last row of the block drawn, from 0; None draws all
    alt        : what a screen reader says
    """

    kind: Literal["line", "bar", "column", "area", "scatter"]
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
    joined = {"subtype": "straight_with_markers"} if chart.kind == "scatter" else {}
    native = book.add_chart({"type": chart.kind, **joined})
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
    numbers |= _bounds(*extent(chart, block.table, chart.series), chart)
    if chart.kind == "bar":
        names["reverse"] = True  # the first row of the table on top
        numbers["label_position"] = "high"
    if chart.kind == "scatter":
        names |= _bounds(*extent(chart, block.table, [chart.categories]), chart)
        names["num_format"] = NUMBER_FORMATS[block.formats[chart.categories]]
    if block.formats.get(chart.categories) == "date":
        names |= {"date_axis": True, "num_format": "yyyy", "major_unit": 1}
        names |= {"major_unit_type": "years", "major_tick_mark": "outside"}
    along, across = (numbers, names) if chart.kind == "bar" else (names, numbers)
    native.set_x_axis(along)
    native.set_y_axis(across)


def extent(chart: Chart, table: pd.DataFrame, columns: Sequence[str]) -> tuple[float, float]:
    """Return the least and the greatest number drawn, and nothing where a size is drawn from it."""
    drawn = table[list(columns)].astype(float)
    low, high = float(drawn.min().min()), float(drawn.max().max())
    if chart.kind in {"line", "scatter"}:  # wealth never nears zero, and its moves are what matters
        return low, high
    return min(low, 0.0), max(high, 0.0)


def round_step(rough: float) -> float:
    """Return 1, 2 or 5 times a power of ten, near ``rough`` and not below it."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= rough * (1 - 1e-9))


def _bounds(low: float, high: float, chart: Chart) -> dict[str, float]:
    """Return where an axis of numbers begins, and its steps; it ends where Excel likes."""
    if not high > low:
        return {}
    step = round_step((high - low) / TICKS)
    bounds = {"major_unit": step}
    if chart.kind in {"line", "scatter"}:
        bounds["min"] = float(f"{step * math.floor(low / step + 1e-9):.12g}")
    elif low >= 0:
        bounds["min"] = 0.0  # a bar that does not begin at nothing shows no size
    if chart.number_format.startswith("percent") and 1 - step < high <= 1 and low >= 0:
        bounds["max"] = 1.0  # a share of the whole
    return bounds


def _series(chart: Chart, place: Place, column: str, color: str) -> dict[str, object]:
    series: dict[str, object] = {
        "name": header(column),
        "categories": place.cells(chart.categories, chart.rows),
        "values": place.cells(column, chart.rows),
    }
    if chart.kind in {"line", "scatter"}:
        series["line"] = {"color": color, "width": 1.75}
        if chart.kind == "scatter":
            fill = {"fill": {"color": color}, "border": {"color": color}}
            series["marker"] = {"type": "circle", "size": 5, **fill}
    elif chart.kind == "area":
        series["fill"] = {"color": color, "transparency": 45}
        series["border"] = {"color": color, "width": 1}
    else:
        series["fill"] = {"color": color}
        series["gap"] = 60
        series["overlap"] = -5 if len(chart.series) > 1 else 0
    return series
