"""The frontier through the cell and through the route: one engine, one answer."""

import pytest
from cell_tables import frame
from serving import PATIENCE

from tilt.api.state import enter

RANGE = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
RULES = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.2], ["turnover", None, None, 0.8]]
ALPHA = [["AAPL", 0.06], ["XOM", 0.04], ["JPM", 0.05], ["MSFT", 0.07], ["GE", 0.02], ["KO", 0.03]]


@pytest.fixture(scope="module")
def table(excel):
    return frame(excel("frontier", "min_te", RANGE, RULES, None, ALPHA, 6))


def test_the_cell_gives_risk_and_return_in_rising_order(table):
    assert list(table.columns)[:7] == [
        "risk", "return", "ratio", "turnover", "names", "entering", "leaving",
    ]  # fmt: skip
    assert len(table) == 6
    assert table["risk"].is_monotonic_increasing
    assert table["return"].is_monotonic_increasing
    assert (table["turnover"] <= 0.8 + 1e-6).all()


def test_weights_have_a_column_for_each_point_and_sum_to_the_whole(excel, table):
    shown = frame(excel("frontier", "min_te", RANGE, RULES, None, ALPHA, 6, "view=weights"))
    points = [str(n) for n in range(1, 7)]
    assert list(shown.columns)[:8] == ["ticker", "name", *points]
    assert shown[points].sum().to_numpy() == pytest.approx(1.0, abs=1e-6)
    assert shown[points].max().max() <= 0.2 + 1e-6
    corners = frame(excel("frontier", "min_te", RANGE, RULES, None, ALPHA, 6, "view=corners"))
    entering = ", ".join(str(text) for text in table["entering"])
    assert all(
        row.ticker in entering or "more" in entering
        for row in corners.itertuples()
        if row.change == "enters"
    )


def test_what_is_wrong_is_said_in_the_cell(excel):
    cell, said = excel.error("frontier", "min_te", RANGE, RULES)
    assert (cell, said[:22]) == ("#VALUE!", "A frontier needs alpha")
    cell, said = excel.error("frontier", "min_te", RANGE, RULES, None, ALPHA, 2)
    assert said == "points must be a whole number, 3 to 100; got 2."
    cell, said = excel.error("frontier", "min_te", RANGE, RULES, None, ALPHA, 6, "view=weight")
    assert "Did you mean 'weights'?" in said
    tight = [["weight", "*", None, 0.001]]
    cell, said = excel.error("frontier", "min_te", RANGE, tight, None, ALPHA)
    assert cell == "#N/A"
    assert said.startswith("No solution: 'each weight at most 0.1 %' cannot hold")


def test_the_route_answers_as_a_job_with_the_same_numbers(excel, addin, table):
    body = {"objective": "min_te", "holdings": RANGE, "constraints": RULES, "alpha": ALPHA}
    answer = excel.post("/api/v1/frontier", {**body, "points": 6})
    assert answer.status_code == 202, answer.text
    state = addin.state.tilt.state
    enter(state, "local")
    job = answer.json()
    state.jobs.wait(job["id"], "local", seconds=PATIENCE)
    found = excel.http.get(f"/api/v1/jobs/{job['id']}").json()["result"]
    assert found["axes"] == {"risk": "tracking error", "return": "active return"}
    assert found["refusal"] == ""
    at = found["frontier"]["columns"].index("risk")
    risks = [row[at] for row in found["frontier"]["data"]]
    assert risks == pytest.approx(table["risk"].tolist(), abs=1e-9)
    assert found["current"] == {"AAPL": 0.4, "XOM": 0.35, "JPM": 0.25}
    assert found["benchmark"] == {"risk": 0.0, "return": 0.0}
    assert excel.post("/api/v1/frontier", {**body, "points": 2}).status_code == 422
