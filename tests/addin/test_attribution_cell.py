"""ATTRIBUTION and its route over HTTP, against the engine and against each other."""

import pandas as pd
import pytest
from cell_tables import frame, plain
from serving import ended

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
VALUE_FIFTH = "quantile:Value:5:5"


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


def explained(excel, *arguments):
    table = frame(excel.done("attribution", *arguments))
    return table.set_index(table.columns[0])


def test_a_strategy_is_explained_with_its_costs(excel):
    rows = explained(excel, VALUE_FIFTH, None, START, END, "brinson", None, None, "cost_bps=20")
    total = rows["total"].astype(float)
    assert total["Trading and costs"] < 0
    assert total["Residual"] == pytest.approx(0.0, abs=1e-12)


@pytest.fixture(scope="module")
def run(excel):
    """The run id of a backtest, and the table of its view attribution."""
    asked = (VALUE_FIFTH, START, END, None, None, None)
    ((found,),) = excel.done("backtest", *asked, "stats", "cost_bps=20;run=yes")
    return found, frame(excel.done("backtest", *asked, "attribution", "cost_bps=20"))


def test_a_run_id_is_explained_as_the_view_attribution_has_it(excel, run):
    shown = frame(excel.done("attribution", run[0]))
    pd.testing.assert_frame_equal(shown, run[1])


def test_a_run_is_explained_by_factors_and_positions_to_the_same_return(excel, run):
    active = float(run[1].set_index("group")["total"]["Total"])
    for method, column in (("factor", "contribution"), ("position", "active_contribution")):
        rows = explained(excel, run[0], None, None, None, method)[column].astype(float)
        assert rows["Total"] == pytest.approx(active, abs=1e-12)
        assert rows.drop(["Residual", "Total"]).sum() == pytest.approx(active, abs=1e-10)
        assert rows["Trading and costs"] < 0


def test_some_days_of_a_run_are_explained_and_the_parts_compound_to_the_whole(excel, run):
    middle = "2016-03-31"
    wholes = [
        explained(excel, run[0], None, *window)["return"].astype(float)["Total"]
        for window in ((None, middle), (middle, None), (None, None))
    ]
    assert (1 + wholes[0]) * (1 + wholes[1]) == pytest.approx(1 + wholes[2], abs=1e-12)


def test_risk_forecast_each_month_stands_beside_what_came(excel, run):
    shown = explained(excel, run[0], None, None, None, "forecast")
    days = shown["days"].astype(float)
    assert days["All"] == days.drop("All").sum() == len(pd.bdate_range(START, END)) - 5  # holidays
    months = shown.drop(["All"])
    assert (pd.to_datetime(months["model"]) < pd.to_datetime(months.index)).all()
    assert (months["tracking_error"].astype(float) < months["volatility"].astype(float)).all()
    pd.testing.assert_frame_equal(
        frame(excel.done("backtest", VALUE_FIFTH, START, END, None, None, None, "forecast",
                         "cost_bps=20")).set_index("period"),
        shown,
    )  # fmt: skip


def test_regimes_share_the_days_and_their_means_add_up(excel, run):
    shown = explained(excel, run[0], None, None, None, "regimes")
    parts = shown.drop("All")
    assert set(parts.index) <= {"calm", "turbulent"}
    weighted = (parts["share"].astype(float) * parts["active_return"].astype(float)).sum()
    assert weighted == pytest.approx(float(shown["active_return"]["All"]), abs=1e-12)


def test_top_leaves_the_last_row_of_each_table(excel, run):
    shown = explained(excel, run[0], None, None, None, "forecast", None, None, "top=2")
    assert list(shown.index[-1:]) == ["All"]
    assert len(shown) == 3


def test_an_option_of_the_strategy_is_refused_beside_a_run(excel, run):
    cell, words = excel.error("attribution", run[0], None, None, None, "", "", "", "cost_bps=5")
    assert cell == VALUE
    assert words.startswith("option cost_bps is of a strategy")


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
        (("0123456789ab", None, START, END), MISSING, "No run '0123456789ab' of yours"),
        ((RANGE, None, START, END, "regimes", "sector"), VALUE, "method=regimes has no groups"),
        ((RANGE, None, START, END, "regimes", "", "", "states=4"), VALUE, "2 or 3; got 4"),
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
    asked = {
        "strategy": "equal_weight",
        "start": START,
        "end": END,
        "options": {"cost_bps": 5},
        "benchmark": "index",  # whose weights nobody has told
    }
    answer = excel.http.post("/api/v1/backtest", json=asked)
    assert answer.status_code == 202, answer.text
    body = ended(excel.http, answer.json()["id"])
    assert body["state"] == "done", body
    stats = body["result"]["views"]["stats"]
    assert stats["columns"] == ["measure", "portfolio", "benchmark", "active"]
    explained = ("attribution", "factors", "forecast", "regimes")
    assert [body["result"]["views"][name] for name in explained] == [None] * 4
    assert all("no weights" in body["result"]["problems"][name] for name in explained)
    wrong = excel.http.post("/api/v1/backtest", json={**asked, "strategy": "equal_weigth"})
    assert "Did you mean 'equal_weight'?" in wrong.json()["detail"]
