"""One report of several subjects, sections chosen by name, and what cannot be made."""

from dataclasses import replace

import ironcalc
import openpyxl
import pytest

from tilt.data.packs import Whose
from tilt.errors import ArgumentError, NoSolutionError
from tilt.report.analysis import holdings_section, risk_section
from tilt.report.kind import Kind, Study
from tilt.report.kinds import KINDS
from tilt.report.making import Asked, Book, Made, _distinct, check_asked
from tilt.report.pack import ALWAYS, Chapter, Section, pack
from tilt.report.record import Record
from tilt.report.workbook import write_workbook

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
LONG = "Mid caps / growth [draft]"


@pytest.fixture(scope="module")
def chapter(review):
    return Chapter(review.subject, (holdings_section(review), risk_section(review)))


@pytest.fixture(scope="module")
def two(chapter, created):
    other = replace(chapter, subject=replace(chapter.subject, name=LONG))
    return pack("Portfolio review", [chapter, other], created=created)


def test_sheets_of_several_portfolios_begin_with_their_names_and_fit_excel(two):
    names = [sheet.name for sheet in two.sheets]
    assert {"A & B Holdings", "A & B Risk", "Mid caps - growth Risk", "Overview"} <= set(names)
    assert len({name.casefold() for name in names}) == len(names)
    assert max(map(len, names)) <= 31


def test_a_spreadsheet_recalculates_the_checks_of_each_portfolio(two, tmp_path):
    path = write_workbook(tmp_path / "two.xlsx", two)
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    book = openpyxl.load_workbook(path)
    sheet = book["Checks"]
    results = [
        model.get_cell_value(book.sheetnames.index("Checks"), cell.row, cell.column)
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" and '"OK"' in cell.value
    ]
    assert len(results) == 2 * sum(len(s.checks) for s in two_sections(two))
    assert set(results) == {"OK"}


def two_sections(report):
    claims = report.blocks()["checks"].table["check"]
    assert claims.str.startswith(("A & B: ", f"{LONG}: ")).all()
    mine = claims[claims.str.startswith("A & B: ")]
    return [Section("all", "All", (), checks=tuple(mine))]


def test_key_figures_stand_beside_one_another(two, review):
    table = two.blocks()["overview"].table
    assert table["portfolio"].tolist() == ["A & B", LONG]
    assert table["Tracking error now"].tolist() == [review.tracking_error] * 2


def test_only_conventions_and_disclaimers_of_the_chosen_sections_are_told(review, created):
    made = pack("T", [Chapter(review.subject, (holdings_section(review),))], created=created)
    told = made.blocks()["conventions"].table["number"].tolist()
    assert told == ["Tracking error"]
    assert "Hypothetical" not in made.blocks()["disclaimers"].table["subject"].tolist()


def test_a_section_with_an_unknown_convention_is_a_slip_of_its_author(review, created):
    section = Section("a", "A", (), conventions=("returns", "retruns"))
    with pytest.raises(ValueError, match="no convention retruns"):
        pack("T", [Chapter(review.subject, (section,))], created=created)


def test_a_section_that_cannot_be_made_says_why_and_the_cover_says_so(review, created):
    def fail():
        raise NoSolutionError("No solution. Loosen the turnover.")

    makers = {"a": lambda: holdings_section(review), "b": fail}
    kind = Kind(
        "k",
        "K",
        "about",
        {"a": "Holdings", "b": "Rebalance"},
        lambda _: Study(review.subject, makers),
    )
    told = []
    given = {
        "portfolio": "P", "wanted": ("a", "b"),
        "whose": Whose("", "P", saved=False), "record": Record(),
    }  # fmt: skip
    material = type("Material", (), given)()
    chapter = kind.chapter(material, lambda done, stage: told.append((done, stage)))
    assert told == [(0.0, "reading P"), (0.0, "holdings"), (0.5, "rebalance")]
    made = pack("T", [chapter], created=created)
    facts = dict(made.blocks()["report_facts"].table.itertuples(index=False, name=None))
    assert facts["Status"] == "Incomplete: Rebalance"
    assert "Rebalance: No solution. Loosen the turnover." in made.findings


def test_sections_are_chosen_in_the_reports_order_and_a_misspelt_one_is_refused():
    kind = KINDS["portfolio"]
    assert kind.choose(["Risk", "holdings", *ALWAYS]) == ("holdings", "risk")
    assert kind.choose([]) == tuple(kind.sections)
    with pytest.raises(ArgumentError, match="Did you mean 'holdings'"):
        kind.choose(["holdngs"])
    with pytest.raises(ArgumentError, match="takes no option"):
        kind.check_options({"start": "x"})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "portfoilo"}, "Did you mean 'portfolio'"),
        ({"books": ()}, "is of portfolios"),
        ({"books": (Book("A", "A"), Book("a", "A"))}, "twice"),
        ({"books": tuple(Book(str(i), "A") for i in range(21))}, "at most 20"),
        ({"format": "docx"}, "format must be one of"),
        ({"mode": "lvie"}, "Did you mean 'live'"),
        ({"format": "html", "mode": "live"}, "a html has values"),
        ({"format": "html", "template": b"PK"}, "gives xlsx or pdf"),
    ],
)
def test_what_is_wrong_with_a_report_is_said_before_it_is_made(changed, said):
    asked = Asked(books=(Book("SAMPLE", "SAMPLE"),))
    with pytest.raises(ArgumentError, match=said):
        check_asked(replace(asked, **changed))


def test_files_of_portfolios_whose_names_look_alike_do_not_overwrite_one_another():
    files = [Made(name, "pdf", b"") for name in ("A_B.pdf", "a_b.pdf", "A_B.pdf")]
    assert [file.name for file in _distinct(files)] == ["A_B.pdf", "a_b 2.pdf", "A_B 3.pdf"]
