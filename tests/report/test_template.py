"""A firm's own workbook, filled by its named ranges."""

import io
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName

from tilt.errors import ArgumentError
from tilt.report.portfolio import portfolio_report
from tilt.report.template import fill_template


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


def test_a_template_whose_charts_would_be_lost_is_refused(made):
    book = openpyxl.Workbook()
    book.active.add_chart(BarChart(), "A1")
    with pytest.raises(ArgumentError, match="would be lost"):
        fill_template(saved(book), made)


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
