"""Two portfolios side by side, what a trade changes, and a portfolio on a page."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, UnknownNameError
from tilt.portfolio.compare import compare, summary, traded, what_if
from tilt.risk.measures import exposure, risk_measure
from tilt.risk.model import RiskModel

NAMES = ["A", "B", "C", "D"]


@pytest.fixture(scope="module")
def model():
    factors = pd.Index(["Market", "Tech", "Oil", "Value"])
    x = pd.DataFrame(
        [[1, 1, 0, 0.5], [1, 1, 0, -1.0], [1, 0, 1, 2.0], [1, 0, 1, 0.0]],
        NAMES,
        factors,
        dtype=float,
    )
    return RiskModel(
        universe="U",
        snapshot="s",
        date=pd.Timestamp("2020-01-31"),
        horizon="short",
        exposures=x,
        factor_cov=pd.DataFrame(np.diag([1e-4, 2e-5, 3e-5, 4e-6]), factors, factors),
        specific_var=pd.Series(1e-4, NAMES),
        groups=pd.Series(["market", "sector", "sector", "style"], factors),
        notes=(),
    )


def w(**held):
    return pd.Series(held, dtype=float)


def test_positions_stand_side_by_side_largest_difference_first(model):
    table = compare(model, w(A=0.6, B=0.4), w(B=0.5, C=0.3))
    assert list(table["name"]) == ["A", "C", "CASH", "B", "active_share", "overlap", "turnover"]
    rows = table.set_index("name")
    assert rows.loc["CASH", "b"] == pytest.approx(0.2)
    np.testing.assert_allclose(rows["difference"].iloc[:4], [0.6, -0.3, -0.2, -0.1], atol=1e-12)


def test_active_share_turnover_and_overlap_by_hand(model):
    rows = compare(model, w(A=0.6, B=0.4), w(B=0.5, C=0.3)).set_index("name")["difference"]
    assert rows["active_share"] == pytest.approx((0.6 + 0.3 + 0.2 + 0.1) / 2)
    assert rows["turnover"] == rows["active_share"]
    assert rows["overlap"] == pytest.approx(0.4)


@settings(max_examples=50)
@given(
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_long_only_overlap_is_what_active_share_leaves(model, one, two):
    a, b = (pd.Series(v, NAMES) / max(sum(v), 1.0) for v in (one, two))
    rows = compare(model, a, b).set_index("name")["difference"]
    assert rows["overlap"] == pytest.approx(1 - rows["active_share"], abs=1e-9)


def test_a_long_and_a_short_of_the_same_name_do_not_overlap(model):
    rows = compare(model, w(A=1.0, B=-0.5), w(A=0.5, B=0.5)).set_index("name")["difference"]
    assert rows["overlap"] == pytest.approx(0.5)


def test_sectors_are_sums_and_names_without_one_are_said(model):
    sectors = pd.Series({"A": "Tech", "B": "Tech", "C": "Oil", "D": ""})
    rows = compare(model, w(A=0.3, B=0.3, D=0.4), w(C=1.0), by="sector", sectors=sectors)
    found = rows.set_index("name")["a"]
    assert found["Tech"] == pytest.approx(0.6)
    assert found["No sector"] == pytest.approx(0.4)


def test_factors_and_risk_are_the_engines_own_figures(model):
    a, b = w(A=0.5, C=0.5), w(B=1.0)
    by_factor = compare(model, a, b, by="factor").set_index("name")
    assert by_factor.loc["Value", "a"] == pytest.approx(exposure(model, a, "Value"))
    by_risk = compare(model, a, b, by="risk").set_index("name")
    assert by_risk.loc["volatility", "b"] == pytest.approx(
        risk_measure(model, b, None, "volatility")
    )


def test_a_portfolio_compared_with_itself_differs_in_nothing(model):
    for by in ("position", "sector", "factor", "risk"):
        table = compare(model, w(A=0.5, B=0.5), w(A=0.5, B=0.5), by=by)
        assert table["difference"].iloc[:-3].fillna(0.0).eq(0.0).all()
        assert list(table["difference"].iloc[-3:]) == [0.0, pytest.approx(1.0), 0.0]


def test_a_trade_from_cash_changes_one_weight(model):
    after = traded(model, w(A=0.5, B=0.3), {"A": -0.1, "C": 0.2})
    pd.testing.assert_series_equal(after, w(A=0.4, B=0.3, C=0.2))


def test_a_trade_pro_rata_keeps_the_sum_and_the_proportions_of_the_rest(model):
    after = traded(model, w(A=0.5, B=0.3, D=0.2), {"C": 0.1}, fund="prorata")
    assert after.sum() == pytest.approx(1.0)
    assert after["A"] / after["B"] == pytest.approx(0.5 / 0.3)
    assert after["C"] == pytest.approx(0.1)


def test_a_position_sold_whole_is_gone(model):
    assert list(traded(model, w(A=0.5, B=0.3), {"A": -0.5}).index) == ["B"]


def test_before_and_after_are_the_measures_of_the_two_portfolios(model):
    benchmark = w(A=0.25, B=0.25, C=0.25, D=0.25)
    held, trades = w(A=0.5, B=0.5), {"A": -0.2, "C": 0.2}
    rows = what_if(model, held, trades, benchmark).set_index("measure")
    after = w(A=0.3, B=0.5, C=0.2)
    for name in ("volatility", "tracking_error", "beta", "active_share"):
        assert rows.loc[name, "before"] == pytest.approx(risk_measure(model, held, benchmark, name))
        assert rows.loc[name, "after"] == pytest.approx(risk_measure(model, after, benchmark, name))
    assert rows.loc["turnover", "after"] == pytest.approx(0.2)
    gap = exposure(model, after, "Value") - exposure(model, benchmark, "Value")
    assert rows.loc["Value", "after"] == pytest.approx(gap)
    np.testing.assert_allclose(rows["change"], rows["after"] - rows["before"])


def test_buying_with_cash_counts_cash_in_turnover_once(model):
    rows = what_if(model, w(A=0.5), {"B": 0.2}, None).set_index("measure")
    assert rows.loc["turnover", "after"] == pytest.approx(0.2)
    assert rows.loc["cash", "change"] == pytest.approx(-0.2)


@pytest.mark.parametrize("trades", [{}, {"A": 0.0}])
def test_no_trade_is_refused(model, trades):
    with pytest.raises(ArgumentError, match="There is no trade"):
        what_if(model, w(A=1.0), trades, None)


def test_an_unknown_ticker_is_refused(model):
    with pytest.raises(UnknownNameError, match="'E' has no risk data"):
        what_if(model, w(A=1.0), {"E": 0.1}, None)


def test_nothing_left_to_pay_pro_rata_is_refused(model):
    with pytest.raises(ArgumentError, match="use fund=cash"):
        traded(model, w(A=1.0), {"A": -0.5}, fund="prorata")


def test_a_page_has_the_weighted_size_and_the_concentration(model):
    caps, adv = w(A=100.0, B=300.0, C=50.0), w(A=1.0, B=1.0, C=1.0, D=1.0)
    page = summary(model, w(A=0.5, B=0.3, D=0.1), w(C=1.0), caps=caps, adv=adv).set_index("measure")
    assert page.loc["weighted_market_cap", "portfolio"] == pytest.approx((50 + 90) / 0.8)
    assert page.loc["cash", "portfolio"] == pytest.approx(0.1)
    assert page.loc["names", "portfolio"] == 3
    assert page.loc["top_10", "portfolio"] == pytest.approx(0.9)
    assert np.isnan(page.loc["tracking_error", "benchmark"])
    assert page.loc["beta", "benchmark"] == pytest.approx(1.0)
    assert page.loc["Value", "active"] == pytest.approx(0.25 - 0.3 - 2.0)


def test_a_page_without_a_benchmark_has_an_empty_column(model):
    page = summary(model, w(A=1.0), None, caps=w(A=1.0), adv=w(A=1.0)).set_index("measure")
    assert page["benchmark"].isna().all()
    assert page.loc["volatility", "portfolio"] > 0
