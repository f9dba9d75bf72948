"""The tables of a backtest, its assumptions, its id, its progress, and its bad arguments."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.result import STATS, VIEWS
from tilt.backtest.run import backtest
from tilt.backtest.strategy import CapWeight, EqualWeight, InverseVol
from tilt.errors import ArgumentError, StoppedError
from tilt.portfolio.performance import statistics


@pytest.fixture(scope="module")
def result(market):
    return backtest(market, EqualWeight())


def test_every_view_is_a_table(result):
    for name in VIEWS:
        table = result.view(name)
        assert len(table), name
        assert all(c == c.lower() for c in table.columns), name


def test_the_series_begins_with_the_columns_of_the_contract(result):
    columns = ["date", "nav", "return", "benchmark_nav", "active", "drawdown", "turnover"]
    assert list(result.view("series").columns[:7]) == columns


def test_nav_is_the_compounded_return_and_active_the_difference(result):
    series = result.series
    np.testing.assert_allclose((1 + series["return"]).cumprod(), series["nav"], rtol=1e-12)
    np.testing.assert_allclose(
        (1 + series["benchmark_return"]).cumprod(), series["benchmark_nav"], rtol=1e-12
    )
    np.testing.assert_allclose(
        series["active"], series["return"] - series["benchmark_return"], atol=1e-15
    )


def test_statistics_are_those_of_the_daily_returns_with_the_opening_in_the_first(result):
    r = result.returns
    assert (1 + r).prod() == pytest.approx(result.series["nav"].iloc[-1], rel=1e-12)
    assert len(r) == len(result.series) - 1
    own = statistics(r, result.benchmark.iloc[1:])
    pd.testing.assert_frame_equal(result.view("stats").iloc[: len(own)], own, check_like=True)


def test_every_backtest_has_the_same_measures(result):
    assert tuple(result.stats["measure"]) == STATS


def test_statistics_add_what_it_took(result):
    of = result.stats.set_index("measure")["portfolio"]
    assert of["rebalances"] == len(set(result.weights["date"]))
    assert of["gross_total_return"] > of["total_return"]
    assert of["cost_total"] == pytest.approx(result.view("costs")["total"].sum())


def test_months_compound_to_the_whole_run(result):
    table = result.view("monthly")
    assert (1 + table["total"]).prod() == pytest.approx(result.series["nav"].iloc[-1])


def test_trades_lead_from_the_weights_before_to_those_after(result):
    trades = result.trades
    np.testing.assert_allclose(trades["before"] + trades["trade"], trades["after"], atol=1e-15)
    np.testing.assert_allclose(
        trades["cost"], np.where(trades["reason"] == "delisted", 0, 1e-3 * trades["trade"].abs())
    )
    assert set(trades["reason"]) == {"rebalance", "delisted"}
    assert trades["date"].is_monotonic_increasing


def test_assumptions_say_what_the_numbers_rest_on(result):
    facts = result.assumptions.set_index("item")["value"]
    assert facts["SURVIVORSHIP"] == "Made up: one name left."
    assert "HYPOTHETICAL" in facts
    assert "fewer than 3" in facts["SHORT HISTORY"]
    assert facts["fill"] == "at the close, 1 session after the decision"
    assert "10 basis points" in facts["costs"]
    assert "cap-weighted 'MADE_UP'" in facts["benchmark"]
    assert facts["delisted"].startswith("A07")
    assert "A08" in facts["missing returns"]
    assert "LOOK-AHEAD" not in facts


def test_the_run_id_depends_on_every_argument_and_on_nothing_else(market, result):
    assert backtest(market, EqualWeight()).run_id == result.run_id
    others = [
        backtest(market, CapWeight()),
        backtest(market, EqualWeight(), rebalance="Q"),
        backtest(market, EqualWeight(), costs=Costs(cost_bps=5)),
        backtest(market, EqualWeight(), lag=2),
        backtest(market, EqualWeight(), cash_rate=0.01),
        backtest(market, EqualWeight(), benchmark="none"),
        backtest(market, EqualWeight(), end=market.dates[-2]),
    ]
    assert len({r.run_id for r in [result, *others]}) == len(others) + 1


def test_without_a_benchmark_relative_figures_are_missing(market):
    result = backtest(market, InverseVol(), benchmark="none")
    assert result.series[["benchmark_nav", "active"]].isna().all(axis=None)
    assert result.view("stats")["benchmark"].isna().all()


def test_the_index_is_a_benchmark_and_said_to_leave_dividends_out(market):
    result = backtest(market, EqualWeight(), benchmark="index")
    level = market.index_level.loc[result.market.dates]
    assert result.series["benchmark_nav"].iloc[-1] == pytest.approx(level.iloc[-1] / level.iloc[0])
    facts = result.assumptions.set_index("item")["value"]
    assert "without dividends" in facts["benchmark"]


@pytest.mark.parametrize("rebalance", ["D", "W", "M", "Q", "Y"])
def test_rebalances_are_decided_on_the_last_session_of_each_period(market, rebalance):
    start = market.dates[300]
    result = backtest(market, EqualWeight(), rebalance=rebalance, start=start)
    fills = pd.DatetimeIndex(sorted(set(result.weights["date"])))
    decided = market.dates[market.dates.get_indexer(fills) - 1]
    assert fills[0] == start
    code = "W-FRI" if rebalance == "W" else rebalance
    if rebalance != "D":
        ends = decided[1:].to_period(code)
        assert (fills[1:].to_period(code) == ends + 1).all()
    else:
        assert len(fills) == len(result.series)


def test_progress_rises_and_names_the_date(market):
    seen = []
    backtest(market, EqualWeight(), progress=lambda done, text: seen.append((done, text)))
    parts = [done for done, _ in seen]
    assert parts == sorted(parts)
    assert 0 <= parts[0] <= parts[-1] <= 1
    assert all(text.startswith("Deciding on 201") for _, text in seen)


def test_a_run_stops_when_asked(market):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(StoppedError, match="The backtest was stopped at 2014-"):
        backtest(market, EqualWeight(), stop=stop)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rebalance": "X"}, "rebalance must be one of D, W, M, Q, Y, drift:0.05; got 'X'."),
        ({"rebalance": "drift:5"}, "drift must be between 0 and 1; got 5."),
        ({"lag": -1}, "lag must be a number of sessions from 0 to 21; got -1."),
        ({"cash_rate": 3.0}, "cash must be a yearly rate such as 0.03; got 3."),
        ({"benchmark": "indx"}, "Did you mean 'index'?"),
        ({"start": pd.Timestamp("2014-10-07")}, "fewer than 2 sessions"),
    ],
)
def test_a_wrong_argument_says_what_is_wrong(market, options, message):
    with pytest.raises(ArgumentError) as caught:
        backtest(market, EqualWeight(), **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost_bps": -1}, "cost_bps must be zero or more"),
        ({"cost_bps": float("nan")}, "cost_bps must be zero or more"),
        ({"spread": 5.0}, "cannot be meant"),
        ({"capital": 0}, "capital must be above zero"),
    ],
)
def test_costs_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        Costs(**options)
