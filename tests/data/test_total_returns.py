import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.data.returns import (
    Market,
    distribution_index,
    market_of,
    share_growth,
    total_returns,
)

DATES = pd.bdate_range("2020-01-01", periods=4)


def one(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"A": values}, index=DATES[: len(values)])


def market(close: list[float], dividend: list[float], split: list[float]) -> Market:
    return Market(one(close), one([1.0] * len(close)), one(dividend), one(split))


def test_a_return_without_events_is_the_price_change():
    r = total_returns(one([100, 110, 99]), one([0, 0, 0]), one([1, 1, 1]))
    np.testing.assert_allclose(r["A"], [np.nan, 0.1, -0.1], atol=1e-15)


def test_a_dividend_is_worth_what_the_price_falls():
    r = total_returns(one([100, 98]), one([0, 2]), one([1, 1]))
    assert r["A"].iloc[1] == 0


def test_a_split_changes_nothing_for_the_holder():
    r = total_returns(one([140, 20]), one([0, 0]), one([1, 7]))
    assert r["A"].iloc[1] == 0


def test_a_dividend_on_a_split_day_is_paid_on_the_new_shares():
    # 100 shares at 30 become 50 at 61 and 50 times 1 in cash: 3100 from 3000
    r = total_returns(one([30, 61]), one([0, 1]), one([1, 0.5]))
    assert r["A"].iloc[1] == pytest.approx(3100 / 3000 - 1, abs=1e-15)


def test_no_price_means_no_return_on_that_day_and_the_next():
    r = total_returns(one([10, np.nan, 11, 12]), one([0] * 4), one([1] * 4))
    assert r["A"].isna().tolist() == [True, True, True, False]


@given(
    st.lists(st.floats(1, 1000), min_size=3, max_size=3),
    st.lists(st.floats(0, 5), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=3, max_size=3),
)
def test_returns_are_the_wealth_of_a_holder_who_reinvests(close, dividend, split):
    r = total_returns(one(close), one(dividend), one(split))
    shares, wealth = 1.0, close[0]
    for t in (1, 2):
        shares *= split[t]
        shares += shares * dividend[t] / close[t]  # buys more at the close
        wealth = shares * close[t]
    assert np.prod(1 + r["A"].iloc[1:]) == pytest.approx(wealth / close[0], rel=1e-12)


def test_shares_grow_with_splits():
    assert share_growth(one([1, 2, 1, 0.5]))["A"].tolist() == [1, 2, 2, 1]


def test_a_spin_off_is_undone_in_the_company_index_but_a_dividend_is_not():
    # half of the company goes out at a third day's 50; the ordinary dividend of 2 stays a fall
    made = distribution_index(market([100, 98, 49], [0, 2, 49], [1, 1, 1]))
    np.testing.assert_allclose(made["A"], [100, 98, 98])


def test_a_split_leaves_the_company_index_alone():
    made = distribution_index(market([100, 25], [0, 0], [1, 4]))
    assert made["A"].tolist() == [100, 100]


def test_long_prices_become_dates_by_assets_with_quiet_days_filled():
    long = pd.DataFrame(
        {
            "date": [DATES[0], DATES[1], DATES[1]],
            "ticker": ["B", "A", "B"],
            "close": [1.0, 2.0, 3.0],
            "volume": [10.0, 20.0, 30.0],
            "dividend": [np.nan, 0.5, np.nan],
            "split": [np.nan, np.nan, 2.0],
        }
    )
    made = market_of(long)
    assert made.close.columns.tolist() == ["A", "B"]
    np.testing.assert_array_equal(made.close, [[np.nan, 1], [2, 3]])
    np.testing.assert_array_equal(made.dividend, [[0, 0], [0.5, 0]])
    np.testing.assert_array_equal(made.split, [[1, 1], [1, 2]])
