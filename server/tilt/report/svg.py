"""The charts of a report as pictures that a page carries in itself, told in words too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from tilt.report.charts import TICKS, Chart, extent, round_step
from tilt.report.shown import shown_value
from tilt.report.style import GRAY, INK, RULE, SERIES
from tilt.report.tables import Block, header

WIDE, TOP, BOTTOM, RIGHT = 860, 34, 46, 16
_LEFT, _LEFT_OF_NAMES = 64, 150
_BAR = 22  # pixels of a bar with its gap
_MOST_POINTS = 600  # of a line that is some 800 pixels wide
_LONGEST_NAME = 22


@dataclass(frozen=True)
class _Scale:
    """Where a value lies between two pixels."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> list[float]:
        step = round_step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        return [step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def svg_chart(chart: Chart, block: Block, name: str) -> str:
    """Return a chart over its table as SVG with a title and a description.

    Parameters
    ----------
    name : of the picture within its page, for what refers to it
    """
    table = block.table
    if chart.rows is not None:
        table = table.iloc[chart.rows[0] : chart.rows[1] + 1]
    table = table.dropna(subset=list(chart.series), how="all")
    draw = _bars if chart.kind == "bar" else _upright
    body, height = draw(chart, block, table) if len(table) else ("", 80)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDE} {height:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-title">{escape(chart.title)}</title>'
        f'<desc id="{name}-desc">{escape(chart.alt)}</desc>'
        f'<text x="4" y="18" class="chart-title">{escape(chart.title)}</text>{body}</svg>'
    )


def svg_trend(values: list[float]) -> str:
    """Return the course of a few numbers as small columns; the numbers stand beside it."""
    known = [v for v in values if v == v]
    size = max((abs(v) for v in known), default=0.0) or 1.0
    marks = []
    for i, value in enumerate(values):
        if value == value:
            tall = 11 * abs(value) / size
            y, color = (12 - tall, SERIES[0]) if value >= 0 else (12, SERIES[4])
            marks.append(
                f'<rect x="{6 * i}" y="{y:.1f}" width="5" height="{tall:.1f}" fill="{color}"/>'
            )
    size_of_all = f"0 0 {6 * len(values)} 24"
    return f'<svg class="trend" viewBox="{size_of_all}" aria-hidden="true">{"".join(marks)}</svg>'


def _bars(chart: Chart, block: Block, table: pd.DataFrame) -> tuple[str, float]:
    """Return lying bars, a group of them for each row."""
    tall = _BAR * max(1.0, 0.62 * len(chart.series))
    height = TOP + tall * len(table) + BOTTOM
    low, high = _bounds(table, chart, chart.series)
    across = _Scale(low, high, _LEFT_OF_NAMES, WIDE - RIGHT)
    ground = TOP + tall * len(table)
    parts = [
        f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{ground:.1f}" stroke="{RULE}"/>'
        f'<text x="{x:.1f}" y="{ground + 16:.1f}" text-anchor="middle">{text}</text>'
        for x, text in ((across.at(t), shown_value(t, chart.number_format)) for t in across.ticks())
    ]
    thick = 0.8 * tall / len(chart.series)
    for row, label in enumerate(_labels(block, table, chart.categories)):
        y = TOP + tall * row
        parts.append(
            f'<text x="{_LEFT_OF_NAMES - 8}" y="{y + tall / 2 + 4:.1f}" '
            f'text-anchor="end">{escape(_cut(label))}</text>'
        )
        for number, column in enumerate(chart.series):
            value = float(table[column].iloc[row])
            if value == value:
                ends = sorted((across.at(0.0), across.at(value)))
                parts.append(
                    f'<rect x="{ends[0]:.1f}" y="{y + 0.1 * tall + thick * number:.1f}" '
                    f'width="{ends[1] - ends[0]:.1f}" height="{thick - 1:.1f}" '
                    f'fill="{SERIES[number % len(SERIES)]}"/>'
                )
    zero = across.at(0.0)
    line = f'x1="{zero:.1f}" y1="{TOP}" x2="{zero:.1f}" y2="{ground:.1f}" stroke="{GRAY}"'
    parts.append(f"<line {line}/>")
    return "".join(parts) + _legend(chart, height), height


def _upright(chart: Chart, block: Block, table: pd.DataFrame) -> tuple[str, float]:
    """Return lines, areas or columns over what runs along."""
    height = float(max(chart.height, 200))
    ground = height - BOTTOM
    step = max(1, math.ceil(len(table) / _MOST_POINTS)) if chart.kind != "column" else 1
    kept = table.iloc[(len(table) - 1) % step :: step]
    up = _Scale(*_bounds(table, chart, chart.series), ground, TOP)
    along, places, labels = _along(chart, block, kept)
    parts = [
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDE - RIGHT}" y2="{y:.1f}" stroke="{RULE}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        for y, text in ((up.at(t), shown_value(t, chart.number_format)) for t in up.ticks())
    ]
    parts += [
        f'<text x="{along.at(at):.1f}" y="{ground + 16:.1f}" text-anchor="middle">'
        f"{escape(_cut(label, 10))}</text>"
        for at, label in labels
    ]
    for number, column in enumerate(chart.series):
        color = SERIES[number % len(SERIES)]
        values = [float(v) for v in kept[column]]
        points = list(zip(places, values, strict=True))
        parts.append(_course(chart, points, number, color, (along, up)))
    return "".join(parts) + _legend(chart, height), height


def _along(
    chart: Chart, block: Block, table: pd.DataFrame
) -> tuple[_Scale, list[float], list[tuple[float, str]]]:
    """Return the scale along a chart, where its rows stand on it, and what is written below it."""
    name = block.formats.get(chart.categories, "text")
    if chart.kind == "scatter":
        along = _Scale(*_bounds(table, chart, [chart.categories]), _LEFT + 4, WIDE - RIGHT)
        places = [float(v) for v in table[chart.categories]]
        return along, places, [(t, shown_value(t, name)) for t in along.ticks()]
    if chart.kind == "column":  # the first and the last stand within the axis
        along = _Scale(-0.5, len(table) - 0.5, _LEFT, WIDE - RIGHT)
    else:
        along = _Scale(0, max(len(table) - 1, 1), _LEFT + 4, WIDE - RIGHT)
    labels = _labels(block, table, chart.categories)
    every = max(1, math.ceil(len(labels) / 8))
    told = [(float(i), labels[i]) for i in range(0, len(labels), every)]
    return along, [float(i) for i in range(len(table))], told


def _course(
    chart: Chart,
    places: list[tuple[float, float]],
    number: int,
    color: str,
    scales: tuple[_Scale, _Scale],
) -> str:
    along, up = scales
    zero = up.at(min(max(0.0, up.low), up.high))
    if chart.kind == "column":
        wide = 0.8 * (along.last - along.first) / max(len(places), 1) / len(chart.series)
        return "".join(
            f'<rect x="{along.at(i) - wide * (len(chart.series) / 2 - number):.1f}" '
            f'y="{min(zero, up.at(v)):.1f}" width="{wide:.1f}" '
            f'height="{abs(zero - up.at(v)):.1f}" fill="{color}"/>'
            for i, v in places
            if v == v
        )
    points = [(along.at(i), up.at(v)) for i, v in places if v == v]
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<polyline points="{text}" fill="none" stroke="{color}" stroke-width="1.75"/>'
    if chart.kind == "scatter":
        dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in points)
        return line + "".join(dots)
    if chart.kind == "line" or not points:
        return line
    area = f"{points[0][0]:.1f},{zero:.1f} {text} {points[-1][0]:.1f},{zero:.1f}"
    return f'<polygon points="{area}" fill="{color}" fill-opacity="0.45"/>{line}'


def _bounds(table: pd.DataFrame, chart: Chart, columns: Sequence[str]) -> tuple[float, float]:
    low, high = extent(chart, table, columns)
    room = 0.04 * (high - low) or 1.0
    floats = chart.kind in {"line", "scatter"}
    return (low - room if low < 0 or floats else low), (high + room if high > 0 else high)


def _labels(block: Block, table: pd.DataFrame, column: str) -> list[str]:
    name = block.formats.get(column, "text")
    return [shown_value(value, name) for value in table[column]]


def _cut(text: str, most: int = _LONGEST_NAME) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _legend(chart: Chart, height: float) -> str:
    if len(chart.series) < 2:
        return ""
    parts, x = [], float(_LEFT)
    for number, column in enumerate(chart.series):
        words, color = header(column), SERIES[number % len(SERIES)]
        parts.append(
            f'<rect x="{x:.1f}" y="{height - 20:.1f}" width="12" height="12" fill="{color}"/>'
            f'<text x="{x + 17:.1f}" y="{height - 10:.1f}" fill="{INK}">{escape(words)}</text>'
        )
        x += 34 + 7.2 * len(words)
    return "".join(parts)
