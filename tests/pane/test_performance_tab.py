"""The tab Performance, worked once by keyboard against a real server."""

import re
from pathlib import Path

import pandas as pd
import pytest
from serving import run_node

from tilt.backtest.held import track_of_universe, track_of_weights

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def worked(pane_address):
    """What somebody saw who worked the tab by keyboard."""
    return run_node(Path(__file__).parent / "performance_tab.mjs", pane_address)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").rstrip("%\u202f\u00a0 "))


def test_the_active_return_is_that_of_the_books(worked, panel, pane_store):
    first = panel.trading_day(panel.as_of - pd.DateOffset(years=1))
    weights = pane_store.portfolio(worked["attribution"]["portfolio"])
    mine = track_of_weights(panel, {first: weights}, first, panel.as_of)
    base = track_of_universe(panel, first, panel.as_of)
    active = 100 * float((1 + mine.earned).prod() - (1 + base.earned).prod())
    shown = re.search(r"Active\s*\+?([−\d.]+)", worked["attribution"]["tiles"])[1]
    assert number(shown) == pytest.approx(active, abs=0.006)


def test_the_table_of_sectors_adds_up(worked):
    rows = {row[0]: row[-1] for row in worked["attribution"]["sectors"]}
    parts = [number(v) for name, v in rows.items() if name != "Total"]
    assert sum(parts) == pytest.approx(number(rows["Total"]), abs=0.08)  # fifteen rounded figures


def test_factors_are_named_in_words_with_their_share(worked):
    assert re.search(r"Specific \+?[−\d.]+", worked["attribution"]["factors"])


def test_put_in_sheet_writes_a_formula_that_calculates(worked):
    header, *rows = worked["attribution"]["sheet"]
    assert header[:2] == ["name", "group"]
    assert rows[-1][0] == "Total"


def test_a_misspelt_factor_is_said_and_a_backtest_runs(worked):
    seen = worked["backtest"]
    assert "Did you mean 'Value'?" in seen["wrong"]
    assert seen["title"] == "quantile:Value:5:5"
    assert seen["focus"] == "test-title"
    assert "Sharpe" in seen["tiles"]
    assert seen["curve"].startswith("Return since the start")
    assert [row[0] for row in seen["months"]] == ["2014", "2015", "2016", "2017"]
    assert {"psr", "deflated sharpe"} <= {row[0] for row in seen["honesty"]}
    assert "tried from this workbook" in seen["luck"]
    assert re.search(r"a loss in \d+\s% of the draws", seen["luck"])
    assert "Behind the benchmark" in seen["luck"]
    assert {"HYPOTHETICAL", "SURVIVORSHIP"} <= {row[0] for row in seen["assumptions"]}


def test_the_backtest_shown_is_explained_and_its_forecasts_judged(worked):
    seen = worked["backtest"]
    active = re.search(r"active return of \+?([−\d.]+)", seen["sectors"])[1]
    assert f"active return of {active}" in seen["factors"].replace("+", "")
    assert seen["sectors"] != seen["factors"]
    assert seen["forecast"].startswith("Tracking error forecast,")
    assert re.match(r"Bias [\d.]+: (within|above|below) the", seen["verdict"])
    assert [row[0] for row in seen["regimes"]] == ["calm", "turbulent", "All"]


def test_the_backtests_made_stand_side_by_side(worked):
    seen = worked["sideBySide"]
    assert not seen["alone"]
    assert seen["runs"].startswith("quantile:Value:5:5")
    assert "equal_weight" in seen["runs"]
    shown = {row[0]: row[1:] for row in seen["table"]}
    assert set(map(len, shown.values())) == {3}  # two backtests and the benchmark
    assert number(shown["Turnover a year"][0]) > 0
    assert shown["Turnover a year"][2] == "–"
    assert number(seen["correlation"][0][1]) == 1.0
    _, header, *rows = seen["sheet"]
    assert header[:4] == ["name", "a", "b", "difference"]
    assert "sharpe" in {row[0] for row in rows}


def test_nothing_is_wrong_with_its_looks_or_its_console(worked):
    for look in worked["looks"].values():
        assert look["scan"] == []
        assert look["width"] == 320
    assert [e for e in worked["errors"] if "400" not in e] == []
