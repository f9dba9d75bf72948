from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tilt.factors import descriptors as described
from tilt.factors.descriptors import beta, descriptors, market_return, momentum
from tilt.factors.styles import STYLES
from tilt.frames import Panel


def test_every_style_says_what_it_is_and_uses_descriptors_that_exist(made_up: Panel):
    given = descriptors(made_up)
    for style in STYLES:
        assert set(style.descriptors) <= set(given)
        assert style.description
        assert style.source
        assert style.sign in {-1, 1}


def test_momentum_is_the_log_return_of_the_year_without_its_last_month(made_up: Panel):
    score = momentum(made_up.returns)
    growth = np.log1p(made_up.returns["A00"].to_numpy())
    t = 400
    # from the close of t-252 to the close of t-21
    assert score["A00"].iloc[t] == pytest.approx(growth[t - 251 : t - 20].sum(), abs=1e-12)
    close = made_up.close["A00"]
    assert score["A00"].iloc[t] == pytest.approx(
        np.log(close.iloc[t - 21] / close.iloc[t - 252]), abs=1e-12
    )


def test_momentum_is_missing_before_a_year_of_returns(made_up: Panel):
    score = momentum(made_up.returns)
    assert score.iloc[:229].isna().all(axis=None)
    assert score["A00"].iloc[252:].notna().all()
    assert score["A05"].isna().all()  # listed too late


def test_beta_and_residual_volatility_are_those_of_a_weighted_regression(made_up: Panel):
    market = market_return(made_up)
    slope, left = beta(made_up.returns, market)
    t = 410
    window = slice(t - 251, t + 1)
    weight = 0.5 ** (np.arange(252)[::-1] / 63)
    for name in ("A00", "A09"):  # A09 misses a day
        y, x = made_up.returns[name].iloc[window].to_numpy(), market.iloc[window].to_numpy()
        seen = np.isfinite(y)
        fit = sm.WLS(y[seen], sm.add_constant(x[seen]), weights=weight[seen]).fit()
        variance = np.average(fit.resid**2, weights=weight[seen])
        assert slope[name].iloc[t] == pytest.approx(fit.params[1], rel=1e-9)
        assert left[name].iloc[t] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_beta_of_the_market_is_one_and_of_its_double_two():
    rng = np.random.default_rng(1)
    market = pd.Series(rng.normal(0, 0.01, 300), pd.bdate_range("2020-01-01", periods=300))
    slope, left = beta(pd.DataFrame({"one": market, "two": 2 * market}), market)
    np.testing.assert_allclose(slope.iloc[-1], [1, 2], rtol=1e-9)
    np.testing.assert_allclose(left.iloc[-1], 0, atol=1e-8)
    assert slope.iloc[:125].isna().all(axis=None)  # under half a window


def test_market_return_weights_members_by_the_caps_of_the_day_before(made_up: Panel):
    market = market_return(made_up)
    t = 390
    weight = made_up.market_cap.iloc[t - 1].where(made_up.member.iloc[t - 1]).dropna()
    r = made_up.returns.iloc[t][weight.index]
    assert market.iloc[t] == pytest.approx((weight * r).sum() / weight.sum(), rel=1e-12)


def test_market_return_before_the_first_caps_uses_those_caps(made_up: Panel):
    market = market_return(made_up)
    weight = made_up.market_cap.iloc[300].where(made_up.member.iloc[300]).dropna()
    r = made_up.returns.iloc[100][weight.index]
    assert market.iloc[100] == pytest.approx((weight * r).sum() / weight.sum(), rel=1e-12)


def test_return_on_book_is_missing_where_book_value_is_not_positive(made_up: Panel):
    ratio = descriptors(made_up)["earnings_to_book"]
    assert ratio[["A03", "A04"]].isna().all(axis=None)
    expected = made_up.fundamentals["earnings"]["A00"] / made_up.fundamentals["book_value"]["A00"]
    np.testing.assert_array_equal(ratio["A00"], expected)


def test_recent_return_is_the_log_return_of_the_last_month(made_up: Panel):
    got = descriptors(made_up)["return_1m"]["A00"]
    close = made_up.close["A00"]
    assert got.iloc[400] == pytest.approx(np.log(close.iloc[400] / close.iloc[379]), abs=1e-12)
    assert got.iloc[:19].isna().all()


def test_turnover_is_the_mean_value_traded_by_market_cap(made_up: Panel):
    got = descriptors(made_up)["turnover_3m"]["A00"]
    value = (made_up.close["A00"] * made_up.volume["A00"]).iloc[338:401].mean()
    assert got.iloc[400] == pytest.approx(np.log(value / made_up.market_cap["A00"].iloc[400]))
    assert got.iloc[:300].isna().all()  # no caps yet


def test_turnover_of_what_never_traded_is_missing_not_minus_infinity(made_up: Panel):
    volume = made_up.volume.copy()
    volume["A01"] = 0.0
    got = descriptors(replace(made_up, volume=volume))["turnover_1m"]
    assert got["A01"].isna().all()
    assert got["A00"].iloc[-1] == descriptors(made_up)["turnover_1m"]["A00"].iloc[-1]


def test_company_with_figures_but_no_dividend_has_a_yield_of_zero(made_up: Panel):
    given = made_up.fundamentals["earnings_to_price"] * 0 + 0.03
    given["A00"] = np.nan
    panel = replace(made_up, fundamentals={**made_up.fundamentals, "dividend_yield": given})
    got = descriptors(panel)["dividend_yield"]
    assert got["A00"].iloc[350] == 0
    assert got["A01"].iloc[350] == 0.03
    assert np.isnan(got["A05"].iloc[350])  # not listed yet, so no figures
    given.iloc[:, :60] = np.nan  # most are blank: that says nothing of who pays
    assert np.isnan(descriptors(panel)["dividend_yield"]["A00"].iloc[350])


def test_retained_earnings_by_book_are_earnings_less_dividends(made_up: Panel):
    given = made_up.fundamentals["earnings_to_price"] * 0 + 0.03
    panel = replace(made_up, fundamentals={**made_up.fundamentals, "dividend_yield": given})
    got = descriptors(panel)["retained_to_book"]
    earnings, book = (made_up.fundamentals[n]["A00"] for n in ("earnings", "book_value"))
    dividends = 0.03 * made_up.market_cap["A00"]
    np.testing.assert_allclose(got["A00"][300:], ((earnings - dividends) / book)[300:], rtol=1e-12)
    assert got["A04"].isna().all()  # its book value is negative


def test_field_that_the_panel_lacks_gives_a_descriptor_without_values(made_up: Panel):
    assert "debt_to_assets" not in made_up.fundamentals
    assert descriptors(made_up)["debt_to_assets"].isna().all(axis=None)


def test_style_is_known_when_half_of_its_weight_has_values(made_up: Panel):
    given = descriptors(made_up)
    quality = next(s for s in STYLES if s.name == "Quality")
    assert quality.known_in(given)  # no accruals, yet three quarters of the weight
    nothing = given["log_cap"] * np.nan
    assert quality.known_in(given | {"gross_profitability": nothing})  # half is left
    assert not quality.known_in(given | {"earnings_to_book": nothing})


def test_faded_sum_forgets_what_is_older_than_a_year():
    x = np.zeros((600, 1))
    x[10] = 1.0
    out = described._faded_sum(x)[:, 0]
    assert out[10] == 1
    assert out[73] == pytest.approx(0.5, rel=1e-12)
    assert out[261] == pytest.approx(0.5 ** (251 / 63), rel=1e-12)
    np.testing.assert_allclose(out[262:], 0, atol=1e-15)
