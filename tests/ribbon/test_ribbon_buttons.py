"""Every button of the ribbon, pressed twice in real Chromium."""

import re

import pytest

pytestmark = pytest.mark.browser

SHEETS = {
    "as_of": "Tilt Data",
    "quality": "Tilt Quality",
    "load_holdings": "Tilt Inputs",
    "check": "Tilt Check",
    "compare": "Tilt Compare",
    "factor_analysis": "Tilt Factors",
    "risk": "Tilt Risk",
    "attribution": "Tilt Attribution",
    "optimize": "Tilt Optimize",
    "tracking_error": "Tilt Tracking Error",
    "pure_factor": "Tilt Pure Factor",
    "what_if": "Tilt What-if",
    "backtest": "Tilt Backtest",
}
FILES = {"export_report", "share_as_values", "starter_workbook"}
TABS = {"documentation": "tab-documentation", "status": "tab-data"}
OTHERS = {"refresh", "save"}


def test_every_button_of_the_ribbon_is_looked_at_here(pressed):
    assert set(pressed["names"]) == set(SHEETS) | FILES | set(TABS) | OTHERS


def test_every_button_ends_well_and_says_what_it_did(pressed):
    for press in ("first", "again"):
        said = {n: pressed[press][n] for n in pressed["names"] if n not in TABS}
        assert {n: s["text"] for n, s in said.items() if s["kind"] != "done"} == {}
        assert all(s["text"].endswith(".") and "is done" not in s["text"] for s in said.values())


@pytest.mark.parametrize("button", SHEETS)
def test_a_button_that_writes_names_its_sheet(pressed, button):
    assert SHEETS[button] in pressed["first"][button]["text"]
    assert SHEETS[button] in {s["name"] for s in pressed["after"]["sheets"]}


def test_what_a_button_writes_is_one_step_of_undo(pressed):
    for button in SHEETS:
        assert pressed["first"][button]["groups"] == 1


def test_pressed_twice_everything_stays_where_it_is(pressed):
    assert pressed["then"]["sheets"] == pressed["after"]["sheets"]
    assert pressed["then"]["charts"] == pressed["after"]["charts"]


def test_nothing_else_is_touched(pressed):
    first = pressed["then"]["sheets"][0]
    assert first == {"name": "Sheet1", "tables": [], "cells": []}


@pytest.mark.parametrize("button", sorted(FILES))
def test_a_file_is_offered_to_be_saved(pressed, button):
    file = pressed["first"][button]["file"]
    assert file["name"].endswith(".xlsx")
    assert file["magic"] == "PK"


def test_a_report_is_ordered_beside_the_work_and_can_be_canceled(pressed):
    said = pressed["first"]["export_report"]["text"]
    assert said.startswith("Ordered: Portfolio review of Book1.")
    assert pressed["stopped"]["text"].endswith(" was canceled.")
    assert pressed["stopped"]["left"] == 0


@pytest.mark.parametrize(("button", "tab"), TABS.items())
def test_a_help_button_opens_its_tab(pressed, button, tab):
    assert pressed["first"][button]["tab"] == tab


def test_refresh_says_that_nothing_is_new(pressed, own_store):
    said = pressed["first"]["refresh"]["text"]
    assert said.startswith("The data are current already: US_LARGE_CAP")
    assert own_store.snapshot().id in said


def test_save_keeps_the_holdings_under_the_name_of_the_workbook(pressed, own_store):
    name = re.search(r"as '(.+?)'", pressed["first"]["save"]["text"])[1]
    assert dict(own_store.portfolio(name)) == pytest.approx(dict(own_store.portfolio("SAMPLE")))


def test_charts_show_the_tables_written(pressed, panel):
    charts = {c["name"]: c for c in pressed["then"]["charts"]}
    assert set(charts) == {
        "TiltActiveStyles", "TiltActiveSectors", "TiltRiskDrivers", "TiltBacktestCurve",
        "TiltCompareChart", "TiltPureChart", "TiltAttributionChart", "TiltAttributionFactorChart",
        "TiltBacktestWhyChart", "TiltBacktestFactorChart", "TiltBacktestRiskChart",
    }  # fmt: skip
    assert charts["TiltBacktestCurve"]["columns"] == 3
    assert charts["TiltBacktestCurve"]["rows"] > 1000
    styles = (panel.factors.factors["group"] == "style").sum()
    assert charts["TiltActiveStyles"]["rows"] == styles + 1
    assert all(c["title"] for c in charts.values())


def test_three_buttons_pressed_at_once_write_one_after_the_other(pressed):
    assert pressed["atOnce"] == pressed["then"]
