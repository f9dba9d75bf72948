"""A bound moved by one step is solved from the known answer, to the optimum of solving anew."""

from dataclasses import replace

import numpy as np
import pytest

from tilt.optimize.constraints import Rule
from tilt.optimize.explain import kind_step
from tilt.optimize.methods import find
from tilt.optimize.nearby import near
from tilt.optimize.posing import open_case

# In every seed all of them can hold together, and several bind.
LONG_ONLY = (
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
LONG_SHORT = (
    Rule("net", "", 0.0, 0.1),
    Rule("gross", "", None, 1.5),
    Rule("weight", "*", -0.1, 0.1),
    Rule("factor", "Market", -0.05, 0.05),
    Rule("short", "", None, 0.7),
)
KINDS_OF_PROBLEM = {
    "least tracking error": ("min_te", LONG_ONLY, {}),
    "utility": ("max_utility", LONG_ONLY, {}),
    "least risk with cash": ("min_risk", LONG_ONLY[:2], {"cash": 0.1}),
    "equal weights": ("equal_weight", LONG_ONLY[:3], {}),
    "soft rules": ("max_utility", SOFT, {}),
    "long and short": ("max_utility", LONG_SHORT, {"long_short": "yes"}),
    "turnover without a budget": (
        "max_utility",
        (Rule("net", "", 0.9, 1.1), Rule("turnover", "", None, 0.4), Rule("weight", "*", 0, 0.2)),
        {},
    ),
}


def moved(case, rule, side, by):
    """Return a case with one bound of a rule looser by ``by``; None where that leaves nothing."""
    change = rule.moved(side, rule.bound(side) + (by if side == "max" else -by))
    if change.low is not None and change.high is not None and change.low > change.high:
        return None
    return replace(case, rules=tuple(change if r is rule else r for r in case.rules))


@pytest.mark.parametrize("kind", KINDS_OF_PROBLEM)
@pytest.mark.parametrize("seed", range(3))
def test_a_moved_bound_has_the_optimum_that_solving_anew_finds(problem_of, kind, seed):
    objective, rules, options = KINDS_OF_PROBLEM[kind]
    case = open_case(problem_of(objective, rules, seed=seed, **options))
    found = find(case)
    assert found.status == "optimal"
    nearby = near(case, found)
    assert nearby is not None
    compared = 0
    for rule in case.rules:
        for side in ("min", "max"):
            if rule.bound(side) is None or (rule.who == "*" and rule.rule != "weight"):
                continue
            for by in (kind_step(rule, side), -kind_step(rule, side)):
                changed = moved(case, rule, side, by)
                there = None if changed is None else nearby.moved(rule, side, "", by)
                if there is None:
                    continue
                weights = there.weights
                anew = find(changed)
                assert anew.status == "optimal"
                np.testing.assert_allclose(weights, anew.weights, atol=2e-5)
                reached, expected = (_worth(changed, w) for w in (weights, anew.weights))
                assert reached == pytest.approx(expected, abs=1e-8)
                compared += 1
    assert compared >= 2


def _worth(case, weights):
    """Return the goal less what broken soft rules cost, from the meaning of each rule."""
    broken = 0.0
    for rule in case.rules:
        if rule.hard:
            continue
        off = weights - case.center if rule.relative else weights
        if rule.rule == "sector":
            value = off[case.sector == rule.who].sum()
        elif rule.rule == "factor":
            value = off @ case.problem.model.exposures[rule.who].to_numpy()
        else:
            value = np.abs(weights - case.current).sum() / 2
        over = 0.0 if rule.high is None else value - rule.high
        under = 0.0 if rule.low is None else rule.low - value
        broken += rule.priority * max(over, under, 0.0)
    return case.goal.value(weights, case.model) - broken


def test_one_member_of_a_starred_rule_moves_alone(problem_of):
    rules = (Rule("sector", "*", None, 0.26), Rule("weight", "*", None, 0.1))
    case = open_case(problem_of("max_utility", rules, seed=2))
    nearby = near(case, find(case))
    weights = nearby.moved(rules[0], "max", "Energy", 0.02).weights
    sums = {name: weights[case.sector == name].sum() for name in np.unique(case.sector)}
    assert sums.pop("Energy") <= 0.28 + 1e-9
    assert max(sums.values()) <= 0.26 + 1e-9


def test_a_bound_that_cannot_hold_has_no_answer_nearby(problem_of):
    rules = (Rule("weight", "*", None, 0.05), Rule("sector", "Energy", 0.25))
    case = open_case(problem_of("min_te", rules))
    nearby = near(case, find(case))
    assert nearby.moved(rules[1], "min", "", -0.1) is None
    assert nearby.moved(rules[0], "max", "", -0.02) is None


def test_a_problem_of_another_kind_is_left_to_the_solvers(problem_of):
    capped = (Rule("weight", "*", None, 0.2), Rule("tracking_error", "", None, 0.04))
    for objective, rules in (("max_utility", capped), ("max_return", capped[:1])):
        case = open_case(problem_of(objective, rules))
        assert near(case, find(case)) is None
