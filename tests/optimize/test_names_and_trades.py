"""Rules on names, holdings and trades: the answer is the best of all choices, and says how near."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError
from tilt.optimize.check import read_rules, worst
from tilt.optimize.constraints import Rule
from tilt.optimize.costs import Cost
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.master import Master
from tilt.optimize.posing import open_case
from tilt.optimize.program import build
from tilt.optimize.route import find
from tilt.optimize.solve import solve
from tilt.optimize.together import hold_together


def best_of_all(problem, choices):
    """Return the largest value of the goal over all choices, each a tuple of weight rules."""
    kept = tuple(r for r in problem.rules if not r.kind.discrete)
    values = []
    for rules in choices:
        case = open_case(replace(problem, rules=(*kept, *rules)))
        found = find(case)
        if found.solved:
            values.append(case.goal.value(found.weights, case.model))
    return max(values)


def supports(problem, most, least=0.0):
    assets = list(problem.model.exposures.index)
    for size in range(1, most + 1):
        for held in combinations(assets, size):
            yield tuple(
                Rule("weight", a, least if a in held else 0.0, None if a in held else 0.0)
                for a in assets
            )


OBJECTIVES = ("min_te", "min_risk", "max_utility", "equal_weight")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_other_choice_of_names_is_better(problem_of, objective):
    rules = (Rule("names", "", None, 3), Rule("holding", "", 0.1))
    problem = problem_of(objective, rules, n=7, held=3, seed=1, gap=1e-6)
    found = solve(problem)
    assert found.status == "optimal"
    value = found.case.goal.value(found.weights.to_numpy(), found.case.model)
    assert value == pytest.approx(best_of_all(problem, supports(problem, 3, 0.1)), abs=2e-7)


def test_no_other_choice_within_a_tracking_error_returns_more(problem_of):
    rules = (Rule("names", "", None, 4), Rule("tracking_error", "", None, 0.12))
    problem = problem_of("max_return", rules, n=6, held=3, seed=4, gap=1e-6)
    found = solve(problem)
    assert found.objective == pytest.approx(best_of_all(problem, supports(problem, 4)), abs=1e-6)


def test_no_other_choice_of_trades_is_better(problem_of):
    least = 0.08
    rules = (Rule("trade", "", least), Rule("weight", "*", None, 0.5))
    problem = problem_of("min_te", rules, n=5, held=3, seed=5, gap=1e-6)
    held = problem.current
    choices = []
    for sides in product(("stay", "buy", "sell"), repeat=len(held)):
        bounds = {
            "stay": lambda w: (w, w),
            "buy": lambda w: (w + least, 0.5),
            "sell": lambda w: (0.0, w - least),
        }
        pairs = [bounds[side](float(w)) for side, w in zip(sides, held, strict=True)]
        if all(low <= high for low, high in pairs):
            choices.append(
                tuple(
                    Rule("weight", a, low, high)
                    for a, (low, high) in zip(held.index, pairs, strict=True)
                )
            )
    found = solve(problem)
    value = found.case.goal.value(found.weights.to_numpy(), found.case.model)
    assert value == pytest.approx(best_of_all(problem, choices), abs=2e-7)


def test_short_positions_count_as_names_and_are_no_smaller_either(problem_of):
    rules = (
        Rule("names", "", None, 3),
        Rule("holding", "", 0.1),
        Rule("weight", "*", -0.3, 0.6),
        Rule("gross", "", None, 1.6),
    )
    problem = problem_of("max_utility", rules, n=5, held=3, seed=6, long_short="yes", gap=1e-6)
    found = solve(problem)
    assets = list(problem.model.exposures.index)
    bounds = {-1: (-0.3, -0.1), 0: (0.0, 0.0), 1: (0.1, 0.6)}
    choices = [
        tuple(Rule("weight", a, *bounds[s]) for a, s in zip(assets, signs, strict=True))
        for signs in product((-1, 0, 1), repeat=len(assets))
        if 0 < np.abs(signs).sum() <= 3
    ]
    best = best_of_all(replace(problem, rules=(Rule("gross", "", None, 1.6),)), choices)
    assert found.objective == pytest.approx(best, abs=2e-6)
    held = found.weights[found.weights.abs() > 1e-6].abs()
    assert len(held) <= 3
    assert held.min() >= 0.1 - 1e-6


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    most=st.integers(3, 8),
    least=st.sampled_from([0.0, 0.01, 0.04]),
    objective=st.sampled_from(["min_te", "min_risk", "max_utility"]),
)
def test_every_rule_is_kept_whatever_the_numbers(problem_of, seed, most, least, objective):
    rules = (Rule("names", "", None, most), Rule("weight", "*", None, 0.4))
    rules += (Rule("holding", "", least),) if least else ()
    found = solve(problem_of(objective, rules, n=10, held=4, seed=seed))
    assert found.status == "optimal"
    assert worst(read_rules(found.case, found.weights.to_numpy(), rules)) is None
    assert (found.weights > 1e-6).sum() <= most
    assert found.found.gap <= 1e-3


def test_the_bound_of_the_relaxation_is_below_every_answer(problem_of):
    rules = (Rule("names", "", None, 6),)
    case = open_case(problem_of("min_te", rules, n=20, seed=3))
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    master = Master(layout, build(layout, sides, case.goal), sides)
    bounds = []
    for _ in range(5):
        point = master.solve(5.0)
        bounds.append(point.bound)
        master.cut(point.x, 1e-6)
    answer = solve(replace(case.problem, options={"gap": 1e-4}))
    value = -answer.case.goal.value(answer.weights.to_numpy(), case.model) * 100
    shift = -case.goal.value(np.zeros(len(case.assets)), case.model) * 100
    assert np.all(np.diff(bounds) >= -1e-9)
    assert bounds[-1] <= value + 1e-9
    assert shift > 0


def test_each_search_has_its_own_seconds_and_not_those_of_the_runs_before_as_well(problem_of):
    case = open_case(problem_of("min_te", (Rule("names", "", None, 6),), n=20, seed=3))
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    master = Master(layout, build(layout, sides, case.goal), sides)
    master.solve(5.0)
    master.integral()
    limits = []
    for _ in range(2):
        master.cut(master.solve(5.0).x, 1e-6)
        limits.append(master._solver.getOptionValue("time_limit")[1])
    assert limits == [5.0, 5.0]


def test_where_time_is_over_the_best_so_far_is_shown_with_its_gap(problem_of):
    found = solve(problem_of("min_te", (Rule("names", "", None, 5),), n=40, time_limit=1e-3))
    assert found.status == "time_limit"
    assert found.solved
    assert found.found.gap > 1e-3
    assert (found.weights > 1e-6).sum() <= 5
    assert any("Time limit of 0.001 s: the answer is within" in m for m in found.messages)


def test_the_proof_is_said_with_its_gap(problem_of):
    found = solve(problem_of("min_te", (Rule("names", "", None, 12),)))
    assert found.solver == "highs"
    assert any("proven within" in message for message in found.messages)


def test_more_names_never_track_worse(problem_of):
    errors = [
        solve(problem_of("min_te", (Rule("names", "", None, most),), n=10, gap=1e-5)).objective
        for most in (3, 5, 9)
    ]
    assert np.all(np.diff(errors) <= 1e-6)


def test_a_least_number_of_names_is_held_by_more_than_a_trace(problem_of):
    rules = (Rule("names", "", 9, None), Rule("weight", "*", None, 0.9))
    found = solve(problem_of("max_utility", rules, n=12, seed=2))
    assert (found.weights >= 1e-4 - 1e-9).sum() >= 9


def test_a_named_solver_that_cannot_choose_names_is_refused(problem_of):
    problem = problem_of("min_te", (Rule("names", "", None, 5),), solver="piqp")
    with pytest.raises(ArgumentError, match="solver piqp does not take 'names at most 5'"):
        solve(problem)


IMPOSSIBLE = [
    (
        (Rule("names", "", None, 5), Rule("weight", "*", None, 0.16)),
        "5 names at most 16 % each allow 80 % invested at most; 100 % must be.",
    ),
    (
        (Rule("names", "", 10, None), Rule("holding", "", 0.12)),
        "10 names at least 12 % each take 120 %; 100 % is to be invested.",
    ),
    (
        (Rule("holding", "", 0.1), Rule("weight", "N03", 0.01, 0.05)),
        "N03 must be held and may weigh 5 % at most; a held name weighs at least 10 %.",
    ),
    ((Rule("names", "", None, 4), Rule("tracking_error", "", None, 0.03)), ""),
    ((Rule("trade", "", 0.2), Rule("turnover", "", None, 0.1), Rule("sector", "Energy", 0.5)), ""),
]


@pytest.mark.parametrize(("rules", "said"), IMPOSSIBLE)
def test_an_impossible_choice_is_explained_by_a_smallest_set_and_repaired(problem_of, rules, said):
    problem = problem_of("min_te", rules, n=12, held=5)
    found = solve(problem)
    assert found.status == "infeasible"
    assert not said or said in found.view("explain")["explanation"].to_list()
    assert found.conflict
    for left_out in found.conflict:
        others = tuple(r for r in found.conflict if r != left_out)
        assert solve(replace(problem, rules=others)).solved
    repair = next(r for r in found.trouble.repairs if r.to is not None)
    changed = tuple(
        r.moved(repair.side, repair.to) if (r.rule, r.who) == (repair.rule.rule, repair.rule.who)
        else r
        for r in rules
    )  # fmt: skip
    assert solve(replace(problem, rules=changed)).solved


def test_a_repaired_number_of_names_is_the_least_that_works(problem_of):
    rules = (Rule("names", "", None, 10), Rule("weight", "*", None, 0.08))
    found = solve(problem_of("min_te", rules))
    moved = {r.rule.rule: r.to for r in found.trouble.repairs}
    assert moved["names"] == 13  # 12 x 8 % is 96 %
    assert moved["weight"] == pytest.approx(0.1001, abs=1e-9)  # a little more than 1 / 10


def test_the_rules_hold_together_exactly_where_the_caps_reach(problem_of):
    for most, cap, expected in ((10, 0.1, True), (10, 0.099, False), (11, 0.0910, True)):
        rules = (Rule("names", "", None, most), Rule("weight", "*", None, cap))
        case = open_case(problem_of("min_te", rules))
        layout = lay_out(case)
        assert hold_together(layout, halves(layout, case.rules)) is expected


def test_impact_is_weighed_with_the_names_chosen(problem_of):
    problem = problem_of(
        "return - 4*active_risk - cost",
        (Rule("names", "", None, 3),),
        n=6,
        held=2,
        seed=8,
        impact=1.0,
        value=1e8,
        gap=1e-6,
    )
    assets = problem.model.exposures.index
    rng = np.random.default_rng(0)
    problem = replace(
        problem,
        adv=pd.Series(rng.uniform(1e6, 1e8, len(assets)), assets),
        sigma=pd.Series(rng.uniform(0.01, 0.03, len(assets)), assets),
    )
    found = solve(problem)
    assert isinstance(found.case.goal.others()[0][1], Cost)
    best = best_of_all(problem, supports(problem, 3))
    assert found.objective == pytest.approx(best, abs=2e-6)
