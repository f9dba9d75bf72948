import csv
import shutil
import subprocess
import zipfile

import ironcalc
import numpy as np
import openpyxl
import pandas as pd
import pytest

from tilt.errors import NoSolutionError
from tilt.portfolio.holdings import parse_holdings
from tilt.report import review as review_module
from tilt.report.analysis import holdings_table, largest
from tilt.report.checks import Check
from tilt.report.portfolio import portfolio_report, write_portfolio_report
from tilt.report.review import review_portfolio
from tilt.report.tables import Formula, number_at
from tilt.risk.measures import risk_measure

# data bars are an extension of 2010 that openpyxl reads over
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#ERROR!", "Err:")


def formulas(path):
    """Return sheet number, cell, formula and cached value of every formula of a workbook."""
    live, cached = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    return [
        (number, cell, cached[sheet.title][cell.coordinate].value)
        for number, sheet in enumerate(live.worksheets)
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def test_a_spreadsheet_recalculates_every_formula_to_its_cached_value(report):
    model = ironcalc.load_from_xlsx(str(report), "en", "UTC", "en")
    model.evaluate()
    found = formulas(report)
    assert len(found) > 50
    for number, cell, cached in found:
        value = model.get_cell_value(number, cell.row, cell.column)
        if isinstance(cached, str):
            assert value == cached, f"{cell.parent.title}!{cell.coordinate}: {cell.value}"
        else:
            where = f"{cell.parent.title}!{cell.coordinate}: {cell.value}"
            assert value == pytest.approx(cached, abs=1e-9), where


def test_no_cell_is_an_error(report):
    book = openpyxl.load_workbook(report, data_only=True)
    texts = [c.value for s in book for row in s.iter_rows() for c in row if c.value is not None]
    assert not [t for t in texts if isinstance(t, str) and t.startswith(ERRORS)]
    assert "e" not in {c.data_type for s in book for row in s.iter_rows() for c in row}


def test_every_check_holds_and_the_cover_says_so(report):
    book = openpyxl.load_workbook(report, data_only=True)
    results = [c.value for row in book["Checks"].iter_rows() for c in row]
    assert results.count("OK") >= 18
    assert "CHECK" not in results
    cover = [c.value for row in book["Cover"].iter_rows() for c in row]
    assert f"{results.count('OK')} of {results.count('OK')} hold" in cover


@pytest.mark.parametrize(
    ("sheet", "column", "result"),
    [("Holdings", "Weight", "Weights and cash are the whole"), ("Risk", "CTR", "by factor foot")],
)
def test_a_changed_number_turns_its_check(report, sheet, column, result):
    model = ironcalc.load_from_xlsx(str(report), "en", "UTC", "en")
    book = openpyxl.load_workbook(report)
    head = next(c for row in book[sheet].iter_rows() for c in row if c.value == column)
    number = book.sheetnames.index(sheet)
    model.update_cell_with_number(number, head.row + 1, head.column, 0.7)
    model.evaluate()
    checks = book["Checks"]
    row = next(r for r in checks.iter_rows() for c in r if c.value and result in str(c.value))
    last = next(c for c in reversed(row) if c.value)
    place = (book.sheetnames.index("Checks"), last.row, last.column)
    assert model.get_cell_value(*place) == "CHECK"


def test_libreoffice_opens_the_report_without_an_error_cell(report, tmp_path):
    office = shutil.which("soffice")
    assert office, "LibreOffice is needed: apt install libreoffice-calc"
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        [
            office,
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            every_sheet,
            "--outdir",
            str(tmp_path),
            str(report),
        ],
        check=True,
        capture_output=True,
        timeout=400,
    )
    pages = list(tmp_path.glob("report-*.csv"))
    assert {p.stem.removeprefix("report-") for p in pages} == set(
        openpyxl.load_workbook(report, read_only=True).sheetnames
    )
    for page in pages:
        with page.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        wrong = [c for c in cells if c.startswith(ERRORS) or c.startswith("###")]
        assert not wrong, f"{page.stem}: {wrong[:3]}"


def test_numbers_in_the_file_are_the_engine_s_to_the_last_bit(report, review):
    sheet = openpyxl.load_workbook(report)["Risk"]
    rows = {r[1].value: r for r in reversed(list(sheet.iter_rows()))}  # the first of each name
    column = next(c.column for c in rows["Name"] if c.value == "CTR")
    table = review.risk["factor"]
    for _, factor in table[table["group"] == "style"].iterrows():
        assert rows[factor["name"]][column - 1].value == factor["ctr"]


def test_the_report_has_charts_a_reader_without_sight_can_follow(report):
    with zipfile.ZipFile(report) as archive:
        names = archive.namelist()
        drawings = [archive.read(n).decode() for n in names if n.startswith("xl/drawings/drawing")]
    charts = [n for n in names if n.startswith("xl/charts/chart")]
    assert len(charts) >= 6
    assert sum(d.count('descr="') for d in drawings) == len(charts)


def test_every_block_with_numbers_has_its_lineage_on_the_sheet(report, review):
    sheets = portfolio_report(review, created=review.date).sheets
    body = [s for s in sheets if s.name not in {"Cover", "Checks", "Method", "Lineage"}]
    blocks = [b for s in body for b in s.blocks() if b.formats]
    assert all(b.lineage is not None for b in blocks)
    lineage = openpyxl.load_workbook(report)["Lineage"]
    texts = {c.value for row in lineage.iter_rows() for c in row}
    assert {b.title for b in blocks} <= texts
    assert {review.solution.run_id, review.backtest.run_id, review.panel.snapshot} <= texts


def test_the_file_holds_no_function_of_the_add_in_and_no_outside_link(report):
    with zipfile.ZipFile(report) as archive:
        text = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".xml"))
    assert "_xldudf" not in text
    assert "TILT." not in text
    assert "externalLink" not in text


def test_the_company_named_like_a_formula_is_text(report):
    found = [
        c.data_type
        for sheet in openpyxl.load_workbook(report)
        for row in sheet.iter_rows()
        for c in row
        if c.value == "=Company 3"
    ]
    assert len(found) >= 2
    assert set(found) == {"s"}


def test_the_ampersand_of_a_name_survives_in_the_footer(report):
    assert "A && B" in openpyxl.load_workbook(report)["Holdings"].oddFooter.left.text


def test_the_same_review_writes_the_same_file(review, report, tmp_path):
    created = openpyxl.load_workbook(report).properties.created
    again = write_portfolio_report(tmp_path / "again.xlsx", review, created=created)
    assert again.read_bytes() == report.read_bytes()


def test_holdings_account_for_all_of_both_portfolios(review):
    table = holdings_table(review)
    assert table["weight"].sum() == pytest.approx(1.0, abs=1e-12)
    assert table["benchmark"].sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(table["active"], table["weight"] - table["benchmark"])
    assert table["ctr"].sum() == pytest.approx(review.tracking_error, abs=1e-12)


def test_the_rebalance_lowers_tracking_error_within_its_turnover(review):
    after = number_at(review.measures, "tracking_error", "after")
    assert after < review.tracking_error
    assert review.turnover <= 0.15 + 1e-6
    optimal = risk_measure(
        review.model, review.solution.weights, review.benchmark, "tracking_error"
    )
    assert after == pytest.approx(optimal, abs=1e-12)


def test_rules_that_exclude_each_other_are_named(panel):
    holdings = parse_holdings([["A01", 0.6], ["A02", 0.4]], panel, panel.as_of, saved={})
    rules = [["weight", "*", 0.0, 0.08], ["turnover", "", "", 0.15]]
    with pytest.raises(NoSolutionError, match="each weight at most 8 %"):
        _ = review_portfolio(panel, holdings, rules=rules, strategy_rules=[]).solution


def test_a_name_without_risk_data_counts_as_cash_and_is_named(review):
    weights = pd.Series({"A01": 0.6, "GONE": 0.4})
    held, notes = review_module._with_risk_data(weights, review.model)
    assert held.to_dict() == {"A01": 0.6}
    assert notes[0].startswith("GONE (40.00% of capital) has no risk data on ")


def test_the_largest_contributions_and_the_rest_keep_the_total():
    rows = pd.DataFrame({"name": list("abcd"), "ctr": [0.1, -0.4, 0.2, 0.05], "pct": [1, 2, 3, 4]})
    kept = largest(rows, 2)
    assert kept["name"].tolist() == ["b", "c", "2 others"]
    assert kept["ctr"].sum() == pytest.approx(rows["ctr"].sum())


def test_a_check_that_does_not_hold_says_so():
    assert not Check("a", Formula("1", 1.0), "=", 1.1).holds
    assert Check("a", Formula("1", 1.0), "≤", 1.1).holds
    assert not Check("a", Formula("1", 1.2), "≤", 1.1).holds


def test_checks_are_live_formulas(review):
    table = portfolio_report(review, created=review.date).blocks()["checks"].table
    assert all(isinstance(f, Formula) for f in [*table["value"], *table["result"]])
