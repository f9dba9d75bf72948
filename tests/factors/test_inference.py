import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tilt.errors import UnknownNameError
from tilt.factors.inference import (
    autocorrelation,
    automatic_lags,
    benjamini_hochberg,
    hac_t,
    monotonicity,
    p_values,
)
from tilt.factors.series import compounded, correlation, factor_statistics, max_drawdown

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("lags", [0, 3, 20])
def test_t_value_of_a_mean_is_that_of_statsmodels(lags):
    x = np.convolve(RNG.standard_normal(300), np.ones(5) / 5, "valid") + 0.05
    fit = sm.OLS(x, np.ones(len(x))).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    assert hac_t(x, lags=lags) == pytest.approx(fit.tvalues[0], rel=1e-10)


def test_missing_observations_are_left_out_of_a_t_value():
    x = RNG.standard_normal(50)
    assert hac_t(np.concatenate([x, [np.nan]]), lags=2) == hac_t(x, lags=2)


def test_no_t_value_under_twenty_observations_or_without_variation():
    assert np.isnan(hac_t(RNG.standard_normal(19), lags=1))
    assert np.isnan(hac_t(np.ones(50), lags=1))


def test_lags_grow_with_the_sample_and_cover_the_overlap():
    assert automatic_lags(100) == 4
    assert automatic_lags(1000) == 6
    assert automatic_lags(100, least=20) == 20


def test_adjusted_p_values_are_those_of_statsmodels_with_gaps_not_counted():
    p = RNG.uniform(0, 0.2, 25)
    expected = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p), expected, rtol=1e-12)
    holed = np.insert(p, 4, np.nan)
    got = benjamini_hochberg(holed)
    assert np.isnan(got[4])
    np.testing.assert_allclose(np.delete(got, 4), expected, rtol=1e-12)


def test_p_value_is_two_sided():
    assert p_values(np.array([-2.0]), np.array([30]))[0] == pytest.approx(2 * stats.t.sf(2, 29))


def test_ordered_means_are_told_from_chance():
    noise = RNG.standard_normal((300, 5))
    rising = monotonicity(noise + np.arange(5) * 0.4)
    falling = monotonicity(noise - np.arange(5) * 0.4)
    assert [rising.spearman, falling.spearman] == pytest.approx([1, -1])
    assert max(rising.p_value, falling.p_value) < 0.02


def test_chance_of_no_order_is_rarely_called_an_order():
    rng = np.random.default_rng(9)
    found = [monotonicity(rng.standard_normal((120, 5))).p_value for _ in range(60)]
    # five per cent would be three of sixty; a binomial of sixty exceeds nine in one of 500
    assert (np.array(found) < 0.05).sum() <= 9


def test_monotonicity_of_a_short_or_flat_series_has_no_p_value():
    assert np.isnan(monotonicity(RNG.standard_normal((19, 5))).p_value)
    assert np.isnan(monotonicity(np.zeros((50, 5))).p_value)


def test_autocorrelation_is_pandas_and_needs_twenty_steps():
    x = RNG.standard_normal(100).cumsum()
    assert autocorrelation(x) == pytest.approx(pd.Series(x).autocorr())
    assert np.isnan(autocorrelation(x[:19]))


def test_returns_compound_over_periods():
    days = pd.bdate_range("2020-01-01", "2020-02-28")
    r = pd.DataFrame({"F": RNG.normal(0, 0.01, len(days))}, days)
    ends = pd.DatetimeIndex(["2020-01-31", "2020-02-28"])
    got = compounded(r, ends)
    assert got.loc["2020-01-31", "F"] == pytest.approx((1 + r["F"]["2020-01"]).prod() - 1)
    assert list(got.index) == list(ends)


def test_statistics_of_a_factor_follow_their_definitions():
    days = pd.bdate_range("2020-01-01", periods=300)
    r = pd.DataFrame({"A": RNG.normal(0.0005, 0.01, 300), "B": RNG.normal(0, 0.01, 300)}, days)
    r.iloc[0] = np.nan
    t = pd.DataFrame({"A": RNG.normal(0, 2, 300), "B": RNG.normal(0, 1, 300)}, days)
    table = factor_statistics(r, t).set_index("factor")
    a = r["A"].dropna()
    assert table.loc["A", "mean"] == pytest.approx(252 * a.mean())
    assert table.loc["A", "volatility"] == pytest.approx(np.sqrt(252) * a.std())
    assert table.loc["A", "ir"] == pytest.approx(np.sqrt(252) * a.mean() / a.std())
    assert table.loc["A", "share_t_over_2"] == (t["A"].abs() > 2).mean()
    assert table.loc["A", "max_drawdown"] == pytest.approx(
        ((1 + a).cumprod() / (1 + a).cumprod().cummax().clip(lower=1) - 1).min()
    )
    assert table["observations"].tolist() == [299, 299]


def test_statistics_without_any_return_are_an_error():
    nothing = pd.DataFrame({"A": [np.nan]}, [pd.Timestamp("2020-01-01")])
    with pytest.raises(UnknownNameError, match="no factor returns in the period"):
        factor_statistics(nothing, nothing)


def test_drawdown_counts_a_loss_from_the_first_day():
    assert max_drawdown(np.array([-0.1, 0.05])) == pytest.approx(-0.1)
    assert max_drawdown(np.array([0.1, 0.05])) == 0


def test_correlation_uses_the_days_that_both_have_and_needs_twenty():
    r = pd.DataFrame(RNG.standard_normal((60, 3)), columns=list("ABC"))
    r.loc[:45, "C"] = np.nan
    got = correlation(r)
    assert got.loc["A", "B"] == pytest.approx(np.corrcoef(r["A"], r["B"])[0, 1])
    assert np.isnan(got.loc["A", "C"])
