"""ATTRIBUTION and its route over HTTP, against the engine and against each other."""

import time

import pandas as pd
import pytest
from cell_tables import frame, plain

from tilt.backtest.held import track_of_universe, track_of_weights

START, END = "2016-01-04", "2016-06-30"
RANGE = [
    ["ticker", "weight", "desk"],
    ["AAPL", 0.4, "tech"],
    ["XOM", 0.35, "old"],
    ["JPM", 0.2, "old"],
]
WEIGHTS = pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.2})
VALUE, MISSING = "#VALUE!", "#N/A"


@pytest.fixture(scope="module")
def active(panel):
    first, last = pd.Timestamp(START), pd.Timestamp(END)
    mine = track_of_weights(panel, {first: WEIGHTS}, first, last)
    base = track_of_universe(panel, first, last)
    return float((1 + mine.earned).prod() - (1 + base.earned).prod())


def shown(excel, *arguments):
    table = frame(excel("attribution", *arguments))
    return table.set_index(table.columns[0])


@pytest.mark.parametrize("link", ["carino", "menchero", "grap", "frongello"])
def test_the_total_is_the_compounded_active_return(excel, active, link):
    table = shown(excel, RANGE, None, START, END, None, None, None, f"link={link}")
    total = table["total"].astype(float)
    assert total["Total"] == pytest.approx(active, abs=1e-12)
    assert total["Residual"] == pytest.approx(0.0, abs=1e-12)
    assert total.drop(["Residual", "Total"]).sum() == pytest.approx(active, abs=1e-12)
    assert "Cash" in table.index


def test_a_column_of_the_range_groups_its_names(excel):
    table = shown(excel, RANGE, [["MSFT", 0.5], ["AAPL", 0.5]], START, END, "brinson", "desk")
    assert list(table.index) == ["No group", "old", "tech", "Cash", "Residual", "Total"]
    assert float(table["benchmark_weight"]["tech"]) > 0  # AAPL has its desk in both books


def test_factors_and_positions_explain_the_same_return(excel, active):
    for method, column in (("factor", "contribution"), ("position", "active_contribution")):
        values = shown(excel, RANGE, None, START, END, method)[column].astype(float)
        assert values["Total"] == pytest.approx(active, abs=1e-12)
        assert values.drop(["Residual", "Total"]).sum() == pytest.approx(active, abs=1e-10)


def test_a_dated_range_is_traded_on_its_dates(excel, panel):
    dated = [
        ["date", "ticker", "weight"],
        [START, "AAPL", 1.0],
        ["2016-03-31", "XOM", 1.0],
    ]
    table = shown(excel, dated, "NONE", None, END, "position")
    first, turn, last = (pd.Timestamp(d) for d in (START, "2016-03-31", END))
    returns = panel.returns
    grown = (1 + returns.loc[first:turn, "AAPL"].iloc[1:]).prod()
    grown *= (1 + returns.loc[turn:last, "XOM"].iloc[1:]).prod()
    assert float(table["contribution"]["Total"]) == pytest.approx(grown - 1, abs=1e-12)


def test_the_universe_against_itself_has_nothing_to_explain(excel, panel):
    table = shown(excel, panel.universe, None, START, END)
    assert float(table["total"]["Total"]) == 0.0


def test_a_strategy_is_explained_with_its_costs(excel):
    arguments = ("quantile:Value:5:5", None, START, END, "brinson", None, None, "cost_bps=20")
    for _ in range(300):
        answer = excel.single("attribution", *arguments)
        if answer.status_code != 503:
            break
        time.sleep(0.2)
    assert answer.status_code == 200, answer.text
    table = frame(answer.json()["result"])
    rows = table.set_index("group")["total"].astype(float)
    assert rows["Trading and costs"] < 0
    assert rows["Residual"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "cell", "words"),
    [
        ((RANGE, None, START, END, "brinsen"), VALUE, "Did you mean 'brinson'?"),
        ((RANGE, None, START, END, "brinson", "sektor"), VALUE, "Did you mean 'sector'?"),
        ((RANGE, None, START, END, "factor", "sector"), VALUE, "by must be one of factor, group"),
        ((RANGE, None, START, END, "", "", "", "link=carinho"), VALUE, "Did you mean 'carino'?"),
        ((RANGE, None, END, START), VALUE, "There is no return between"),
        ((RANGE, "NOBODY", START, END), MISSING, "NOBODY"),
        (([["AAPL", "#REF!"]], None, START, END), VALUE, "holdings row 1: weight is #REF!"),
        (("quantile:Valeu:5:1", None, START, END), VALUE, "Did you mean 'Value'?"),
    ],
)
def test_what_is_wrong_is_said(excel, arguments, cell, words):
    found, text = excel.error("attribution", *arguments)
    assert (found, words in text) == (cell, True), text


def test_the_route_gives_the_table_of_the_cell(excel, active):
    asked = {"holdings": RANGE, "start": START, "end": END, "method": "factor"}
    answer = excel.http.post("/api/v1/attribution", json=asked)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    rows = pd.DataFrame(body["table"]["data"], columns=body["table"]["columns"])
    cells = shown(excel, RANGE, None, START, END, "factor")["contribution"]
    assert [plain(v) for v in rows["contribution"]] == pytest.approx(
        [float(v) for v in cells], abs=1e-15
    )
    assert body["portfolio"] - body["benchmark"] == pytest.approx(active, abs=1e-12)
    assert body["start"] == "2016-01-05"
    assert body["against"].startswith("cap-weighted")


def test_a_backtest_over_the_route_has_every_view(excel):
    asked = {"strategy": "equal_weight", "start": START, "end": END, "options": {"cost_bps": 5}}
    answer = excel.http.post("/api/v1/backtest", json=asked)
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    for _ in range(300):
        body = excel.http.get(f"/api/v1/jobs/{job}").json()
        if body["state"] not in {"waiting", "running", "queued"}:
            break
        time.sleep(0.2)
    assert body["state"] == "done", body
    stats = body["result"]["views"]["stats"]
    assert stats["columns"] == ["measure", "portfolio", "benchmark", "active"]
    wrong = excel.http.post("/api/v1/backtest", json={**asked, "strategy": "equal_weigth"})
    assert "Did you mean 'equal_weight'?" in wrong.json()["detail"]
