"""The button Attribution: what it writes, and that the rows add up."""

import pandas as pd
import pytest

from tilt.backtest.held import track_of_universe, track_of_weights

START, END = "2016-01-04", "2016-06-30"


@pytest.fixture(scope="module")
def written(ribbon):
    settings = ribbon.settings(start=START, end=END, by="industry")
    return ribbon.press("attribution", ribbon.held(), settings)


def test_it_writes_the_active_return_of_the_books_themselves(written, panel):
    first, last = pd.Timestamp(START), pd.Timestamp(END)
    weights = pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.2})
    mine = track_of_weights(panel, {first: weights}, first, last)
    base = track_of_universe(panel, first, last)
    active = (1 + mine.earned).prod() - (1 + base.earned).prod()
    for table, name, column in (
        ("TiltAttribution", "group", "total"),
        ("TiltAttributionFactors", "name", "contribution"),
        ("TiltAttributionPositions", "name", "active_contribution"),
    ):
        rows = written.tables[table].set_index(name)[column].astype(float)
        assert rows["Total"] == pytest.approx(active, abs=1e-12)
        assert rows.drop(["Residual", "Total"]).sum() == pytest.approx(active, abs=1e-10)
    assert f"active {active:+.2%}" in written.said
    assert "Tilt Attribution" in written.said


def test_it_charts_the_effects_and_the_factors(written):
    assert written.charts == ["TiltAttributionChart", "TiltAttributionFactorChart"]
    bars = written.tables["TiltAttributionBars"]
    assert list(bars.columns) == ["group", "allocation", "selection", "interaction"]
    totals = bars[["allocation", "selection", "interaction"]].astype(float).sum(axis=1)
    assert totals.is_monotonic_increasing


def test_the_strategy_of_the_settings_is_explained_on_request(ribbon):
    settings = ribbon.settings(
        attribute="strategy", strategy="quantile:Momentum:5:5", start=START, end=END
    )
    written = ribbon.press("attribution", ribbon.held(), settings)
    rows = written.tables["TiltAttribution"].set_index("group")["total"].astype(float)
    assert rows["Trading and costs"] < 0


def test_a_backtest_that_was_run_is_explained_by_its_run_id(ribbon):
    strategy = ribbon.settings(strategy="quantile:Momentum:5:5", start=START, end=END)
    tested = ribbon.press("backtest", ribbon.held(), strategy)
    words = [cell for a in tested.actions for row in a.get("values") or [] for cell in row]
    (run,) = {w.rpartition("run ")[2] for w in words if isinstance(w, str) and ", run " in w}
    settings = ribbon.settings(attribute=run, strategy="equal_weight", cost_bps=50)
    written = ribbon.press("attribution", ribbon.held(), settings)
    pd.testing.assert_frame_equal(
        written.tables["TiltAttribution"].drop(columns="note", errors="ignore"),
        tested.tables["TiltBacktestWhy"],
    )


def test_a_word_that_is_neither_is_refused_with_the_nearest(ribbon):
    said = ribbon.refusal("attribution", ribbon.held(), ribbon.settings(attribute="holding"))
    assert "Did you mean 'holdings'?" in said
