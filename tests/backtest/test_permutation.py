"""Random books beside a strategy: the same weights, and only the ranking is gone."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.permutation import JUDGED, _permuted, deal, dealt_by, permutation_table
from tilt.backtest.run import backtest
from tilt.backtest.strategy import DatedWeights, EqualWeight
from tilt.portfolio.bootstrap import chunks


@pytest.fixture(scope="module")
def panel(build):
    returns = np.random.default_rng(5).normal(0.0, 0.02, (90, 12))
    member = np.ones((90, 12), dtype=bool)
    member[:, 11] = False  # its prices are known, and it may not be held
    return build(returns, member=member)


def seer(panel, *, knows):
    """Hold the three names that will do best in the next week, or three at random."""
    rng = np.random.default_rng(6)
    rows = {}
    for day in range(5, 85, 5):
        ahead = panel.returns.iloc[day + 1 : day + 6, :11].sum()
        chosen = ahead.nlargest(3).index if knows else rng.permutation(panel.assets[:11])[:3]
        rows[panel.dates[day]] = pd.Series(1 / 3, index=chosen)
    held = pd.DataFrame(rows).T.reindex(columns=panel.assets).fillna(0.0)
    return backtest(panel, DatedWeights(held), start=panel.dates[6], benchmark="none", lag=0)


def test_who_knows_beats_every_random_book_and_who_does_not_is_one_of_them(panel):
    p = {}
    for knows in (True, False):
        dealt = dealt_by(seer(panel, knows=knows), panel)
        drawn = deal(panel, dealt, chunks(100, 0, size=10))
        p[knows] = permutation_table(panel, dealt, drawn).set_index("measure")["p_value"]
    assert p[True]["sharpe"] == pytest.approx(1 / 101)
    assert p[False]["sharpe"] > 0.05


def test_a_random_book_has_the_weights_of_the_strategy_on_names_it_could_hold(panel):
    dealt = dealt_by(seer(panel, knows=True), panel)
    targets = _permuted(np.random.default_rng(0), dealt)
    np.testing.assert_array_equal(np.sort(targets, axis=1), np.sort(dealt.targets, axis=1))
    assert not np.array_equal(targets, dealt.targets)
    assert not targets[:, 11].any()


def test_without_a_ranking_there_is_nothing_to_lose(panel):
    result = backtest(panel, EqualWeight(), start=panel.dates[5], benchmark="none")
    dealt = dealt_by(result, panel)
    table = permutation_table(panel, dealt, deal(panel, dealt, chunks(100, 0, size=50)))
    assert table["p_value"].tolist() == [1.0, 1.0, 1.0]  # no benchmark, so no information ratio
    np.testing.assert_allclose(table["p05"], table["observed"], rtol=1e-12)


def test_books_are_the_same_bits_in_whatever_number_of_parts(panel):
    dealt = dealt_by(seer(panel, knows=True), panel)
    every = chunks(100, 3, size=10)
    whole = deal(panel, dealt, every)
    assert whole.shape == (100, len(JUDGED))
    parts = np.concatenate([deal(panel, dealt, every[:3]), deal(panel, dealt, every[3:])])
    np.testing.assert_array_equal(parts, whole)
