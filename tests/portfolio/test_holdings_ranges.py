"""What a range of holdings means, and which row is to blame when it means nothing."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.frames import Panel
from tilt.portfolio.holdings import (
    check_table,
    inspect_holdings,
    parse_benchmark,
    parse_holdings,
    parse_who,
)

TICKERS = ["AAPL", "MSFT", "XOM", "BRK.B", "MAR", "PPL", "FB"]
NAMES = ["Apple", "Microsoft", "Exxon Mobil", "Berkshire", "Marriott", "PPL Corp", "Facebook"]
DATES = pd.bdate_range("2016-01-04", periods=30)
DATE = DATES[-1]
CLOSE = [100.0, 50.0, 80.0, 150.0, 60.0, 35.0, np.nan]
SHARES = [5000.0, 8000.0, 4000.0, 2000.0, 300.0, 600.0, 2000.0]


def make_panel() -> Panel:
    close = pd.DataFrame([CLOSE] * len(DATES), index=DATES, columns=TICKERS)
    empty = pd.DataFrame(0.0, index=DATES, columns=TICKERS)
    return Panel(
        universe="US_LARGE_CAP",
        snapshot="test",
        securities=pd.DataFrame(
            {"name": NAMES, "sector": "Tech", "industry": "Any"}, index=TICKERS
        ),
        close=close,
        returns=empty,
        volume=empty,
        market_cap=close * SHARES,
        member=close.notna(),
        fundamentals={},
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="Made up.",
    )


PANEL = make_panel()
SAVED = {"SAMPLE": pd.Series({"AAPL": 0.5, "MSFT": 0.48})}


def parse(grid, **options):
    return parse_holdings(grid, PANEL, DATE, saved=SAVED, **options)


def inspect(grid, **options):
    return inspect_holdings(grid, PANEL, DATE, saved=SAVED, **options)


def problems(grid, **options):
    return check_table(inspect(grid, **options))


def test_weights_without_a_header_are_read_by_position():
    holdings = parse([["AAPL", 0.6], ["MSFT", 0.4]])
    assert holdings.weights.to_dict() == {"AAPL": 0.6, "MSFT": 0.4}
    assert holdings.cash == 0.0
    assert holdings.findings.empty


def test_one_row_is_a_portfolio():
    assert parse([["AAPL", 1]]).weights.to_dict() == {"AAPL": 1.0}


@pytest.mark.parametrize("head", ["Weight", "WT", "%", "Weight (%)", "Portfolio_Weight"])
@pytest.mark.parametrize("name", ["Ticker", "symbol", "ID", "Identifier"])
def test_a_header_is_known_by_its_usual_names(name, head):
    holdings = parse([[name, head], ["AAPL", 0.6], ["MSFT", 0.4]])
    assert holdings.weights.to_dict() == {"AAPL": 0.6, "MSFT": 0.4}


def test_a_header_decides_which_column_is_the_weight():
    grid = [["Weight", "Sector", "Symbol"], [0.25, "Tech", "AAPL"], [0.75, "Tech", "MSFT"]]
    assert parse(grid).weights.to_dict() == {"AAPL": 0.25, "MSFT": 0.75}


def test_of_several_amounts_the_weight_is_used_and_that_is_noted():
    grid = [["Ticker", "Shares", "Weight"], ["AAPL", 10, 0.4], ["MSFT", 10, 0.6]]
    holdings = parse(grid)
    assert holdings.weights.to_dict() == {"AAPL": 0.4, "MSFT": 0.6}
    assert holdings.findings["problem"].to_list() == ["weight is used, shares is not"]


def test_shares_become_weights_at_the_close_of_the_date():
    holdings = parse([["Ticker", "Shares"], ["AAPL", 10], ["MSFT", 40], ["CASH", 1000]])
    assert holdings.weights.to_dict() == {"AAPL": 0.25, "MSFT": 0.5}
    assert holdings.cash == 0.25


def test_market_values_become_weights_by_their_sum():
    holdings = parse([["Ticker", "Mkt Value (USD)"], ["AAPL", 300_000], ["MSFT", 100_000]])
    assert holdings.weights.to_dict() == {"AAPL": 0.75, "MSFT": 0.25}


def test_market_values_of_no_net_capital_ask_for_the_cash():
    grid = [["Ticker", "MV"], ["AAPL", 100.0], ["MSFT", -100.0]]
    with pytest.raises(DataError, match="market value sums to 0, so there is no capital"):
        parse(grid)
    holdings = parse([*grid, ["CASH", 1000.0]])
    assert holdings.weights.to_dict() == {"AAPL": 0.1, "MSFT": -0.1}
    assert holdings.cash == 1.0


def test_per_cent_weights_are_divided_by_a_hundred_with_a_note():
    holdings = parse([["AAPL", 60], ["MSFT", 40]])
    assert holdings.weights.to_dict() == {"AAPL": 0.6, "MSFT": 0.4}
    assert holdings.notes == ("Weights sum to 100, so they are per cent. Divided by 100.",)


@pytest.mark.parametrize(
    ("weights", "scale"),
    [((0.25, 0.25), 1), ((0.6, 0.405), 1), ((25, 25), 0.01), ((60, 40.5), 0.01)],
)
def test_sums_at_the_edges_of_the_two_bands_are_read(weights, scale):
    holdings = parse([["AAPL", weights[0]], ["MSFT", weights[1]]])
    assert holdings.weights.sum() == pytest.approx(sum(weights) * scale, abs=1e-15)
    assert holdings.cash == pytest.approx(1 - sum(weights) * scale, abs=1e-12)


@pytest.mark.parametrize("weights", [(0.2, 0.29), (0.6, 0.41), (20, 29), (60, 41), (1, 1)])
def test_any_other_sum_is_an_error_that_quotes_it(weights):
    with pytest.raises(DataError) as caught:
        parse([["AAPL", weights[0]], ["MSFT", weights[1]]])
    assert str(caught.value).startswith(f"holdings weights sum to {sum(weights):.6g}; they must")
    assert "long_short=yes" in str(caught.value)


def test_a_long_short_book_may_have_any_sum():
    holdings = parse([["AAPL", 1.0], ["MSFT", -0.9]], long_short=True)
    assert holdings.weights.to_dict() == {"AAPL": 1.0, "MSFT": -0.9}
    assert holdings.cash == pytest.approx(0.9)


def test_a_long_short_book_in_per_cent_is_divided_by_a_hundred():
    holdings = parse([["AAPL", 100.0], ["MSFT", -100.0]], long_short=True)
    assert holdings.weights.to_dict() == {"AAPL": 1.0, "MSFT": -1.0}


def test_a_short_in_a_book_not_said_to_be_long_short_is_a_warning():
    table = problems([["AAPL", 1.2], ["MSFT", -0.2]])
    assert table["problem"].to_list() == ["MSFT has a negative weight"]
    assert table["severity"].to_list() == ["warning"]


def test_what_is_missing_to_the_whole_is_cash_with_a_note():
    holdings = parse([["AAPL", 0.5], ["MSFT", 0.48]])
    assert holdings.cash == pytest.approx(0.02)
    assert holdings.notes == ("Weights sum to 98 %. The missing 2 % counts as cash.",)


@pytest.mark.parametrize("name", ["CASH", "usd", "$CASH", "Cash & Equivalents"])
def test_a_row_of_cash_is_cash_and_no_holding(name):
    holdings = parse([["AAPL", 0.9], [name, 0.1]])
    assert holdings.weights.to_dict() == {"AAPL": 0.9}
    assert holdings.cash == pytest.approx(0.1)
    assert holdings.findings.empty


def test_a_book_of_cash_alone_holds_nothing():
    holdings = parse([["Ticker", "Weight"], ["CASH", 1.0]])
    assert holdings.weights.empty
    assert holdings.cash == 1.0


def test_blank_rows_are_skipped_without_a_word():
    grid = [[None, None], ["Ticker", "Weight"], ["", ""], ["AAPL", 0.5], [" ", None], ["MSFT", 0.5]]
    holdings = parse(grid)
    assert holdings.weights.to_dict() == {"AAPL": 0.5, "MSFT": 0.5}
    assert holdings.findings.empty


def test_a_row_of_zeros_is_a_blank_row_as_excel_may_send_it():
    holdings = parse([["AAPL", 0.5], [0, 0], ["MSFT", 0.5], [0, 0.0]])
    assert holdings.weights.to_dict() == {"AAPL": 0.5, "MSFT": 0.5}
    assert holdings.findings.empty


def test_a_total_row_at_the_end_is_left_out():
    holdings = parse([["AAPL", 0.5], ["MSFT", 0.5], ["Total", 1.0]])
    assert holdings.weights.to_dict() == {"AAPL": 0.5, "MSFT": 0.5}
    assert holdings.findings["row"].to_list() == [3]


def test_duplicates_are_summed_with_a_note():
    holdings = parse([["AAPL", 0.3], ["MSFT", 0.4], ["aapl", 0.3]])
    assert holdings.weights.to_dict() == {"AAPL": 0.6, "MSFT": 0.4}
    assert holdings.notes == ("Row 3: AAPL is also in row 1. Summed to 60 %.",)


def test_row_numbers_count_the_header_and_the_blank_rows():
    grid = [["Ticker", "Weight"], ["AAPL", 0.5], ["", ""], ["MSFT", "#REF!"]]
    with pytest.raises(DataError, match=r"^holdings row 4: weight is #REF!\."):
        parse(grid)


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#SPILL!"])
def test_an_error_cell_is_named_by_row(error):
    with pytest.raises(DataError, match=f"holdings row 2: weight is {error.replace('?', '.')}"):
        parse([["AAPL", 0.5], ["MSFT", error]])
    with pytest.raises(DataError, match=f"holdings row 1: ticker is {error.replace('?', '.')}"):
        parse([[error, 0.5], ["MSFT", 0.5]])


def test_a_blank_weight_names_the_row_and_the_ticker():
    with pytest.raises(DataError, match=r"^holdings row 2: weight of MSFT is blank\. Type"):
        parse([["AAPL", 1.0], ["MSFT", None]])


def test_a_weight_without_a_ticker_is_an_error():
    with pytest.raises(DataError, match=r"row 2: weight is 0.5 but the ticker is blank"):
        parse([["AAPL", 0.5], ["", 0.5]])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (True, "weight is TRUE"),
        (dt.datetime(2016, 3, 1), "weight is the date 2016-03-01"),  # noqa: DTZ001
        ("lots", "weight is 'lots', which is not a number"),
        (float("nan"), "weight is not a number"),
    ],
)
def test_a_weight_that_is_no_number_is_an_error(cell, words):
    with pytest.raises(DataError, match=f"holdings row 2: {words}"):
        parse([["AAPL", 0.5], ["MSFT", cell]])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50%", 0.5),
        ("50 %", 0.5),
        ("0.5", 0.5),
        (" .5 ", 0.5),
        ("0,5", 0.5),
        ("0,125", 0.125),
        ("5e-1", 0.5),
        ("'0.5", 0.5),
    ],
)
def test_a_weight_that_stands_as_text_is_read_and_reported(text, value):
    holdings = parse([["AAPL", text], ["MSFT", 1 - value]])
    assert holdings.weights["AAPL"] == pytest.approx(value, abs=1e-15)
    assert holdings.findings["severity"].to_list() == ["fixed"]
    assert f"read as {value:g}" in holdings.findings["problem"][0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("$1,234.50", 1234.5),
        ("1,234,567", 1234567.0),
        ("(1,234.5)", -1234.5),
        ("1 234,5", 1234.5),
        ("\u22121234.5", -1234.5),
    ],
)
def test_money_that_stands_as_text_is_read_in_any_notation_with_one_meaning(text, value):
    holdings = parse([["Ticker", "Value"], ["AAPL", text], ["MSFT", 1e6]])
    assert holdings.weights["AAPL"] == pytest.approx(value / (value + 1e6), rel=1e-12)


@pytest.mark.parametrize("text", ["1,234", "1.234"])
def test_a_text_with_two_meanings_is_refused_with_both(text):
    with pytest.raises(DataError, match=r"may mean (1,234 or 1\.234|1\.234 or 1,234)"):
        parse([["Ticker", "Shares"], ["AAPL", text], ["MSFT", 10]])


def test_one_column_says_that_two_are_needed():
    with pytest.raises(ArgumentError, match="holdings has 1 column but 2 are needed"):
        parse([["AAPL"], ["MSFT"]])


def test_an_empty_range_says_what_to_give():
    with pytest.raises(ArgumentError, match="holdings is empty"):
        parse([["", None], [None, None]])
    with pytest.raises(ArgumentError, match="holdings is missing"):
        parse(None)


def test_a_header_alone_is_an_error():
    with pytest.raises(ArgumentError, match="is a header without rows below it"):
        parse([["Ticker", "Weight"]])


def test_a_header_without_weights_lists_its_columns():
    with pytest.raises(ArgumentError, match="its columns are Ticker, Sector"):
        parse([["Ticker", "Sector"], ["AAPL", "Tech"]])


def test_a_header_of_other_words_says_which_words_are_known():
    with pytest.raises(ArgumentError, match="name its columns ticker and weight"):
        parse([["Aktie", "Gewicht"], ["AAPL", 1.0]])


@pytest.mark.parametrize("given", ["BRK/B", "brk-b", "BRK B", "BRKB ", "brk_b", "BRK.B US Equity"])
def test_share_classes_are_found_however_written(given):
    holdings = parse([[given, 1.0]])
    assert holdings.weights.to_dict() == {"BRK.B": 1.0}
    assert holdings.findings["severity"].to_list() == ["fixed"]
    assert "read as BRK.B" in holdings.findings["problem"][0]


def test_a_few_unknown_tickers_are_left_out_and_listed():
    holdings = parse([["AAPL", 0.5], ["MSFT", 0.3], ["APPL", 0.2]])
    assert holdings.weights.to_dict() == {"AAPL": 0.5, "MSFT": 0.3}
    assert holdings.cash == pytest.approx(0.2)
    assert holdings.findings["severity"].to_list() == ["warning"]
    assert holdings.notes == (
        "Row 3: Unknown ticker 'APPL'. Left out; its 20 % counts as cash. Did you mean 'AAPL'?",
    )


def test_unknown_tickers_of_more_than_a_fifth_are_an_error():
    with pytest.raises(UnknownNameError) as caught:
        parse([["Ticker", "Weight"], ["MSFT", 0.79], ["APPL", 0.21]])
    expected = "Unknown ticker 'APPL' (holdings row 3). Did you mean 'AAPL'?"
    assert str(caught.value).startswith(expected)
    assert "21.0 %" in str(caught.value)


def test_a_company_name_suggests_its_ticker():
    assert "Did you mean 'MSFT'?" in problems([["Microsoft", 1.0]])["fix"][0]


def test_a_ticker_without_a_price_at_the_date_is_unknown_then():
    table = problems([["AAPL", 0.9], ["FB", 0.1]])
    assert table["problem"].to_list() == [f"'FB' has no price on {DATE:%Y-%m-%d}"]


def test_shares_of_names_without_a_price_count_by_name():
    grid = [["Ticker", "Shares"], ["AAPL", 10], ["FB", 10]]
    with pytest.raises(UnknownNameError, match="1 of 2 names"):
        parse(grid)


def test_a_ticker_that_excel_made_a_logical_value_is_an_error():
    with pytest.raises(DataError, match="holdings row 2: ticker is the logical value TRUE"):
        parse([["AAPL", 0.5], [True, 0.5]])


@pytest.mark.parametrize("cell", [dt.datetime(2024, 3, 1), 45352, "1-Mar", "Mar-24"])  # noqa: DTZ001
def test_a_ticker_that_excel_made_a_date_suggests_the_ticker(cell):
    with pytest.raises(DataError, match=r"ticker is .*If you meant MAR, type .*'MAR"):
        parse([["AAPL", 0.5], [cell, 0.5]])


def test_a_number_where_a_ticker_belongs_is_an_error():
    with pytest.raises(DataError, match=r"holdings row 1: ticker is the number 0.5"):
        parse([[0.5, "AAPL"]])


def test_check_lists_all_problems_and_not_only_the_first():
    grid = [
        ["Ticker", "Weight"],
        ["AAPL", "#REF!"],
        [True, 0.2],
        ["msft", "10%"],
        ["XOM", None],
        [None, 0.1],
    ]
    table = problems(grid)
    assert list(table.columns) == ["row", "severity", "problem", "fix"]
    assert table["row"].to_list() == [2, 3, 5, 6, 4, 4]
    assert table["severity"].to_list() == ["error"] * 4 + ["fixed"] * 2


def test_an_error_among_others_says_how_many_more_there_are():
    with pytest.raises(DataError, match=r"row 1: weight is #REF!.*\(2 more problems: see CHECK"):
        parse([["AAPL", "#REF!"], ["MSFT", "x1"], ["XOM", None]])


def test_the_argument_is_named_in_messages():
    with pytest.raises(DataError, match=r"^benchmark row 1: weight is #N/A"):
        parse_benchmark([["AAPL", "#N/A"]], PANEL, DATE, SAVED)


def test_names_mean_universe_saved_portfolio_and_cash():
    caps = pd.Series(CLOSE, TICKERS) * SHARES
    universe = parse("us_large_cap")
    pd.testing.assert_series_equal(
        universe.weights, (caps / caps.sum()).dropna(), check_names=False
    )
    sample = parse("sample")
    assert sample.name == "SAMPLE"
    assert sample.weights.to_dict() == {"AAPL": 0.5, "MSFT": 0.48}
    assert sample.cash == pytest.approx(0.02)
    for nothing in ("CASH", "none"):
        assert parse(nothing).weights.empty
        assert parse(nothing).cash == 1.0


def test_a_range_of_one_cell_is_the_name_in_it():
    assert parse([["SAMPLE"]]).name == "SAMPLE"


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"holdings 'SAMPEL' is neither .* 'SAMPLE'\?"):
        parse("SAMPEL")


def test_a_store_that_looks_names_up_keeps_its_own_message():
    def look_up(name):
        raise UnknownNameError(f"No saved portfolio '{name}': there are A and B.")

    with pytest.raises(UnknownNameError, match=r"neither a saved.*there are A and B"):
        parse_holdings("QQQQQ", PANEL, DATE, saved=look_up)


def test_a_benchmark_left_out_is_the_cap_weighted_universe():
    expected = PANEL.cap_weights(DATE)
    pd.testing.assert_series_equal(parse_benchmark(None, PANEL, DATE, SAVED), expected)
    pd.testing.assert_series_equal(parse_benchmark([[""]], PANEL, DATE, SAVED), expected)


@pytest.mark.parametrize("given", ["NONE", "cash", [["NONE"]]])
def test_no_benchmark_means_absolute_risk(given):
    assert parse_benchmark(given, PANEL, DATE, SAVED) is None


def test_who_may_be_a_ticker_or_holdings():
    assert parse_who("aapl", PANEL, DATE, saved=SAVED).weights.to_dict() == {"AAPL": 1.0}
    assert parse_who("SAMPLE", PANEL, DATE, saved=SAVED).name == "SAMPLE"
    assert parse_who([["AAPL", 1.0]], PANEL, DATE, saved=SAVED).weights.to_dict() == {"AAPL": 1.0}
    with pytest.raises(UnknownNameError, match=r"^Unknown ticker 'APPL'\. Did you mean 'AAPL'\?"):
        parse_who("APPL", PANEL, DATE, saved=SAVED)


def test_the_order_of_rows_does_not_matter():
    rows = [["AAPL", 0.2], ["MSFT", 0.3], ["XOM", 0.1], ["AAPL", 0.4]]
    there = parse(rows).weights.sort_index()
    back = parse(rows[::-1]).weights.sort_index()
    pd.testing.assert_series_equal(there, back)


def test_the_range_given_is_not_changed():
    grid = [["Ticker", "Weight", None], ["AAPL", "50%"], ["MSFT", 0.5]]
    copy = [list(row) for row in grid]
    parse(grid)
    assert grid == copy
