"""Every range that a sheet may hold as holdings: the answer, or the row and the remedy."""

import pytest

GOOD = [["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]
VALUE, NA = "#VALUE!", "#N/A"
ERRORS = {
    "#N/A": "NotAvailable", "#VALUE!": "Value", "#REF!": "Ref", "#DIV/0!": "Div0",
    "#NUM!": "Num", "#NAME?": "Name", "#NULL!": "Null", "#SPILL!": "Spill", "#CALC!": "Calc",
    "#GETTING_DATA": "GettingData", "#BUSY!": "Busy", "#FIELD!": "Field",
    "#BLOCKED!": "Blocked", "#CONNECT!": "Connect",
}  # fmt: skip
TAKERS = {  # each function that takes holdings, with what else it needs, before and after
    "risk": ((), ()),
    "risk_table": ((), ()),
    "exposures": ((), ()),
    "exposure": ((), ("Value",)),
    "optimize": (("min_te",), ()),
    "backtest": ((), ()),
    "attribution": ((), ()),
}
GIVE = "Give tickers in one column and weights in the next."
RAGGED = "is not a rectangle of cells: its rows differ in length."
RANGE_OR_NAME = "Give a range of two columns, tickers and weights, or a portfolio's name."
MISSING = "is missing: TILT.RISK(holdings,[measure],[date],[benchmark],[universe],[options])"
SUM = "they must sum to about 1, or to about 100 in per cent."
ARGUMENT = {"exposure": "who", "backtest": "strategy"}


@pytest.fixture(scope="module")
def risk_of_good(sheet):
    return sheet("risk", GOOD, "volatility")[0][0]


def with_cell(row, column, value):
    rows = [list(r) for r in GOOD]
    rows[row - 1][column - 1] = value
    return rows


def findings(sheet, grid, **culture):
    return [tuple(row) for row in sheet("check", grid, **culture)[1:]]


# -- cells that are errors ------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("sent", ["text", "value", "kind"])
def test_an_error_cell_is_named_by_row_whichever_it_is(sheet, error, sent):
    cell = {
        "text": error,
        "value": {"type": "Error", "errorType": ERRORS[error], "basicValue": error},
        "kind": {"type": "Error", "errorType": ERRORS[error]},
    }[sent]
    shown = sheet.error("risk", with_cell(2, 2, cell))
    assert (shown.cell, shown.text) == (
        VALUE,
        f"holdings row 2: weight is {error}. Mend the cell it is computed from.",
    )
    shown = sheet.error("risk", with_cell(3, 1, cell))
    assert shown.text == f"holdings row 3: ticker is {error}. Mend the cell it comes from."


@pytest.mark.parametrize("name", TAKERS)
def test_every_function_names_the_row_of_an_error_cell(sheet, name):
    before, after = TAKERS[name]
    shown = sheet.error(name, *before, with_cell(2, 2, "#REF!"), *after)
    argument = ARGUMENT.get(name, "holdings")
    assert (shown.cell, shown.lead[:40]) == (
        VALUE,
        f"{argument} row 2: weight is #REF!. Mend the cell"[:40],
    )


@pytest.mark.parametrize("name", TAKERS)
@pytest.mark.parametrize("given", ["#REF!", {"type": "Error", "errorType": "Ref"}])
def test_an_error_instead_of_a_range_is_not_taken_for_a_name(sheet, name, given):
    before, after = TAKERS[name]
    shown = sheet.error(name, *before, [[given]], *after)
    argument = ARGUMENT.get(name, "holdings")
    assert (shown.cell, shown.text) == (
        VALUE,
        f"{argument} is #REF!. Mend the cell it comes from.",
    )


# -- blank cells ----------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", None, 0, " ", "\u00a0", "\u200b"])
def test_blank_rows_do_not_count_and_keep_their_numbers(sheet, risk_of_good, blank):
    gaps = [[blank, blank], GOOD[0], [blank, blank], *GOOD[1:], [blank, blank]]
    assert sheet("risk", gaps, "volatility")[0][0] == pytest.approx(risk_of_good, rel=1e-12)
    gaps[3] = ["XOM", "#N/A"]
    assert sheet.error("risk", gaps).text.startswith("holdings row 4: weight is #N/A.")


@pytest.mark.parametrize("blank", ["", None, " ", "\u200b"])
def test_a_blank_weight_is_not_a_zero(sheet, blank):
    shown = sheet.error("risk", with_cell(2, 2, blank))
    assert (shown.cell, shown.text) == (
        VALUE,
        "holdings row 2: weight of XOM is blank. Type the weight, or 0, or clear the row.",
    )


def test_a_weight_of_zero_is_a_weight(sheet):
    assert sheet("risk", [*GOOD, ["MSFT", 0]], "names") == [[3.0]]


def test_a_ticker_missing_under_a_merged_cell_is_an_error(sheet):
    shown = sheet.error("risk", [["AAPL", 0.4], ["", 0.35], ["JPM", 0.25]])
    assert shown.text == (
        "holdings row 2: weight is 0.35 but the ticker is blank. Type the ticker or clear the row. "
        "Merged cells hold theirs in the first row only."
    )


def test_cells_merged_across_columns_are_one_column(sheet, risk_of_good):
    wide = [["Ticker", "", "Weight"], *[[t, "", w] for t, w in GOOD]]
    assert sheet("risk", wide, "volatility")[0][0] == pytest.approx(risk_of_good)
    assert sheet("risk", wide[1:], "volatility")[0][0] == pytest.approx(risk_of_good)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([["", ""], ["", ""]], f"is empty. {GIVE}"),
        (
            [["Ticker", "Weight"]],
            "row 1: is a header without rows below it. Select the rows below it too.",
        ),
        (
            [["AAPL"], ["XOM"]],
            "has 1 column but 2 are needed. Give two columns: tickers and weights.",
        ),
        ([["AAPL", 0.5], ["XOM"]], RAGGED),
        ([[]], RAGGED),
        (5, f"is 5. {RANGE_OR_NAME}"),
        (True, f"is TRUE. {RANGE_OR_NAME}"),
        ("", MISSING),
        (0, MISSING),
    ],
)
def test_a_range_of_another_shape_says_what_to_give(sheet, given, text):
    shown = sheet.error("risk", given)
    assert (shown.cell, shown.text) == (VALUE, f"holdings {text}")


def test_a_ticker_alone_says_how_to_hold_it(sheet):
    shown = sheet.error("risk", "AAPL")
    assert shown.cell == NA
    assert shown.text.startswith("holdings 'AAPL' is neither a saved portfolio nor a universe.")


# -- what Excel makes of tickers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "words", "meant"),
    [
        (42430, "42430, the date 2016-03-01", "MAR"),
        (45352.5, "45352.5, the date 2024-03-01", "MAR"),
        ({"type": "FormattedNumber", "basicValue": 42430, "numberFormat": "d-mmm"},
         "42430, the date 2016-03-01", "MAR"),
        ("1-Mar", "'1-Mar', which looks like a date", "MAR"),
        ("Mar-24", "'Mar-24', which looks like a date", "MAR"),
        ("01.Mar", "'01.Mar', which looks like a date", "MAR"),
        (42705, "42705, the date 2016-12-01", "DEC"),
        ("Sept-24", "'Sept-24', which looks like a date", "SEP"),
    ],
)  # fmt: skip
def test_a_ticker_that_became_a_date_suggests_the_ticker(sheet, cell, words, meant):
    shown = sheet.error("risk", with_cell(2, 1, cell))
    assert shown.cell == VALUE
    remedy = f"If you meant {meant}, type it with a leading apostrophe: '{meant}."
    assert shown.text.startswith(f"holdings row 2: ticker is {words}. {remedy}")
    assert "apostrophe" in shown.lead
    one = sheet.error("security", [["AAPL"], [cell]], "close")
    if isinstance(cell, float):
        assert one.text == "tickers row 2 is 45352.5, which is no name."
    else:
        assert one.text.startswith(f"tickers row 2: ticker is {words}. {remedy}")


@pytest.mark.parametrize("cell", [True, False])
def test_a_ticker_that_became_a_logical_value_says_how_to_type_it(sheet, cell):
    word = str(cell).upper()
    remedy = f"ticker is the logical value {word}. If the ticker is {word}, type it with a leading"
    assert sheet.error("risk", with_cell(1, 1, cell)).text.startswith(f"holdings row 1: {remedy}")
    assert sheet.error("security", [[cell]], "close").text.startswith(f"tickers: {remedy}")
    assert sheet.error("exposure", cell, "Value").text.startswith(f"who: {remedy}")


@pytest.mark.parametrize(("cell", "shown_as"), [(8306, "8306"), (0.5, "0.5"), (1e300, "1e+300")])
def test_a_number_where_a_ticker_belongs_is_refused(sheet, cell, shown_as):
    shown = sheet.error("risk", with_cell(2, 1, cell))
    assert shown.text == (
        f"holdings row 2: ticker is the number {shown_as}. "
        "Put tickers in this column, for example AAPL."
    )


@pytest.mark.parametrize(
    "written",
    ["aapl", " AAPL ", "AAPL\u00a0", "\u200bAAPL", "AA\u202ePL", "'AAPL", "ＡＡＰＬ", "AAPL\t",
     "AAPL US Equity", "aapl us equity", "AAPL UW", "AAPL UW Equity", "AAPL US", "AAPL.O",
     "AAPL.OQ", "AAPL-US", "US:AAPL", "NASDAQ:AAPL"],
)  # fmt: skip
def test_a_ticker_is_found_however_a_terminal_or_a_web_page_writes_it(sheet, risk_of_good, written):
    given = with_cell(1, 1, written)
    assert sheet("risk", given, "volatility")[0][0] == pytest.approx(risk_of_good, rel=1e-12)
    assert sheet("security", written, "close") == sheet("security", "AAPL", "close")


@pytest.mark.parametrize("written", ["VOD LN Equity", "AAPL LN", "7203.T", "AAPL.DE"])
def test_a_ticker_of_another_exchange_is_not_taken_for_one_of_ours(sheet, written):
    assert sheet.error("risk", [[written, 1.0]]).text.startswith(f"Unknown ticker '{written}'")


def test_a_letter_alone_is_no_reason_to_suggest_another_letter(sheet):
    text = sheet.error("risk", [["🍎", 0.5], ["XOM", 0.5]]).text
    assert text.startswith("Unknown ticker '🍎' (holdings row 1). Unknown names are 50.0 %")


@pytest.mark.parametrize("name", ["CASH", "usd", "$CASH", "Cash & Equivalents", "US Dollar"])
def test_cash_by_any_name_is_cash(sheet, name):
    assert sheet("risk", [["AAPL", 0.9], [name, 0.1]], "names") == [[1.0]]


# -- numbers that stand as text -------------------------------------------------------------------

EITHER = {
    "0,4": 0.4, "0.4": 0.4, ".4": 0.4, ",4": 0.4, "40%": 0.4, "40 %": 0.4, "40,0 %": 0.4,
    "'0.4": 0.4, "4000 bp": 0.4, "1.234,5": 1234.5, "1,234.5": 1234.5, "1\u00a0234,5": 1234.5,
    "1\u202f234": 1234, "1\u20092345": None, "1'234.5": 1234.5, "1’234": 1234, "12,34,567": 1234567,
    "$1,234.50": 1234.5, "1.234.567": 1234567, "\u22125": -5, "(5)": -5, "(5 %)": -0.05, "5-": -5,
    "1e3": 1000,
}  # fmt: skip


@pytest.mark.parametrize("culture", ["en-US", "de-DE", "fr-FR", None])
@pytest.mark.parametrize("text", EITHER)
def test_a_text_with_one_reading_is_read_alike_everywhere(sheet, text, culture):
    rows = findings(sheet, [["Ticker", "Shares"], ["AAPL", text], ["XOM", 10**7]], culture=culture)
    if EITHER[text] is None:
        assert rows[0][1:3] == ("error", "shares is '1 2345', which is not a number")
        return
    shown = [r for r in rows if r[0] == 2]
    assert shown[0][1] == "fixed"
    assert shown[0][2].endswith(f" is text; read as {EITHER[text]:.10g}")


@pytest.mark.parametrize(
    ("culture", "text", "value"),
    [
        ("en-US", "1,234", 1234), ("en-US", "1.234", 1.234),
        ("de-DE", "1,234", 1.234), ("de-DE", "1.234", 1234), ("fr-FR", "1,234", 1.234),
        ("de-CH", "1,234", 1234), ("es-MX", "1,234", 1234), ("es-ES", "1.234", 1234),
        ("pt-BR", "1.234", 1234), ("en-ZA", "1,234", 1.234), ("ja-JP", "1,234", 1234),
        ("zh-Hans-CN", "1,234", 1234), ("en-GB", "(1,234)", -1234),
    ],
)  # fmt: skip
def test_of_two_readings_the_one_of_the_readers_excel_counts(sheet, culture, text, value):
    rows = findings(sheet, [["Ticker", "Shares"], ["AAPL", text], ["XOM", 10**7]], culture=culture)
    (read,) = [r[2] for r in rows if r[0] == 2]
    assert read == f"shares '{text}' is text; read as {value:.10g}"


@pytest.mark.parametrize("culture", [None, "", "x", "klingon", "1-2", "\u0000", "x" * 3000, 5])
def test_of_two_readings_none_counts_where_the_locale_is_not_known(sheet, culture):
    rows = findings(sheet, [["Ticker", "Shares"], ["AAPL", "1,234"], ["XOM", 9]], culture=culture)
    problem = "shares is the text '1,234', which may mean 1,234 or 1.234"
    assert rows == [(2, "error", problem, "Type it as a number.")]


def test_callers_of_one_batch_may_have_their_own_locales(sheet):
    def body(culture):
        grid = [["Ticker", "Shares"], ["AAPL", "1,234"], ["XOM", 10**7]]
        return {"func_name": "check", "args": [grid], "culture_info_name": culture}

    answer = sheet.http.post(
        "/xlwings/custom-functions-batch",
        json={"base": {"culture_info_name": "de-DE"}, "calls": [body("en-US"), body("de-DE")]},
    )
    us, german = [r["result"][1][2] for r in answer.json()["results"]]
    assert us.endswith("read as 1234")
    assert german.endswith("read as 1.234")


@pytest.mark.parametrize(
    "cell",
    ["lots", "1,23,4", "--5", "5%%", "nan", "inf", "1e999", "1_000", "0x10", "9" * 3000,
     "5 apples", "=1/2"],
)  # fmt: skip
def test_a_text_that_is_no_number_is_refused_by_row(sheet, cell):
    shown = sheet.error("risk", with_cell(2, 2, cell))
    assert shown.cell == VALUE
    assert shown.text.startswith(f"holdings row 2: weight is '{cell[:30]}")
    assert shown.text.endswith("which is not a number. Type a number.")


def test_a_logical_value_as_a_weight_is_refused(sheet):
    shown = sheet.error("risk", [["AAPL", 0.5], ["XOM", True]])
    assert shown.text == "holdings row 2: weight is TRUE. Type a number."


# -- layouts --------------------------------------------------------------------------------------

LAYOUTS = {
    "a header": [["Ticker", "Weight"], *GOOD],
    "a header in capitals with units": [["TICKER", "WEIGHT (%)"], *GOOD],
    "a header between blank rows": [["", ""], ["Ticker", "Weight"], ["", ""], *GOOD],
    "a title above": [["Growth fund", ""], ["As of", 42400], ["", ""], ["Ticker", "Weight"], *GOOD],
    "two header rows": [["Ticker", "Weight"], ["", "(% of NAV)"], *GOOD],
    "a header again": [["Ticker", "Weight"], *GOOD[:2], ["Ticker", "Weight"], GOOD[2]],
    "a name in between": [["Ticker", "Name", "Weight"], *[[t, "x", w] for t, w in GOOD]],
    "weights first": [["Weight", "Ticker"], *[[w, t] for t, w in GOOD]],
    "columns after": [[t, w, "Energy", "x"] for t, w in GOOD],
    "a blank column first": [["", t, w] for t, w in GOOD],
    "a total row": [*GOOD, ["Total", 1.0]],
    "a total in per cent": [*[[t, 100 * w] for t, w in GOOD], ["Grand Total:", 100]],
    "a subtotal and cash": [["Ticker", "Weight"], *GOOD, ["Total equity", 1.0], ["CASH", 0.0]],
    "a total without a label": [*GOOD, ["", 1.0]],
    "per cent": [[t, 100 * w] for t, w in GOOD],
    "per cent as text": [[t, f"{100 * w:g} %"] for t, w in GOOD],
    "German decimals": [[t, f"{w:g}".replace(".", ",")] for t, w in GOOD],
    "a duplicate": [["AAPL", 0.1], *GOOD[1:], ["AAPL", 0.3]],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_holdings_laid_out_otherwise_are_the_same(sheet, risk_of_good, layout):
    found = sheet("risk", LAYOUTS[layout], "volatility")[0][0]
    assert found == pytest.approx(risk_of_good, rel=1e-9)


def test_check_says_which_rows_were_no_holdings(sheet):
    grid = [["Growth fund", ""], ["Ticker", "Weight"], ["", "%"], *GOOD, ["Total", 1.0]]
    assert findings(sheet, grid) == [
        (1, "fixed", "it stands above the header", "Left out."),
        (3, "fixed", "it belongs to the header", "Left out."),
        (7, "fixed", "'Total' is the sum of the others", "Left out."),
    ]


def test_a_number_without_ticker_that_may_be_a_holding_is_no_total(sheet):
    shown = sheet.error("risk", [["AAPL", 0.25], ["MSFT", 0.25], ["", 0.5]])
    assert shown.text.startswith("holdings row 3: weight is 0.5 but the ticker is blank.")


def test_a_holding_above_a_second_table_is_not_taken_for_a_title(sheet):
    shown = sheet.error("risk", [["AAPL", 0.5], ["Ticker", "Weight"], ["XOM", 0.5]])
    assert shown.text.startswith("holdings row 2: weight is 'Weight', which is not a number.")


@pytest.mark.parametrize(
    "given",
    [
        [["AAPL", "XOM", "JPM"], [0.4, 0.35, 0.25]],
        [["Ticker", "AAPL", "XOM"], ["Weight", 0.4, 0.6]],
        [["Ticker", "AAPL", "XOM"], ["Name", "Apple", "Exxon"], ["Weight", 0.4, 0.6]],
        [["AAPL", "XOM"], [0.4, 0.6]],
        [["", ""], ["AAPL", "XOM"], [0.4, "60 %"]],
    ],
)
def test_tickers_across_are_refused_with_the_formula_that_turns_them(sheet, given):
    shown = sheet.error("risk", given)
    row = 2 if given[0] == ["", ""] else 1
    assert shown.cell == VALUE
    assert shown.text == (
        f"holdings has its tickers across row {row}, not down a column. Turn it: =TRANSPOSE(range)."
    )


def test_names_between_without_a_header_ask_for_one(sheet):
    shown = sheet.error("risk", [["AAPL", "Apple", 0.5], ["XOM", "Exxon", 0.5]])
    assert shown.text == (
        "holdings row 1: column 2 holds 'Apple', column 3 a number. "
        "Put a header above: ticker and weight name the columns that count."
    )


def test_a_header_in_another_language_says_which_words_are_known(sheet):
    shown = sheet.error("risk", [["Aktie", "Gewicht"], *GOOD])
    assert shown.lead == (
        "holdings row 1: weight is 'Gewicht', which is not a number. "
        "If the row is a header, name its columns ticker and weight, shares or market value."
    )[:120]  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ((0.9, 0.4), f"1.3; {SUM}"),
        ((0, 0.0), f"0; {SUM}"),
        ((10**18, 1), f"1e+18; {SUM}"),
        ((4000, 6000), f"10000; {SUM} These look like basis points: divide them by 10,000."),
    ],
)
def test_an_odd_sum_is_quoted(sheet, weights, text):
    shown = sheet.error("risk", [["AAPL", weights[0]], ["XOM", weights[1]]])
    assert shown.cell == VALUE
    assert shown.text.startswith(f"holdings weights sum to {text}")


def test_shorts_are_read_and_said_and_leverage_needs_the_option(sheet):
    fix = "Read as short; options long_short=yes says so."
    found = findings(sheet, [["AAPL", 1.1], ["XOM", -0.1]])
    assert found == [(0, "warning", "XOM has a negative weight", fix)]
    book = [["AAPL", 1.1], ["XOM", -1.1]]
    assert sheet.error("risk", book).text.endswith("set options long_short=yes.")
    for option in ("long_short=yes", [["long_short", True]], [["Long Short", "YES"]]):
        assert sheet("risk", book, "volatility", None, "NONE", None, option)[0][0] > 0


# -- texts that nobody should send ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/c calc'!A0", "@SUM(1)", "+1+1", "x" * 32_767, "AA\x07\r\nX", "\u202eLPAA2", "<b>x</b>",
     "🍎🍏🥧", "\x00\x01\x1bzz", "' OR 1=1 --", "%s%n{0}"],
)  # fmt: skip
def test_a_strange_ticker_is_quoted_short_and_on_one_line(sheet, text):
    shown = sheet.error("risk", [[text, 0.5], ["XOM", 0.5]])
    assert shown.cell == NA
    assert shown.text.startswith("Unknown ticker '")
    assert "(holdings row 1)" in shown.lead
    table = sheet("exposures", [[text, 0.1], ["XOM", 0.9]])
    note = table[1][-1]
    assert note.startswith("Row 1: Unknown ticker '")
    assert note.isprintable()
    assert len(note) < 200
    flat = [v for row in table + sheet("check", [[text, 0.1], ["XOM", 0.9]]) for v in row]
    assert not any(isinstance(v, str) and v[:1] in ("=", "+", "@") for v in flat)
