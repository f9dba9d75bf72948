"""Objectives of the optimizer, solved anew at each rebalance."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.run import backtest
from tilt.backtest.strategy import EqualWeight, FixedWeights
from tilt.backtest.walk_forward import Optimal
from tilt.errors import ArgumentError, NoSolutionError
from tilt.optimize.constraints import Rule
from tilt.risk.model import estimate_model

FREE = Costs(cost_bps=0.0)
CAP = Rule("weight", "*", None, 0.05)


def rule(name, *, low=None, high=None, who=""):
    return Rule(name, who, low, high)


def test_minimum_tracking_error_without_rules_holds_the_benchmark(market):
    result = backtest(market, Optimal("min_te"), start=market.dates[425], costs=FREE)
    row = market.dates.get_loc(result.market.dates[0]) - 1
    opened = result.weights[result.weights["date"] == result.market.dates[0]]
    expected = market.cap_weights(market.dates[row])
    held = opened.set_index("ticker")["weight"].reindex(expected.index).fillna(0)
    np.testing.assert_allclose(held, expected, atol=2e-4)


def test_each_decision_keeps_the_rules(market):
    result = backtest(market, Optimal("min_te"), rules=(CAP,), start=market.dates[400], costs=FREE)
    fills = result.ledger.targets
    assert len(fills) >= 3
    for target in fills.values():
        assert target.max() <= 0.05 + 1e-6
        assert target.sum() == pytest.approx(1, abs=1e-6)


def test_minimum_risk_has_less_of_it_than_equal_weights(market):
    date = market.dates[420]
    view = market.until(date)
    strategy = Optimal("min_risk", rules=(CAP,), benchmark=None)
    weights = strategy.weights(view, pd.Series(dtype=float))
    model = estimate_model(view.factors, date)
    equal = EqualWeight().weights(view, pd.Series(dtype=float))
    assert model.variance(weights) < model.variance(equal)


def test_turnover_binds_against_the_drifted_holdings_from_the_second_decision_on(market):
    rules = (CAP, rule("turnover", high=0.05))
    result = backtest(market, Optimal("min_risk"), rules=rules, start=market.dates[380], costs=FREE)
    fills = sorted(result.ledger.targets)
    assert result.ledger.turnover[fills[0]] == pytest.approx(1.0, abs=1e-6)
    for fill in fills[1:]:
        held = result.ledger.positions[fill - 1] / result.ledger.nav[fill - 1]
        moved = np.abs(result.ledger.targets[fill] - held).sum() / 2
        assert 0 < moved <= 0.05 + 1e-5


def test_the_decision_is_what_the_optimizer_says_with_that_days_view(market):
    result = backtest(market, Optimal("min_risk"), rules=(CAP,), start=market.dates[410])
    second = sorted(result.ledger.targets)[1]
    decided = market.dates.get_loc(result.market.dates[second]) - 1
    view = market.until(market.dates[decided])
    assets = result.market.assets
    held = pd.Series(result.ledger.positions[second - 1] / result.ledger.nav[second - 1], assets)
    strategy = Optimal("min_risk", rules=(CAP,), benchmark="universe")
    alone = strategy.weights(view, held[held != 0]).reindex(assets).fillna(0)
    np.testing.assert_allclose(result.ledger.targets[second], alone, atol=1e-9)


def test_a_decision_without_a_solution_names_the_date(market):
    with pytest.raises(NoSolutionError, match=r"^On 2014-\d\d-\d\d: No solution"):
        backtest(
            market,
            Optimal("min_te"),
            rules=(rule("weight", who="*", high=0.001),),
            start=market.dates[400],
        )


def test_rules_for_a_strategy_that_takes_none_are_an_error(market):
    with pytest.raises(ArgumentError, match="'equal_weight' is none"):
        backtest(market, EqualWeight(), rules=(CAP,))


def test_only_members_and_holdings_are_bought(market):
    outside = market.member.copy()
    outside.loc[:, ["A03", "A04"]] = False
    view = replace(market, member=outside).until(market.dates[440])
    assert {"A03", "A04"} <= set(view.factors.exposures(view.as_of).index)
    bought = Optimal("equal_weight").weights(view, pd.Series(dtype=float))
    assert not {"A03", "A04"} & set(bought.index[bought > 0])
    kept = Optimal("equal_weight").weights(view, pd.Series({"A03": 0.5, "A05": 0.5}))
    assert kept["A03"] > 0
    assert "A04" not in kept.index


def test_what_was_given_once_for_the_whole_window_is_marked_as_hindsight(market):
    def marks(strategy):
        result = backtest(market, strategy, start=market.dates[430], benchmark="none")
        return result.assumptions.set_index("item")["value"].get("HINDSIGHT", "")

    alpha = pd.Series({"A01": 0.05})
    utility = Optimal("max_utility", rules=(CAP,), alpha=alpha)
    fixed = FixedWeights(pd.Series({"A01": 0.5, "A02": 0.5}))
    assert marks(fixed).startswith("The same weights for the whole window")
    assert marks(utility).startswith("The same alpha for the whole window")
    assert marks(replace(utility, alpha=None)) == marks(EqualWeight()) == ""


def test_a_held_name_without_exposures_is_sold_within_the_turnover_allowed(market):
    view = market.until(market.dates[440])
    known = view.factors.exposures(view.as_of).index
    gone = next(a for a in market.assets if a not in known)
    current = pd.Series({gone: 0.05, **dict.fromkeys(known[:19], 0.05)})
    limit = rule("turnover", high=0.10)
    target = Optimal("min_te", rules=(limit,)).weights(view, current)
    trade = target.sub(current, fill_value=0.0)
    assert target.get(gone, 0.0) == 0.0
    assert (trade.abs().sum() + abs(trade.sum())) / 2 <= 0.10 + 1e-6


@pytest.mark.parametrize(
    ("objective", "options"),
    [
        ("risk_parity", {}),
        ("risk_budget", {"budgets": "sector"}),
        ("max_diversification", {}),
        ("hrp", {}),
        ("min_cvar", {"lookback": 60, "confidence": 0.9}),
        ("min_risk", {"estimator": "ledoit_wolf", "lookback": 120}),
    ],
)
def test_other_objectives_are_solved_from_what_was_known_and_no_more(market, objective, options):
    """Returns after the decision cannot move it."""
    date = market.dates[420]
    strategy = Optimal(objective, options=options, benchmark=None)
    nothing = pd.Series(dtype=float)
    weights = strategy.weights(market.until(date), nothing)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert (weights > -1e-9).all()
    wild = market.returns.copy()
    wild.loc[wild.index > date] = 0.5
    again = strategy.weights(replace(market, returns=wild).until(date), nothing)
    np.testing.assert_allclose(again, weights, atol=1e-9)
