"""SWEEP: each of its backtests is the one that BACKTEST runs, and all of them count as trials."""

import pandas as pd
import pytest
from cell_tables import frame
from serving import ended

START, END = "2016-01-04", "2016-09-30"
BOOK = "Sweep.xlsx"


@pytest.fixture
def ask(excel):
    def asked(name, *arguments, book=BOOK):
        return frame(excel.done(name, *arguments, book=book))

    return asked


def heat(ask, options="", measure="sharpe", **book):
    return ask(
        "sweep", "quantile:{factor}:5:5", "factor=Value,Momentum", "cost_bps=0,40", START, END,
        "M", "NONE", measure, options or None, **book,
    )  # fmt: skip


def test_a_heat_map_holds_the_figure_of_each_backtest(ask):
    table = heat(ask, measure="volatility_period").set_index("factor").astype(float)
    assert list(table.columns) == ["0", "40"]
    for factor in ("Value", "Momentum"):
        for bps in (0, 40):
            stats = ask(
                "backtest", f"quantile:{factor}:5:5", START, END, "M", None, "NONE", "stats",
                f"cost_bps={bps}", book="Elsewhere.xlsx",
            )  # fmt: skip
            expected = float(stats.set_index("measure")["portfolio"]["volatility_period"])
            assert table.loc[factor, str(bps)] == pytest.approx(expected, rel=1e-9)


def test_costs_only_cost(ask):
    table = heat(ask, measure="total_return").set_index("factor").astype(float)
    assert (table["40"] < table["0"]).all()


def test_every_backtest_of_a_sweep_is_a_trial_of_the_workbook(ask):
    heat(ask, book="Counting.xlsx")
    trials = ask(
        "backtest", "equal_weight", START, END, "M", None, "NONE", "trials", book="Counting.xlsx"
    )
    assert len(trials) == 5
    honest = heat(ask, options="view=overfitting", book="Counting.xlsx")
    values = honest.set_index("measure")["value"].astype(float)
    assert values["trials"] == 4
    assert 0.0 <= values["pbo"] <= 1.0


def test_a_list_names_the_parameters_of_each_row(ask):
    table = heat(ask, options="view=list", measure="total_return")
    assert list(table.columns[:3]) == ["factor", "cost_bps", "total_return"]
    assert table["factor"].tolist() == ["Value", "Value", "Momentum", "Momentum"]


def test_capacity_is_a_sweep_over_the_capital(ask):
    table = ask(
        "sweep", "quantile:Reversal:5:5", "capital=1e6,1e8,1e10", None, START, END, "M", "NONE",
        "total_return", "impact=1",
    ).set_index("capital").astype(float)  # fmt: skip
    returns = table["total_return"].tolist()
    assert returns[0] > returns[1] > returns[2]


def test_a_backtest_that_fails_leaves_the_others(ask):
    table = ask(
        "sweep",
        "quantile:Value:{buckets}:1",
        "buckets=5,100000",
        None,
        START,
        END,
        "M",
        "NONE",
        "volatility_period",
    )
    assert table["volatility_period"].isna().tolist() == [False, True]
    assert "buckets must be a whole number" in table["note"].iloc[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("equal_weight", "factor"), "rows must be a parameter and its values"),
        (("equal_weight", "factr=Value"), "'factr' is no {factr} of the strategy"),
        (("equal_weight", "cost_bp=1,2"), "Did you mean 'cost_bps'?"),
        (("equal_weight", "lag=1,1"), "rows has the value '1' twice"),
        (("equal_weight", "lag=1,2", "lag=1,2"), "rows and columns both change 'lag'"),
        (("quantile:{f}:5:1", "f=Valeu"), "Did you mean 'Value'?"),
        (("equal_weight", "lag=1,2", *[None] * 5, "sharp"), "Did you mean 'sharpe'?"),
        (("equal_weight", "lag=1,2", *[None] * 6, "view=heats"), "Did you mean 'heat'?"),
    ],
)
def test_what_is_wrong_is_said_at_once(excel, arguments, words):
    cell, text = excel.error("sweep", *arguments)
    assert (cell, words in text) == ("#VALUE!", True), text


def test_the_route_is_a_job_with_the_views_of_the_cell_and_its_trials(ask, excel):
    book = "Route.xlsx"
    asked = {
        "strategy": "quantile:{factor}:5:5", "rows": "factor=Value,Momentum",
        "columns": "cost_bps=0,40", "start": START, "end": END, "rebalance": "M",
        "benchmark": "NONE", "workbook": book, "measure": "volatility_period",
    }  # fmt: skip
    answer = excel.http.post("/api/v1/sweep", json=asked)
    assert answer.status_code == 202, answer.text
    job = ended(excel.http, answer.json()["id"])
    assert job["state"] == "done", job
    shown = job["result"]["views"]["heat"]
    there = pd.DataFrame(shown["data"], columns=shown["columns"])
    here = heat(ask, measure="volatility_period", book=book)
    pd.testing.assert_frame_equal(there, here, check_dtype=False)
    given = "quantile:Value:5:5", START, END, "M", None, "NONE", "trials"
    trials = ask("backtest", *given, book=book)
    assert len(set(job["result"]["run_ids"])) == 4
    assert len(trials) == 4 + 1  # the one that was asked for last has the usual costs


def test_the_route_says_at_once_what_is_wrong(excel):
    asked = {"strategy": "equal_weight", "rows": "cost_bp=1,2", "start": START, "end": END}
    for wrong, right in (({}, "cost_bps"), ({"rows": "lag=1,2", "measure": "sharp"}, "sharpe")):
        answer = excel.http.post("/api/v1/sweep", json={**asked, **wrong})
        assert answer.status_code == 400
        assert f"Did you mean '{right}'?" in answer.json()["detail"]
