"""What is behind a number: recorded once, told to its owner alone, computed again exactly."""

import re
import time
from dataclasses import replace

import pandas as pd
import pytest
from serving import PATIENCE

from tilt import audit
from tilt.api import runs, traces
from tilt.api.backtests import Asked, run_backtest
from tilt.api.state import enter
from tilt.data import runs as record
from tilt.data.catalog import writing
from tilt.data.store import Store
from tilt.errors import UnknownNameError
from tilt.security.people import assign_roles
from tilt.settings import Settings

HOLDINGS = [["ticker", "weight"], ["AAPL", 0.3], ["XOM", 0.3], ["JPM", 0.2], ["GE", 0.2]]
RULES = [["rule", "who", "min", "max", "relative"], ["weight", "*", 0.0, 0.3, ""],
         ["sector", "*", -0.2, 0.2, "yes"], ["turnover", "", "", 0.4, ""]]  # fmt: skip
IMPOSSIBLE = [["rule", "who", "min", "max"], ["weight", "*", 0.0, 0.05], ["turnover", "", "", 0.01]]
OWNER = "local"
DATED = [["2016-01-29", "AAPL", 0.5], ["2016-01-29", "XOM", 0.5]]


@pytest.fixture(scope="module")
def run_ids(excel):
    """Runs of each kind, as the cells show their ids."""
    rules = [
        ("optimize", "min_te", HOLDINGS, RULES, None, None, None, "trades", "run=yes"),
        ("optimize", "min_te", HOLDINGS, IMPOSSIBLE, None, None, None, "trades", "run=yes"),
        ("frontier", "min_te", HOLDINGS, RULES, None, "Momentum", 3, "run=yes"),
        ("backtest", DATED, "2016-02-01", "2016-03-31", None, None, None, "stats", "run=yes"),
        ("attribution", HOLDINGS, None, "-1M", None, "factor", None, None, "run=yes"),
    ]
    answers = [excel.done(*call) for call in rules]
    names = ("solved", "impossible", "frontier", "backtest", "attribution")
    return {name: answer[0][0] for name, answer in zip(names, answers, strict=True)}


def trace(excel, *arguments):
    """Return what TRACE shows; a client keeps none of it, so no route is compared with another."""
    answer = excel.single("trace", *arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def told(table):
    return {(part, item): value for part, item, value in table[1:]}


def test_the_option_run_shows_an_id_and_the_same_question_has_the_same(excel, run_ids):
    assert all(re.fullmatch(r"[0-9a-f]{12}", run) for run in run_ids.values())
    assert len(set(run_ids.values())) == len(run_ids)
    upside_down = [HOLDINGS[0], *reversed(HOLDINGS[1:])]
    again = excel("optimize", "min_te", upside_down, RULES, None, None, None, "summary", "run=yes")
    assert again == [[run_ids["solved"]]]


def test_a_trace_tells_holdings_rules_options_data_and_versions(excel, run_ids, panel):
    rows = told(trace(excel, run_ids["solved"]))
    assert rows["run", "function"] == "OPTIMIZE"
    assert rows["run", "by"] == "local"
    assert rows["run", "reproducible"].startswith("yes")
    assert rows["data", "universe"] == panel.universe
    assert rows["data", "snapshot"] == panel.snapshot
    assert rows["argument", "date"] == f"{panel.as_of:%Y-%m-%d}"
    assert {t: rows["holdings", t] for t, _ in HOLDINGS[1:]} == dict(HOLDINGS[1:])
    assert rows["rule", "sector *"] == "min -0.2, max 0.2, relative to the benchmark, hard"
    assert rows["rule", "turnover"] == "min none, max 0.4, hard"
    assert rows["default", "cost_bps"] == 10
    assert rows["computed with", "numpy"]
    assert "to 1e-6" in rows["convention", "rules"]


def test_a_trace_tells_what_its_owner_did_with_the_run_and_nothing_of_others(excel, run_ids, store):
    run = run_ids["solved"]
    for who, subject in (("local", "portfolio report"), ("ann", "anns report")):
        actor = audit.Actor(who, "pane")
        with writing(store.catalog) as connection:
            audit.add(connection, [audit.Entry("exported", subject, {}, [run], actor)])
    end = time.monotonic() + PATIENCE
    while True:  # the cell's own entry is written within a second
        rows = [row[1:] for row in trace(excel, run)[1:] if row[0] == "audit"]
        if "computed" in {action for action, _ in rows} or time.monotonic() > end:
            break
    said = dict(rows)
    assert said["computed"].endswith("UTC, cells, tests")
    assert said["exported"].endswith("UTC, portfolio report, pane")
    assert not [words for _, words in rows if "anns" in words]


def again(state, found, owner):
    """Return a run computed again as a worker does it for its owner."""
    return traces.again(*traces.place_of_run(state, found, owner).open(), found)


@pytest.mark.parametrize("kind", ["solved", "impossible", "frontier", "backtest", "attribution"])
def test_a_run_computed_again_from_its_record_has_every_number(state, run_ids, kind):
    found = record.find(state.store.catalog, "local", run_ids[kind])
    table = traces.compared(found, *again(state, found, OWNER))
    assert table["equal"].all(), table
    assert table["numbers"].iloc[-1] > 10
    assert table["table"].iloc[0] == "question"


def test_the_attribution_of_a_users_own_backtest_is_computed_again_as_theirs(state):
    for user in ("ann", "bob"):
        assign_roles(state.store.catalog, user, ["administrator"])
    enter(state, "ann")

    def asked(name, *arguments):
        cell = state.cells[name]
        return cell.call(*cell.read([a if isinstance(a, list) else [[a]] for a in arguments]))

    panel = state.panel(None)
    given = Asked(DATED, "2016-02-01", "2016-03-31", "", None, None, {})
    run = runs.keep_backtest(state, given, run_backtest(state, given, panel))
    shown = asked("attribution", run, None, None, None, "factor", None, None, "run=yes")
    found = record.find(state.store.catalog, "ann", shown)
    assert traces.compared(found, *again(state, found, "ann"))["equal"].all()
    with pytest.raises(UnknownNameError, match=f"'{run}'"):
        again(state, found, "bob")


def test_verify_is_a_job_that_says_so_in_a_cell(excel, run_ids):
    table = trace(excel, run_ids["solved"], "verify")
    assert table[0] == ["table", "rows", "numbers", "equal"]
    assert [row[0] for row in table[1:]] == ["question", "weights", "trades", "summary", "all"]
    assert all(row[3] is True for row in table[1:])


def test_verify_sees_a_number_that_differs_in_its_last_bit(state, run_ids):
    found = record.find(state.store.catalog, "local", run_ids["backtest"])
    run, tables = again(state, found, OWNER)
    data = [list(row) for row in tables["series"]["data"]]
    data[3][1] = data[3][1] * (1 + 2.3e-16)
    changed = {**tables, "series": {**tables["series"], "data": data}}
    table = traces.compared(found, run, changed).set_index("table")
    assert not table.loc["series", "equal"]
    assert not table.loc["all", "equal"]
    assert table.loc["stats", "equal"]


def test_a_run_without_an_id_lists_the_latest_ones(excel, run_ids):
    table = trace(excel)
    assert table[0] == ["run_id", "function", "subject", "universe", "snapshot", "at", "version"]
    assert set(run_ids.values()) <= {row[0] for row in table[1:]}
    short = trace(excel, None, None, "top=2")
    assert len(short) == 3


def test_an_unknown_id_is_an_error_that_says_what_an_id_is(excel):
    problem = excel.single("trace", "0123456789ab").json()
    assert problem["cell"] == "#N/A"
    assert "No run '0123456789ab' of yours" in problem["detail"]


def test_another_users_run_is_unknown(state, run_ids):
    assert traces.trace_table(state, run_ids["solved"]) is not None
    enter(state, "somebody else")
    for ask in (traces.trace_table, traces.verify):
        with pytest.raises(UnknownNameError, match="of yours is on record"):
            ask(state, run_ids["solved"])
    assert traces.listed_runs(state, most=10).empty
    with pytest.raises(UnknownNameError):
        runs.backtest_of(state, run_ids["backtest"])


def test_http_lists_tells_and_computes_again(excel, run_ids):
    run = run_ids["backtest"]
    listed = excel.http.get("/api/v1/runs", params={"limit": 3}).json()["runs"]
    assert listed["columns"][0] == "run_id"
    assert len(listed["data"]) == 3
    body = excel.http.get(f"/api/v1/runs/{run}").json()
    assert body["function"] == "BACKTEST"
    assert body["question"]["strategy"] == DATED
    assert body["reproducible"] is True
    assert excel.http.get("/api/v1/runs/0123456789ab").status_code == 404
    job = excel.http.post(f"/api/v1/runs/{run}/verify")
    assert job.status_code == 202
    assert set(job.json()) >= {"id", "state"}


def test_what_the_pane_and_http_compute_is_on_record_and_keeps_its_question_apart(excel, state):
    body = {"holdings": HOLDINGS, "objective": "min_te", "constraints": RULES[1:]}
    job = excel.http.post("/api/v1/optimize", json=body).json()
    ended = state.jobs.wait(job["id"], "local", seconds=PATIENCE)
    assert ended.state == "done"
    result = excel.http.get(f"/api/v1/jobs/{job['id']}").json()["result"]
    assert runs.QUESTION not in result
    found = record.find(state.store.catalog, "local", result["run_id"])
    assert traces.compared(found, *again(state, found, OWNER))["equal"].all()


def test_a_run_whose_snapshot_is_gone_says_so(state, run_ids):
    found = record.find(state.store.catalog, "local", run_ids["solved"])
    lost = replace(found, id="ffffffffffff", snapshot="0" * 12)
    record.record(state.store.catalog, "local", lost)
    table = traces.trace_table(state, lost.id).set_index(["part", "item"])["value"]
    assert table["run", "reproducible"] == "no, its snapshot was removed"
    with pytest.raises(UnknownNameError, match=r"cannot be computed again: snapshot 0{12}"):
        traces.verify(state, lost.id)


def test_what_is_on_record_never_changes_and_the_oldest_make_room(tmp_path, monkeypatch):
    store = Store.open(Settings(data_url=str(tmp_path)))
    made = [
        record.Run(f"{i:012x}", "OPTIMIZE", "x", "U", "s", {}, {}, (), "1",
                   {}, pd.Timestamp(2020, 1, 1 + i, tz="UTC").to_pydatetime())
        for i in range(5)
    ]  # fmt: skip
    monkeypatch.setattr(record, "MOST", 3)
    for run in made:
        record.record(store.catalog, "ann", run)
    record.record(store.catalog, "ann", replace(made[4], subject="another"))
    kept = record.listed(store.catalog, "ann", most=10)
    assert list(kept["run_id"]) == [made[i].id for i in (4, 3, 2)]
    assert set(kept["subject"]) == {"x"}
    store.close()
