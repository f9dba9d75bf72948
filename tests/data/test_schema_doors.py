import datetime as dt

import pandas as pd
import pytest

from tilt.data.schema import (
    INDEX_LEVEL,
    KEY_FIGURES,
    PRICES,
    SCHEMAS,
    SECURITIES,
    check_table,
    empty,
)
from tilt.errors import DataError

GOOD = {"date": ["2020-01-02"], "ticker": ["A"], "close": ["10.5"], "volume": ["100"]}


def refused(table: dict[str, list[object]], schema=PRICES) -> str:
    with pytest.raises(DataError) as caught:
        check_table(pd.DataFrame(table), schema, origin="prices.csv")
    return str(caught.value)


def test_text_becomes_dates_and_numbers_and_missing_columns_appear():
    table = check_table(pd.DataFrame(GOOD), PRICES, origin="prices.csv")
    assert table.columns.tolist() == PRICES.names
    assert table["date"].tolist() == [pd.Timestamp("2020-01-02")]
    assert table["close"].tolist() == [10.5]
    assert table["split"].isna().all()


@pytest.mark.parametrize(
    "given", [pd.Timestamp("2020-01-02 15:30"), dt.date(2020, 1, 2), "20200102"]
)
def test_dates_lose_their_time_of_day(given):
    table = check_table(pd.DataFrame({"date": [given], "level": [1.0]}), INDEX_LEVEL, origin="x")
    assert table["date"].tolist() == [pd.Timestamp("2020-01-02")]


def test_rows_come_in_the_order_of_their_key():
    table = pd.DataFrame({"date": ["2020-01-03", "2020-01-02"], "level": [2.0, 1.0]})
    assert check_table(table, INDEX_LEVEL, origin="x")["level"].tolist() == [1.0, 2.0]


def test_a_missing_column_is_named_with_the_nearest_there_is():
    table = {**GOOD, "Close ": GOOD["close"]}
    del table["close"]
    assert refused(table) == (
        "prices.csv has no column 'close'. Did you mean 'Close '? "
        "The table 'prices' needs date, ticker, close."
    )


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("close", "ten", "prices.csv row 3: close is 'ten', not a number."),
        ("close", "inf", "prices.csv row 3: close is 'inf', not a number."),
        ("close", None, "prices.csv row 3: close is missing. It must be a number."),
        ("date", "02/01/2020", "row 3: date is '02/01/2020', not a date such as 2017-06-30."),
        ("date", "", "prices.csv row 3: date is missing. It must be a date such as 2017-06-30."),
        ("ticker", " ", "prices.csv row 3: ticker is missing. It must be a text."),
    ],
)
def test_a_bad_value_is_refused_with_its_row_and_column(column, value, said):
    table = {
        "date": ["2020-01-02", "2020-01-03"],
        **{k: v * 2 for k, v in GOOD.items() if k != "date"},
    }
    table[column] = [table[column][0], value]
    assert said in refused(table)


def test_a_number_is_no_date():
    assert "row 2: date is '43832', not a date" in refused({**GOOD, "date": [43832]})


def test_the_same_row_twice_is_refused_with_its_key():
    table = {"date": ["2020-01-02"] * 2, "symbol": ["A"] * 2, "price": [1.0, 2.0]}
    assert refused(table, KEY_FIGURES) == (
        "prices.csv row 3: date and symbol (2020-01-02, A) are there already. Keep one of the rows."
    )


def test_words_for_nothing_are_missing_numbers_not_errors():
    table = {"date": ["2020-01-02"], "symbol": ["A"], "price": ["N/A"], "ebitda": ["-"]}
    made = check_table(pd.DataFrame(table), KEY_FIGURES, origin="x")
    assert made[["price", "ebitda"]].isna().all(axis=None)


def test_a_ticker_that_spells_a_word_for_nothing_stays_a_ticker():
    table = check_table(pd.DataFrame({"ticker": ["NA", "TRUE"]}), SECURITIES, origin="x")
    assert table["ticker"].tolist() == ["NA", "TRUE"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_table_may_be_empty_and_every_column_says_what_it_holds(name):
    schema = SCHEMAS[name]
    made = empty(schema)
    assert len(made) == 0
    assert made.columns.tolist() == schema.names
    assert all(c.description for c in schema.columns)
    assert set(schema.key) <= set(schema.names)


def test_an_empty_table_has_the_types_of_a_full_one():
    full = check_table(pd.DataFrame(GOOD), PRICES, origin="x")
    assert empty(PRICES).dtypes.tolist() == full.dtypes.tolist()
