"""The Optimize button over HTTP: a workbook in, actions on it out."""

import copy
import re

import numpy as np
import pandas as pd
import pytest

from tilt.optimize.constraints import parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.risk.model import estimate_model

SCRIPT = "/xlwings/custom-scripts-call/optimize"
HOLDINGS = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
RULES = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.06], ["turnover", "", "", 0.9]]


def table(name, address, cells):
    return {
        "name": name,
        "range_address": address,
        "header_row_range_address": None,
        "data_body_range_address": None,
        "total_row_range_address": None,
        "row_count": len(cells),
        "column_count": len(cells[0]),
        "columns": [str(c) for c in cells[0]],
        "show_headers": True,
        "show_totals": False,
    }


def sheet(name, values=None, tables=()):
    return {"name": name, "visibility": "Visible", "values": values or [[""]],
            "tables": list(tables)}  # fmt: skip


def workbook(*sheets):
    return {
        "client": "Office.js",
        "version": "0.37.8",
        "book": {"name": "Book1.xlsx", "active_sheet_index": 0, "selection": "A1"},
        "names": [],
        "sheets": [sheet("Sheet1"), *copy.deepcopy(list(sheets))],
    }


HELD = sheet("Book", HOLDINGS, [table("TiltHoldings", "A1:B4", HOLDINGS)])
RULED = sheet("Rules", RULES, [table("TiltConstraints", "A1:D3", RULES)])


def run(excel, *sheets):
    answer = excel.post(SCRIPT, workbook(*sheets))
    assert answer.status_code == 200, answer.text
    return answer.json()["actions"]


def refusal(excel, *sheets):
    answer = excel.post(SCRIPT, workbook(*sheets))
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["detail"]


def tables(actions):
    """Return by name the tables that were added, with what was written into them."""
    areas = {
        (a["start_row"], a["start_column"]): a["values"]
        for a in actions
        if a["func"] == "setValues"
    }
    found = {}
    for action in actions:
        if action["func"] == "addTable":
            address, name = action["args"][0], action["args"][3]
            column, row = re.match(r"\$([A-Z])\$(\d+):", address).groups()
            values = areas[int(row) - 1, ord(column) - ord("A")]
            found[name] = pd.DataFrame(values[1:], columns=values[0])
    return found


def said(actions):
    return [a["args"] for a in actions if a["func"] == "runMacro"]


def test_weights_trades_and_summary_are_those_of_the_engine(excel, panel):
    model = estimate_model(panel.factors, panel.as_of)
    weights = panel.cap_weights(panel.as_of)
    known = weights[weights.index.isin(model.assets)]
    solution = solve(
        Problem(
            "min_te",
            model,
            panel.securities,
            pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.25}),
            known / known.sum(),
            rules=parse_rules(RULES, securities=panel.securities, factors=model.factor_cov.index),
        )
    )
    written = tables(run(excel, HELD, RULED))
    summary, trades = written["TiltSummary"], written["TiltTrades"]
    weights = written["TiltWeights"]
    assert list(summary.columns) == ["measure", "before", "after"]
    assert list(trades.columns) == ["ticker", "name", "current", "optimal", "trade", "reason"]
    expected = solution.view("trades")
    assert trades["ticker"].tolist() == expected["ticker"].tolist()
    np.testing.assert_allclose(trades["trade"].astype(float), expected["trade"])
    np.testing.assert_allclose(
        weights["weight"].astype(float), solution.view("weights")["weight"], atol=1e-12
    )


def test_a_new_sheet_gets_marked_tables_and_the_user_is_told(excel):
    actions = run(excel, HELD, RULED)
    (added,) = [a["args"][1] for a in actions if a["func"] == "addSheet"]
    assert added == "Tilt Optimize"
    assert {"TiltSummary", "TiltTrades", "TiltWeights"} <= set(tables(actions))
    ((callback, text),) = said(actions)
    assert callback == "tiltSay"
    assert "to the sheet Tilt Optimize" in text


def test_no_two_written_areas_overlap(excel):
    taken = set()
    for action in run(excel, HELD, RULED):
        if action["func"] == "setValues":
            rows = range(action["start_row"], action["start_row"] + action["row_count"])
            columns = range(action["start_column"], action["start_column"] + action["column_count"])
            area = {(r, c) for r in rows for c in columns}
            assert not taken & area
            taken |= area


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([["objectiv", "min_te"]], "Did you mean 'objective'?"),
        ([["objective", "min_tee"]], "got 'min_tee'. Did you mean 'min_te'?"),
        ([["date", "01/02/2016"]], "could mean"),
        ([["date", "2016-01-04"], ["date", "2016-01-05"]], "row 2: 'date' is given twice."),
        ([["universe", "NOPE"]], "Unknown universe 'NOPE'."),
    ],
)
def test_a_bad_setting_is_told(excel, settings, message):
    address = f"A1:B{len(settings)}"
    extra = sheet("Set", settings, [table("TiltSettings", address, settings)])
    assert message in refusal(excel, HELD, extra)


def test_an_error_cell_of_the_marked_holdings_is_named_by_row(excel):
    values = [*HOLDINGS[:2], ["XOM", "#REF!"], HOLDINGS[3]]
    text = refusal(excel, sheet("Book", values, [table("TiltHoldings", "A1:B4", values)]))
    assert text.startswith("holdings row 3: weight is #REF!.")


def test_rules_in_conflict_are_told(excel):
    rules = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.001]]
    extra = sheet("Rules", rules, [table("TiltConstraints", "A1:D2", rules)])
    assert refusal(excel, HELD, extra).startswith("No solution: 'each weight at most 0.1 %'")


@pytest.mark.parametrize("name", ["nope", "__all__", "optimise", "sheets", "pd", "xlwings"])
def test_only_registered_scripts_run(excel, name):
    answer = excel.post(f"/xlwings/custom-scripts-call/{name}", workbook(HELD))
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"Tilt has no script '{name}'."


def test_a_callable_of_the_module_that_is_no_script_cannot_run(excel, addin):
    scripts = addin.state.tilt.shipped.scripts
    public = [n for n in dir(scripts) if callable(getattr(scripts, n)) and n not in scripts.__all__]
    for name in [*public, "_sheets"]:
        answer = excel.post(f"/xlwings/custom-scripts-call/{name}", workbook(HELD))
        assert answer.status_code == 404
