"""The files that buttons make: what is in them, and who can fetch them."""

import io
import os
import time

import httpx
import openpyxl
import pytest
from serving import PATIENCE

from tilt.api import files
from tilt.api.state import State, enter
from tilt.data.live import Board, LastClose
from tilt.errors import ArgumentError, UnknownNameError
from tilt.report.values import SheetValues, values_workbook
from tilt.risk.measures import risk_measure
from tilt.risk.model import estimate_model

SHOWN = [
    ["=1+1", "name", 42370, 0.125, True],
    ["+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "#N/A", ""],
]
FORMATS = [
    ["General", "General", "yyyy-mm-dd", "0.00%", "General"],
    ["General", "@", "General", "General", "General"],
]


@pytest.fixture(scope="module")
def shared(ribbon):
    """What Share as values makes of two visible sheets and a hidden one."""
    written = ribbon.press(
        "share_as_values",
        ribbon.sheet("Shown", SHOWN, number_formats=FORMATS, charts=[{"name": "Chart 1"}]),
        ribbon.sheet("Secret", [["pay", 1]], visibility="VeryHidden"),
    )
    book = openpyxl.load_workbook(io.BytesIO(ribbon.fetch(written.file)))
    return written, book


def test_a_copy_as_values_has_no_formula(shared):
    _, book = shared
    types = {cell.data_type for page in book for row in page.iter_rows() for cell in row}
    assert "f" not in types


def test_a_copy_as_values_has_the_values_at_their_places(shared):
    _, book = shared
    page = book["Shown"]
    assert [c.value for c in page[2]] == [*SHOWN[1][:4], None]
    assert page["A1"].value == "=1+1"
    assert page["A1"].data_type == "s"
    assert (page["D1"].value, page["D1"].number_format) == (0.125, "0.00%")
    assert f"{page['C1'].value:%Y-%m-%d}" == "2016-01-01"
    assert page["E1"].value is True


def test_text_that_begins_like_a_formula_keeps_its_apostrophe(shared):
    _, book = shared
    for address in ("A1", "A2", "B2", "C2"):
        assert book["Shown"][address].quotePrefix


def test_hidden_sheets_are_not_shared_and_what_is_left_out_is_said(shared):
    written, book = shared
    assert book.sheetnames == ["Sheet1", "Shown"]
    assert "Secret" in written.said
    assert "1 charts" not in written.said
    assert "1 chart" in written.said
    assert "conditional formats" in written.said


def test_a_copy_is_named_after_the_workbook(shared):
    written, _ = shared
    assert written.file_name == "My book values.xlsx"


@pytest.mark.parametrize("name", ["", "a" * 40, "a/b", "[x]"])
def test_a_sheet_name_that_excel_does_not_take_is_told(name):
    if name == "":
        name = "'quoted'"
    with pytest.raises(ArgumentError, match="cannot be written"):
        values_workbook([SheetValues(name, [[1]])], title="x")


def test_a_book_without_visible_sheets_is_told():
    with pytest.raises(ArgumentError, match="no visible sheet"):
        values_workbook([], title="x")


def test_formats_of_another_shape_do_no_harm():
    content = values_workbook([SheetValues("S", [[0.5, 2]], [["0%"], 7])], title="x")
    page = openpyxl.load_workbook(io.BytesIO(content))["S"]
    assert page["A1"].number_format == "0%"
    assert page["B1"].value == 2


@pytest.fixture(scope="module")
def ordered(ribbon):
    """What Export report answers at once, and the job that it starts, when it has ended."""
    written = ribbon.press("export_report", ribbon.held(), ribbon.ruled())
    return written, ribbon.ended(written.job)


# the data bars of Excel 2010, which openpyxl does not know
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def test_the_report_is_the_one_of_the_marked_holdings(ribbon, ordered, holdings):
    written, job = ordered
    assert written.said.startswith("Ordered: Portfolio review of My book.")
    assert job["state"] == "done"
    (file,) = job["result"]["files"]
    book = openpyxl.load_workbook(io.BytesIO(ribbon.fetch(file["file"])), data_only=True)
    texts = {c.value for row in book["Holdings"].iter_rows() for c in row}
    assert {row[0] for row in holdings[1:]} <= texts
    limits = [c.value for row in book["Limits"].iter_rows() for c in row]
    assert 0.9 in limits  # the marked turnover
    assert file["name"].startswith("My book portfolio report 2017-")


def test_holdings_that_cannot_be_used_are_told_before_a_report_is_ordered(ribbon):
    said = ribbon.refusal("export_report", ribbon.sheet(
        "Held", [["ticker", "weight"], ["AAPL", "much"]], tables=("TiltHoldings",)
    ))  # fmt: skip
    assert "much" in said


def test_a_kind_of_report_that_is_none_is_told_with_the_nearest(ribbon):
    said = ribbon.refusal("export_report", ribbon.held(), ribbon.settings(report="month_ned"))
    assert "Did you mean 'month_end'" in said


def test_the_starter_workbook_has_the_tables_that_the_buttons_read(ribbon):
    written = ribbon.press("starter_workbook")
    book = openpyxl.load_workbook(io.BytesIO(ribbon.fetch(written.file)))
    tables = {name for page in book for name in page.tables}
    assert {"TiltHoldings", "TiltConstraints"} <= tables
    formulas = [
        getattr(c.value, "text", c.value)
        for page in book
        for row in page.iter_rows()
        for c in row
        if c.data_type == "f"
    ]
    assert any("TILT_RISK(TiltHoldings" in f for f in formulas)


@pytest.fixture(scope="module")
def opened(ribbon):
    """The starter workbook as a program shows it that does not calculate."""
    written = ribbon.press("starter_workbook")
    content = io.BytesIO(ribbon.fetch(written.file))
    return openpyxl.load_workbook(content, data_only=True)


def test_the_starter_workbook_opens_with_a_value_in_every_formula(ribbon, opened):
    written = ribbon.press("starter_workbook")
    formulas = openpyxl.load_workbook(io.BytesIO(ribbon.fetch(written.file)))
    places = [
        (page.title, c.coordinate)
        for page in formulas
        for row in page.iter_rows()
        for c in row
        if c.data_type == "f" and not str(c.value).startswith("=#")  # an error that spilled
    ]
    assert len(places) >= 25
    values = {(name, at): opened[name][at].value for name, at in places}
    assert {p for p, value in values.items() if value in (None, "")} == set()
    assert {p for p, value in values.items() if str(value).startswith("#")} == set()


def test_the_numbers_of_the_starter_workbook_are_the_engines(opened, panel, own_store):
    sheet = opened["Portfolio"]
    model = estimate_model(panel.factors, panel.as_of)
    held = own_store.portfolio("SAMPLE")
    expected = risk_measure(model, held, None, "volatility")
    measures = {row[0].value: row[1].value for row in sheet["F7:G16"]}
    assert measures["volatility"] == pytest.approx(expected, rel=1e-9)
    curve = [row[0].value for row in opened["Backtest"]["N7:N200"]]
    assert all(isinstance(nav, float) for nav in curve)


def test_the_sheet_of_data_counts_the_findings_and_has_a_chart_of_closes(opened, own_store):
    sheet = opened["Data"]
    counted = {row[0].value: row[1].value for row in sheet["A7:B9"]}
    assert counted == own_store.findings()["severity"].value_counts().to_dict()
    snapshot = own_store.snapshot()
    assert sheet["B3"].value.date() == snapshot.as_of
    assert snapshot.universe in [cell.value for cell in sheet["D"]]
    assert len(sheet._charts) == 1


def test_the_sheet_of_identifiers_says_what_each_was_taken_for(opened):
    rows = {row[0].value: row[1].value for row in opened["Match"]["C7:D17"]}
    assert list(rows.values()).count("AAPL") == 1
    assert rows["BRK/B"] == "BRK.B"
    assert len([t for t in rows.values() if t != "#N/A"]) >= 8


@pytest.fixture
def asked(own_settings, own_store):
    """A request of the only user of this machine, who may everything."""
    quiet = Board(LastClose(own_store), seconds=own_settings.live_seconds)
    enter(State(own_settings, own_store, {}, None, quiet), "local")


@pytest.mark.usefixtures("asked")
def test_a_file_is_fetched_by_its_owner_alone(tmp_path):
    kept = files.keep(tmp_path, "local", b"PK")
    assert files.fetch(tmp_path, "local", kept) == b"PK"
    with pytest.raises(UnknownNameError, match="no such file for you"):
        files.fetch(tmp_path, "bert", kept)


@pytest.mark.parametrize("file", ["../settings", "a" * 31, "A" * 32, "", "x" * 32])
def test_an_id_that_is_none_reaches_no_other_file(tmp_path, file):
    (tmp_path / "settings").write_text("secret")
    with pytest.raises(UnknownNameError):
        files.fetch(tmp_path, "anna", file)


@pytest.mark.usefixtures("asked")
def test_files_older_than_a_day_are_forgotten(tmp_path):
    old = files.keep(tmp_path, "local", b"PK")
    long_ago = time.time() - files.KEPT_SECONDS - 60
    (path,) = (tmp_path / files.FOLDER).iterdir()
    os.utime(path, (long_ago, long_ago))
    files.keep(tmp_path, "local", b"PK")
    with pytest.raises(UnknownNameError):
        files.fetch(tmp_path, "local", old)


def test_an_unknown_file_is_a_problem_document(ribbon_address):
    answer = httpx.get(f"{ribbon_address}/api/v1/reports/{'0' * 32}", timeout=PATIENCE)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "make it again" in answer.json()["detail"]
