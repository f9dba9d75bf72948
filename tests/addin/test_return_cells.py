"""Cells about series of returns, over HTTP, against the engine."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import fits_of_regimes, frame, plain, same

from tilt.factors.descriptors import market_return
from tilt.portfolio.performance import drawdowns, statistic, statistics
from tilt.portfolio.regression import regress
from tilt.portfolio.rolling import rolling_figures, rolling_regression
from tilt.risk.regimes import markov_regimes

RANDOM = np.random.default_rng(9)
DAYS = pd.bdate_range("2018-01-01", periods=300)
FACTORS = pd.DataFrame(RANDOM.normal(0, 0.01, (300, 2)), DAYS, ["Market", "Value"])
RETURNS = 0.9 * FACTORS["Market"] + pd.Series(RANDOM.normal(0, 0.005, 300), DAYS)
EPOCH = pd.Timestamp("1899-12-30")
VALUE, MISSING = "#VALUE!", "#N/A"

column = [[float(v)] for v in RETURNS]
benchmark = [[float(v)] for v in FACTORS["Market"]]
dated = [[float((d - EPOCH).days), float(v)] for d, v in RETURNS.items()]
factors = [["Market", "Value"], *FACTORS.to_numpy().tolist()]
dated_factors = [
    ["date", "Market", "Value"],
    *[[f"{d:%Y-%m-%d}", *map(float, row)] for d, row in zip(DAYS, FACTORS.to_numpy(), strict=True)],
]


def test_stat_is_one_measure_of_stats(excel):
    table = statistics(RETURNS.reset_index(drop=True), FACTORS["Market"].reset_index(drop=True))
    shown = excel("stats", column, benchmark)
    same(shown, table)
    for measure in ("sharpe", "max_drawdown", "beta"):
        expected = statistic(measure, RETURNS, FACTORS["Market"])
        found = plain(excel("stat", measure, column, benchmark)[0][0])
        assert found == pytest.approx(expected, rel=1e-9)


def test_drawdowns_are_dated(excel):
    expected = drawdowns(RETURNS, 3)
    shown = frame(excel("drawdowns", dated, 3))
    for name in ("peak", "trough"):
        assert list(shown[name]) == list(expected[name])
    np.testing.assert_allclose(shown["depth"].astype(float), expected["depth"], rtol=1e-9)


def test_regress_is_the_same_with_and_without_dates(excel):
    expected = regress(RETURNS, FACTORS)
    same(excel("regress", column, factors), expected)
    same(excel("regress", dated, dated_factors), expected)


def test_regress_finds_the_common_dates(excel):
    same(excel("regress", dated[:200], dated_factors), regress(RETURNS.iloc[:200], FACTORS))


def test_factors_without_names_are_numbered(excel):
    shown = excel("regress", column, factors[1:])
    assert [row[0] for row in shown[1:3]] == ["factor 1", "factor 2"]


def test_lags_and_errors_are_options(excel):
    expected = regress(RETURNS, FACTORS, lags=0)
    same(excel("regress", column, factors, "D", "lags=0"), expected)
    same(
        excel("regress", column, factors, "D", "errors=ols"),
        regress(RETURNS, FACTORS, errors="ols"),
    )


@pytest.mark.parametrize(
    ("call", "cell", "words"),
    [
        (("stat", "sharp", column), VALUE, "Did you mean 'sharpe'"),
        (("stat", "beta", column), VALUE, "beta needs a benchmark"),
        (("stat", "cagr", column[:50]), MISSING, "needs a year of returns"),
        (("drawdowns", column), VALUE, "must be two columns"),
        (("drawdowns", dated, 1.5), VALUE, "whole number"),
        (("regress", column, dated_factors), VALUE, "both have dates, or neither"),
        (("regress", column[:100], factors), VALUE, "has 100 rows and factor_returns 300"),
        (("regress", column, [["A", "A"], *factors[1:]]), VALUE, "'A' is the name of two columns"),
        (("regress", column, [["A"], *[["#REF!"]] * 300]), VALUE, "factor_returns row 2 (A)"),
        (("regress", column[:10], factors[:11]), VALUE, "at least 20 are needed"),
    ],
)
def test_bad_input_is_refused_in_words(excel, call, cell, words):
    shown, message = excel.error(*call)
    assert shown == cell
    assert words in message


def test_rolling_figures_are_the_engines(excel):
    expected = rolling_figures(RETURNS, FACTORS["Market"], window=100, risk_free=0.01)
    base = [row[:2] for row in dated_factors[1:]]
    same(excel("stats", dated, base, "D", 0.01, "view=rolling;window=100"), expected)
    betas = rolling_regression(RETURNS, FACTORS, window=120)
    same(excel("regress", dated, dated_factors, "D", "view=rolling;window=120"), betas)


def test_a_style_mix_is_long_only_and_found_where_there_is_one(excel):
    mixed = [[float(v)] for v in FACTORS @ [0.7, 0.3] + 0.0002]
    shown = frame(excel("regress", mixed, factors, "D", "method=style"))
    values = shown.set_index("name")["coefficient"].astype(float)
    assert values[["Market", "Value"]].tolist() == pytest.approx([0.7, 0.3], abs=1e-6)
    assert values["selection"] == pytest.approx(0.0002, abs=1e-9)
    assert values["r_squared"] == pytest.approx(1.0, abs=1e-9)
    short = [[float(v)] for v in FACTORS @ [1.5, -0.5]]
    bound = frame(excel("regress", short, factors, "D", "method=style")).set_index("name")
    assert bound["coefficient"][["Market", "Value"]].astype(float).tolist() == [1.0, 0.0]
    weights = frame(excel("regress", mixed, factors, "D", "method=style;view=rolling;window=60"))
    rolled = weights[["Market", "Value"]].astype(float)
    np.testing.assert_allclose(rolled, [[0.7, 0.3]] * len(rolled), atol=1e-6)


def test_capture_and_tail_by_hand(excel):
    base = [[0.02], [-0.01], [0.01], [-0.02]] * 63
    mine = [[0.01], [-0.02], [0.02], [-0.01]] * 63
    shown = frame(excel("stats", mine, base, "D", None, "confidence=0.75"))
    values = shown.set_index("measure")["portfolio"].astype(float)
    up = (1.01 * 1.02) ** 126 - 1  # a year of up days is 126 pairs, for both
    assert values["up_capture"] == pytest.approx(up / up)
    assert values["down_capture"] == pytest.approx(1.0)
    # a quarter of the days lose 2 %: the quantile is 1 %, what lies beyond it 2 %
    assert values["var75"] == pytest.approx(0.01)
    assert values["cvar75"] == pytest.approx(0.02)
    doubled = [[2 * r[0]] for r in base]
    stat = plain(excel("stat", "up_capture", doubled, base)[0][0])
    assert stat == pytest.approx(((1.04 * 1.02) ** 126 - 1) / up)


def test_performance_by_regime_counts_each_day_in_the_state_known_before(excel, panel):
    market = market_return(panel).loc["2014-01-02":]
    cells = [[f"{d:%Y-%m-%d}", float(v)] for d, v in market.items()]
    shown = frame(excel("stats", cells, None, "D", None, "view=regimes")).set_index("state")
    state = markov_regimes(market_return(panel)).state.shift(1)[market.index]
    for name in ("calm", "turbulent"):
        inside = market[state == name]
        assert float(shown["periods"][name]) == len(inside)
        expected = np.sqrt(252) * inside.std()
        assert float(shown["volatility"][name]) == pytest.approx(expected, rel=1e-9)
    assert list(shown.index[-1:]) == ["All"]


def test_three_states_of_the_market_are_fitted_by_a_job(excel, panel):
    last = panel.dates[300]
    market = market_return(panel).loc[:last]
    cells = [[f"{d:%Y-%m-%d}", float(v)] for d, v in market.iloc[-60:].items()]
    before = fits_of_regimes(excel)
    asked = ("stats", cells, None, "D", None, "view=regimes;states=3")
    shown = frame(excel.done(*asked)).set_index("state")
    assert len(fits_of_regimes(excel) - before) == 1
    state = markov_regimes(market, states=3).state.shift(1).iloc[-60:]
    counted = state.value_counts()
    assert shown["periods"].drop("All").astype(float).to_dict() == counted.to_dict()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("stats", column, None, "D", None, "view=regimes"), "needs dates beside the returns"),
        (("stats", dated, None, "M", None, "view=regimes"), "needs daily returns"),
        (("stats", column, None, "D", None, "view=roling"), "Did you mean 'rolling'?"),
        (("regress", column, factors, "D", "view=regimes"), "option view must be one of"),
        (("stats", column, None, "D", None, "view=rolling;window=5"), "at least 20; got 5"),
    ],
)
def test_a_view_that_does_not_fit_is_refused(excel, call, words):
    shown, message = excel.error(*call)
    assert (shown, words in message) == (VALUE, True), message
