"""Tables that a button cannot use: what is said, row by row, and what stays untouched."""

import pytest

BUTTONS = ["factor_analysis", "risk", "optimize", "tracking_error", "backtest", "export_report"]


@pytest.mark.parametrize("button", [*BUTTONS, "save"])
def test_an_error_cell_is_named_by_its_row(ribbon, button):
    cells = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", "#REF!"]]
    assert "row 3: weight is #REF!." in ribbon.refusal(button, ribbon.held(cells))


@pytest.mark.parametrize("button", BUTTONS)
def test_an_unknown_ticker_of_much_weight_is_named_with_the_nearest(ribbon, button):
    cells = [["ticker", "weight"], ["APPL", 0.5], ["XOM", 0.5]]
    said = ribbon.refusal(button, ribbon.held(cells))
    assert "'APPL'" in said
    assert "AAPL" in said


def test_check_lists_what_the_other_buttons_refuse(ribbon):
    cells = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", "#REF!"], ["", 0.2]]
    written = ribbon.press("check", ribbon.held(cells))
    table = written.tables["TiltCheck"]
    assert table["row"].tolist() == [3, 4]
    assert set(table["severity"]) == {"error"}
    assert written.said.startswith("2 errors: wrote the check to the sheet Tilt Check.")


def test_check_of_good_holdings_says_so_and_leaves_an_empty_table(ribbon):
    cells = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", 0.5]]
    written = ribbon.press("check", ribbon.held(cells))
    assert written.said.startswith("Nothing to mend")
    assert written.tables["TiltCheck"].to_numpy().tolist() == [["", "", "", ""]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"benchmrk": "NONE"}, "TiltSettings has no key 'benchmrk'. Did you mean 'benchmark'? It"),
        ({"benchmark": "#NAME?"}, "TiltSettings row 2 is #NAME?."),
        ({"universe": "NOPE"}, "Unknown universe 'NOPE'."),
        ({"date": "01/02/2016"}, "could mean"),
    ],
)
def test_a_bad_setting_is_told(ribbon, given, message):
    assert message in ribbon.refusal("risk", ribbon.held(), ribbon.settings(**given))


def test_a_backtest_elsewhere_than_on_the_default_universe_is_refused(ribbon, own_store):
    other = ribbon.settings(universe="EUROPE")
    said = ribbon.refusal("backtest", ribbon.held(), other)
    assert own_store.snapshot().universe in said


@pytest.mark.parametrize(
    "pane",
    [
        {"settings": [["benchmark"]]},
        {"settings": [["benchmark", ["NONE"]]]},
        {"settings": "benchmark=NONE"},
        {"rules": [["weight", "*"], ["sector"]]},
    ],
)
def test_settings_of_the_pane_that_are_no_table_are_refused(ribbon, pane):
    answer = ribbon.post("risk", ribbon.held(), pane=pane)
    assert answer.status_code == 400


def test_rules_in_conflict_are_told_and_nothing_is_written(ribbon):
    rules = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.001]]
    said = ribbon.refusal("tracking_error", ribbon.held(), ribbon.ruled(rules))
    assert said.startswith("No solution: 'each weight at most 0.1 %'")


def test_load_does_not_overwrite_what_stands_below_the_table(ribbon):
    cells = [["ticker", "weight"], ["AAPL", 1.0], ["", ""], ["my", "notes"]]
    sheet = ribbon.sheet("Book", cells, tables=["TiltHoldings"])
    sheet["tables"][0]["range_address"] = "A1:B2"
    said = ribbon.refusal("load_holdings", sheet, ribbon.settings(portfolio="SAMPLE"))
    assert said.startswith("There is something below the table TiltHoldings on the sheet Book.")
    assert "down to row 41" in said


def test_load_keeps_a_table_with_other_columns(ribbon):
    cells = [["ticker", "shares"], ["AAPL", 100]]
    said = ribbon.refusal("load_holdings", ribbon.held(cells))
    assert said.startswith("The table TiltHoldings has the columns ticker, shares;")


def test_load_of_an_unknown_portfolio_names_the_saved_ones(ribbon):
    said = ribbon.refusal("load_holdings", ribbon.settings(portfolio="SAMPEL"))
    assert said.startswith("No portfolio 'SAMPEL'. Did you mean 'SAMPLE'?")


@pytest.mark.parametrize("name", ["CASH", "us_large_cap", "AAPL"])
def test_a_name_that_means_something_else_in_formulas_is_not_saved(ribbon, name):
    said = ribbon.refusal("save", ribbon.held(), ribbon.settings(portfolio=name))
    assert "Choose another name." in said


def test_save_and_load_give_the_holdings_back(ribbon, own_store, holdings):
    named = ribbon.settings(portfolio="Round trip")
    assert ribbon.press("save", ribbon.held(), named).said.startswith(
        "Saved 3 holdings as 'Round trip', 5.00% cash."
    )
    assert dict(own_store.portfolio("Round trip")) == dict(holdings[1:])
    loaded = ribbon.press("load_holdings", named)
    assert loaded.tables["TiltHoldings"].to_numpy().tolist() == holdings[1:]


def test_save_without_holdings_saves_no_example(ribbon, own_store):
    before = own_store.portfolios()["name"].tolist()
    assert "Nothing is saved" in ribbon.press("save").said
    assert own_store.portfolios()["name"].tolist() == before


def test_text_that_begins_like_a_formula_is_written_as_text(ribbon):
    cells = [["ticker", "weight"], ["AAPL", 0.9], ['=HYPERLINK("http://x")', 0.1]]
    written = ribbon.press("check", ribbon.held(cells))
    texts = [
        v
        for a in written.actions
        if a["func"] == "setValues"
        for row in a["values"]
        for v in row
        if isinstance(v, str)
    ]
    assert any("HYPERLINK" in t for t in texts)
    assert [t for t in texts if t.startswith(("=", "+", "-", "@"))] == []
