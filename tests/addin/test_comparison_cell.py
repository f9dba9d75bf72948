"""COMPARE through time and its route: portfolios, strategies and run ids side by side."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import frame
from serving import ended

START, END = "2015-12-31", "2016-12-30"
VALUE, MISSING = "#VALUE!", "#N/A"
STRATEGY = "quantile:Value:5:5"
OPTIONS = f"start={START};cost_bps=20"


@pytest.fixture(scope="module")
def run(excel):
    """The run id of a backtest, and its statistics."""
    asked = (STRATEGY, START, END, None, None, None, "stats")
    ((found,),) = excel.done("backtest", *asked, "cost_bps=20;run=yes")
    stats = frame(excel.done("backtest", *asked, "cost_bps=20")).set_index("measure")
    return found, stats


def compared(excel, a, b, by, options=OPTIONS):
    table = frame(excel.done("compare", a, b, by, END, options))
    return table.set_index(table.columns[0])


def test_each_backtest_has_the_figures_of_its_own_statistics(excel, run):
    shown = compared(excel, [[run[0]], ["SAMPLE"]], "equal_weight", "performance")
    assert list(shown)[:4] == [run[0], "SAMPLE", "equal_weight", "benchmark"]
    stats = run[1]["portfolio"].astype(float)
    # names and cash are those of the day's start here, of its end there
    both = [m for m in shown.index if m in stats.index and m not in {"names", "cash"}]
    assert {"sharpe", "tracking_error", "cost_total", "turnover_per_year"} <= set(both)
    np.testing.assert_allclose(shown.loc[both, run[0]].astype(float), stats[both], rtol=1e-9)
    assert float(shown.loc["cost_total", "SAMPLE"]) == 0.0
    figures = shown.drop(columns="note").astype(float)
    active, total = figures.loc["active_return"], figures.loc["total_return"]
    assert active["SAMPLE"] == pytest.approx(total["SAMPLE"] - total["benchmark"], abs=1e-12)
    assert STRATEGY in " ".join(shown["note"].astype(str))


def test_a_and_b_alone_have_a_difference(excel, run):
    shown = compared(excel, run[0], "SAMPLE", "performance")
    assert list(shown)[:4] == ["a", "b", "difference", "benchmark"]
    rows = shown[["a", "b", "difference"]].astype(float)
    np.testing.assert_allclose(rows["difference"], rows["a"] - rows["b"], atol=1e-12)


def test_growth_ends_where_years_lead_and_correlations_are_those_of_its_steps(excel, run):
    books = [[run[0]], ["SAMPLE"]], "equal_weight"
    growth = compared(excel, *books, "growth").drop(columns="note").astype(float)
    yearly = compared(excel, *books, "yearly").drop(columns="note").astype(float)
    np.testing.assert_allclose((1 + yearly).prod(), growth.iloc[-1], rtol=1e-12)
    steps = growth / growth.shift(1, fill_value=1.0) - 1
    active = steps[[run[0], "SAMPLE"]].sub(steps["benchmark"], axis=0)
    shown = compared(excel, *books, "correlation")
    assert float(shown.loc[run[0], "SAMPLE"]) == pytest.approx(active.corr().iloc[0, 1], abs=1e-9)


def test_without_a_benchmark_the_figures_are_absolute(excel):
    shown = compared(
        excel, "SAMPLE", "US_LARGE_CAP", "performance", f"start={START};benchmark=NONE"
    )
    assert "tracking_error" not in shown.index
    assert "benchmark" not in shown.columns


def test_the_holdings_of_a_backtest_at_a_close_are_compared_like_any(excel, run):
    shown = frame(excel.done("compare", run[0], run[0], "position", END)).set_index("name")
    assert float(shown.loc["active_share", "difference"]) == 0.0
    assert shown.loc["CASH", "a"] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "cell", "words"),
    [
        (([[f"P{i}"] for i in range(20)], "Q", "yearly"), VALUE, "There are 21 to compare"),
        (([["SAMPLE"], ["cap_weight"]], "SAMPLE", "yearly"), VALUE, "'SAMPLE' is there twice"),
        (
            ([["SAMPLE"], ["cap_weight"]], "x", "sector"),
            VALUE,
            "by=sector compares two; there are 3",
        ),
        (("SAMPLE", "US_LARGE_CAP", "risk", None, "start=-1Y"), VALUE, "option start is of perf"),
        (("SAMPLE", "NOBODY", "growth"), MISSING, "NOBODY"),
        (("SAMPLE", "quantile:Valeu:5:5", "growth"), VALUE, "Did you mean 'Value'?"),
        (("SAMPLE", "US_LARGE_CAP", "grwth"), VALUE, "Did you mean 'growth'?"),
    ],
)
def test_what_is_wrong_is_said(excel, arguments, cell, words):
    found, text = excel.error("compare", *arguments)
    assert (found, words in text) == (cell, True), text


def test_the_route_is_a_job_with_every_view_of_the_cell(excel, run):
    asked = {"books": [run[0], "SAMPLE"], "start": START, "end": END}
    answer = excel.http.post("/api/v1/compare", json=asked)
    assert answer.status_code == 202, answer.text
    job = ended(excel.http, answer.json()["id"])
    assert job["state"] == "done", job
    views = job["result"]["views"]
    assert list(views) == ["performance", "yearly", "correlation", "growth"]
    table = pd.DataFrame(views["performance"]["data"], columns=views["performance"]["columns"])
    cells = compared(excel, [[run[0]], ["US_LARGE_CAP"]], "SAMPLE", "performance", f"start={START}")
    np.testing.assert_allclose(
        table.set_index("name")["SAMPLE"].astype(float), cells["SAMPLE"].astype(float), rtol=1e-9
    )
    wrong = excel.http.post("/api/v1/compare", json={**asked, "options": {"cost": 5}})
    assert "option must be one of" in wrong.json()["detail"]
