"""What a backtest does not keep follows from what it keeps: a plain loop over days and names."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs, Liquidity, by_name, charge
from tilt.backtest.ledger import keep_given_books
from tilt.backtest.market import DAYS, NAMES, ByDay, window
from tilt.backtest.run import backtest
from tilt.backtest.strategy import DatedWeights
from tilt.backtest.trades import DELISTED
from tilt.errors import ArgumentError

COSTS = Costs(cost_bps=15.0, spread=0.001, impact=0.5, borrow=0.02, capital=1e7)


def full_of_holes(build, *, days, names, seed=0):
    rng = np.random.default_rng(seed)
    r = 0.03 * rng.standard_normal((days, names))
    priced = np.ones((days, names), dtype=bool)
    priced[days // 3 : days // 3 + 4, 0] = False  # a hole
    priced[days // 2 :, 1] = False  # ends for good
    priced[: days // 4, 2] = False  # begins late
    r[~priced] = np.nan
    return build(r, priced=priced, volume=rng.uniform(1e4, 1e6, (days, names)))


def by_hand(panel, asked, slope):
    """Yield day, name, value before, trade, cost of every trade, one name after the other.

    slope : of the impact, dates × names
    """
    r, close = panel.returns.to_numpy(), panel.close.to_numpy()
    cash, held = 1.0, [0.0] * r.shape[1]
    for day in range(len(r)):
        cash -= COSTS.borrow / 252 * sum(-value for value in held if value < 0)
        held = [v * (1 if np.isnan(x) else 1 + x) for v, x in zip(held, r[day], strict=True)]
        for name, value in enumerate(held):
            if np.isnan(close[day:, name]).all() and value:
                cash, held[name] = cash + value, 0.0
                yield day, name, value, -value, 0.0
        if day in asked:
            worth = cash + sum(held)
            for name, value in enumerate(held):
                trade = asked[day][name] * worth - value
                if np.isnan(close[day, name]) or not trade:
                    continue
                size = abs(trade)
                cost = (15e-4 + 0.0005) * size + 0.5 * slope[day, name] * size**1.5
                cash, held[name] = cash - trade - cost, value + trade
                yield day, name, value, trade, cost


@pytest.mark.parametrize("seed", range(4))
def test_what_was_held_before_each_trade_and_its_cost_are_those_of_a_plain_loop(build, seed):
    panel = full_of_holes(build, days=48, names=5, seed=seed)
    rng = np.random.default_rng(seed)
    market = window(panel, 0, 47, Liquidity(rng.uniform(0.001, 0.05, (48, 5)), first=0))
    fills = [0, 1, 2, 7, 17, 18, 24, 25, 40]  # rows after each other, drifts, a day of an end
    asked = {row: rng.dirichlet(np.ones(5)) * 1.3 - 0.06 for row in fills}
    asked[18][3] = 0.0
    ledger = keep_given_books(market, fills, asked.__getitem__, lag=0, cash_rate=0.0, costs=COSTS)
    found = [
        (t.row, *of)
        for t in ledger.trades
        for of in zip(t.asset, t.before, t.trade, t.cost, strict=True)
    ]
    expected = list(by_hand(panel, asked, market.slope))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert [t.row for t in ledger.trades if t.reason == DELISTED] == [24]
    assert ledger.trades[-1].nav == pytest.approx(ledger.nav[40] + ledger.trades[-1].cost.sum())


def test_costs_by_name_add_up_to_what_is_charged():
    rng = np.random.default_rng(1)
    trade, slope = rng.normal(0, 0.02, 50), rng.uniform(0, 3, 50)
    for costs, steep in ((COSTS, slope), (Costs(spread=0.004), None), (Costs(), None)):
        moved, paid = charge(trade, costs, steep)
        assert moved == pytest.approx(np.abs(trade).sum(), rel=1e-14)
        assert by_name(trade, costs, steep).sum() == pytest.approx(sum(paid), rel=1e-12)


def test_what_is_charged_does_not_depend_on_where_in_memory_the_trades_are():
    rng = np.random.default_rng(3)
    trade, slope = rng.normal(0, 0.02, 501), rng.uniform(0, 3, 501)
    room = np.empty(len(trade) + 8)
    charged = set()
    for first in range(8):  # each alignment to what a processor reads at once
        moved = room[first : first + len(trade)]
        moved[:] = trade
        total, paid = charge(moved, COSTS, slope)
        charged.add((total, *paid, moved.dot(np.ones(len(trade)))))
    assert len(charged) == 1


def test_days_are_the_same_however_their_growth_is_read(build):
    days = 2 * DAYS + 3  # turned in three pieces
    panel = full_of_holes(build, days=days, names=4)
    market = window(panel, 0, days - 1)
    r = panel.returns.to_numpy()
    expected = np.where(np.isnan(r), 1.0, 1.0 + r)
    np.testing.assert_array_equal(market.growth, expected)
    for known in (market, market.for_many_books()):
        reader = ByDay(known)
        for row in (0, 1, DAYS + 7, DAYS - 1, 5, days - 1):  # not always the next day
            np.testing.assert_array_equal(reader[row], expected[row])
        passed = [day.copy() for day in ByDay(known).days(DAYS - 2, days)]
        np.testing.assert_array_equal(passed, expected[DAYS - 2 :])
        np.testing.assert_array_equal(
            known.growth_of(slice(2, None), np.array([2, 0])), expected[2:, [2, 0]]
        )


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_day_is_whole_whichever_way_a_wide_panel_lies(build, order):
    panel = build(np.zeros((3, 1)))
    values = np.random.default_rng(2).normal(0, 0.01, (3, NAMES + 5))
    names = pd.Index([f"N{i}" for i in range(NAMES + 5)])
    returns = pd.DataFrame(np.array(values, order=order), panel.dates, names, copy=False)
    market = window(replace(panel, returns=returns, close=returns + 100.0), 0, 2)
    assert market.complete
    assert market.whole.all()
    np.testing.assert_array_equal(market.growth, 1.0 + values)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_return_that_is_no_number_is_missing_wherever_it_hides(build, value):
    panel = build(np.zeros((6, 3)))
    panel.returns.iloc[4, 1] = value
    market = window(panel, 0, 5)
    assert np.argwhere(market.missing).tolist() == [[4, 1]]
    assert market.growth[4, 1] == 1.0
    assert market.whole.sum() == 6


def test_prices_that_no_sum_can_hold_are_prices_and_infinite_ones_are_none(build):
    panel = build(np.zeros((4, 3)))
    panel.close.loc[:, "A"] = 1.7e308  # their sum is no number
    panel.close.loc[panel.dates[2], "B"] = np.inf
    market = window(panel, 0, 3)
    assert np.argwhere(~market.priced).tolist() == [[2, 1]]
    assert market.whole.tolist() == [True, True, False, True]


def test_all_may_be_lost_in_a_day_but_no_more(build):
    r = np.zeros((4, 3))
    r[2, 1] = -1.0
    assert window(build(r), 0, 3).growth[2, 1] == 0.0
    r[2, 1] = -1.0001
    with pytest.raises(ArgumentError, match=r"return of B on 2015-01-07 is -1, a loss above 100 %"):
        window(build(r), 0, 3)


@pytest.mark.parametrize("bad", [(np.nan, 0.5), (np.inf, -np.inf)])
def test_a_weight_that_is_no_number_is_refused_on_its_date(build, bad):
    panel = build(np.zeros((6, 2)))
    weights = pd.DataFrame([[0.5, 0.5], bad], panel.dates[[0, 2]], ["A", "B"])
    with pytest.raises(ArgumentError, match="no number on 2015-01-07"):
        backtest(panel, DatedWeights(weights), benchmark="none")
