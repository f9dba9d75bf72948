"""Groups by any column, volumes, shares of risk and round lots."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, UnknownNameError
from tilt.optimize.check import check_rules, read_rules
from tilt.optimize.constraints import Rule
from tilt.optimize.market import quotes
from tilt.optimize.options import read_options
from tilt.optimize.posing import open_case
from tilt.optimize.risk_shares import risk_share
from tilt.optimize.solve import solve


def labelled(problem, **columns):
    """Return the problem with more columns of the securities."""
    return replace(problem, securities=problem.securities.assign(**columns))


def thirds(problem):
    return np.array(["DE", "JP", "US"])[np.arange(len(problem.securities)) % 3]


@pytest.mark.parametrize("rule", ["country", "group:desk"])
def test_a_group_of_any_column_is_bounded_as_a_sector_is(problem_of, rule):
    problem = problem_of("max_utility", ())
    column = thirds(problem)
    named = labelled(problem, sector=column, country=column, desk=column)
    rules = (Rule("weight", "*", None, 0.2),)
    by_sector = solve(replace(named, rules=(*rules, Rule("sector", "*", 0.2, 0.4))))
    by_column = solve(replace(named, rules=(*rules, Rule(rule, "*", 0.2, 0.4))))
    np.testing.assert_allclose(by_column.weights, by_sector.weights, atol=1e-9)
    who = by_column.rules.loc[by_column.rules["rule"] == rule, "who"]
    assert list(who) == ["DE", "JP", "US"]


def test_both_formulations_of_a_group_agree(problem_of):
    problem = problem_of("min_te", (Rule("group:desk", "US", 0.5, None),))
    problem = labelled(problem, desk=thirds(problem))
    general = solve(replace(problem, options={"solver": "cvxpy"}))
    assert solve(problem).objective == pytest.approx(general.objective, abs=1e-7)


def test_an_impossible_group_is_explained_by_its_column(problem_of):
    rules = (Rule("group:desk", "US", 0.7, None), Rule("weight", "*", None, 0.05))
    problem = problem_of("min_te", rules)
    found = solve(labelled(problem, desk=thirds(problem)))
    assert "desk US has 8 names at most 5 % each: 40 % at most, but at least 70 % is asked." in [
        *found.view("explain")["explanation"]
    ]


def test_a_column_that_is_not_there_is_an_error_with_the_nearest(problem_of):
    problem = problem_of("min_te", (Rule("group:sectr", "*", None, 0.5),))
    with pytest.raises(UnknownNameError, match=r"no column 'sectr'\. Did you mean 'sector'"):
        solve(problem)


def test_another_column_makes_another_answer_id(problem_of):
    problem = problem_of("min_te", (Rule("group:desk", "*", None, 0.5),))
    one = labelled(problem, desk=thirds(problem))
    other = labelled(problem, desk=thirds(problem)[::-1])
    assert one.run_id != other.run_id


# Volume ----------------------------------------------------------------------------------------


def traded(problem, seed=0, low=1e5):
    assets = problem.model.exposures.index
    adv = np.random.default_rng(seed).uniform(low, 1e7, len(assets))
    return replace(problem, adv=pd.Series(adv, assets))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), cap=st.sampled_from([0.1, 0.25, 1.0]))
def test_no_trade_is_a_larger_share_of_volume_than_its_cap(problem_of, seed, cap):
    rules = (Rule("adv", "*", None, cap),)
    problem = traded(problem_of("min_te", rules, n=12, held=12, seed=seed, value=2e7), seed)
    found = solve(problem)
    assert found.solved
    shares = (found.weights - found.case.current).abs() * 2e7 / problem.adv
    assert shares.max() <= cap + 1e-5


def test_both_formulations_of_a_volume_rule_agree(problem_of):
    rules = (Rule("adv", "*", None, 0.2),)
    problem = traded(problem_of("min_te", rules, held=24, value=2e7))
    general = solve(replace(problem, options={"value": 2e7, "solver": "cvxpy"}))
    native = solve(problem)
    assert native.objective == pytest.approx(general.objective, abs=1e-7)
    assert native.rules.set_index("rule").loc["adv", "status"] == "binding"


def test_a_name_without_volume_keeps_its_weight(problem_of):
    problem = traded(problem_of("min_te", (Rule("adv", "*", None, 2.0),), held=24, value=1e6))
    problem.adv.iloc[3] = 0.0
    found = solve(problem)
    assert found.weights.iloc[3] == pytest.approx(found.case.current[3], abs=3e-6)


def test_a_volume_rule_says_what_it_needs(problem_of):
    problem = problem_of("min_te", (Rule("adv", "*", None, 0.2),))
    with pytest.raises(ArgumentError, match="rule adv needs volumes"):
        solve(problem)
    with pytest.raises(ArgumentError, match="rule adv needs option value"):
        solve(traded(problem))


def test_only_what_a_problem_asks_for_is_read_from_the_market(panel):
    date = panel.dates[-1]
    nothing = quotes(panel, date, (), read_options({}))
    assert (nothing.adv, nothing.sigma, nothing.prices) == (None, None, None)
    rules = (Rule("adv", "*", None, 0.1), Rule("lot", "*", 100.0))
    known = quotes(panel, date, rules, read_options({"impact": 1}))
    dollars = (panel.close * panel.volume).tail(20).mean()
    held = known.adv.dropna().index
    pd.testing.assert_series_equal(known.adv[held], dollars[held], check_names=False)
    pd.testing.assert_series_equal(known.prices, panel.close.iloc[-1])
    assert (known.sigma.dropna() > 0).all()


# Shares of risk --------------------------------------------------------------------------------


def test_the_shares_of_all_names_and_of_all_sectors_add_up_to_one(problem_of):
    case = open_case(problem_of("min_te", ()))
    weights = np.random.default_rng(0).dirichlet(np.ones(len(case.assets)))
    for names in (case.assets, case.groups("sector")):
        for relative in (False, True):
            rules = [Rule("risk_share", n, None, 1.0, relative=relative) for n in names]
            total = sum(risk_share(case, weights, rule) for rule in rules)
            assert total == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("who", ["N03", "Energy", "Market"])
def test_a_share_of_risk_is_kept_and_never_better_than_without_the_rule(problem_of, who):
    free = solve(problem_of("min_risk", (Rule("weight", "*", None, 0.2),)))
    rule = Rule("risk_share", who, None, 1.0)
    held = risk_share(free.case, free.weights.to_numpy(), rule)
    cap = 0.9 * held if held > 0.01 else 0.01
    capped = replace(rule, high=cap)
    found = solve(problem_of("min_risk", (Rule("weight", "*", None, 0.2), capped)))
    assert found.solved
    assert risk_share(found.case, found.weights.to_numpy(), capped) <= cap + 1e-6
    assert found.objective >= free.objective - 1e-9
    assert held <= cap or any("best of its neighborhood" in m for m in found.messages)


def test_a_share_that_is_kept_anyway_changes_nothing(problem_of):
    free = solve(problem_of("min_risk", ()))
    found = solve(problem_of("min_risk", (Rule("risk_share", "Energy", None, 0.99),)))
    np.testing.assert_array_equal(found.weights, free.weights)
    assert not any("neighborhood" in message for message in found.messages)


def test_a_share_that_was_not_reached_is_refused_in_words(problem_of):
    found = solve(problem_of("min_risk", (Rule("risk_share", "Market", None, 0.01),)))
    assert found.status == "infeasible"
    assert found.refusal.startswith("No solution found that keeps 'risk share of Market at most 1")


# Lots ------------------------------------------------------------------------------------------


def priced(problem, seed=0):
    assets = problem.model.exposures.index
    prices = np.random.default_rng(seed).uniform(5, 300, len(assets))
    return replace(problem, prices=pd.Series(prices, assets))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), lot=st.sampled_from([1.0, 10.0, 100.0]))
def test_trades_are_whole_lots_and_spend_no_more_than_planned(problem_of, seed, lot):
    rules = (Rule("lot", "*", lot), Rule("weight", "*", None, 0.3))
    problem = priced(problem_of("min_te", rules, n=10, held=5, seed=seed, value=1e6), seed)
    found = solve(problem)
    trade = found.weights - found.case.current
    lots = trade * 1e6 / problem.prices / lot
    sold_out = (found.weights == 0) & (trade < 0)
    np.testing.assert_allclose(lots[~sold_out], lots[~sold_out].round(), atol=1e-6)
    assert found.weights.sum() <= found.found.weights.sum() + 1e-9
    cash = found.found.weights.sum() - found.weights.sum()
    said = next(m for m in found.messages if m.startswith("Trades are rounded to lots of"))
    assert f"({cash * 1e6:,.0f})" in said


def test_what_rounding_breaks_is_said(problem_of):
    rules = (Rule("lot", "*", 1000.0), Rule("sector", "*", 0.24, 0.26))
    found = solve(priced(problem_of("min_te", rules, n=12, held=6, value=1e6)))
    broken = [
        r.who
        for r in read_rules(found.case, found.weights.to_numpy(), rules[1:])
        if r.status == "violated"
    ]
    assert broken
    for who in broken:
        assert any("Rounding breaks" in m and m.endswith(f"for {who}.") for m in found.messages)


def test_lots_say_what_they_need(problem_of):
    problem = problem_of("min_te", (Rule("lot", "*", 100.0),))
    with pytest.raises(ArgumentError, match="rule lot needs option value"):
        solve(problem)
    with pytest.raises(ArgumentError, match="rule lot needs prices"):
        solve(replace(problem, options={"value": 1e6}))


def test_an_existing_portfolio_is_checked_against_the_new_rules(problem_of):
    problem = traded(problem_of("min_te", (), value=1e6))
    rules = (
        Rule("names", "", None, 5),
        Rule("holding", "", 0.5),
        Rule("adv", "*", None, 0.5),
        Rule("cost", "", None, 0.001),
    )
    table = check_rules(problem.current, rules, problem).set_index("rule")
    assert table.loc["names", "value"] == 8
    assert table.loc["names", "status"] == "violated"
    assert table.loc["holding", "value"] == pytest.approx(
        problem.current[problem.current > 0].min()
    )
    assert table.loc["cost", "value"] == 0.0
    assert table.loc["adv", "status"] == "slack"
