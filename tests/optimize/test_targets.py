"""Objectives with a target: hierarchical risk parity, a pure factor, the cheapest repair."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError
from tilt.optimize.constraints import Rule
from tilt.optimize.hierarchy import hierarchical_weights, leaf_order
from tilt.optimize.solve import solve


def by_hand(cov):
    """Return the weights by the steps of Lopez de Prado (2016), each written out."""
    n = len(cov)
    deviation = np.sqrt(np.diag(cov))
    distance = np.sqrt(np.maximum(1 - cov / np.outer(deviation, deviation), 0) / 2)
    apart = np.array(
        [[np.sqrt(((distance[i] - distance[j]) ** 2).sum()) for j in range(n)] for i in range(n)]
    )
    clusters = {i: [i] for i in range(n)}
    made = n
    while len(clusters) > 1:
        pairs = [(a, b) for a in clusters for b in clusters if a < b]
        a, b = min(
            pairs, key=lambda p: min(apart[i, j] for i in clusters[p[0]] for j in clusters[p[1]])
        )
        clusters[made] = clusters.pop(a) + clusters.pop(b)
        made += 1
    order = next(iter(clusters.values()))
    weights = np.ones(n)

    def risk(names):
        part = cov[np.ix_(names, names)]
        w = 1 / np.diag(part) / (1 / np.diag(part)).sum()
        return w @ part @ w

    def split(names):
        if len(names) > 1:
            left, right = names[: len(names) // 2], names[len(names) // 2 :]
            share = 1 - risk(left) / (risk(left) + risk(right))
            weights[left] *= share
            weights[right] *= 1 - share
            split(left)
            split(right)

    split(order)
    return weights


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 14), seed=st.integers(0, 9999))
def test_hierarchical_weights_are_those_of_the_papers_steps(n, seed):
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(60, 3)) @ rng.normal(size=(3, n)) + rng.normal(size=(60, n))
    cov = np.cov(draws * rng.uniform(0.5, 2.0, n), rowvar=False)
    found = hierarchical_weights(cov)
    np.testing.assert_allclose(found, by_hand(cov), atol=1e-12)
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0).all()


def test_names_that_move_together_stand_next_to_each_other():
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(500, 3))
    draws = groups[:, [0, 1, 2, 0, 1, 2, 0]] + 0.1 * rng.normal(size=(500, 7))
    order = leaf_order(np.cov(draws, rowvar=False)) % 3
    assert (np.diff(order) != 0).sum() == 2


def test_equal_uncorrelated_names_are_held_equally_where_their_number_is_a_power_of_two():
    np.testing.assert_allclose(hierarchical_weights(np.eye(8) * 0.04), 1 / 8)


def test_a_name_without_variance_has_no_place_in_a_hierarchy():
    with pytest.raises(DataError, match="variance above zero"):
        hierarchical_weights(np.diag([0.1, 0.0]))


def test_without_rules_hrp_is_the_hierarchys_own_weights(problem_of, dense_covariance):
    problem = problem_of("hrp")
    expected = hierarchical_weights(dense_covariance(problem.model))
    np.testing.assert_allclose(solve(problem).weights, expected, atol=1e-6)


def test_within_rules_hrp_is_the_nearest_portfolio_that_keeps_them(problem_of, dense_covariance):
    rules = (Rule("weight", "*", None, 0.05), Rule("sector", "Energy", None, 0.2))
    problem = problem_of("hrp", rules)
    solution = solve(problem)
    target = hierarchical_weights(dense_covariance(problem.model))
    near = ((solution.weights - target) ** 2).sum()
    assert solution.weights.max() <= 0.05 + 1e-6
    rng = np.random.default_rng(1)
    for _ in range(200):  # toward any other portfolio within the rules the distance grows
        other = rng.dirichlet(np.full(24, 20.0))
        energy = other[problem.securities["sector"] == "Energy"].sum()
        if other.max() <= 0.05 and energy <= 0.2:
            mixed = 0.999 * solution.weights + 0.001 * other
            assert ((mixed - target) ** 2).sum() >= near - 1e-12


def test_a_pure_factor_without_bounds_has_that_exposure_above_the_benchmark_and_no_other(
    problem_of,
):
    loose = (Rule("gross", "", None, 9.0),)
    problem = problem_of("pure_factor", loose, factor="Value", long_short=True)
    solution = solve(replace(problem, current=pd.Series(dtype=float)))
    active = solution.weights - problem.benchmark
    exposure = problem.model.exposures.T @ active
    expected = pd.Series(0.0, exposure.index).where(exposure.index != "Value", 1.0)
    np.testing.assert_allclose(exposure, expected, atol=1e-5)
    assert solution.objective == pytest.approx(0.0, abs=1e-5)


def test_a_long_only_portfolio_tilts_toward_the_factor_as_far_as_rules_allow(problem_of):
    solution = solve(problem_of("pure_factor", (Rule("weight", "*", None, 0.15),), factor="Value"))
    problem = solution.problem
    active = problem.model.exposures.T @ (solution.weights - problem.benchmark)
    assert active["Value"] > 0.2
    assert active.drop("Value").abs().max() < active["Value"]


@pytest.mark.parametrize(
    ("factor", "message"),
    [("", "pure_factor needs option factor"), ("Valu", "Did you mean 'Value'?")],
)
def test_a_factor_that_is_missing_or_misspelt_is_said(problem_of, factor, message):
    with pytest.raises(ArgumentError, match=message):
        solve(problem_of("pure_factor", factor=factor))


def factor_shares(solution):
    """Return each factor's share of the active factor risk."""
    problem = solution.problem
    active = problem.model.exposures.T @ (solution.weights - problem.benchmark)
    risk = active * (problem.model.factor_cov @ active)
    return risk / risk.sum()


def test_budgets_of_factors_are_met_by_the_active_factor_risk_where_rules_allow(problem_of):
    problem = problem_of(
        "risk_budget",
        (Rule("gross", "", None, 9.0),),
        budgets="Value=0.5, Momentum=0.3, Size=20%",
        long_short=True,
    )
    solution = solve(replace(problem, current=pd.Series(dtype=float)))
    shares = factor_shares(solution)
    np.testing.assert_allclose(shares[["Value", "Momentum", "Size"]], [0.5, 0.3, 0.2], atol=1e-4)
    active = problem.model.exposures.T @ (solution.weights - problem.benchmark)
    assert active[["Value", "Momentum", "Size"]].sum() == pytest.approx(1.0, abs=1e-4)


def test_within_rules_the_shares_that_factors_reach_are_said(problem_of):
    cap = Rule("weight", "*", None, 0.2)
    solution = solve(problem_of("risk_budget", (cap,), budgets="Value=0.5, Momentum=0.5"))
    said = " ".join(solution.messages)
    assert f"Value {100 * factor_shares(solution)['Value']:.4g} % (50 %)" in said
    assert solution.weights.max() <= 0.2 + 1e-6


def test_budgets_of_factors_and_of_names_do_not_mix(problem_of):
    with pytest.raises(ArgumentError, match="'Value' is a factor but 'N01' is not"):
        solve(problem_of("risk_budget", budgets="Value=0.5, N01=0.5"))


def test_a_portfolio_that_keeps_the_rules_is_left_alone(problem_of):
    solution = solve(problem_of("min_cost", (Rule("weight", "*", None, 0.5),)))
    np.testing.assert_allclose(solution.weights, solution.case.current, atol=1e-9)
    assert solution.objective == pytest.approx(0.0, abs=1e-12)
    assert solution.view("trades").empty


REPAIR = (
    Rule("weight", "*", None, 0.15),
    Rule("factor", "Momentum", -0.1, 0.1, relative=True),
    Rule("sector", "Energy", None, 0.25),
)


def test_the_cheapest_repair_trades_no_more_names_than_needed_and_costs_what_cvxpy_says(problem_of):
    solution = solve(problem_of("min_cost", REPAIR))
    general = solve(problem_of("min_cost", REPAIR, solver="cvxpy"))
    assert (solution.status, solution.solver) == ("optimal", "highs")
    assert solution.objective == pytest.approx(general.objective, abs=1e-8)
    table = solution.view("constraints")
    binding = int(table["note"].str.count(",").where(table["status"] == "binding", 0).sum())
    named = solution.view("trades")
    traded = len(named)
    bound = (table["status"] == "binding").sum() + binding
    assert 0 < traded <= bound
    assert named["reason"].str.startswith("Repairs").any()


def test_the_cost_is_half_the_spread_and_the_linear_cost_of_what_is_traded(problem_of):
    solution = solve(problem_of("min_cost", REPAIR, cost_bps=20, spread=0.002))
    traded = (solution.weights - solution.case.current).abs().sum()
    assert solution.objective == pytest.approx(traded * (0.002 + 0.001), abs=1e-9)


def test_without_any_cost_the_least_turnover_repairs(problem_of):
    free = solve(problem_of("min_cost", REPAIR, cost_bps=0))
    moved = np.abs(free.weights - free.case.current).sum() / 2
    assert free.objective == pytest.approx(moved, abs=1e-7)
    priced = solve(problem_of("min_cost", REPAIR))
    assert np.abs(priced.weights - priced.case.current).sum() / 2 == pytest.approx(moved, abs=1e-6)
