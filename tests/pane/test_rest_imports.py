"""Files of data: what is said of them before they are accepted, and what becomes of them then."""

import base64

import pytest

MESSY = """Kurse der Bank;;
;;
Datum;Symbol;Schlusskurs;Volume
15.01.2015;aapl;1.109,50;10.000
16.01.2015;aapl;1.120,25;11.000
15.01.2015;msft;46,10;9.000
16.01.2015;msft;46,55;9.500
"""
NAMES = "ticker,name,sector\nAAPL,Apple Inc.,Technology\n"


def sent(text: str, name: str, **more: str) -> dict[str, str]:
    return {"file": base64.b64encode(text.encode()).decode(), "name": name, **more}


def test_a_messy_file_is_read_and_what_was_detected_is_said(api, records):
    read = api.ok("POST", "uploads/data", sent(MESSY, "kurse.csv", kind="prices"))
    (table,) = records(read["tables"])
    assert table == {
        "name": "prices", "rows": 4, "names": 2, "first": "2015-01-15", "last": "2015-01-16",
    }  # fmt: skip
    said = " ".join(row["text"] for row in records(read["notes"]))
    assert "semicolon" in said or "';'" in said
    rows = records(read["samples"]["prices"])
    assert {row["close"] for row in rows} == {1109.5, 1120.25, 46.1, 46.55}
    assert {row["volume"] for row in rows} == {10_000.0, 11_000.0, 9_000.0, 9_500.0}


def test_a_wide_file_that_does_not_say_what_it_holds_asks_for_it(api, records):
    wide = "date,AAPL,MSFT\n2015-01-15,109.5,46.1\n2015-01-16,110.2,46.5\n"
    status, detail = api.refused("POST", "uploads/data", sent(wide, "x.csv"))
    assert status == 400
    assert "does not say what its values are" in detail
    read = api.ok("POST", "uploads/data", sent(wide, "x.csv", field="close"))
    assert [row["rows"] for row in records(read["tables"])] == [4]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"file": "no base64!", "name": "x.csv"}, "did not arrive whole"),
        (sent("", "x.csv"), "is empty"),
        (sent("a,b\n1,2\n", "x.exe"), "of no kind that can be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(api, body, words):
    status, detail = api.refused("POST", "uploads/data", body)
    assert status == 400
    assert words in detail


def test_an_option_that_is_none_is_refused(api):
    status, detail = api.refused("POST", "uploads/data", sent(MESSY, "x.csv", dates="dmy"))
    assert status == 422
    assert "dates" in detail


def test_nothing_is_kept_of_a_file_that_is_only_looked_at(api, records):
    before = records(api.ok("GET", "universes")["universes"])
    api.ok("POST", "uploads/data", sent(MESSY, "kurse.csv"))
    assert records(api.ok("GET", "universes")["universes"]) == before


def test_an_accepted_file_becomes_a_universe(api, records):
    answer = api.ok("POST", "data/import", sent(MESSY, "kurse.csv", universe="my bank"))
    assert answer["universe"] == "MY BANK"
    (table,) = records(answer["tables"])
    assert (table["table"], table["rows"], table["added"]) == ("prices", 4, 4)
    job = api.ended(answer["job"])
    assert job["state"] == "done", job
    assert job["result"]["universe"] == "MY BANK"
    assert job["result"]["as_of"] == "2015-01-16"
    listed = {row["universe"]: row for row in records(api.ok("GET", "sources")["in_use"])}
    assert listed["MY BANK"]["source"] == "import:MY BANK"
    again = api.ok("POST", "data/import", sent(MESSY, "kurse.csv", universe="my bank"))
    assert [row["added"] for row in records(again["tables"])] == [0]
    assert api.ended(again["job"])["result"]["nothing_new"]


def test_a_refresh_without_a_name_is_of_the_default_universe(api, pane_store):
    body = sent(MESSY, "kurse.csv", universe="loaded last")
    assert api.ended(api.ok("POST", "data/import", body)["job"])["state"] == "done"
    job = api.ok("POST", "data/refresh", {})
    assert job["title"] == f"Refresh {pane_store.snapshot().universe}"
    api.ok("DELETE", f"jobs/{job['id']}")
    listed = api.ok("GET", "snapshots")["snapshots"]
    assert {row[1] for row in listed["data"]} == {pane_store.snapshot().universe}


def test_a_file_without_prices_is_kept_until_there_are_some(api):
    answer = api.ok("POST", "data/import", sent(NAMES, "names.csv", universe="names alone"))
    assert answer["job"] is None
    assert answer["next"].startswith("Kept. There are no prices of NAMES ALONE yet")


def test_data_from_elsewhere_are_not_overwritten_by_a_file(api, pane_store):
    before = pane_store.snapshot().id
    body = sent(MESSY, "kurse.csv", universe=pane_store.snapshot().universe.lower())
    status, detail = api.refused("POST", "data/import", body)
    assert status == 400
    assert "comes from 'sample'. Import under another name" in detail
    assert pane_store.snapshot().id == before


@pytest.mark.parametrize("universe", ["../x", "", "a/b", "*"])
def test_a_name_that_is_none_is_refused(api, universe):
    status, detail = api.refused("POST", "data/import", sent(MESSY, "k.csv", universe=universe))
    assert status == 400
    assert "is no name for data" in detail
