"""Ledgers of three stocks and four days, with every cash flow written out."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.run import backtest
from tilt.backtest.strategy import DatedWeights, FixedWeights
from tilt.errors import ArgumentError

FREE = Costs(cost_bps=0.0)


def run(panel, strategy, **options):
    given = {"benchmark": "none", "costs": FREE, "start": panel.dates[1], **options}
    return backtest(panel, strategy, **given)


def fixed(**weights):
    return FixedWeights(pd.Series(weights, dtype=float))


def test_every_cash_flow_of_three_stocks_and_four_days(build):
    # Day 0 decides, day 1 fills; day 2 decides again by its own date, day 3 fills.
    panel = build(
        [[0, 0, 0], [0.01, 0.02, 0.03], [0.10, -0.05, 0.02], [0.04, 0.10, -0.10], [0.05, 0.02, 0.0]]
    )
    weights = pd.DataFrame(
        {"A": [0.5, 0.2], "B": [0.3, 0.2], "C": [0.0, 0.5]}, index=panel.dates[[0, 2]]
    )
    costs = Costs(cost_bps=20.0)
    result = run(panel, DatedWeights(weights), costs=costs, cash_rate=1.0005**252 - 1)

    # Day 1, the fill: buy 0.5 of A and 0.3 of B from a capital of 1.
    a, b, c = 0.5, 0.3, 0.0
    cash = 1 - 0.8 - 0.002 * 0.8
    nav_1 = cash + a + b
    assert nav_1 == pytest.approx(0.9984)
    # Day 2: drift, and 5 basis points on cash.
    a, b, cash = a * 1.10, b * 0.95, cash * 1.0005
    nav_2 = a + b + cash
    # Day 3: drift first, then the fill of day 2's decision at the close.
    a, b, cash = a * 1.04, b * 1.10, cash * 1.0005
    before = a + b + cash
    traded = [0.2 * before - a, 0.2 * before - b, 0.5 * before - c]
    cost = 0.002 * sum(abs(x) for x in traded)
    cash = cash - sum(traded) - cost
    a, b, c = 0.2 * before, 0.2 * before, 0.5 * before
    nav_3 = a + b + c + cash
    assert nav_3 == pytest.approx(before - cost, abs=1e-15)
    # Day 4: drift.
    nav_4 = a * 1.05 + b * 1.02 + c * 1.0 + cash * 1.0005

    series = result.series
    np.testing.assert_allclose(series["nav"], [nav_1, nav_2, nav_3, nav_4], rtol=0, atol=1e-14)
    turnover = (sum(abs(x) for x in traded) + abs(sum(traded))) / 2 / before
    np.testing.assert_allclose(series["turnover"], [0.8, 0, turnover, 0], atol=1e-14)
    np.testing.assert_allclose(series["cost"], [0.0016, 0, cost / nav_2, 0], rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(
        series["gross_return"].iloc[2], (nav_3 + cost) / nav_2 - 1, rtol=1e-12
    )
    trades = result.trades.set_index(["date", "ticker"])["trade"]
    day_3 = panel.dates[3]
    for name, x in zip("ABC", traded, strict=True):
        assert trades[day_3, name] == pytest.approx(x / before, abs=1e-14)
    held = result.weights.set_index(["date", "ticker"])["weight"]
    assert held[day_3, "C"] == pytest.approx(c / nav_3, abs=1e-14)


def test_a_short_pays_its_fee_each_day_and_its_proceeds_earn_cash(build):
    panel = build([[0, 0], [0, 0], [0.02, 0.10], [0.01, -0.10], [0.0, 0.05]])
    costs = Costs(cost_bps=0.0, borrow=0.0252)  # a basis point a day
    result = run(panel, fixed(A=1.0, B=-0.5), costs=costs, cash_rate=1.0002**252 - 1, rebalance="Y")
    a, b, cash = 1.0, -0.5, 0.5
    nav = [1.0]
    for up, down in ((0.02, 0.10), (0.01, -0.10), (0.0, 0.05)):
        cash = cash * 1.0002 - 0.0001 * -b
        a, b = a * (1 + up), b * (1 + down)
        nav.append(a + b + cash)
    np.testing.assert_allclose(result.series["nav"], nav, atol=1e-14)
    fees = result.view("costs")
    assert fees["borrow"].to_list() == pytest.approx(
        [0.00005 / nav[0], 0.000055 / nav[1], 0.0000495 / nav[2]]
    )
    assert list(fees.columns) == ["date", "linear", "spread", "impact", "borrow", "total"]


def test_a_delisted_name_is_sold_at_its_last_price(build):
    gone = np.array([[1, 1]] * 3 + [[1, 0]] * 2, dtype=bool)
    panel = build([[0, 0], [0, 0], [0.1, 0.2], [0.1, np.nan], [0.1, np.nan]], priced=gone)
    result = run(panel, fixed(A=0.5, B=0.5), cash_rate=1.001**252 - 1, rebalance="Y")
    sold = 0.5 * 1.2
    nav = [1.0, 0.55 + sold, 0.605 + sold, 0.6655 + sold * 1.001]
    np.testing.assert_allclose(result.series["nav"], nav, atol=1e-14)
    last = result.trades.iloc[-1]
    assert (last["ticker"], last["reason"]) == ("B", "delisted")
    assert last["date"] == panel.dates[3]
    assert last["price"] == panel.close["B"].iloc[2]
    facts = result.assumptions.set_index("item")["value"]
    assert facts["delisted"] == "B sold at the last price, without costs"


def test_a_missing_return_counts_as_zero_and_is_reported(build):
    there = np.ones((5, 2), dtype=bool)
    there[2, 1] = False
    panel = build([[0, 0], [0, 0], [0.1, np.nan], [0.1, 0.1], [0.1, 0.1]], priced=there)
    result = run(panel, fixed(A=0.5, B=0.5), rebalance="Y")
    np.testing.assert_allclose(result.series["nav"].iloc[1], 0.55 + 0.5, atol=1e-14)
    np.testing.assert_allclose(result.series["nav"].iloc[2], 0.605 + 0.55, atol=1e-14)
    facts = result.assumptions.set_index("item")["value"]
    assert facts["missing returns"] == "1 counted as zero, of B"


def test_what_has_no_price_at_the_fill_stays_in_cash_and_is_reported(build):
    there = np.ones((5, 2), dtype=bool)
    there[:3, 1] = False
    panel = build([[0, 0], [0, np.nan], [0.1, np.nan], [0.1, 0.1], [0.1, 0.1]], priced=there)
    result = run(panel, fixed(A=0.5, B=0.5), rebalance="Y")
    np.testing.assert_allclose(result.series["cash"].iloc[0], 0.5, atol=1e-14)
    assert result.weights["ticker"].to_list() == ["A"]
    facts = result.assumptions.set_index("item")["value"]
    assert facts["not filled"].startswith("B had no price at 1 fills")


def test_spread_and_impact_follow_the_formula(build):
    rng = np.random.default_rng(0)
    r = 0.01 * rng.standard_normal((60, 2))
    panel = build(r, volume=np.array([1e6, 5e6]))
    costs = Costs(cost_bps=3.0, spread=0.001, impact=0.7, capital=5e7)
    result = run(panel, fixed(A=0.6, B=0.4), costs=costs, start=panel.dates[50], rebalance="Y")
    expected = 0.0
    for name, x in (("A", 0.6), ("B", 0.4)):
        money = (panel.close[name] * panel.volume[name]).iloc[30:50].mean()
        sigma = panel.returns[name].iloc[:50].tail(63).std(ddof=1)
        adv = money / costs.capital
        expected += 3e-4 * x + 0.001 / 2 * x + 0.7 * sigma * x**1.5 / adv**0.5
    assert result.series["cost"].iloc[0] == pytest.approx(expected, rel=1e-12)
    assert result.series["nav"].iloc[0] == pytest.approx(1 - expected, rel=1e-12)


def test_a_lag_of_zero_fills_at_the_decision_and_says_that_it_looks_ahead(build):
    panel = build([[0.0, 0.0], [0.1, 0.0], [0.1, 0.0]])
    result = run(panel, fixed(A=1.0), lag=0, start=panel.dates[0], rebalance="Y")
    np.testing.assert_allclose(result.series["nav"], [1.0, 1.1, 1.21], atol=1e-14)
    assert "LOOK-AHEAD" in result.assumptions["item"].to_list()


def test_a_longer_lag_fills_later(build):
    panel = build(np.zeros((8, 2)) + 0.01)
    weights = pd.DataFrame({"A": [1.0, 0.0], "B": [0.0, 1.0]}, index=panel.dates[[0, 4]])
    result = run(panel, DatedWeights(weights), lag=2, start=panel.dates[2])
    assert sorted(set(result.trades["date"])) == [panel.dates[2], panel.dates[6]]


def test_drift_trades_only_when_a_weight_is_off_by_the_threshold(build):
    panel = build([[0, 0], [0, 0], [0.05, 0], [0.05, 0], [0.15, 0], [0.0, 0], [0, 0]])
    result = run(panel, fixed(A=0.5, B=0.5), rebalance="drift:0.05")
    # weights of A: 0.5122, 0.5244 and 0.5591 at the close of day 4, so the fill is on day 5
    assert sorted(set(result.trades["date"])) == [panel.dates[1], panel.dates[5]]
    held = result.weights[result.weights["date"] == panel.dates[5]]
    assert held["weight"].to_list() == pytest.approx([0.5, 0.5])


def test_a_book_that_loses_everything_says_when(build):
    panel = build([[0, 0], [0, 0], [-0.6, 0.0], [0, 0]])
    with pytest.raises(ArgumentError, match="has lost all its capital by 2015-01-07"):
        run(panel, fixed(A=2.0), rebalance="D")
