"""What people type wrongly, and the message they read: the contract's table of errors, row by row.

Each is asked over both routes, which must agree (``excel.error``).
"""

import pytest

GOOD = [["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
VALUE, NA, DIV = "#VALUE!", "#N/A", "#DIV/0!"
REF = {"type": "Error", "errorType": "Ref", "basicValue": "#REF!", "basicType": "Error"}


def holdings(**changed):
    """Return good holdings with a cell changed: ``row3=["AAPL", 1]``."""
    rows = [list(row) for row in GOOD]
    for key, row in changed.items():
        rows[int(key.removeprefix("row")) - 1] = row
    return rows


# -- a bad argument, shape or option --------------------------------------------------------------


def test_a_misspelt_measure_is_shown_the_nearest(excel):
    cell, text = excel.error("risk", GOOD, "volx")
    assert cell == VALUE
    assert text.startswith("measure must be one of volatility, tracking_error, ")
    assert text.endswith(", ...; got 'volx'. Did you mean 'volatility'?")
    assert len(text) <= 120


def test_a_misspelt_measure_in_a_row_of_measures_too(excel):
    assert excel.error("risk", GOOD, [["beta", "betta"]])[1].endswith("Did you mean 'beta'?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("exposure", "AAPL", "Valu"), "got 'Valu'. Did you mean 'Value'?"),
        (("risk_table", GOOD, "sectr"), "got 'sectr'. Did you mean 'sector'?"),
        (("security", "AAPL", "clos"), "got 'clos'. Did you mean 'close'?"),
        (("history", "AAPL", "return", None, None, "X"), "frequency must be one of D, W, M, Q, Y"),
        (("optimize", "min_tee", GOOD), "got 'min_tee'. Did you mean 'min_te'?"),
        (("optimize", "min_te", GOOD, None, None, None, None, "trade"), "Did you mean 'trades'?"),
        (("backtest", "equal_weigth"), "Did you mean 'equal_weight'?"),
        (("optimize", "min_te", GOOD, [["wieght", "*", 0, 1]]), "Did you mean 'weight'?"),
        (("optimize", "min_te", GOOD, [["sector", "Enrgy", 0, 1]]), "Did you mean 'Energy'?"),
    ],
)
def test_a_misspelt_name_is_shown_the_nearest(excel, arguments, message):
    assert message in excel.error(*arguments)[1]


def test_an_unknown_option_is_shown_the_nearest(excel):
    assert excel.error("members", None, None, "headrs=off") == (
        VALUE,
        (
            "options: there is no option 'headrs'. Did you mean 'headers'? "
            "The options are headers, top, sort, na."
        ),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("headers", "options: 'headers' is not of the form key=value."),
        ("top=none", "option top must be a number; got 'none'."),
        ("top=0", "option top must be a whole number from 1; got 0."),
        ("headers=maybe", "option headers must be on or off; got 'maybe'."),
        ("sort=wieght", "got 'wieght'. Did you mean 'weight'?"),
        ("na=empty", "option na must be one of error, blank, zero; got 'empty'."),
        ("top=1;top=2", "options: 'top' is given twice. Keep one."),
        ([["top", 1, 2]], 'options must be two columns, key and value, or "key=value".'),
        ([["top", REF], ["na", "zero"]], "options row 1 is #REF!."),
        (5, "options must be a text; got 5."),
    ],
)
def test_a_bad_option_says_what_it_must_be(excel, given, message):
    cell, text = excel.error("members", None, None, given)
    assert cell == VALUE
    assert message in text


def test_a_date_with_two_readings_is_refused_with_both(excel):
    cell, text = excel.error("members", None, "01/02/2016")
    assert cell == VALUE
    assert "2016-01-02" in text
    assert "2016-02-01" in text


@pytest.mark.parametrize("given", ["yesterday", True, 1e9, -3, "2016-13-01", 20161399])
def test_what_is_no_date_is_refused(excel, given):
    cell, text = excel.error("members", None, given)
    assert cell == VALUE
    assert text.startswith("date ")


def test_an_error_cell_as_a_date_is_named(excel):
    assert excel.error("members", None, [[REF]]) == (VALUE, "date is #REF!.")


def test_a_range_where_one_cell_belongs_is_refused(excel):
    assert excel.error("members", None, [["2016-01-04"], ["2016-01-05"]]) == (
        VALUE,
        "date must be one cell; got 2 rows and 1 columns.",
    )


def test_an_argument_left_out_is_named_with_the_signature(excel):
    assert excel.error("exposure", "AAPL") == (
        VALUE,
        "factor is missing: TILT.EXPOSURE(who,factor,[date],[universe])",
    )
    assert excel.error("exposure", "AAPL", "")[1].startswith("factor is missing")


def test_too_many_arguments_are_refused_with_the_signature(excel):
    assert excel.error("asof", None, None, None) == (
        VALUE,
        "ASOF takes at most 1 arguments; got 3: TILT.ASOF([universe])",
    )


def test_a_ragged_range_is_refused(excel):
    assert excel.error("risk", [["AAPL", 1], ["XOM"]]) == (
        VALUE,
        "holdings is not a rectangle of cells: its rows differ in length.",
    )


def test_a_cell_that_is_an_entity_is_refused(excel):
    entity = {"type": "Entity", "text": "Apple", "properties": {}}
    assert excel.error("risk", [[entity, 1]]) == (
        VALUE,
        "holdings holds a cell that is neither number nor text. Use its value.",
    )


# -- a cell of the range is itself an error or no number ------------------------------------------


def test_an_error_cell_in_holdings_is_named_by_row(excel):
    cell, text = excel.error("risk", holdings(row2=["XOM", REF]))
    assert cell == VALUE
    assert text.startswith("holdings row 2: weight is #REF!.")


def test_an_error_cell_as_a_ticker_is_named_by_row(excel):
    cell, text = excel.error("risk", holdings(row3=[REF, 0.25]))
    assert cell == VALUE
    assert text.startswith("holdings row 3: ticker is #REF!.")


def test_a_blank_weight_is_named_by_row(excel):
    cell, text = excel.error("risk", holdings(row1=["AAPL", ""]))
    assert cell == VALUE
    assert text.startswith("holdings row 1: weight of AAPL is blank")


def test_a_weight_that_is_no_number_is_named_by_row(excel):
    cell, text = excel.error("risk", holdings(row2=["XOM", "lots"]))
    assert cell == VALUE
    assert text.startswith("holdings row 2: weight is")
    assert "'lots'" in text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0.01], [REF], [0.02]], "returns row 2: the return is #REF!."),
        ([[0.01], ["x"], [0.02]], "returns row 2: the return is 'x'. Type it as a number."),
        ([["2016-01", 0.01], [42400, 0.02]], "returns row 1: the date is '2016-01'."),
        ([[0.01], [12], [3]], "row 2: the return is 12, or 1200 %. Type 12 % as 0.12."),
        ([[1, 2, 3], [4, 5, 6]], "returns must be one column of returns, or dates and returns."),
        ([[0.01], [""], [0.02]], "returns has no value on row 1."),
    ],
)
def test_a_bad_range_of_returns_says_where(excel, rows, message):
    cell, text = excel.error("stats", rows)
    assert cell == VALUE
    assert message in text


def test_an_error_cell_in_a_list_of_tickers_is_named_by_row(excel):
    assert excel.error("security", [["AAPL"], [REF]], "close") == (VALUE, "tickers row 2 is #REF!.")


def test_weights_of_an_odd_sum_are_refused_with_the_sum(excel):
    cell, text = excel.error("risk", [["AAPL", 0.2], ["XOM", 0.1]])
    assert cell == VALUE
    assert "30 %" in text or "0.3" in text


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ([["AAPL", REF], ["XOM", 0.1]], "alpha row 1: expected return is #REF!."),
        ([["AAPL", ""], ["XOM", 0.1]], "alpha row 1: expected return is blank."),
        ([["AAPL", 0.1], ["aapl", 0.1]], "alpha row 2: AAPL is given twice. Keep one."),
        ([["APPL", 0.1], ["XOM", 0.1]], "Unknown ticker 'APPL' (alpha row 1)."),
        ("Valu", "Did you mean 'Value'?"),
        ([["AAPL", 1, 2]], "alpha must be two columns"),
    ],
)
def test_a_bad_alpha_says_where(excel, alpha, message):
    assert message in excel.error("optimize", "max_utility", GOOD, None, None, alpha)[1]


# -- a name that is not known, no data at the date ------------------------------------------------


def test_an_unknown_ticker_is_shown_the_nearest(excel):
    cell, text = excel.error("exposure", "APPL", "Value")
    assert cell == NA
    assert text == "Unknown ticker 'APPL'. Did you mean 'AAPL'?"


def test_an_unknown_ticker_of_a_list_is_named_by_row(excel):
    assert excel.error("security", [["AAPL"], ["XOM"], ["APPL"]], "close") == (
        NA,
        "Unknown ticker 'APPL' (tickers row 3). Did you mean 'AAPL'?",
    )


def test_an_unknown_ticker_of_little_weight_is_left_out_with_a_note(excel):
    given = [["AAPL", 0.5], ["APPL", 0.1], ["XOM", 0.4]]
    shown = excel("exposures", given)
    assert shown[0][-1] == "note"
    assert "APPL" in " ".join(str(row[-1]) for row in shown[1:])
    assert excel("risk", given)[0][0] == pytest.approx(
        excel("risk", [["AAPL", 0.5], ["XOM", 0.4]])[0][0]
    )


def test_an_unknown_ticker_of_much_weight_sinks_the_result(excel):
    cell, text = excel.error("risk", [["AAPL", 0.5], ["APPL", 0.5]])
    assert cell == NA
    assert "APPL" in text
    assert "Did you mean 'AAPL'?" in text


def test_an_unknown_universe_is_shown_the_nearest(excel):
    cell, text = excel.error("asof", "US_LARGE_CAPS")
    assert cell == NA
    assert text.startswith("Unknown universe 'US_LARGE_CAPS'. Did you mean 'US_LARGE_CAP'?")


def test_an_unknown_portfolio_is_named(excel):
    cell, text = excel.error("risk", "SAMPEL")
    assert cell == NA
    assert "SAMPLE" in text


def test_no_risk_data_at_an_early_date_says_from_when(excel):
    cell, text = excel.error("risk", GOOD, None, "2011-02-01")
    assert cell == NA
    assert "20" in text


def test_a_date_before_the_data_says_from_when(excel, panel):
    cell, text = excel.error("members", None, "2001-01-04")
    assert cell == NA
    assert f"{panel.dates[0]:%Y-%m-%d}" in text


def test_help_on_an_unknown_function_is_shown_the_nearest(excel):
    assert excel.error("help", "RISKS") == (
        NA,
        "Tilt has no function 'risks'. Did you mean 'RISK'?",
    )


# -- no solution, and ratios without a denominator ------------------------------------------------


def test_infeasible_trades_name_the_conflict_and_other_views_answer(excel):
    rules = [["weight", "*", 0, 0.001]]
    cell, text = excel.error("optimize", "min_te", GOOD, rules)
    assert cell == NA
    assert text.startswith("No solution: 'each weight at most 0.1 %'")
    assert len(text[:120].split("'")) >= 3
    for view in ("summary", "explain"):
        excel("optimize", "min_te", GOOD, rules, None, None, None, view)


def test_a_ratio_with_zero_below_is_a_division_by_zero(excel):
    cell, text = excel.error("risk", GOOD, "beta", None, "NONE")
    assert cell == DIV
    assert "beta" in text


def test_a_ratio_with_zero_below_does_not_sink_the_other_measures(excel):
    row = excel("risk", GOOD, [["volatility", "beta"]], None, "NONE")[0]
    assert row[0] > 0
    assert row[1] == {"type": "Error", "errorType": "NotAvailable"}


# -- ranges as people have them -------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        [["Ticker", "Weight"], *GOOD],  # a header
        [["AAPL", 40], ["XOM", 35], ["JPM", 25]],  # per cent
        [["AAPL", "40%"], ["XOM", "35%"], ["JPM", "25%"]],  # text numbers
        [["AAPL", 0.2], ["XOM", 0.35], ["AAPL", 0.2], ["JPM", 0.25]],  # a duplicate
        [["aapl", 0.4], [" XOM ", 0.35], ["JPM US Equity", 0.25]],  # as other systems write them
        [["AAPL", 0.4], ["", ""], ["XOM", 0.35], ["JPM", 0.25], ["", ""]],  # blank rows
        [["ticker", "name", "weight"], *[[t, "x", w] for t, w in GOOD]],  # a column between
    ],
)
def test_the_same_holdings_written_otherwise_are_the_same(excel, given):
    assert excel("risk", given)[0][0] == pytest.approx(excel("risk", GOOD)[0][0], rel=1e-12)


def test_one_row_is_a_portfolio_of_one_name(excel):
    assert excel("risk", [["AAPL", 1]], "names") == [[1.0]]


def test_one_column_is_refused(excel):
    cell, text = excel.error("risk", [["AAPL"], ["XOM"]])
    assert cell == VALUE
    assert "weight" in text


def test_every_message_fits_a_cell_and_ends_in_a_sentence(excel):
    wrong = [
        ("risk", GOOD, "volx"),
        ("risk", holdings(row2=["XOM", REF])),
        ("exposure", "APPL", "Value"),
        ("optimize", "min_te", GOOD, [["weight", "*", 0, 0.001]]),
        ("members", None, "01/02/2016"),
    ]
    for call in wrong:
        _, text = excel.error(*call)
        assert len(text) < 400
        assert text[-1] in ".?"
