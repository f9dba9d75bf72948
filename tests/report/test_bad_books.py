"""Portfolios and tables that no report can show as they are: it says so, and stays a report."""

import re
import zipfile
from html import unescape
from io import BytesIO

import numpy as np
import openpyxl
import pandas as pd
import pytest
from report_kinds import CREATED, NothingSaved

from tilt.errors import ArgumentError
from tilt.report.html import write_html
from tilt.report.layout import Sheet, lay_out
from tilt.report.making import Asked, Book, check_asked, make_reports
from tilt.report.outputs import for_print, render
from tilt.report.pack import Pack
from tilt.report.tables import Block

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
HALF_A_MILLION = 500_000


def made(panel, *books, format_="html", **asked):
    right = check_asked(Asked(books=books, sections=("holdings",), format=format_, **asked))
    return make_reports(
        NothingSaved(), panel, right, created=CREATED, said=lambda _done, _what: None
    )


def words(file):
    page = re.sub(r"<style>.*?</style>", "", file.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([["ticker", "weight"]], "is a header without rows below it. Select the rows below it too"),
        ([["", ""], [None, None]], "is empty. Give tickers in one column and weights in the next"),
        (
            [["A01", 0.5], ["NOPE", 0.5]],
            "Unknown ticker 'NOPE' (Fund row 2). Unknown names are 50.0 % of the weight; only up",
        ),
    ],
)
def test_a_portfolio_that_cannot_be_used_gives_a_report_that_says_why(panel, given, said):
    told = words(made(panel, Book("Fund", given))[0])
    assert "Status Incomplete: Holdings" in told
    assert said in told
    assert "Rows that need a look" in told


def test_a_name_without_data_is_left_out_and_the_report_says_how_much_is_missing(panel):
    told = words(made(panel, Book("Fund", [["A01", 0.9], ["NOPE", 0.1]]))[0])
    assert "NOPE" in told
    assert "Status OK" in told
    assert "Left out; its 10 % counts as cash" in told


def test_portfolios_of_one_beginning_keep_their_own_sheets_tables_and_names(panel):
    long = "Global/equity: core [institutional] share class "
    books = [Book(f"{long}{end}", [["A01", 0.5], ["A02", 0.5]]) for end in ("A", "B", "a*?")]
    file = made(panel, *books, format_="xlsx")[0]
    book = openpyxl.load_workbook(BytesIO(file.content))
    names = [name for name in book.sheetnames if name.endswith(("Holdings", "2", "3"))]
    assert len(names) == 3
    assert len({n.casefold() for n in book.sheetnames}) == len(book.sheetnames)
    assert max(map(len, book.sheetnames)) <= 31
    tables = [table for sheet in book for table in sheet.tables]
    assert len(set(tables)) == len(tables)
    told = " ".join(str(c.value) for row in book["Cover"].iter_rows() for c in row)
    assert all(given.name in told for given in books)


def test_files_of_portfolios_are_named_so_that_any_folder_takes_them(panel):
    held = [["A01", 1.0]]
    books = [Book(name, held) for name in ("a/b:c*?", "a_b_c", 'CON<>|"\x07')]
    names = [file.name for file in made(panel, *books, separate=True)]
    assert len({name.casefold() for name in names}) == 3
    assert not any(set(name) & set('/\\:*?"<>|\x07') for name in names)


@pytest.fixture(scope="module")
def large():
    table = pd.DataFrame({"number": np.arange(HALF_A_MILLION, dtype=float)})
    block = Block("large_table", "Large", table, {"number": "count"})
    return Pack("Large", "A fund", "Tilt", CREATED, (Sheet("Large", "Large", "", (block,)),))


def test_half_a_million_rows_are_in_the_workbook_to_the_last(large):
    with zipfile.ZipFile(BytesIO(render(large))) as archive:
        end = archive.read("xl/worksheets/sheet1.xml")[-4000:].decode()
    last = re.findall(r'<c r="B(\d+)"[^>]*><v>([^<]*)</v>', end)[-1]
    assert last == (str(HALF_A_MILLION + 6), f"{HALF_A_MILLION - 1:.1f}")


def test_a_page_shows_the_end_of_half_a_million_rows_and_print_none_and_both_say_so(large):
    page = write_html(large)
    assert "The last 20 of 500,000 rows; the workbook has them all." in page
    assert page.count("<tr>") == 21
    assert for_print(large).sheets[0].hidden


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1_048_575, 1), r"'Large' has more rows than Excel holds, 1,048,58\d\. Ask for fewer"),
        ((1, 16_384), r"'Large' has more columns than Excel holds, 16,385\. Ask for fewer"),
    ],
)
def test_what_no_sheet_holds_is_refused_with_what_to_do(shape, said):
    table = pd.DataFrame(np.zeros(shape), columns=[f"c{i}" for i in range(shape[1])])
    block = Block("large_table", "Large", table, dict.fromkeys(table.columns, "count"))
    with pytest.raises(ArgumentError, match=said):
        lay_out([Sheet("Large", "Large", "", (block,))])
