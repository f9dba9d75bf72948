"""Rolling figures, figures by state, and style analysis, against what they are defined by."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.performance import statistic
from tilt.portfolio.regression import regress
from tilt.portfolio.rolling import figures_by_state, rolling_figures, rolling_regression
from tilt.portfolio.style_analysis import style_weights

DAYS = pd.bdate_range("2018-01-01", periods=400)
RANDOM = np.random.default_rng(4)
BASE = pd.Series(RANDOM.normal(0.0004, 0.01, 400), DAYS)
RETURNS = 0.8 * BASE + pd.Series(RANDOM.normal(0.0002, 0.004, 400), DAYS)
STYLES = pd.DataFrame(RANDOM.normal(0.0, 0.01, (400, 3)), DAYS, ["Value", "Growth", "Bonds"])


def test_each_row_is_the_statistic_of_its_window():
    table = rolling_figures(RETURNS, BASE, window=260, risk_free=0.01)
    assert len(table) == 141
    for row in (0, 70, 140):
        inside = slice(row, row + 260)
        for column, measure in (
            ("return", "total_return"), ("volatility", "volatility"), ("sharpe", "sharpe"),
            ("max_drawdown", "max_drawdown"), ("tracking_error", "tracking_error"),
            ("information_ratio", "information_ratio"), ("beta", "beta"),
        ):  # fmt: skip
            expected = statistic(measure, RETURNS[inside], BASE[inside], risk_free=0.01)
            assert table[column].iloc[row] == pytest.approx(expected, rel=1e-10), measure
        assert table["date"].iloc[row] == DAYS[row + 259]


def test_without_a_benchmark_there_is_nothing_relative():
    table = rolling_figures(RETURNS, window=60)
    assert list(table) == ["date", "return", "volatility", "sharpe", "max_drawdown"]


def test_a_window_that_does_not_fit_is_said():
    with pytest.raises(ArgumentError, match="window must be at least 20; got 5"):
        rolling_figures(RETURNS, window=5)
    with pytest.raises(DataError, match="400 returns, fewer than a window of 500"):
        rolling_figures(RETURNS, window=500)
    with pytest.raises(DataError, match="fewer than a window of 401"):
        rolling_regression(RETURNS, STYLES, window=401)


def test_a_rolling_regression_is_the_regression_of_each_window():
    y = STYLES @ [0.5, 0.2, -0.1] + RETURNS
    table = rolling_regression(y, STYLES, window=100)
    expected = regress(y.iloc[30:130], STYLES.iloc[30:130]).set_index("name")["coefficient"]
    for name in (*STYLES, "alpha", "r_squared"):
        assert table[name].iloc[30] == pytest.approx(expected[name], rel=1e-9)


def test_states_share_the_days_and_each_has_the_figures_of_its_own():
    states = pd.Series(np.where(BASE > 0, "up", "down"), DAYS)
    table = figures_by_state(RETURNS, states, BASE).set_index("state")
    assert list(table.index) == ["down", "up", "All"]
    assert table.loc[["down", "up"], "share"].sum() == pytest.approx(1.0)
    up = RETURNS[states == "up"]
    assert table.loc["up", "mean"] == pytest.approx(252 * up.mean())
    assert table.loc["up", "volatility"] == pytest.approx(np.sqrt(252) * up.std())
    weighted = (table["mean"] * table["share"]).drop("All").sum()
    assert table.loc["All", "mean"] == pytest.approx(weighted)
    with pytest.raises(DataError, match="No date has both"):
        figures_by_state(RETURNS, pd.Series(dtype=str))


def test_a_mix_of_styles_is_found_again():
    y = STYLES @ [0.5, 0.5, 0.0] + 0.0003
    table = style_weights(y, STYLES).set_index("name")["coefficient"]
    np.testing.assert_allclose(table[["Value", "Growth", "Bonds"]], [0.5, 0.5, 0.0], atol=1e-7)
    assert table["selection"] == pytest.approx(0.0003, abs=1e-9)
    assert table["r_squared"] == pytest.approx(1.0)


def test_style_weights_are_a_portfolio_and_the_best_one():
    y = STYLES @ [1.3, -0.3, 0.1] + RETURNS
    weights = style_weights(y, STYLES).set_index("name")["coefficient"][list(STYLES)].to_numpy()
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    best = np.var(y - STYLES @ weights)
    for other in np.random.default_rng(0).dirichlet(np.ones(3), 500):
        assert np.var(y - STYLES @ other) >= best - 1e-12
