"""Lists, dates, options and names: a range and a text mean the same, and a wrong cell is named."""

import pytest

GOOD = [["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
VALUE, NA = "#VALUE!", "#N/A"
DAY = "2016-01-04"
SERIAL = 42373  # that day, as Excel numbers it
SHOW = "top=3;headers=off"


@pytest.fixture(scope="module")
def members(sheet):
    return sheet("members", None, DAY, SHOW)


# -- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tickers",
    [
        "AAPL,XOM,JPM",
        " aapl , xom,,JPM, ",
        "AAPL;XOM;JPM",
        [["AAPL"], ["XOM"], ["JPM"]],
        [["AAPL", "XOM", "JPM"]],
        [["AAPL", "XOM"], ["JPM", ""]],
        [["AAPL"], [""], ["XOM"], [None], [0], ["JPM"], [""]],
        [["AAPL,XOM"], ["JPM US Equity"]],
    ],
)
def test_a_list_means_the_same_in_a_range_and_in_a_text(sheet, tickers):
    fields = sheet("security", tickers, "close,sector", DAY)
    assert fields == sheet("security", [["AAPL"], ["XOM"], ["JPM"]], [["close", "sector"]], DAY)


@pytest.mark.parametrize(
    ("tickers", "where"),
    [
        ([["AAPL"], [""], ["APPL"]], " (tickers row 3)"),
        ([["AAPL", "XOM"], ["", "APPL"]], " (tickers row 2 column 2)"),
        ([["AAPL", "", "APPL"]], " (tickers column 3)"),
        ("AAPL,XOM,APPL", " (tickers name 3)"),
        ("APPL", ""),
    ],
)
def test_an_unknown_ticker_is_named_where_it_stands(sheet, tickers, where):
    shown = sheet.error("security", tickers, "close")
    assert (shown.cell, shown.text) == (NA, f"Unknown ticker 'APPL'{where}. Did you mean 'AAPL'?")
    shown = sheet.error("history", tickers, "close")
    assert (shown.cell, shown.text) == (NA, f"Unknown ticker 'APPL'{where}. Did you mean 'AAPL'?")


@pytest.mark.parametrize("error", ["#N/A", "#SPILL!", "#GETTING_DATA"])
def test_an_error_in_a_list_is_named_where_it_stands(sheet, error):
    assert (
        sheet.error("security", [["AAPL"], [error]], "close").text == f"tickers row 2 is {error}."
    )
    assert (
        sheet.error("security", "AAPL", [["close", error]]).text == f"fields column 2 is {error}."
    )
    assert sheet.error("risk", GOOD, [["beta"], [error]]).text == f"measure row 2 is {error}."
    assert sheet.error("risk", GOOD, error).text == f"measure is {error}."
    assert sheet.error("exposure", GOOD, [["Value"], [error]]).text == f"factor row 2 is {error}."


@pytest.mark.parametrize("given", [" , ,", ";;", [["", " "], [None, 0]]])
def test_a_list_without_names_says_what_to_give(sheet, given):
    assert sheet.error("security", given, "close").text == (
        "tickers is empty. Give a range of names, or names with commas."
    )


@pytest.mark.parametrize(
    "names", ["VOLATILITY, Beta", [["volatility"], [""], ["BETA"]], "beta;beta"]
)
def test_measures_are_known_in_any_case(sheet, names):
    row = sheet("risk", GOOD, names)[0]
    assert len(row) == 2
    assert row[1] == sheet("risk", GOOD, "beta")[0][0]


def test_names_of_every_kind_are_known_in_any_case(sheet):
    assert sheet("asof", "us_large_cap\u00a0") == sheet("asof")
    assert sheet("risk_table", GOOD, " SECTOR ") == sheet("risk_table", GOOD, "sector")
    assert sheet("exposure", "aapl", "value") == sheet("exposure", "AAPL", "Value")
    assert sheet("security", "AAPL", "CLOSE") == sheet("security", "AAPL", "close")
    upper = ("history", "AAPL", "Close", DAY, "2016-03-01", "m")
    assert sheet(*upper) == sheet("history", "AAPL", "close", DAY, "2016-03-01", "M")
    rules = [["Rule", "Who", "Max"], ["WEIGHT", "*", 0.5], ["Sector", "energy", 0.5]]
    lower = [["weight", "*", "", 0.5], ["sector", "Energy", "", 0.5]]
    found = sheet("optimize", "MIN_TE", GOOD, rules, None, None, None, "Summary")
    assert found == sheet("optimize", "min_te", GOOD, lower, None, None, None, "summary")


# -- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "date",
    [
        SERIAL, SERIAL + 0.99, DAY, "2016/01/04", "2016.1.4", "2016-1-4", " 2016-01-04 ",
        "'2016-01-04",
        20160104, "20160104", str(SERIAL),
        "2016-01-04T17:30", "2016-01-04 17:30:00",
        {"type": "FormattedNumber", "basicValue": SERIAL, "numberFormat": "dd.mm.yyyy"},
        [[DAY, ""], ["", ""]],
    ],
)  # fmt: skip
def test_a_date_is_read_in_each_form_that_has_one_reading(sheet, members, date):
    assert sheet("members", None, date, SHOW) == members


@pytest.mark.parametrize(
    ("date", "as_of"),
    [
        ("2016-01-03", "2015-12-31"),
        (SERIAL - 2, "2015-12-31"),
        ("2099-12-31", None),
        (73_000, None),
    ],
)
def test_a_day_without_trading_is_the_last_one_before_it(sheet, date, as_of):
    assert sheet("members", None, date, SHOW) == sheet("members", None, as_of, SHOW)


@pytest.mark.parametrize("blank", [None, "", " ", 0, "\u200b", [["", ""], ["", ""]]])
def test_a_blank_date_is_the_last_with_data(sheet, blank):
    assert sheet("members", None, blank, SHOW) == sheet("members", None, "0D", SHOW)


@pytest.mark.parametrize(
    ("date", "text"),
    [
        (
            "01/02/2016",
            "date '01/02/2016' could mean 2016-01-02 or 2016-02-01. Type 2016-01-02, or",
        ),
        ("31.12.2016", "date '31.12.2016' could mean 2016-12-31. Type 2016-12-31, or use an Excel"),
        ("4 Jan 2016", "date '4 Jan 2016' is not a date. Use an Excel date, 2026-01-31, 20260131,"),
        ("2016-02-30", "date '2016-02-30' is not a date."),
        ("yesterday" * 4000, "date 'yesterdayyesterdayyesterdayyesterdayy...' is not a date."),
        (True, "date must be a date; got TRUE."),
        (False, "date must be a date; got FALSE."),
        (-1, "date -1 is not an Excel date."),
        (1e9, "date 1e+09 is not an Excel date."),
        (1e300, "date 1e+300 is not an Excel date."),
        (20161301, "date 20161301 is not a date of the form YYYYMMDD."),
        ("#N/A", "date is #N/A."),
        ([[DAY], [DAY]], "date must be one cell; got 2 rows and 1 columns."),
    ],
)
def test_what_is_no_date_is_refused(sheet, date, text):
    shown = sheet.error("members", None, date)
    assert shown.cell == VALUE
    assert shown.text.startswith(text)


@pytest.mark.parametrize(("date", "day"), [("2001-01-04", "2001-01-04"), (2016, "1905-07-08")])
def test_a_date_before_the_data_is_not_available_and_says_from_when(sheet, panel, date, day):
    shown = sheet.error("members", None, date)
    assert (shown.cell, shown.text) == (
        NA,
        f"date {day} is before the first date with data, {panel.dates[0]:%Y-%m-%d}.",
    )


def test_each_date_argument_is_called_by_its_name(sheet):
    assert sheet.error("history", "AAPL", "close", "x").text.startswith("start 'x' is not a date.")
    assert sheet.error("history", "AAPL", "close", None, "x").text.startswith("end 'x' is not")
    assert (
        sheet.error("backtest", "equal_weight", [[True]]).text == "start must be a date; got TRUE."
    )
    late = sheet.error("history", "AAPL", "close", "2016-02-01", DAY)
    assert late.text == "start 2016-02-01 is after end 2016-01-04."


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        "top=3;headers=off",
        " Top = 3 ; HEADERS = Off ;",
        [["top", 3], ["headers", "off"]],
        [["Top ", "3"], ["Headers", False]],
        [["headers", 0], ["top", 3.0]],
        [["", ""], ["top", 3], [None, None], [0, 0], ["headers", "no"]],
        [["key", "value"], ["top", 3], ["headers", "off"]],
        [["top=3"], ["headers=off"]],
        [["top", 3, ""], ["headers", "off", ""], ["", "", ""]],
        [["top", 3], ["headers", "off"], ["sort", ""]],
    ],
)
def test_options_mean_the_same_in_a_range_and_in_a_text(sheet, members, options):
    assert sheet("members", None, DAY, options) == members


@pytest.mark.parametrize("blank", [None, "", " ", 0, [["", ""], ["", ""]], [[0, 0], ["", ""]]])
def test_blank_options_are_none(sheet, blank):
    assert sheet("members", None, DAY, blank) == sheet("members", None, DAY)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            "tpo=1",
            "options: there is no option 'tpo'. Did you mean 'top'? The options are headers,",
        ),
        ([["tpo", 1]], "options: there is no option 'tpo'. Did you mean 'top'? The options are"),
        ([["x" * 30_000, 1]], f"options: there is no option '{'x' * 37}...'."),
        ([["top", 1], ["TOP", 2]], "options: 'top' is given twice. Keep one."),
        (
            [["top", 1], ["", 5]],
            "options row 2: the value is 5 but the key is blank. Type the key,",
        ),
        ([["top", "#REF!"], ["na", "zero"]], "options row 1 is #REF!."),
        ([["#N/A", 1], ["na", "zero"]], "options row 1 is #N/A."),
        ([["top", True], ["na", "zero"]], "option top must be a number; got TRUE."),
        ("top=1,5", "option top must be a whole number from 1; got 1.5."),
        ("top=1e999", "option top must be a number; got '1e999'."),
        ("top=nan", "option top must be a number; got 'nan'."),
        ("top", "options: 'top' is not of the form key=value."),
        ("headers=perhaps", "option headers must be on or off; got 'perhaps'."),
        ([["top", "headers"], [1, "off"]], "options: there is no option '1'."),
        ([["top", 1, "why"]], 'options must be two columns, key and value, or "key=value".'),
        (5, "options must be a text; got 5."),
        (True, "options must be a text; got TRUE."),
        ("#REF!", "options is #REF!."),
    ],
)
def test_a_wrong_option_says_which_and_what_it_must_be(sheet, options, text):
    shown = sheet.error("members", None, DAY, options)
    assert shown.cell == VALUE
    assert shown.text.startswith(text)


@pytest.mark.parametrize("options", ["cost_bps=2,5", "cost_bps=2.5", [["cost_bps", 2.5]]])
def test_a_number_of_an_option_is_read_as_in_a_range(sheet, options):
    asked = ("backtest", GOOD, "2016-01-04", "2016-03-31", "M", None, "NONE", "stats")
    assert sheet(*asked, options) == sheet(*asked, [["cost_bps", 2.5]])
    assert sheet(*asked, options) != sheet(*asked, "cost_bps=25")


def test_a_switch_of_the_solver_is_read_as_in_a_range(sheet):
    asked = ("optimize", "min_te", GOOD, None, None, None, None, "summary")
    on = sheet(*asked, "long_short=yes")
    for other in ([["long_short", 1]], [["long_short", True]], "long_short=1", "long_short=TRUE"):
        assert sheet(*asked, other) == on


# -- other arguments ------------------------------------------------------------------------------


def test_arguments_left_out_in_the_middle_are_their_defaults(sheet):
    plain = sheet("risk", GOOD)
    for blank in (None, "", 0, [[""]], {"type": "Empty", "basicValue": ""}):
        assert sheet("risk", GOOD, blank, blank, blank, blank, "long_short=no") == plain


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (("members", 5), "universe must be a text; got 5."),
        (("members", True), "universe must be a text; got TRUE."),
        (("members", "#N/A"), "universe is #N/A."),
        (
            ("members", [["US_LARGE_CAP"], ["US_LARGE_CAP"]]),
            "universe must be one cell; got 2 rows",
        ),
        (("risk_table", GOOD, 5), "by must be a text; got 5."),
        (
            ("risk", GOOD, True),
            "measure must be one of volatility, tracking_error, ...; got 'TRUE'.",
        ),
        (("stats", [[0.01], [0.02]], None, "D", "much"), "risk_free must be a number; got 'much'."),
        (("stats", [[0.01], [0.02]], None, "D", True), "risk_free must be a number; got TRUE."),
        (
            ("stats", [[0.01], [0.02]], None, "D", "1e999"),
            "risk_free must be a number; got '1e999'.",
        ),
        (
            ("stats", [[0.01], [0.02]], None, "D", 4),
            "risk_free must be a yearly rate from -0.5 to 1; got 4. Type 4 % as 0.04.",
        ),
        (
            ("stats", [[0.01], [0.02]], None, "D", 0, "mar=-5"),
            "mar must be a yearly rate from -0.5 to 1; got -5. Type -5 % as -0.05.",
        ),
        (
            ("optimize", "min_te", GOOD, None, None, None, None, "trades", "cash=1e300"),
            "option cash must be a fraction of capital, 0.05 for 5 %; got 1e+300.",
        ),
        (("help", "v" * 30_000), f"Tilt has no function '{'v' * 37}...'."),
        (("asof", "u" * 30_000), f"Unknown universe '{'u' * 37}...'."),
        (("optimize", "o" * 30_000, GOOD), "objective must be one of"),
        (("backtest", "b" * 30_000), f"strategy '{'b' * 37}...' is neither a saved portfolio nor"),
        (
            ("backtest", "equal_weight", None, None, "z" * 30_000),
            "rebalance must be one of D, W, M,",
        ),
    ],
)
def test_a_wrong_argument_is_called_by_its_name_and_quoted_short(sheet, call, text):
    assert sheet.error(*call).text.startswith(text)


# -- other ranges: returns, rules, expected returns -----------------------------------------------


RETURNS = [0.01, -0.02, 0.015, 0.0, 0.005, -0.01]


@pytest.mark.parametrize(
    "given",
    [
        [[r] for r in RETURNS],
        [RETURNS],
        [["Return"], *[[r] for r in RETURNS]],
        [[f"{r:.3f}".replace(".", ",")] for r in RETURNS],
        [[f"{100 * r:g} %"] for r in RETURNS],
        [*[[r] for r in RETURNS], [""], [None]],
        [[r, ""] for r in RETURNS],
    ],
)
def test_returns_are_read_in_a_column_a_row_and_as_text(sheet, given):
    assert sheet("stats", given) == sheet("stats", [[r] for r in RETURNS])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([[0.01], ["#REF!"]], "returns row 2: the return is #REF!."),
        ([[0.01, "#REF!", 0.02]], "returns column 2: the return is #REF!."),
        ([[0.01], [True]], "returns row 2: the return is TRUE. Type it as a number."),
        ([[0.01], ["lots"]], "returns row 2: the return is 'lots'. Type it as a number."),
        ([[0.01], [12]], "returns row 2: the return is 12, or 1200 %. Type 12 % as 0.12."),
        ([["01/02/2016", 0.01], [SERIAL, 0.02]], "returns row 1: the date is '01/02/2016'. Use an"),
        ([[True, 0.01], [SERIAL, 0.02]], "returns row 1: the date is TRUE."),
        (
            [[SERIAL, 42374, 42375], RETURNS[:3]],
            "returns must be one column of returns, or dates and",
        ),
        ([["", ""], ["", ""]], "returns has no numbers."),
        (0, "returns is missing: TILT.STATS("),
    ],
)
def test_a_wrong_range_of_returns_says_where(sheet, given, text):
    shown = sheet.error("stats", given)
    assert shown.cell == VALUE
    assert shown.text.startswith(text)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([["weight", "*", "#REF!", 1]], "constraints row 1: min is #REF!."),
        ([["#REF!", "*", 0, 1]], "constraints row 1: rule is #REF!."),
        ([["weight", "#N/A", 0, 1]], "constraints row 1: who is #N/A."),
        (
            [["", "", "", ""], ["", "*", 0, 1]],
            "constraints row 2: rule is blank. Type it, or clear",
        ),
        (
            [["weight", "*", "0,05", 1]],
            "constraints row 1: min is the text '0,05'. Type it as a number.",
        ),
        ([["weight", "*", True, 1]], "constraints row 1: min is TRUE, not a number."),
        ([["weight", 42430, 0, 1]], "constraints row 1: '42430' is no ticker or sector of this"),
        ([["weight", "*", 0, 5]], "constraints row 1: max 5 means 500 %. Type 5 % as 0.05, or"),
        ([[True, "*", 0, 1]], "constraints row 1: 'TRUE' is no rule."),
        ([["x" * 30_000, "*", 0, 1]], f"constraints row 1: '{'x' * 37}...' is no rule."),
        ([["rule", "max"], ["turnover", "#SPILL!"]], "constraints row 2: max is #SPILL!."),
    ],
)
def test_a_wrong_rule_says_where(sheet, rules, text):
    shown = sheet.error("optimize", "min_te", GOOD, rules)
    assert shown.cell == VALUE
    assert shown.text.startswith(text)


@pytest.mark.parametrize(
    "blank", [None, "", 0, [["", "", "", ""]], [[0, 0, 0, 0], ["", "", "", ""]]]
)
def test_blank_rules_are_none(sheet, blank):
    asked = ("optimize", "min_te", GOOD)
    assert sheet(*asked, blank, None, None, None, "summary") == sheet(
        *asked, None, None, None, None, "summary"
    )


@pytest.mark.parametrize(
    ("alpha", "cell", "text"),
    [
        (
            [["AAPL", 0.1], [42430, 0.1]],
            VALUE,
            "alpha row 2: ticker is 42430, the date 2016-03-01. If",
        ),
        ([["AAPL", 0.1], [True, 0.1]], VALUE, "alpha row 2: ticker is the logical value TRUE."),
        (
            [["AAPL", 0.1], ["", 0.1]],
            VALUE,
            "alpha row 2: ticker is blank. Type it or clear the row.",
        ),
        ([["AAPL", 0.1], ["#N/A", 0.1]], VALUE, "alpha row 2: ticker is #N/A. Mend the cell"),
        ([["AAPL", 0.1], ["XOM", True]], VALUE, "alpha row 2: expected return is TRUE."),
        (
            [["AAPL", 0.1], ["APPL", 0.1]],
            NA,
            "Unknown ticker 'APPL' (alpha row 2). Did you mean 'AAPL'?",
        ),
        (5, VALUE, "alpha is 5. Give tickers and returns, or a factor."),
        ("#REF!", VALUE, "alpha is #REF!. Give tickers and returns, or a factor."),
    ],
)
def test_a_wrong_expected_return_says_where(sheet, alpha, cell, text):
    shown = sheet.error("optimize", "max_utility", GOOD, None, None, alpha)
    assert shown.cell == cell
    assert shown.text.startswith(text)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [["01/02/2016", "AAPL", 1.0]],
            "strategy row 2: date '01/02/2016' could mean 2016-01-02 or",
        ),
        ([["", "AAPL", 1.0]], "strategy row 2: date is blank. Type it."),
        ([[SERIAL, "AAPL", "#REF!"]], "strategy row 2: weight is #REF!."),
        (
            [[SERIAL, 42430, 1.0]],
            "strategy row 2: ticker is 42430, the date 2016-03-01. If you meant",
        ),
        ([[True, "AAPL", 1.0]], "strategy row 2: date must be a date; got TRUE."),
    ],
)
def test_a_wrong_row_of_dated_weights_says_where(sheet, rows, text):
    shown = sheet.error("backtest", [["Date", "Ticker", "Weight"], *rows])
    assert shown.cell == VALUE
    assert shown.text.startswith(text)


@pytest.mark.parametrize("given", ["#REF!", [["AAPL", "#REF!"]], [[42430, 1.0]]])
def test_a_wrong_benchmark_is_called_one(sheet, given):
    shown = sheet.error("risk", GOOD, None, None, given)
    assert shown.cell == VALUE
    assert shown.text.startswith(("benchmark is #REF!.", "benchmark row 1: "))
