"""Workbooks to .xlsx and back, and files that are none."""

import io
import zipfile

import openpyxl
import pytest
from openpyxl.chart import BarChart, PieChart, Reference
from openpyxl.worksheet.table import Table as FileTable
from pydantic import ValidationError

from tilt.api.problems import RefusedError
from tilt.api.workbook_files import MOST_UNPACKED, read_xlsx, to_file, write_xlsx
from tilt.api.workbook_model import Cell, Chart, Format, Sheet, Table, Workbook


def book(*cells, **more):
    return Workbook(name="Book.xlsx", sheets=(Sheet(name="One", cells=cells, **more),))


def cells_of(workbook):
    return {(c.row, c.column): c for c in workbook.sheets[0].cells}


def again(workbook):
    return read_xlsx(write_xlsx(workbook), workbook.name, most_cells=10_000)


def test_values_come_back_as_they_were():
    given = [1.5, True, False, "text", "=1+1", "+A1", "@SUM", "  spaces ", "#N/A"]
    back = cells_of(again(book(*(Cell(row=i, column=0, value=v) for i, v in enumerate(given)))))
    assert [back[i, 0].value for i in range(len(given))] == given


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", '=HYPERLINK("x")'])
def test_text_never_becomes_a_formula(text):
    written = write_xlsx(book(Cell(row=0, column=0, value=text)))
    cell = openpyxl.load_workbook(io.BytesIO(written))["One"]["A1"]
    assert (cell.data_type, cell.value) == ("s", text)
    assert cells_of(again(book(Cell(row=0, column=0, value=text))))[0, 0].formula == ""


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("=TILT.RISK(A1:B9)", "=_xldudf_TILT_RISK(A1:B9)"),
        ("=tilt.risk_table(T)", "=_xldudf_TILT_RISK_TABLE(T[])"),
        ('=IF(A1="TILT.RISK(",1,2)', '=IF(A1="TILT.RISK(",1,2)'),
        ("=SUM(T[weight])+ROWS(T)", "=SUM(T[weight])+ROWS(T[])"),
        (
            "=TILT.RISK(D8#)+SUM('My sheet'!$D$8#)",
            "=_xldudf_TILT_RISK(ANCHORARRAY(D8))+SUM(ANCHORARRAY('My sheet'!$D$8))",
        ),
        ('=TILT.HELP("T")', '=_xldudf_TILT_HELP("T")'),
    ],
)
def test_functions_of_the_addin_and_tables_are_written_as_excel_writes_them(shown, written):
    assert to_file(shown, ["T"]) == written


def test_a_spilled_range_is_written_as_excel_does_and_comes_back():
    given = book(Cell(row=0, column=0, value=3.0, formula="=ROWS(D8#)"))
    with zipfile.ZipFile(io.BytesIO(write_xlsx(given))) as package:
        assert b"ROWS(_xlfn.ANCHORARRAY(D8))" in package.read("xl/worksheets/sheet1.xml")
    assert cells_of(again(given))[0, 0].formula == "=ROWS(D8#)"


def test_a_formula_comes_back_with_its_last_value_its_format_and_its_spill():
    table = Table(name="T", row=0, column=3, rows=3, columns=1)
    given = book(
        Cell(row=0, column=3, value="ticker"),
        Cell(
            row=0,
            column=0,
            value=0.25,
            formula="=TILT.RISK(T)",
            format=Format(number_format="0.0%"),
        ),
        Cell(row=2, column=0, value="name", formula="=TILT.EXPOSURES(T)", spill=(2, 2)),
        Cell(row=2, column=1, value="active"),
        Cell(row=3, column=0, value="Beta"),
        Cell(row=3, column=1, value=0.1),
        tables=(table,),
    )
    back = cells_of(again(given))
    assert back[0, 0].value == 0.25
    assert back[0, 0].formula == "=TILT.RISK(T)"
    assert back[0, 0].format.number_format == "0.0%"
    assert back[2, 0].formula == "=TILT.EXPOSURES(T)"
    assert back[2, 0].spill == (2, 2)
    assert (3, 1) not in back, "what a formula spills is no content of its own"
    assert again(given).sheets[0].tables == (table,)


def test_spilled_values_are_in_the_file_for_people_without_the_addin():
    given = book(
        Cell(row=0, column=0, value=1.0, formula="=TILT.X(1)", spill=(2, 1)),
        Cell(row=1, column=0, value=2.0),
    )
    values = openpyxl.load_workbook(io.BytesIO(write_xlsx(given)), data_only=True)["One"]
    assert [values["A1"].value, values["A2"].value] == [1, 2]


def test_opening_a_saved_workbook_calculates_nothing():
    with zipfile.ZipFile(io.BytesIO(write_xlsx(book(Cell(row=0, column=0, value=1.0))))) as package:
        assert b"fullCalcOnLoad" not in package.read("xl/workbook.xml")


def test_looks_widths_and_frozen_rows_come_back():
    look = Format(bold=True, fill="#DBE5F1", font_color="#1F4E9E", size=14)
    back = again(
        book(Cell(row=0, column=0, value="x", format=look), widths={0: 84.0}, frozen=(2, 1))
    ).sheets[0]
    assert back.cells[0].format == look
    assert back.widths[0] == pytest.approx(84.0, abs=5)
    assert back.frozen == (2, 1)


DATA = (("date", "nav", "bench"), (40000.0, 1.0, 1.0), (40001.0, 1.1, 1.05), (40002.0, 1.2, 1.0))


@pytest.mark.parametrize("kind", ["line", "area", "bar"])
@pytest.mark.parametrize("source", ["", "It's data"])
def test_charts_come_back_with_their_cells_wherever_these_are(kind, source):
    cells = tuple(
        Cell(row=3 + i, column=1 + j, value=value)
        for i, row in enumerate(DATA)
        for j, value in enumerate(row)
    )
    chart = Chart(
        row=3, column=1, rows=4, columns=3, title="Growth of 1", kind=kind, labels="date",
        series=("nav", "bench"), source=source,
    )  # fmt: skip
    data = Sheet(name="It's data", cells=cells, charts=() if source else (chart,))
    drawn = Sheet(name="Drawn", cells=(Cell(row=0, column=0, value="x"),), charts=(chart,))
    given = Workbook(name="x", sheets=(data, drawn) if source else (data,))
    back = again(again(given))
    assert [s.charts for s in back.sheets] == [s.charts for s in given.sheets]


def test_charts_of_a_workbook_of_another_program_are_read_and_what_cannot_be_drawn_is_not():
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (("name", "weight"), ("AAPL", 0.5), ("XOM", 0.3)):
        sheet.append(row)
    for kind in (BarChart(), PieChart()):
        kind.title = "Weights"
        kind.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        kind.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=3))
        sheet.add_chart(kind)
    content = io.BytesIO()
    made.save(content)
    (chart,) = read_xlsx(content.getvalue(), "x.xlsx", most_cells=100).sheets[0].charts
    assert (chart.kind, chart.title, chart.labels) == ("bar", "Weights", "name")
    assert (chart.series, chart.row, chart.rows) == (("weight",), 0, 3)


def test_a_workbook_of_another_program_opens():
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append(["ticker", "weight"])
    sheet.append(["AAPL", 0.5])
    sheet["C1"] = "=_xlfn.XLOOKUP(1,A1:A2,B1:B2)"
    sheet.add_table(FileTable(displayName="Held", ref="A1:B2"))
    content = io.BytesIO()
    made.save(content)
    back = read_xlsx(content.getvalue(), "x.xlsx", most_cells=100)
    assert cells_of(back)[1, 1].value == 0.5
    assert cells_of(back)[0, 2].formula == "=XLOOKUP(1,A1:A2,B1:B2)"
    assert back.sheets[0].tables[0].name == "Held"


@pytest.mark.parametrize("content", [b"", b"not a file", b"PK\x03\x04 broken"])
def test_what_is_no_workbook_is_refused_in_words(content):
    with pytest.raises(RefusedError, match=r"no \.xlsx workbook"):
        read_xlsx(content, "x.xlsx", most_cells=100)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize("junk", [b"", b"<a", b"<a><b></a>", b"\x00\xff"])
def test_a_damaged_workbook_is_refused_in_words(part, junk):
    whole = zipfile.ZipFile(io.BytesIO(write_xlsx(book(Cell(row=0, column=0, value=1.0)))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, junk if name == part else whole.read(name))
    with pytest.raises(RefusedError, match=r"no \.xlsx workbook"):
        read_xlsx(out.getvalue(), "x.xlsx", most_cells=100)


def packed(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return out.getvalue()


def test_a_file_that_unpacks_to_too_much_is_refused_unread():
    bomb = packed("xl/worksheets/sheet1.xml", b"0" * (MOST_UNPACKED + 1))
    assert len(bomb) < MOST_UNPACKED / 500
    with pytest.raises(RefusedError, match="unpacks to more than 128 MB"):
        read_xlsx(bomb, "x.xlsx", most_cells=100)


def test_a_file_that_declares_entities_is_refused():
    with pytest.raises(RefusedError, match=r"no \.xlsx workbook"):
        read_xlsx(packed("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]>'), "x", most_cells=100)


def test_more_cells_than_allowed_are_refused():
    given = write_xlsx(book(*(Cell(row=i, column=0, value=1.0) for i in range(11))))
    with pytest.raises(RefusedError, match="too many cells"):
        read_xlsx(given, "x.xlsx", most_cells=10)


@pytest.mark.parametrize("name", ["", "a/b", "'a", "a" * 32])
def test_names_that_excel_refuses_are_refused(name):
    with pytest.raises(ValidationError):
        Sheet(name=name)


def test_two_sheets_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="the same name"):
        Workbook(name="x", sheets=(Sheet(name="One"), Sheet(name="one")))
