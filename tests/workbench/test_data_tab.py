"""The data side of the add-in, worked once in the workbench in Chromium, over its own store."""

import shutil
from pathlib import Path

import pytest
from serving import listening, run_node

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.settings import Settings

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
MESSY = """Kurse der Bank;;
;;
Datum;Symbol;Schlusskurs;Volume
15.01.2015;aapl;1.109,50;10.000
16.01.2015;aapl;1.120,25;11.000
15.01.2015;msft;46,10;9.000
16.01.2015;msft;46,55;9.500
"""
OWN_SHEETS = {
    "as_of": "Tilt Data",
    "quality": "Tilt Quality",
    "load_holdings": "Tilt Inputs",
    "check": "Tilt Check",
    "compare": "Tilt Compare",
}


@pytest.fixture(scope="module")
def own(store, sample_settings, tmp_path_factory) -> Settings:
    """Settings of a copy of the sample's store, which this session changes."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("data_tab") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    return Settings(data_url=str(folder))


@pytest.fixture(scope="module")
def seen(built, own, tmp_path_factory):
    """What somebody saw who worked the data side once; every test looks at its own part."""
    assert (built / "office.js").is_file()
    file = tmp_path_factory.mktemp("files") / "kurse.csv"
    file.write_text(MESSY)
    with listening(create_app(own)) as address:
        return run_node(HERE / "data_tab.mjs", address, str(file))


@pytest.fixture(scope="module")
def findings(store):
    return store.findings()


def cells(sheet):
    """Return every value of a sheet."""
    return [value for row in sheet.values() for value in row.values()]


def test_the_sheet_data_opens_with_universes_members_prices_and_counts(seen, findings, panel):
    sheet = seen["data"]
    counted = {sheet[str(row)]["0"]: sheet[str(row)]["1"] for row in (6, 7, 8)}
    assert counted == findings["severity"].value_counts().to_dict()
    values = cells(sheet)
    assert panel.universe in values
    largest = panel.cap_weights(panel.as_of).nlargest(20).index
    assert set(largest) <= set(values)
    assert not [v for v in values if str(v).startswith(("#VALUE", "#NAME", "#SPILL"))]


def test_the_sheet_match_says_what_messy_identifiers_are(seen):
    rows = seen["match"].values()
    taken = {row["2"]: row.get("3") for row in rows if "2" in row}
    assert taken["BRK/B"] == "BRK.B"
    assert "given" in taken


def test_findings_are_filtered_and_counted(seen, findings):
    told = seen["findings"]
    assert told["all"] == f"6 of {len(findings)} shown, the newest first"
    assert told["split"].startswith("1 of 1 shown")
    (split,) = findings[findings["check"] == "unbooked_split"].to_dict(orient="records")
    assert split["ticker"] in told["item"]
    assert split["action"] in told["item"]
    assert told["none"] == "No finding fits these filters."


def test_filtered_findings_are_written_as_a_formula_that_shows_them(seen, findings):
    assert seen["findings"]["written"] == "Written to the sheet Tilt Findings."
    values = cells(seen["findings"]["sheet"])
    (split,) = findings[findings["check"] == "unbooked_split"].to_dict(orient="records")
    assert {"date", "ticker", "check", "severity", "detail", "action"} <= set(values)
    assert {split["ticker"], split["detail"], split["action"]} <= set(values)


def test_sources_say_whether_they_can_be_used(seen):
    assert "US_LARGE_CAP from sample" in seen["sources"]["used"]
    assert "Yahoo" in seen["sources"]["known"]
    assert "ready" in seen["sources"]["known"]


def test_a_refresh_shows_how_far_it_is_and_how_it_ended(seen):
    assert "%" in seen["refresh"]["running"]
    assert "Cancel" in seen["refresh"]["running"]
    assert seen["refresh"]["end"] == "Nothing has changed since the last refresh."


def test_a_universe_by_rule_is_counted_while_it_is_typed_and_used_in_a_formula(seen):
    made = seen["universe"]
    assert made["counted"].startswith("10 members now of ")
    assert "top" in made["wrong"]
    assert made["saved"].startswith("Big Ten is saved.")
    assert made["used"]["value"] == 10
    assert "by rule" in made["listed"]


def test_a_universe_is_deleted_after_a_question(seen):
    assert seen["removed"]["asked"] == "Delete Big Ten?"
    assert seen["removed"]["gone"] == "Big Ten is deleted."
    assert seen["removed"]["left"] == 1


def test_what_was_made_of_a_messy_file_is_shown_before_it_is_accepted(seen):
    told = seen["file"]
    assert "4 rows, 2 names, 2015-01-15 to 2015-01-16" in told["read"]
    assert "1109.5" in told["sample"]
    assert told["notes"]


def test_an_accepted_file_is_a_universe_that_formulas_know(seen, own):
    opened = Store.open(own)
    try:
        assert opened.snapshot("MY BANK").source == "import:MY BANK"
    finally:
        opened.close()
    assert seen["file"]["end"].startswith("New data is here, as of 2015-01-16.")
    assert seen["file"]["cell"]["value"] == 42020  # 2015-01-16


def test_the_current_snapshot_is_marked_and_those_of_other_universes_are_not_listed(seen, store):
    assert store.snapshot().id in seen["snapshots"]
    assert "MY BANK" not in seen["snapshots"]


@pytest.mark.parametrize("button", [*OWN_SHEETS, "refresh"])
def test_a_button_says_what_it_did(seen, button):
    pressed = seen["buttons"][button]
    assert pressed["kind"] == "done", pressed
    assert pressed["text"].endswith(".")


@pytest.mark.parametrize(("button", "sheet"), OWN_SHEETS.items())
def test_a_button_writes_its_own_sheet_in_one_undo_step(seen, button, sheet):
    pressed = seen["buttons"][button]
    assert sheet in pressed["text"] or button == "load_holdings"
    assert pressed["undone"] == pressed["added"]


def test_refresh_is_of_the_default_universe_whatever_was_loaded_last(seen, store):
    said = seen["buttons"]["refresh"]["text"]
    assert said.startswith(f"The data are current already: {store.snapshot().universe}, as of ")


def test_nothing_fails_on_the_page(seen):
    assert seen["errors"] == []
