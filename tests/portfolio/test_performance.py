"""Each measure against its closed form, a hand calculation or a second implementation."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilt.errors import ArgumentError, DataError, UnknownNameError, ZeroDenominatorError
from tilt.portfolio.measures import newey_west_lags
from tilt.portfolio.performance import (
    MEASURES,
    drawdowns,
    monthly_table,
    statistic,
    statistics,
    to_frequency,
    wealth,
)


def daily(values, start="2015-01-02"):
    return pd.Series(values, index=pd.bdate_range(start, periods=len(values)), dtype=float)


def monthly(values):
    return pd.Series(
        values, index=pd.date_range("2015-01-31", periods=len(values), freq="ME"), dtype=float
    )


RNG = np.random.default_rng(7)
BENCHMARK = daily(RNG.normal(0.0004, 0.01, 600))
RETURNS = daily(0.9 * BENCHMARK.to_numpy() + RNG.normal(0.0001, 0.004, 600))
A = 252
TWELVE = monthly([0.02, -0.01, 0.03, 0.0, -0.04, 0.01, 0.02, 0.05, -0.02, 0.01, -0.03, 0.04])
AGAINST = monthly([0.01, -0.02, 0.02, 0.01, -0.03, 0.0, 0.01, 0.04, -0.01, 0.02, -0.02, 0.03])


def column(returns, benchmark=None, which="portfolio", **options):
    return statistics(returns, benchmark, **options).set_index("measure")[which]


def test_the_table_has_every_measure_and_every_measure_a_description():
    table = statistics(RETURNS, BENCHMARK)
    assert list(table.columns) == ["measure", "portfolio", "benchmark", "active"]
    assert table["measure"].to_list() == list(MEASURES)
    assert all(MEASURES.values())
    assert table["portfolio"].notna().all()


def test_cagr_compounds_and_annualizes_by_the_number_of_periods():
    r = daily([0.001] * 504)
    assert statistic("cagr", r) == pytest.approx(1.001**252 - 1, rel=1e-12)
    assert statistic("total_return", r) == pytest.approx(1.001**504 - 1, rel=1e-12)
    assert statistic("cagr", TWELVE, frequency="M") == pytest.approx(
        statistic("total_return", TWELVE, frequency="M"), rel=1e-12
    )


def test_mean_and_volatility_are_arithmetic_with_n_minus_one():
    hand = sum(TWELVE) / 12
    sd = (sum((x - hand) ** 2 for x in TWELVE) / 11) ** 0.5
    assert statistic("mean", TWELVE, frequency="M") == pytest.approx(12 * hand, rel=1e-12)
    assert statistic("volatility", TWELVE, frequency="M") == pytest.approx(12**0.5 * sd)
    assert statistic("volatility_period", TWELVE, frequency="M") == pytest.approx(sd)


def test_sharpe_takes_the_compounded_riskless_rate_per_period():
    rf = 1.05 ** (1 / 252) - 1
    excess = RETURNS - rf
    expected = 252**0.5 * excess.mean() / excess.std(ddof=1)
    assert statistic("sharpe", RETURNS, risk_free=0.05) == pytest.approx(expected, rel=1e-12)


def test_sortino_divides_by_the_shortfall_over_all_periods():
    mar = 1.03 ** (1 / 12) - 1
    shortfall = (sum(min(x - mar, 0) ** 2 for x in TWELVE) / 12) ** 0.5
    expected = 12**0.5 * (TWELVE.mean() - mar) / shortfall
    assert statistic("sortino", TWELVE, frequency="M", mar=0.03) == pytest.approx(expected)


def test_the_hac_t_value_is_that_of_statsmodels():
    lags = newey_west_lags(600)
    assert lags == 5
    fit = sm.OLS(RETURNS.to_numpy(), np.ones(600)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    assert statistic("sharpe_t_hac", RETURNS) == pytest.approx(fit.tvalues[0], rel=1e-10)


def test_psr_follows_bailey_and_lopez_de_prado():
    s = RETURNS.mean() / RETURNS.std(ddof=1)
    g3, g4 = stats.skew(RETURNS), stats.kurtosis(RETURNS, fisher=False)
    z = s * np.sqrt(599) / np.sqrt(1 - g3 * s + (g4 - 1) / 4 * s**2)
    assert statistic("psr", RETURNS) == pytest.approx(stats.norm.cdf(z), rel=1e-12)


def test_moments_are_those_of_the_population():
    assert statistic("skew", RETURNS) == pytest.approx(stats.skew(RETURNS), rel=1e-10)
    assert statistic("kurtosis", RETURNS) == pytest.approx(stats.kurtosis(RETURNS), rel=1e-10)


def test_drawdown_counts_a_fall_from_the_first_return():
    r = monthly([-0.5, 1.0, -0.1, 0.0, 0.05] + [0.01] * 7)
    assert statistic("max_drawdown", r, frequency="M") == pytest.approx(-0.5)


def test_calmar_is_cagr_over_the_deepest_fall():
    value = statistic("calmar", TWELVE, frequency="M")
    cagr = statistic("cagr", TWELVE, frequency="M")
    assert value == pytest.approx(-cagr / statistic("max_drawdown", TWELVE, frequency="M"))


def test_var_is_an_observed_loss_and_cvar_counts_the_last_one_in_part():
    losses = np.arange(1, 31) / 100  # 5 % of 30 is one and a half observations
    r = daily(-losses)
    assert statistic("var95", r) == pytest.approx(0.29)
    assert statistic("cvar95", r) == pytest.approx((0.30 + 0.5 * 0.29) / 1.5)


def test_var_at_a_whole_number_of_observations_is_the_lower_quantile():
    r = daily(-np.arange(1, 101) / 1000)
    assert statistic("var95", r) == pytest.approx(0.095)
    assert statistic("cvar95", r) == pytest.approx(np.mean([0.096, 0.097, 0.098, 0.099, 0.1]))


def test_rounding_does_not_move_the_quantile():
    assert 0.55 * 100 > 55
    r = daily(-np.arange(1, 101) / 1000)
    assert statistic("var95", r, confidence=0.55) == pytest.approx(0.055)


def test_the_rows_of_var_are_named_by_the_confidence():
    names = statistics(RETURNS, confidence=0.99)["measure"].to_list()
    assert {"var99", "cvar99"} <= set(names)
    assert "var95" not in names


def test_tracking_error_is_a_deviation_and_not_a_root_mean_square():
    r = BENCHMARK + 0.001
    assert statistic("tracking_error", r + daily([0.001, -0.001] * 300), BENCHMARK) == (
        pytest.approx(252**0.5 * np.std([0.001, -0.001] * 300, ddof=1))
    )
    with pytest.raises(ZeroDenominatorError, match="information_ratio divides by zero"):
        statistic("information_ratio", daily([0.002, 0.0] * 150), daily([0.001, -0.001] * 150))


def test_beta_alpha_and_correlation_are_those_of_a_regression():
    rf = 1.02 ** (1 / 252) - 1
    fit = sm.OLS((RETURNS - rf).to_numpy(), sm.add_constant((BENCHMARK - rf).to_numpy())).fit()
    of = column(RETURNS, BENCHMARK, risk_free=0.02)
    assert of["beta"] == pytest.approx(fit.params[1], rel=1e-10)
    assert of["alpha"] == pytest.approx(252 * fit.params[0], rel=1e-8)
    assert of["correlation"] == pytest.approx(np.corrcoef(RETURNS, BENCHMARK)[0, 1], rel=1e-10)


def test_information_ratio_divides_the_annual_active_mean_by_tracking_error():
    active = TWELVE - AGAINST
    expected = 12 * active.mean() / (12**0.5 * active.std(ddof=1))
    assert statistic("information_ratio", TWELVE, AGAINST, frequency="M") == pytest.approx(expected)


def test_capture_compounds_over_the_months_the_benchmark_rose():
    up = AGAINST > 0
    own = (1 + TWELVE[up]).prod() ** (12 / up.sum()) - 1
    market = (1 + AGAINST[up]).prod() ** (12 / up.sum()) - 1
    value = statistic("up_capture", TWELVE, AGAINST, frequency="M")
    assert value == pytest.approx(own / market, rel=1e-12)


def test_a_portfolio_equal_to_its_benchmark_captures_all_of_it():
    of = column(BENCHMARK, BENCHMARK)
    assert of["beta"] == pytest.approx(1)
    assert of["alpha"] == pytest.approx(0, abs=1e-15)
    assert of["tracking_error"] == 0
    assert of["up_capture"] == pytest.approx(1)
    assert of["down_capture"] == pytest.approx(1)
    assert np.isnan(of["information_ratio"])


def test_active_is_the_difference_of_returns_and_the_active_hit_rate():
    table = statistics(RETURNS, BENCHMARK).set_index("measure")
    difference = table.loc["cagr", "portfolio"] - table.loc["cagr", "benchmark"]
    assert table.loc["cagr", "active"] == pytest.approx(difference)
    assert table.loc["hit_rate", "active"] == pytest.approx((RETURNS > BENCHMARK).mean())
    assert np.isnan(table.loc["skew", "active"])


def test_without_a_benchmark_relative_measures_are_missing():
    of = column(RETURNS)
    assert of[["tracking_error", "beta", "up_capture"]].isna().all()
    with pytest.raises(ArgumentError, match="tracking_error needs a benchmark"):
        statistic("tracking_error", RETURNS)


def test_nothing_is_annualized_below_one_year_and_the_cell_says_so():
    table = statistics(RETURNS.iloc[:120], BENCHMARK.iloc[:120])
    of = table.set_index("measure")["portfolio"]
    assert of[["cagr", "mean", "volatility", "sharpe", "tracking_error", "alpha"]].isna().all()
    assert of[["total_return", "max_drawdown", "var95", "beta"]].notna().all()
    assert "120 returns are less than a year (250): nothing is annualized." in table.attrs["notes"]
    with pytest.raises(
        UnknownNameError, match=r"cagr needs a year of returns .250.; there are 120"
    ):
        statistic("cagr", RETURNS.iloc[:120])


def test_the_shortest_trading_year_is_a_year():
    assert np.isfinite(statistic("cagr", RETURNS.iloc[:250]))
    with pytest.raises(UnknownNameError):
        statistic("cagr", RETURNS.iloc[:249])


def test_below_twenty_observations_there_is_no_t_value():
    assert np.isnan(column(RETURNS.iloc[:19])["sharpe_t_hac"])
    assert np.isfinite(column(RETURNS.iloc[:20])["sharpe_t_hac"])
    with pytest.raises(UnknownNameError, match="sharpe_t_hac needs 20 returns; there are 19"):
        statistic("sharpe_t_hac", RETURNS.iloc[:19])


@pytest.mark.parametrize("measure", ["sharpe", "sortino", "calmar", "skew"])
def test_a_ratio_with_nothing_below_is_an_error_alone_and_missing_in_a_table(measure):
    flat = daily([0.001] * 300)
    with pytest.raises(ZeroDenominatorError, match=f"{measure} divides by zero"):
        statistic(measure, flat)
    assert np.isnan(column(flat)[measure])


def test_a_misspelt_measure_names_the_nearest():
    with pytest.raises(ArgumentError, match=r"got 'sharp'\. Did you mean 'sharpe'\?"):
        statistic("sharp", RETURNS)


def test_the_common_window_is_used_and_stated():
    table = statistics(RETURNS.iloc[:500], BENCHMARK.iloc[100:])
    assert table.set_index("measure").loc["observations", "portfolio"] == 400
    assert "The common window is used: 400 of 500 returns" in table.attrs["notes"][0]


def test_series_without_a_common_date_are_an_error():
    with pytest.raises(DataError, match="share no date"):
        statistics(RETURNS.iloc[:50], BENCHMARK.iloc[50:])


def test_a_gap_is_an_error_that_names_the_date():
    holed = RETURNS.copy()
    holed.iloc[10] = np.nan
    with pytest.raises(DataError, match="returns has no value on 2015-01-16"):
        statistics(holed)


def test_blanks_at_the_ends_are_cut_with_a_note():
    padded = RETURNS.copy()
    padded.iloc[:5] = np.nan
    table = statistics(padded)
    assert table.attrs["notes"] == ("5 blank returns at the ends are left out.",)


def test_a_date_given_twice_is_an_error():
    twice = pd.concat([RETURNS.iloc[:3], RETURNS.iloc[2:5]])
    with pytest.raises(DataError, match="returns has 2015-01-06 twice"):
        statistics(twice)


def test_per_cent_returns_are_noticed():
    with pytest.raises(DataError, match=r"a loss above 100 %"):
        statistics(100 * RETURNS)


def test_months_compound_to_the_whole():
    table = monthly_table(RETURNS)
    assert list(table.columns[:3]) == ["year", "jan", "feb"]
    assert (1 + table["total"]).prod() == pytest.approx((1 + RETURNS).prod(), rel=1e-12)
    january = RETURNS.loc["2016-01"]
    cell = table.set_index("year").loc[2016, "jan"]
    assert cell == pytest.approx((1 + january).prod() - 1, rel=1e-12)
    assert np.isnan(table.set_index("year").loc[2017, "dec"])


@pytest.mark.parametrize("frequency", ["W", "M", "Q", "Y"])
def test_a_lower_frequency_keeps_the_wealth(frequency):
    slow = to_frequency(RETURNS, frequency)
    assert len(slow) < len(RETURNS)
    assert (1 + slow).prod() == pytest.approx((1 + RETURNS).prod(), rel=1e-12)


def test_drawdowns_by_hand():
    r = daily([0.10, -0.10, -0.10, 0.30, -0.20, 0.0])
    table = drawdowns(r)
    dates = r.index
    assert table["depth"].to_list() == pytest.approx([-0.20, -0.19])
    assert table["peak"].to_list() == [dates[3], dates[0]]
    assert table["trough"].to_list() == [dates[4], dates[2]]
    assert pd.isna(table["recovery"][0])
    assert table["recovery"][1] == dates[3]
    assert table["days_down"].to_list() == [1, 4]  # over a weekend
    assert np.isnan(table["days_to_recover"][0])
    assert table["days_to_recover"][1] == 1
    assert len(drawdowns(r, 1)) == 1


def test_a_series_that_never_falls_has_no_drawdown():
    assert drawdowns(daily([0.01] * 5)).empty


returns_lists = st.lists(st.floats(-0.2, 0.2), min_size=25, max_size=80)


@given(returns_lists)
def test_the_deepest_drawdown_of_the_table_is_the_measure(values):
    r = daily(values)
    deepest = statistics(r).set_index("measure").loc["max_drawdown", "portfolio"]
    table = drawdowns(r)
    assert deepest == pytest.approx(table["depth"].min() if len(table) else 0.0, abs=1e-15)


@given(returns_lists, st.floats(0.5, 0.99))
def test_cvar_is_never_below_var_nor_above_the_worst_loss(values, confidence):
    of = statistics(daily(values), confidence=confidence)["portfolio"].to_numpy()
    names = list(MEASURES)
    var, cvar, worst = (of[names.index(n)] for n in ("var95", "cvar95", "worst"))
    assert var <= cvar + 1e-12
    assert cvar <= -worst + 1e-9


@given(returns_lists)
def test_wealth_starts_at_one_and_compounds(values):
    level = wealth(daily(values))
    assert level.iloc[0] == pytest.approx(1 + values[0])
    assert level.iloc[-1] == pytest.approx(np.prod(1 + np.array(values)))
