"""Inference on Sharpe ratios: published examples, closed forms, and brute force."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.honesty import (
    Trials,
    expected_best,
    honest_table,
    least_track_record,
    overfitting_probability,
    probabilistic_sharpe,
    purged_folds,
    purged_paths,
    sharpe_error,
    sharpe_ratio,
)
from tilt.portfolio.measures import psr

YEAR = 250


def noise(seed=0, n=800, trials=20, mean=0.0):
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2018-01-01", periods=n)
    return pd.DataFrame(mean + 0.01 * rng.standard_normal((n, trials)), days)


def test_the_published_example_of_the_deflated_sharpe_ratio():
    """Bailey, Lopez de Prado (2014), section "A numerical example"."""
    variance, sr = 0.5 / YEAR, 2.5 / np.sqrt(YEAR)
    assert expected_best(variance, 100) == pytest.approx(0.1132, abs=5e-5)
    dsr = probabilistic_sharpe(sr, 1250, -3.0, 7.0, expected_best(variance, 100))
    assert dsr == pytest.approx(0.9004, abs=5e-5)
    fewer = probabilistic_sharpe(sr, 1250, -3.0, 7.0, expected_best(variance, 46))
    assert fewer == pytest.approx(0.9505, abs=5e-5)
    normal = probabilistic_sharpe(sr, 1250, 0.0, 0.0, expected_best(variance, 88))
    assert normal == pytest.approx(0.9505, abs=5e-5)


def test_without_a_threshold_it_is_the_psr_of_the_statistics():
    r = noise(mean=0.001)[0].to_numpy()
    e = r - r.mean()
    tails = np.mean(e**3) / np.mean(e**2) ** 1.5, np.mean(e**4) / np.mean(e**2) ** 2 - 3
    assert probabilistic_sharpe(sharpe_ratio(r), len(r), *tails, 0.0) == pytest.approx(psr(r, 0.0))


def test_the_least_track_record_is_where_the_probability_is_reached():
    n = least_track_record(0.08, -0.5, 3.0)
    spread = 1 + 0.5 * 0.08 + 5.0 / 4.0 * 0.08**2
    assert 0.08 * np.sqrt(n - 1) / np.sqrt(spread) == pytest.approx(1.6448536)
    assert np.isnan(least_track_record(-0.1, 0.0, 0.0))


def test_the_error_of_independent_normal_returns_is_los_closed_form():
    r = noise(n=200_000, mean=0.002)[0].to_numpy()
    sr = sharpe_ratio(r)
    expected = np.sqrt((1 + sr**2 / 2) / len(r))
    assert sharpe_error(r) == pytest.approx(expected, rel=0.03)


def test_returns_that_trend_have_a_larger_error():
    shocks = noise(n=5000)[0].to_numpy()
    trending = np.convolve(shocks, np.ones(5) / 5, mode="valid")
    assert sharpe_error(trending) > 1.5 * sharpe_error(shocks)


def test_overfitting_by_brute_force():
    x = noise(3, n=64, trials=5)
    found = overfitting_probability(x, blocks=4)
    parts = np.split(x.to_numpy(), 4)
    logits = []
    for chosen in combinations(range(4), 2):
        train = np.vstack([parts[i] for i in chosen])
        test = np.vstack([parts[i] for i in range(4) if i not in chosen])
        best = np.argmax(train.mean(axis=0) / train.std(axis=0))
        rank = rankdata(test.mean(axis=0) / test.std(axis=0))[best] / 6
        logits.append(np.log(rank / (1 - rank)))
    np.testing.assert_allclose(found.logits, logits, atol=1e-10)
    assert found.probability == np.mean(np.array(logits) <= 0)


def test_sixteen_blocks_are_halved_in_every_way():
    assert len(overfitting_probability(noise(trials=3)).logits) == 12_870


def test_a_trial_with_skill_is_not_overfit_and_noise_is_a_coin():
    skilled = noise(1)
    skilled[0] += 0.01
    assert overfitting_probability(skilled).probability == 0.0
    coins = [overfitting_probability(noise(s, trials=10), blocks=8).probability for s in range(20)]
    assert 0.35 < np.mean(coins) < 0.65


def test_scaling_a_trial_changes_nothing():
    x = noise(5)
    again = overfitting_probability(x * np.linspace(0.5, 3.0, 20), blocks=8)
    np.testing.assert_allclose(again.logits, overfitting_probability(x, blocks=8).logits)


@settings(max_examples=30)
@given(
    n=st.integers(60, 200), tested=st.integers(1, 3),
    horizon=st.integers(0, 10), embargo=st.integers(0, 10),
)  # fmt: skip
def test_training_never_touches_what_is_tested(n, tested, horizon, embargo):
    covered = np.zeros(n, dtype=int)
    for train, test, chosen in purged_folds(
        n, groups=6, tested=tested, horizon=horizon, embargo=embargo
    ):
        assert len(chosen) == tested
        covered[test] += 1
        for row in test:
            apart = row - train
            assert not ((apart >= 0) & (apart <= horizon)).any()  # its outcome would reach the test
            assert not ((apart < 0) & (-apart <= embargo) & ~np.isin(row + 1, test)).any()
    assert len(set(covered)) == 1  # every period is tested equally often


def test_paths_are_whole_and_of_the_trial_chosen_elsewhere():
    x = noise(2, n=120, trials=4)
    paths = purged_paths(x, groups=4, tested=2, horizon=0, embargo=0)
    assert paths.shape == (120, 3)
    assert paths.notna().all(axis=None)
    first = next(iter(purged_folds(120, groups=4, tested=2)))
    train = x.to_numpy()[first[0]]
    best = np.argmax(train.mean(axis=0) / train.std(axis=0))
    np.testing.assert_array_equal(paths["path 1"].iloc[:30], x.iloc[:30, best])


def test_more_trials_deflate_and_the_table_says_so():
    r = noise(mean=0.0008)[0]
    few, many = (
        honest_table(r, Trials(count, (0.01, 0.05, 0.09)), per_year=252).set_index("measure")[
            "value"
        ]
        for count in (3, 300)
    )
    assert many["deflated_sharpe"] < few["deflated_sharpe"] < few["psr"]
    assert few["trial_sharpe_sd"] == pytest.approx(np.sqrt(252) * 0.04)
    alone = honest_table(r, Trials(), per_year=252).set_index("measure")["value"]
    assert alone["deflated_sharpe"] == pytest.approx(alone["psr"])
    assert np.isnan(alone["pbo"])


def test_trials_over_one_window_have_a_probability_of_overfitting():
    x = noise(4, trials=6)
    table = honest_table(x[0], Trials(6, returns=x), per_year=252).set_index("measure")["value"]
    assert table["pbo"] == overfitting_probability(x).probability
    assert table["cv_worst"] <= table["cv_sharpe"]


def test_too_few_returns_have_no_inference():
    table = honest_table(noise(n=10)[0], Trials(5), per_year=252).set_index("measure")["value"]
    assert table[["sharpe_error", "psr", "deflated_sharpe", "expected_best"]].isna().all()


def test_what_does_not_fit_is_said():
    x = noise(n=100, trials=3)
    with pytest.raises(ArgumentError, match="even number from 2 to 18; got 5"):
        overfitting_probability(x, blocks=5)
    with pytest.raises(DataError, match="two trials or more"):
        overfitting_probability(x[[0]])
    with pytest.raises(DataError, match="too few for 16 blocks"):
        overfitting_probability(x.iloc[:40])
    with pytest.raises(DataError, match="misses a return"):
        overfitting_probability(x.mask(x == x.iloc[3, 1]))
    with pytest.raises(ArgumentError, match="tested groups must be from 1 to 5"):
        list(purged_folds(100, tested=6))
