"""Large standing problems are solved by prices alone, to the optimum that other solvers find."""

from dataclasses import replace

import numpy as np
import pytest

from tilt.optimize import route
from tilt.optimize.by_prices import LEAST_NAMES, LEAST_WITH_RETURNS, solve_by_prices
from tilt.optimize.check import read_rules, worst_broken
from tilt.optimize.constraints import Rule
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.methods import find
from tilt.optimize.native import solve_clarabel, solve_piqp
from tilt.optimize.posing import open_case
from tilt.optimize.program import NOBODY, SCALE, Ease, build
from tilt.optimize.solve import solve
from tilt.optimize.standing import standing_of

BANDS = (
    Rule("weight", "*", None, 0.12),
    Rule("weight", "Energy", 0.01, None),
    Rule("sector", "*", -0.05, 0.05, relative=True),
    Rule("factor", "Momentum", 0.1, None, relative=True),
    Rule("factor", "Size", 0.05, 0.05, relative=True),
    Rule("turnover", "", None, 0.7),
    Rule("beta", "", 0.9, 1.1),
)
SOFT = (
    Rule("weight", "*", None, 0.15),
    Rule("sector", "Energy", None, 0.10, priority=0.02),
    Rule("factor", "Value", 0.9, None, relative=True, priority=0.001),
    Rule("turnover", "", None, 0.3, priority=0.05),
)
LARGE = (
    Rule("weight", "*", None, 0.006),
    Rule("sector", "*", -0.02, 0.02, relative=True),
    Rule("factor", "Momentum", 0.1, None, relative=True),
    Rule("turnover", "", None, 0.97),
)
CASES = {
    "bands": ("min_te", BANDS, {}),
    "utility": ("max_utility", BANDS, {}),
    "soft rules": ("max_utility", SOFT, {}),
    "cash raised": ("min_te", (Rule("turnover", "", None, 0.2),), {"cash": 0.1}),
    "a pin": ("min_te", BANDS[:1], {"pin": "N07=0.02"}),
    "equal weights": ("equal_weight", BANDS[:3], {}),
    "shorts": ("min_te", (Rule("weight", "*", -0.01, 0.1), BANDS[3]), {"long_short": "yes"}),
    "nothing held": ("min_te", BANDS[:3], {"held": 0}),
}


def posed(case):
    """Return the layout, the sides of the rules, and what soft ones cost."""
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    ease = {
        n: Ease(half.rule.priority * SCALE, shared=False)
        for n, half in enumerate(sides)
        if half.rule.priority is not None
    }
    return layout, sides, ease


def by_prices(problem):
    case = open_case(problem)
    layout, sides, ease = posed(case)
    return solve_by_prices(layout, sides, case.goal, ease)


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("seed", range(4))
def test_weights_and_prices_are_those_of_an_interior_point_solver(problem_of, kind, seed):
    objective, rules, options = CASES[kind]
    case = open_case(problem_of(objective, rules, seed=seed, **options))
    layout, sides, ease = posed(case)
    found = solve_by_prices(layout, sides, case.goal, ease)
    program = build(layout, sides, case.goal, ease=ease)
    others = [solve_piqp(program), solve_clarabel(program)]
    assert found is not None
    for other in others:
        np.testing.assert_allclose(found.x, other.x[: len(found.x)], atol=2e-5)
    assert set(found.prices) == set(others[0].prices)
    for half, paid in found.prices.items():
        assert paid.sum() == pytest.approx(others[0].prices[half].sum(), abs=1e-4)


CORNERS = {
    "one portfolio alone": (Rule("weight", "*", None, 1 / 24),),
    "no trade": (Rule("turnover", "", None, 0.0),),
    "the same rule twice": (Rule("turnover", "", None, 0.3), Rule("turnover", "", None, 0.3)),
    "sectors that leave no choice among them": tuple(
        Rule("sector", name, 0.25, 0.25) for name in ("Energy", "Finance", "Health", "Technology")
    ),
    "a sector not to be held": (Rule("sector", "Energy", None, 0.0), *BANDS[3:5]),
}


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("objective", ["min_te", "max_utility"])
def test_names_that_are_twins_and_rules_that_leave_no_room_have_their_optimum(
    problem_of, corner, objective
):
    problem = problem_of(objective, CORNERS[corner], seed=5)
    model = problem.model
    twins = model.exposures.copy()
    twins.iloc[12:] = twins.iloc[:12].to_numpy()
    variance = model.specific_var * 0 + model.specific_var.iloc[0]
    model = replace(model, exposures=twins, specific_var=variance)
    case = open_case(replace(problem, model=model))
    layout, sides, ease = posed(case)
    found = solve_by_prices(layout, sides, case.goal, ease)
    other = solve_clarabel(build(layout, sides, case.goal, ease=ease))
    assert worst_broken(case, found.x) is None
    np.testing.assert_allclose(found.x, other.x[: len(found.x)], atol=1e-4)
    values = [
        case.goal.value(weights[: len(found.x)], case.model) for weights in (found.x, other.x)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-7)


@pytest.mark.parametrize("kind", ["bands", "utility", "cash raised", "nothing held"])
def test_what_the_method_works_on_says_what_the_rules_and_the_goal_mean(problem_of, kind):
    objective, rules, options = CASES[kind]
    case = open_case(problem_of(objective, rules, seed=1, **options))
    layout, sides, ease = posed(case)
    standing = standing_of(layout, sides, case.goal, ease)
    k, rng = standing.factors, np.random.default_rng(1)

    def cost(weights):
        factors = standing.shared[:k] @ weights - standing.center
        by_name = 0.5 * standing.curvature * weights**2 + standing.slope * weights
        return by_name.sum() + 0.5 * factors @ factors

    here, there = (case.invested * rng.dirichlet(np.ones(len(case.assets))) for _ in range(2))
    gain = case.goal.value(here, case.model) - case.goal.value(there, case.model)
    assert cost(there) - cost(here) == pytest.approx(SCALE * gain, abs=1e-10)
    reached = standing.shared[k:] @ here
    reached[standing.bent_at] += standing.bent @ np.maximum(here - standing.kink, 0.0)
    room = np.minimum(standing.high - reached, reached - standing.low)
    assert room[(standing.owners == NOBODY).all(axis=1)] == pytest.approx([0.0], abs=1e-15)
    for rule in (rule for rule in case.rules if rule.rule != "weight"):
        mine = [n for n, half in enumerate(sides) if half.rule == rule]
        rows = np.isin(standing.owners, mine).any(axis=1)
        slacks = [reading.slack for reading in read_rules(case, here, (rule,))]
        np.testing.assert_allclose(room[rows], slacks, atol=1e-14)


@pytest.mark.parametrize(("cash", "held"), [(0.0, 8), (0.03, 8), (-0.04, 8), (0.1, 0)])
@pytest.mark.parametrize("seed", range(3))
def test_the_price_of_the_budget_is_what_one_unit_more_of_it_is_worth(problem_of, cash, held, seed):
    rules = (Rule("weight", "*", None, 0.2), Rule("turnover", "", None, 0.25 if held else 1.0))
    step = 1e-6

    def worth(invested):
        case = open_case(problem_of("min_te", rules, seed=seed, held=held, cash=1 - invested))
        layout, sides, ease = posed(case)
        found = solve_by_prices(layout, sides, case.goal, ease)
        return case.goal.value(found.x, case.model), found.budget / SCALE

    (here, price), (more, _) = worth(1 - cash), worth(1 - cash + step)
    assert price == pytest.approx((more - here) / step, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_price_of_not_holding_names_is_what_holding_a_little_of_them_is_worth(problem_of, seed):
    step = 1e-6

    def worth(most):
        rules = (Rule("weight", "*", None, 0.12), Rule("weight", "Health", None, most))
        case = open_case(problem_of("max_utility", rules, seed=seed))
        layout, sides, ease = posed(case)
        found = solve_by_prices(layout, sides, case.goal, ease)
        assert not found.x[case.sector == "Health"].any() or most
        return case.goal.value(found.x, case.model), found.prices[1].sum() / SCALE

    (here, price), (more, _) = worth(0.0), worth(step)
    assert price > 0
    assert price == pytest.approx((more - here) / step, rel=1e-3)


def test_an_impossible_problem_has_no_end_and_one_of_another_kind_no_beginning(problem_of):
    crossed = (Rule("weight", "*", None, 0.05), Rule("sector", "Energy", 0.9))
    assert by_prices(problem_of("min_te", crossed)) is None
    apart = (Rule("weight", "*", None, 0.05), Rule("weight", "Energy", 0.06))
    assert by_prices(problem_of("min_te", apart)) is None
    risky = (Rule("tracking_error", "", None, 0.04),)
    assert by_prices(problem_of("max_return", risky)) is None
    geared = (Rule("gross", "", None, 1.5), Rule("net", "", 0.0, 0.1))
    assert by_prices(problem_of("min_te", geared, long_short="yes")) is None


def test_a_large_problem_is_solved_by_prices_and_what_does_not_suit_them_by_others(problem_of):
    def solver(objective="min_te", rules=LARGE, n=LEAST_NAMES, **options):
        solution = solve(problem_of(objective, rules, n=n, **options))
        assert solution.status == "optimal"
        return solution.solver

    assert solver() == solver("equal_weight") == "newton"
    assert solver(n=LEAST_NAMES - 1) == "piqp"
    assert solver("max_utility", n=LEAST_WITH_RETURNS, held=200) == "newton"
    assert solver("max_utility", n=LEAST_WITH_RETURNS - 1, held=200) == "piqp"
    assert solver("min_risk") == "piqp"
    assert solver(solver="piqp") == "piqp"
    assert solver(time_limit=30) == "clarabel"
    assert solver(rules=(*LARGE, Rule("tracking_error", "", None, 0.2))) == "clarabel"


def test_a_large_impossible_problem_is_explained_as_ever(problem_of):
    rules = (Rule("weight", "*", None, 0.5 / LEAST_NAMES), *LARGE[1:3])
    problem = problem_of("min_te", rules, n=LEAST_NAMES)
    found, other = solve(problem), solve(replace(problem, options={"solver": "piqp"}))
    assert (found.status, found.solver) == ("infeasible", "piqp")
    assert found.refusal == other.refusal
    assert found.refusal.startswith("No solution: 'each weight at most")


def test_an_answer_depends_on_nothing_that_was_solved_before(problem_of):
    mine = problem_of("min_te", LARGE, n=LEAST_NAMES, held=60)
    alone = solve(mine)
    solve(problem_of("min_te", LARGE[:3], n=LEAST_NAMES, seed=3))
    again = solve(mine)
    assert alone.solver == again.solver == "newton"
    np.testing.assert_array_equal(alone.weights.to_numpy(), again.weights.to_numpy())
    assert alone.objective == again.objective


def test_an_answer_that_breaks_a_rule_is_not_taken(problem_of, monkeypatch):
    def broken(*given):
        answer = solve_by_prices(*given)
        return replace(answer, x=answer.x * 1.01)

    monkeypatch.setattr(route, "solve_by_prices", broken)
    problem = problem_of("min_te", LARGE, n=LEAST_NAMES)
    found = find(open_case(problem))
    assert (found.status, found.solver) == ("optimal", "piqp")
    (note,) = found.notes
    assert note.startswith("newton broke '")
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-8)
