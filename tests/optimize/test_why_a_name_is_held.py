"""Each name says why it is held, or why not; what is said is what moving it would do."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tilt.errors import ArgumentError, NoSolutionError, UnknownNameError
from tilt.optimize.constraints import Rule
from tilt.optimize.membership import pull_of
from tilt.optimize.solve import solve

RULES = (
    Rule("weight", "*", None, 0.11),
    Rule("sector", "Energy", None, 0.2),
    Rule("factor", "Momentum", 0.25, None, relative=True),
    Rule("turnover", "", None, 0.55),
)
BETTER = {"min_te": -1.0, "min_risk": -1.0, "max_utility": 1.0}


@pytest.mark.parametrize("objective", ["min_te", "min_risk", "max_utility"])
@pytest.mark.parametrize("seed", range(3))
def test_what_a_name_gains_and_loses_adds_up_to_nothing_between_its_bounds(
    problem_of, objective, seed
):
    solution = solve(problem_of(objective, RULES, seed=seed))
    case, w = solution.case, solution.found.weights
    net = pull_of(case, solution.found, solution._priced).net
    inside = (w > 1e-5) & (w < 0.11 - 1e-5) & (np.abs(w - case.current) > 1e-5)
    assert inside.sum() >= 5
    np.testing.assert_allclose(net[inside], 0.0, atol=2e-5)
    assert (net[w < 1e-8] < 2e-5).all(), "more of what is not held would not be better"
    assert (net[w > 0.11 - 1e-8] > -2e-5).all(), "less of what is at its cap would not be better"


@pytest.mark.parametrize("objective", ["min_risk", "max_utility"])
def test_what_one_per_cent_more_would_do_is_what_a_little_more_does(problem_of, objective):
    problem = problem_of(objective, RULES[:1], seed=1)
    solution = solve(problem)
    pull = pull_of(solution.case, solution.found, solution._priced)
    out = [str(t) for t in problem.model.assets[(solution.weights == 0).to_numpy()]]
    assert out
    for ticker in out[:3]:
        step = 1e-4
        pinned = solve(replace(problem, options={"pin": f"{ticker}={step}"}))
        at = problem.model.assets.get_loc(ticker)
        by = BETTER[objective] * (pinned.objective - solution.objective) / step
        assert by == pytest.approx(pull.net[at], rel=0.05, abs=1e-5)
        assert solution.why(ticker).startswith(f"{ticker}: ")


def test_a_name_that_is_out_says_what_it_would_cost(problem_of):
    solution = solve(problem_of("min_te", RULES, seed=3))
    sentence = solution.why("n16")
    assert re.match(
        r"N16: Not held: one per cent more would raise tracking error by [\d.]+ %, most ", sentence
    )


def test_a_name_at_its_cap_says_which_rule_stops_it(problem_of):
    solution = solve(problem_of("max_utility", RULES, seed=3))
    capped = solution.weights.idxmax()
    assert re.match(
        rf"{capped}: Held at 11 %: one per cent more would raise utility by [\d.]+ %, "
        rf"but 'weight {capped} at most 11 %' stops it\.",
        solution.why(capped),
    )


def test_the_weights_have_a_reason_for_each_name(problem_of):
    for objective in ("min_te", "max_sharpe", "equal_weight", "risk_parity"):
        problem = problem_of(objective, RULES[:1] if objective != "risk_parity" else (), seed=2)
        table = solve(problem).view("weights")
        assert list(table.columns)[-1] == "reason"
        assert table["reason"].str.match(r"^(Held at|Not held|Sold|Kept at) ?.*\.$").all()


def test_an_unknown_name_is_an_error_with_the_nearest_one(problem_of):
    solution = solve(problem_of("min_te"))
    with pytest.raises(UnknownNameError, match="Did you mean 'N01'"):
        solution.why("N01X")
    none = solve(problem_of("min_te", (Rule("weight", "*", None, 0.01),)))
    with pytest.raises(NoSolutionError):
        none.why("N01")


def test_pins_and_exclusions_hold_and_the_summary_shows_what_they_cost(problem_of):
    problem = problem_of("max_utility", RULES, seed=3)
    pinned = solve(replace(problem, options={"pin": "n05=3%, N04", "exclude": "N11"}))
    assert pinned.weights["N05"] == pytest.approx(0.03, abs=1e-9)
    assert pinned.weights["N04"] == pytest.approx(problem.current["N04"], abs=1e-9)
    assert pinned.weights["N11"] == 0
    summary = pinned.view("summary").set_index("measure")
    free = solve(problem)
    expected = free.view("summary").set_index("measure")["after"]
    np.testing.assert_allclose(summary["unpinned"], expected)
    assert "unpinned" not in free.view("summary").columns
    assert pinned.objective < free.objective
    assert pinned.run_id != free.run_id


def test_a_pin_that_cannot_hold_is_part_of_the_conflict(problem_of):
    told = solve(problem_of("min_te", RULES[:1], pin="N05=0.2")).refusal
    assert told.startswith("No solution: 'each weight at most 11 %' and 'weight N05 at least 20 %'")


def test_a_sector_can_be_left_out(problem_of):
    problem = problem_of("min_te", RULES[:1], exclude="energy")
    solution = solve(problem)
    assert solution.weights[problem.securities["sector"] == "Energy"].sum() == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pin": "N99=0.1"}, UnknownNameError, "option pin: 'N99' has no risk data"),
        ({"pin": "N05=5"}, ArgumentError, "the weight of N05 must be a fraction of capital"),
        ({"pin": "N05=much"}, ArgumentError, "got 'much'"),
        ({"pin": "N05=0.1", "exclude": "N05"}, ArgumentError, "'N05' is pinned or excluded twice"),
        ({"exclude": "Enrgy"}, UnknownNameError, "Did you mean 'Energy'"),
    ],
)
def test_a_pin_that_makes_no_sense_is_an_error(problem_of, options, error, message):
    with pytest.raises(error, match=message):
        solve(problem_of("min_te", **options))
