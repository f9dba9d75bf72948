"""What the server lists of the optimizer, and the curve of tracking error against turnover."""

import pytest

from tilt.optimize.constraints import KINDS
from tilt.optimize.options import OPTIONS
from tilt.optimize.sums import TERMS
from tilt.optimize.terms import OBJECTIVES

RULES = [["weight", "*", 0, 0.05], ["sector", "*", -0.03, 0.03, "yes"]]


@pytest.fixture(scope="module")
def offered(api):
    return api.ok("GET", "choices")


def test_every_objective_option_and_term_of_the_engine_is_offered(offered):
    assert [o["name"] for o in offered["objectives"]] == list(OBJECTIVES)
    assert [o["name"] for o in offered["options"]] == list(OPTIONS)
    assert offered["terms"] == dict(TERMS)


def test_every_objective_has_a_title_of_its_own_and_known_options(offered):
    titles = [o["title"] for o in offered["objectives"]]
    assert len(set(titles)) == len(titles)
    for one in offered["objectives"]:
        assert one["title"] != one["name"].replace("_", " ").capitalize() or " " in one["title"]
        assert set(one["options"]) <= set(OPTIONS)


def test_an_option_says_what_may_be_typed(offered):
    by_name = {o["name"]: o for o in offered["options"]}
    assert by_name["long_short"]["kind"] == "flag"
    assert (
        by_name["risk_aversion"] | {"own": True, "kind": "number", "percent": False}
        == (by_name["risk_aversion"])
    )
    assert by_name["cash"]["percent"]
    assert "clarabel" in by_name["solver"]["choices"]
    assert "Momentum" in by_name["factor"]["choices"]


def test_a_rule_is_offered_where_the_data_can_fill_it(offered):
    members = offered["members"]
    assert {r["name"].split(":")[0] for r in offered["rules"]} <= set(KINDS)
    for rule in offered["rules"]:
        assert not rule["members"] or members[rule["members"]], rule["name"]
    assert {"AAPL", "Energy"} <= set(members["asset"])
    assert {"AAPL", "Energy", "Momentum"} <= set(members["risk"])


def test_the_curve_falls_from_the_holdings_to_the_best_there_is(api, records):
    body = {"holdings": "SAMPLE", "constraints": RULES, "points": 5}
    job = api.ok("POST", "tracking-error", body)
    assert job["context"]["universe"]
    result = api.ended(job)["result"]
    rows = records(result["curve"])
    errors = [row["tracking_error"] for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] <= result["holdings"] + 1e-6
    best = api.ended(api.ok("POST", "optimize", {"holdings": "SAMPLE", "constraints": RULES}))
    assert errors[-1] == pytest.approx(best["result"]["value"], abs=1e-6)


def test_a_curve_needs_a_benchmark_and_a_sensible_number_of_points(api):
    _, detail = api.refused("POST", "tracking-error", {"holdings": "SAMPLE", "benchmark": "NONE"})
    assert "benchmark" in detail
    _, detail = api.refused("POST", "tracking-error", {"holdings": "SAMPLE", "points": 2})
    assert "points" in detail


@pytest.mark.parametrize("above", [0, 1])
def test_rules_in_conflict_are_named_by_the_rows_of_the_table_asked_with(api, above):
    header = [["rule", "who", "min", "max"]][:above]
    rules = [*header, ["weight", "*", 0, 0.004], ["turnover", None, None, 0.2]]
    body = {"holdings": "SAMPLE", "constraints": rules}
    result = api.ended(api.ok("POST", "optimize", body))["result"]
    rows = sorted(result["conflict_rows"], key=lambda found: found["row"])
    assert rows == [{"row": above + i, "side": "max"} for i in (1, 2)]
