from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tilt.errors import UnknownNameError
from tilt.factors import build, gait
from tilt.factors.descriptors import descriptors
from tilt.factors.shape import COLUMNS, factor_shape

RNG = np.random.default_rng(21)
DAYS = 500
R = RNG.standard_t(5, DAYS) * 0.01
MARKET = RNG.normal(0, 0.01, DAYS)
KIN = np.column_stack([R, 0.6 * R + 0.008 * RNG.standard_normal(DAYS), RNG.standard_normal(DAYS)])


@pytest.fixture(scope="module")
def body():
    forecast = np.full(DAYS, R.std())
    return gait.measure(KIN, 0, RNG.normal(0, 2, DAYS), MARKET, forecast)


def test_measures_of_returns_agree_with_scipy_and_pandas(body):
    assert body["height"] == pytest.approx(R.std(ddof=1) * np.sqrt(252))
    assert body["vigor"] == pytest.approx(R.mean() / R.std(ddof=1) * np.sqrt(252))
    assert body["posture"] == pytest.approx(stats.skew(R, bias=False))
    assert body["pulse"] == pytest.approx(pd.Series(R).autocorr())
    half = stats.ttest_ind(R[:250], R[250:], equal_var=False).statistic
    assert body["drift"] == pytest.approx(half)
    up = MARKET > 0
    assert body["temperament_up"] == pytest.approx(stats.linregress(MARKET[up], R[up]).slope)
    assert body["kinship"] == pytest.approx(abs(np.corrcoef(KIN[:, 0], KIN[:, 1])[0, 1]))
    assert body["health"] == pytest.approx(1, abs=0.01)
    assert set(body) == set(gait.MEANINGS)


def test_tail_of_a_normal_sample_is_about_two_deviations():
    r = np.random.default_rng(0).standard_normal(200_000)
    assert gait.tail(r) == pytest.approx(gait.NORMAL_TAIL, abs=0.02)


def test_tail_takes_the_last_observation_in_part():
    assert gait.tail(np.arange(-30.0, 0.0)) == pytest.approx((30 + 0.5 * 29) / 1.5)


def test_variance_ratio_is_one_for_chance_and_above_for_a_trend():
    rng = np.random.default_rng(1)
    chance = rng.standard_normal(20_000)
    trend = np.convolve(chance, np.ones(10), "valid")
    assert gait.variance_ratio(chance, 21) == pytest.approx(1, abs=0.15)
    assert gait.variance_ratio(trend, 21) > 5
    assert np.isnan(gait.variance_ratio(chance[:40], 21))


def test_time_under_water_counts_days_below_the_peak():
    assert gait.under_water(np.array([0.1, -0.1, 0.05, 0.2, -0.01])) == 2
    assert gait.under_water(np.array([0.1, 0.1])) == 0


def test_forecast_knows_only_the_days_before():
    x = RNG.normal(0, 0.01, (200, 2))
    whole = gait.forecasts(x)
    np.testing.assert_array_equal(gait.forecasts(x[:150]), whole[:150])
    assert np.isnan(whole[:63]).all()
    weight = 0.5 ** (np.arange(100)[::-1] / 84)
    assert whole[100, 0] == pytest.approx(np.sqrt(np.average(x[:100, 0] ** 2, weights=weight)))


def test_factor_of_few_or_no_returns_has_no_measure():
    nothing = np.full((300, 1), np.nan)
    zero = gait.measure(nothing, 0, nothing[:, 0], MARKET[:300], nothing[:, 0])
    assert all(np.isnan(v) for v in zero.values())
    flat = gait.measure(0 * nothing + 0.0, 0, nothing[:, 0], MARKET[:300], nothing[:, 0])
    assert np.isnan(flat["height"])


def test_measures_of_a_portfolio_follow_their_definitions():
    w = np.array([[0.5, 0.5, -0.25, -0.75], [0, 0, 0, 0]])
    before = np.array([[0.5, 0.5, 0, -1.0], [0, 0, 0, 0]])
    got = build.of_portfolios(w, before)
    assert got["girth"][0] == 2
    assert got["breadth_long"][0] == pytest.approx(2)
    assert got["breadth_short"][0] == pytest.approx(1 / (0.0625 + 0.5625))
    assert got["concentration"][0] == 1
    assert got["metabolism"][0] == pytest.approx(0.5 / 2 / 2)
    assert got["metabolism_cost"][0] == pytest.approx(12 * 0.5 * 0.001)
    assert all(np.isnan(values[1]) for values in got.values())
    assert np.isnan(build.of_portfolios(w, None)["metabolism"]).all()


def test_long_leg_and_short_leg_share_mean_and_variance():
    long, short = RNG.normal([0.002, 0.001], 0.01, (300, 2)).T
    whole = long + short
    mean, variance = build.long_leg(long[:, None], whole[:, None])[0]
    other = build.long_leg(short[:, None], whole[:, None])[0]
    assert (mean + other[0], variance + other[1]) == pytest.approx((1, 1))
    assert mean == pytest.approx(long.mean() / whole.mean())
    assert variance == pytest.approx(stats.linregress(whole, long).slope)
    assert np.isnan(build.long_leg(long[:100, None], whole[:100, None])).all()


@pytest.fixture(scope="module")
def described(panel):
    return descriptors(panel)


@pytest.fixture(scope="module")
def value(panel, described):
    return factor_shape(panel, described, "Value", pd.Timestamp("2015-06-30"))


def test_shape_of_a_style_has_every_measure_with_its_meaning(value):
    assert list(value.columns) == list(COLUMNS)
    assert {
        "height", "girth", "balance", "metabolism_cost", "memory", "eyesight", "crowding", "health",
    } <= set(value["measure"])  # fmt: skip
    assert value["value"].notna().all()
    assert value["percentile"].between(0, 1).all()
    assert value["rank"].between(1, 14).all()
    assert value["meaning"].str.len().gt(10).all()


def test_height_is_the_volatility_of_the_year_to_the_date(panel, value):
    r = panel.factors.returns["Value"].loc[:"2015-06-30"]
    shown = value.set_index("measure")
    assert shown.loc["height", "value"] == pytest.approx(r.tail(252).std() * np.sqrt(252))
    assert shown.loc["height", "three_year"] == pytest.approx(r.tail(756).std() * np.sqrt(252))


def test_shape_does_not_change_when_the_future_is_deleted(panel, described, value):
    date = pd.Timestamp("2015-06-30")
    cut = {name: frame.loc[:date] for name, frame in described.items()}
    again = factor_shape(panel.until(date), cut, "Value", date)
    pd.testing.assert_frame_equal(again, value, check_exact=True)


def test_sector_has_the_measures_of_its_returns_alone(panel, described):
    shown = factor_shape(panel, described, "Energy", pd.Timestamp("2015-06-30"))
    assert set(shown["measure"]) == set(gait.MEANINGS)
    assert shown["rank"].max() <= 11


def test_shape_needs_a_year_of_returns(panel, described):
    with pytest.raises(UnknownNameError, match="needs 252 days of returns; there are"):
        factor_shape(panel, described, "Value", pd.Timestamp("2013-06-28"))


def test_specific_returns_that_move_together_are_a_crowd(panel):
    history = panel.factors
    row, style = len(history.dates) - 1, history.style_names.index("Momentum")
    member = panel.member.iloc[-1].to_numpy()
    scores = np.where(member, history.styles[row, :, style], np.nan)
    top = scores >= np.nanquantile(scores, 0.8)
    u = history.specific_returns.to_numpy().copy()
    shared = np.random.default_rng(0).normal(0, 0.02, len(u))
    u[:, top] += shared[:, None]
    crowded = replace(
        history,
        specific_returns=pd.DataFrame(u, history.dates, history.assets),
    )
    scores = build.Scores.of(panel, history, np.array([row]), style)

    def crowding(told):
        return build.Crowd.of_date(told, row).of(scores.fifth[0] == 5)

    assert crowding(crowded) > crowding(history) + 0.2
