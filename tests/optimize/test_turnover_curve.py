"""Tracking error against turnover: a curve that falls, is convex, and ends at the free optimum."""

from dataclasses import replace

import numpy as np
import pytest

from tilt.errors import ArgumentError
from tilt.optimize.constraints import Rule
from tilt.optimize.solve import solve
from tilt.optimize.turnover_curve import trace_turnover

CAP = Rule("weight", "*", 0.0, 0.2)


@pytest.fixture(scope="module")
def problem(problem_of):
    return problem_of(rules=(CAP,))


def test_the_curve_falls_and_is_convex(problem):
    table = trace_turnover(problem, points=8).table
    turnover, te = table["turnover"].to_numpy(), table["tracking_error"].to_numpy()
    assert (np.diff(te) <= 1e-7).all()
    slopes = np.diff(te**2) / np.diff(turnover)  # the variance is what is convex for sure
    assert (np.diff(slopes) >= -1e-6).all()


def test_each_point_is_the_least_tracking_error_of_its_turnover(problem):
    table = trace_turnover(problem, points=4).table
    middle = table.iloc[1]
    cap = Rule("turnover", "", None, float(middle["turnover"]))
    alone = solve(replace(problem, rules=(CAP, cap)))
    assert middle["tracking_error"] == pytest.approx(alone.objective, abs=1e-6)
    assert table["tracking_error"].iloc[-1] == pytest.approx(solve(problem).objective, abs=1e-6)


def test_a_turnover_rule_of_the_problem_is_left_aside(problem):
    capped = replace(problem, rules=(CAP, Rule("turnover", "", None, 0.01)))
    free, bound = trace_turnover(problem, points=3), trace_turnover(capped, points=3)
    np.testing.assert_allclose(free.table.to_numpy(), bound.table.to_numpy())


def test_holdings_that_break_a_rule_need_some_turnover_and_that_is_said(problem):
    tight = replace(problem, rules=(Rule("weight", "*", 0.0, float(problem.current.max()) / 2),))
    found = trace_turnover(tight, points=6)
    assert found.table["turnover"].iloc[0] > 0
    assert "cannot be kept with a turnover under" in found.messages[0]


def test_rules_that_cannot_hold_leave_an_empty_curve_with_a_reason(problem):
    impossible = replace(problem, rules=(Rule("weight", "*", 0.0, 0.001),))
    found = trace_turnover(impossible)
    assert found.table.empty
    assert found.holdings > 0
    assert found.messages[0].startswith("No weights keep all rules")


@pytest.mark.parametrize("points", [2, 41])
def test_too_few_or_too_many_points_are_refused(problem, points):
    with pytest.raises(ArgumentError, match="points must be from 3 to 40"):
        trace_turnover(problem, points=points)
