"""What holds of every kind of report in every mode, whatever the names in it."""

import re
import zipfile
from html.parser import HTMLParser

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import range_boundaries
from report_kinds import CREATED, FUND, NASTY, RULES, chapter_of

from tilt.report.html import write_html
from tilt.report.layout import Tiles, Words
from tilt.report.names import figure_name
from tilt.report.outputs import render
from tilt.report.pack import pack
from tilt.report.sheet_writer import FORMULAS, FROZEN, LIVE
from tilt.report.tables import Formula, Link, clean_text, header, starts_like_formula
from tilt.report.workbook import write_workbook

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
ADDIN = re.compile(rb"_xldudf|TILT(_[A-Z]+)?\.[A-Z]+\(|_xll\.")


@pytest.fixture(scope="module")
def report(chapters):
    """One report with a chapter of each kind."""
    return pack("Every kind", list(chapters.values()), created=CREATED)


@pytest.fixture(scope="module")
def files(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proof")
    return {m: write_workbook(folder / f"{m}.xlsx", report, m) for m in (FORMULAS, FROZEN, LIVE)}


@pytest.fixture(scope="module")
def books(files):
    return {mode: openpyxl.load_workbook(path) for mode, path in files.items()}


@pytest.fixture(scope="module")
def shown(files):
    """The values a phone shows, which calculates nothing."""
    return {mode: openpyxl.load_workbook(path, data_only=True) for mode, path in files.items()}


def cells(book):
    return {(s.title, c.coordinate): c for s in book for row in s.iter_rows() for c in row}


def parts(path, pattern):
    with zipfile.ZipFile(path) as archive:
        return {n: archive.read(n) for n in archive.namelist() if re.search(pattern, n)}


def test_no_cell_is_an_error_in_any_mode(shown):
    for mode, book in shown.items():
        wrong = [at for at, c in cells(book).items() if c.data_type == "e"]
        assert not wrong, (mode, wrong)


def test_no_sentence_tells_a_number_that_is_none(report):
    words = [part for sheet in report.sheets for part in sheet.parts if isinstance(part, Words)]
    told = [*report.findings, *(row for part in words for row in part.rows)]
    assert len(told) > 50
    assert [text for text in told if re.search(r"\b(nan|inf)\b", text)] == []


def test_a_formula_of_the_addin_is_only_where_live_ones_are_asked_for(files, report):
    live = [block for block in report.blocks().values() if block.live]
    assert live
    for mode, path in files.items():
        found = [
            n
            for n, xml in parts(path, "worksheets/|charts/|workbook.xml").items()
            if ADDIN.search(xml)
        ]
        assert bool(found) == (mode == LIVE), (mode, found)
        assert not parts(path, "externalLink|vbaProject|connections")


def test_frozen_values_are_those_of_the_formulas_and_live_ones(books, shown):
    assert not [at for at, c in cells(books[FROZEN]).items() if c.data_type == "f"]
    frozen = {at: c.value for at, c in cells(shown[FROZEN]).items()}
    native = {at: c.value for at, c in cells(shown[FORMULAS]).items()}
    assert frozen == native
    assert sum(c.data_type == "f" for c in cells(books[FORMULAS]).values()) > 300


def test_every_number_of_every_table_is_the_engines_to_the_last_bit(report, shown):
    compared = 0
    for sheet in report.sheets:
        page = shown[FORMULAS][sheet.name]
        for block in sheet.blocks():
            left, top, _, _ = range_boundaries(page.tables[block.key].ref)
            for at, column in enumerate(block.table.columns, left):
                given = [v.value if isinstance(v, Formula) else v for v in block.table[column]]
                read = [page.cell(top + 1 + n, at).value for n in range(len(given))]
                assert page.cell(top, at).value == header(column)
                for value, there in zip(given, read, strict=True):
                    if isinstance(value, (float, int, np.floating, np.integer)):
                        same = there is None if not np.isfinite(value) else there == value
                        assert same, (block.key, column, value, there)
                        compared += 1
    assert compared > 10_000


def test_names_from_outside_stay_text_and_link_nowhere(books, chapters):
    wanted = {clean_text(text) for text in NASTY}
    for mode, book in books.items():
        text = [c for c in cells(book).values() if isinstance(c.value, str) and c.data_type != "f"]
        kept = {c.value for c in text}
        assert {t for t in wanted if t.strip()} - {"_x000D_"} <= kept, (mode, wanted - kept)
        for cell in text:
            assert cell.data_type == "s"
            assert cell.quotePrefix == starts_like_formula(cell.value), cell.value
        links = [c.hyperlink for c in cells(book).values() if c.hyperlink]
        assert links
        assert all(link.target is None and link.location for link in links)
    assert FUND in {chapter.subject.name for chapter in chapters.values()}


def test_a_formula_never_holds_what_a_person_named(books):
    for (sheet, at), cell in cells(books[FORMULAS]).items():
        if cell.data_type == "f":
            assert not any(text in str(cell.value) for text in NASTY[1:6]), (sheet, at)


def test_sheet_names_differ_and_are_such_as_excel_takes(report, books):
    names = [sheet.name for sheet in report.sheets]
    assert books[FORMULAS].sheetnames == names
    assert len({name.casefold() for name in names}) == len(names)
    assert all(0 < len(n) <= 31 and not set(n) & set("[]:*?/\\") for n in names)


def test_each_sheet_prints_all_of_itself_on_one_page_of_width(books):
    for sheet in books[FORMULAS]:
        left, top, right, bottom = range_boundaries(sheet.print_area.split("!")[1].replace("$", ""))
        used = [c for row in sheet.iter_rows() for c in row if c.value is not None]
        assert (left, top) == (1, 1)
        assert max(c.row for c in used) <= bottom
        assert max(c.column for c in used) <= right
        assert sheet.page_setup.fitToWidth in {None, 1}
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "Page &P of &N" in "".join(str(sheet.oddFooter.right.text))


def test_no_cells_are_merged_and_long_tables_keep_their_heading(report, books):
    assert not any(sheet.merged_cells.ranges for book in books.values() for sheet in book)
    long = [sheet.name for sheet in report.sheets if sheet.freeze_header]
    assert long
    assert all(books[FORMULAS][name].print_title_rows for name in long)


def test_names_of_figures_point_at_the_figure(chapters, tmp_path):
    report, first = pack("One", [chapters["portfolio"]], created=CREATED), {}
    book = openpyxl.load_workbook(write_workbook(tmp_path / "one.xlsx", report), data_only=True)
    for sheet in report.sheets:
        for tile in (t for p in sheet.parts if isinstance(p, Tiles) for t in p.tiles):
            first.setdefault(figure_name(tile.label), tile.value)
    assert len(first) > 5
    for name, value in first.items():
        ((sheet, at),) = book.defined_names[name].destinations
        now = value.value if isinstance(value, Formula) else value
        assert book[sheet][at.replace("$", "")].value == now


def test_every_picture_has_words_for_who_does_not_see_it(files):
    drawn = parts(files[FORMULAS], r"drawings/drawing\d+\.xml$")
    said = [d for xml in drawn.values() for d in re.findall(rb"<xdr:cNvPr [^>]*>", xml)]
    assert len(said) > 20
    assert all(len(re.search(rb'descr="([^"]*)"', one)[1]) > 20 for one in said)


def test_the_same_report_later_differs_only_by_its_time(files, chapters, tmp_path):
    later = pack("Every kind", list(chapters.values()), created=CREATED + pd.Timedelta(days=1))
    path = write_workbook(tmp_path / "later.xlsx", later)
    now, then = parts(path, ""), parts(files[FORMULAS], "")
    assert now.keys() == then.keys()
    changed = {name for name in now if now[name] != then[name]}
    assert changed == {"docProps/core.xml", "xl/sharedStrings.xml"}


def test_the_same_question_asked_again_gives_the_same_file(panel, grid, tmp_path):
    made = [chapter_of("optimization", panel, grid, rules=RULES) for _ in range(2)]
    one, other = (
        write_workbook(tmp_path / f"{n}.xlsx", pack("A", [c], created=CREATED))
        for n, c in enumerate(made)
    )
    assert one.read_bytes() == other.read_bytes()


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.outward = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.outward += [v for k, v in attrs if k in {"href", "src"} and not v.startswith("#")]
        self.outward += [k for k, _ in attrs if k.startswith("on")]

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_of_every_kind_shows_the_names_as_text_and_goes_nowhere(report):
    page = Page()
    page.feed(write_html(report))
    assert page.tags.isdisjoint({"script", "iframe", "r", "img", "object", "link"})
    assert not page.outward
    shown = set(page.text)
    assert {"<script>alert(1)</script>", "=1+1", "<r><t>=1+1</t></r>"} <= shown


def test_links_of_the_cover_lead_to_sheets_that_are_there(report):
    names = {sheet.name for sheet in report.sheets}
    links = list(report.blocks()["contents"].table["sheet"])
    assert len(links) > 20
    assert all(isinstance(link, Link) and link.sheet in names for link in links)


def test_a_page_is_text_that_any_browser_reads(report):
    assert render(report, "html").decode("utf-8").startswith("<!DOCTYPE html>")
