from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilt.errors import DataError
from tilt.factors.evaluate import (
    MOST_DATES,
    forward_returns,
    half_life,
    ic_decay,
    ic_summary,
    information_coefficients,
    quantile_returns,
    rank_stability,
    residual_returns,
)
from tilt.factors.groups import Groups
from tilt.factors.ranking import buckets, ranks, shares

RNG = np.random.default_rng(11)
T, N = 150, 60  # more than a block of dates
SCORES = RNG.standard_normal((T, N))
RETURNS = 0.02 * RNG.standard_normal((T, N))
SCORES[3, :20] = np.nan
SCORES[5] = np.round(SCORES[5])  # ties
RETURNS[7, 10:15] = np.nan
DATES = pd.bdate_range("2020-01-01", periods=T)


def test_ranks_are_scipys_with_ties_and_gaps():
    x = np.round(RNG.standard_normal((30, 25)), 1)
    x[4, 3:9] = np.nan
    x[6] = np.nan
    for got, row in zip(ranks(x), x, strict=True):
        known = np.isfinite(row)
        np.testing.assert_array_equal(got[known], stats.rankdata(row[known]))
        assert np.isnan(got[~known]).all()


def test_ranks_of_values_that_differ_in_the_last_bit_or_only_in_their_sign_are_scipys():
    x = np.array([[1, 1 + 2**-52, 1 - 2**-53, -1, -1 - 2**-52, 0.0, -0.0, np.inf, -np.inf, 1e-310]])
    for row in (x, x[:, ::-1], np.tile(x, 40)):
        np.testing.assert_array_equal(ranks(row), stats.rankdata(row, axis=1))


@given(st.permutations(range(20)))
def test_order_of_the_assets_does_not_matter_to_ranks(order):
    x = np.random.default_rng(0).integers(0, 6, (2, 20)).astype(float)
    np.testing.assert_array_equal(ranks(x[:, order]), ranks(x)[:, order])


def test_shares_lie_evenly_around_a_half():
    got = np.sort(shares(RNG.standard_normal((1, 4))))
    np.testing.assert_allclose(got, [[0.125, 0.375, 0.625, 0.875]])


def test_buckets_are_of_equal_size_and_ordered():
    rank = ranks(RNG.standard_normal((1, 50)))
    bucket = buckets(rank, 5)
    assert np.bincount(bucket[0]).tolist() == [0, 10, 10, 10, 10, 10]
    assert bucket[0, rank[0].argmax()] == 5


def test_forward_return_is_compounded_after_the_lag():
    got = forward_returns(RETURNS, horizon=3, lag=1)
    expected = np.prod(1 + RETURNS[42:45], axis=0) - 1  # days t+2, t+3, t+4 of t = 40
    np.testing.assert_allclose(got[40], expected, atol=1e-14)
    assert np.isnan(got[-4:]).all()  # not over yet
    assert np.isfinite(got[-5]).all()
    assert np.isnan(got[3:6, 10:15]).all()  # a day of theirs is missing
    assert np.isfinite(got[6, 10])


def test_forward_return_of_more_days_than_there_are_is_missing():
    assert np.isnan(forward_returns(RETURNS, horizon=200)).all()


def test_rank_ic_is_spearmans_correlation_of_scipy():
    got = information_coefficients(SCORES, RETURNS)
    for t in (0, 3, 5, 7, MOST_DATES - 1, MOST_DATES, T - 1):
        both = np.isfinite(SCORES[t]) & np.isfinite(RETURNS[t])
        expected = stats.spearmanr(SCORES[t, both], RETURNS[t, both]).statistic
        assert got[t] == pytest.approx(expected, abs=1e-12)


def test_plain_ic_is_pearsons_correlation():
    got = information_coefficients(SCORES, RETURNS, method="pearson")
    both = np.isfinite(SCORES[7]) & np.isfinite(RETURNS[7])
    assert got[7] == pytest.approx(np.corrcoef(SCORES[7, both], RETURNS[7, both])[0, 1])


def test_ic_of_under_ten_names_or_of_equal_scores_is_missing():
    few = SCORES.copy()
    few[0, 9:] = np.nan
    few[1] = 1.0
    got = information_coefficients(few, RETURNS)
    assert np.isnan(got[:2]).all()
    assert np.isfinite(got[2])


def test_ic_of_the_past_does_not_change_when_the_future_is_deleted():
    forward = forward_returns(RETURNS, horizon=5)
    whole = information_coefficients(SCORES, forward)
    cut = information_coefficients(SCORES[:90], forward_returns(RETURNS[:90], horizon=5))
    np.testing.assert_array_equal(cut[:84], whole[:84])
    assert np.isnan(cut[84:]).all()


def plain_quantiles(scores, forward, quantiles):
    """Return bucket returns and turnovers, name by name."""
    held = []
    returns = np.full((len(scores), quantiles), np.nan)
    for t, row in enumerate(scores):
        weights = np.zeros((quantiles, scores.shape[1]))
        known = np.flatnonzero(np.isfinite(row))
        order = stats.rankdata(row[known])
        for name, place in zip(known, order, strict=True):
            bucket = int(np.ceil(quantiles * place / len(known)))
            weights[bucket - 1, name] = 1
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1)  # ties may leave one empty
        held.append(weights)
        for q in range(quantiles):
            inside = (weights[q] > 0) & np.isfinite(forward[t])
            returns[t, q] = forward[t, inside].mean() if inside.any() else np.nan
    moved = [np.abs(b - a).sum(axis=1) / 2 for a, b in pairwise(held)]
    return returns, np.mean(moved, axis=0)


def test_quantiles_are_those_of_a_loop_over_names():
    got = quantile_returns(SCORES, RETURNS, DATES, quantiles=4)
    returns, turnover = plain_quantiles(SCORES, RETURNS, 4)
    np.testing.assert_allclose(got.returns, returns, atol=1e-15)
    np.testing.assert_allclose(got.turnover, turnover, rtol=1e-12)
    np.testing.assert_allclose(got.spread, returns[:, -1] - returns[:, 0])


def test_a_history_of_many_blocks_on_every_core_is_that_of_a_loop_over_dates():
    days = 9 * MOST_DATES + 5
    scores, returns = np.round(RNG.standard_normal((2, days, 20)), 1)
    dates = pd.bdate_range("2015-01-01", periods=days)
    got = quantile_returns(scores, returns, dates, quantiles=3)
    expected, turnover = plain_quantiles(scores, returns, 3)
    np.testing.assert_allclose(got.returns, expected, atol=1e-14)
    np.testing.assert_allclose(got.turnover, turnover, rtol=1e-12)
    each = [stats.spearmanr(x, r).statistic for x, r in zip(scores, returns, strict=True)]
    np.testing.assert_allclose(information_coefficients(scores, returns), each, atol=1e-13)


def test_turnover_of_the_factor_portfolio_is_that_of_unit_gross_weights():
    got = quantile_returns(SCORES, RETURNS, DATES)
    books = SCORES - np.nanmean(SCORES, axis=1, keepdims=True)
    books = np.nan_to_num(books / np.nansum(np.abs(books), axis=1, keepdims=True))
    expected = np.abs(np.diff(books, axis=0)).sum(axis=1).mean() / 2
    assert got.factor_turnover == pytest.approx(expected, rel=1e-12)


def test_scores_that_never_change_turn_nothing_over():
    still = np.broadcast_to(SCORES[0], SCORES.shape)
    got = quantile_returns(still, RETURNS, DATES)
    np.testing.assert_allclose(got.turnover, 0, atol=1e-15)
    assert got.factor_turnover == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(got.count, 12)


def test_cap_weighted_buckets_weigh_by_cap():
    caps = np.exp(RNG.standard_normal((T, N)))
    got = quantile_returns(SCORES, RETURNS, DATES, quantiles=2, caps=caps)
    top = SCORES[0] > np.median(SCORES[0])
    expected = np.average(RETURNS[0, top], weights=caps[0, top])
    assert got.returns.iloc[0, -1] == pytest.approx(expected)


def test_more_quantiles_than_names_is_an_error():
    with pytest.raises(DataError, match="No date has 80 names with a score"):
        quantile_returns(SCORES, RETURNS, DATES, quantiles=80)


def test_planted_predictor_has_the_planted_ic_and_ordered_quantiles():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, 300))
    r = 0.05 * x + np.sqrt(1 - 0.05**2) * rng.standard_normal(x.shape)
    ic = information_coefficients(x, r, method="pearson")
    summary = ic_summary(ic, horizon=1)
    assert summary["mean_ic"] == pytest.approx(0.05, abs=3 / np.sqrt(400 * 300))
    assert summary["sd_ic"] == pytest.approx(1 / np.sqrt(300), rel=0.15)
    assert summary["t_hac"] > 10
    days = pd.bdate_range("2020-01-01", periods=400)
    order = quantile_returns(x, r, days).order
    assert order.spearman == pytest.approx(1)
    assert order.p_value < 0.05


def test_scores_without_information_have_an_ic_that_is_not_sure():
    summary = ic_summary(information_coefficients(SCORES, RETURNS), horizon=1)
    assert abs(summary["t_hac"]) < 3
    assert summary["observations"] == T


def test_icir_is_annualized_by_the_windows_of_a_year():
    ic = RNG.normal(0.02, 0.1, 200)
    summary = ic_summary(ic, horizon=21)
    assert summary["icir"] == pytest.approx(ic.mean() / ic.std(ddof=1))
    assert summary["icir_annual"] == pytest.approx(summary["icir"] * np.sqrt(12))
    assert summary["hit_rate"] == (ic > 0).mean()


def test_decay_finds_the_half_life_that_was_planted():
    rng = np.random.default_rng(5)
    days, names, keep = 900, 400, 0.5 ** (1 / 20)
    x = np.zeros((days, names))
    for t in range(1, days):  # scores that forget half in twenty days
        x[t] = keep * x[t - 1] + np.sqrt(1 - keep**2) * rng.standard_normal(names)
    r = np.zeros((days, names))
    r[1:] = 0.02 * x[:-1] + 0.05 * rng.standard_normal((days - 1, names))
    table = ic_decay(x, r, horizon=5, lag=1)
    assert table["first_day"].tolist()[:3] == [2, 7, 12]
    middle = (table["first_day"] + table["last_day"]).to_numpy() / 2
    assert half_life(middle, table["mean_ic"].to_numpy()) == pytest.approx(20, rel=0.2)


def test_half_life_needs_three_windows_of_one_sign_that_fall():
    days = np.array([5.0, 10.0, 15.0, 20.0])
    assert half_life(days, 0.1 * 0.5 ** (days / 8)) == pytest.approx(8)
    assert half_life(days, -0.1 * 0.5 ** (days / 8)) == pytest.approx(8)
    assert np.isnan(half_life(days, np.array([0.1, -0.05, 0.02, 0.01])))
    assert np.isnan(half_life(days, np.array([0.1, 0.2, 0.3, 0.4])))


def test_residual_returns_have_no_part_of_their_sector():
    labels = pd.Series([("Energy", "Tech", "Banks")[i % 3] for i in range(N)])
    groups = Groups.of(labels)
    caps = np.exp(RNG.standard_normal((T, N)))
    inside = np.ones((T, N), dtype=bool)
    got = residual_returns(RETURNS, caps, inside, groups)
    for name in groups.names:
        mine = (labels == name).to_numpy() & np.isfinite(RETURNS[7])
        assert np.average(got[7, mine], weights=np.sqrt(caps[7, mine])) == pytest.approx(0)


def test_stability_is_the_rank_correlation_with_the_scores_before():
    got = rank_stability(SCORES, days=2)
    assert np.isnan(got[:2]).all()
    expected = stats.spearmanr(SCORES[8], SCORES[10]).statistic
    assert got[10] == pytest.approx(expected)
    assert np.isnan(rank_stability(SCORES, days=500)).all()
