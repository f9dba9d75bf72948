"""Laws of a backtest: two simulators agree, wealth is conserved, the future moves nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.backtest.benchmark import universe_returns
from tilt.backtest.costs import Costs, Liquidity
from tilt.backtest.factor_strategies import Spread
from tilt.backtest.ledger import PAGE, keep_books, keep_books_daily, keep_given_books
from tilt.backtest.market import DAYS, window
from tilt.backtest.run import backtest, decision_dates
from tilt.backtest.strategy import (
    CapWeight,
    DatedWeights,
    EqualWeight,
    FixedWeights,
    InverseVol,
)
from tilt.errors import ArgumentError, UnknownNameError

RICH = Costs(cost_bps=15.0, spread=0.001, impact=0.5, borrow=0.02, capital=1e7)


def random_market(build, seed, *, days=40, names=6):
    rng = np.random.default_rng(seed)
    r = 0.03 * rng.standard_normal((days, names))
    priced = np.ones((days, names), dtype=bool)
    for name in range(names - 1):
        if rng.random() < 0.4:  # ends for good
            priced[rng.integers(5, days) :, name] = False
        if rng.random() < 0.4:  # a hole
            at = int(rng.integers(2, days - 4))
            priced[at : at + 3, name] = False
    r[~priced] = np.nan
    return build(r, priced=priced, volume=rng.uniform(1e4, 1e6, (days, names)))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_fill_to_fill_equals_day_by_day(build, seed, lag):
    rng = np.random.default_rng(100 + seed)
    panel = random_market(build, seed)
    liquid = Liquidity(rng.uniform(0.001, 0.05, panel.close.shape), first=0)
    market = window(panel, lag, len(panel.dates) - 1, liquid)
    later = np.flatnonzero(rng.random(market.days) < 0.3)
    decisions = [-lag, *[int(d) for d in later if d > -lag and d + max(lag, 1) < market.days]]
    asked = {d: rng.dirichlet(np.ones(6)) * 1.3 - 0.05 for d in decisions}

    def decide(row, held):
        return asked[row] + 0.1 * held  # a decision that depends on the book

    options = {"lag": lag, "cash_rate": 0.0001, "costs": RICH}
    fast = keep_books(market, decisions, decide, **options)
    due = set(decisions)
    slow = keep_books_daily(market, lambda row, _held, _target: row in due, decide, **options)
    for name in ("positions", "cash", "charged", "turnover", "nav"):
        np.testing.assert_allclose(
            getattr(fast, name), getattr(slow, name), rtol=0, atol=1e-12, err_msg=name
        )
    assert [(t.row, t.reason, *t.asset) for t in fast.trades] == [
        (t.row, t.reason, *t.asset) for t in slow.trades
    ]
    for a, b in zip(fast.trades, slow.trades, strict=True):
        np.testing.assert_allclose(a.trade, b.trade, atol=1e-12)
        assert a.nav == pytest.approx(b.nav, abs=1e-12)


def test_given_targets_of_many_days_are_kept_and_every_trade_stays_on_record(build):
    # Records are written into a few large arrays, and days are turned in pieces, one after another.
    days = max(2 * PAGE, DAYS) + 5
    rng = np.random.default_rng(5)
    panel = build(0.02 * rng.standard_normal((days, 4)))
    costs = Costs(cost_bps=12.0, spread=0.002)
    market = window(panel, 1, days - 1)
    decisions = list(range(-1, market.days - 1))
    asked = {d: rng.dirichlet(np.ones(4)) for d in decisions}
    asked[3] = np.array([0.5, 0.5, 0.0, 0.0])
    asked[4] = np.array([0.4, 0.6, 0.0, 0.0])  # two names are not traded
    options = {"lag": 1, "cash_rate": 0.0001, "costs": costs}
    fast = keep_given_books(market, decisions, asked.__getitem__, **options)
    again = keep_books(market, decisions, lambda row, _held: asked[row], **options)
    due = set(decisions)
    slow = keep_books_daily(
        market, lambda row, *_: row in due, lambda row, _held: asked[row], **options
    )
    for name in ("positions", "cash", "charged", "turnover"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
    assert [len(t.asset) for t in fast.trades[3:7]] == [4, 4, 2, 4]
    for one, other in zip(fast.trades, slow.trades, strict=True):
        np.testing.assert_array_equal(fast.positions[one.row, one.asset], one.before + one.trade)
        np.testing.assert_array_equal(one.trade, other.trade)
        np.testing.assert_allclose(one.cost, (12e-4 + 0.001) * np.abs(one.trade), rtol=1e-13)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_wealth_is_conserved(build, seed):
    """What was earned by positions and cash less what was paid is the change of wealth."""
    panel = random_market(build, seed, days=60)
    weights = np.random.default_rng(seed).normal(0.2, 0.3, 6)
    target = pd.Series(weights / max(np.abs(weights).sum(), 1.0), index=panel.assets)
    rate = 0.0002
    result = backtest(
        panel,
        FixedWeights(target),
        start=panel.dates[30],
        rebalance="W",
        benchmark="none",
        costs=RICH,
        cash_rate=(1 + rate) ** 252 - 1,
    )
    ledger, growth = result.ledger, result.market.growth
    earned = (ledger.positions[:-1] * (growth[1:] - 1)).sum(axis=1) + rate * ledger.cash[:-1]
    paid = ledger.charged.sum(axis=1)
    assert ledger.nav[0] == pytest.approx(1 - paid[0], abs=1e-14)
    np.testing.assert_allclose(np.diff(ledger.nav), earned - paid[1:], atol=1e-12)


def test_costs_of_all_kinds_and_the_trades_add_up(market):
    result = backtest(market, Spread("Momentum", 5), costs=RICH)
    total = sum(float(t.cost.sum()) for t in result.ledger.trades)
    assert total == pytest.approx(result.ledger.charged[:, :3].sum(), rel=1e-12)
    table = result.view("costs")
    kinds = table[["linear", "spread", "impact", "borrow"]].sum(axis=1)
    np.testing.assert_allclose(kinds, table["total"], rtol=1e-12)
    assert (table[["linear", "borrow"]].sum() > 0).all()


@pytest.mark.parametrize(
    "strategy", [EqualWeight(), CapWeight(), InverseVol(), Spread("Value", 4)], ids=str
)
def test_shuffling_the_future_leaves_past_trades_unchanged(market, strategy):
    cut = 360
    start = market.dates[320]
    rng = np.random.default_rng(5)
    order = np.concatenate([np.arange(cut), cut + rng.permutation(len(market.dates) - cut)])

    def shuffled(frame):
        return frame.iloc[order].set_axis(frame.index)

    history = market.factors
    offset = len(order) - len(history.dates)  # scores begin with the first caps
    other = replace(
        market,
        close=shuffled(market.close),
        returns=shuffled(market.returns),
        volume=shuffled(market.volume),
        market_cap=shuffled(market.market_cap),
        member=shuffled(market.member),
        factor_history=replace(history, styles=history.styles[order[offset:] - offset]),
    )
    there = backtest(market, strategy, start=start, costs=RICH).trades
    here = backtest(other, strategy, start=start, costs=RICH).trades
    last = market.dates[cut - 1]
    before = there[there["date"] <= last].reset_index(drop=True)
    assert len(set(before["date"])) >= 2
    pd.testing.assert_frame_equal(before, here[here["date"] <= last].reset_index(drop=True))
    assert not there.equals(here)


def test_what_a_trade_costs_does_not_depend_on_what_comes_later(build):
    rng = np.random.default_rng(11)
    r, volume = 0.02 * rng.standard_normal((60, 3)), rng.uniform(1e4, 1e6, (60, 3))
    volume[:40, 2] = np.nan  # costs as the median of the others
    there = backtest(build(r, volume=volume), EqualWeight(), rebalance="D", costs=RICH).series
    for cut in range(2, 58, 5):
        other_r, other_volume = r.copy(), volume.copy()
        other_r[cut:] = 0.05 * rng.standard_normal((60 - cut, 3))
        other_volume[cut:] = rng.uniform(1e3, 1e4, (60 - cut, 3))
        panel = build(other_r, volume=other_volume)
        here = backtest(panel, EqualWeight(), rebalance="D", costs=RICH).series
        before = there.index < panel.dates[cut]
        assert before.sum() == max(cut - 20, 0)
        pd.testing.assert_frame_equal(there[before], here[before])
        at = there.index[before.sum()]  # a fill costs what was known the day before it
        assert there.loc[at, "nav"] != here.loc[at, "nav"]


def test_an_impact_is_charged_from_the_first_day_that_knows_it(build):
    rng = np.random.default_rng(12)
    panel = build(0.02 * rng.standard_normal((40, 3)), volume=rng.uniform(1e4, 1e6, (40, 3)))
    first = panel.dates[20]  # twenty returns lie before it
    assert backtest(panel, EqualWeight(), costs=RICH).series.index[0] == first
    assert backtest(panel, EqualWeight()).series.index[0] == panel.dates[1]
    fixed = FixedWeights(pd.Series(1 / 3, index=panel.assets))
    for strategy in (EqualWeight(), fixed):
        with pytest.raises(UnknownNameError, match=f"and costs, from {first:%Y-%m-%d} on"):
            backtest(panel, strategy, start=panel.dates[19], costs=RICH)
    asked = {"start": None, "end": None, "rebalance": "M", "benchmark": "universe", "lag": 1}
    decided = decision_dates(panel, EqualWeight(), costs=RICH, **asked)
    assert decided[0] == panel.dates[19]


def test_an_impact_where_nothing_is_known_is_refused(build):
    panel = build(np.zeros((40, 2)), volume=np.nan)
    with pytest.raises(ArgumentError, match=r"this universe has none\. Set impact=0"):
        backtest(panel, EqualWeight(), costs=RICH)


def test_a_strategy_sees_nothing_after_its_decision(market):
    seen = []

    class Watching(EqualWeight):
        def weights(self, view, current):
            seen.append(view)
            return super().weights(view, current)

    result = backtest(market, Watching(), start=market.dates[330], lag=2)
    fills = sorted(set(result.weights["date"]))
    assert len(fills) == len(seen) >= 4
    for view, fill in zip(seen, fills, strict=True):
        decided = market.dates.get_loc(fill) - 2
        assert view.as_of == market.dates[decided]
        frames = (view.returns, view.market_cap, view.member, view.volume, view.factors.returns)
        assert all(frame.index[-1] <= view.as_of for frame in frames)
        assert view.index_level.index[-1] <= view.as_of


def test_the_cap_weighted_strategy_without_costs_is_its_benchmark(build):
    rng = np.random.default_rng(8)
    r = 0.01 * rng.standard_normal((60, 5))
    caps = np.cumprod(1 + r, axis=0) * np.array([5.0, 3.0, 1.0, 1.0, 2.0])  # no issuance
    panel = build(r, caps=caps)
    result = backtest(panel, CapWeight(), costs=Costs(cost_bps=0.0), lag=0)
    np.testing.assert_allclose(result.series["active"], 0.0, atol=1e-14)


def test_the_benchmark_is_the_cap_weighted_mean_of_the_day_before(build):
    r = [[0, 0, 0], [0.1, 0.2, 0.9], [0.3, np.nan, 0.9]]
    caps = [[3.0, 1.0, 5.0], [2.0, 2.0, 5.0], [9.0, 9.0, 9.0]]
    member = [[1, 1, 0]] * 3
    panel = build(r, caps=np.array(caps), member=np.array(member, dtype=bool))
    returns = universe_returns(panel, 0, 2)
    assert returns.to_list() == pytest.approx([0.0, 0.75 * 0.1 + 0.25 * 0.2, 0.3])


def test_fixed_weights_against_the_same_weights_have_no_active_return(market):
    weights = pd.Series(0.1, index=market.assets[10:20])
    result = backtest(
        market, FixedWeights(weights), benchmark=weights, costs=Costs(cost_bps=0.0), cash_rate=0.02
    )
    np.testing.assert_allclose(result.series["active"], 0.0, atol=1e-14)


def test_scaling_prices_and_shares_changes_nothing(market):
    bigger = replace(market, close=market.close * 10, volume=market.volume / 10)
    there = backtest(market, EqualWeight(), costs=RICH).series
    here = backtest(bigger, EqualWeight(), costs=RICH).series
    pd.testing.assert_frame_equal(there, here)


def test_the_order_of_assets_does_not_matter(market):
    order = market.assets[::-1]
    turned = replace(
        market,
        close=market.close[order],
        returns=market.returns[order],
        volume=market.volume[order],
        market_cap=market.market_cap[order],
        member=market.member[order],
    )
    there, here = (backtest(p, InverseVol()).series for p in (market, turned))
    pd.testing.assert_frame_equal(there, here, atol=1e-12, rtol=0)


def test_weights_given_back_as_a_dated_range_reproduce_the_run(build):
    rng = np.random.default_rng(2)
    panel = build(0.01 * rng.standard_normal((90, 4)))
    free = Costs(cost_bps=0.0)
    first = backtest(panel, InverseVol(63), start=panel.dates[70], rebalance="W", costs=free)
    table = first.view("weights").pivot_table(index="date", columns="ticker", values="weight")
    again = backtest(panel, DatedWeights(table), start=panel.dates[70], lag=0, costs=free)
    np.testing.assert_allclose(again.series["nav"], first.series["nav"], atol=1e-12)
