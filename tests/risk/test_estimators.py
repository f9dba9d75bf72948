"""Covariances from returns alone, against loops that spell the papers' formulas out."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.risk.estimators import ESTIMATORS, Tuning, estimate_covariance


def simulated(periods=120, assets=6, seed=0):
    random = np.random.default_rng(seed)
    market = random.standard_normal(periods)[:, None] * 0.01
    own = random.standard_normal((periods, assets)) * np.linspace(0.01, 0.02, assets)
    days = pd.bdate_range("2020-01-01", periods=periods)
    return pd.DataFrame(market + own, index=days, columns=[f"A{i}" for i in range(assets)])


def centered(returns):
    return (returns - returns.mean()).to_numpy()


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_every_estimate_is_symmetric_and_has_no_negative_risk(name):
    cov = estimate_covariance(simulated(periods=30, assets=40), name).cov.to_numpy()
    assert (cov == cov.T).all()
    assert np.linalg.eigvalsh(cov).min() >= -1e-12 * np.trace(cov)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_the_order_of_assets_does_not_matter(name):
    returns = simulated()
    mixed = returns.iloc[:, [3, 0, 5, 1, 4, 2]]
    straight = estimate_covariance(returns, name).cov
    crooked = estimate_covariance(mixed, name).cov.loc[straight.index, straight.columns]
    np.testing.assert_allclose(crooked, straight, rtol=1e-10)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_returns_ten_times_as_large_have_a_hundred_times_the_covariance(name):
    returns = simulated()
    small, large = (estimate_covariance(r, name).cov for r in (returns, 10 * returns))
    np.testing.assert_allclose(large, 100 * small, rtol=1e-10)


def test_sample_divides_by_one_less_than_the_dates():
    returns = simulated()
    np.testing.assert_allclose(estimate_covariance(returns, "sample").cov, returns.cov())


def test_ewma_without_lags_is_the_sum_of_faded_products():
    returns = simulated()
    half_life = 20.0
    weight = np.array([0.5 ** (age / half_life) for age in range(len(returns))][::-1])
    weight = weight / weight.sum()
    r = returns.to_numpy()
    expected = sum(w * np.outer(x, x) for w, x in zip(weight, r, strict=True))
    found = estimate_covariance(returns, "ewma", Tuning(half_life=half_life)).cov
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_ewma_gives_correlations_their_own_memory():
    returns = simulated()
    slow = estimate_covariance(returns, "ewma", Tuning(half_life=60)).cov.to_numpy()
    both = Tuning(half_life=10, correlation_half_life=60)
    mixed = estimate_covariance(returns, "ewma", both).cov.to_numpy()

    def correlation(c):
        return c / np.sqrt(np.outer(np.diag(c), np.diag(c)))

    np.testing.assert_allclose(correlation(mixed), correlation(slow), rtol=1e-10)
    fast = estimate_covariance(returns, "ewma", Tuning(half_life=10)).cov.to_numpy()
    np.testing.assert_allclose(np.diag(mixed), np.diag(fast), rtol=1e-10)


def constant_correlation_share(x):
    """The shrinkage of Ledoit and Wolf (2004), appendix B, entry by entry."""
    periods, assets = x.shape
    s = x.T @ x / periods
    r = np.array([[s[i, j] / np.sqrt(s[i, i] * s[j, j]) for j in range(assets)]
                  for i in range(assets)])  # fmt: skip
    mean = np.mean([r[i, j] for i in range(assets) for j in range(assets) if i != j])
    f = np.array([[s[i, i] if i == j else mean * np.sqrt(s[i, i] * s[j, j])
                   for j in range(assets)] for i in range(assets)])  # fmt: skip
    pi = rho = 0.0
    for i in range(assets):
        for j in range(assets):
            entry = np.mean((x[:, i] * x[:, j] - s[i, j]) ** 2)
            pi += entry
            if i == j:
                rho += entry
                continue
            ii = np.mean((x[:, i] ** 2 - s[i, i]) * (x[:, i] * x[:, j] - s[i, j]))
            jj = np.mean((x[:, j] ** 2 - s[j, j]) * (x[:, i] * x[:, j] - s[i, j]))
            up, down = np.sqrt(s[j, j] / s[i, i]), np.sqrt(s[i, i] / s[j, j])
            rho += mean / 2 * (up * ii + down * jj)
    return (pi - rho) / ((f - s) ** 2).sum() / periods, f, s


def test_ledoit_wolf_shrinks_to_constant_correlation_as_the_paper_says():
    returns = simulated(periods=60, assets=5)
    share, target, sample = constant_correlation_share(centered(returns))
    found = estimate_covariance(returns, "ledoit_wolf")
    assert 0 < share < 1
    assert found.shrinkage == pytest.approx(share, rel=1e-10)
    np.testing.assert_allclose(found.cov, share * target + (1 - share) * sample, rtol=1e-10)


def test_ledoit_wolf_identity_shrinks_as_the_paper_says():
    returns = simulated(periods=60, assets=5)
    x = centered(returns)
    sample = x.T @ x / len(x)
    target = np.trace(sample) / 5 * np.eye(5)
    noise = sum(((np.outer(t, t) - sample) ** 2).sum() for t in x) / len(x) ** 2
    share = noise / ((sample - target) ** 2).sum()
    found = estimate_covariance(returns, "ledoit_wolf_identity")
    assert 0 < share < 1
    assert found.shrinkage == pytest.approx(share, rel=1e-10)


@pytest.mark.parametrize("name", ["ledoit_wolf", "ledoit_wolf_identity", "oas"])
def test_shrinking_is_nearer_to_the_truth_than_the_sample(name):
    random = np.random.default_rng(1)
    loadings = random.standard_normal((40, 1)) * 0.01
    truth = loadings @ loadings.T + np.diag(np.full(40, 4e-4))
    root = np.linalg.cholesky(truth)
    nearer = 0
    for _ in range(20):
        returns = pd.DataFrame(random.standard_normal((60, 40)) @ root.T)
        returns.columns = returns.columns.astype(str)
        off = {
            n: ((estimate_covariance(returns, n).cov.to_numpy() - truth) ** 2).sum()
            for n in ("sample", name)
        }
        nearer += off[name] < off["sample"]
    assert nearer == 20


def test_more_data_shrinks_less():
    few, many = simulated(periods=60), simulated(periods=2000)
    for name in ("ledoit_wolf", "ledoit_wolf_identity", "oas"):
        shares = [estimate_covariance(r, name).shrinkage for r in (few, many)]
        assert shares[0] > shares[1] > 0


def test_pca_finds_the_number_of_factors_that_made_the_returns():
    random = np.random.default_rng(2)
    loadings = random.standard_normal((50, 3))
    common = random.standard_normal((750, 3)) @ loadings.T
    returns = pd.DataFrame(0.01 * (common + random.standard_normal((750, 50))))
    returns.columns = returns.columns.astype(str)
    found = estimate_covariance(returns, "pca")
    assert found.factors == 3
    truth = 1e-4 * (loadings @ loadings.T + np.eye(50))
    away = np.linalg.norm(found.cov.to_numpy() - truth) / np.linalg.norm(truth)
    assert away < 0.15


def test_pca_keeps_each_assets_own_variance():
    returns = simulated()
    found = estimate_covariance(returns, "pca", Tuning(factors=2))
    np.testing.assert_allclose(np.diag(found.cov), returns.var(), rtol=1e-10)


def test_too_few_dates_for_a_sample_covariance_are_noted():
    assert "40 assets" in estimate_covariance(simulated(30, 40), "sample").notes[0]


def test_a_missing_return_names_its_asset_and_date():
    returns = simulated()
    returns.iloc[3, 2] = np.nan
    with pytest.raises(DataError, match="A2 on 2020-01-06"):
        estimate_covariance(returns)


def test_an_asset_that_never_moved_is_refused():
    with pytest.raises(DataError, match="A1 has the same return on every date"):
        estimate_covariance(simulated().assign(A1=0.0))


def test_too_few_dates_are_refused():
    with pytest.raises(DataError, match="19 dates"):
        estimate_covariance(simulated(periods=19))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Tuning(half_life=0), "half_life must be above 0"),
        (Tuning(correlation_half_life=-1), "correlation_half_life must be above 0"),
        (Tuning(lags=-1), "lags must be 0 or more"),
        (Tuning(factors=6), "factors must be from 1 to 5"),
    ],
)
def test_senseless_tuning_is_refused(told, words):
    with pytest.raises(ArgumentError, match=words):
        estimate_covariance(simulated(), "ewma", told)


def test_a_misspelt_estimator_has_a_suggestion():
    with pytest.raises(ArgumentError, match="ledoit_wolf"):
        estimate_covariance(simulated(), "ledoit_wolff")
