"""The routes for sources and snapshots."""

import pytest

from tilt.api.v1.sources import allowed
from tilt.errors import ArgumentError


def test_every_source_says_whether_it_can_be_used_or_why_not_and_the_cure(api, records):
    answer = api.ok("GET", "sources")
    listed = {row["name"]: row for row in records(answer["sources"])}
    assert {"sample", "files", "yahoo"} <= set(listed)
    assert answer["total"] == len(listed)
    assert listed["sample"]["available"]
    for row in listed.values():
        assert row["title"]
        assert row["available"] or (row["reason"] and row["cure"])


def test_the_sources_in_use_say_as_of_when_and_of_which_snapshot(api, records, pane_store):
    snapshot = pane_store.snapshot()
    (row,) = [
        row
        for row in records(api.ok("GET", "sources")["in_use"])
        if row["universe"] == snapshot.universe
    ]
    assert row["source"] == snapshot.source
    assert row["as_of"] == snapshot.as_of.isoformat()
    assert row["snapshot"] == snapshot.id
    assert row["last_refresh"].startswith("20")


def test_a_page_of_sources_holds_no_more_than_asked_for(api, records):
    first = records(api.ok("GET", "sources?limit=1")["sources"])
    second = records(api.ok("GET", "sources?limit=1&offset=1")["sources"])
    assert len(first) == len(second) == 1
    assert first != second


@pytest.mark.parametrize(
    "source",
    [
        "sample",
        "my folder",
        "yahoo:AAPL,BRK.B",
        "bloomberg:AAPL US Equity",
        "merge:BEST",
        "yahoo:AAPL@2015-01-01",
    ],
)
def test_a_vendor_or_a_folder_may_be_asked_for(store, source):
    assert allowed(store, f" {source} ") == source


@pytest.mark.parametrize(
    "source",
    ["files:/etc", "s3://other/bucket", "sql:/srv/secret.toml", "sql:x.toml", "yahoo:../list.txt",
     "yahoo:list.txt", "yahoo:list.CSV@2015-01-01", "yahoo:/etc/passwd",
     "~/x", ".", "a\\b", "x" * 5000],
)  # fmt: skip
def test_no_request_names_a_file_of_the_server(store, source):
    with pytest.raises(ArgumentError, match="source must be"):
        allowed(store, source)


def test_the_snapshots_of_a_universe_come_with_the_current_one_marked(api, records, pane_store):
    answer = api.ok("GET", "snapshots")
    rows = records(answer["snapshots"])
    assert answer["total"] == len(rows) >= 1
    assert [row["id"] for row in rows if row["current"]] == [pane_store.snapshot().id]
    assert {row["universe"] for row in rows} == {pane_store.snapshot().universe}


def test_a_snapshot_compared_with_itself_differs_in_nothing(api, pane_store):
    one = pane_store.snapshot().id
    found = api.ok("GET", f"snapshots/compare?before={one}&after={one}")
    assert found["values_changed"] == found["days_added"] == 0
    assert found["findings_new"] == found["findings_gone"] == {"error": 0, "warning": 0, "info": 0}
    assert found["securities_added"] == found["securities_gone"] == found["values"]["data"] == []


def test_an_unknown_snapshot_is_not_found_and_the_nearest_named(api, pane_store):
    one = pane_store.snapshot().id
    status, detail = api.refused("GET", f"snapshots/compare?before={one}&after={one[:-1]}x")
    assert status == 404
    assert f"Did you mean '{one}'?" in detail


def test_an_unknown_universe_has_no_snapshots(api):
    status, detail = api.refused("GET", "snapshots?universe=US_LARGE_KAP")
    assert status == 404
    assert "Did you mean 'US_LARGE_CAP'?" in detail
