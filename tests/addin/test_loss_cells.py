"""Cells about losses, liquidity, covariances and comparisons, over HTTP, against the engine."""

import numpy as np
import pytest
from cell_tables import RANGE, frame, plain, same

from tilt.portfolio.compare import compare, summary, what_if
from tilt.risk.estimators import Tuning, estimate_covariance
from tilt.risk.liquidity import average_dollar_volume, days_to_exit, share_out
from tilt.risk.measures import risk_measure
from tilt.risk.stress import named_window, replay, stress
from tilt.risk.tail import historical_tail, parametric_tail, replayed_returns, simulated_tail

DAYS = 252


def number(cells):
    return plain(cells[0][0])


def test_var_is_the_parametric_tail_of_the_forecast_volatility(excel, model, held):
    daily = risk_measure(model, held, None, "volatility") / np.sqrt(DAYS)
    assert number(excel("var", RANGE)) == pytest.approx(parametric_tail(daily, 0.95).var)
    found = number(excel("var", RANGE, 0.99, 10, None, None, "measure=cvar"))
    assert found == pytest.approx(parametric_tail(daily, 0.99, 10).cvar)


def test_historical_var_replays_todays_holdings(excel, panel, model, held):
    past = panel.returns.tail(504)
    replayed = replayed_returns(model, past, panel.factors.returns, held)
    by_hand = (past[held.index] * held).sum(axis=1, skipna=False)
    np.testing.assert_allclose(replayed, by_hand.dropna(), rtol=1e-9, atol=1e-15)
    found = number(excel("var", RANGE, 0.95, 1, "historical"))
    assert found == pytest.approx(historical_tail(replayed, 0.95).var)


def test_simulated_var_uses_the_models_two_parts(excel, model, held):
    parts = [
        risk_measure(model, held, None, m) / np.sqrt(DAYS)
        for m in ("factor_volatility", "specific_volatility")
    ]
    found = number(excel("var", RANGE, 0.99, 5, "montecarlo"))
    assert found == pytest.approx(simulated_tail(*parts, 0.99, 5).var)


def test_stress_shows_the_engines_table(excel, model, held, benchmark):
    shocks = [["factor", "shock"], ["market", -0.1], ["AAPL", -0.2]]
    expected = stress(model, held, benchmark, {"Market": -0.1, "AAPL": -0.2})
    same(excel("stress", RANGE, shocks), expected)
    alone = stress(model, held, None, {"Market": -0.1}, others="zero")
    same(excel("stress", RANGE, [["Market", -0.1]], None, "NONE", "others=zero"), alone)


def test_stress_replays_a_window_and_says_which(excel, panel, model, held, benchmark):
    cells = excel("stress", RANGE, "Brexit")
    same(cells, replay(model, panel.factors, held, benchmark, named_window("brexit")))
    assert "2016-06-23 to 2016-06-27" in frame(cells)["note"].iloc[0]


def test_liquidity_shows_days_and_what_can_be_out(excel, panel, held):
    volume = average_dollar_volume(panel.close, panel.volume, panel.as_of)
    expected = days_to_exit(held, volume, 1e9, 0.1)
    cells = excel("liquidity", RANGE, 1e9, 0.1)
    shown = frame(cells)
    np.testing.assert_allclose(
        shown["days_to_exit"].iloc[:-1].astype(float), expected["days_to_exit"], rtol=1e-9
    )
    last = shown.iloc[-1]
    assert last["ticker"] == "out in 1, 5, 20 days"
    assert list(last[["weight", "days_to_exit", "pct_adv"]]) == pytest.approx(
        [share_out(expected, days) for days in (1, 5, 20)]
    )


def test_covariance_is_the_models_or_estimated_from_returns(excel, panel, model):
    names = ["AAPL", "XOM", "JPM"]
    factor = frame(excel("covariance", ",".join(names))).set_index("ticker")
    np.testing.assert_allclose(factor.astype(float), DAYS * model.covariance(names), rtol=1e-9)
    told = "estimator=ewma;lookback=300;half_life=60;correlation_half_life=120;lags=1"
    shown = frame(excel("covariance", ",".join(names), None, None, told)).set_index("ticker")
    tuning = Tuning(half_life=60, correlation_half_life=120, lags=1)
    expected = estimate_covariance(panel.returns[names].tail(300), "ewma", tuning).cov
    np.testing.assert_allclose(shown.astype(float), DAYS * expected, rtol=1e-9)


@pytest.mark.parametrize("by", ["position", "sector", "factor", "risk"])
def test_compare_shows_the_engines_table(excel, panel, store, model, held, benchmark, by):
    other = store.portfolio("SAMPLE")
    expected = compare(
        model, held, other, by=by, sectors=panel.securities["sector"], benchmark=benchmark
    )
    same(excel("compare", RANGE, "SAMPLE", by), expected)


def test_whatif_shows_before_and_after(excel, model, held, benchmark):
    trades = [["ticker", "trade"], ["AAPL", -0.1], ["MSFT", 0.1]]
    expected = what_if(model, held, {"AAPL": -0.1, "MSFT": 0.1}, benchmark, fund="prorata")
    same(excel("whatif", RANGE, trades, None, None, "fund=prorata"), expected)


def test_summary_is_a_page(excel, panel, model, held, benchmark):
    volume = average_dollar_volume(panel.close, panel.volume, panel.as_of)
    expected = summary(model, held, benchmark, caps=panel.market_cap.iloc[-1], adv=volume)
    same(excel("summary", RANGE), expected)


VALUE, MISSING = "#VALUE!", "#N/A"


@pytest.mark.parametrize(
    ("call", "cell", "words"),
    [
        (("var", RANGE, 95), VALUE, "type 0.95, not 95"),
        (("var", RANGE, 0.95, 1.5), VALUE, "whole number of days"),
        (("var", RANGE, 0.95, 1, "normal"), VALUE, "method must be one of"),
        (("var", RANGE, 0.95, 1, "historical", None, "lookback=10"), VALUE, "are needed"),
        (("stress", RANGE, [["Marke", -0.1]]), MISSING, "Did you mean 'Market'?"),
        (("stress", RANGE, [["Market", -10]]), VALUE, "minus 20 % is -0.2"),
        (("stress", RANGE, "lehman"), MISSING, "is not in the data"),
        (("stress", RANGE, "brexitt"), VALUE, "brexit"),
        (("stress", RANGE, [["Market", "#REF!"]]), VALUE, "shocks row 1"),
        (("liquidity", RANGE, 0), VALUE, "value must be above 0"),
        (("liquidity", RANGE, 1e6, 20), VALUE, "such as 0.2"),
        (("covariance", "AAPL,APPL"), MISSING, "Unknown ticker 'APPL'"),
        (("covariance", "AAPL", None, None, "estimator=garch"), VALUE, "estimator"),
        (("covariance", "AAPL", None, None, "estimator=ewma;lookback=5"), VALUE, "20 are needed"),
        (("compare", RANGE, "SAMPEL"), MISSING, "SAMPLE"),
        (("whatif", RANGE, [["AAPL", 0]]), VALUE, "There is no trade"),
        (("whatif", RANGE, [["AAPL", 0.1], ["aapl", 0.1]]), VALUE, "given twice"),
        (("whatif", RANGE, [["AAPL", 0.1, 3]]), VALUE, "must be two columns"),
    ],
)
def test_bad_input_is_refused_in_words(excel, call, cell, words):
    shown, message = excel.error(*call)
    assert shown == cell
    assert words in message
