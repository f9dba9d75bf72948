"""Costs and sums of terms: two formulations agree, and both mean what a backtest charges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.backtest.costs import Costs, by_name, charge
from tilt.errors import ArgumentError
from tilt.optimize.constraints import Rule
from tilt.optimize.costs import Cost, Turnover
from tilt.optimize.posing import open_case
from tilt.optimize.solve import solve
from tilt.optimize.sums import parse_sum

FACTORS = ["Market", "Momentum", "Value"]
BIG = {"impact": 1.0, "value": 1e8, "spread": 0.002, "cost_bps": 5.0}


def with_market(problem, seed=0):
    assets = problem.model.exposures.index
    rng = np.random.default_rng(seed)
    return replace(
        problem,
        adv=pd.Series(rng.uniform(1e6, 5e7, len(assets)), assets),
        sigma=pd.Series(rng.uniform(0.01, 0.03, len(assets)), assets),
    )


def test_a_trade_costs_what_the_backtest_charges(problem_of):
    problem = with_market(problem_of("max_utility", (), **BIG))
    case = open_case(problem)
    weights = np.random.default_rng(1).dirichlet(np.ones(len(case.assets)))
    trade = weights - case.current
    slope = (problem.sigma * np.sqrt(BIG["value"] / problem.adv)).to_numpy()
    costs = Costs(cost_bps=5.0, spread=0.002, impact=1.0, capital=1e8)
    size, paid = charge(trade, costs, slope)
    assert size == pytest.approx(np.abs(trade).sum(), rel=1e-14)
    assert by_name(trade, costs, slope).sum() == pytest.approx(sum(paid), rel=1e-12)
    assert case.cost.value(weights, case.model) == pytest.approx(sum(paid), rel=1e-12)


def test_the_gradient_of_cost_is_its_slope(problem_of):
    problem = with_market(problem_of("max_utility", (), long_short="yes", borrow=0.02, **BIG))
    case = open_case(problem)
    rng = np.random.default_rng(3)
    weights = rng.normal(0.0, 0.1, len(case.assets))
    for i in range(5):
        step = np.zeros(len(weights))
        step[i] = 1e-6
        up, down = (case.cost.value(weights + s * step, case.model) for s in (1, -1))
        slope = case.cost.gradient(weights, case.model)[i]
        assert slope == pytest.approx((up - down) / 2e-6, rel=1e-4)


SUMS = [
    "max_return - 4*risk - cost",
    "return - 2*active_risk - 0.5*cost - 0.01*turnover",
    "0.3*exposure(Momentum) - 5*risk - distance(current)",
    "-risk - 0.02*distance(equal) - 0.001*turnover",
    "return - active_risk - 0.1*distance(benchmark) - 0.3*cost",
    "2*return - 8*active_risk",
]


@pytest.mark.parametrize("objective", SUMS)
@pytest.mark.parametrize("short", ["no", "yes"])
def test_rows_and_cvxpy_give_one_value(problem_of, objective, short):
    rules = (Rule("weight", "*", -0.1 if short == "yes" else None, 0.2),)
    options = {"long_short": short, "borrow": 0.01, **BIG}
    problem = with_market(problem_of(objective, rules, n=12, held=5, **options))
    native = solve(problem)
    general = solve(replace(problem, options={**options, "solver": "cvxpy"}))
    assert (native.status, general.status) == ("optimal", "optimal")
    assert native.solver != "cvxpy"
    assert native.objective == pytest.approx(general.objective, abs=1e-6)


@pytest.mark.parametrize("cap", [0.0005, 0.001, 0.003])
@pytest.mark.parametrize("impact", [0.0, 1.0])
def test_a_cap_on_cost_is_kept_and_both_ways_agree(problem_of, cap, impact):
    options = {**BIG, "impact": impact}
    problem = with_market(problem_of("min_te", (Rule("cost", "", None, cap),), **options))
    native = solve(problem)
    general = solve(replace(problem, options={**options, "solver": "cvxpy"}))
    assert native.objective == pytest.approx(general.objective, abs=1e-6)
    assert native.case.cost.value(native.weights.to_numpy(), native.case.model) <= cap + 1e-6


def test_the_price_of_a_cap_on_cost_is_a_finite_difference(problem_of):
    problem = problem_of("min_te", (Rule("cost", "", None, 0.0004),))
    found = solve(problem)
    price = found.rules.set_index("rule").loc["cost", "shadow_price"]
    step = 1e-6
    more = solve(replace(problem, rules=(Rule("cost", "", None, 0.0004 + step),)))
    less = solve(replace(problem, rules=(Rule("cost", "", None, 0.0004 - step),)))
    assert price == pytest.approx((less.objective - more.objective) / (2 * step), rel=1e-3)


def test_one_trade_with_impact_stops_where_its_marginal_cost_is_its_gain(problem_of):
    """Two names, one holding all: what moves satisfies 2 × 1.5 s √x = the difference of alphas."""
    problem = problem_of("return - cost", (Rule("weight", "*", None, 1.0),), n=2, held=0)
    assets = problem.model.exposures.index
    slope, gain = 0.05, 0.02
    problem = replace(
        problem,
        current=pd.Series([1.0, 0.0], assets),
        alpha=pd.Series([0.0, gain], assets),
        adv=pd.Series(1e6, assets),
        sigma=pd.Series(slope, assets),
        options={"impact": 1.0, "value": 1e6, "cost_bps": 0.0},
    )
    expected = (gain / (2 * 1.5 * slope)) ** 2
    assert solve(problem).weights.iloc[1] == pytest.approx(expected, abs=1e-5)


def test_costs_that_exceed_every_gain_leave_the_holdings_alone(problem_of):
    problem = problem_of("return - 1*active_risk - 1000*cost", ())
    found = solve(problem)
    np.testing.assert_allclose(found.weights, found.case.current, atol=1e-6)


def test_a_sum_equals_the_objective_it_spells(problem_of):
    named = solve(problem_of("max_utility", (), risk_aversion=3.0))
    spelt = solve(problem_of("max_return - 3*active_risk", ()))
    assert spelt.objective == pytest.approx(named.objective, abs=1e-9)
    np.testing.assert_allclose(spelt.weights, named.weights, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.2, 20.0), seed=st.integers(0, 500))
def test_scaling_a_sum_moves_no_weight(problem_of, scale, seed):
    one = solve(problem_of("return - 5*active_risk - distance(current)", (), n=10, seed=seed))
    parts = f"{scale:g}*return - {5 * scale:g}*active_risk - {scale:g}*distance(current)"
    other = solve(problem_of(parts, (), n=10, seed=seed))
    np.testing.assert_allclose(one.weights, other.weights, atol=2e-4)


def test_what_a_sum_reads_is_what_it_says():
    text = "max_return-4 * risk  -cost + .5*exposure( momentum )"
    assert parse_sum(text, FACTORS).text() == "return - 4*risk - cost + 0.5*exposure(Momentum)"
    again = parse_sum(parse_sum(text, FACTORS).text(), FACTORS)
    assert again == parse_sum(text, FACTORS)


@given(
    scales=st.lists(st.integers(1, 900), min_size=3, max_size=3),
    order=st.permutations(["risk", "cost", "turnover"]),
)
def test_any_sum_can_be_typed_again(scales, order):
    text = "return" + "".join(f" - {s / 10:g}*{n}" for s, n in zip(scales, order, strict=True))
    assert parse_sum(parse_sum(text, FACTORS).text(), FACTORS) == parse_sum(text, FACTORS)


ERRORS = [
    ("max_return - 4*rsk", "'rsk' is no term. Did you mean 'risk'"),
    ("return + 4*risk", "asks for more risk: the sum is maximized. Write '- 4*risk'."),
    ("return - risk - 2*risk", "has 'risk' twice. Add the numbers and keep one."),
    ("return - 4 risk", "is not read from '- 4 risk' on. Write terms with + or -"),
    ("return - exposure", "exposure needs a factor: exposure(Momentum)."),
    ("return - exposure(Momentm)", "got 'Momentm'. Did you mean 'Momentum'?"),
    ("return - distance(bench)", "distance must be one of benchmark, current, equal; got 'bench'."),
    ("return(AAPL) - risk", "'return' takes nothing in brackets; got 'AAPL'."),
    ("max_sharpe - cost", "'max_sharpe' is an objective of its own and adds to nothing."),
    ("return - 0*risk", "'risk' counts 0 times. Drop it."),
    ("2*return*3 - risk", "'2*return*3' has two numbers. Keep one."),
    ("return -", "is not read from '-' on."),
]


@pytest.mark.parametrize(("text", "said"), ERRORS)
def test_a_sum_that_cannot_be_read_says_where_and_what_to_write(text, said):
    with pytest.raises(ArgumentError) as error:
        parse_sum(text, FACTORS)
    assert said in str(error.value)


STATED = [
    ("return - risk", {"alpha": None}, "return - risk needs alpha"),
    ("return - active_risk", {"benchmark": None}, "needs a benchmark. Give one, or use risk."),
    ("return - cost", {}, "return - cost alone puts everything into one name."),
]


@pytest.mark.parametrize(("objective", "change", "said"), STATED)
def test_a_sum_says_what_it_needs(problem_of, objective, change, said):
    with pytest.raises(ArgumentError, match=said):
        solve(replace(problem_of(objective, ()), **change))


def test_impact_without_the_value_of_the_portfolio_is_refused(problem_of):
    problem = with_market(problem_of("return - risk - cost", (), impact=1.0))
    with pytest.raises(ArgumentError, match="impact needs option value, the money of the"):
        solve(problem)


def test_impact_without_volumes_is_refused(problem_of):
    problem = problem_of("return - risk - cost", (), impact=1.0, value=1e8)
    with pytest.raises(ArgumentError, match="impact needs volumes, and none is known for N00"):
        solve(problem)


def test_turnover_as_a_term_counts_cash(problem_of):
    case = open_case(problem_of("max_utility", ()))
    term = Turnover(case.current)
    assert term.value(np.zeros(len(case.assets)), case.model) == pytest.approx(1.0)
    assert term.value(case.current, case.model) == 0.0


def test_a_short_costs_its_fee():
    cost = Cost(0.0, np.zeros(2), 0.03, np.zeros(2))
    np.testing.assert_allclose(cost.by_name(np.array([0.5, -0.2])), [0.0, 0.006])
