from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError, NoSolutionError, UnknownNameError
from tilt.optimize.conflict import explain_conflict
from tilt.optimize.constraints import Rule
from tilt.optimize.native import Answer
from tilt.optimize.posing import open_case
from tilt.optimize.route import _checked, _least_bad, find
from tilt.optimize.solve import Problem, _insist, check_rules, solve
from tilt.risk.model import RiskModel

SOLVERS = ("piqp", "clarabel", "cvxpy")
CAP = Rule("weight", "*", None, 0.10)
BANDS = (
    CAP,
    Rule("sector", "*", -0.05, 0.05, relative=True),
    Rule("factor", "Momentum", -0.2, 0.2, relative=True),
    Rule("turnover", "", None, 0.40),
)


def specific_only(variances, **given_fields):
    """Return a min_risk problem whose covariance is diagonal."""
    names = [f"N{i}" for i in range(len(variances))]
    model = RiskModel(
        universe="",
        snapshot="",
        date=pd.Timestamp("2016-06-30"),
        horizon="short",
        exposures=pd.DataFrame(np.ones((len(names), 1)), names, ["Market"]),
        factor_cov=pd.DataFrame([[0.0]], ["Market"], ["Market"]),
        specific_var=pd.Series(np.asarray(variances, dtype=float), names),
        groups=pd.Series(["market"], ["Market"]),
        notes=(),
    )
    fields = {
        "objective": "min_risk",
        "securities": pd.DataFrame({"name": names}, index=names),
        "current": pd.Series(dtype=float),
    }
    return Problem(model=model, **{**fields, **given_fields})


@pytest.mark.parametrize("solver", SOLVERS)
def test_least_risk_of_unrelated_names_is_by_inverse_variance(solver):
    variances = np.array([1.0, 2.0, 4.0, 8.0]) * 1e-4
    solution = solve(specific_only(variances, options={"solver": solver}))
    inverse = 1 / variances
    np.testing.assert_allclose(solution.weights, inverse / inverse.sum(), atol=1e-6)
    assert solution.objective == pytest.approx(np.sqrt(252 / inverse.sum()), abs=1e-8)
    assert solution.solver == solver


@pytest.mark.parametrize("solver", SOLVERS)
def test_two_related_names_have_the_textbook_weights(solver):
    s1, s2, rho = 0.01, 0.02, 0.3
    root = np.linalg.cholesky([[s1**2, rho * s1 * s2], [rho * s1 * s2, s2**2]])
    problem = specific_only([0.0, 0.0], options={"solver": solver})
    model = replace(
        problem.model,
        exposures=pd.DataFrame(root, ["N0", "N1"], ["F", "G"]),
        factor_cov=pd.DataFrame(np.eye(2), ["F", "G"], ["F", "G"]),
        groups=pd.Series(["style", "style"], ["F", "G"]),
    )
    first = solve(replace(problem, model=model)).weights["N0"]
    c = rho * s1 * s2
    assert first == pytest.approx((s2**2 - c) / (s1**2 + s2**2 - 2 * c), abs=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_rules_the_least_tracking_error_is_the_benchmark(problem_of, solver):
    problem = problem_of("min_te", solver=solver)
    solution = solve(problem)
    assert solution.objective < 1e-5
    np.testing.assert_allclose(solution.weights, problem.benchmark, atol=2e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_utility_of_unrelated_names_has_the_textbook_weights(solver):
    variances = np.array([1.0, 2.0, 4.0]) * 1e-4
    alpha = pd.Series([0.02, 0.05, 0.08], ["N0", "N1", "N2"])
    aversion = 2.0
    problem = specific_only(
        variances,
        objective="max_utility",
        alpha=alpha,
        options={"solver": solver, "risk_aversion": aversion, "long_short": True},
    )
    inverse = 1 / (2 * aversion * 252 * variances)
    price = (inverse @ alpha - 1) / inverse.sum()  # of the budget
    np.testing.assert_allclose(solve(problem).weights, inverse * (alpha - price), atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_most_return_under_a_name_cap_fills_the_best_names(problem_of, solver):
    problem = problem_of("max_return", (CAP,), solver=solver)
    solution = solve(problem)
    best = problem.alpha.nlargest(10)
    np.testing.assert_allclose(solution.weights[best.index], 0.10, atol=1e-6)
    assert solution.objective == pytest.approx(0.1 * best.sum(), abs=1e-7)


def test_equal_weight_is_equal_and_under_a_cap_of_one_name_equal_elsewhere(problem_of):
    assert np.allclose(solve(problem_of("equal_weight")).weights, 1 / 24, atol=1e-7)
    weights = solve(problem_of("equal_weight", (Rule("weight", "N03", None, 0.01),))).weights
    assert weights["N03"] == pytest.approx(0.01, abs=1e-6)
    np.testing.assert_allclose(weights.drop("N03"), 0.99 / 23, atol=1e-6)


def test_a_tracking_error_cap_is_used_in_full_by_the_largest_return(problem_of):
    cap = Rule("tracking_error", "", None, 0.04)
    for solver in ("auto", "clarabel", "cvxpy"):
        solution = solve(problem_of("max_return", (CAP, cap), solver=solver))
        table = solution.rules.set_index("rule")
        assert table.loc["tracking_error", "value"] == pytest.approx(0.04, abs=1e-6)
        assert table.loc["tracking_error", "status"] == "binding"


def test_weights_sum_to_what_is_invested_now_unless_cash_or_net_say_otherwise(problem_of):
    problem = problem_of()
    part = replace(problem, current=problem.current * 0.9)
    assert solve(part).weights.sum() == pytest.approx(0.9, abs=1e-9)
    assert solve(replace(part, options={"cash": 0.02})).weights.sum() == pytest.approx(0.98)
    net = replace(part, rules=(Rule("net", "", 0.95, 0.97),))
    assert 0.95 - 1e-6 <= solve(net).weights.sum() <= 0.97 + 1e-6
    assert "budget" not in set(solve(net).rules["rule"])
    assert solve(part).rules.set_index("rule").loc["budget", "max"] == pytest.approx(0.9)
    empty = replace(problem, current=pd.Series(dtype=float))
    assert solve(empty).weights.sum() == pytest.approx(1.0)


def test_a_hundred_thirty_thirty_portfolio_uses_its_leverage(problem_of):
    rules = (
        Rule("gross", "", None, 1.6),
        Rule("short", "", None, 0.3),
        Rule("long", "", None, 1.3),
        Rule("weight", "*", -0.1, 0.2),
    )
    for solver in SOLVERS:
        weights = solve(problem_of("max_return", rules, solver=solver, long_short=True)).weights
        assert weights.clip(upper=0).sum() == pytest.approx(-0.3, abs=1e-6)
        assert weights.abs().sum() == pytest.approx(1.6, abs=1e-6)


def test_an_excluded_name_is_an_exact_zero(problem_of):
    weights = solve(problem_of("min_te", (Rule("weight", "N05", None, 0.0),))).weights
    assert weights["N05"] == 0.0


def test_tiny_weights_are_exact_zeros(problem_of):
    weights = solve(problem_of("max_utility", (CAP,))).weights
    assert not ((weights != 0) & (weights.abs() < 1e-7)).any()
    assert (weights == 0).any()


def test_a_soft_rule_gives_way_by_as_much_as_it_is_cheaper_to(problem_of):
    wish = Rule("sector", "Energy", 0.60, None, priority=1e-3)
    rules = (Rule("tracking_error", "", None, 0.03), CAP)
    soft = solve(problem_of("min_te", (*rules, wish)))
    table = soft.rules.set_index(["rule", "who"])
    assert table.loc[("sector", "Energy"), "status"] == "given up"
    assert "gave up" in table.loc[("sector", "Energy"), "note"]
    firm = solve(problem_of("min_te", (CAP, replace(wish, low=0.4, priority=1e3))))
    assert firm.rules.set_index(["rule", "who"]).loc[("sector", "Energy"), "slack"] > -1e-6


def test_a_soft_rule_is_priced_at_its_priority_when_given_up(problem_of):
    wish = Rule("sector", "Energy", 0.60, None, priority=0.01)
    solution = solve(problem_of("max_utility", (CAP, wish)))
    table = solution.rules.set_index(["rule", "who"])
    assert table.loc[("sector", "Energy"), "shadow_price"] == pytest.approx(0.01, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cap=st.floats(0.06, 0.5),
    turnover=st.floats(0.35, 1.0),
    band=st.floats(0.1, 0.5),
    objective=st.sampled_from(["min_te", "min_risk", "max_utility", "equal_weight"]),
)
def test_no_rule_is_ever_broken_by_more_than_a_millionth(
    problem_of, seed, cap, turnover, band, objective
):
    rules = (
        Rule("weight", "*", None, cap),
        Rule("turnover", "", None, turnover),
        Rule("factor", "Value", -band, band, relative=True),
    )
    solution = solve(problem_of(objective, rules, seed=seed))
    if solution.solved:
        checked = check_rules(solution.weights, rules, solution.problem)
        assert (checked["slack"] > -1e-6).all()
        assert solution.weights.min() > -1e-6
        assert solution.weights.sum() == pytest.approx(1.0, abs=1e-6)
    else:
        assert solution.conflict


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_assets_does_not_matter(problem_of, seed):
    problem = problem_of("min_te", BANDS, seed=seed)
    order = np.random.default_rng(seed).permutation(problem.model.exposures.index)
    model = replace(
        problem.model,
        exposures=problem.model.exposures.loc[order],
        specific_var=problem.model.specific_var.loc[order],
    )
    a, b = solve(problem), solve(replace(problem, model=model))
    assert a.status == b.status
    if a.solved:
        assert a.objective == pytest.approx(b.objective, abs=1e-8)
        np.testing.assert_allclose(a.weights, b.weights[a.weights.index], atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.25, 4.0))
def test_scaling_all_risk_scales_the_tracking_error_and_moves_no_weight(problem_of, seed, scale):
    problem = problem_of("min_te", BANDS, seed=seed)
    model = replace(
        problem.model,
        factor_cov=problem.model.factor_cov * scale**2,
        specific_var=problem.model.specific_var * scale**2,
    )
    a, b = solve(problem), solve(replace(problem, model=model))
    assert a.status == b.status
    if a.solved:
        assert b.objective == pytest.approx(scale * a.objective, abs=1e-7)
        np.testing.assert_allclose(a.weights, b.weights, atol=1e-4)


def test_the_same_problem_has_the_same_answer_and_id_to_the_last_bit(problem_of):
    a, b = solve(problem_of("min_te", BANDS)), solve(problem_of("min_te", BANDS))
    assert a.run_id == b.run_id
    pd.testing.assert_series_equal(a.weights, b.weights, check_exact=True)


def test_what_does_not_decide_the_answer_leaves_the_id(problem_of):
    problem = problem_of("min_te", BANDS)
    same = [
        replace(problem, options={"solver": "auto", "long_short": "no"}),
        replace(problem, current=problem.current[problem.current > 0].iloc[::-1]),
        replace(problem, rules=tuple(replace(r, row=r.row + 3) for r in BANDS)),
    ]
    assert {p.run_id for p in same} == {problem.run_id}


def test_cash_among_the_weights_is_cash(problem_of):
    problem = problem_of("min_te", BANDS)
    with_cash = pd.concat([problem.current * 0.9, pd.Series({"CASH": 0.1})])
    a = solve(replace(problem, current=with_cash))
    assert a.weights.sum() == pytest.approx(0.9, abs=1e-9)


def test_anything_that_decides_the_answer_changes_the_id(problem_of):
    problem = problem_of("min_te", BANDS)
    others = [
        replace(problem, objective="min_risk"),
        replace(problem, rules=BANDS[:-1]),
        replace(problem, alpha=problem.alpha * 2),
        replace(problem, current=problem.benchmark),
        replace(problem, benchmark=problem.current),
        replace(problem, options={"cash": 0.01}),
        replace(problem, model=replace(problem.model, factor_cov=problem.model.factor_cov * 2)),
    ]
    assert len({p.run_id for p in [problem, *others]}) == len(others) + 1
    assert replace(problem, options={"solver": "auto"}).run_id == problem.run_id


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"objective": "min_tee"}, ArgumentError, "Did you mean 'min_te'?"),
        ({"options": {"risk_aversio": 2}}, ArgumentError, "option 'risk_aversio' is not one of"),
        (
            {"options": {"risk_aversion": 0}},
            ArgumentError,
            "option risk_aversion must be above zero; got 0.",
        ),
        ({"options": {"cash": "some"}}, ArgumentError, "option cash must be a number; got 'some'."),
        (
            {"options": {"long_short": "perhaps"}},
            ArgumentError,
            "option long_short must be yes or no; got 'perhaps'.",
        ),
        (
            {"options": {"solver": "gurobi"}},
            ArgumentError,
            "option solver must be one of auto, piqp, clarabel, cvxpy; got 'gurobi'.",
        ),
        (
            {"options": {"cash": 1.2}},
            ArgumentError,
            "120 % in cash leaves -20 % to invest: not long-only.",
        ),
        (
            {"benchmark": None},
            ArgumentError,
            "min_te needs a benchmark. Give one, or use min_risk.",
        ),
        (
            {"benchmark": None, "objective": "min_risk", "rules": (Rule("beta", "", None, 1.0),)},
            ArgumentError,
            "'beta at most 1' needs a benchmark.",
        ),
        ({"objective": "max_return", "alpha": None}, ArgumentError, "max_return needs alpha"),
        (
            {"objective": "max_return"},
            ArgumentError,
            "max_return alone puts everything into one name.",
        ),
        (
            {"alpha": pd.Series({"N01X": 0.1})},
            UnknownNameError,
            "alpha names N01X, without risk data at this date. Did you mean 'N01'?",
        ),
        (
            {"alpha": pd.Series({"N01": 5.0})},
            ArgumentError,
            "alpha of N01 is 5, or 500 % a year. Type 5 % as 0.05.",
        ),
        ({"alpha": pd.Series({"N01": np.nan})}, DataError, "alpha of N01 is not a number."),
        ({"alpha": pd.Series([0.1, 0.2], ["N01", "N01"])}, DataError, "alpha names N01 twice."),
        (
            {"current": pd.Series({"N01": np.nan})},
            DataError,
            "The weight of N01 in holdings is missing.",
        ),
        (
            {"current": pd.Series({"ZZZ": 1.0})},
            UnknownNameError,
            "ZZZ in holdings has no risk data at this date.",
        ),
        (
            {"rules": (Rule("weight", "ZZZ", None, 0.1),)},
            UnknownNameError,
            "'ZZZ' of 'weight ZZZ at most 10 %' has no risk data",
        ),
        (
            {"rules": (Rule("factor", "Momentun", None, 0.1),)},
            UnknownNameError,
            "The risk model has no factor 'Momentun'. Did you mean 'Momentum'?",
        ),
        (
            {"rules": (Rule("sector", "Enrgy", None, 0.1),)},
            UnknownNameError,
            "No asset of sector 'Enrgy' has risk data at this date. Did you mean 'Energy'?",
        ),
        ({"rules": (Rule("weight", "*", None, 20.0),)}, ArgumentError, "max 20 means 2000 %"),
        ({"rules": (Rule("capacity", "", None, 20),)}, ArgumentError, "'capacity' is no rule. The"),
        (
            {"options": {"solver": "piqp", "time_limit": 1}},
            ArgumentError,
            "solver piqp keeps no time_limit.",
        ),
        (
            {"rules": (Rule("tracking_error", "", None, 0.1),), "options": {"solver": "piqp"}},
            ArgumentError,
            "solver piqp takes no tracking_error or volatility rule",
        ),
    ],
)
def test_a_badly_stated_problem_is_an_error_that_says_what_to_do(problem_of, change, kind, message):
    with pytest.raises(kind) as error:
        solve(replace(problem_of(), **change))
    assert message in str(error.value)


def test_a_covariance_that_is_none_is_refused_with_its_eigenvalue(problem_of):
    problem = problem_of()
    factor_cov = problem.model.factor_cov.copy()
    factor_cov.iloc[0, 0] = -1e-4
    with pytest.raises(DataError, match="not positive semi-definite: its smallest eigenvalue is -"):
        solve(replace(problem, model=replace(problem.model, factor_cov=factor_cov)))
    negative = problem.model.specific_var.copy()
    negative.iloc[3] = -1e-4
    with pytest.raises(DataError, match="The specific variance of N03 is negative or missing"):
        solve(replace(problem, model=replace(problem.model, specific_var=negative)))


def test_an_unbounded_problem_says_which_rule_is_missing(problem_of):
    rules = (Rule("weight", "N05", None, 0.1),)
    solution = solve(problem_of("max_return", rules, long_short=True))
    assert solution.status == "unbounded"
    with pytest.raises(NoSolutionError, match=r"nothing limits expected return\. Add a weight min"):
        solution.require()


def test_a_time_limit_is_kept_and_said(problem_of):
    solution = solve(problem_of("min_te", BANDS, time_limit=1e-9))
    assert solution.status == "time_limit"
    with pytest.raises(
        NoSolutionError, match=r"No solution within 1e-09 s. Raise option time_limit"
    ):
        solution.require()
    assert solution.view("explain")["explanation"][0].startswith("No solution within")


def test_an_answer_that_breaks_a_rule_is_not_taken_and_said_to_be_approximate(problem_of):
    case = open_case(problem_of("min_te", (CAP,)))
    broken = np.full(24, 1 / 24)
    broken[0] += 0.1
    broken[1:] -= 0.1 / 23
    answer = Answer("optimal", "piqp", 0.0, broken, {}, 0.0)
    weights, trouble = _checked(case, answer)
    assert trouble == "piqp broke 'each weight at most 10 %' by 4.167 %."
    late = Answer("time_limit", "clarabel", 0.0, broken, {}, 0.0)
    assert _checked(case, late)[1] == "clarabel ended with status time_limit."
    kept, _ = _least_bad([(late, broken), (answer, weights)])
    assert (kept.status, kept.solver) == ("optimal_inaccurate", "piqp")
    assert _least_bad([(late, broken)])[0].status == "time_limit"


def test_a_solver_that_sees_no_solution_is_not_believed_when_there_is_one(problem_of):
    case = open_case(problem_of("min_te", (CAP,)))
    found = find(case)
    mistaken = replace(found, status="infeasible")
    assert explain_conflict(case) is None
    again = _insist(case, mistaken)
    assert (again.status, again.solver) == ("optimal", "clarabel")
    assert again.notes == ("piqp saw no solution; clarabel found one.",)


def test_missing_alphas_count_with_zero_and_are_counted(problem_of):
    problem = problem_of("max_utility", (CAP,))
    partial = solve(replace(problem, alpha=problem.alpha.iloc[:20]))
    assert "4 of 24 names have no alpha and count with zero." in partial.messages
    none = solve(replace(problem, alpha=None))
    assert "No alpha is given: every name counts with zero." in none.messages
