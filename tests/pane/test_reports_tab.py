"""The tab Reports, worked once by keyboard against a real server."""

import base64
import io
from pathlib import Path

import openpyxl
import pytest
from serving import run_node

from tilt.report.kinds import KINDS

pytestmark = [
    pytest.mark.browser,
    # data bars are an extension of 2010 that openpyxl reads over
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
]


@pytest.fixture(scope="module")
def worked(pane_address):
    """What somebody saw who worked the tab by keyboard."""
    return run_node(Path(__file__).parent / "reports_tab.mjs", pane_address)


def test_kinds_and_sections_are_those_of_the_server(worked):
    assert worked["kinds"] == list(KINDS)
    assert worked["sections"] == list(KINDS["portfolio"].sections)
    assert worked["modeIsFixed"]  # a page has values


def test_a_page_has_the_sections_that_were_ticked_and_nothing_to_load(worked):
    page = base64.b64decode(worked["page"]["content"]).decode()
    assert worked["page"]["name"].startswith("SAMPLE portfolio report 2017-")
    assert "Where the tracking error comes from" in page
    assert "Backtest of" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_a_live_workbook_has_the_cells_formulas(worked):
    content = base64.b64decode(worked["workbook"]["content"])
    book = openpyxl.load_workbook(io.BytesIO(content))
    formulas = [
        getattr(cell.value, "text", cell.value) for row in book["Risk"].iter_rows() for cell in row
    ]
    assert any("_xldudf_TILT_RISK_TABLE" in str(text) for text in formulas)


def test_a_report_on_record_is_listed_and_can_be_removed(worked):
    assert "SAMPLE" in worked["onRecord"]


def test_a_file_that_is_no_template_is_said(worked):
    assert "The template is no Excel workbook" in worked["wrong"]


def test_nothing_is_wrong_with_its_looks_or_its_console(worked):
    for look in worked["looks"].values():
        assert look["scan"] == []
        assert look["width"] == 320
    assert [e for e in worked["errors"] if "400" not in e] == []
