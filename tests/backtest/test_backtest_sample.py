"""Backtests on the sample: real prices, real holes."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.parse import parse_strategy
from tilt.backtest.run import backtest
from tilt.backtest.strategy import CapWeight
from tilt.optimize.constraints import Rule


def test_the_cap_weighted_universe_tracks_the_published_index(panel):
    result = backtest(panel, CapWeight(), benchmark="index", costs=Costs(cost_bps=0.0))
    series = result.series.iloc[1:]
    assert series["return"].corr(series["benchmark_return"]) > 0.98
    of = result.stats.set_index("measure")["portfolio"]
    assert of["tracking_error"] < 0.01
    assert of["beta"] == pytest.approx(1, abs=0.03)


def test_two_ways_to_hold_the_universe_agree(panel):
    """Monthly purchases of the universe by cap, and the daily cap-weighted benchmark."""
    result = backtest(panel, CapWeight(), costs=Costs(cost_bps=0.0), lag=0)
    of = result.stats.set_index("measure")["portfolio"]
    assert of["tracking_error"] < 0.003
    assert of["turnover_per_year"] < 0.2


def test_a_result_of_the_sample_carries_its_survivorship_bias(panel):
    result = backtest(panel, parse_strategy("equal_weight", panel, saved={}), rebalance="Q")
    facts = result.assumptions.set_index("item")["value"]
    assert facts["SURVIVORSHIP"] == panel.survivorship
    assert "HYPOTHETICAL" in facts
    assert np.isfinite(result.series).all(axis=None)


def test_the_sample_portfolio_keeps_its_cash(panel, store):
    strategy = parse_strategy("SAMPLE", panel, saved=store.portfolio)
    result = backtest(panel, strategy)
    opened = result.series.iloc[0]
    assert opened["cash"] == pytest.approx(0.02, abs=0.0015)
    assert opened["names"] == 40


def test_a_walk_forward_of_minimum_tracking_error_keeps_its_rules(panel):
    rules = (Rule("weight", "*", None, 0.02), Rule("turnover", "", None, 0.10))
    start = panel.trading_day(pd.Timestamp("2016-12-30"))
    result = backtest(panel, parse_strategy("min_te", panel, saved={}), start=start, rules=rules)
    for fill, target in result.ledger.targets.items():
        assert target.max() <= 0.02 + 1e-6
        assert target.sum() == pytest.approx(1, abs=1e-6)
        if fill:
            held = result.ledger.positions[fill - 1] / result.ledger.nav[fill - 1]
            assert np.abs(target - held).sum() / 2 <= 0.10 + 0.01  # one day's drift, leavers
    series = result.series.iloc[1:]
    assert series["active"].std() * 252**0.5 < 0.02
