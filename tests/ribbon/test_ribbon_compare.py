"""The button Compare: what it puts beside the marked holdings, and what it says."""

import pandas as pd
import pytest

from tilt.portfolio.compare import compare
from tilt.risk.model import estimate_model

WEIGHTS = pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.2})


@pytest.fixture(scope="module")
def other(own_store):
    """A portfolio saved under a name, by hand."""
    weights = pd.Series({"AAPL": 0.25, "MSFT": 0.25, "JPM": 0.5})
    own_store.save_portfolio("Other", weights, "tests")
    return weights


def difference(written, table, name):
    rows = written.tables[table].set_index(written.tables[table].columns[0])
    return rows.loc[name, "difference"]


def test_it_writes_the_differences_of_the_portfolio_that_the_settings_name(ribbon, other):
    written = ribbon.press("compare", ribbon.held(), ribbon.settings(compare_with="Other"))
    for ticker in ("AAPL", "XOM", "JPM", "MSFT"):
        by_hand = WEIGHTS.get(ticker, 0.0) - other.get(ticker, 0.0)
        assert difference(written, "TiltComparePositions", ticker) == pytest.approx(by_hand)
    # half of 0.15 + 0.35 + 0.30 + 0.25 and the cash of 0.05
    assert difference(written, "TiltComparePositions", "active_share") == pytest.approx(0.55)
    assert "Active share 55.00%" in written.said
    assert "beside Other" in written.said


def test_sectors_factors_and_risk_are_the_engines(ribbon, other, panel):
    written = ribbon.press("compare", ribbon.held(), ribbon.settings(compare_with="Other"))
    model = estimate_model(panel.factors, panel.as_of)
    tables = {"sector": "TiltCompareSectors", "factor": "TiltCompareFactors"}
    for by, name in tables.items():
        expected = compare(
            model, WEIGHTS, other, by=by, sectors=panel.securities["sector"], benchmark=None
        )
        table = written.tables[name]
        assert table["name"].tolist() == expected["name"].tolist()
        given = pd.to_numeric(table["difference"])
        assert given.tolist() == pytest.approx(expected["difference"].tolist(), abs=1e-12)
    assert "tracking_error" in written.tables["TiltCompareRisk"]["measure"].tolist()


def test_a_universe_may_be_compared_with(ribbon, panel):
    written = ribbon.press("compare", ribbon.held(), ribbon.settings(compare_with="us_large_cap"))
    caps = panel.cap_weights(panel.as_of)
    expected = WEIGHTS["AAPL"] - caps["AAPL"]
    given = difference(written, "TiltComparePositions", "AAPL")
    assert given == pytest.approx(expected, abs=5e-3)  # names without risk data are left out


def test_without_a_name_the_saved_holdings_show_what_has_changed_since(ribbon):
    named = ribbon.settings(portfolio="Before the change")
    ribbon.press("save", ribbon.held(), named)
    changed = [["ticker", "weight"], ["AAPL", 0.3], ["XOM", 0.45], ["JPM", 0.2]]
    written = ribbon.press("compare", ribbon.held(changed), named)
    assert difference(written, "TiltComparePositions", "XOM") == pytest.approx(0.1)
    assert difference(written, "TiltComparePositions", "turnover") == pytest.approx(0.1)


def test_a_workbook_that_was_never_saved_is_compared_with_the_benchmark(ribbon):
    written = ribbon.press("compare", ribbon.held(), ribbon.settings(portfolio="Never saved"))
    assert "beside the benchmark" in written.said


def test_without_anything_to_compare_with_it_says_what_to_do(ribbon):
    alone = ribbon.settings(portfolio="Never saved", benchmark="NONE")
    said = ribbon.refusal("compare", ribbon.held(), alone)
    assert said.startswith("There is nothing to compare with. Give compare_with in TiltSettings")


def test_a_misspelt_name_is_told_with_the_nearest(ribbon, other):
    assert not other.empty
    said = ribbon.refusal("compare", ribbon.held(), ribbon.settings(compare_with="Othr"))
    assert "Did you mean 'Other'?" in said
