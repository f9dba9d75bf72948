"""What a user of the add-in gets, seen through the page's own JavaScript in real Chromium."""

import json
import math
import urllib.request

import pytest

from tilt.risk.measures import risk_measure, risk_table
from tilt.risk.model import estimate_model

pytestmark = pytest.mark.browser

BATCH = "/xlwings/custom-functions-batch"


@pytest.fixture(scope="module")
def model(store):
    panel = store.panel()
    return estimate_model(panel.factors, panel.as_of)


def test_a_scalar_function_shows_the_engines_number(seen, store, model):
    shown = seen["formulas"]["scalar"]
    expected = risk_measure(model, store.portfolio("SAMPLE"), None, "volatility")
    assert shown["value"] == pytest.approx(expected, rel=1e-9)
    assert 0.01 < shown["value"] < 1


def test_a_table_spills_with_its_headers_and_adds_up(seen, store, model):
    header, *rows = seen["formulas"]["spill"]["region"]
    expected = risk_table(model, store.portfolio("SAMPLE"), None, by="factor")
    assert header[: len(expected.columns)] == list(expected.columns)
    assert [row[0] for row in rows] == list(expected["name"])
    ctr = header.index("ctr")
    *parts, total = (row[ctr] for row in rows)
    assert math.isclose(sum(parts), total, rel_tol=1e-9)


def test_a_misspelt_measure_is_a_value_error_that_names_the_known_ones(seen):
    shown = seen["formulas"]["misspelt"]
    assert shown["value"] == "#VALUE!"
    assert shown["message"].startswith("measure must be one of volatility, tracking_error")
    assert "got 'volx'" in shown["message"]


def test_an_unknown_ticker_is_not_available_and_says_which(seen):
    shown = seen["formulas"]["unknown"]
    assert shown["value"] == "#N/A"
    assert shown["message"].startswith("Unknown ticker 'APPL'")
    assert "Did you mean 'AAPL'?" in shown["message"]


def test_a_thousand_cells_take_at_most_five_posts(seen):
    posts = seen["thousand"]["posts"]
    assert {post["path"] for post in posts} == {BATCH}
    assert len(posts) <= 5
    assert sum(post["calls"] for post in posts) == 1000


def test_each_of_a_thousand_cells_shows_its_own_number(seen, model):
    asked, values = seen["thousand"]["asked"], seen["thousand"]["values"]
    assert len(values) == 1000
    for (ticker, factor), value in zip(asked, values, strict=True):
        if ticker in model.exposures.index:
            assert value == pytest.approx(model.exposures.loc[ticker, factor], abs=1e-9)
        else:
            assert value == "#N/A"


def test_every_request_of_the_scripts_names_its_client(seen):
    asked = [r for r in seen["requests"] if r["method"] != "GET" or r["kind"] == "xhr"]
    assert {r["client"] for r in asked} == {"excel"}
    assert any(r["path"].startswith("/xlwings/custom-scripts-call/") for r in asked)
    assert any(r["path"] == "/xlwings/custom-scripts-meta.json" for r in asked)


def test_the_page_complains_of_nothing(seen):
    assert [e for e in seen["errors"] if "Attempt" not in e] == []


def test_the_optimize_button_writes_weights_and_trades_to_its_own_sheet(seen):
    sheets = {sheet["name"]: sheet for sheet in seen["optimize"]["sheets"]}
    assert "Tilt Optimize" in sheets
    texts = {cell[2] for cell in sheets["Tilt Optimize"]["cells"]}
    assert {"ticker", "current", "optimal", "trade"} <= texts
    assert seen["optimize"]["kind"] == "done"
    assert "Tilt Optimize" in seen["optimize"]["message"]


def test_the_optimize_button_leaves_other_sheets_as_they_were(seen):
    before = {s["name"]: s for s in seen["optimize"]["sheets"]}
    after = {s["name"]: s for s in seen["optimize"]["again"]}
    assert before.keys() == after.keys()
    assert after["Book"] == before["Book"]
    held = {cell[2] for cell in after["Book"]["cells"]}
    assert {row[0] for row in seen["holdings"]} <= held


def test_optimal_weights_keep_the_rules_of_the_table(seen):
    sheet = next(s for s in seen["optimize"]["sheets"] if s["name"] == "Tilt Optimize")
    cells = {(row, column): value for row, column, value in sheet["cells"]}
    header = next(key for key, value in cells.items() if value == "optimal")
    names = next(key for key, value in cells.items() if key[0] == header[0] and value == "ticker")
    row, weights = header[0] + 1, {}
    while (row, names[1]) in cells:
        weights[cells[row, names[1]]] = cells[row, header[1]]
        row += 1
    assert len(weights) > 10
    assert all(-1e-9 <= w <= 0.05 + 1e-6 for w in weights.values())


def test_a_server_that_is_away_is_said_in_the_cell_and_in_the_pane(seen):
    lost = seen["away"]["lost"]
    assert lost["value"] == "#N/A"
    assert lost["message"].startswith("The Tilt server does not answer.")
    assert seen["away"]["state"] == "Server away"


def test_a_cell_recovers_when_the_server_is_back(seen):
    assert isinstance(seen["away"]["back"]["value"], int | float)
    assert seen["away"]["then"] == "Connected"


def test_the_pane_shows_the_as_of_date_and_every_function(seen, store, served):
    as_of = store.panel().as_of.date().isoformat()
    assert as_of in seen["status"]
    with urllib.request.urlopen(f"{served}/xlwings/custom-functions-meta.json") as answer:  # noqa: S310
        count = len(json.load(answer)["functions"])
    assert seen["functions"] == f"{count} of {count} functions"


def test_an_accessibility_scan_of_the_pane_finds_nothing(seen):
    scans = {k: v for k, v in seen["pane"].items() if k not in ("keyboard", "width")}
    assert len(scans) == 4
    assert {k: v for k, v in scans.items() if v} == {}


def test_the_pane_is_worked_by_keyboard(seen):
    keyboard = seen["pane"]["keyboard"]
    assert keyboard["tab"] == "tab-documentation"
    assert keyboard["focus"] == "find"
    assert keyboard["found"].startswith("1 of ")


def test_the_pane_fits_320_pixels(seen):
    assert seen["pane"]["width"] == 320
