"""The stationary bootstrap: against closed forms, and whoever draws, in whatever company."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.bootstrap import (
    HORIZONS,
    automatic_block,
    chunks,
    draw,
    horizon_table,
    interval_table,
    measures_of,
    record_of,
    stationary_places,
    together,
)
from tilt.portfolio.performance import statistics


def noise(n, seed=1, mean=0.0004, sd=0.01):
    return pd.Series(np.random.default_rng(seed).normal(mean, sd, n))


@pytest.fixture(scope="module")
def drawn():
    """A record of independent normal returns with a benchmark, and 2,000 draws of it."""
    record = record_of(noise(1000), noise(1000, 2), per_year=252, block=1.0)
    return record, draw(record, chunks(2000, 7))


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.8])
def test_the_automatic_block_of_an_autoregression_is_that_of_its_spectrum(rho):
    """With R(k) = ρ^|k| the optimum is (2ρ / (1 - ρ²))^(2/3) n^(1/3)."""
    n = 20_000
    shocks = np.random.default_rng(3).standard_normal(n)
    x = np.empty(n)
    x[0] = shocks[0]
    for i in range(1, n):
        x[i] = rho * x[i - 1] + shocks[i]
    expected = (2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3)
    assert automatic_block(x) == pytest.approx(expected, rel=0.15)


def test_independent_returns_need_hardly_a_block_and_clustered_ones_a_long_one():
    assert automatic_block(noise(5000).to_numpy()) < 6
    rng = np.random.default_rng(4)
    calm = np.repeat(rng.choice([0.005, 0.03], 50), 40)
    clustered = pd.Series(calm * rng.standard_normal(2000))
    assert record_of(clustered, per_year=252).block > 20


def test_blocks_have_the_mean_length_asked_for_and_wrap_around():
    places = stationary_places(np.random.default_rng(0), 50, 20_000, 3, 8.0)
    jumps = (np.diff(places, axis=1) % 50 != 1).mean()
    assert jumps == pytest.approx(1 / 8 * 49 / 50, rel=0.05)
    np.testing.assert_allclose(np.bincount(places.ravel()) / places.size, 1 / 50, rtol=0.15)


def test_the_error_of_independent_returns_is_the_one_of_the_textbook(drawn):
    record, found = drawn
    table = interval_table(record, found).set_index("measure")
    r = record.returns
    years = len(r) / 252
    sharpe = table.loc["sharpe", "observed"]
    assert table.loc["sharpe", "error"] == pytest.approx(
        np.sqrt((1 + sharpe**2 / 2 / 252) / years), rel=0.1
    )
    assert table.loc["volatility", "error"] == pytest.approx(
        table.loc["volatility", "observed"] / np.sqrt(2 * len(r)), rel=0.15
    )
    assert table.loc["information_ratio", "error"] == pytest.approx(1 / np.sqrt(years), rel=0.1)
    middle = table.loc[["cagr", "volatility", "sharpe"]]
    assert (middle["p05"] < middle["observed"]).all()
    assert (middle["observed"] < middle["p95"]).all()


def test_the_probability_of_loss_is_the_one_of_a_random_walk(drawn):
    record, found = drawn
    table = horizon_table(record, found).set_index("periods")
    log = np.log1p(record.returns)

    for periods in (63, 252, 756):
        expected = norm.cdf(-np.sqrt(periods) * log.mean() / log.std())
        assert table.loc[periods, "loss"] == pytest.approx(expected, abs=0.04)
    assert list(table.index) == list(HORIZONS)
    assert table["underperformance"].between(0, 1).all()


def test_the_observed_measures_are_those_of_stats(drawn):
    record, found = drawn
    table = interval_table(record, found).set_index("measure")["observed"]
    dates = pd.bdate_range("2015-01-01", periods=len(record.returns))
    r, b = (pd.Series(x, index=dates) for x in (record.returns, record.benchmark))
    stats = statistics(r, b).set_index("measure")
    for name in ("cagr", "volatility", "sharpe", "max_drawdown", "tracking_error"):
        assert table[name] == pytest.approx(stats.loc[name, "portfolio"], rel=1e-12)
    assert table["information_ratio"] == pytest.approx(
        stats.loc["information_ratio", "portfolio"], rel=1e-12
    )
    assert table["active_return"] == pytest.approx(stats.loc["cagr", "active"], rel=1e-10)


@pytest.mark.parametrize("cut", [1, 2, 3, 8])
def test_draws_are_the_same_bits_in_whatever_number_of_parts(drawn, cut):
    record, whole = drawn
    every = chunks(2000, 7)
    edges = np.linspace(0, len(every), cut + 1).astype(int)
    parts = [draw(record, every[a:b]) for a, b in pairwise(edges)]
    for name in ("measures", "wealth", "active"):
        np.testing.assert_array_equal(getattr(together(parts), name), getattr(whole, name))


def test_more_draws_begin_with_the_same_ones_and_another_seed_gives_others(drawn):
    record, whole = drawn
    np.testing.assert_array_equal(draw(record, chunks(500, 7)).measures, whole.measures[:500])
    assert not np.array_equal(draw(record, chunks(500, 8)).measures, whole.measures[:500])


def test_without_a_benchmark_there_is_nothing_relative():
    record = record_of(noise(300), per_year=252)
    found = draw(record, chunks(100, 0))
    assert "tracking_error" not in interval_table(record, found)["measure"].to_list()
    assert horizon_table(record, found)["underperformance"].isna().all()


def test_a_ruined_path_has_lost_everything_and_no_more():
    values = measures_of(np.array([[0.1, -1.0, 0.5]]), None, 0.0, 252)
    assert (values["cagr"][0], values["max_drawdown"][0]) == (-1.0, -1.0)


def test_what_cannot_be_drawn_from_is_refused():
    with pytest.raises(DataError, match="59 returns are too few"):
        record_of(noise(59), per_year=252)
    with pytest.raises(DataError, match="do not vary"):
        record_of(pd.Series(np.zeros(100)), per_year=252)
    with pytest.raises(DataError, match="A return is missing"):
        record_of(noise(100).where(lambda x: x.index != 5), per_year=252)
    with pytest.raises(DataError, match="not of one window"):
        record_of(noise(100), noise(99), per_year=252)
    with pytest.raises(ArgumentError, match="block must be from 1 to 33"):
        record_of(noise(100), per_year=252, block=50)
    with pytest.raises(ArgumentError, match="draws must be a whole number from 100 to 100,000"):
        chunks(99, 0)
