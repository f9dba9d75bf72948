from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.risk.covariance import HORIZONS
from tilt.risk.model import PLAIN, Adjustments, estimate_model
from tilt.risk.regime_adjustment import (
    cross_sectional_bias,
    day_ahead_variances,
    regime_multiplier,
    volatility_regime,
)

REGIME = Adjustments(eigenfactor=0.0, regime=True)
RETURNS = np.random.default_rng(0).standard_normal((200, 3)) * [0.01, 0.02, 0.005]


def test_forecast_of_a_day_is_the_fading_mean_of_the_squares_before_it():
    variances = day_ahead_variances(RETURNS, half_life=20)
    for day in (63, 64, 150):
        weight = 0.5 ** (np.arange(day)[::-1] / 20)
        expected = (weight[:, None] * RETURNS[:day] ** 2).sum(axis=0) / weight.sum()
        np.testing.assert_allclose(variances[day], expected, rtol=1e-12)
    assert np.isnan(variances[:63]).all()


def test_forecast_never_sees_its_own_day_or_a_later_one():
    other = RETURNS.copy()
    other[120:] *= 100
    np.testing.assert_array_equal(
        day_ahead_variances(RETURNS, half_life=20)[:121],
        day_ahead_variances(other, half_life=20)[:121],
    )


def test_missing_return_is_neither_counted_nor_judged():
    gap = RETURNS.copy()
    gap[100, 0] = np.nan
    variances = day_ahead_variances(gap, half_life=20)
    weight = 0.5 ** (np.arange(150)[::-1] / 20)
    weight[100] = 0
    expected = (weight * RETURNS[:150, 0] ** 2).sum() / weight.sum()
    assert variances[150, 0] == pytest.approx(expected, rel=1e-12)
    both = cross_sectional_bias(gap, variances)[100]
    alone = (gap[100, 1:] ** 2 / variances[100, 1:]).mean()
    assert both == pytest.approx(alone, rel=1e-12)


def test_weights_say_how_much_each_series_counts():
    r, v = np.array([[2.0, 1.0]]), np.ones((1, 2))
    assert cross_sectional_bias(r, v)[0] == pytest.approx(2.5)
    assert cross_sectional_bias(r, v, np.array([[1.0, 3.0]]))[0] == pytest.approx(1.75)
    assert cross_sectional_bias(r, v, np.array([[np.nan, 3.0]]))[0] == pytest.approx(1)
    assert cross_sectional_bias(r, v, np.full((1, 2), np.nan))[0] == pytest.approx(2.5)


def test_multiplier_is_the_root_of_a_fading_mean_that_began_at_one():
    kept = 0.5 ** (1 / 42)
    square = 1.0
    days = np.array([1.4, np.nan, 0.8, 2.0])
    for value in days[np.isfinite(days)]:
        square = kept * square + (1 - kept) * value
    assert regime_multiplier(days, half_life=42)[1] == pytest.approx(np.sqrt(square), rel=1e-12)
    assert regime_multiplier(np.full(3, np.nan), half_life=42) == (1.0, 1.0)


@pytest.mark.parametrize(("size", "bound"), [(30.0, 1.6), (0.01, 0.7)])
def test_multiplier_stays_in_its_bounds_and_says_so(size, bound):
    changed = RETURNS.copy()
    changed[120 if size < 1 else 160 :] *= size
    regime = volatility_regime("factors", changed, None, HORIZONS["short"])
    assert regime.multiplier == bound
    assert (
        f"forecasts are scaled by no {'more' if size > 1 else 'less'} than {bound}"
        in regime.notes[0]
    )
    assert f"{regime.found:.2f} times as volatile" in regime.notes[0]


def test_right_forecasts_are_left_as_they_are():
    rng = np.random.default_rng(3)
    regime = volatility_regime("factors", rng.standard_normal((3000, 20)), None, HORIZONS["long"])
    assert regime.multiplier == pytest.approx(1, abs=0.05)
    assert regime.notes == ()


@pytest.mark.parametrize("horizon", ["short", "long"])
def test_after_volatility_doubles_the_next_months_are_forecast_better(truth, horizon):
    history = truth.history
    factors, own = history.returns.copy(), history.specific_returns.copy()
    factors.iloc[1000:] *= 2
    own.iloc[1000:] *= 2
    wild = replace(history, returns=factors, specific_returns=own)
    w = pd.Series(1 / 40, index=history.assets[:40])
    y = (history.exposures(history.dates[-1]).loc[w.index].T @ w).to_numpy()
    true = 4 * (y @ truth.factor_cov @ y + (w**2 @ truth.specific_sigma[:40] ** 2))
    found = {}
    for adjustments in (PLAIN, REGIME):
        days = (history.dates[t] for t in range(1000, 1063, 3))
        models = (
            estimate_model(wild, day, horizon=horizon, adjustments=adjustments) for day in days
        )
        # the bias statistic that endless returns of these days would have
        found[adjustments] = np.sqrt(np.mean([true / model.variance(w) for model in models]))
    assert found[PLAIN] > 1.3
    assert abs(found[REGIME] - 1) < 0.8 * abs(found[PLAIN] - 1)


def test_specific_risk_follows_the_assets_own_days_and_not_the_factors(truth):
    history = truth.history
    own = history.specific_returns.copy()
    own.iloc[-40:] *= 2
    date = history.dates[-1]
    wild = replace(history, specific_returns=own)
    plain, regime = (estimate_model(wild, date, adjustments=a) for a in (PLAIN, REGIME))
    scale = (regime.specific_var / plain.specific_var).to_numpy()
    assert (scale > 1.2).all()
    np.testing.assert_allclose(scale, scale[0], rtol=1e-12)
    calm = estimate_model(history, date, adjustments=REGIME)
    np.testing.assert_allclose(regime.factor_cov, calm.factor_cov, rtol=1e-12)


def test_bound_is_a_note_of_the_model(truth):
    history = truth.history
    returns = history.returns.copy()
    returns.iloc[-60:] *= 8
    model = estimate_model(replace(history, returns=returns), history.dates[-1])
    assert any("factors were" in n and "no more than 1.6" in n for n in model.notes)
