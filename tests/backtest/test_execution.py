"""Trades that are left out or rounded, and the pure portfolio of a factor."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.execution import Execution
from tilt.backtest.factor_strategies import Pure
from tilt.backtest.ledger import keep_books, keep_books_daily
from tilt.backtest.market import window
from tilt.backtest.run import backtest
from tilt.backtest.strategy import EqualWeight, FixedWeights
from tilt.errors import ArgumentError

FREE = Costs(cost_bps=0.0)


def run(panel, execution, *, costs=FREE, rebalance="D", **weights):
    strategy = FixedWeights(pd.Series(weights, dtype=float))
    return backtest(
        panel, strategy, start=panel.dates[1], rebalance=rebalance, benchmark="none", costs=costs,
        execution=execution,
    )  # fmt: skip


def test_a_trade_under_the_least_is_left_out_and_the_money_stays_in_cash(build):
    panel = build([[0, 0], [0, 0], [0.02, 0.0], [0.0, 0.0], [0.4, 0.0], [0.0, 0.0]])
    result = run(panel, Execution(min_trade=0.05), A=0.5, B=0.5)
    # 2 % apart is half a per cent to trade; 40 % is eight
    assert sorted(set(result.trades["date"])) == [panel.dates[1], panel.dates[4]]
    assert result.trades["trade"].abs().min() >= 0.05
    facts = result.assumptions.set_index("item")["value"]
    assert facts["trades"] == "no trade under 5 % of capital, but to close"


def test_a_small_position_is_still_closed(build):
    panel = build(np.zeros((6, 2)))
    market = window(panel, 1, 5)
    targets = {0: np.array([0.97, 0.03]), 2: np.array([1.0, 0.0])}
    ledger = keep_books(
        market, [0, 2], lambda row, _: targets[row], lag=0, cash_rate=0.0, costs=FREE,
        execution=Execution(min_trade=0.05),
    )  # fmt: skip
    assert ledger.positions[0].tolist() == [0.97, 0.0]  # too small to open
    targets[0] = np.array([0.9, 0.1])
    ledger = keep_books(
        market, [0, 2], lambda row, _: targets[row], lag=0, cash_rate=0.0, costs=FREE,
        execution=Execution(min_trade=0.2),
    )  # fmt: skip
    assert ledger.positions[0].tolist() == [0.9, 0.0]


def test_whole_shares_by_hand(build):
    panel = build([[0, 0], [0, 0], [0.0, 0.0]])  # both close at 100
    costs = Costs(cost_bps=0.0, capital=1_050.0)
    result = run(panel, Execution(whole_shares=True), costs=costs, rebalance="Y", A=0.5, B=0.5)
    # 525 in each buys five shares at 100: 50 stay in cash
    first = result.ledger
    np.testing.assert_allclose(first.positions[0] * 1_050.0, [500.0, 500.0], atol=1e-9)
    assert first.cash[0] * 1_050.0 == pytest.approx(50.0)
    assert "whole shares at the unadjusted close" in result.assumptions["value"].to_list()


def test_every_trade_is_a_whole_number_of_shares_or_closes(market):
    costs = Costs(cost_bps=0.0, capital=1e6)
    result = backtest(
        market, EqualWeight(), start=market.dates[300], costs=costs, benchmark="none",
        execution=Execution(whole_shares=True),
    )  # fmt: skip
    for trades in result.ledger.trades:
        price = result.market.close[trades.row, trades.asset]
        count = trades.trade * costs.capital / price
        closed = np.isclose(trades.before + trades.trade, 0.0, atol=1e-15)
        assert (np.abs(count - np.rint(count)) < 1e-6)[~closed].all()
    held = result.series["cash"]
    assert (held > -1e-9).all()  # rounding down never borrows


@pytest.mark.parametrize("seed", range(4))
def test_both_simulators_round_alike(build, seed):
    rng = np.random.default_rng(seed)
    panel = build(0.02 * rng.standard_normal((30, 4)))
    costs = Costs(cost_bps=5.0, capital=20_000.0)
    market = window(panel, 0, 29)
    asked = {d: rng.dirichlet(np.ones(4)) for d in (0, 7, 15, 22)}
    options = {
        "lag": 0, "cash_rate": 0.0, "costs": costs,
        "execution": Execution(min_trade=0.02, whole_shares=True),
    }  # fmt: skip
    fast = keep_books(market, list(asked), lambda row, _: asked[row], **options)
    slow = keep_books_daily(
        market, lambda row, *_: row in asked and row > 0, lambda row, _: asked[row], **options
    )
    np.testing.assert_allclose(fast.nav, slow.nav, atol=1e-12)
    np.testing.assert_allclose(fast.positions, slow.positions, atol=1e-12)


def test_the_least_trade_is_a_fraction():
    with pytest.raises(ArgumentError, match="fraction of capital from 0 to 1; got 5"):
        Execution(min_trade=5)


def test_the_pure_portfolio_earns_the_factors_return(market):
    first, last = market.dates[300], market.dates[370]
    result = backtest(
        market, Pure("Momentum"), start=first, end=last, rebalance="D", lag=0, costs=FREE,
        benchmark="none",
    )  # fmt: skip
    factor = market.factors.returns["Momentum"].loc[result.returns.index]
    np.testing.assert_allclose(result.returns, factor, atol=1e-12)


def test_the_pure_portfolio_has_unit_exposure_and_none_to_the_others(market):
    weights = Pure("value").weights(market.until(market.dates[400]), pd.Series(dtype=float))
    exposures = market.factors.exposures(market.dates[400]).reindex(weights.index)
    found = weights @ exposures
    styles = market.factors.style_names
    assert found["Value"] == pytest.approx(1.0, abs=1e-10)
    assert found[styles].drop("Value").abs().max() < 1e-10
    assert weights.sum() == pytest.approx(0.0, abs=1e-12)
