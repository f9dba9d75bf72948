"""The same numbers as a workbook, as a page and in print."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import ironcalc
import numpy as np
import openpyxl
import pandas as pd
import pytest

from tilt.errors import ArgumentError, BusyError
from tilt.report import pdf
from tilt.report.html import write_html
from tilt.report.layout import Sheet, Words
from tilt.report.outputs import place_of, render
from tilt.report.pack import Pack
from tilt.report.portfolio import portfolio_report
from tilt.report.shown import shown_value
from tilt.report.tables import Block, Formula, Live
from tilt.report.workbook import write_workbook

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")


class Tables(HTMLParser):
    """The text of each table's cells by its caption, and what would be fetched or run."""

    def __init__(self, page):
        super().__init__()
        self.found, self.addresses, self.tags = {}, [], []
        self._text, self._caption = None, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in {"href", "src", "xlink:href", "action"}]
        if tag in {"caption", "td", "th"}:
            self._text = ""
        if tag == "tr" and self._caption:
            self.found[self._caption].append([])

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self._caption = self._text
            self.found.setdefault(self._caption, [])
        elif tag in {"td", "th"} and self._caption:
            self.found[self._caption][-1].append(self._text)
        if tag in {"caption", "td", "th"}:
            self._text = None


@pytest.fixture(scope="module")
def made(review, created):
    return portfolio_report(review, created=created)


@pytest.fixture(scope="module")
def page(made):
    return write_html(made)


@pytest.fixture(scope="module")
def printed(made, tmp_path_factory):
    """Return the words of the printed report."""
    assert shutil.which("pdftotext"), "poppler is needed: apt install poppler-utils"
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(render(made, "pdf"))
    said = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, timeout=120
    )
    return " ".join(said.stdout.decode().split())


def test_the_page_shows_every_number_of_the_workbook(made, page, report):
    book = openpyxl.load_workbook(report, data_only=True)
    tables = Tables(page).found
    compared = 0
    for sheet in made.sheets:
        for block in sheet.blocks():
            if sheet.is_data or block.key in {"contents", "report_facts"}:
                continue
            area = book[sheet.name][book[sheet.name].tables[block.key].ref]
            rows = [[cell.value for cell in row] for row in area[1:]]
            shown = tables[block.title][1:]
            for i, row in enumerate(rows[: len(block.table)]):
                for j, column in enumerate(block.table):
                    text = shown_value(row[j], block.number_format(i, column))
                    assert shown[i][j] == text, (block.key, i, column)
                    compared += bool(column in block.formats)
    assert compared > 500


def test_print_shows_the_numbers_of_the_workbook_and_leaves_the_daily_rows_out(
    made, printed, review
):
    for key in ("risk_by_factor", "holdings", "style_exposures"):
        block = made.blocks()[key]
        for i, row in enumerate(block.table.itertuples(index=False)):
            texts = [
                shown_value(v, block.number_format(i, c))
                for c, v in zip(block.table, row, strict=True)
                if c in block.formats and v == v
            ]
            assert texts
            assert " ".join(texts) in printed, (key, texts)
    days = review.backtest.view("series")["date"]
    assert sum(f"{day:%Y-%m-%d}" in printed for day in days) < 40
    assert "Series (not printed)" in printed


def test_a_page_loads_nothing_and_runs_nothing(page):
    seen = Tables(page)
    assert all(address.startswith("#s") for address in seen.addresses)
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(seen.tags)
    assert "style=" not in page
    assert "default-src 'none'" in page


def test_a_reader_without_sight_hears_each_chart_and_table(page):
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.S)
    assert len(charts) >= 6
    for chart in charts:
        names = re.search(r'aria-labelledby="(\S+) (\S+)"', chart)
        assert re.search(rf'<title id="{names[1]}">[^<]+', chart)
        assert re.search(rf'<desc id="{names[2]}">[^<]+', chart)
        assert not re.search(r'"nan|nan[, "]', chart)
    assert page.count("<table>") == page.count("<caption>")


def test_text_from_outside_is_text_on_a_page(created):
    text = '<script>alert("x")</script>&'
    table = pd.DataFrame({"name": [text], "value": [Formula("1+1", 2.0)]})
    block = Block("table", text, table, formats={"value": "number"}, note=text)
    page = write_html(
        Pack(text, text, text, created, (Sheet(text, text, text, (block, Words((text,), text))),))
    )
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") >= 8
    assert ">2.00<" in page


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.12345, "percent", "12.35%"),  # half away from zero, as Excel
        (-0.00125, "change", "-0.13%"),
        (0.0, "change", "0.00%"),
        (-1e-17, "number", "0.00"),
        (0.005, "percent1", "0.5%"),
        (1234567.0, "count", "1,234,567"),
        (2.5e-7, "scientific", "2.5E-07"),
        (np.float64(1.005), "signed", "+1.01"),
        (pd.Timestamp("2017-06-30"), "date", "2017-06-30"),
        (float("nan"), "number", ""),
        (Formula("1+1", "OK"), "text", "OK"),
    ],
)
def test_numbers_read_as_excel_shows_them(value, number_format, text):
    assert shown_value(value, number_format) == text


def test_a_frozen_workbook_has_no_formula_and_the_same_values(made, report, tmp_path):
    path = write_workbook(tmp_path / "frozen.xlsx", made, "frozen")
    frozen, cached = openpyxl.load_workbook(path), openpyxl.load_workbook(report, data_only=True)
    for sheet in frozen:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title}!{cell.coordinate}"
                assert cell.value == cached[sheet.title][cell.coordinate].value


def test_a_live_workbook_fills_the_numbers_of_a_table_and_checks_still_hold(made, review, tmp_path):
    call = 'TILT.RISK_TABLE("MINE","factor")'
    live = replace_live(made, "risk_by_factor", Live(call, {"ctr": "ctr", "pct": "pct"}, "name"))
    path = write_workbook(tmp_path / "live.xlsx", live, "live")
    book, cached = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    cells = [c for row in book["Risk"].iter_rows() for c in row]
    (cell,) = (c for c in cells if "TILT" in str(getattr(c.value, "text", "")))
    text = cell.value.text
    assert text.startswith('=_xlfn.LET(_xlpm.t,_xldudf_TILT_RISK_TABLE("MINE","factor"),INDEX(')
    table = review.risk["factor"].iloc[:-1][["ctr", "pct"]]
    shown = [[c.value for c in row] for row in cached["Risk"][cell.value.ref]]
    assert shown == table.to_numpy().tolist()
    assert "risk_by_factor" not in book["Risk"].tables
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    number = book.sheetnames.index("Checks")
    sums = [
        c
        for row in book["Checks"].iter_rows()
        for c in row
        if str(c.value).startswith("=SUM('Risk'!")
    ]
    assert len(sums) == 2
    values = [model.get_cell_value(number, c.row, c.column) for c in sums]
    assert values == pytest.approx([review.tracking_error, 1.0])


def replace_live(report, key, live):
    def part(p):
        return replace(p, live=(live,)) if isinstance(p, Block) and p.key == key else p

    sheets = (replace(s, parts=tuple(part(p) for p in s.parts)) for s in report.sheets)
    return replace(report, sheets=tuple(sheets))


def test_figures_of_the_cover_have_names(report, review):
    book = openpyxl.load_workbook(report)
    sheet, cell = next(book.defined_names["tilt_tracking_error_now"].destinations)
    assert book[sheet][cell.replace("$", "")].value == review.tracking_error


def test_every_sheet_prints_all_of_itself(report):
    for sheet in openpyxl.load_workbook(report):
        last = sheet.print_area.split(":")[1].replace("$", "")
        assert sheet[last].row >= sheet.max_row - 1
        assert sheet[last].column >= sheet.max_column
        assert not sheet.merged_cells.ranges


def test_a_machine_without_libreoffice_says_what_to_do(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ArgumentError, match="apt install libreoffice-calc"):
        pdf.print_pdf(b"")


def test_a_print_that_does_not_end_is_ended(monkeypatch, tmp_path):
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    with pytest.raises(BusyError, match="did not print the report within"):
        pdf.print_pdf(b"", seconds=0.1)


class _CanceledError(Exception):
    """What a job raises when it is canceled."""


def test_a_print_ends_at_once_with_the_job_that_asked_for_it(monkeypatch, tmp_path):
    program, started = tmp_path / "soffice", tmp_path / "started"
    program.write_text(f"#!/bin/sh\necho $$ > {started}.new; mv {started}.new {started}\n"
                       "exec tail -f /dev/null\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))

    def canceled() -> None:
        if started.exists():
            raise _CanceledError

    with pytest.raises(_CanceledError):
        pdf.print_pdf(b"", alive=canceled)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


@pytest.mark.parametrize(
    ("asked", "format_", "name"),
    [("a.xlsx", "pdf", "a.pdf"), ("Q2.2017", "html", "Q2.2017.html"), ("a", "xlsx", "a.xlsx")],
)
def test_a_report_has_the_ending_of_its_format(tmp_path, asked, format_, name):
    assert place_of(tmp_path / asked, format_) == tmp_path / name
