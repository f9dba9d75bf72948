import numpy as np
import pandas as pd
import pytest

from tilt.risk.covariance import HORIZONS, ewma_weights
from tilt.risk.eigenfactor import (
    SampleLength,
    adjust_eigenfactors,
    effective_length,
    simulated_bias,
    simulated_estimates,
)
from tilt.risk.model import PLAIN, Adjustments, estimate_model

FACTORS, DAYS = 12, 100
LENGTH = SampleLength(DAYS, DAYS)


def covariance(seed: int, size: int = FACTORS) -> np.ndarray:
    """A market factor and others that lean on three common causes."""
    rng = np.random.default_rng(seed)
    loading = rng.standard_normal((size, 3)) * 0.003
    vol = np.concatenate([[0.01], rng.uniform(0.002, 0.006, size - 1)])
    return loading @ loading.T + np.diag(vol**2)


TRUE = covariance(0)


def estimates(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(TRUE)
    histories = (rng.standard_normal((DAYS, FACTORS)) @ root.T for _ in range(count))
    return [r.T @ r / DAYS for r in histories]


def bias(cov: list[np.ndarray], portfolios: list[np.ndarray]) -> float:
    """Root mean square of returns in units of their forecasts, were there endless of them."""
    ratios = [(y @ TRUE @ y) / (y @ c @ y) for c, y in zip(cov, portfolios, strict=True)]
    return float(np.sqrt(np.mean(ratios)))


@pytest.fixture(scope="module")
def plain() -> list[np.ndarray]:
    return estimates(40)


@pytest.fixture(scope="module")
def adjusted(plain) -> list[np.ndarray]:
    return [adjust_eigenfactors(c, LENGTH)[0] for c in plain]


def test_risk_of_the_fully_invested_portfolio_of_least_variance_is_nearer_the_truth(
    plain, adjusted
):
    ones = np.ones(FACTORS)
    before = bias(plain, [np.linalg.solve(c, ones) for c in plain])
    after = bias(adjusted, [np.linalg.solve(c, ones) for c in adjusted])
    assert before > 1.08  # 12 factors of 100 days
    assert abs(after - 1) < 0.6 * (before - 1)


def test_risk_of_portfolios_optimized_for_random_alphas_is_nearer_the_truth(plain, adjusted):
    alphas = np.random.default_rng(6).standard_normal((len(plain), FACTORS))
    before = bias(plain, [np.linalg.solve(c, a) for c, a in zip(plain, alphas, strict=True)])
    after = bias(adjusted, [np.linalg.solve(c, a) for c, a in zip(adjusted, alphas, strict=True)])
    assert before > 1.08
    assert abs(after - 1) < 0.6 * (before - 1)


def test_risk_of_the_safest_eigenportfolio_is_no_longer_too_low(plain, adjusted):
    lowest = [np.linalg.eigh(c)[1][:, 0] for c in plain]
    before, after = bias(plain, lowest), bias(adjusted, lowest)
    assert before > 1.1
    assert abs(after - 1) < 0.4 * (before - 1)


def test_risk_of_portfolios_chosen_at_random_stays_right(plain, adjusted):
    rng = np.random.default_rng(5)
    chosen = [rng.standard_normal(FACTORS) for _ in plain]
    assert bias(plain, chosen) == pytest.approx(1, abs=0.05)
    assert bias(adjusted, chosen) == pytest.approx(1, abs=0.05)


def test_endless_history_leaves_the_covariance_alone():
    adjusted, factor = adjust_eigenfactors(TRUE, SampleLength(1e6, 1e6))
    np.testing.assert_allclose(factor, 1, atol=2e-3)
    np.testing.assert_allclose(adjusted, TRUE, atol=4e-3 * TRUE.max())


def test_shorter_history_is_adjusted_more():
    lowest = [adjust_eigenfactors(TRUE, SampleLength(t, t))[1][0] for t in (60, 120, 480, 2000)]
    assert lowest == sorted(lowest, reverse=True)


def test_eigenvectors_stay_and_every_variance_is_positive(plain):
    for cov in [*plain[:5], covariance(7, 40)]:
        adjusted, factor = adjust_eigenfactors(cov, SampleLength(60, 62))
        values, vectors = np.linalg.eigh(cov)
        turned = vectors.T @ adjusted @ vectors
        np.testing.assert_allclose(turned, np.diag(factor**2 * values), atol=1e-15)
        assert (np.linalg.eigvalsh(adjusted) > 0).all()
        assert (factor > 0.5).all()
        assert (factor < 3).all()


def test_same_numbers_every_time_and_in_any_order_of_the_factors():
    order = np.random.default_rng(2).permutation(FACTORS)
    once, _ = adjust_eigenfactors(TRUE, LENGTH)
    again, _ = adjust_eigenfactors(TRUE, LENGTH)
    shuffled, _ = adjust_eigenfactors(TRUE[np.ix_(order, order)], LENGTH)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(shuffled, once[np.ix_(order, order)], rtol=1e-8, atol=1e-18)


def test_scale_widens_the_adjustment():
    _, one = adjust_eigenfactors(TRUE, LENGTH)
    _, more = adjust_eigenfactors(TRUE, LENGTH, scale=1.4)
    np.testing.assert_allclose(more - 1, 1.4 * (one - 1), rtol=1e-12)


@pytest.mark.parametrize("length", [SampleLength(30, 31), SampleLength(240, 900)])
def test_bias_is_that_along_the_eigenvectors_of_the_estimates(length):
    values, vectors = np.linalg.eigh(TRUE)
    promised, directions = np.linalg.eigh(simulated_estimates(values, vectors, length))
    true = np.einsum("mik,ij,mjk->mk", directions, TRUE, directions)
    np.testing.assert_allclose(
        simulated_bias(values, vectors, length),
        np.sqrt((true / promised).mean(axis=0)),
        rtol=1e-6,
    )


def test_simulated_estimates_are_the_truth_on_average_and_as_wide_as_their_days_allow():
    values, vectors = np.linalg.eigh(TRUE)
    drawn = simulated_estimates(values, vectors, SampleLength(60, 240))
    np.testing.assert_allclose(drawn.mean(axis=0), TRUE, atol=0.02 * TRUE.max())
    sigma = np.sqrt(np.diag(TRUE))
    variance = np.diagonal(drawn, axis1=1, axis2=2) / sigma**2
    # variances from the latest 60 days, correlations from all 240
    assert variance.std() == pytest.approx(np.sqrt(2 / 60), rel=0.05)
    root = np.sqrt(np.diagonal(drawn, axis1=1, axis2=2))
    correlation = (drawn / root[:, :, None] / root[:, None, :])[:, 0, 1]
    rho = TRUE[0, 1] / sigma[0] / sigma[1]
    assert correlation.std() == pytest.approx((1 - rho**2) / np.sqrt(240), rel=0.1)


def test_draws_of_the_wishart_have_the_moments_of_sample_covariances():
    # along the only eigenvector of one factor, promised variance is χ²(n)/n of the true one
    _, factor = adjust_eigenfactors(np.eye(1), SampleLength(50, 50))
    assert factor[0] ** 2 == pytest.approx(50 / 48, abs=0.02)  # mean of n/χ²(n) is n/(n-2)


def test_fading_weights_are_worth_as_many_days_as_they_say():
    assert effective_length(np.full(40, 0.3)) == pytest.approx(40)
    # a geometric sum: (1 + k) / (1 - k) for weights that fade by k
    kept = 0.5 ** (1 / 84)
    assert effective_length(ewma_weights(5000, 84)) == pytest.approx((1 + kept) / (1 - kept))


def test_model_is_adjusted_unless_asked_for_the_plain_estimate(truth):
    date = truth.history.dates[-1]
    plain = estimate_model(truth.history, date, adjustments=PLAIN).factor_cov
    eigen = estimate_model(
        truth.history, date, adjustments=Adjustments(eigenfactor=1.0, regime=False)
    ).factor_cov
    days = len(truth.history.dates) - 1
    length = SampleLength(
        effective_length(ewma_weights(days, HORIZONS["short"].volatility_half_life)),
        effective_length(ewma_weights(days, HORIZONS["short"].correlation_half_life)),
    )
    expected, _ = adjust_eigenfactors(plain.to_numpy(), length)
    np.testing.assert_allclose(eigen, expected, rtol=1e-12)
    pd.testing.assert_index_equal(eigen.columns, plain.columns)
