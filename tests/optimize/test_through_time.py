"""A problem on many dates: no look-ahead, drifted weights, and a date without an answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError
from tilt.optimize.by_prices import LEAST_NAMES
from tilt.optimize.constraints import Rule
from tilt.optimize.solve import solve
from tilt.optimize.through_time import solve_through_time

RULES = (Rule("weight", "*", None, 0.12), Rule("turnover", "", None, 0.5))
DAYS = pd.bdate_range("2020-01-01", periods=90)
DATES = list(DAYS[[20, 41, 62]])


@pytest.fixture
def returns(problem_of):
    rng = np.random.default_rng(5)
    assets = problem_of().model.assets
    return pd.DataFrame(rng.normal(0, 0.02, (len(DAYS), len(assets))), DAYS, assets)


def by_date(problem_of, rules=RULES):
    """Return what knows a date's problem: its risk model and alpha change with it."""
    seeds = {date: n for n, date in enumerate(DATES)}
    return lambda date: problem_of("max_utility", rules, seed=seeds[date])


def test_each_date_is_solved_from_the_weights_that_drifted_there(problem_of, returns):
    found = solve_through_time(DATES, by_date(problem_of), returns)
    assert list(found.summary["date"]) == DATES
    held = None
    for n, date in enumerate(DATES):
        problem = by_date(problem_of)(date)
        if held is not None:
            days = returns[(returns.index > DATES[n - 1]) & (returns.index <= date)]
            value = held * (1 + days).prod()
            problem = replace(problem, current=value / value.sum())
        expected = solve(problem)
        row = found.summary.loc[n]
        assert row["objective"] == pytest.approx(expected.objective, abs=1e-9)
        moved = (expected.weights - problem.current).abs().sum() / 2
        assert row["turnover"] == pytest.approx(moved, abs=1e-9)
        assert row["names"] == (expected.weights != 0).sum()
        shown = found.weights[found.weights["date"] == date].set_index("ticker")["weight"]
        pd.testing.assert_series_equal(
            shown.sort_index(),
            expected.weights[expected.weights != 0].sort_index(),
            check_names=False, check_index_type=False, atol=1e-9,
        )  # fmt: skip
        held = expected.weights


def test_what_comes_later_changes_nothing_before(problem_of, returns):
    found = solve_through_time(DATES, by_date(problem_of), returns)
    other = returns.copy()
    other.loc[other.index > DATES[1]] = 0.05
    again = solve_through_time(DATES, by_date(problem_of), other)
    pd.testing.assert_frame_equal(found.summary[:2], again.summary[:2])
    alone = solve_through_time(DATES[:2], by_date(problem_of), returns[: DATES[1]])
    pd.testing.assert_frame_equal(found.summary[:2], alone.summary)


def test_a_date_without_an_answer_keeps_what_drifted_and_says_why(problem_of, returns):
    usual, tight = by_date(problem_of), by_date(problem_of, (Rule("weight", "*", None, 0.01),))
    found = solve_through_time(
        DATES, lambda date: (tight if date == DATES[1] else usual)(date), returns
    )
    assert list(found.summary["status"]) == ["optimal", "infeasible", "optimal"]
    assert np.isnan(found.summary["objective"][1])
    assert found.summary["turnover"][1] == 0
    (message,) = found.messages
    assert message.startswith(f"{DATES[1]:%Y-%m-%d}: No solution: 'each weight at most 1 %'")
    sums = found.weights.groupby("date")["weight"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-6)


def test_a_name_without_risk_data_is_sold_and_named(problem_of, returns):
    usual = by_date(problem_of)

    def without_one(date):
        problem = usual(date)
        if date == DATES[0]:
            return problem
        model = problem.model
        kept = model.assets[model.assets != "N20"]
        only = replace(
            model, exposures=model.exposures.loc[kept], specific_var=model.specific_var[kept]
        )
        alpha, base = problem.alpha[kept], problem.benchmark[kept]
        return replace(problem, model=only, alpha=alpha, benchmark=base)

    found = solve_through_time(DATES[:2], without_one, returns)
    assert "N20" in set(found.weights.loc[found.weights["date"] == DATES[0], "ticker"])
    assert found.messages == (f"{DATES[1]:%Y-%m-%d}: N20 had no risk data and was sold.",)
    sums = found.weights.groupby("date")["weight"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-6)  # what it brought is invested again


def test_it_says_how_far_it_is_and_ends_when_told(problem_of, returns):
    told = []
    solve_through_time(
        DATES, by_date(problem_of), returns, progress=lambda done, stage: told.append((done, stage))
    )
    assert told == [(n / 3, f"{date:%Y-%m-%d}") for n, date in enumerate(DATES)]

    class StopError(Exception):
        pass

    def stop(done, stage):
        if done > 0:
            raise StopError(stage)

    with pytest.raises(StopError, match=f"{DATES[1]:%Y-%m-%d}"):
        solve_through_time(DATES, by_date(problem_of), returns, progress=stop)


def test_dates_must_rise_and_there_must_be_one(problem_of, returns):
    with pytest.raises(ArgumentError, match="The dates must rise"):
        solve_through_time(DATES[::-1], by_date(problem_of), returns)
    with pytest.raises(ArgumentError, match="0 dates are asked for"):
        solve_through_time([], by_date(problem_of), returns)


def test_a_large_problem_has_the_weights_on_each_date_that_it_has_alone(problem_of):
    rules = (Rule("weight", "*", None, 0.02), Rule("turnover", "", None, 0.3))
    still = pd.DataFrame(0.0, DATES, problem_of(n=LEAST_NAMES).model.assets)

    def problem_at(date):
        return problem_of("min_te", rules, n=LEAST_NAMES, held=100, seed=DATES.index(date))

    found = solve_through_time(DATES, problem_at, still)
    held = problem_at(DATES[0]).current
    for date in DATES:
        alone = solve(replace(problem_at(date), current=held))
        assert alone.solver == "newton"
        shown = found.weights[found.weights["date"] == date].set_index("ticker")["weight"]
        there = alone.weights[alone.weights != 0]
        np.testing.assert_array_equal(shown[there.index].to_numpy(), there.to_numpy())
        held = alone.weights / (alone.weights.sum() + 1.0 - alone.weights.sum())
