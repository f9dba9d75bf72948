"""The buttons Pure factor and What-if: what they write, make and refuse."""

import pandas as pd
import pytest

from tilt.optimize.pure import KINDS
from tilt.portfolio.compare import what_if

WEIGHTS = pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.2})


def trades(ribbon, *rows):
    return ribbon.sheet("Trades", [["ticker", "trade"], *rows], tables=["TiltPlannedTrades"])


def test_what_if_writes_before_after_and_change(ribbon, model):
    written = ribbon.press(
        "what_if",
        ribbon.held(),
        trades(ribbon, ["AAPL", -0.1], ["MSFT", 0.1]),
        ribbon.settings(benchmark="NONE"),
    )
    expected = what_if(model, WEIGHTS, {"AAPL": -0.1, "MSFT": 0.1}, None)
    table = written.tables["TiltWhatIf"]
    assert table["measure"].tolist() == expected["measure"].tolist()
    for column in ("before", "after", "change"):
        given = pd.to_numeric(table[column]).tolist()
        assert given == pytest.approx(expected[column].tolist(), abs=1e-9, nan_ok=True)
    assert written.said.startswith("Wrote the holdings before and after the trades to the sheet")
    assert "turnover 10.00%" in written.said


def test_trades_may_be_paid_by_the_positions_that_stay(ribbon):
    paid = ribbon.settings(fund="prorata")
    written = ribbon.press("what_if", ribbon.held(), trades(ribbon, ["MSFT", 0.1]), paid)
    cash = written.tables["TiltWhatIf"].set_index("measure").loc["cash"]
    assert cash["after"] == pytest.approx(cash["before"])


def test_without_trades_an_example_is_made_beside_the_inputs(ribbon, panel):
    written = ribbon.press("what_if")
    example = written.tables["TiltPlannedTrades"]
    assert example["trade"].sum() == pytest.approx(0)
    assert set(example["ticker"]) <= set(panel.assets)
    assert "There was no table TiltPlannedTrades: an example stands on the sheet Tilt Inputs." in (
        written.said
    )
    assert written.sheets == ["Tilt Inputs", "Tilt What-if"]
    places = [a["args"][0] for a in written.actions if a["func"] == "addTable"]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["APPL", 0.1]], "Unknown ticker 'APPL' (TiltPlannedTrades row 2). Did you mean 'AAPL'?"),
        ([["AAPL", "a lot"]], "TiltPlannedTrades row 2: trade is 'a lot'"),
        ([["AAPL", 0.1], ["AAPL", 0.2]], "TiltPlannedTrades row 3: AAPL is given twice"),
        ([["AAPL", 0]], "TiltPlannedTrades has no trade"),
    ],
)
def test_what_is_wrong_with_a_trade_is_said_with_its_row(ribbon, rows, words):
    assert words in ribbon.refusal("what_if", ribbon.held(), trades(ribbon, *rows))


def test_pure_factor_writes_four_portfolios_side_by_side(ribbon):
    given = ribbon.settings(factor="Value", max_weight=0.03)
    written = ribbon.press("pure_factor", given)
    compared = written.tables["TiltPureCompare"].set_index("measure")
    assert compared.columns.tolist() == list(KINDS)
    assert compared.loc["exposure", "pure"] == pytest.approx(1)
    assert compared.loc["largest_other_style", "pure"] == pytest.approx(0, abs=1e-9)
    weights = written.tables["TiltPureWeights"].set_index("ticker").astype(float)
    assert weights["pure"].sum() == pytest.approx(0, abs=1e-6)
    assert weights["investable"].between(0, 0.03 + 1e-6).all()
    assert weights["investable"].sum() == pytest.approx(1, abs=1e-4)
    assert written.said.startswith("Wrote four portfolios of Value to the sheet Tilt Pure Factor.")
    assert written.charts == ["TiltPureChart"]


def test_pure_factor_takes_an_expression_and_the_first_style_when_none_is_named(ribbon, panel):
    named = ribbon.press("pure_factor", ribbon.settings(factor="rank(roe)"))
    assert "portfolios of rank(roe)" in named.said
    first = panel.factors.factors.query("group == 'style'").index[0]
    assert f"portfolios of {first}" in ribbon.press("pure_factor").said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"factor": "Valeu"}, "Did you mean 'Value'?"),
        ({"factor": "Value", "max_weight": 5}, "max_weight must be a fraction"),
        ({"factr": "Value"}, "has no key 'factr'. Did you mean 'factor'?"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(ribbon, given, words):
    assert words in ribbon.refusal("pure_factor", ribbon.settings(**given))
