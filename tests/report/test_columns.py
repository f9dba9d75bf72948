"""Tables written by columns: the same cells as one by one, and what a chart shows of them."""

import datetime as dt
import re
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from tilt.report.charts import Chart
from tilt.report.columns import plain
from tilt.report.layout import Sheet, Words
from tilt.report.pack import Pack
from tilt.report.tables import Block, Formula, Link, clean_text
from tilt.report.workbook import write_workbook

CREATED = dt.datetime(2017, 6, 30, 18, 0, tzinfo=dt.UTC)
ROWS = 5000  # more than are printed at once
NASTY = ["=1+1", "\t=1", "@x", 'a & <b> "c"', "\x00\x0b", "<r><t>x</t></r>", "_x0041_", " a ", ""]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(8)
    texts = [NASTY[i % len(NASTY)] if i % 3 else f"name {i}" for i in range(ROWS)]
    table = pd.DataFrame(
        {
            "name": pd.Series(texts, dtype="str"),
            "date": pd.bdate_range("1999-12-01", periods=ROWS),
            "number": rng.normal(size=ROWS) * 10.0 ** rng.integers(-200, 200, ROWS),
            "count": rng.integers(0, 10**9, ROWS),
            "single": rng.normal(size=ROWS).astype(np.float32),
        }
    )
    table.loc[::7, "name"] = None
    table.loc[::5, "date"] = pd.NaT
    table.loc[::11, "number"] = np.nan
    table.loc[3, "number"] = np.inf
    return table


def write(path, table, *more):
    formats = {"date": "date", "number": "fine", "count": "count", "single": "number"}
    formats = {c: f for c, f in formats.items() if c in table}
    block = Block("long_table", "Long", table, formats)
    sheets = (Sheet("Long", "L", "", (Words(("above",)), block, Words(("below",)), *more)),)
    return write_workbook(path, Pack("A", "B", "C", CREATED, sheets))


def cells(path):
    book = openpyxl.load_workbook(path)
    return {
        c.coordinate: (c.value, c.data_type, c.number_format, c.quotePrefix, c.font.name)
        for row in book["Long"].iter_rows()
        for c in row
    }


def test_a_table_by_columns_has_the_cells_of_one_written_cell_by_cell(tmp_path, table):
    one_by_one = table.astype(object)  # a link among the values keeps a table from going by columns
    one_by_one.loc[0, "name"] = Link("Long", "there")
    assert plain(table)
    assert not plain(one_by_one)
    there, here = (
        cells(write(tmp_path / "a.xlsx", one_by_one)),
        cells(write(tmp_path / "b.xlsx", table)),
    )
    different = {at for at in there if there[at] != here[at]}
    assert different == {next(at for at in there if there[at][0] == "there")}
    assert len(there) == len(here)


def test_numbers_and_texts_of_a_long_table_come_back_as_they_were(tmp_path, table):
    sheet = openpyxl.load_workbook(write(tmp_path / "a.xlsx", table))["Long"]
    head = next(c for row in sheet.iter_rows() for c in row if c.value == "Number")
    read = [head.offset(n + 1, 0).value for n in range(ROWS)]
    expected = table["number"].where(np.isfinite(table["number"]), None).to_list()
    assert read == [None if v != v else v for v in expected]
    names = [head.offset(n + 1, -2).value for n in range(ROWS)]
    assert names[1] == "\t=1"
    assert {type(name) for name in names} == {str, type(None)}


def test_a_chart_over_a_long_table_shows_its_numbers_before_a_recalculation(tmp_path, table):
    chart = Chart("line", "N", "long_table", "date", ("single",), "Line", rows=(1, 4998))
    path = write(tmp_path / "a.xlsx", table, chart)
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/charts/chart1.xml").decode()
    points = re.findall(r'<c:pt idx="(\d+)"><c:v>([^<]*)</c:v>', xml.split("<c:val>")[1])
    drawn = table["single"].to_numpy()[1:4999]
    assert [int(at) for at, _ in points] == list(range(4998))
    np.testing.assert_array_equal(np.array([value for _, value in points], np.float32), drawn)


@pytest.mark.parametrize(
    "column",
    [
        [1.0, Formula("1+1", 2.0)],
        [True, False],
        ["a", 1.0],
        [pd.Timestamp("1899-12-31"), pd.Timestamp("2020-01-01")],
    ],
)
def test_formulas_links_and_days_that_excel_counts_otherwise_go_cell_by_cell(column):
    assert not plain(pd.DataFrame({"a": [1.0, 2.0], "b": column}))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a\x00\x1fb\rc\td\ne", "a  b c\td\ne"),
        ("half \ud83d letter \uffff", "half   letter  "),
        ("<r><b>rich</b></r>", "<r><b>rich</b></r> "),
        ("x" * 40_000, "x" * 32_766 + "…"),
        ("\N{ROCKET}" * 20_000, "\N{ROCKET}" * 16_383 + "…"),
        ("\N{ROCKET}" * 16_383, "\N{ROCKET}" * 16_383),
    ],
)
def test_text_is_made_fit_for_a_cell(text, cell):
    assert clean_text(text) == cell
    assert len(cell.encode("utf-16-le")) // 2 <= 32_767
