import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.risk.regimes import (
    absorption_ratio,
    markov_regimes,
    risk_by_regime,
    threshold_regimes,
    threshold_summary,
    trailing_volatility,
    turbulence,
)

RNG = np.random.default_rng(0)
WILD = np.repeat([False, True, False, True, False], [300, 150, 350, 150, 250])
DATES = pd.bdate_range("2015-01-01", periods=len(WILD))
RETURNS = pd.Series(np.where(WILD, 0.02, 0.006) * RNG.standard_normal(len(WILD)), DATES)


@pytest.fixture(scope="module")
def regimes():
    return markov_regimes(RETURNS)


def test_planted_regimes_are_found_in_order_of_their_variance(regimes):
    assert list(regimes.probabilities) == ["calm", "turbulent"]
    assert np.sqrt(regimes.variance["calm"]) == pytest.approx(0.006, rel=0.1)
    assert np.sqrt(regimes.variance["turbulent"]) == pytest.approx(0.02, rel=0.1)
    assert ((regimes.state == "turbulent") == WILD).mean() > 0.93
    np.testing.assert_allclose(regimes.probabilities.sum(axis=1), 1, atol=1e-9)


def test_transition_rows_sum_to_one_and_states_last(regimes):
    np.testing.assert_allclose(regimes.transition.sum(axis=1), 1, atol=1e-9)
    assert (regimes.summary()["duration"] > 50).all()
    assert regimes.summary()["share"].sum() == pytest.approx(1)


def test_smoothed_states_know_more_than_filtered_ones(regimes):
    smoothed = markov_regimes(RETURNS, smoothed=True)
    right = ((smoothed.state == "turbulent") == WILD).mean()
    assert right > ((regimes.state == "turbulent") == WILD).mean()
    # on the last date there is nothing to look back from
    np.testing.assert_allclose(
        smoothed.probabilities.iloc[-1], regimes.probabilities.iloc[-1], atol=1e-6
    )


def test_information_criterion_prefers_the_planted_number_of_states():
    mixed = pd.concat([RETURNS, 4 * RETURNS.iloc[300:450]], ignore_index=True)
    two, three = markov_regimes(mixed), markov_regimes(mixed, states=3)
    assert three.bic < two.bic
    assert three.variance.is_monotonic_increasing


def test_same_returns_have_the_same_regimes_whatever_their_unit(regimes):
    np.testing.assert_array_equal(markov_regimes(RETURNS).probabilities, regimes.probabilities)
    percent = markov_regimes(100 * RETURNS)
    np.testing.assert_allclose(percent.probabilities, regimes.probabilities, atol=1e-5)
    np.testing.assert_allclose(percent.variance, 1e4 * regimes.variance, rtol=1e-4)
    assert percent.bic == pytest.approx(regimes.bic + 2 * len(RETURNS) * np.log(100), rel=1e-6)


@pytest.mark.parametrize(
    ("returns", "states", "words"),
    [
        (RETURNS.iloc[:100], 2, "need 126 returns; there are 100"),
        (0 * RETURNS, 2, "do not move"),
    ],
)
def test_series_without_regimes_is_an_error_that_says_why(returns, states, words):
    with pytest.raises(DataError, match=words):
        markov_regimes(returns, states=states)


def test_other_numbers_of_states_are_refused():
    with pytest.raises(ArgumentError, match="states must be 2 or 3; got 4"):
        markov_regimes(RETURNS, states=4)


def test_threshold_holds_a_state_between_its_two_bounds():
    base = np.tile(np.linspace(0, 1, 101), 2)  # quantiles of the past are its levels
    after = [0.5, 0.95, 0.75, 0.95, 0.5, 0.75]
    level = pd.Series(np.concatenate([base, after]))
    table = threshold_regimes(level, enter=0.9, leave=0.6)
    last = table["state"].iloc[-6:].tolist()
    assert last == ["calm", "turbulent", "turbulent", "turbulent", "calm", "calm"]
    assert len(table) == len(level) - 126


def test_threshold_never_looks_ahead():
    level = trailing_volatility(RETURNS)
    whole = threshold_regimes(level, enter=0.8, leave=0.6)
    cut = threshold_regimes(level.iloc[:700], enter=0.8, leave=0.6)
    pd.testing.assert_frame_equal(whole.loc[cut.index], cut)


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ArgumentError, match=r"got enter 0\.5, leave 0\.8"):
        threshold_regimes(trailing_volatility(RETURNS), enter=0.5, leave=0.8)


def test_turbulence_is_the_squared_distance_from_the_days_before():
    r = pd.DataFrame(RNG.standard_normal((400, 3)) * [0.01, 0.02, 0.005], DATES[:400])
    r.iloc[399] *= 6
    found = turbulence(r)
    past, today = r.iloc[147:399], r.iloc[399]
    away = today - past.mean()
    assert found.iloc[399] == pytest.approx(away @ np.linalg.inv(past.cov()) @ away / 3)
    assert found.iloc[252:399].mean() == pytest.approx(1, abs=0.2)
    assert found.iloc[:252].isna().all()


def test_absorption_is_one_where_everything_moves_as_one():
    market = RNG.standard_normal((300, 1))
    together = absorption_ratio(pd.DataFrame(market @ np.ones((1, 10)), DATES[:300]))
    apart = absorption_ratio(pd.DataFrame(RNG.standard_normal((300, 10)), DATES[:300]))
    assert together.iloc[-1] == pytest.approx(1)
    assert 0.2 < apart.iloc[-1] < 0.35


def test_summary_of_a_rule_counts_its_spells():
    state = pd.Series(["calm", "calm", "turbulent", "calm", "turbulent", "turbulent"])
    table = threshold_summary(state, pd.Series([0.01, 0.03, -0.1, 0.02, 0.1, 0.3])).set_index(
        "state"
    )
    assert table["duration"].to_dict() == {"calm": 1.5, "turbulent": 1.5}
    assert table.loc["calm", "mean"] == pytest.approx(0.02)
    assert table.loc["turbulent", "mean"] == pytest.approx(0.1)
    assert table["share"].tolist() == [0.5, 0.5]


def test_the_present_state_began_when_it_last_changed(regimes):
    name, probability, since = regimes.now()
    before = regimes.state[regimes.state.index < since]
    assert name == regimes.state.iloc[-1] == "calm"
    assert probability == regimes.probabilities["calm"].iloc[-1]
    assert (regimes.state[since:] == name).all()
    assert before.iloc[-1] != name


def test_risk_by_regime_is_that_of_its_days():
    state = pd.Series(np.where(WILD, "turbulent", "calm"), DATES)
    base = pd.Series(RNG.standard_normal(len(WILD)) / 100, DATES)
    own = 1.2 * base + RETURNS
    found = risk_by_regime(own, base, state).set_index("state")
    assert list(found.index) == ["calm", "turbulent", "all"]
    assert found["days"].tolist() == [(~WILD).sum(), WILD.sum(), len(WILD)]
    assert found["share"].tolist() == pytest.approx([(~WILD).mean(), WILD.mean(), 1])
    for name, days in (("calm", ~WILD), ("turbulent", WILD), ("all", np.ones(len(WILD), bool))):
        r, m = own[days].to_numpy(), base[days].to_numpy()
        cov = np.cov(r, m)
        assert found.loc[name, "mean"] == pytest.approx(252 * r.mean())
        assert found.loc[name, "volatility"] == pytest.approx(np.sqrt(252 * cov[0, 0]))
        active = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
        assert found.loc[name, "tracking_error"] == pytest.approx(np.sqrt(252 * active))
        assert found.loc[name, "beta"] == pytest.approx(cov[0, 1] / cov[1, 1])


def test_without_a_benchmark_risk_by_regime_is_absolute():
    state = pd.Series("calm", DATES)
    found = risk_by_regime(RETURNS, None, state)
    assert found["state"].tolist() == ["calm", "all"]
    assert found[["tracking_error", "beta"]].isna().all(axis=None)


def test_days_without_a_state_are_no_days():
    with pytest.raises(DataError, match="No day has both"):
        risk_by_regime(RETURNS, None, pd.Series("calm", DATES + pd.DateOffset(years=40)))
