"""A report's workbook: twelve sheets, fifty thousand rows, ten charts, beside openpyxl."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.chart import LineChart, Reference

from bench.measuring import Peer, Row, Target, measured, median_seconds
from tilt.report.charts import Chart
from tilt.report.layout import Sheet
from tilt.report.pack import Pack
from tilt.report.tables import Block
from tilt.report.workbook import write_workbook

SHEETS, ROWS, CHARTS = 12, 50_000, 10
FORMATS = {
    "date": "date",
    "weight": "percent",
    "active": "change",
    "beta": "number",
    "value": "number",
    "momentum": "number",
    "size": "number",
}
MADE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)


def reports() -> Iterator[Row]:
    """Write the tables with totals, data bars and charts; the peer writes values and charts."""
    tables = _tables()
    report = _report(tables)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        seconds, megabytes = measured(lambda: write_workbook(path, report), 3)
        beside = Peer("openpyxl", median_seconds(lambda: _by_openpyxl(path, tables), 1))
    yield Row(
        f"report workbook, {SHEETS} sheets, {ROWS:,} rows of 10 columns, {CHARTS} charts",
        seconds,
        peers=(beside,),
        target=Target(4.0, 1.5, beside.name, 6.7),
        megabytes=megabytes,
        note="the peer writes values and charts alone, no formats, totals or data bars",
    )


def _tables() -> list[pd.DataFrame]:
    rng = np.random.default_rng(12)
    rows = -(-ROWS // SHEETS)
    texts = {
        "ticker": [f"N{i:05d}" for i in range(rows)],
        "name": [f"Company number {i}" for i in range(rows)],
        "sector": [f"Sector {i % 11}" for i in range(rows)],
        "date": pd.bdate_range("2000-01-03", periods=rows),
    }
    numbers = [c for c in FORMATS if c != "date"]
    return [
        pd.DataFrame(texts | {c: rng.normal(0, 0.05, rows) for c in numbers}) for _ in range(SHEETS)
    ]


def _report(tables: list[pd.DataFrame]) -> Pack:
    sheets = []
    for number, table in enumerate(tables):
        key = f"positions_{number}"
        total = {"weight": float(table["weight"].sum())}
        block = Block(key, "Positions", table, FORMATS, totals=total, bars=("active",))
        chart = Chart("line", "Beta", key, "date", ("beta",), "Line of beta by day")
        parts = (block, chart) if number < CHARTS else (block,)
        sheets.append(Sheet(f"Sheet {number}", "Positions", "of a made-up market", parts))
    return Pack("A report", "of a made-up market", "Tilt", MADE, tuple(sheets))


def _by_openpyxl(path: Path, tables: list[pd.DataFrame]) -> None:
    book = openpyxl.Workbook()
    for number, table in enumerate(tables):
        page = book.create_sheet(f"Sheet {number}")
        page.append(list(table.columns))
        for row in table.itertuples(index=False, name=None):
            page.append(row)
        if number < CHARTS:
            chart, at = LineChart(), list(table.columns).index("beta") + 1
            chart.add_data(Reference(page, min_col=at, min_row=1, max_row=len(table) + 1))
            page.add_chart(chart, "M3")
    book.save(path)
