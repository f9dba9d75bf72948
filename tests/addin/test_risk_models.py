"""Which risk model stands behind a number, and how good its forecasts were."""

import numpy as np
import pytest
from cell_tables import frame

from tilt.portfolio.holdings import parse_holdings
from tilt.risk.estimators import estimate_covariance

RANGE = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
ASKED = (RANGE, "volatility", None, "NONE", None)


@pytest.mark.parametrize("estimator", ["sample", "ledoit_wolf", "pca"])
def test_estimator_of_a_cell_is_that_of_the_universes_returns(excel, panel, store, estimator):
    held = parse_holdings(RANGE, panel, panel.as_of, saved=store.portfolio).weights
    past = panel.returns.tail(252).loc[:, panel.close.iloc[-1].notna()]
    known = past.loc[:, past.notna().mean() >= 0.95].fillna(0.0)
    cov = estimate_covariance(known, estimator).cov.loc[held.index, held.index].to_numpy()
    expected = np.sqrt(252 * held @ cov @ held)
    options = f"estimator={estimator};lookback=252"
    assert float(excel("risk", *ASKED, options)[0][0]) == pytest.approx(expected, rel=1e-9)
    table = frame(excel("risk_table", RANGE, "position", None, "NONE", None, options))
    assert float(table["ctr"].iloc[-1]) == pytest.approx(expected, rel=1e-9)
    page = frame(excel("summary", RANGE, "NONE", None, options)).set_index("measure")
    assert float(page.loc["volatility", "portfolio"]) == pytest.approx(expected, rel=1e-9)


def test_table_says_what_an_estimator_left_out_and_that_it_has_no_factors(excel):
    table = frame(excel("risk_table", RANGE, "factor", None, "NONE", None, "estimator=oas"))
    assert table["name"].tolist() == ["Specific", "Total"]
    assert "too few returns in the lookback" in table["note"].iloc[0]
    assert "oas has no factors" in " ".join(table["note"])


def test_components_of_pca_are_rows_of_the_table(excel):
    table = frame(excel("risk_table", RANGE, "factor", None, "NONE", None, "estimator=pca"))
    assert table["name"].iloc[0] == "Component 1"
    assert table["group"].iloc[0] == "statistical"


def test_misspelt_estimator_names_the_nearest(excel):
    cell, message = excel.error("risk", *ASKED, "estimator=ledoit")
    assert cell == "#VALUE!"
    assert "Did you mean 'ledoit_wolf'" in message


def test_health_judges_this_portfolio_beside_factors_and_others(excel):
    table = frame(excel("risk_table", "SAMPLE", "health")).set_index("measure")
    biases = table[table.index.str.startswith("bias_")]
    assert {"bias_factors", "bias_random", "bias_optimized", "bias_portfolio"} <= {*biases.index}
    value, low, high = (biases[c].astype(float) for c in ("value", "low", "high"))
    right = value.between(low, high)
    assert (biases["verdict"].eq("in the band") == right).all()
    assert low.between(0.9, 1).all()
    assert 0 < float(table.loc["factors_per_day", "value"]) < 0.2
    assert f"{right.sum()} of {len(right)}" in table["verdict"].iloc[-1]
    assert "to 2017-06-30" in table["note"].iloc[0]


def test_health_of_an_early_date_knows_no_later_day(excel):
    table = frame(excel("risk_table", "SAMPLE", "health", "2014-12-31")).set_index("measure")
    assert "to 2014-12-31" in table["note"].iloc[0]
    # fewer days, a wider band
    assert float(table.loc["bias_universe", "high"]) > 1.06


def test_health_before_the_first_forecast_names_its_date(excel):
    cell, message = excel.error("risk_table", "SAMPLE", "health", "2013-06-14")
    assert cell == "#N/A"
    assert "No forecast to judge on 2013-06-14; the first was made on 2013-" in message


def test_health_of_another_estimator_is_refused(excel):
    _, message = excel.error("risk_table", "SAMPLE", "health", None, None, None, "estimator=oas")
    assert "by=health judges the factor model" in message
