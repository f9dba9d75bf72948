"""Value at risk and its conditional mean."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from tilt.errors import ArgumentError, DataError
from tilt.risk.model import estimate_model
from tilt.risk.tail import (
    empirical_tail,
    historical_tail,
    parametric_tail,
    replayed_returns,
    simulated_tail,
)


def dated(values):
    return pd.Series(values, index=pd.bdate_range("2020-01-01", periods=len(values)))


def test_a_normal_tail_has_its_textbook_figures():
    tail = parametric_tail(0.01, 0.95)
    assert tail.var == pytest.approx(0.016449, abs=1e-6)
    assert tail.cvar == pytest.approx(0.020627, abs=1e-6)


def test_a_normal_tail_grows_with_the_root_of_time_and_says_so():
    one, ten = parametric_tail(0.01, 0.99), parametric_tail(0.01, 0.99, 10)
    assert ten.var == pytest.approx(np.sqrt(10) * one.var)
    assert "square root of time" in ten.notes[0]
    assert not one.notes


def test_the_empirical_tail_of_twenty_losses_by_hand():
    losses = np.arange(1.0, 21.0)  # 95 % of 20 is 19: the tail is one observation, 20
    assert empirical_tail(losses, 0.95) == (19.0, pytest.approx(20.0))


def test_an_observation_counts_in_part_where_the_tail_ends_within_it():
    losses = np.arange(1.0, 11.0)  # the worst 5 % of 10 is half of the observation 10
    assert empirical_tail(losses, 0.95) == (10.0, pytest.approx(10.0))
    var, cvar = empirical_tail(losses, 0.85)  # 1.5 observations: all of 10, half of 9
    assert var == 9.0
    assert cvar == pytest.approx((10 + 0.5 * 9) / 1.5)


@given(
    st.lists(st.floats(-0.5, 0.5), min_size=5, max_size=40),
    st.sampled_from([0.5, 0.75, 0.9, 0.95]),
)
def test_cvar_is_the_minimum_of_rockafellar_and_uryasev(values, confidence):
    losses = np.array(values)

    def objective(level):
        return level + np.maximum(losses - level, 0).mean() / (1 - confidence)

    grid = min(objective(level) for level in losses)  # it is piecewise linear between losses
    assert empirical_tail(losses, confidence)[1] == pytest.approx(grid, abs=1e-12)


def test_historical_days_compound_over_the_horizon():
    daily = dated(np.random.default_rng(0).normal(0, 0.01, 60))
    growth = (1 + daily).to_numpy()
    windows = [growth[i : i + 5].prod() - 1 for i in range(56)]
    expected = empirical_tail(-np.array(windows), 0.9)
    found = historical_tail(daily, 0.9, 5)
    assert (found.var, found.cvar) == pytest.approx(expected)
    assert "56 overlapping windows" in found.notes[0]


def test_a_missing_day_is_left_out():
    daily = dated([-0.03, np.nan, 0.01, 0.02, *[0.0] * 20])
    assert historical_tail(daily, 0.95) == historical_tail(daily.dropna(), 0.95)


def test_simulation_agrees_with_the_normal_tail_where_tails_are_thin():
    found = simulated_tail(0.006, 0.008, 0.95, degrees=1e6)
    assert found.var == pytest.approx(norm.ppf(0.95) * 0.01, rel=0.02)


def test_fat_factors_lose_more_in_the_far_tail():
    thin, fat = (simulated_tail(0.01, 0.0, 0.995, degrees=d) for d in (1e6, 4.0))
    assert fat.cvar > 1.2 * thin.cvar


def test_a_simulation_is_the_same_each_time():
    assert simulated_tail(0.01, 0.01, 0.95, 5) == simulated_tail(0.01, 0.01, 0.95, 5)


def test_cvar_is_never_under_var():
    for tail in (
        parametric_tail(0.01, 0.95),
        historical_tail(dated(np.random.default_rng(1).normal(0, 0.01, 300)), 0.95),
        simulated_tail(0.01, 0.01, 0.95),
    ):
        assert tail.cvar >= tail.var


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(95, "type 0.95, not 95"), (0.4, "from 0.5"), (1.0, "below 1"), (float("nan"), "from 0.5")],
)
def test_a_senseless_confidence_is_refused(confidence, words):
    with pytest.raises(ArgumentError, match=words):
        parametric_tail(0.01, confidence)


def test_a_tail_without_an_observation_in_it_is_refused():
    with pytest.raises(DataError, match="100 are needed"):
        historical_tail(dated([0.01] * 50), 0.99)


def test_minimizing_over_the_level_gives_the_same_var():
    losses = np.random.default_rng(3).normal(0, 1, 999)
    best = minimize_scalar(
        lambda level: level + np.maximum(losses - level, 0).mean() / 0.05,
        bounds=(0, 5),
        method="bounded",
    )
    assert best.x == pytest.approx(empirical_tail(losses, 0.95)[0], abs=0.05)


def test_a_model_without_factors_expects_nothing_of_a_name_without_a_return(truth):
    model = estimate_model(truth.history, truth.history.dates[-1])
    bare = replace(model, exposures=model.exposures.iloc[:, :0])
    days = truth.history.dates[-5:]
    returns = pd.DataFrame({"A00": 0.01, "A05": [0.02, np.nan, 0.02, 0.02, 0.02]}, days)
    held = pd.Series({"A00": 0.5, "A05": 0.5})
    found = replayed_returns(bare, returns, pd.DataFrame(index=days), held)
    assert list(found.index) == [day for day in days if day != days[1]]
    assert found.to_numpy() == pytest.approx(np.full(4, 0.015))


def test_holdings_that_do_not_move_lose_nothing():
    still = historical_tail(pd.Series(0.0, pd.bdate_range("2015-01-01", periods=100)), 0.95)
    assert (str(still.var), str(still.cvar)) == ("0.0", "0.0")
