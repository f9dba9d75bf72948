"""A saved configuration says what a call leaves out, and its id goes into what comes back."""

import pytest

from tilt.api.configured import Posed, open_posed, pose, posed_problem
from tilt.configuration import read_configuration

CORE = {
    "model": {
        "backtest": {"start": "2016-01-04", "end": "2016-06-30", "rebalance": "Q", "cost_bps": 25},
        "params": {"horizon": "long"},
    },
    "optimization": {
        "objective": "max_utility",
        "constraints": [
            {"rule": "weight", "who": "*", "min": 0.0, "max": 0.05},
            {"rule": "turnover", "max": 0.2},
        ],
        "solver_settings": {"risk_aversion": 8.0, "cash": 0.02},
    },
}
RULES = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.05], ["turnover", None, None, 0.2]]
WINDOW = ["2016-01-04", "2016-06-30", "Q"]


@pytest.fixture
def configure(excel):
    """Return a function that saves a configuration and tells its id."""
    made = []

    def save(name, given):
        answer = excel.http.put(f"/api/v1/configurations/{name}", json=given)
        assert answer.status_code == 200, answer.text
        made.append(name)
        return answer.json()["id"]

    yield save
    for name in set(made):
        excel.http.delete(f"/api/v1/configurations/{name}")


def short(given):
    """Return a configuration with the short horizon, which a call has without one."""
    return {**given, "model": {**given["model"], "params": {}}}


def numbers(table):
    return [[cell for cell in row if isinstance(cell, float)] for row in table]


def ask(excel, *arguments):
    """Return the table of a backtest, waiting for its job."""
    calls = [excel.body("backtest", *arguments)]
    (said,) = excel.post("/xlwings/custom-functions-batch", {"calls": calls, "wait": 60}).json()[
        "results"
    ]
    assert "result" in said, said
    return said["result"]


def run_id(state, name, given):
    """Return the id of a stated problem with the sample portfolio."""
    posed = pose(state, name, given)
    book = open_posed(state, [["SAMPLE"]], posed, None)
    return posed_problem(state, book, posed, None).run_id


def test_a_problem_by_arguments_and_by_configuration_has_the_same_numbers(excel, configure):
    own = configure("Core", short(CORE))
    by_arguments = excel(
        "optimize", "max_utility", "SAMPLE", RULES, None, "Value", None, "weights",
        "risk_aversion=8;cash=0.02",
    )  # fmt: skip
    by_name = excel(
        "optimize", "config", "SAMPLE", None, None, "Value", None, "weights", "config=core"
    )
    assert numbers(by_name) == numbers(by_arguments)
    assert by_name[0][-1] == "note"
    assert by_name[1][-1] == f"Configuration 'core' (id {own})."


def test_what_the_call_gives_wins_and_the_note_says_so(excel, configure):
    configure("Core", short(CORE))
    own = excel("optimize", "min_te", "SAMPLE", RULES, None, None, None, "summary", "cash=0.1")
    mixed = excel(
        "optimize", "min_te", "SAMPLE", None, None, None, None, "summary", "config=Core;cash=0.1"
    )
    assert numbers(mixed) == numbers(own)
    assert mixed[1][-1].endswith("; the call gives objective, cash.")


def test_a_summary_tells_the_configuration_and_another_horizon_has_other_risk(excel, configure):
    configure("Core", short(CORE))
    own = configure("Slow", CORE)
    arguments = ("config", "SAMPLE", None, None, None, None, "summary")
    short_term = excel("optimize", *arguments, "config=Core")
    long_term = excel("optimize", *arguments, "config=Slow")
    assert long_term[1][-1].startswith(f"Configuration 'Slow' (id {own}).")
    assert numbers(long_term) != numbers(short_term)


def test_the_id_of_a_run_is_of_the_configuration_and_of_what_else_went_in(state, configure):
    plain = run_id(state, None, Posed("max_utility", RULES, options={"risk_aversion": 8}))
    given = short(CORE)
    given["optimization"] = {**CORE["optimization"], "solver_settings": {"risk_aversion": 8}}
    configure("Core", given)
    named = run_id(state, "Core", Posed("config"))
    assert named == read_configuration(given).result_id(plain)
    given["optimization"]["performance_targets"] = {"tracking_error": 0.03}
    configure("Core", given)
    assert run_id(state, "Core", Posed("config")) not in {named, plain}


def test_the_rest_interface_takes_a_configuration_by_name(excel, configure):
    configure("Core", short(CORE))
    body = {"holdings": "SAMPLE"}
    options = {"risk_aversion": 8, "cash": 0.02}
    by_arguments = {"objective": "max_utility", "constraints": RULES, "options": options}
    plain = excel.post("/api/v1/optimize/check", {**body, **by_arguments}).json()
    named = excel.post("/api/v1/optimize/check", {**body, "configuration": "Core"}).json()
    assert named["rules"] == plain["rules"]
    assert named["notes"][0].startswith("Configuration 'Core' (id ")
    wrong = excel.post("/api/v1/optimize/check", {**body, "configuration": "Cora"})
    assert wrong.status_code == 404
    assert "Did you mean 'Core'?" in wrong.json()["detail"]


def test_a_backtest_by_arguments_and_by_configuration_has_the_same_numbers(excel, configure):
    own = configure("Core", short(CORE))
    plain = ask(excel, "equal_weight", *WINDOW, None, None, None, "cost_bps=25")
    named = ask(excel, "equal_weight", None, None, None, None, None, None, "config=Core")
    assert numbers(named) == numbers(plain)
    said = ask(excel, "equal_weight", None, None, None, None, None, "assumptions", "config=Core")
    assert said[1][:2] == [
        "configuration",
        f"Configuration 'Core' (id {own}); the call gives strategy.",
    ]


def test_a_backtest_of_the_configurations_objective_keeps_its_rules(excel, configure):
    given = short(CORE)
    given["optimization"] = {
        "objective": "min_risk",
        "constraints": [{"rule": "weight", "who": "*", "min": 0.0, "max": 0.05}],
    }
    configure("Core", given)
    plain = ask(excel, "min_risk", *WINDOW, RULES[:2], None, None, "cost_bps=25")
    named = ask(excel, "config", None, None, None, None, None, None, "config=Core")
    assert numbers(named) == numbers(plain)
    weights = ask(excel, "config", None, None, None, None, None, "weights", "config=Core")
    bought = 0.05 / (1 - 0.0025)  # of what the costs of the opening leave
    assert max(row[2] for row in weights[1:]) <= bought + 1e-6


def test_a_configuration_that_is_not_there_is_an_error_with_the_nearest_name(excel, configure):
    configure("Core book", short(CORE))
    arguments = ("min_te", "SAMPLE", None, None, None, None, None)
    for said in (
        excel.error("optimize", *arguments, "config=Core bok"),
        excel.error("backtest", "equal_weight", *[None] * 6, "config=Core bok"),
    ):
        assert said[0] == "#N/A"
        assert said[1].startswith("No configuration 'Core bok'. Did you mean 'Core book'?")


def test_the_word_config_needs_a_configuration(excel):
    assert excel.error("optimize", "config", "SAMPLE") == (
        "#VALUE!",
        "objective is that of a configuration, and none is named. Give option config=NAME.",
    )
    assert "strategy is that of a configuration" in excel.error("backtest", "config")[1]
    assert "got 5" in excel.error("backtest", "config", *[None] * 6, "config=5")[1]
