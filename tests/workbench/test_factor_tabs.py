"""Factors in the add-in, worked once in the workbench in Chromium."""

import shutil
from pathlib import Path

import pytest
from serving import listening, run_node

from tilt.api.app import create_app
from tilt.settings import Settings

pytestmark = pytest.mark.browser

OWN_SHEETS = {
    "factor_analysis": "Tilt Factors",
    "pure_factor": "Tilt Pure Factor",
    "what_if": "Tilt What-if",
}


@pytest.fixture(scope="module")
def seen(built, store, sample_settings, tmp_path_factory):
    """What somebody saw who worked with factors once; every test looks at its own part."""
    assert (built / "office.js").is_file()
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("factor_tabs") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    with listening(create_app(Settings(data_url=str(folder)))) as address:
        return run_node(Path(__file__).parent / "factor_tabs.mjs", address)


def cells(sheet):
    """Return every value of a sheet."""
    return [value for row in sheet.values() for value in row.values()]


def numbers(sheet, column):
    """Return the numbers below the header of a column."""
    below = [sheet[row].get(column) for row in sorted(sheet, key=int) if int(row) > 6]
    return [value for value in below if isinstance(value, int | float)]


def broken(sheet):
    return [v for v in cells(sheet) if str(v).startswith(("#VALUE", "#NAME", "#SPILL", "#GETTING"))]


def test_the_sheet_factors_opens_with_every_factor_and_what_one_foretold(seen, panel):
    sheet = seen["starter"]["Factors"]
    assert broken(sheet) == []
    assert set(panel.factors.factors.index) <= {row.get("0") for row in sheet.values()}
    assert {"mean_ic", "half_life", "spread"} <= set(cells(sheet))


def test_the_sheet_pure_factor_opens_with_four_portfolios(seen):
    sheet = seen["starter"]["Pure factor"]
    assert broken(sheet) == []
    by_measure = {row.get("0"): row for row in sheet.values()}
    assert by_measure["exposure"]["2"] == pytest.approx(1)
    assert "AAPL" in cells(sheet)


def test_the_formulas_of_the_tab_factors_fill_a_sheet(seen, panel):
    written = seen["factors"]
    assert written["written"] == "Written to the sheet Tilt Factor Research."
    assert broken(written["sheet"]) == []
    returns = numbers(written["sheet"], "1")
    assert len(returns) > 200
    assert returns == pytest.approx(panel.factors.returns["Value"].tail(len(returns)).tolist())
    assert {"mean_ic", "window", "quantile", "height"} <= set(cells(written["sheet"]))


def test_the_formulas_of_the_tab_pure_factor_fill_a_sheet_and_one_becomes_the_holdings(seen):
    assert broken(seen["pure"]["sheet"]) == []
    assert sum(numbers(seen["pure"]["sheet"], "7")) == pytest.approx(1, abs=1e-4)
    assert "TiltHoldings" in seen["pure"]["loaded"]


@pytest.mark.parametrize(("button", "sheet"), OWN_SHEETS.items())
def test_a_button_writes_its_own_sheet_says_so_and_is_undone(seen, button, sheet):
    pressed = seen["buttons"][button]
    assert pressed["kind"] == "done", pressed
    assert sheet in pressed["text"]
    assert pressed["text"].endswith(".")
    assert sheet in pressed["added"]
    assert sheet in pressed["undone"]


def test_nothing_fails_on_the_page(seen):
    assert seen["errors"] == []
