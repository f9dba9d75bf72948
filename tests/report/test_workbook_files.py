import datetime as dt
import zipfile
from pathlib import Path

import ironcalc
import numpy as np
import openpyxl
import pandas as pd
import pytest

from tilt.errors import ArgumentError
from tilt.report.charts import Chart
from tilt.report.layout import Sheet, Words, sheet_name
from tilt.report.pack import Pack
from tilt.report.tables import Block, Formula, Lineage, Link, header
from tilt.report.workbook import write_workbook

CREATED = dt.datetime(2017, 6, 30, 18, 0, tzinfo=dt.UTC)
INJECTIONS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A2)",
    "\t=1+1",
    "\r=1+1",
    "{=1+1}",
    '=HYPERLINK("http://example.invalid","x")',
    "http://example.invalid/=1",
    "internal:Sheet1!A1",
    "plain",
]


def write(path: Path, *sheets: Sheet) -> Path:
    return write_workbook(path, Pack("A report", "A portfolio", "Tilt", CREATED, sheets))


def one_sheet(*parts, **options) -> Sheet:
    return Sheet("Holdings", "Holdings", "A portfolio", parts, **options)


def weights_block(**changes) -> Block:
    table = pd.DataFrame({"ticker": ["A", "B", "C"], "weight": [0.5, 0.3, 0.2]})
    given = {
        "key": "holdings",
        "title": "Positions",
        "table": table,
        "formats": {"weight": "percent"},
        "totals": {"weight": 1.0},
    }
    return Block(**(given | changes))


def cell_of(sheet, value):
    return next(c for row in sheet.iter_rows() for c in row if c.value == value)


@pytest.mark.parametrize("text", INJECTIONS)
def test_text_from_outside_never_becomes_a_formula_or_a_link(tmp_path, text):
    table = pd.DataFrame({text: [text], "weight": [1.0]})
    block = Block("table", text, table, note=text, formats={"weight": "percent"})
    path = write(tmp_path / "a.xlsx", Sheet("S", text, text, (block, Words((text,), text))))
    sheet = openpyxl.load_workbook(path)["S"]
    kinds = {c.data_type for row in sheet.iter_rows() for c in row if c.value is not None}
    assert kinds == {"s", "n"}
    assert not any(c.hyperlink for row in sheet.iter_rows() for c in row)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_dangerous_text_stays_text_when_someone_edits_the_cell(tmp_path, text):
    block = Block("table", "T", pd.DataFrame({"name": [text]}))
    path = write(tmp_path / "a.xlsx", one_sheet(block))
    with zipfile.ZipFile(path) as archive:
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")


def test_totals_are_native_sums_with_the_engine_s_value_cached(tmp_path):
    path = write(tmp_path / "a.xlsx", one_sheet(weights_block()))
    formula = cell_of(openpyxl.load_workbook(path)["Holdings"], "Total").offset(0, 1)
    cached = openpyxl.load_workbook(path, data_only=True)["Holdings"][formula.coordinate]
    assert formula.value == "=SUM(holdings[Weight])"
    assert cached.value == 1.0
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    assert model.get_cell_value(0, formula.row, formula.column) == pytest.approx(1.0)


def test_missing_and_infinite_numbers_are_blank_cells(tmp_path):
    table = pd.DataFrame({"x": [1.0, np.nan, np.inf, None, pd.NaT, pd.NA]}, dtype=object)
    path = write(
        tmp_path / "a.xlsx", one_sheet(Block("table", "T", table, formats={"x": "number"}))
    )
    sheet = openpyxl.load_workbook(path)["Holdings"]
    head = cell_of(sheet, "X")
    assert [head.offset(n, 0).value for n in range(1, 7)] == [1.0] + [None] * 5


def test_numbers_arrive_as_the_engine_computed_them(tmp_path):
    values = np.random.default_rng(3).normal(size=200) * 10.0 ** np.arange(-100, 100)
    block = Block("table", "T", pd.DataFrame({"x": values}), formats={"x": "number"})
    path = write(tmp_path / "a.xlsx", one_sheet(block))
    sheet = openpyxl.load_workbook(path)["Holdings"]
    head = cell_of(sheet, "X")
    read = [head.offset(n + 1, 0).value for n in range(200)]
    np.testing.assert_array_equal(read, values)


def test_same_sheets_and_time_give_the_same_bytes(tmp_path):
    chart = Chart("bar", "Weights", "holdings", "ticker", ("weight",), "Weights by ticker")
    paths = [
        write(tmp_path / name, one_sheet(weights_block(), chart)) for name in ("a.xlsx", "b.xlsx")
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = write(tmp_path / "a.xlsx", one_sheet(weights_block()))
    before = path.read_bytes()
    broken = Block("table", "T", pd.DataFrame({"x": [object()]}))
    with pytest.raises(TypeError, match="a cell cannot hold a object"):
        write(path, one_sheet(broken))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match=r"Cannot write a report to .*file"):
        write(tmp_path / "file" / "a.xlsx", one_sheet(weights_block()))


def test_two_blocks_of_one_key_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="Two blocks are named 'holdings'"):
        write(tmp_path / "a.xlsx", one_sheet(weights_block(), weights_block()))


def test_a_table_longer_than_a_sheet_is_refused_before_anything_is_written(tmp_path):
    table = pd.DataFrame({"x": np.zeros(1_048_576)})
    block = Block("table", "T", table, formats={"x": "number"})
    with pytest.raises(ArgumentError, match="'Holdings' has more rows than Excel holds, 1,048,5"):
        write(tmp_path / "a.xlsx", one_sheet(block))
    assert not list(tmp_path.iterdir())


def test_an_empty_table_still_opens(tmp_path):
    empty = weights_block(table=weights_block().table.iloc[:0], totals={"weight": 0.0})
    path = write(tmp_path / "a.xlsx", one_sheet(empty))
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    formula = cell_of(openpyxl.load_workbook(path)["Holdings"], "Total").offset(0, 1)
    assert model.get_cell_value(0, formula.row, formula.column) == 0.0


def test_a_link_jumps_to_its_sheet(tmp_path):
    cover = Sheet(
        "Cover", "C", "", (Block("contents", "C", pd.DataFrame({"sheet": [Link("It's", "Go")]})),)
    )
    path = write(tmp_path / "a.xlsx", cover, Sheet("It's", "T", "", ()))
    cell = cell_of(openpyxl.load_workbook(path)["Cover"], "Go")
    assert cell.hyperlink.location == "'It''s'!A1"


def test_charts_point_at_their_block_wherever_it_lands(tmp_path):
    chart = Chart("line", "Weights", "holdings", "ticker", ("weight",), "Weights by ticker")
    pages = [Sheet("Charts", "C", "", (chart,)), one_sheet(Words(("one", "two")), weights_block())]
    path = write(tmp_path / "a.xlsx", *pages)
    head = cell_of(openpyxl.load_workbook(path)["Holdings"], "Weight")
    column, row = head.column_letter, head.row
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/charts/chart1.xml").decode()
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
    assert f"Holdings!${column}${row + 1}:${column}${row + 3}" in xml
    assert 'descr="Weights by ticker"' in drawing


def test_pages_print_landscape_one_page_wide_with_the_sheet_in_the_footer(tmp_path):
    path = write(tmp_path / "a.xlsx", one_sheet(weights_block(), freeze_header=True))
    sheet = openpyxl.load_workbook(path)["Holdings"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.oddFooter.center.text == "&A"
    head = cell_of(sheet, "Weight")
    assert sheet.freeze_panes == f"C{head.row + 1}"
    assert sheet.print_title_rows == f"${head.row}:${head.row}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b\\c[d]e:f*g?h", "a-b-c-d-e-f-g-h"),
        ("x" * 40, "x" * 31),
        ("'quoted'", "quoted"),
        ("", "Sheet"),
    ],
)
def test_sheet_names_are_made_fit_for_excel(text, name):
    assert sheet_name(text) == name


def test_a_taken_sheet_name_gets_a_number_within_31_characters():
    taken = {"x" * 31}
    name = sheet_name("x" * 40, lambda n: n in taken)
    assert name == "x" * 29 + " 2"


def test_a_block_refuses_formats_for_columns_it_does_not_have():
    with pytest.raises(ValueError, match=r"block 'holdings' has no column \['wieght'\]"):
        weights_block(formats={"wieght": "percent"})
    with pytest.raises(ValueError, match="no number format 'percents'"):
        weights_block(formats={"weight": "percents"})


@pytest.mark.parametrize("key", ["", "a", "a1", "ab12", "two words"])
def test_a_block_needs_a_name_excel_takes_for_a_table(key):
    with pytest.raises(ValueError, match="is no name for an Excel table"):
        weights_block(key=key)


def test_headings_read_like_words():
    assert [header(c) for c in ("shadow_price", "ctr", "benchmark_nav")] == [
        "Shadow price",
        "CTR",
        "Benchmark NAV",
    ]


def test_formula_cells_show_their_value_without_a_recalculation(tmp_path):
    table = pd.DataFrame({"x": [Formula("1+1", 2.0)]})
    lineage = Lineage("tilt.risk", {"by": "factor"}, "abc")
    block = Block("table", "T", table, formats={"x": "number"}, lineage=lineage)
    path = write(tmp_path / "a.xlsx", one_sheet(block))
    sheet = openpyxl.load_workbook(path, data_only=True)["Holdings"]
    assert cell_of(sheet, "X").offset(1, 0).value == 2.0
