"""The routes for stress, losses, liquidity, regimes, health and trades that are not made yet."""

import pytest

from tilt.portfolio.compare import what_if
from tilt.risk.liquidity import average_dollar_volume, days_to_exit, share_out
from tilt.risk.stress import named_window, replay, stress

BODIES = {
    "risk/stress": {"shocks": [["Market", -0.1]]},
    "risk/scenarios": {},
    "risk/tail": {},
    "risk/liquidity": {"value": 1e8},
    "risk/regime": {},
    "risk/health": {},
    "risk/what-if": {"trades": [["AAPL", 0.01]]},
}


@pytest.fixture(scope="module")
def held(store):
    return store.portfolio("SAMPLE")


def test_a_stress_is_the_engines(api, records, model, held, benchmark):
    shocks = {"Market": -0.1, "Energy": -0.05}
    body = {"holdings": "SAMPLE", "shocks": [list(s) for s in shocks.items()], "others": "zero"}
    answer = api.ok("POST", "risk/stress", body)
    expected = stress(model, held, benchmark, shocks, others="zero")
    rows = records(answer["table"])
    assert [row["name"] for row in rows] == expected["name"].tolist()
    assert [row["pnl"] for row in rows] == pytest.approx(expected["pnl"].tolist())
    assert answer["notes"] == ["Weights sum to 98 %. The missing 2 % counts as cash."]


def test_a_window_of_the_past_is_replayed_alone_and_in_the_library(
    api, records, panel, model, held
):
    given = {"holdings": "SAMPLE", "benchmark": "NONE"}
    answer = api.ok("POST", "risk/stress", {**given, "scenario": "brexit"})
    total = records(answer["table"])[-1]["pnl"]
    expected = replay(model, panel.factors, held, None, named_window("brexit"))
    assert total == pytest.approx(expected["pnl"].iloc[-1])
    library = records(api.ok("POST", "risk/scenarios", given)["table"])
    assert {row["name"]: row["pnl"] for row in library}["brexit"] == pytest.approx(total)


@pytest.mark.parametrize("more", [{}, {"shocks": [["Market", -0.1]], "scenario": "brexit"}])
def test_a_stress_is_either_shocks_or_a_scenario(api, more):
    _, detail = api.refused("POST", "risk/stress", {"holdings": "SAMPLE", **more})
    assert "either shocks" in detail


def test_three_tails_are_ordered_by_confidence(api, records):
    found = {}
    for confidence in (0.95, 0.99):
        body = {"holdings": "SAMPLE", "confidence": confidence, "horizon": 10}
        rows = records(api.ok("POST", "risk/tail", body)["table"])
        assert [row["method"] for row in rows] == ["parametric", "historical", "montecarlo"]
        assert all(0 < row["var"] < row["cvar"] for row in rows)
        found[confidence] = [row["var"] for row in rows]
    assert all(low < high for low, high in zip(found[0.95], found[0.99], strict=True))


def test_liquidity_lists_positions_and_what_is_out(api, records, panel, held):
    answer = api.ok("POST", "risk/liquidity", {"holdings": "SAMPLE", "value": 1e9})
    volume = average_dollar_volume(panel.close, panel.volume, panel.as_of)
    expected = days_to_exit(held, volume, 1e9)
    rows = records(answer["table"])
    assert [row["ticker"] for row in rows] == expected["ticker"].tolist()
    assert [one["days"] for one in answer["out"]] == [1, 5, 20]
    shares = [share_out(expected, days) for days in (1, 5, 20)]
    assert [one["share"] for one in answer["out"]] == pytest.approx(shares)


def test_a_regime_has_a_state_a_probability_and_a_beginning(api, records, panel):
    answer = api.ok("POST", "risk/regime", {"holdings": "SAMPLE"})
    assert answer["state"] in {"calm", "turbulent"}
    assert 0.5 <= answer["probability"] <= 1
    assert answer["filtered"] is True
    series = records(answer["series"])
    assert series[-1]["date"] == f"{panel.as_of:%Y-%m-%d}"
    wild = series[-1]["turbulent"]
    assert answer["probability"] == pytest.approx(max(wild, 1 - wild))
    calm, turbulent, every = records(answer["table"])
    assert calm["volatility"] < every["volatility"] < turbulent["volatility"]
    assert calm["days"] + turbulent["days"] == every["days"]


def test_health_judges_this_portfolio_among_others(api, records):
    rows = {r["measure"]: r for r in records(
        api.ok("POST", "risk/health", {"holdings": "SAMPLE"})["table"]
    )}  # fmt: skip
    own = rows["bias_portfolio"]
    inside = own["low"] <= own["value"] <= own["high"]
    assert (own["verdict"] == "in the band") == inside


def test_trades_that_are_not_made_show_before_and_after(api, records, model, held, benchmark):
    body = {"holdings": "SAMPLE", "trades": [["AAPL", 0.01], ["MSFT", -0.01]], "fund": "prorata"}
    rows = records(api.ok("POST", "risk/what-if", body)["table"])
    expected = what_if(model, held, {"AAPL": 0.01, "MSFT": -0.01}, benchmark, fund="prorata")
    assert [row["measure"] for row in rows] == expected["measure"].tolist()
    for row, want in zip(rows, expected["after"], strict=True):
        assert row["after"] == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"holdings": [["APPL", 1]]}, "Did you mean 'AAPL'?"),
        ({"holdings": "SAMPLE", "universe": "MARS"}, "Unknown universe 'MARS'"),
        ({"holdings": "SAMPLE", "date": "01/02/2016"}, "date"),
        ({"holdings": "SAMPLE", "more": 1}, "more"),
        ({"holdings": [[], []]}, "holdings"),
    ],
)
def test_a_bad_portfolio_is_a_problem_in_words(api, path, given, words):
    _, detail = api.refused("POST", path, {**BODIES[path], **given})
    assert words in detail


@pytest.mark.parametrize(
    ("path", "more", "words"),
    [
        ("risk/stress", {"shocks": [["Market", -10]]}, "minus 20 % is -0.2"),
        ("risk/stress", {"scenario": "brexitt"}, "brexit"),
        ("risk/stress", {"shocks": [["Market", -0.1]], "others": "some"}, "others"),
        ("risk/tail", {"confidence": 95}, "type 0.95, not 95"),
        ("risk/tail", {"horizon": 0}, "horizon"),
        ("risk/liquidity", {"value": -1}, "value must be above 0"),
        ("risk/liquidity", {}, "value"),
        ("risk/what-if", {"trades": []}, "trades"),
        ("risk/what-if", {"trades": [["AAPL", 0]]}, "There is no trade"),
    ],
)
def test_a_bad_question_is_a_problem_in_words(api, path, more, words):
    _, detail = api.refused("POST", path, {"holdings": "SAMPLE", **more})
    assert words in detail


def test_the_schema_describes_every_route(api):
    schema = api.http.get("/openapi.json").json()
    for path in BODIES:
        about = schema["paths"][f"/api/v1/{path}"]["post"]
        assert about["description"].endswith(".")
        assert about["requestBody"]
