"""The portfolios of the largest Sharpe ratio and of the largest diversification ratio."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, NoSolutionError
from tilt.optimize.constraints import Rule
from tilt.optimize.homogeneous import homogenize
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.native import solve_piqp
from tilt.optimize.posing import open_case
from tilt.optimize.program import build
from tilt.optimize.solve import solve
from tilt.optimize.terms import Variance

FREE = (Rule("net", "", -9.0, 9.0), Rule("gross", "", None, 9.0))
KINDS = {
    "bands": (
        Rule("weight", "*", None, 0.12),
        Rule("sector", "*", -0.06, 0.06, relative=True),
        Rule("factor", "*", -0.5, 0.5, relative=True),
    ),
    "turnover": (Rule("weight", "*", None, 0.15), Rule("turnover", "", None, 0.3)),
    "tracking error": (Rule("tracking_error", "", None, 0.05), Rule("turnover", "", None, 0.8)),
    "volatility, cash moves": (Rule("volatility", "", None, 0.14), Rule("net", "", 0.7, 1.0)),
    "exact sector": (Rule("sector", "Finance", 0.3, 0.3), Rule("weight", "N01", 0.02, 0.02)),
    "soft": (Rule("weight", "*", None, 0.1, priority=0.3), Rule("weight", "*", None, 0.3)),
}


def asked(problem_of, objective, rules, solver, **options):
    return solve(problem_of(objective, rules, solver=solver, held=24, **options))


def worth(solution):
    """Return the ratio with broken soft rules taken off its gain, from the weights alone."""
    case, w = solution.case, solution.weights.to_numpy()
    broken = sum(
        r.priority * np.clip(w - r.high, 0, None).sum()
        for r in case.rules
        if r.priority is not None
    )
    return (case.goal.gain @ w - broken) / case.model.volatility(w)


@pytest.mark.parametrize("objective", ["max_sharpe", "max_diversification"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_homogeneous_program_and_a_search_in_weights_agree(problem_of, objective, kind):
    """Charnes and Cooper natively; the price of variance that its own answer implies in cvxpy."""
    native = asked(problem_of, objective, KINDS[kind], "clarabel", risk_free=0.005)
    general = asked(problem_of, objective, KINDS[kind], "cvxpy", risk_free=0.005)
    assert (native.status, native.solver, general.solver) == ("optimal", "clarabel", "cvxpy")
    assert worth(native) == pytest.approx(worth(general), abs=1e-6)


def test_the_tangency_portfolio_has_its_closed_form(problem_of, dense_covariance):
    """Without bounds the weights are V⁻¹(alpha - r), scaled to what is invested."""
    problem = replace(
        problem_of("max_sharpe", FREE, long_short=True, risk_free=0.01),
        current=pd.Series(dtype=float),
    )
    gain = problem.alpha.to_numpy() - 0.01
    cov = dense_covariance(problem.model)
    direction = np.linalg.solve(cov, gain)
    best = float(np.sqrt(gain @ direction))
    solution = solve(problem)
    assert solution.objective == pytest.approx(best, abs=1e-7)
    scale = solution.weights.abs().sum() / np.abs(direction).sum()
    np.testing.assert_allclose(solution.weights, direction * scale, atol=1e-6)


def test_uncorrelated_names_are_most_diversified_in_inverse_proportion_to_their_volatility(
    problem_of,
):
    problem = problem_of("max_diversification", held=0)
    alone = replace(problem.model, factor_cov=problem.model.factor_cov * 0.0)
    solution = solve(replace(problem, model=alone))
    inverse = 1 / np.sqrt(alone.specific_var)
    np.testing.assert_allclose(solution.weights, inverse / inverse.sum(), atol=1e-6)
    assert solution.objective == pytest.approx(np.sqrt(24), abs=1e-6)


@pytest.mark.parametrize("objective", ["max_sharpe", "max_diversification"])
def test_no_random_portfolio_within_the_rules_has_a_better_ratio(problem_of, objective):
    solution = solve(problem_of(objective, (Rule("weight", "*", None, 0.2),)))
    case, rng = solution.case, np.random.default_rng(4)
    for _ in range(200):
        w = rng.dirichlet(np.full(24, 0.6))
        if w.max() <= 0.2:
            assert case.goal.value(w, case.model) <= solution.objective + 1e-9


def test_shadow_prices_are_the_slope_of_the_ratio(problem_of):
    rules = (
        Rule("weight", "*", None, 0.12),
        Rule("sector", "Energy", None, 0.2),
        Rule("tracking_error", "", None, 0.06),
    )
    at = solve(problem_of("max_sharpe", rules))
    prices = at.rules.set_index("rule")["shadow_price"]
    assert (prices[["weight", "sector", "tracking_error"]] > 1e-3).sum() >= 2
    for n, rule in enumerate(rules):
        h = 1e-5
        up, down = (
            solve(
                problem_of(
                    "max_sharpe", (*rules[:n], rule.moved("max", rule.high + d), *rules[n + 1 :])
                )
            )
            for d in (h, -h)
        )
        slope = (up.objective - down.objective) / (2 * h)
        assert prices[rule.rule] == pytest.approx(slope, rel=2e-3, abs=2e-4)


def test_a_program_over_multiples_holds_exactly_the_multiples_of_what_the_rules_allow(problem_of):
    rules = (*KINDS["bands"], Rule("turnover", "", None, 0.5))
    case = open_case(problem_of("min_risk", rules))
    layout = lay_out(case)
    program = build(layout, halves(layout, rules), -Variance(case.model, np.zeros(24)))
    tilt = case.model.exposures.T @ case.center
    whole = homogenize(program, 100 * float(tilt @ case.model.covariance @ tilt))
    for scale in (0.5, 1.0, 3.0):
        row = np.zeros(program.size)
        row[:24] = 1.0
        answer = solve_piqp(whole.fixing(row, scale))
        assert answer.x[whole.scale] == pytest.approx(scale, abs=1e-8)
        plain = solve(problem_of("min_risk", rules))
        np.testing.assert_allclose(answer.x[:24] / scale, plain.weights, atol=1e-5)


def test_without_an_excess_return_there_is_no_ratio_and_the_message_says_by_how_much(problem_of):
    solution = solve(problem_of("max_sharpe", (Rule("weight", "*", None, 0.2),), risk_free=0.2))
    best = solve(problem_of("max_return", (Rule("weight", "*", None, 0.2),))).objective - 0.2
    assert solution.status == "infeasible"
    assert f"the best is {100 * best:.4g} % a year" in solution.refusal
    assert solution.view("explain").iloc[0, 0] == solution.refusal
    with pytest.raises(NoSolutionError, match="Raise alpha, lower risk_free"):
        solution.require()


def test_rules_that_conflict_are_named_for_a_ratio_as_for_any_objective(problem_of):
    solution = solve(problem_of("max_sharpe", (Rule("weight", "*", None, 0.02),)))
    assert "each weight at most 2 %" in solution.refusal
    assert [r.rule for r in solution.conflict] == ["weight"]


def test_rules_that_hold_at_any_size_leave_a_market_neutral_ratio_without_an_answer(problem_of):
    neutral = Rule("net", "", 0.0, 0.0)
    solution = solve(problem_of("max_sharpe", (neutral,), long_short=True))
    assert solution.status == "unbounded"
    assert "Add a max on gross" in solution.refusal
    rules = (neutral, Rule("gross", "", None, 1.5), Rule("weight", "*", -0.1, 0.1))
    assert solve(problem_of("max_sharpe", rules, long_short=True)).status == "optimal"


@pytest.mark.parametrize(
    ("objective", "options", "message"),
    [
        ("max_diversification", {"long_short": True}, "max_diversification is long-only"),
        ("max_sharpe", {"risk_free": 3}, "must be a yearly rate, 0.03 for 3 %"),
    ],
)
def test_what_a_ratio_cannot_take_is_said(problem_of, objective, options, message):
    with pytest.raises(ArgumentError, match=message):
        solve(problem_of(objective, **options))


def test_a_sharpe_ratio_without_alpha_is_refused(problem_of):
    with pytest.raises(ArgumentError, match="max_sharpe needs alpha"):
        solve(replace(problem_of("max_sharpe"), alpha=None))


def test_each_trade_says_what_it_adds_to_the_ratio(problem_of):
    solution = solve(problem_of("max_sharpe", (Rule("weight", "*", None, 0.2),)))
    case, after = solution.case, solution.weights.to_numpy()
    parts = case.goal.parts(case.current, after, case.model, len(case.factors))
    gained = (parts * (after - case.current)[:, None]).sum()
    assert gained == pytest.approx(solution.objective - case.headline(case.current), rel=1e-4)
    assert solution.view("trades")["reason"].str.contains("to the Sharpe ratio").any()
