"""Universes, members, securities and matches over HTTP, on a copy of the sample."""

import pandas as pd
import pytest

BODY = {"parent": "us_large_cap", "rule": {"top": 50, "cap": 0.05, "buffer": 0.2}}


@pytest.fixture
def largest(api):
    api.ok("PUT", "universes/LARGEST", BODY)
    yield "LARGEST"
    api.ok("DELETE", "universes/LARGEST")


def test_a_preview_counts_the_members_and_saves_nothing(api, records, panel):
    before = api.ok("GET", "universes")["universes"]["data"]
    shown = api.ok("POST", "universes/preview", BODY)
    assert shown["count"] == len(shown["members"]["data"]) == 50
    assert shown["of"] == panel.member.iloc[-1].sum()
    reviews = pd.DataFrame(records(shown["reviews"]))
    assert (reviews["members"].iloc[1:] <= 50).all()
    assert api.ok("GET", "universes")["universes"]["data"] == before


def test_a_saved_universe_is_listed_described_and_deleted(api, records, largest):
    rows = {r["name"]: r for r in records(api.ok("GET", "universes")["universes"])}
    assert (rows[largest]["kind"], rows[largest]["parent"]) == ("rule", "US_LARGE_CAP")
    assert rows["US_LARGE_CAP"]["kind"] == "base"
    one = api.ok("GET", f"universes/{largest}")
    assert (one["rule"]["top"], one["rule"]["rebalance"]) == (50, "Q")
    assert one["words"].startswith("the 50 largest; weighted by market cap, at most 0.05 each")
    assert "Measured: 25.7%" in one["survivorship"]


def test_its_members_are_its_own_and_its_factor_model_is_its_parents(api, records, largest):
    members = records(api.ok("GET", f"members?universe={largest}&limit=10")["members"])
    assert len(members) == 10
    book = {"holdings": [["AAPL", 0.5], ["XOM", 0.5]], "benchmark": "NONE"}
    ours = api.ok("POST", "risk", {**book, "universe": largest})
    parents = api.ok("POST", "risk", book)
    assert ours["universe"] == largest
    volatility = parents["measures"]["volatility"]  # kept with the snapshot, and there to 1e-15
    assert ours["measures"]["volatility"] == pytest.approx(volatility, rel=1e-12)


def test_it_is_a_benchmark_and_holdings_by_its_name(api, records, largest):
    held = api.ok("POST", "risk", {"holdings": largest, "benchmark": "US_LARGE_CAP"})
    assert 0 < held["measures"]["tracking_error"] < 0.1
    itself = api.ok("POST", "exposures", {"holdings": largest, "benchmark": largest})
    assert all(abs(r["active"]) < 1e-12 for r in records(itself["exposures"]))


@pytest.mark.parametrize(
    ("rule", "status", "words"),
    [
        ({"topp": 3}, 400, "Did you mean 'top'"),
        ({"sector": ["Enrgy"]}, 404, "Did you mean 'Energy'"),
        ({"weighting": "float"}, 400, "has no free float"),
        ({"top": -1}, 400, "top: "),
    ],
)
def test_a_wrong_rule_is_refused_by_preview_and_saving_alike(api, rule, status, words):
    for method, path in (("POST", "universes/preview"), ("PUT", "universes/WRONG")):
        got, said = api.refused(method, path, {"rule": rule})
        assert got == status
        assert words in said


@pytest.mark.parametrize("name", ["AAPL", "US_LARGE_CAP", "SAMPLE", "cash"])
def test_a_name_that_formulas_read_otherwise_is_refused(api, name):
    assert api.refused("PUT", f"universes/{name}", {"rule": {"top": 3}})[0] == 400


def test_a_portfolio_is_not_given_the_name_of_a_universe(api, largest):
    body = {"holdings": [["AAPL", 1]]}
    assert api.refused("PUT", f"portfolios/{largest.lower()}", body)[0] == 400


def test_tickers_of_a_list_may_be_spelled_as_people_do(api, records):
    body = {"rule": {"tickers": ["aapl us equity", "NASDAQ:MSFT"]}}
    shown = api.ok("POST", "universes/preview", body)
    assert {r["ticker"] for r in records(shown["members"])} == {"AAPL", "MSFT"}
    assert shown["kind"] == "list"


def test_securities_answer_by_ticker_and_field(api, panel):
    shown = api.ok("GET", "securities?tickers=aapl,BRK/B&fields=name,close")
    table = shown["securities"]
    assert table["index"] == ["AAPL", "BRK.B"]
    assert table["data"][0] == ["Apple Inc.", panel.close["AAPL"].iloc[-1]]
    assert api.refused("GET", "securities?tickers=APPL")[0] == 404
    assert api.refused("GET", "securities?tickers=AAPL&fields=isin")[0] == 404


def test_identifiers_are_matched_with_counts(api, records):
    shown = api.ok("POST", "match", {"ids": ["PCLN", "nothing here", None]})
    assert (shown["matched"], shown["total"]) == (1, 3)
    assert records(shown["matches"])[0]["ticker"] == "BKNG"
    assert api.refused("POST", "match", {"ids": ["A"], "min_confidence": 7})[0] == 422
