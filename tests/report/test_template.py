"""A firm's own workbook, filled by its named ranges."""

import io
import re
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName

from tilt.errors import ArgumentError
from tilt.report.pdf import office
from tilt.report.portfolio import portfolio_report
from tilt.report.style import NUMBER_FORMATS
from tilt.report.template import fill_template

# sparklines and data bars of 2010, which openpyxl reads over
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")


@pytest.fixture(scope="module")
def made(review, created):
    return portfolio_report(review, created=created)


def template(names, **cells) -> bytes:
    """Return a workbook with one sheet, these names and these cells."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Our page"
    for place, value in cells.items():
        sheet[place] = value
    for name, place in names.items():
        book.defined_names[name] = DefinedName(name, attr_text=place)
    for row in sheet["A1:F12"]:
        for cell in row:
            cell.font = Font(name="Georgia", color="FF112233")
            cell.fill = PatternFill("solid", fgColor="FFEEDDCC")
    sheet["B1"].number_format = "0.000%"
    return saved(book)


def saved(book) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def page(content):
    return openpyxl.load_workbook(io.BytesIO(content))["Our page"]


def test_figures_facts_and_a_table_are_filled_and_styles_stay(made, review):
    names = {
        "tilt_tracking_error_now": "'Our page'!$B$1",
        "TILT_portfolio": "'Our page'!$B$2",
        "tilt_findings": "'Our page'!$H$1",
        "tilt_risk_by_factor": "'Our page'!$A$4:$C$6",
    }
    sheet = page(fill_template(template(names, A4="CTR", C4="name", A1="Risk"), made))
    assert sheet["A1"].value == "Risk"
    assert sheet["B1"].value == review.tracking_error
    assert sheet["B1"].number_format == "0.000%"
    assert sheet["B2"].value == "A & B"
    assert sheet["H1"].value == made.findings[0]
    table = made.blocks()["risk_by_factor"].table
    rows = sheet[f"A5:C{4 + len(table)}"]
    ctr = [row[0].value for row in rows]
    assert ctr == pytest.approx(table["ctr"].tolist(), rel=1e-15)  # openpyxl keeps 16 digits
    assert [row[2].value for row in rows] == table["name"].tolist()
    assert {row[0].font.name for row in rows} == {"Georgia"}  # also below the range
    assert {row[0].fill.fgColor.rgb for row in rows} == {"FFEEDDCC"}


def test_a_table_without_headings_brings_its_own_and_a_name_like_a_formula_is_text(made):
    sheet = page(fill_template(template({"tilt_holdings": "'Our page'!$A$1:$A$2"}), made))
    assert [sheet.cell(1, c).value for c in (1, 2, 4)] == ["Ticker", "Name", "Weight"]
    odd = next(c for row in sheet.iter_rows() for c in row if c.value == "=Company 3")
    assert odd.data_type == "s"


@pytest.mark.parametrize(
    ("names", "cells", "said"),
    [
        ({}, {}, "no named range that begins with tilt_"),
        ({"tilt_trakcing_error_now": "'Our page'!$A$1"}, {}, "Did you mean 'tilt_tracking"),
        (
            {"tilt_wrong": "'Our page'!$A$1", "tilt_other": "'Our page'!$A$2"},
            {},
            "nothing for tilt_wrong, tilt_other of",
        ),
        ({"tilt_portfolio": "#REF!"}, {}, "must point to one range"),
        (
            {"tilt_risk_by_factor": "'Our page'!$A$1:$B$2"},
            {"A1": "name", "B1": "CTRR"},
            "has no column CTRR.* Did you mean 'ctr'",
        ),
        (
            {"tilt_risk_by_factor": "'Our page'!$A$1:$B$2"},
            {"A1": "name", "A9": "our notes"},
            "A9 is filled. Make room",
        ),
    ],
)
def test_what_does_not_fit_is_listed_and_nothing_is_made(made, names, cells, said):
    with pytest.raises(ArgumentError, match=said):
        fill_template(template(names, **cells), made)


@pytest.fixture(scope="module")
def charted() -> bytes:
    """Return a template as a firm has it: chart, sparklines, a rule, formulas, a whole column."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet, other = book.add_worksheet("Our page"), book.add_worksheet("Notes & more")
        green = book.add_format({"bg_color": "#DDEEDD", "font_name": "Georgia"})
        sheet.set_column("B:B", 14, green)
        sheet.write_row("A1", ["name", "ctr"])
        sheet.write_formula("D1", "=SUM(B2:B40)", None, 42)
        other.write_formula("A1", "='Our page'!D1*2", None, 84)
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"categories": "='Our page'!$A$2:$A$6", "values": "='Our page'!$B$2:$B$6"})
        chart.set_title({"name": "Our own chart"})
        sheet.insert_chart("F2", chart)
        sheet.add_sparkline("D2", {"range": "'Our page'!B2:B6"})
        sheet.conditional_format("B2:B40", {"type": "data_bar"})
        book.define_name("tilt_risk_by_factor", "='Our page'!$A$1:$B$40")
    return file.getvalue()


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_charts_and_all_else_of_a_template_stay_as_they_are(charted, made):
    before, after = parts(charted), parts(fill_template(charted, made))
    assert set(after) == set(before)
    written = {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/styles.xml"}
    assert {name for name in before if before[name] != after[name]} == written
    page = after["xl/worksheets/sheet1.xml"]
    for kept in ("<drawing ", "sparklineGroup", "dataBar"):
        assert kept in page
    assert "Our own chart" in after["xl/charts/chart1.xml"]


def test_formulas_of_a_template_are_calculated_anew_over_what_is_filled(charted, made):
    after = parts(fill_template(charted, made))
    assert "<v>42</v>" not in after["xl/worksheets/sheet1.xml"]
    assert "<v>84</v>" not in after["xl/worksheets/sheet2.xml"]
    assert 'fullCalcOnLoad="1"' in after["xl/workbook.xml"]
    path = io.BytesIO(fill_template(charted, made))
    sheet = openpyxl.load_workbook(path)["Our page"]
    assert sheet["D1"].value == "=SUM(B2:B40)"
    table = made.blocks()["risk_by_factor"].table
    shown = [sheet.cell(2 + row, 2) for row in range(len(table))]
    assert [cell.value for cell in shown] == table["ctr"].tolist()
    assert {cell.fill.fgColor.rgb for cell in shown} == {"FFDDEEDD"}  # of the whole column
    assert {cell.number_format for cell in shown} == {NUMBER_FORMATS["change"]}


def test_a_chart_of_a_filled_template_is_drawn_by_libreoffice(charted, made, tmp_path):
    if office() is None:
        pytest.skip("no LibreOffice here")
    (tmp_path / "filled.xlsx").write_bytes(fill_template(charted, made))
    table = made.blocks()["risk_by_factor"].table
    seen = subprocess.run(
        [office(), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
         "--convert-to", "csv", "--outdir", str(tmp_path), str(tmp_path / "filled.xlsx")],
        capture_output=True, check=True, timeout=180,
    )  # fmt: skip
    assert seen.returncode == 0
    first = (tmp_path / "filled.csv").read_text().splitlines()[0].split(",")
    assert float(first[3]) == pytest.approx(float(table["ctr"].sum()))


def test_a_template_is_filled_again_over_what_the_last_report_left(charted, made):
    once = fill_template(charted, made)
    again = fill_template(once, made)
    assert parts(again)["xl/charts/chart1.xml"] == parts(charted)["xl/charts/chart1.xml"]


def test_a_formula_that_cells_share_is_not_cut_in_two(made):
    content = template({"tilt_portfolio": "'Our page'!$B$2"})
    page = parts(content)["xl/worksheets/sheet1.xml"]
    cut = re.sub(r'<c r="B2"[^>]*/>|<c r="B2"[^>]*>.*?</c>',
                 '<c r="B2"><f t="shared" ref="B2:B4" si="0">A2</f><v>0</v></c>', page)  # fmt: skip
    assert cut != page
    with pytest.raises(ArgumentError, match="B2 of the template has a formula that other cells"):
        fill_template(with_part(content, "xl/worksheets/sheet1.xml", cut), made)


def test_the_order_of_calculation_goes_as_cells_with_formulas_may(charted, made):
    types = parts(charted)["[Content_Types].xml"]
    links = parts(charted)["xl/_rels/workbook.xml.rels"]
    chained = with_part(charted, "xl/calcChain.xml", "<calcChain/>")
    part = '<Override PartName="/xl/calcChain.xml" ContentType="x"/></Types>'
    chained = with_part(chained, "[Content_Types].xml", types.replace("</Types>", part))
    link = '<Relationship Id="rId99" Type="t/calcChain" Target="calcChain.xml"/></Relationships>'
    chained = with_part(
        chained, "xl/_rels/workbook.xml.rels", links.replace("</Relationships>", link)
    )
    after = parts(fill_template(chained, made))
    assert "xl/calcChain.xml" not in after
    assert after["[Content_Types].xml"] == types
    assert after["xl/_rels/workbook.xml.rels"] == links


def test_a_sheet_in_which_nothing_can_be_written_is_said_and_not_left_empty(charted, made):
    page = parts(charted)["xl/worksheets/sheet1.xml"]
    other = page.replace("<sheetData", "<x:sheetData").replace("</sheetData", "</x:sheetData")
    other = other.replace(
        "<worksheet ", "<worksheet xmlns:x=" + re.search(r'xmlns=("[^"]*")', page)[1] + " ", 1
    )
    with pytest.raises(ArgumentError, match="sheet Our page of the template is not as Excel"):
        fill_template(with_part(charted, "xl/worksheets/sheet1.xml", other), made)


def test_a_part_that_is_none_of_ours_may_have_any_encoding(charted, made):
    note = "<note>für später</note>".encode("utf-16")
    content = with_part(charted, "customXml/item1.xml", note)
    with zipfile.ZipFile(io.BytesIO(fill_template(content, made))) as archive:
        assert archive.read("customXml/item1.xml") == note


def with_part(content, name, text) -> bytes:
    """Return a workbook with one part of its file put in place of another, or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for part, kept in (parts(content) | {name: text}).items():
            archive.writestr(part, kept)
    return file.getvalue()


def test_a_template_with_macros_is_refused(made):
    content = with_part(template({"tilt_portfolio": "'Our page'!$B$2"}), "xl/vbaProject.bin", "")
    with pytest.raises(ArgumentError, match="holds macros"):
        fill_template(content, made)


def test_a_file_that_is_no_workbook_is_said(made):
    with pytest.raises(ArgumentError, match="is no Excel workbook"):
        fill_template(b"PK, but no more", made)


def test_the_template_of_the_house_is_filled_as_it_is_shipped(made, review):
    shipped = Path(__file__).parents[2] / "workbooks" / "Tilt house template.xlsx"
    filled = openpyxl.load_workbook(io.BytesIO(fill_template(shipped.read_bytes(), made)))
    sheet = filled["One page"]
    values = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {"A & B", review.tracking_error, review.turnover, made.findings[0]} <= values
    largest = made.blocks()["risk_by_position"].table["name"]
    assert set(largest) <= values
