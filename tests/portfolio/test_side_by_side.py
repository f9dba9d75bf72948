"""Several books side by side: each column is that book's own figures over the days all share."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.performance import statistics
from tilt.portfolio.side_by_side import candidate, side_by_side, turnover_of
from tilt.portfolio.track import Track, in_cash

DAYS = pd.bdate_range("2019-01-02", periods=300)
ASSETS = ["A", "B", "C"]


def track(seed, days=DAYS, cost=0.0, cash=0.1):
    """Weights drawn anew each day, so that every day trades."""
    rng = np.random.default_rng(seed)
    weights = pd.DataFrame(rng.dirichlet(np.ones(3), len(days)) * (1 - cash), days, ASSETS)
    returns = pd.DataFrame(rng.normal(0.0004, 0.01, (len(days), 3)), days, ASSETS)
    return Track(weights, returns, (weights * returns).sum(axis=1) - cost)


BASE = track(0)


def test_each_column_has_the_statistics_of_its_book_and_what_it_took():
    books = [candidate("mine", track(1, cost=0.0001)), candidate("yours", track(2))]
    table = side_by_side(books, BASE, risk_free=0.01).performance.set_index("name")
    assert list(table) == ["mine", "yours", "benchmark"]
    for book in books:
        own = statistics(book.track.earned, BASE.earned, risk_free=0.01)
        expected = own.set_index("measure")["portfolio"]
        np.testing.assert_allclose(table.loc[expected.index, book.name], expected, rtol=1e-12)
        beyond = np.prod(1 + book.track.earned) - np.prod(1 + BASE.earned)
        assert table.loc["active_return", book.name] == pytest.approx(beyond, abs=1e-15)
    assert table.loc["cost_total", "mine"] == pytest.approx(300 * 0.0001, rel=1e-9)
    assert table.loc["cost_per_year", "mine"] == pytest.approx(252 * 0.0001, rel=1e-9)
    assert table.loc["cost_total", "yours"] == 0.0
    assert table.loc["names", "mine"] == 3.0
    assert table.loc["cash", "mine"] == pytest.approx(0.1)
    assert np.isnan(table.loc["beta", "benchmark"])


def test_turnover_counts_both_sides_and_the_cash_once():
    weights = pd.DataFrame({"A": [0.5, 0.6], "B": [0.5, 0.2]}, DAYS[:2])
    returns = pd.DataFrame({"A": [0.1, 0.0], "B": [-0.1, 0.0]}, DAYS[:2])
    book = Track(weights, returns, pd.Series([0.0, 0.0], DAYS[:2]))
    # drifted to 0.55, 0.45; B is sold by 0.25, of which A takes 0.05 and cash the rest
    assert turnover_of(book).to_list() == pytest.approx([0.0, 0.25])


def test_years_and_growth_compound_to_the_same_end():
    found = side_by_side([candidate("mine", track(1)), candidate("yours", track(2))], BASE)
    assert found.yearly["year"].to_list() == [2019, 2020]
    for name in ("mine", "yours", "benchmark"):
        ends = found.growth[name].iloc[-1]
        assert np.prod(1 + found.yearly[name]) == pytest.approx(ends, rel=1e-12)


def test_correlations_are_of_active_returns_and_without_a_benchmark_of_returns():
    mine, yours = track(1), track(2)
    books = [candidate("mine", mine), candidate("yours", yours)]
    active = np.corrcoef(mine.earned - BASE.earned, yours.earned - BASE.earned)[0, 1]
    table = side_by_side(books, BASE).correlation.set_index("name")
    assert table.loc["mine", "yours"] == pytest.approx(active, rel=1e-12)
    alone = side_by_side(books, None)
    plain = np.corrcoef(mine.earned, yours.earned)[0, 1]
    assert alone.correlation.set_index("name").loc["yours", "mine"] == pytest.approx(plain)
    assert "beta" not in set(alone.performance["name"])


def test_the_common_window_is_used_and_said():
    late = track(2, DAYS[100:250])
    found = side_by_side([candidate("mine", track(1)), candidate("late", late)], BASE)
    assert list(found.dates) == list(DAYS[100:250])
    window = f"{DAYS[100]:%Y-%m-%d} to {DAYS[249]:%Y-%m-%d}"
    assert found.notes == (f"The common window is used: {window}, 150 of up to 300 days.",)
    assert found.performance.set_index("name").loc["cagr"].isna().all()  # less than a year


def test_what_does_not_fit_is_named():
    mine = candidate("mine", track(1))
    with pytest.raises(ArgumentError, match="'mine' is there twice"):
        side_by_side([mine, mine], BASE)
    early = candidate("early", track(2, pd.bdate_range("2001-01-01", periods=30)))
    with pytest.raises(DataError, match="'early' has the days from 2001-01-01"):
        side_by_side([mine, early], BASE)
    holed = candidate("holed", track(2, DAYS.delete(50)))
    with pytest.raises(DataError, match=f"has {DAYS[50]:%Y-%m-%d} and another has not"):
        side_by_side([mine, holed], None)
    empty = side_by_side([mine], in_cash(DAYS))
    assert len(empty.performance.columns) == 3
