"""The frontier against its closed form, its ends, its shape and a second solver."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, NoSolutionError
from tilt.optimize.check import check_rules
from tilt.optimize.constraints import Rule
from tilt.optimize.frontier import trace_frontier
from tilt.optimize.solve import solve

RULES = (
    Rule("weight", "*", None, 0.15),
    Rule("sector", "*", -0.10, 0.10, relative=True),
    Rule("factor", "Size", -0.2, 0.2, relative=True),
    Rule("turnover", "", None, 0.8),
)


def weights_of(frontier):
    return frontier.weights.set_index("ticker").drop(columns="name")


def test_without_rules_each_point_is_the_closed_form_of_two_funds(problem_of, dense_covariance):
    # Bounds so wide that none binds in the lower part of the frontier.
    wide = (Rule("weight", "*", -2.0, 2.0),)
    problem = problem_of("min_risk", wide, n=8, held=4, long_short="yes")
    frontier = trace_frontier(problem, points=40)
    cov, mu = dense_covariance(problem.model), problem.alpha.to_numpy()
    one = np.ones(len(mu))
    inverse = np.linalg.inv(cov)
    a, b, c = one @ inverse @ one, one @ inverse @ mu, mu @ inverse @ mu
    inside = frontier.weights.drop(columns=["ticker", "name"]).abs().max().to_numpy() < 1.99
    assert inside.sum() >= 3
    rows = frontier.table[inside]
    expected = np.sqrt((a * rows["return"] ** 2 - 2 * b * rows["return"] + c) / (a * c - b**2))
    np.testing.assert_allclose(rows["risk"], expected, rtol=1e-7)
    first, third = (weights_of(frontier)[n].reindex(problem.model.assets) for n in ("1", "3"))
    second = weights_of(frontier)["2"].reindex(problem.model.assets)
    np.testing.assert_allclose((first + third) / 2, second, atol=1e-6)  # two funds span it


@pytest.mark.parametrize("objective", ["min_te", "min_risk"])
@pytest.mark.parametrize("seed", range(3))
def test_it_runs_from_the_least_risk_to_the_largest_return(problem_of, objective, seed):
    problem = problem_of(objective, RULES, seed=seed)
    frontier = trace_frontier(problem)
    table = frontier.table
    assert table["risk"].iloc[0] == pytest.approx(solve(problem).objective, abs=1e-8)
    most = solve(replace(problem, objective="max_return"))
    earned = problem.alpha @ problem.benchmark if objective == "min_te" else 0.0
    assert table["return"].iloc[-1] == pytest.approx(most.objective - earned, abs=1e-7)
    assert len(table) == 20
    assert (np.diff(table["return"]) > 0).all()
    assert (np.diff(table["risk"]) > 0).all()
    gain = np.diff(table["return"]) / np.diff(table["risk"])
    assert (np.diff(gain) < 1e-6).all(), "each unit of risk earns less than the one before"


@pytest.mark.parametrize("seed", range(2))
def test_each_point_is_what_a_second_solver_finds_and_keeps_the_rules(problem_of, seed):
    problem = problem_of("max_utility", RULES, seed=seed)
    frontier = trace_frontier(problem, points=6)
    again = trace_frontier(replace(problem, options={"solver": "cvxpy"}), points=6)
    for point, risk in zip(weights_of(frontier), frontier.table["risk"], strict=True):
        checked = check_rules(weights_of(frontier)[point], problem.rules, problem)
        assert (checked["status"] != "violated").all()
        assert risk == pytest.approx(again.table["risk"][int(point) - 1], abs=1e-6)


def test_a_cap_on_risk_and_soft_rules_are_kept_along_the_frontier(problem_of):
    rules = (Rule("weight", "*", None, 0.2), Rule("tracking_error", "", None, 0.05))
    frontier = trace_frontier(problem_of("min_te", rules), points=5)
    assert frontier.table["risk"].max() <= 0.05 + 1e-6
    assert frontier.table["risk"].is_monotonic_increasing


def test_rows_are_measured_from_their_weights(problem_of, dense_covariance):
    problem = problem_of("min_te", RULES, seed=4)
    frontier = trace_frontier(problem, points=7)
    assert (frontier.risk_name, frontier.return_name) == ("tracking error", "active return")
    cov = dense_covariance(problem.model)
    for row in frontier.table.to_dict("records"):
        point = str(1 + list(frontier.table["risk"]).index(row["risk"]))
        w = weights_of(frontier)[point].reindex(problem.model.assets).fillna(0.0)
        active = (w - problem.benchmark).to_numpy()
        assert row["risk"] == pytest.approx(np.sqrt(active @ cov @ active), abs=1e-9)
        assert row["return"] == pytest.approx(problem.alpha @ active, abs=1e-9)
        if row["risk"] > 1e-6:
            assert row["ratio"] == pytest.approx(row["return"] / row["risk"])
        assert row["turnover"] == pytest.approx((w - problem.current).abs().sum() / 2)
        assert row["names"] == (w.abs() > 1e-6).sum()


def test_corners_say_who_enters_and_leaves(problem_of):
    frontier = trace_frontier(problem_of("max_utility", RULES[:1]), points=12)
    held = weights_of(frontier).abs() > 1e-6
    assert len(frontier.corners)
    for row in frontier.corners.to_dict("records"):
        now = held.loc[row["ticker"], str(row["point"])]
        before = held.loc[row["ticker"], str(row["point"] - 1)]
        assert (now, before) == ((True, False) if row["change"] == "enters" else (False, True))
        column = {"enters": "entering", "leaves": "leaving"}[row["change"]]
        named = frontier.table.loc[row["point"] - 1, column]
        assert row["ticker"] in named or "more" in named


def test_without_a_benchmark_it_is_volatility_against_return(problem_of):
    problem = replace(problem_of("max_utility", RULES[:1]), benchmark=None)
    frontier = trace_frontier(problem, points=4)
    assert (frontier.risk_name, frontier.return_name) == ("volatility", "expected return")
    assert frontier.benchmark is None


def test_rules_that_conflict_are_the_refusal(problem_of):
    problem = problem_of("min_te", (Rule("weight", "*", None, 0.02),))
    frontier = trace_frontier(problem)
    assert frontier.refusal == solve(problem).refusal
    assert frontier.table.empty
    with pytest.raises(NoSolutionError, match="each weight at most 2 %"):
        frontier.require()


def test_what_is_missing_is_an_error(problem_of):
    problem = problem_of("min_te")
    with pytest.raises(ArgumentError, match="A frontier needs alpha"):
        trace_frontier(replace(problem, alpha=None))
    with pytest.raises(ArgumentError, match="A frontier needs alpha"):
        trace_frontier(replace(problem, alpha=pd.Series(0.0, problem.model.assets)))
    with pytest.raises(ArgumentError, match="points must be a whole number, 3 to 100; got 2"):
        trace_frontier(problem, points=2)


def test_a_return_that_nothing_limits_is_said(problem_of):
    frontier = trace_frontier(problem_of("min_te", (), long_short="yes"))
    assert frontier.refusal.startswith("No solution: nothing limits the return. Add a weight min")
