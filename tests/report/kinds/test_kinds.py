"""Every kind of report on a made-up market: written, recalculated, and checked by hand."""

import csv
import shutil
import subprocess
from dataclasses import replace

import ironcalc
import numpy as np
import openpyxl
import pandas as pd
import pytest
from report_kinds import CREATED, RULES, NothingSaved, chapter_of

from tilt.errors import ArgumentError, TiltError, UnknownNameError
from tilt.portfolio.holdings import parse_holdings
from tilt.report.kind import Material
from tilt.report.kinds import KINDS
from tilt.report.pack import pack
from tilt.report.workbook import write_workbook

# data bars are an extension of 2010 that openpyxl reads over
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
IMPOSSIBLE = [["weight", "*", 0.0, 0.08], ["turnover", "", "", 0.001]]
RECALCULATE = (
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    '<item oor:path="/org.openoffice.Office.Calc/Formula/Load">'
    '<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>'
)
EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "Err:", "###")


def said(chapter):
    return " ".join(chapter.findings)


def blocks_of(chapter):
    return {block.key: block for section in chapter.sections for block in section.blocks()}


@pytest.fixture(scope="module")
def workbook(chapters, tmp_path_factory):
    """One file with a chapter of each kind."""
    path = tmp_path_factory.mktemp("kinds") / "kinds.xlsx"
    return write_workbook(path, pack("Kinds", list(chapters.values()), created=CREATED))


def test_every_formula_recalculates_to_its_cached_value(workbook):
    model = ironcalc.load_from_xlsx(str(workbook), "en", "UTC", "en")
    model.evaluate()
    live, cached = (
        openpyxl.load_workbook(workbook),
        openpyxl.load_workbook(workbook, data_only=True),
    )
    count = 0
    for number, sheet in enumerate(live.worksheets):
        for cell in (c for row in sheet.iter_rows() for c in row if c.data_type == "f"):
            value = model.get_cell_value(number, cell.row, cell.column)
            expected = cached[sheet.title][cell.coordinate].value
            where = f"{sheet.title}!{cell.coordinate} {cell.value}"
            close = value if isinstance(expected, str) else pytest.approx(value, abs=1e-9)
            assert expected == close, where
            count += 1
    assert count > 300


def test_libreoffice_recalculates_every_check_to_ok_and_shows_no_error(workbook, tmp_path):
    office = shutil.which("soffice")
    assert office, "LibreOffice is needed: apt install libreoffice-calc"
    user = tmp_path / "profile" / "user"
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(RECALCULATE)
    subprocess.run(
        [office, f"-env:UserInstallation=file://{user.parent}", "--headless", "--convert-to",
         EVERY_SHEET, "--outdir", str(tmp_path), str(workbook)],
        check=True, capture_output=True, timeout=400,
    )  # fmt: skip
    cells = {}
    for page in tmp_path.glob("kinds-*.csv"):
        with page.open(newline="", encoding="utf-8") as file:
            cells[page.stem.removeprefix("kinds-")] = [c for row in csv.reader(file) for c in row]
    wrong = {name: [c for c in page if c.startswith(ERRORS)] for name, page in cells.items()}
    assert not any(wrong.values())
    assert cells["Checks"].count("OK") > 60
    assert "CHECK" not in cells["Checks"]


def test_every_table_has_its_lineage_and_every_chart_says_what_it_shows(chapters):
    for chapter in chapters.values():
        sheets = [s for x in chapter.sections for s in (*x.sheets, *x.data)]
        assert all(b.lineage is not None for s in sheets for b in s.blocks())
        charts = [p for s in sheets for p in s.parts if hasattr(p, "alt")]
        assert charts
        assert all(len(c.alt) > 20 and c.series for c in charts)


def test_months_compound_to_what_buying_and_holding_earned(chapters, panel, grid):
    block = blocks_of(chapters["attribution"])["attribution_by_month"]
    months = block.table
    grown = (1 + panel.returns.loc[block.lineage.arguments["first_day"] :]).prod()
    held = sum(w * grown[a] for a, w in grid) + 1 - sum(w for _, w in grid)
    assert np.prod(1 + months["portfolio"]) == pytest.approx(held, rel=1e-12)
    assert months["linked"].sum() == pytest.approx(
        held - np.prod(1 + months["benchmark"]), abs=1e-12
    )


def test_attribution_by_sector_factor_and_position_close_to_one_number(chapters):
    found = blocks_of(chapters["attribution"])
    total = found["attribution_by_month"].table["linked"].sum()
    for key, column in (
        ("attribution_by_group", "total"),
        ("attribution_by_factor", "contribution"),
        ("attribution_by_position", "active_contribution"),
        ("attribution_groups_in_time", "linked"),
        ("attribution_factors_in_time", "linked"),
    ):
        assert found[key].table[column].sum() == pytest.approx(total, abs=1e-12), key


def test_holdings_without_dates_are_said_to_be_hypothetical(chapters):
    assert "which is hypothetical" in said(chapters["attribution"])


def test_the_written_tear_sheet_says_what_the_engine_says(chapters, workbook):
    book = openpyxl.load_workbook(workbook, data_only=True)
    sheet = next(s for s in book if s.title.endswith("Series"))
    head = next(c for row in sheet.iter_rows() for c in row if c.value == "NAV")
    nav = [c.value for c in sheet[head.column_letter][head.row :] if c.value is not None]
    figures = blocks_of(chapters["backtest"])["backtest_key_figures"].table.set_index("measure")
    assert nav[-1] - 1 == pytest.approx(figures["portfolio"]["Total return"], abs=1e-12)
    peak = np.maximum.accumulate([1.0, *nav])
    fall = (np.array([1.0, *nav]) / peak - 1).min()
    assert fall == pytest.approx(figures["portfolio"]["Max drawdown"], abs=1e-12)


def test_strategies_that_were_tried_count_against_the_backtest(chapters):
    table = blocks_of(chapters["backtest"])["backtest_overfitting"].table.set_index("measure")
    assert table["value"]["Trials"] == 2
    assert 0 <= table["value"]["Probability of overfitting"] <= 1
    assert "the luckiest of 2 trials" in said(chapters["backtest"])


def test_the_spread_of_portfolios_by_score_is_top_less_bottom(chapters):
    table = blocks_of(chapters["factor"])["factor_quantiles_b"].table
    mean = table["mean_return"].to_numpy()
    assert mean[-1] == pytest.approx(mean[-2] - mean[0], abs=1e-12)
    assert table["quantile"].tolist() == ["1", "2", "3", "spread"]


def test_a_factor_that_is_misspelt_is_told_the_nearest_name(panel):
    with pytest.raises(UnknownNameError, match=r"'Momentun'.*Did you mean 'Momentum'"):
        KINDS["factor"].open(
            Material(NothingSaved(), panel, "", None, [], (), {"factors": "Momentun"})
        )


def test_an_optimization_tells_problem_rules_and_trades(chapters):
    found = blocks_of(chapters["optimization"])
    assert {"solution_summary", "solution_rules", "solution_trades", "solution_frontier"} <= set(
        found
    )
    rules = found["solution_rules"].table
    assert (rules["slack"] >= -1e-6).all()
    assert found["solution_trades"].table["reason"].str.len().min() > 5
    assert len(found["solution_frontier"].table) == 3


def test_a_problem_without_a_solution_reports_the_conflict_and_its_cheapest_repair(panel, tmp_path):
    chapter = chapter_of("optimization", panel, [["A01", 0.6], ["A02", 0.4]], rules=IMPOSSIBLE)
    assert "No solution: " in said(chapter)
    assert "The cheapest repair is to raise the max of turnover to " in said(chapter)
    assert [s.key for s in chapter.sections if s.sheets] == ["problem", "rules"]
    found = blocks_of(chapter)
    assert set(found["solution_rules"].table["status"]) == {"conflict", "not solved"}
    path = write_workbook(tmp_path / "a.xlsx", pack("A", [chapter], created=CREATED))
    assert openpyxl.load_workbook(path).sheetnames[:3] == ["Cover", "Summary", "Problem"]


@pytest.mark.parametrize("given", [[["A01", 1.0], ["A02", 0.0]], "CASH"])
def test_one_name_or_all_cash_still_makes_a_whole_pack(panel, tmp_path, given):
    chapter = chapter_of("month_end", panel, given, rules=RULES[:1], start="-1M")
    path = write_workbook(tmp_path / "a.xlsx", pack("A", [chapter], created=CREATED))
    checks = [
        c.value for row in openpyxl.load_workbook(path, data_only=True)["Checks"] for c in row
    ]
    assert "CHECK" not in checks
    assert checks.count("OK") > 20


def test_without_a_factor_model_the_sections_that_need_one_say_so(panel, grid):
    bare = replace(panel, factor_history=None)
    chapter = chapter_of("attribution", bare, grid, start="-1M")
    missing = [s for s in chapter.sections if not s.complete]
    assert [s.key for s in missing] == ["factors", "forecast"]
    assert "no factor model" in said(chapter)
    with pytest.raises(ArgumentError, match="has no factor model"):
        chapter_of("month_end", bare, grid)


def test_a_short_backtest_annualizes_nothing_and_says_what_is_missing(panel):
    start = f"{panel.dates[-30]:%Y-%m-%d}"
    chapter = chapter_of("backtest", panel, strategy="equal_weight", start=start)
    figures = blocks_of(chapter)["backtest_key_figures"].table
    assert "Annual return" not in set(figures["measure"])
    assert "SHORT HISTORY" in said(chapter)
    assert "days are too few for rolling figures" in said(chapter)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("attribution", {"start": "2016-06-01", "end": "2016-05-01"}, "no day after|is after"),
        ("attribution", {"link": "carinno"}, "Did you mean 'carino'"),
        ("backtest", {"cost_bps": "ten"}, "option cost_bps must be a number; got 'ten'"),
        ("backtest", {"strategy": "equal_weigth"}, "equal_weight"),
        ("factor", {"quantiles": "1"}, "whole number from 2 to 20; got 1"),
        ("optimization", {"frontier": "maybe"}, "option frontier"),
    ],
)
def test_a_wrong_option_is_named(panel, grid, kind, options, message):
    made = KINDS[kind]
    held = parse_holdings(grid, panel, panel.as_of, saved={}) if made.of_portfolio else None
    material = Material(NothingSaved(), panel, "A", held, RULES, tuple(made.sections), options)

    def everything():
        study = made.open(material)
        for make in study.makers.values():
            make()

    with pytest.raises(TiltError, match=message):
        everything()


def test_a_portfolio_of_several_dates_is_attributed_and_compared_by_its_own_dates(panel, grid):
    first, second = panel.dates[-60], panel.dates[-30]
    old = pd.Series({"A30": 0.5, "A31": 0.5})
    new = pd.Series(dict(grid))

    class Saved(NothingSaved):
        def portfolios(self):
            return pd.DataFrame({"name": ["Fund"]})

        def portfolio_dates(self, _name):
            return pd.DatetimeIndex([first, second])

        def portfolio(self, _name, date):
            return old if date < second else new

    held = parse_holdings("Fund", panel, panel.as_of, saved={"Fund": new})
    options = {"since": f"{panel.dates[-40]:%Y-%m-%d}", "start": f"{panel.dates[-90]:%Y-%m-%d}"}
    material = Material(
        Saved(), panel, "Fund", held, [], ("changes", "attribution_months"), options
    )
    study = KINDS["month_end"].open(material)
    changes = study.makers["changes"]()
    what = next(b for b in changes.blocks() if b.key == "changes_held").table.set_index("ticker")
    assert what["what"][["A30", "A31"]].tolist() == ["gone", "gone"]
    assert (what["what"][new.index] == "new").all()
    months = next(study.makers["attribution_months"]().blocks()).lineage
    assert months.arguments["first_day"] == f"{panel.dates[-59]:%Y-%m-%d}"
