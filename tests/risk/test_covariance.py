import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import DataError
from tilt.risk.covariance import (
    HORIZONS,
    Horizon,
    ewma_weights,
    factor_covariance,
    newey_west,
    newey_west_variances,
    repair,
)

RNG = np.random.default_rng(4)
DATES = pd.bdate_range("2020-01-01", periods=400)
NOISE = RNG.standard_normal((400, 4)) @ RNG.standard_normal((4, 4)) * 0.01
RETURNS = pd.DataFrame(NOISE[:, :3], DATES, ["a", "b", "c"])


def by_hand(returns: np.ndarray, half_life: float, lags: int) -> np.ndarray:
    """The formula of the convention, one day and one pair of factors at a time."""
    days, k = returns.shape
    weight = [2 ** (-(days - 1 - t) / half_life) for t in range(days)]
    weight = [w / sum(weight) for w in weight]
    out = np.zeros((k, k))
    for lag in range(lags + 1):
        gamma = np.zeros((k, k))
        for t in range(lag, days):
            gamma += weight[t] * np.outer(returns[t], returns[t - lag])
        bartlett = 1 - lag / (lags + 1)
        out += gamma if lag == 0 else bartlett * (gamma + gamma.T)
    return out


@pytest.mark.parametrize(("half_life", "lags"), [(84, 5), (504, 2), (20, 0)])
def test_newey_west_is_the_formula_summed_by_hand(half_life, lags):
    cov = newey_west(RETURNS, half_life=half_life, lags=lags)
    np.testing.assert_allclose(cov, by_hand(RETURNS.to_numpy(), half_life, lags), rtol=1e-10)


def test_without_fading_it_is_the_hac_covariance_of_statsmodels():
    cov = newey_west(RETURNS, half_life=1e12, lags=5)
    x = RETURNS["a"].to_numpy()
    # an OLS on a constant whose residuals are x: the HAC variance of the mean is C / T
    centered = x - x.mean()
    fit = sm.OLS(centered + 1.0, np.ones(400)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": False}
    )
    c = newey_west(pd.DataFrame({"a": centered}, DATES), half_life=1e12, lags=5)
    assert c.loc["a", "a"] / 400 == pytest.approx(fit.cov_params()[0, 0], rel=1e-8)
    assert (np.linalg.eigvalsh(cov) > 0).all()


def test_weights_halve_every_half_life_and_sum_to_one():
    weight = ewma_weights(100, 20)
    assert weight.sum() == pytest.approx(1, abs=1e-15)
    assert weight[-21] / weight[-1] == pytest.approx(0.5, abs=1e-15)


def test_variances_are_the_diagonal_of_the_matrix():
    got = newey_west_variances(RETURNS.to_numpy(), half_life=84, lags=5)
    np.testing.assert_allclose(got, np.diag(newey_west(RETURNS, half_life=84, lags=5)), rtol=1e-12)


def test_missing_day_leaves_the_other_days_as_they_are():
    gap = RETURNS.copy()
    gap.iloc[50, 0] = np.nan
    cov = newey_west(gap, half_life=84, lags=0)
    weight = ewma_weights(400, 84)
    weight[50] = 0
    a, b = RETURNS["a"].to_numpy(), RETURNS["b"].to_numpy()
    assert cov.loc["a", "a"] == pytest.approx((weight * a * a).sum() / weight.sum(), rel=1e-12)
    assert cov.loc["a", "b"] == pytest.approx((weight * a * b).sum() / weight.sum(), rel=1e-12)
    assert cov.loc["b", "b"] == pytest.approx(
        newey_west(RETURNS, half_life=84, lags=0).loc["b", "b"], rel=1e-12
    )


def test_zigzag_never_has_less_than_a_quarter_of_its_variance():
    zigzag = np.tile([0.01, -0.01], 200)[:, None]
    got = newey_west_variances(zigzag, half_life=84, lags=1)
    assert got[0] == pytest.approx(0.25 * 0.01**2, rel=1e-9)


def test_series_without_a_return_has_no_variance():
    assert np.isnan(newey_west_variances(np.full((10, 1), np.nan), half_life=84, lags=5)[0])


def test_factors_that_never_meet_are_an_error():
    apart = RETURNS.copy()
    apart.iloc[:200, 0] = np.nan
    apart.iloc[200:, 1] = np.nan
    with pytest.raises(DataError, match="a and b have no date with both returns"):
        newey_west(apart, half_life=84, lags=2)


def test_volatility_and_correlation_each_have_their_own_memory():
    cov = factor_covariance(RETURNS, Horizon(84, 5, 504, 2, 42)).cov.to_numpy()
    fast = by_hand(RETURNS.to_numpy(), 84, 5)
    slow = by_hand(RETURNS.to_numpy(), 504, 2)
    np.testing.assert_allclose(np.diag(cov), np.diag(fast), rtol=1e-10)
    scale = np.sqrt(np.diag(slow))
    own = np.sqrt(np.diag(cov))
    np.testing.assert_allclose(cov / np.outer(own, own), slow / np.outer(scale, scale), atol=1e-10)


def test_horizons_are_those_of_the_convention():
    assert HORIZONS["short"] == Horizon(84, 5, 504, 2, 42)
    assert HORIZONS["long"] == Horizon(252, 5, 504, 2, 168)


def test_known_covariance_is_recovered_from_many_days():
    rng = np.random.default_rng(8)
    true = np.array([[1.0, 0.5, -0.2], [0.5, 2.0, 0.1], [-0.2, 0.1, 0.5]]) * 1e-4
    r = pd.DataFrame(rng.multivariate_normal(np.zeros(3), true, 20_000))
    got = factor_covariance(r, Horizon(4000, 5, 4000, 2, 42)).cov.to_numpy()
    np.testing.assert_allclose(np.diag(got), np.diag(true), rtol=0.1)
    scale = np.sqrt(np.outer(np.diag(true), np.diag(true)))
    np.testing.assert_allclose(got / scale, true / scale, atol=0.08)


def test_serial_correlation_raises_the_variance_of_a_long_holding():
    rng = np.random.default_rng(9)
    e = rng.standard_normal(20_001)
    r = pd.DataFrame({"a": e[1:] + 0.5 * e[:-1]})  # MA(1): long-run variance (1 + 0.5)²
    got = newey_west(r, half_life=1e9, lags=30).loc["a", "a"]
    assert got == pytest.approx(2.25, rel=0.1)
    assert newey_west(r, half_life=1e9, lags=0).loc["a", "a"] == pytest.approx(1.25, rel=0.05)


def test_repair_floors_eigenvalues_and_reports_how_many():
    q, _ = np.linalg.qr(RNG.standard_normal((4, 4)))
    broken = (q * np.array([-0.5, 1e-12, 1.0, 2.0])) @ q.T
    mended, raised = repair(broken)
    assert raised == 2
    np.testing.assert_allclose(np.linalg.eigvalsh(mended), [2e-8, 2e-8, 1, 2], atol=1e-10)


def test_repair_leaves_a_sound_matrix_alone():
    sound = np.array([[2.0, 0.3], [0.3, 1.0]])
    mended, raised = repair(sound)
    assert raised == 0
    np.testing.assert_array_equal(mended, sound)


def test_factor_that_never_moved_is_an_error():
    with pytest.raises(DataError, match="b has no return other than zero"):
        factor_covariance(RETURNS.assign(b=0.0), HORIZONS["short"])


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 100.0), seed=st.integers(0, 1000))
def test_covariance_scales_with_the_square_and_keeps_order(scale, seed):
    order = np.random.default_rng(seed).permutation(RETURNS.columns)
    base = factor_covariance(RETURNS, HORIZONS["short"]).cov
    other = factor_covariance(RETURNS[order] * scale, HORIZONS["short"]).cov
    np.testing.assert_allclose(
        other.loc[base.index, base.columns] / scale**2, base, rtol=1e-9, atol=1e-18
    )
