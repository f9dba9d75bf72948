"""What is read of an answer in short says the same as all the readings of its rules."""

from dataclasses import replace

import numpy as np
import pytest

from tilt.optimize.check import read_implicit, read_rules, worst, worst_broken
from tilt.optimize.constraints import Rule
from tilt.optimize.posing import open_case

RULES = (
    Rule("weight", "*", 0.0, 0.12),
    Rule("weight", "Energy", 0.01, None),
    Rule("sector", "*", -0.05, 0.05, relative=True),
    Rule("sector", "Health", None, 0.3),
    Rule("factor", "*", -0.4, 0.4, relative=True),
    Rule("factor", "Size", 0.05, None),
    Rule("turnover", "", None, 0.4, priority=0.05),
    Rule("tracking_error", "", None, 0.08),
    Rule("volatility", "", None, 0.2),
    Rule("beta", "", 0.9, 1.1),
    Rule("names", "", None, 20),
    Rule("gross", "", None, 1.05),
)


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_broken_most_is_the_worst_of_all_readings(problem_of, seed):
    case = open_case(problem_of("min_te", RULES, seed=seed))
    rng = np.random.default_rng(seed)
    at_benchmark = open_case(problem_of("min_te", RULES[:5], seed=seed))
    found = set()
    for _ in range(20):
        weights = case.center + rng.normal(0, 10 ** rng.uniform(-7, -1), len(case.assets))
        for one in (case, at_benchmark, replace(case, rules=())):
            expected = worst(read_rules(one, weights, one.rules) + read_implicit(one, weights))
            told = worst_broken(one, weights)
            assert (told and vars(told)) == (expected and vars(expected))
            found.add(None if expected is None else expected.rule.rule)
    assert len(found) >= 3


def test_a_group_has_the_sum_of_its_members_weights(problem_of):
    case = open_case(problem_of("min_te", RULES))
    weights = np.random.default_rng(1).uniform(0, 0.1, len(case.assets))
    for reading in read_rules(case, weights, RULES[2:4]):
        off = weights - case.center if reading.rule.relative else weights
        assert reading.value == pytest.approx(off[case.sector == reading.who].sum(), abs=1e-15)
