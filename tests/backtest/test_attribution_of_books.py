"""Attribution of books that were held: by hand, against the engine's own returns, and by law."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilt.backtest.costs import Costs
from tilt.backtest.factor_strategies import Quantile, Spread
from tilt.backtest.held import (
    track_of_backtest,
    track_of_benchmark,
    track_of_universe,
    track_of_weights,
)
from tilt.backtest.run import backtest
from tilt.backtest.strategy import CapWeight, FixedWeights
from tilt.errors import DataError
from tilt.portfolio.attribution import LINKS, brinson_table
from tilt.portfolio.daily_attribution import brinson_daily, positions_table
from tilt.portfolio.factor_attribution import factor_effects, factor_table
from tilt.portfolio.track import CASH_GROUP, Track, in_cash


def held(panel, first=0, last=-1, **weights):
    given_ = {panel.dates[first]: pd.Series(weights, dtype=float)}
    return track_of_weights(panel, given_, panel.dates[first], panel.dates[last])


def by_name(panel):
    return pd.Series(panel.assets, panel.assets)


def whole(track):
    return float(np.prod(1 + track.earned) - 1)


@pytest.fixture(scope="module")
def window(market):
    return market.dates[380], market.dates[450]


@pytest.fixture(scope="module")
def books(market, window):
    """Holdings traded twice, among them a name that vanishes, against the universe."""
    rng = np.random.default_rng(1)
    days = [market.dates[380], market.dates[400], market.dates[440]]
    names = market.assets[:12]
    given_ = {d: pd.Series(rng.dirichlet(np.ones(12)) * 0.97, names) for d in days}
    return track_of_weights(market, given_, *window), track_of_universe(market, *window)


def test_two_stocks_and_two_days_by_hand(build):
    panel = build([[0, 0], [0.10, -0.05], [0.02, 0.04]])
    mine, base = held(panel, A=0.6, B=0.4), held(panel, A=0.5, B=0.5)
    found, notes = brinson_daily(mine, base, by_name(panel))
    wp, wb = np.array([0.6, 0.4]), np.array([0.5, 0.5])
    for day, r in enumerate([np.array([0.10, -0.05]), np.array([0.02, 0.04])]):
        of_benchmark = wb @ r
        np.testing.assert_allclose(found.weights.iloc[day], wp, atol=1e-15)
        np.testing.assert_allclose(found.allocation.iloc[day], (wp - wb) * (r - of_benchmark))
        assert found.portfolio.iloc[day] == pytest.approx(wp @ r, abs=1e-15)
        wp, wb = wp * (1 + r) / (1 + wp @ r), wb * (1 + r) / (1 + of_benchmark)
    assert found.selection.abs().to_numpy().max() < 1e-16
    assert notes == ()
    table = brinson_table(found).set_index("group")
    # a book that is bought and held has the return of its parts
    portfolio = 0.6 * 1.10 * 1.02 + 0.4 * 0.95 * 1.04 - 1
    benchmark = 0.5 * 1.10 * 1.02 + 0.5 * 0.95 * 1.04 - 1
    assert table.loc["Total", "return"] == pytest.approx(portfolio, abs=1e-15)
    assert table.loc["Total", "total"] == pytest.approx(portfolio - benchmark, abs=1e-15)
    assert table.loc["Residual", "total"] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("link", list(LINKS))
def test_the_rows_sum_to_the_compounded_active_return_however_days_are_linked(market, books, link):
    active = whole(books[0]) - whole(books[1])
    found, _ = brinson_daily(*books, market.securities["sector"])
    effects = factor_effects(*books, market.factors)
    positions, _ = positions_table(*books, market.securities["sector"], link=link)
    for table, column in (
        (brinson_table(found, link=link), "total"),
        (factor_table(effects, link=link), "contribution"),
        (factor_table(effects, link=link, by_group=True), "contribution"),
        (positions, "active_contribution"),
    ):
        rows = table[column].to_numpy()
        assert rows[-1] == pytest.approx(active, abs=1e-14)
        assert rows[:-2].sum() == pytest.approx(active, abs=1e-12)
        assert rows[-2] == pytest.approx(0.0, abs=1e-12)


def test_merging_the_interaction_moves_it_and_changes_no_total(market, books):
    found, _ = brinson_daily(*books, market.securities["sector"])
    apart, merged = brinson_table(found), brinson_table(found, merge=True)
    np.testing.assert_allclose(merged["total"], apart["total"], atol=1e-15)
    groups = slice(0, -2)
    np.testing.assert_allclose(
        merged["selection"][groups], (apart["selection"] + apart["interaction"])[groups], atol=1e-15
    )
    assert not merged["interaction"][groups].any()


def test_a_name_that_vanishes_midway_goes_to_cash_and_is_said(market, books):
    said = [n for n in books[0].notes if n.startswith("A07 has no price from")]
    assert len(said) == 1
    assert "cash from then, at its last price" in said[0]
    after = books[0].dates > market.dates[430]
    gone = books[0].weights.loc[after, "A07"].iloc[:9]
    assert not gone.any()
    assert any("missing returns of A08 count as zero" in n for n in books[0].notes)


def test_specific_return_is_what_the_regressions_left_over(market, books):
    found = factor_effects(*books, market.factors)
    mine, theirs = books
    names = found.specific.columns
    active = mine.weights.reindex(columns=names, fill_value=0.0) - theirs.weights.reindex(
        columns=names, fill_value=0.0
    )
    left = market.factors.specific_returns.loc[found.specific.index, names]
    known = left.notna().to_numpy() & (active != 0.0).to_numpy()
    expected = (active * left).to_numpy()[known]
    np.testing.assert_allclose(found.specific.to_numpy()[known], expected, atol=1e-14)


def test_exposures_are_those_of_the_active_weights_at_the_close_before(market, books):
    found = factor_effects(*books, market.factors)
    day = found.exposures.index[20]
    before = market.dates[market.dates.get_loc(day) - 1]
    exposures = market.factors.exposures(before)
    active = books[0].weights.loc[day].sub(books[1].weights.loc[day], fill_value=0.0)
    expected = active.reindex(exposures.index).fillna(0.0) @ exposures
    np.testing.assert_allclose(found.exposures.loc[day], expected, atol=1e-12)


def test_costs_of_a_backtest_stand_in_a_row_of_their_own(market):
    costs = Costs(cost_bps=25.0, borrow=0.02)
    result = backtest(market, Spread("Momentum", 5), costs=costs, benchmark="none")
    track = track_of_backtest(result)
    series = result.series.iloc[1:]
    np.testing.assert_allclose(track.costs.iloc[1:], -series["cost"].iloc[1:], atol=1e-15)
    table = factor_table(factor_effects(track, in_cash(track.dates), market.factors))
    rows = table.set_index("name")["contribution"]
    assert rows["Trading and costs"] < 0
    free = backtest(market, Spread("Momentum", 5), costs=Costs(cost_bps=0.0), benchmark="none")
    without = factor_table(
        factor_effects(track_of_backtest(free), in_cash(track.dates), market.factors)
    )
    assert "Trading and costs" not in set(without["name"])
    assert rows["Total"] == pytest.approx(whole(track), abs=1e-15)


def test_a_backtest_earns_in_its_track_what_its_returns_say(market):
    result = backtest(market, Quantile("Value", 5, 5), cash_rate=0.02)
    track = track_of_backtest(result)
    assert whole(track) == pytest.approx(result.series["nav"].iloc[-1] - 1, abs=1e-13)
    assert list(track.dates) == list(result.returns.index)


def test_the_universe_held_without_costs_has_nothing_to_explain(market):
    result = backtest(market, CapWeight(), rebalance="D", lag=0, costs=Costs(cost_bps=0.0))
    first, last = result.market.dates[[0, -1]]
    found, _ = brinson_daily(
        track_of_backtest(result), track_of_universe(market, first, last),
        market.securities["sector"],
    )  # fmt: skip
    # names without a price for a few days stay in the book, and are no part of the benchmark
    quiet = found.weights.index < market.dates[380]
    for effect in (found.allocation, found.selection, found.interaction):
        assert effect[quiet].abs().to_numpy().max() < 1e-14


def test_given_weights_as_benchmark_are_rebalanced_with_the_strategy(market):
    weights = pd.Series(1 / 5, market.assets[:5])
    free = Costs(cost_bps=0.0)
    result = backtest(market, FixedWeights(weights), benchmark=weights, costs=free)
    track = track_of_benchmark(result, market, weights)
    np.testing.assert_allclose(track.earned, result.benchmark.iloc[1:], atol=1e-15)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000))
def test_a_position_that_is_not_there_changes_nothing_and_order_does_not_matter(build, seed):
    rng = np.random.default_rng(seed)
    panel = build(rng.normal(0.0, 0.02, (8, 4)))
    mine, base = held(panel, A=0.5, B=0.3, C=0.2), held(panel, B=0.5, C=0.25, A=0.25)
    again = held(panel, C=0.2, A=0.5, B=0.3, D=0.0)
    groups = pd.Series({"A": "x", "B": "x", "C": "y", "D": "z"})
    tables = [brinson_table(brinson_daily(m, base, groups)[0]) for m in (mine, again)]
    pd.testing.assert_frame_equal(*tables)
    # one group alone leaves no allocation
    one = brinson_table(brinson_daily(mine, base, pd.Series("all", panel.assets))[0])
    assert one["allocation"].abs().max() < 1e-15


def test_long_against_short_in_one_group_is_interaction(build):
    panel = build([[0, 0, 0], [0.03, -0.02, 0.01]])
    mine = held(panel, A=0.5, B=-0.5, C=1.0)
    base = held(panel, A=0.0, B=0.0, C=1.0)
    groups = pd.Series({"A": "pair", "B": "pair", "C": "rest"})
    found, _ = brinson_daily(mine, base, groups)
    assert found.interaction["pair"].iloc[0] == pytest.approx(0.5 * 0.05, abs=1e-15)
    assert found.selection["pair"].iloc[0] == 0.0


def test_names_without_exposures_have_a_row_and_are_said(market):
    late = pd.Series({"A09": 0.5, "A01": 0.5})
    scored = np.flatnonzero(np.isfinite(market.close["A09"].to_numpy()))[0]
    first, last = market.dates[scored], market.dates[scored + 5]
    track = track_of_weights(market, {first: late}, first, last)
    history = market.factors
    hidden = history.styles.copy()
    hidden[:, list(history.assets).index("A09")] = np.nan
    blind = type(history)(**{**vars(history), "styles": hidden})
    found = factor_effects(track, in_cash(track.dates), blind)
    assert any(n.startswith("A09: no exposures on some days") for n in found.notes)
    own = (track.weights["A09"] * track.returns["A09"]).to_numpy()
    np.testing.assert_allclose(found.effects["No exposures"], own, atol=1e-16)


def test_books_over_other_days_are_compared_over_those_they_share(market, window):
    mine = track_of_universe(market, *window)
    short = mine.between(market.dates[390], market.dates[420])
    found, notes = brinson_daily(mine, short, market.securities["sector"])
    assert len(found.portfolio) == 30
    assert notes[0].startswith("Portfolio and benchmark share")
    gap = Track(short.weights.drop(short.dates[5]), short.returns, short.earned)
    with pytest.raises(DataError, match="their trading days differ"):
        brinson_daily(mine, gap, market.securities["sector"])
    with pytest.raises(DataError, match="share no day"):
        brinson_daily(
            mine.between(market.dates[430], market.dates[450]), short, pd.Series(dtype=str)
        )


def test_holdings_that_begin_later_than_asked_say_when(market, window):
    given_ = {market.dates[400]: pd.Series({"A01": 1.0})}
    with pytest.raises(DataError, match=f"begin on {market.dates[400]:%Y-%m-%d}"):
        track_of_weights(market, given_, *window)
    with pytest.raises(DataError, match="There is no return between"):
        track_of_weights(market, given_, market.dates[400], market.dates[400])


def test_holdings_of_an_earlier_date_have_drifted_by_the_first_day(build):
    panel = build([[0, 0], [0.5, 0.0], [0.1, 0.1], [0.0, 0.2]])
    given_ = {panel.dates[0]: pd.Series({"A": 0.5, "B": 0.5})}
    track = track_of_weights(panel, given_, panel.dates[1], panel.dates[3])
    assert track.weights.iloc[0].to_list() == pytest.approx([0.6, 0.4])
    assert list(track.dates) == list(panel.dates[2:])


def test_cash_that_earns_is_a_group_with_its_rate(build):
    panel = build([[0, 0], [0.01, 0.0], [0.01, 0.0]])
    given_ = {panel.dates[0]: pd.Series({"A": 0.5})}
    track = track_of_weights(panel, given_, panel.dates[0], panel.dates[2], cash_rate=0.05)
    found, _ = brinson_daily(track, held(panel, A=1.0), by_name(panel))
    np.testing.assert_allclose(found.returns[CASH_GROUP], 1.05 ** (1 / 252) - 1, rtol=1e-12)
