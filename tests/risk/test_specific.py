import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.risk.specific import shrink, specific_risk, structural


def test_known_specific_risk_is_recovered(truth):
    x = truth.history.exposures(truth.history.dates[-1])
    got = specific_risk(
        truth.history.specific_returns, x, truth.history.market_cap.iloc[-1], half_life=252, lags=5
    )
    ratio = np.sqrt(got.variance) / truth.specific_sigma
    assert ratio.mean() == pytest.approx(1, abs=0.03)
    # sampling error of a volatility: 1/√(2·727), more with the lags
    assert ratio.std() < 0.09
    assert not len(got.structural)
    assert not len(got.blended)


def test_shrinkage_is_the_formula_of_the_paper_in_each_decile():
    rng = np.random.default_rng(1)
    caps, sigma = np.exp(rng.normal(0, 1, 50)), np.exp(rng.normal(-4, 0.4, 50))
    got = shrink(sigma, caps)
    order = np.argsort(caps)
    for decile in np.split(order, 10):
        mean = (caps[decile] * sigma[decile]).sum() / caps[decile].sum()
        delta = np.sqrt(((sigma[decile] - mean) ** 2).mean())
        for i in decile:
            v = 0.1 * abs(sigma[i] - mean) / (delta + 0.1 * abs(sigma[i] - mean))
            assert got[i] == pytest.approx(v * mean + (1 - v) * sigma[i], rel=1e-12)


def test_asset_without_a_cap_is_not_shrunk():
    caps = np.array([np.nan, 1.0, 2.0, 3.0])
    sigma = np.array([0.05, 0.01, 0.02, 0.03])
    assert shrink(sigma, caps)[0] == 0.05


def test_structural_fit_finds_a_volatility_that_exposures_explain(truth):
    x = truth.history.exposures(truth.history.dates[-1])
    sigma = np.exp(-4 + 0.3 * x["Size"] - 0.2 * x["Value"] + 0.1 * x["Energy"]).to_numpy()
    trusted = np.arange(len(x)) < 60
    got = structural(sigma, x, trusted=trusted)
    np.testing.assert_allclose(got, sigma, rtol=1e-9)


def test_structural_fit_has_the_mean_of_the_volatilities_it_was_fitted_to(truth):
    x = truth.history.exposures(truth.history.dates[-1])
    everyone = np.ones(len(x), dtype=bool)
    got = structural(truth.specific_sigma, x, trusted=everyone)
    assert got.mean() == pytest.approx(truth.specific_sigma.mean(), rel=1e-12)


def test_short_history_takes_the_risk_of_similar_assets(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    returns = history.specific_returns.copy()
    returns.iloc[:-50, 0] = np.nan  # 50 days: no say
    returns.iloc[-50:, 0] *= 30
    returns.iloc[:-120, 1] = np.nan  # 120 days: half a say
    caps = pd.Series(np.nan, index=x.index)  # no shrinkage, to see the blend alone
    got = specific_risk(returns, x, caps, half_life=84, lags=5)
    assert list(got.structural) == ["A00"]
    assert list(got.blended) == ["A01"]
    own = np.sqrt(specific_risk(history.specific_returns, x, caps, half_life=84, lags=5).variance)
    trusted = np.arange(len(x)) > 1
    similar = structural(own.to_numpy(), x, trusted=trusted)
    assert np.sqrt(got.variance["A00"]) == pytest.approx(similar[0], rel=1e-9)
    alone = returns["A01"].iloc[-120:].to_frame()
    mine = np.sqrt(
        specific_risk(
            pd.concat([history.specific_returns.iloc[-120:, 2:], alone], axis=1)[x.index[1:]],
            x.iloc[1:], caps.iloc[1:], half_life=84, lags=5,
        ).variance["A01"]
    )  # fmt: skip
    assert np.sqrt(got.variance["A01"]) == pytest.approx((mine + similar[1]) / 2, rel=1e-9)


def test_price_that_never_moved_is_no_history(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    returns = history.specific_returns.copy()
    returns.iloc[:, 3] = 0.0
    got = specific_risk(returns, x, history.market_cap.iloc[-1], half_life=84, lags=5)
    assert list(got.structural) == ["A03"]
    assert got.variance["A03"] > 1e-6


def test_asset_without_any_history_has_a_risk(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    returns = history.specific_returns.drop(columns="A07")
    got = specific_risk(returns, x, history.market_cap.iloc[-1], half_life=84, lags=5)
    assert list(got.structural) == ["A07"]
    assert got.variance.notna().all()
    assert (got.variance > 0).all()


def test_too_few_full_histories_are_an_error(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    returns = history.specific_returns.copy()
    returns.iloc[:, 20:] = np.nan
    with pytest.raises(DataError, match="Only 20 assets have a full history"):
        specific_risk(returns, x, history.market_cap.iloc[-1], half_life=84, lags=5)


def test_shrinkage_brings_estimates_of_short_samples_nearer_the_truth():
    rng = np.random.default_rng(4)
    names, days = 1000, 60
    caps = np.sort(np.exp(rng.normal(0, 1, names)))
    # the smaller the more volatile, and within a decile hardly anyone unlike the others
    true = np.exp(-4 - 0.2 * np.log(caps) + 0.03 * rng.standard_normal(names))
    seen = true * np.sqrt(rng.chisquare(days, names) / days)
    before, after = (np.log(s / true) for s in (seen, shrink(seen, caps)))
    assert before.std() == pytest.approx(1 / np.sqrt(2 * days), rel=0.1)
    assert after.std() < 0.95 * before.std()
    # the more unusual, the more it gives way
    unusual = np.abs(before) > np.quantile(np.abs(before), 0.9)
    assert np.abs(after[unusual]).mean() < 0.92 * np.abs(before[unusual]).mean()


def test_risk_of_a_new_listing_is_nearer_the_truth_than_its_own_few_days_say(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    true = 0.012 * np.exp(0.3 * x["Size"].to_numpy())
    rng = np.random.default_rng(5)
    u = pd.DataFrame(true * rng.standard_normal((1000, len(x))), columns=x.index)
    u.iloc[:-20, :30] = np.nan  # thirty listed twenty days ago
    caps = pd.Series(np.nan, x.index)
    got = specific_risk(u, x, caps, half_life=84, lags=0)
    assert list(got.structural) == list(x.index[:30])
    ours = np.log(np.sqrt(got.variance.to_numpy()[:30]) / true[:30])
    own = np.log(u.iloc[-20:, :30].std(ddof=0).to_numpy() / true[:30])
    assert np.sqrt((ours**2).mean()) < 0.5 * np.sqrt((own**2).mean())
