"""The routes for risk, exposures, the check of rules and optimization."""

import pytest

from tilt.optimize.constraints import parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.risk.measures import MEASURES, risk_measure, risk_table

HEADER = ["rule", "who", "min", "max", "relative", "priority"]
RULES = [
    HEADER,
    ["weight", "*", 0, 0.05, None, None],
    ["sector", "*", -0.03, 0.03, "yes", "hard"],
    ["turnover", None, None, 0.2, None, None],
]
PATHS = ["risk", "exposures", "optimize/check", "optimize"]


def test_risk_is_the_engines(api, records, model, benchmark, store):
    weights = store.portfolio("SAMPLE")
    seen = api.ok("POST", "risk", {"holdings": "SAMPLE"})
    for name in MEASURES:
        expected = risk_measure(model, weights, benchmark, name)
        assert seen["measures"][name] == pytest.approx(expected, rel=1e-9), name
    for by, table in seen["tables"].items():
        expected = risk_table(model, weights, benchmark, by=by)
        assert [row["name"] for row in records(table)] == list(expected["name"])
        assert [row["ctr"] for row in records(table)] == pytest.approx(list(expected["ctr"]))
    parts = seen["parts"]
    total = seen["measures"]["tracking_error"]
    assert parts["factor"] ** 2 + parts["specific"] ** 2 == pytest.approx(total**2)


def test_without_a_benchmark_risk_is_absolute(api, records):
    seen = api.ok("POST", "risk", {"holdings": [["AAPL", 1]], "benchmark": "NONE"})
    assert seen["absolute"]
    assert seen["of"] == "volatility"
    total = records(seen["tables"]["position"])[-1]
    assert total["ctr"] == pytest.approx(seen["measures"]["volatility"])


def test_a_portfolio_that_is_its_benchmark_has_no_table_of_risk(api, panel):
    seen = api.ok("POST", "risk", {"holdings": panel.universe})
    assert seen["measures"]["tracking_error"] == pytest.approx(0, abs=1e-9)
    assert seen["tables"] == {}


def test_exposures_add_up_to_active_ones(api, records):
    rows = records(api.ok("POST", "exposures", {"holdings": "SAMPLE"})["exposures"])
    assert len(rows) > 10
    for row in rows:
        assert row["portfolio"] - row["benchmark"] == pytest.approx(row["active"], abs=1e-12)


def test_the_check_reads_each_rule_of_the_portfolio_as_it_is(api, records, store):
    body = {"holdings": "SAMPLE", "constraints": [*RULES[:2], [None] * 6, RULES[3]]}
    rows = records(api.ok("POST", "optimize/check", body)["rules"])
    assert [(r["row"], r["rule"]) for r in rows] == [(2, "weight"), (4, "turnover")]
    assert rows[1]["value"] == 0
    tight = {"holdings": "SAMPLE", "constraints": [["weight", "*", None, 0.02]]}
    (row,) = records(api.ok("POST", "optimize/check", tight)["rules"])
    assert row["status"] == "violated"
    assert row["slack"] == pytest.approx(0.02 - store.portfolio("SAMPLE").max())


def test_the_optimal_weights_are_the_engines(api, records, panel, model, benchmark, store):
    job = api.ended(api.ok("POST", "optimize", {"holdings": "SAMPLE", "constraints": RULES}))
    rules = parse_rules(RULES, securities=panel.securities, factors=model.factor_cov.index)
    held = store.portfolio("SAMPLE")
    expected = solve(Problem("min_te", model, panel.securities, held, benchmark, rules=rules))
    result = job["result"]
    assert result["solved"]
    assert result["value"] == pytest.approx(expected.objective, rel=1e-6)
    weights = {row["ticker"]: row["weight"] for row in records(result["weights"])}
    assert sum(weights.values()) == pytest.approx(held.sum(), abs=1e-6)
    assert max(weights.values()) <= 0.05 + 1e-6
    summary = {row["measure"]: row for row in records(result["summary"])}
    assert summary["turnover"]["after"] <= 0.2 + 1e-6
    assert result["repairs"] == []


def test_the_same_problem_is_not_solved_twice(api):
    body = {"holdings": "SAMPLE", "constraints": [["weight", "*", 0, 0.06]]}
    first = api.ok("POST", "optimize", body)
    assert api.ok("POST", "optimize", body)["id"] == first["id"]
    changed = {**body, "constraints": [["weight", "*", 0, 0.061]]}
    assert api.ok("POST", "optimize", changed)["id"] != first["id"]


def test_every_repair_of_an_impossible_problem_makes_it_possible(api):
    rules = [HEADER, ["weight", "*", 0, 0.004, None, None], ["turnover", None, None, 0.2]]
    body = {"holdings": "SAMPLE", "constraints": rules}
    result = api.ended(api.ok("POST", "optimize", body))["result"]
    assert not result["solved"]
    assert result["trades"] is None
    assert result["refusal"].startswith("No solution:")
    assert result["explain"][0] == result["refusal"]
    assert len(result["repairs"]) >= 2
    for repair in result["repairs"]:
        mended = [list(rule) for rule in rules]
        for change in repair["changes"]:
            row = next(r for r in mended if r[0] == change["rule"])
            row[HEADER.index(change["side"])] = change["to"]
        again = api.ended(
            api.ok(
                "POST", "optimize", {**body, "constraints": mended, "options": repair["options"]}
            )
        )
        assert again["result"]["solved"], repair


def test_an_alpha_may_be_a_factor(api):
    body = {
        "holdings": "SAMPLE",
        "objective": "max_utility",
        "alpha": "Momentum",
        "constraints": RULES,
        "options": {"risk_aversion": 8},
    }
    result = api.ended(api.ok("POST", "optimize", body))["result"]
    assert result["solved"]
    assert result["objective"] == "max_utility"


BAD = {
    "no holdings": ({}, "holdings"),
    "holdings null": ({"holdings": None}, "holdings"),
    "blank": ({"holdings": ""}, "holdings is missing"),
    "no cells": ({"holdings": []}, "holdings is missing"),
    "empty rows": ({"holdings": [[], []]}, ""),
    "unknown portfolio": ({"holdings": "SAMPEL"}, "Did you mean 'SAMPLE'?"),
    "unknown ticker": ({"holdings": [["APPL", 1]]}, "Did you mean 'AAPL'?"),
    "an error cell": ({"holdings": [["AAPL", "#REF!"]]}, "#REF!"),
    "an object in a cell": ({"holdings": [["AAPL", {"a": 1}]]}, "holdings"),
    "odd sum": ({"holdings": [["AAPL", 7]]}, "weights sum to 7"),
    "huge weight": ({"holdings": [["AAPL", 1e308], ["MSFT", 1e308]]}, "weights sum to"),
    "date": ({"holdings": "SAMPLE", "date": "01/02/2016"}, "date"),
    "date before data": ({"holdings": "SAMPLE", "date": "1950-01-01"}, ""),
    "universe": ({"holdings": "SAMPLE", "universe": "MARS"}, "Unknown universe 'MARS'"),
    "benchmark": ({"holdings": "SAMPLE", "benchmark": "MARS"}, "MARS"),
    "unknown member": ({"holdings": "SAMPLE", "holding": 1}, "holding"),
    "ragged": ({"holdings": [["AAPL"], ["MSFT", 1]]}, ""),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_portfolio_is_refused_in_words(api, path, case):
    body, words = BAD[case]
    _, detail = api.refused("POST", path, body)
    assert words in detail


BAD_PROBLEMS = {
    "objective": ({"objective": "min_tee"}, "Did you mean 'min_te'?"),
    "rule": ({"constraints": [["wieght", "*", 0, 0.1]]}, "Did you mean 'weight'?"),
    "who": ({"constraints": [["sector", "Energie", 0, 0.1]]}, "Did you mean 'Energy'?"),
    "text bound": ({"constraints": [["weight", "*", 0, "5%"]]}, "constraints row 1: max"),
    "per cent": ({"constraints": [["weight", "*", 0, 5]]}, "Type 5 % as 0.05"),
    "no bound": ({"constraints": [["weight", "*"]]}, "neither min nor max"),
    "twice": ({"constraints": [["turnover", "", None, 0.1]] * 2}, "given twice"),
    "needs alpha": ({"objective": "max_return"}, "needs alpha"),
    "alpha": ({"objective": "max_utility", "alpha": "Momentun"}, "Did you mean 'Momentum'?"),
    "needs a benchmark": ({"benchmark": "NONE"}, "needs a benchmark"),
    "option": ({"options": {"cahs": 0.1}}, "Did you mean 'cash'?"),
    "option value": ({"options": {"risk_aversion": -1}}, "above zero"),
    "options list": ({"options": [1]}, "options"),
    "constraints text": ({"constraints": "none"}, "constraints"),
}


@pytest.mark.parametrize("path", ["optimize/check", "optimize"])
@pytest.mark.parametrize("case", BAD_PROBLEMS)
def test_a_bad_problem_is_refused_before_any_job(api, path, case):
    body, words = BAD_PROBLEMS[case]
    _, detail = api.refused("POST", path, {"holdings": "SAMPLE", **body})
    assert words in detail


@pytest.mark.parametrize("path", [*PATHS, "uploads", "data/refresh"])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"holdings": NaN}', b'{"a": "\\ud800"}', b"\xff\xfe"],
)
def test_what_is_no_json_object_is_refused(api, path, content):
    more = {"content": content, "headers": {"Content-Type": "application/json"}}
    api.refused("POST", path, **more)


def test_json_of_another_type_is_refused(api):
    api.refused(
        "POST", "risk", content=b'{"holdings":"SAMPLE"}', headers={"Content-Type": "text/plain"}
    )
