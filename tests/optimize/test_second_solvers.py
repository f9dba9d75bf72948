"""Three formulations of one problem give one answer, and the answer meets the KKT conditions."""

from dataclasses import replace

import numpy as np
import osqp
import pytest
import scipy.sparse as sp

from tilt.optimize.constraints import Rule
from tilt.optimize.solve import solve

RULES = {
    "bands": (
        Rule("weight", "*", None, 0.12),
        Rule("sector", "*", -0.06, 0.06, relative=True),
        Rule("factor", "*", -0.5, 0.5, relative=True),
    ),
    "turnover": (
        Rule("weight", "*", None, 0.15),
        Rule("turnover", "", None, 0.30),
        Rule("factor", "Momentum", -0.1, 0.1, relative=True),
    ),
    "beta and a floor": (
        Rule("beta", "", 0.95, 0.98),
        Rule("weight", "Energy", 0.01, 0.2),
        Rule("sector", "Health", None, 0.2),
    ),
    "exact sector, cash moves": (
        Rule("sector", "Finance", 0.3, 0.3),
        Rule("net", "", 0.9, 1.0),
        Rule("turnover", "", None, 0.35),
    ),
    "tracking error": (
        Rule("weight", "*", None, 0.25),
        Rule("tracking_error", "", None, 0.05),
        Rule("turnover", "", None, 0.6),
    ),
    "volatility": (
        Rule("weight", "*", None, 0.25),
        Rule("volatility", "", None, 0.18),
        Rule("industry", "*", None, 0.4),
    ),
    "soft": (
        Rule("weight", "*", None, 0.08, priority=0.02),
        Rule("sector", "Energy", 0.4, None, priority=0.01),
        Rule("turnover", "", None, 0.3, priority=0.05),
        Rule("weight", "*", None, 0.3),
    ),
}
LEVERED = {
    "130/30": (
        Rule("short", "", None, 0.3),
        Rule("weight", "*", -0.08, 0.15),
        Rule("turnover", "", None, 0.9),
    ),
    "market neutral": (
        Rule("net", "", 0.0, 0.0),
        Rule("gross", "", None, 1.2),
        Rule("long", "", None, 0.6),
        Rule("beta", "", 0.0, 0.0),
        Rule("weight", "*", -0.1, 0.1),
    ),
}
OBJECTIVES = ("min_te", "min_risk", "max_utility", "max_return", "equal_weight")


def agree(problem, natives):
    general = solve(replace(problem, options={**problem.options, "solver": "cvxpy"}))
    for solver in natives:
        native = solve(replace(problem, options={**problem.options, "solver": solver}))
        assert native.status == general.status
        if native.solved:
            assert native.solver == solver
            worth = [
                s.case.goal.value(s.weights.to_numpy(), s.case.model) for s in (native, general)
            ]
            if all(r.hard for r in problem.rules):
                assert worth[0] == pytest.approx(worth[1], abs=1e-7)
                assert native.objective == pytest.approx(general.objective, abs=1e-6)
            else:
                assert penalized(native) == pytest.approx(penalized(general), abs=1e-6)


def penalized(solution):
    """Return the goal less the cost of broken soft rules, computed from the weights alone."""
    case, weights = solution.case, solution.weights.to_numpy()
    cost = 0.0
    for rule in (r for r in case.rules if not r.hard):
        if rule.rule == "weight":
            cost += rule.priority * np.clip(weights - rule.high, 0, None).sum()
        elif rule.rule == "turnover":
            moved = np.abs(weights - case.current).sum() / 2
            cost += rule.priority * max(moved - rule.high, 0.0)
        else:
            total = weights[case.sector == rule.who].sum()
            cost += rule.priority * max(rule.low - total, 0.0)
    return case.goal.value(weights, case.model) - cost


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kind", RULES)
def test_native_solvers_and_cvxpy_agree(problem_of, objective, kind):
    rules = RULES[kind]
    if objective == "max_return" and kind in ("beta and a floor", "exact sector, cash moves"):
        rules = (*rules, Rule("weight", "*", None, 0.35))
    conic = kind in ("tracking error", "volatility")
    agree(
        problem_of(objective, rules, seed=OBJECTIVES.index(objective)),
        ("clarabel",) if conic else ("piqp", "clarabel"),
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kind", LEVERED)
def test_native_solvers_and_cvxpy_agree_on_long_short_books(problem_of, objective, kind):
    agree(problem_of(objective, LEVERED[kind], long_short=True), ("piqp", "clarabel"))


@pytest.mark.parametrize("seed", range(6))
def test_a_dense_formulation_solved_by_a_first_order_method_agrees(
    problem_of, dense_covariance, seed
):
    """Buys and sells as variables, the full covariance matrix, and OSQP."""
    rules = (
        Rule("weight", "*", None, 0.15),
        Rule("turnover", "", None, 0.45),
        Rule("factor", "Value", -0.15, 0.15, relative=True),
        Rule("sector", "Energy", None, 0.3),
    )
    problem = problem_of("min_te", rules, n=20, held=8, seed=seed)
    solution = solve(problem)
    assert solution.status == "optimal"
    cov, n = 1e4 * dense_covariance(problem.model), 20
    off = (problem.current - problem.benchmark).to_numpy()
    held, net = problem.current.to_numpy(), np.hstack([np.eye(n), -np.eye(n)])
    value = problem.model.exposures["Value"].to_numpy()
    energy = (problem.securities["sector"] == "Energy").to_numpy().astype(float)
    rows = np.vstack(
        [
            net,
            np.eye(2 * n),
            np.ones(n) @ net,
            np.full(2 * n, 0.5),
            value @ net,
            energy @ net,
        ]
    )
    low = [*-held, *[0.0] * (2 * n), 0.0, 0.0, -0.15 - value @ off, -1.0]
    high = [*(0.15 - held), *[1.0] * (2 * n), 0.0, 0.45, 0.15 - value @ off, 0.3 - energy @ held]
    solver = osqp.OSQP()
    solver.setup(
        sp.csc_matrix(2 * net.T @ cov @ net),
        2 * net.T @ cov @ off,
        sp.csc_matrix(rows),
        np.array(low),
        np.array(high),
        verbose=False,
        eps_abs=1e-9,
        eps_rel=1e-9,
        max_iter=200_000,
        polishing=True,
    )
    active = off + net @ solver.solve(raise_error=True).x
    assert solution.objective == pytest.approx(np.sqrt(active @ cov @ active) / 100, abs=1e-6)


@pytest.mark.parametrize("solver", ["piqp", "clarabel", "cvxpy"])
@pytest.mark.parametrize("seed", range(3))
def test_the_answer_meets_the_kkt_conditions(problem_of, dense_covariance, solver, seed):
    """For each name: marginal utility = budget price + prices of its rules; less only at zero."""
    rules = (
        Rule("weight", "*", None, 0.12),
        Rule("sector", "Energy", None, 0.2),
        Rule("sector", "Health", 0.3, None),
        Rule("factor", "Momentum", -0.1, 0.1, relative=True),
    )
    problem = problem_of("max_utility", rules, seed=seed, solver=solver)
    solution = solve(problem)
    weights = solution.weights
    active = weights - problem.benchmark
    marginal = problem.alpha - 2 * 4.0 * dense_covariance(problem.model) @ active
    table = solution.rules.set_index(["rule", "who"])
    price = table["shadow_price"]
    sector = problem.securities["sector"]
    momentum = problem.model.exposures["Momentum"]
    side = np.sign(table.loc[("factor", "Momentum"), "value"])
    explained = (
        price[("budget", "")]
        + price[("sector", "Energy")] * (sector == "Energy")
        - price[("sector", "Health")] * (sector == "Health")
        + side * price[("factor", "Momentum")] * momentum
    )
    excess = marginal - explained
    inside = (weights > 1e-5) & (weights < 0.12 - 1e-5)
    assert inside.sum() >= 3
    np.testing.assert_allclose(excess[inside], 0.0, atol=2e-6)
    assert (excess[weights < 1e-7] < 2e-6).all()
    capped = weights > 0.12 - 1e-6
    assert (excess[capped] > -2e-6).all()
    assert excess[capped].sum() == pytest.approx(price[("weight", "*")], abs=1e-5)


def test_the_solver_that_answered_is_reported(problem_of):
    assert solve(problem_of("min_te", RULES["bands"])).solver == "piqp"
    assert solve(problem_of("min_te", RULES["tracking error"])).solver == "clarabel"
