"""The routes for data, quality, choices and refresh."""

import pytest


def test_data_describes_the_default_universe(api, panel):
    data = api.ok("GET", "data")
    assert data["universe"] == panel.universe
    assert data["as_of"] == f"{panel.as_of:%Y-%m-%d}"
    assert data["securities"] == len(panel.assets)
    assert data["days"] == len(panel.dates)
    assert data["factors"] == len(panel.factors.factors)
    assert data["survivorship"] == panel.survivorship


def test_universes_are_a_table(api, records, panel):
    (row,) = records(api.ok("GET", "universes")["universes"])
    assert row["name"] == panel.universe
    assert row["last_date"] == f"{panel.as_of:%Y-%m-%d}"


@pytest.mark.parametrize("path", ["data", "quality", "choices"])
def test_an_unknown_universe_is_not_found_and_the_nearest_named(api, path):
    status, detail = api.refused("GET", f"{path}?universe=US_LARGE_KAP")
    assert status == 404
    assert "Did you mean 'US_LARGE_CAP'?" in detail


def test_pages_of_findings_follow_on_each_other(api, records, store):
    first = api.ok("GET", "quality?severity=warning&limit=2")
    second = api.ok("GET", "quality?severity=warning&limit=2&offset=2")
    both = [*records(first["findings"]), *records(second["findings"])]
    expected = store.findings(severity="warning").iloc[::-1].head(4)
    assert [row["ticker"] for row in both] == list(expected["ticker"])
    assert first["total"] == (store.findings()["severity"] == "warning").sum()
    assert sum(first["counts"].values()) == len(store.findings())


def test_findings_are_filtered_by_check_ticker_and_words_in_any_case(api, records, store):
    findings = store.findings()
    frequent = findings["check"].value_counts().index[0]
    shown = api.ok("GET", f"quality?check={frequent.upper()}&limit=1000")
    assert shown["total"] == (findings["check"] == frequent).sum()
    one = findings[findings["ticker"] != ""].iloc[0]
    query = f"ticker={one['ticker'].lower()}&text={one['check'].replace('_', ' ')}"
    rows = records(api.ok("GET", f"quality?{query}&limit=1000")["findings"])
    assert (one["ticker"], one["check"], one["detail"]) in {
        (row["ticker"], row["check"], row["detail"]) for row in rows
    }
    assert {row["ticker"] for row in rows} == {one["ticker"]}


def test_words_must_all_be_there_and_are_taken_as_they_stand(api):
    assert api.ok("GET", "quality?text=split")["total"] > 0
    assert api.ok("GET", "quality?text=split+nosuchword")["total"] == 0
    assert api.ok("GET", "quality?text=.*")["total"] == 0


def test_counts_say_how_many_each_filter_would_leave(api, records, store):
    findings = store.findings()
    answer = api.ok("GET", "quality?severity=error&limit=1")
    checks = records(answer["checks"])
    assert {row["severity"] for row in checks} == {"error"}
    assert sum(row["count"] for row in checks) == answer["counts"]["error"] == answer["total"]
    assert answer["counts"]["warning"] == (findings["severity"] == "warning").sum()
    every = records(api.ok("GET", "quality?limit=1")["checks"])
    ranks = [["error", "warning", "info"].index(row["severity"]) for row in every]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(("given", "near"), [("check=unboked_split", "unbooked_split")])
def test_a_filter_that_finds_nothing_names_what_was_meant(api, given, near):
    answer = api.ok("GET", f"quality?{given}")
    assert answer["total"] == 0
    assert f"Did you mean '{near}'?" in answer["note"]


@pytest.mark.parametrize(
    "query", ["severity=bad", "limit=0", "limit=100000", "offset=-1", "limit=x", "offset=1e99"]
)
def test_a_page_that_makes_no_sense_is_refused(api, query):
    status, detail = api.refused("GET", f"quality?{query}")
    assert status == 422
    assert query.split("=")[0] in detail


def test_choices_are_those_of_the_engine(api, panel):
    offered = api.ok("GET", "choices")
    assert offered["members"]["factor"] == list(panel.factors.factors.index)
    assert set(panel.assets) <= set(offered["members"]["asset"])
    assert "SAMPLE" in offered["portfolios"]


def test_a_refresh_is_a_job_that_ends_with_the_snapshot(api, panel):
    started = api.ok("POST", "data/refresh", {})
    joined = api.ok("POST", "data/refresh", {})
    assert joined["id"] == started["id"] or joined["state"] == "done"
    job = api.ended(started)
    assert job["state"] == "done", job
    assert job["fraction"] == 1.0
    assert job["result"]["as_of"] == f"{panel.as_of:%Y-%m-%d}"
    assert job["result"]["universe"] == panel.universe


@pytest.mark.parametrize("source", ["../etc", "/etc", "~", ".", "", "a/b", "x" * 101, 7])
def test_a_path_is_no_source(api, source):
    status, detail = api.refused("POST", "data/refresh", {"source": source})
    assert status in (400, 422)
    assert "source" in detail


def test_an_unknown_source_fails_the_job_in_words(api):
    job = api.ended(api.ok("POST", "data/refresh", {"source": "nothing here"}))
    assert job["state"] == "failed"
    assert job["error"].startswith("Unknown source 'nothing here'.")
    assert job["result"] is None


def test_a_job_is_canceled_and_stays_so(api):
    started = api.ok("POST", "data/refresh", {})
    canceled = api.ok("DELETE", f"jobs/{started['id']}")
    if canceled["state"] == "done":  # it was faster
        return
    assert canceled["state"] == "canceled"
    assert api.ok("GET", f"jobs/{started['id']}")["state"] == "canceled"
    assert started["id"] in [job["id"] for job in api.ok("GET", "jobs")["jobs"]]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("job", ["0123456789abcdef", "x" * 300, "%00", "..%2f.."])
def test_an_unknown_job_is_not_found(api, method, job):
    status, _ = api.refused(method, f"jobs/{job}")
    assert status == 404


def test_a_write_without_the_client_header_is_refused(api):
    status, detail = api.refused("POST", "data/refresh", {}, headers={"X-Tilt-Client": ""})
    assert status == 403
    assert "X-Tilt-Client" in detail
