"""Cells about series of returns, over HTTP, against the engine."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import frame, plain, same

from tilt.portfolio.performance import drawdowns, statistic, statistics
from tilt.portfolio.regression import regress

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
