"""Risk parity and risk budgets: published tables, second solvers, and the rules."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.optimize.constraints import Rule
from tilt.optimize.goals import risk_shares
from tilt.optimize.parity import by_exposures, by_names, meet_budgets
from tilt.optimize.solve import solve
from tilt.optimize.terms import Factors

# Maillard, Roncalli, Teiletche (2010), the example of section 4.1: volatilities of 10, 20, 30 and
# 40 %, and correlations.
VOLATILITY = np.array([0.1, 0.2, 0.3, 0.4])
CORRELATION = np.array(
    [[1.0, 0.8, 0.0, 0.0], [0.8, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -0.5], [0.0, 0.0, -0.5, 1.0]]
)
PUBLISHED = np.array([0.384, 0.192, 0.243, 0.182])


def dense(cov):
    root = np.linalg.cholesky(cov)
    return Factors(root, np.eye(len(cov)), np.zeros(len(cov)), np.eye(len(cov)))


def factor_model(n, k, seed):
    rng = np.random.default_rng(seed)
    exposures = np.hstack([np.ones((n, 1)), rng.normal(size=(n, k - 1))])
    root = np.diag([0.16, *[0.05] * (k - 1)])
    return Factors(exposures, root @ root.T, rng.uniform(0.1, 0.4, n) ** 2, root)


def test_equal_contributions_of_maillard_roncalli_and_teiletche():
    cov = CORRELATION * np.outer(VOLATILITY, VOLATILITY)
    weights = meet_budgets(dense(cov), np.full(4, 0.25))
    np.testing.assert_allclose(weights, PUBLISHED, atol=6e-4)
    np.testing.assert_allclose(
        weights * (cov @ weights) / (weights @ cov @ weights), 0.25, atol=1e-10
    )


@pytest.mark.parametrize("seed", range(4))
def test_shares_meet_their_budgets_and_a_general_minimizer_finds_the_same(seed):
    model = factor_model(30, 4, seed)
    budgets = np.random.default_rng(seed).dirichlet(np.full(30, 2.0))
    weights = meet_budgets(model, budgets)
    np.testing.assert_allclose(risk_shares(weights, model), budgets, atol=1e-8)

    def spinu(z):  # in logarithms of the weights, where every point is allowed
        x = np.exp(z)
        return x @ model.apply(x) / 2 - budgets @ z, x * model.apply(x) - budgets

    found = np.exp(minimize(spinu, np.log(budgets), jac=True, method="BFGS", tol=1e-10).x)
    np.testing.assert_allclose(found / found.sum(), weights, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(2, 60),
    k=st.integers(1, 6),
    seed=st.integers(0, 10_000),
    skew=st.floats(0.2, 20.0),
)
def test_newton_over_exposures_and_over_names_agree(n, k, seed, skew):
    model = factor_model(n, k, seed)
    budgets = np.random.default_rng(seed).dirichlet(np.full(n, skew)) + 1e-6
    budgets /= budgets.sum()
    z = model.exposures @ model.root
    by_factor = by_exposures(z, model.specific, budgets)
    by_name = by_names(z @ z.T + np.diag(model.specific), budgets)
    np.testing.assert_allclose(by_factor, by_name, rtol=1e-7)
    np.testing.assert_allclose(risk_shares(by_factor, model), budgets, rtol=1e-8, atol=1e-12)


def test_two_names_hold_risk_in_inverse_proportion_to_their_volatility():
    """Whatever their correlation, equal shares of two names are the inverse volatilities."""
    for rho in (-0.6, 0.0, 0.9):
        cov = np.outer([0.1, 0.3], [0.1, 0.3]) * np.array([[1, rho], [rho, 1]])
        np.testing.assert_allclose(
            meet_budgets(dense(cov), np.full(2, 0.5)), [0.75, 0.25], atol=1e-9
        )


def test_names_that_hedge_each_other_fully_have_no_shares():
    cov = np.array([[0.04, -0.04], [-0.04, 0.04]])
    with pytest.raises(DataError, match="some long positions carry none"):
        by_names(cov, np.full(2, 0.5))


def shares(solution):
    return risk_shares(solution.weights.to_numpy(), solution.case.model)


def test_rules_that_do_not_bind_leave_the_shares_equal(problem_of):
    solution = solve(problem_of("risk_parity", (Rule("weight", "*", None, 0.2),)))
    np.testing.assert_allclose(shares(solution), 1 / 24, atol=1e-8)
    assert solution.objective == pytest.approx(0.0, abs=1e-12)
    assert solution.solver == "newton"


def test_sector_budgets_are_met_by_sector_and_shared_equally_within(problem_of):
    solution = solve(problem_of("risk_budget", budgets="Energy=0.4, Health=60%"))
    of = pd.Series(shares(solution)).groupby(solution.case.sector).sum()
    assert of["Energy"] == pytest.approx(0.4, abs=1e-8)
    assert of["Health"] == pytest.approx(0.6, abs=1e-8)
    assert set(solution.case.sector[solution.weights > 0]) == {"Energy", "Health"}
    np.testing.assert_allclose(
        shares(solution)[solution.case.sector == "Energy"], 0.4 / 6, atol=1e-8
    )


@pytest.mark.parametrize("budgets", ["holdings", "sector"])
def test_budgets_by_word(problem_of, budgets):
    solution = solve(problem_of("risk_parity", budgets=budgets))
    case = solution.case
    if budgets == "holdings":
        np.testing.assert_allclose(shares(solution), (case.current > 0) / 8, atol=1e-8)
    else:
        of = pd.Series(shares(solution)).groupby(case.sector).sum()
        np.testing.assert_allclose(of, 1 / 4, atol=1e-8)


def test_the_max_of_rules_risk_share_is_a_budget(problem_of):
    rules = (Rule("risk_share", "Energy", None, 0.3), Rule("risk_share", "N01", None, 0.7))
    asked = solve(problem_of("risk_budget", rules))
    same = solve(problem_of("risk_budget", budgets="Energy=0.3, N01=0.7"))
    np.testing.assert_allclose(asked.weights, same.weights, atol=1e-12)


BOUND = {
    "caps and a sector": (
        Rule("weight", "*", None, 0.06),
        Rule("sector", "Finance", 0.33, None),
    ),
    "turnover": (Rule("turnover", "", None, 0.3),),
    "volatility and cash": (
        Rule("volatility", "", None, 0.165),
        Rule("net", "", 0.95, 1.0),
        Rule("factor", "Market", 0.0, 0.97),
    ),
    "factor": (Rule("factor", "Value", 0.4, None), Rule("weight", "N03", 0.1, 0.1)),
}


@pytest.mark.parametrize("kind", BOUND)
def test_within_rules_quadratic_programs_and_logarithms_in_cvxpy_agree(problem_of, kind):
    found = [
        solve(problem_of("risk_parity", BOUND[kind], held=24, solver=solver))
        for solver in ("clarabel", "cvxpy")
    ]
    assert [s.status for s in found] == ["optimal", "optimal"]
    assert found[0].objective == pytest.approx(found[1].objective, abs=1e-6)
    assert found[0].objective >= -1e-12


def test_the_deviation_from_the_budgets_is_said_with_the_name_that_is_furthest_off(problem_of):
    solution = solve(problem_of("risk_parity", (Rule("factor", "Value", 0.4, None),)))
    off = np.abs(shares(solution) - 1 / 24)
    name = solution.case.assets[off.argmax()]
    said = " ".join(solution.messages)
    assert f"off their budgets by {100 * off.max():.4g} % at most: {name} has" in said


def test_shadow_prices_are_the_slope_of_the_distance(problem_of):
    rules = (Rule("factor", "Value", 0.4, None), Rule("sector", "Finance", 0.33, None))
    at = solve(problem_of("risk_parity", rules))
    prices = at.rules.set_index("rule")["shadow_price"]
    for n, rule in enumerate(rules):
        h = 1e-4
        ends = [
            solve(
                problem_of(
                    "risk_parity", (*rules[:n], rule.moved("min", rule.low + d), *rules[n + 1 :])
                )
            )
            for d in (h, -h)
        ]
        slope = (ends[0].objective - ends[1].objective) / (2 * h)
        assert prices[rule.rule] == pytest.approx(slope, rel=1e-3)


def test_a_trade_says_what_becomes_of_the_share_of_risk(problem_of):
    table = solve(problem_of("risk_parity")).view("trades")
    assert table["reason"].str.endswith("its budget is 4.17 %.").any()


@pytest.mark.parametrize(
    ("objective", "rules", "options", "error", "message"),
    [
        ("risk_budget", (), {}, ArgumentError, "risk_budget needs option budgets"),
        ("risk_budget", (), {"budgets": "Enrgy=1"}, UnknownNameError, "Did you mean 'Energy'?"),
        ("risk_budget", (), {"budgets": "Energy"}, ArgumentError, "not of the form name=share"),
        ("risk_budget", (), {"budgets": "Energy=-1"}, ArgumentError, "must be above zero"),
        ("risk_budget", (), {"budgets": "N01=0.5, N01=0.5"}, ArgumentError, "'N01' is given twice"),
        ("risk_budget", (), {"budgets": "N00=1, Energy=1"}, ArgumentError, "a ticker of it"),
        ("risk_parity", (), {"long_short": True}, ArgumentError, "risk_parity is long-only"),
        (
            "risk_parity",
            (Rule("weight", "*", None, 0.05, priority=1.0),),
            {},
            ArgumentError,
            "is soft, and risk_parity has nothing to weigh it against",
        ),
    ],
)
def test_what_is_wrong_with_budgets_is_said(problem_of, objective, rules, options, error, message):
    with pytest.raises(error, match=message):
        solve(problem_of(objective, rules, **options))


def test_budgets_that_do_not_add_up_are_divided_by_their_sum_and_it_is_said(problem_of):
    solution = solve(problem_of("risk_budget", budgets="Energy=1, Health=3"))
    of = pd.Series(shares(solution)).groupby(solution.case.sector).sum()
    assert of["Health"] == pytest.approx(0.75, abs=1e-8)
    assert "The budgets add up to 4" in " ".join(solution.messages)


def test_an_order_of_names_does_not_matter(problem_of):
    problem = problem_of("risk_parity")
    turned = replace(problem, model=problem.model.only(problem.model.assets[::-1]))
    np.testing.assert_allclose(solve(turned).weights[::-1], solve(problem).weights, atol=1e-10)
