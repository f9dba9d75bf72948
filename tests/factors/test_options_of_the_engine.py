"""What may be asked for beside the defaults: percentiles, neutral scores, robust and thin cases."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

from tilt.errors import DataError
from tilt.factors import standardize
from tilt.factors.groups import Groups
from tilt.factors.regression import cross_section, merge_thin, pure_portfolios, robust_section

RNG = np.random.default_rng(13)
N = 90
ASSETS = pd.Index([f"A{i:02d}" for i in range(N)])
CAPS = pd.Series(np.exp(RNG.normal(9, 1, N)), ASSETS)
SECTOR = pd.Series([("Energy", "Tech", "Banks")[i % 3] for i in range(N)], ASSETS)
STYLES = pd.DataFrame(RNG.standard_normal((N, 2)), ASSETS, ["Size", "Value"])
RETURNS = pd.Series(0.02 * RNG.standard_normal(N), ASSETS)
WILD = RETURNS.copy()
WILD.iloc[[4, 50]] = [0.9, -0.8]


def test_percentile_winsorizing_clips_at_the_universes_percentiles():
    x = RNG.standard_normal((3, N))
    estu = np.ones((3, N), dtype=bool)
    estu[:, 80:] = False
    x[0, 85] = 40.0
    x[1] = np.nan
    got = standardize.winsorize(x, estu)
    low, high = np.percentile(x[0, :80], [1, 99])
    np.testing.assert_allclose(got[0], np.clip(x[0], low, high))
    assert got[0, 85] == high
    assert np.isnan(got[1]).all()


def test_small_industry_is_scored_against_its_sector_and_a_small_sector_against_the_market():
    industry = SECTOR.copy()
    industry.iloc[:6] = ["Gold", "Oil"] * 3  # three names each
    parent = SECTOR.copy()
    parent.iloc[:6] = ["Energy", "Tiny"] * 3
    z = standardize.zscore(
        RNG.standard_normal((1, N)), CAPS.to_numpy()[None], np.ones((1, N), bool)
    )
    everyone = np.ones((1, N), dtype=bool)
    got = standardize.neutralize(
        z, CAPS.to_numpy()[None], everyone, Groups.of(industry), Groups.of(parent)
    )[0]
    energy = (parent == "Energy").to_numpy()
    cap = CAPS.to_numpy()

    def against(inside):
        mean = np.average(z[0, inside], weights=cap[inside])
        return (z[0] - mean) / z[0, inside].std(ddof=1)

    whole = np.ones(N, dtype=bool)
    expected = np.where(
        industry == "Gold", against(energy), np.where(industry == "Oil", against(whole), np.nan)
    )
    for name in SECTOR.unique():
        inside = (industry == name).to_numpy()
        expected[inside] = against(inside)[inside]
    again = (expected - np.average(expected, weights=cap)) / expected.std(ddof=1)
    np.testing.assert_allclose(got, again, atol=1e-12)


def test_variance_inflation_is_that_of_statsmodels():
    x = RNG.standard_normal((200, 3))
    x[:, 2] += x[:, 0]
    x[5, 1] = np.nan
    got = standardize.variance_inflation(x)
    design = sm.add_constant(np.delete(x, 5, axis=0))
    expected = [variance_inflation_factor(design, k) for k in (1, 2, 3)]
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_variance_inflation_of_a_copy_is_infinite_and_of_a_constant_missing():
    x = RNG.standard_normal((50, 2))
    got = standardize.variance_inflation(
        np.column_stack([x, x[:, 0], np.ones(50), np.full(50, np.nan)])
    )
    assert np.isinf(got[[0, 2]]).all()
    assert got[1] == pytest.approx(1, abs=0.3)
    assert np.isnan(got[3:]).all()


def test_robust_factor_returns_are_those_of_statsmodels_with_equal_caps():
    equal = pd.Series(1.0, ASSETS)
    fit = robust_section(WILD, STYLES, equal, SECTOR)
    dummies = pd.get_dummies(SECTOR).astype(float)
    theirs = sm.RLM(WILD, pd.concat([dummies, STYLES], axis=1), M=sm.robust.norms.HuberT())
    expected = theirs.fit(maxiter=500, tol=1e-12)
    np.testing.assert_allclose(
        fit.factor_returns[STYLES.columns], expected.params[STYLES.columns], atol=1e-7
    )


def test_wild_returns_move_the_robust_factor_returns_less():
    plain = cross_section(WILD, STYLES, CAPS, SECTOR).factor_returns
    robust = robust_section(WILD, STYLES, CAPS, SECTOR).factor_returns
    quiet = cross_section(RETURNS, STYLES, CAPS, SECTOR).factor_returns
    assert (robust - quiet).abs().sum() < 0.5 * (plain - quiet).abs().sum()


def test_robust_pure_portfolios_keep_their_exposures():
    fit = robust_section(WILD, STYLES, CAPS, SECTOR)
    held = fit.pure.loc["Value"] @ STYLES
    assert held["Value"] == pytest.approx(1)
    assert held["Size"] == pytest.approx(0, abs=1e-10)
    assert fit.pure.loc["Value"] @ WILD == pytest.approx(fit.factor_returns["Value"])


def test_thin_industry_is_merged_into_its_parent_and_others_stay():
    industry = SECTOR.copy()
    industry.iloc[:3] = "Gold"
    caps = CAPS.copy()
    caps.iloc[5] = 1e9  # Banks is one company now, whatever its count of names
    parent = SECTOR.map({"Energy": "Real", "Tech": "Real", "Banks": "Finance"})
    got = merge_thin(industry, parent, caps)
    assert got.iloc[:3].tolist() == parent.iloc[:3].tolist()
    assert (got[industry == "Banks"] == "Finance").all()
    assert (got[industry == "Tech"] == "Tech").all()


def test_pure_portfolios_need_no_returns():
    fit = cross_section(RETURNS, STYLES, CAPS, SECTOR)
    pd.testing.assert_frame_equal(pure_portfolios(STYLES, CAPS, SECTOR), fit.pure)


def test_industry_of_one_stock_has_a_return_and_of_none_has_no_row():
    lone = SECTOR.copy()
    lone.iloc[0] = "Alone"
    fit = cross_section(RETURNS, STYLES, CAPS, lone)
    assert fit.specific_returns.iloc[0] == pytest.approx(0, abs=1e-12)
    assert np.isfinite(fit.factor_returns["Alone"])
    assert "Alone" not in cross_section(RETURNS, STYLES, CAPS, SECTOR).factor_returns


def test_robust_regression_checks_what_the_plain_one_does():
    with pytest.raises(DataError, match="collinear"):
        robust_section(RETURNS, STYLES.assign(Again=STYLES["Value"]), CAPS, SECTOR)
