"""OPTIMIZE on many dates, and why a name is held, through the cell and the route."""

import numpy as np
import pytest
from cell_tables import frame
from serving import PATIENCE

from tilt.api.state import enter

RANGE = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
RULES = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.2], ["turnover", None, None, 0.8]]
DATES = "2016-02-29,2016-03-31"
CALL = ("optimize", "min_te", RANGE, RULES, None, None, None)


@pytest.fixture(scope="module")
def ended(excel, addin):
    """Return what a cell shows once the job that it waits for has ended."""

    def ask(*arguments):
        state = addin.state.tilt.state
        enter(state, "local")
        excel.single(*arguments)
        for job in state.jobs.listed("local"):
            if job.pending:
                state.jobs.wait(job.id, "local", seconds=PATIENCE)
        return frame(excel(*arguments))

    return ask


def test_a_list_of_dates_gives_a_row_each_and_the_last_is_solved_as_on_that_day(ended, excel):
    found = ended(*CALL, "summary", f"dates={DATES}")
    assert list(found.columns)[:5] == ["date", "objective", "turnover", "names", "status"]
    assert [f"{d:%Y-%m-%d}" for d in found["date"]] == DATES.split(",")
    assert (found["status"] == "optimal").all()
    assert (found["turnover"] <= 0.8 + 1e-6).all()
    first = frame(excel("optimize", "min_te", RANGE, RULES, None, None, "2016-02-29", "summary"))
    alone = first.set_index("measure").loc["tracking_error", "after"]
    assert found["objective"][0] == pytest.approx(alone, abs=1e-7)
    weights = ended(*CALL, "weights", f"dates={DATES}")
    assert list(weights.columns)[:3] == ["date", "ticker", "weight"]
    np.testing.assert_allclose(weights.groupby("date")["weight"].sum(), 1.0, atol=1e-6)


def test_what_does_not_go_together_is_said(excel):
    cases = (
        ("trades", f"dates={DATES}", "view of many dates must be one of summary, weights"),
        ("summary", f"dates={DATES};schedule=M", "Give option schedule or option dates, not both."),
        ("summary", "start=2016-01-04", "option start needs option schedule: D, W, M, Q or Y."),
        ("summary", "schedule=X", "option schedule must be one of"),
        ("weights", "why=AAPL", "option why goes with view explain; got view 'weights'."),
    )
    for view, options, message in cases:
        cell, said = excel.error(*CALL, view, options)
        assert cell == "#VALUE!"
        assert said.startswith(message)


def test_the_option_why_gives_a_sentence_for_each_name(excel):
    told = frame(excel(*CALL, "explain", [["why", "aapl,KO"], ["exclude", "KO"]]))
    first, second = told["explanation"]
    assert first.startswith("AAPL: ")
    assert second.startswith("KO: Not held: one per cent more would lower tracking error by ")
    assert second.endswith("but 'weight KO at most 0 %' stops it.")


def test_the_route_takes_a_schedule(excel, addin):
    body = {"holdings": RANGE, "constraints": RULES, "schedule": "Q", "end": "2016-03-31"}
    answer = excel.post("/api/v1/optimize/through-time", {**body, "start": "2015-12-31"})
    assert answer.status_code == 202, answer.text
    state = addin.state.tilt.state
    enter(state, "local")
    state.jobs.wait(answer.json()["id"], "local", seconds=PATIENCE)
    found = excel.http.get(f"/api/v1/jobs/{answer.json()['id']}").json()["result"]
    assert [row[0][:10] for row in found["summary"]["data"]] == ["2015-12-31", "2016-03-31"]
    assert found["weights"]["columns"] == ["date", "ticker", "weight"]
    missing = excel.post("/api/v1/optimize/through-time", {"holdings": RANGE})
    assert missing.json()["detail"] == "Give a schedule (D, W, M, Q, Y) or dates."
