"""What somebody without Excel gets at /workbench, used by mouse, keyboard and files in Chromium."""

import urllib.error
import urllib.request

import openpyxl
import pytest

from tilt.frames import spread
from tilt.risk.measures import risk_measure

pytestmark = pytest.mark.browser

STARTER = [
    *("Portfolio", "Tasks", "Morning", "What-if", "Factor tilt", "Compare", "Risk", "Stress"),
    *("Optimize", "Infeasible", "Frontier", "Backtest", "Attribution", "Share", "Audit"),
    *("Data", "Match", "Factors", "Pure factor"),
]


def volatility(panel, model, weights):
    benchmark = panel.cap_weights(panel.as_of)
    return risk_measure(
        model, spread(weights, model.exposures.index, "weights"), benchmark, "volatility"
    )


def test_it_opens_on_a_portfolio_an_optimization_and_a_backtest_all_calculated(used):
    sheets = {s["name"]: s for s in used["starter"]}
    assert list(sheets) == STARTER
    assert sheets["Portfolio"]["tables"] == ["TiltHoldings"]
    assert sheets["Optimize"]["tables"] == ["TiltConstraints"]
    assert not [e for s in used["starter"] for e in s["errors"]]
    formulas = [f for s in used["starter"] for f in s["formulas"]]
    assert sum("TILT." in formula for formula, _ in formulas) >= 20
    assert not [f for f, value in formulas if str(value).startswith("#") or value == ""]
    assert sheets["Backtest"]["filled"] > 10_000, "the curve of the backtest did not spill"


def test_the_numbers_are_the_engines(used, store, panel, model):
    shown = used["edit"]["before"]["value"]
    assert shown == pytest.approx(volatility(panel, model, store.portfolio("SAMPLE")), rel=1e-9)


def test_changing_a_weight_moves_the_risk(used, store, panel, model):
    weights = store.portfolio("SAMPLE").copy()
    weights.iloc[0] = 0.02
    after = used["edit"]["after"]["value"]
    assert after != used["edit"]["before"]["value"]
    assert after == pytest.approx(volatility(panel, model, weights), rel=1e-9)


def test_a_typed_formula_calculates_and_a_result_of_many_cells_spills(used):
    assert used["edit"]["typed"]["value"] == pytest.approx(1.0, abs=0.2)
    assert used["edit"]["spilled"]["value"] == "US_LARGE_CAP"


def test_functions_of_the_spreadsheet_itself_work_beside_ours(used, store):
    first = store.portfolio("SAMPLE").iloc[:2].sum()
    assert used["edit"]["native"]["value"] == pytest.approx(2 * first)


def test_an_error_has_its_message_under_the_mouse_and_in_the_line_below(used):
    misspelt = used["edit"]["misspelt"]
    assert misspelt["value"] == "#VALUE!"
    assert "Did you mean 'volatility'?" in misspelt["error"]
    assert used["edit"]["said"] == misspelt["error"]
    broken = used["infeasible"]["broken"]
    assert broken["error"] in used["infeasible"]["popped"]


def test_a_rule_that_cannot_hold_is_named_until_it_is_mended(used):
    seen = used["infeasible"]
    assert seen["broken"]["value"] == "#N/A"
    assert seen["broken"]["error"].startswith("No solution: 'each weight at most 0.1 %'")
    assert seen["explained"]["value"].startswith("No solution")
    assert seen["mended"]["value"] == "ticker"


def test_the_ribbon_optimizes_the_marked_tables_and_one_undo_takes_it_back(used):
    seen = used["optimize"]
    assert seen["sheets"] == [*STARTER, "Tilt Optimize"]
    assert "Wrote weights, trades" in seen["said"]
    assert [s["name"] for s in seen["undone"]] == STARTER


def test_what_was_taken_back_can_be_done_again_with_its_tables(used):
    seen = used["optimize"]
    assert "TiltTrades" in seen["written"][-1]["tables"]
    assert seen["redone"] == seen["written"]
    assert seen["again"] == seen["undone"]


def test_a_second_button_pressed_while_one_writes_has_its_own_step(used):
    seen = used["twoButtons"]
    assert seen["both"] == [*STARTER, "Tilt Risk", "Tilt Factors"]
    assert seen["left"] == [[*STARTER, "Tilt Risk"], STARTER]


def test_a_thousand_formulas_take_a_few_requests_and_are_the_engines(used, model):
    seen = used["thousand"]
    assert seen["posts"] <= 4
    assert len(seen["values"]) == 1000
    for (ticker, factor), value in zip(seen["asked"], seen["values"], strict=True):
        if ticker in model.exposures.index:
            assert value == pytest.approx(model.exposures.at[ticker, factor], abs=1e-9)
        else:
            assert value == "#N/A", "a name without exposures at the date"


def test_charts_of_the_sheet_are_drawn_below_it(used):
    assert used["charts"] == ["Active exposures", "Share of tracking error"]
    assert used["infeasible"]["charts"] == ["Largest trades"]


def test_formulas_move_with_inserted_and_deleted_rows(used):
    inserted, deleted = used["moving"]["inserted"], used["moving"]["deleted"]
    assert inserted["live"]["formula"] == '=TILT.LIVE("AAPL")'
    assert inserted["double"]["formula"] == "=H31*2"
    assert inserted["double"]["value"] == pytest.approx(2 * inserted["live"]["value"])
    assert inserted["risk"]["formula"] == "=TILT.RISK(TiltHoldings,F8)"
    assert deleted["double"]["formula"] == "=H30*2"


def test_a_copied_formula_reads_the_cells_beside_its_copy(used):
    seen = used["moving"]
    assert seen["pasted"]["formula"] == "=H32*2"
    assert seen["pasted"]["value"] == pytest.approx(2 * seen["source"]["value"])


def test_the_stream_of_a_deleted_cell_ends_and_a_moved_one_goes_on(used):
    assert used["moving"]["inserted"]["streams"] == 2
    assert used["moving"]["deleted"]["streams"] == 1


def test_it_saves_a_workbook_that_others_can_read(used):
    file = used["files"]["saved"]
    formulas, values = (openpyxl.load_workbook(file, data_only=only) for only in (False, True))
    assert formulas.sheetnames[: len(STARTER)] == STARTER
    sheet = formulas["Portfolio"]
    assert sheet["G7"].value.text == "=_xldudf_TILT_RISK(TiltHoldings[],F7)"
    assert values["Portfolio"]["G7"].value == pytest.approx(used["files"]["before"]["value"])
    assert sheet["G7"].number_format == "0.00%"
    assert sheet.tables["TiltHoldings"].ref.startswith("A6:B")
    assert sheet["A60"].value == "=1+1 is text"
    assert sheet["A60"].data_type == "s"


def test_the_saved_workbook_opens_again_with_its_tables_and_calculates(used):
    seen = used["files"]
    assert seen["reopened"] == seen["before"]
    assert {"TiltHoldings", "TiltConstraints"} <= set(seen["tables"])


def test_the_line_below_says_what_data_it_is(used, store):
    snapshot = store.snapshot()
    assert used["status"].startswith("Connected")
    assert f"{snapshot.as_of:%Y-%m-%d}" in used["status"]
    assert snapshot.id in used["status"]


def test_a_sheet_grows_to_what_is_written_far_down_and_to_the_right(used):
    rows, columns, value = used["far"]
    assert rows > 1500
    assert columns > 60
    assert value == 7


def test_nothing_fails_on_the_page_but_what_the_server_refuses(used):
    assert not [e for e in used["errors"] if "status of 4" not in e]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_scan_finds_nothing_serious(used, scheme):
    assert not [v for v in used["looks"][scheme] if v["impact"] in {"serious", "critical"}]


def test_the_ribbon_is_worked_by_arrow_keys_and_the_page_does_not_scroll(used):
    assert used["looks"]["button"] == "status"
    assert used["looks"]["width"] == 1440


def test_signing_in_on_the_pane_opens_the_workbench(signed_in):
    before, after = signed_in["before"], signed_in["after"]
    assert before["server"].startswith("Not signed in")
    assert before["sheets"] == 1
    assert after["server"].startswith("Connected")
    assert after["risk"]["value"] > 0


def test_the_starter_and_the_files_need_the_key(locked):
    address, _ = locked
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/api/v1/workbooks/starter")  # noqa: S310 - our server
