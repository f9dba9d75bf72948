"""Files as people have them: what is found out is right or an error, and it is said."""

import datetime as dt
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.data.reading.door import read_files
from tilt.data.reading.notes import Asked
from tilt.data.reading.opening import MOST_RATIO, open_bytes, open_path
from tilt.data.sources.files import READ_AS, Files, open_files_source
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings

ODD = ["NA", "TRUE", "NAN", "NULL", "INF", "1E10", "NONE", "0700", "FALSE", "BRK.B", "-", "N/A"]


def read(name: str, text: str | bytes, **asked: str):
    data = text.encode() if isinstance(text, str) else text
    return read_files([open_bytes(name, data)], Asked(**asked))


def refused(name: str, text: str | bytes, **asked: str) -> str:
    with pytest.raises(DataError) as caught:
        read(name, text, **asked)
    return str(caught.value)


def said(reading) -> str:
    return "; ".join(note.text for note in reading.notes)


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# numbers that are written in any way and come back as the float they are nearest to
CENTS = st.integers(1, 9_999_999_99).map(lambda n: f"{n // 100}.{n % 100:02d}")
TICKERS = st.lists(
    st.sampled_from([*ODD, "AAPL", "SAP.DE", "7203.T"]), min_size=1, max_size=5, unique=True
)
DAYS = st.lists(
    st.dates(min_value=dt.date(1990, 1, 1), max_value=dt.date(2035, 12, 31)),
    min_size=1,
    max_size=6,
    unique=True,
)
DATE_STYLES = {
    "iso": "%Y-%m-%d",
    "compact": "%Y%m%d",
    "day": "%d/%m/%Y",
    "month": "%m/%d/%Y",
    "dotted": "%d.%m.%Y",
    "named": "%d-%b-%Y",
}
NUMBER_STYLES = [
    (".", ""),
    (",", ""),
    (".", ","),
    (",", "."),
    (".", " "),
    (",", "\u00a0"),
    (".", "'"),
]


def written(number: str, decimal: str, group: str) -> str:
    whole, cents = number.split(".")
    grouped = f"{int(whole):,}".replace(",", group) if group else whole
    return f"{grouped}{decimal}{cents}"


@given(
    days=DAYS,
    tickers=TICKERS,
    numbers=st.lists(CENTS, min_size=30, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    style=st.sampled_from(NUMBER_STYLES),
    dates=st.sampled_from(sorted(DATE_STYLES)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    wide=st.booleans(),
)
def test_a_table_written_in_any_way_comes_back_or_the_ambiguity_is_named(
    days, tickers, numbers, delimiter, style, dates, encoding, wide
):
    cells = {
        (day, ticker): numbers[(i * len(tickers) + j) % 30]
        for i, day in enumerate(days)
        for j, ticker in enumerate(tickers)
    }

    def shown(day, ticker) -> str:
        text = written(cells[day, ticker], *style)
        return f'"{text}"' if delimiter in text else text

    def dated(day) -> str:
        return day.strftime(DATE_STYLES[dates])

    if wide:
        lines = [delimiter.join(["Date", *tickers])]
        lines += [delimiter.join([dated(d), *(shown(d, t) for t in tickers)]) for d in days]
    else:
        lines = [delimiter.join(["Symbol", "Trade Date", "PX_LAST"])]
        lines += [delimiter.join([t, dated(d), shown(d, t)]) for d in days for t in tickers]
    data = "\n".join(lines).encode(encoding)
    unclear = [d for d in days if d.day != d.month]
    if dates in {"day", "month", "dotted"} and unclear and all(d.day <= 12 for d in days):
        message = refused("close.csv", data)
        assert f"'{dated(unclear[0])}' could mean" in message
        assert "Say --dates" in message
        return
    reading = read("close.csv", data)
    table = reading.tables["prices"]
    found = {(r.date.date(), r.ticker): r.close for r in table.itertuples()}
    assert found == {k: float(v) for k, v in cells.items()}


@given(
    numbers=st.lists(
        st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=8
    )
)
def test_every_float_comes_back_bit_for_bit(numbers):
    rows = "\n".join(f"2020-01-{i + 1:02d},A,{x!r}" for i, x in enumerate(numbers))
    table = read("x.csv", f"date,ticker,close\n{rows}\n").tables["prices"]
    assert table["close"].to_numpy().tobytes() == np.array(numbers).tobytes()


@pytest.mark.parametrize("ticker", ODD)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_no_ticker_is_taken_for_a_number_a_truth_value_or_nothing(ticker, kind):
    table = pd.DataFrame({"date": [pd.Timestamp("2020-01-02")], "ticker": [ticker], "close": [1.5]})
    file = io.BytesIO()
    if kind == "csv":
        table.to_csv(file, index=False)
    elif kind == "xlsx":
        table.to_excel(file, index=False)
    else:
        table.to_parquet(file)
    assert read(f"prices.{kind}", file.getvalue()).tables["prices"]["ticker"].tolist() == [ticker]


def test_a_truth_value_in_a_column_of_tickers_is_the_ticker_that_was_typed():
    book = workbook(prices=[["Date", "Ticker", "Close"], [pd.Timestamp("2020-01-02"), True, 1.5]])
    assert read("book.xlsx", book).tables["prices"]["ticker"].tolist() == ["TRUE"]


def test_a_ticker_that_excel_made_a_date_is_refused_with_what_was_typed():
    rows = [["Date", "Ticker", "Close"], [43832, pd.Timestamp("2020-03-01"), 1.5]]
    message = refused("book.xlsx", workbook(prices=rows))
    assert "book.xlsx sheet 'prices' row 2, column 'Ticker'" in message
    assert "MAR1" in message


def test_a_code_that_excel_made_a_number_is_refused():
    rows = [["Date", "Ticker", "Close"], [43832, 1.2e8, 1.5]]
    assert "Format the column as Text" in refused("book.xlsx", workbook(prices=rows))


def test_dates_that_prove_no_order_are_refused_with_both_readings_until_it_is_said():
    text = "date,ticker,close\n05/04/2020,A,1\n06/04/2020,A,2\n"
    message = refused("p.csv", text)
    assert "p.csv row 2, column 'date': '05/04/2020' could mean 2020-04-05 or 2020-05-04" in message
    assert "--dates day-first" in message
    first = {
        order: read("p.csv", text, dates=order).tables["prices"]["date"].iloc[0]
        for order in ("day-first", "month-first")
    }
    assert first == {
        "day-first": pd.Timestamp("2020-04-05"),
        "month-first": pd.Timestamp("2020-05-04"),
    }


def test_one_day_above_twelve_proves_the_order_and_it_is_said():
    reading = read("p.csv", "date,ticker,close\n05/04/2020,A,1\n13/04/2020,A,2\n")
    assert reading.tables["prices"]["date"].tolist() == [
        pd.Timestamp("2020-04-05"),
        pd.Timestamp("2020-04-13"),
    ]
    assert "the day first" in said(reading)


def test_dates_that_contradict_each_other_are_refused():
    message = refused("p.csv", "date,ticker,close\n13/04/2020,A,1\n04/14/2020,A,2\n")
    assert "'13/04/2020' has the day first, but '04/14/2020' has the month first" in message


def test_a_number_with_two_readings_is_refused_until_one_other_proves_the_sign():
    text = "date;ticker;close\n2020-01-02;A;1,234\n"
    assert "'1,234' could mean 1.234 or 1234" in refused("p.csv", text)
    proved = read("p.csv", f"{text}2020-01-03;A;1,5\n").tables["prices"]["close"]
    assert proved.tolist() == [1.234, 1.5]
    asked = read("p.csv", text, decimal=".").tables["prices"]["close"]
    assert asked.tolist() == [1234.0]


def test_decimal_commas_and_points_in_one_file_are_refused():
    message = refused("p.csv", "date;ticker;close\n2020-01-02;A;1,5\n2020-01-03;A;2.75\n")
    assert "'1,5' has a decimal comma, but '2.75' of row 3 has a decimal point" in message


@pytest.mark.parametrize(
    ("cell", "value"),
    [("5.25%", 0.0525), ("(5)", -5.0), ("$1.50", 1.5), ("7.569B", 7.569e9), ("-", np.nan),
     ("#N/A", np.nan), ("1e-3", 0.001), ("\u22121.5", -1.5), (" 2 ", 2.0)],
)  # fmt: skip
def test_what_people_put_around_numbers_is_read(cell, value):
    text = f'date,symbol,price,ebitda\n2020-01-02,A,1.5,"{cell}"\n'
    table = read("key_figures.csv", text).tables["key_figures"]
    np.testing.assert_array_equal(table["ebitda"].to_numpy(), [value])


@pytest.mark.parametrize("cell", ["ten", "1.2.3", "12,34,5x", "inf", "1e999", "0x10", "1..5"])
def test_what_is_no_number_is_refused_with_file_row_column_and_remedy(cell):
    text = f'Date,Ticker,Last Price\n2020-01-02,A,1.5\n2020-01-03,A,"{cell}"\n'
    message = refused("p.csv", text)
    assert message.startswith(f"p.csv row 3, column 'Last Price': '{cell}' is not a number.")
    assert "leave the cell blank" in message


def test_rows_are_counted_as_an_editor_counts_them():
    text = 'Prices of our fund\n\ndate,ticker,close\n2020-01-02,"A",1\n\n2020-01-03,A,oops\n'
    assert refused("p.csv", text).startswith("p.csv row 6, column 'close': 'oops'")


def test_a_line_with_too_many_cells_is_refused_with_its_number():
    message = refused("p.csv", "date,ticker,close\n2020-01-02,A,1\n2020-01-03,A,1,5\n")
    assert message.startswith("p.csv row 3 has 4 cells, the header has 3.")


def test_a_missing_column_is_named_with_the_nearest_there_is():
    message = refused("prices.csv", "date,ticker,clsoe\n2020-01-02,A,1\n")
    assert "prices.csv has no column 'close'. Did you mean 'clsoe'?" in message


@pytest.mark.parametrize(
    ("headers", "column"),
    [("Date,Symbol,Close", "close"), ("DATE,TICKER,PX_LAST", "close"),
     ("date,Name,Closing Price", "close"), ("Trade Date,Ticker,Adj Close", "close")],
)  # fmt: skip
def test_columns_are_known_by_the_names_vendors_give_them(headers, column):
    table = read("download.csv", f"{headers}\n2020-01-02,NA,1.5\n").tables["prices"]
    assert table[["ticker", column]].to_numpy().tolist() == [["NA", 1.5]]


def test_an_adjusted_close_alone_stands_for_the_close_without_its_dividends():
    text = "Date,Ticker,Adj Close,Dividends\n2020-01-02,A,1.5,0.1\n"
    reading = read("x.csv", text)
    assert "dividend" not in reading.tables["prices"]
    assert "'Adj Close' stands for the close" in said(reading)


def test_wide_files_of_close_and_volume_make_one_table(tmp_path):
    (tmp_path / "close.csv").write_text("Date,A,NA\n2020-01-02,1.5,2.5\n2020-01-03,1.6,\n")
    (tmp_path / "volume.csv").write_text("Date,A,NA\n2020-01-02,100,200\n2020-01-03,150,5\n")
    delivery = Files(tmp_path, "MINE").fetch()
    table = delivery.tables["prices"]
    assert table[["ticker", "close", "volume"]].to_numpy().tolist() == [
        ["A", 1.5, 100.0],
        ["NA", 2.5, 200.0],
        ["A", 1.6, 150.0],
    ]
    details = [f.detail for f in delivery.findings if f.check == READ_AS]
    assert any("1 rows of prices are left out" in d for d in details)


def test_blank_columns_at_the_right_are_no_tickers():
    table = read("close.csv", "Date,A,B,,\n2020-01-02,1.5,2.5,,\n").tables["prices"]
    assert table["ticker"].tolist() == ["A", "B"]


def test_factor_values_in_rows_are_known_by_their_columns():
    table = read("mine.csv", "date,ticker,factor,value\n2020-01-02,NA,Carbon,1.5\n")
    assert table.tables["exposures"]["value"].tolist() == [1.5]


def test_a_wide_file_whose_name_says_nothing_needs_the_field():
    text = "Date,A,B\n2020-01-02,1.5,2.5\n"
    assert "does not say what its values are" in refused("download.csv", text)
    assert "close" in read("download.csv", text, field="close").tables["prices"]
    with pytest.raises(ArgumentError, match="Did you mean 'close'"):
        read("download.csv", text, field="clsoe")


def test_every_sheet_that_is_a_table_is_read_and_the_others_are_said():
    book = workbook(
        Close=[["Date", "A"], [pd.Timestamp("2020-01-02"), 1.5]],
        Volume=[["Date", "A"], [43832, 100]],
        Notes=[["written by", "me"], ["on", "Friday"]],
    )
    reading = read("book.xlsx", book)
    assert reading.tables["prices"][["close", "volume"]].to_numpy().tolist() == [[1.5, 100.0]]
    assert "Notes" in said(reading)
    assert "serial numbers" in said(reading)


def test_a_sheet_that_is_asked_for_and_is_not_there_is_an_error_with_the_nearest():
    book = workbook(Close=[["Date", "A"], [43832, 1.5]])
    with pytest.raises(ArgumentError, match="Did you mean 'Close'"):
        read("book.xlsx", book, sheet="Clsoe")


def test_dates_counted_from_1904_are_the_days_they_show():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["Date", "A"])
    book.active.append([43832 - 1462, 1.5])
    book.active.title = "close"
    file = io.BytesIO()
    book.save(file)
    table = read("mac.xlsx", file.getvalue()).tables["prices"]
    assert table["date"].tolist() == [pd.Timestamp("2020-01-02")]


def test_a_western_encoding_is_read_and_said():
    text = "ticker,name,sector\nSU,Schneider Électric,Industrials\nOR,L'Oréal,Beauté\n"
    reading = read("securities.csv", text.encode("cp1252"))
    assert reading.tables["securities"]["name"].tolist() == ["Schneider Électric", "L'Oréal"]
    assert "cp1252" in said(reading)


def test_two_files_of_one_table_are_refused(tmp_path):
    for name in ("prices.csv", "prices.txt"):
        (tmp_path / name).write_text("date,ticker,close\n2020-01-02,A,1\n")
    with pytest.raises(DataError, match=r"prices.csv and prices.txt are both there"):
        Files(tmp_path, "MINE").fetch()


def test_a_folder_source_is_found_again_by_its_own_name(tmp_path):
    (tmp_path / "prices.csv").write_text("date,ticker,close\n2020-01-02,A,1\n")
    settings = Settings(data_url=str(tmp_path / "store"))
    source = open_files_source(str(tmp_path), settings)
    again = open_files_source(source.name.removeprefix("files:"), settings)
    assert again.fetch().tables["prices"].equals(source.fetch().tables["prices"])


# what is refused before anything is parsed


def test_a_gzip_file_that_unpacks_to_far_too_much_is_refused():
    bomb = gzip.compress(b"0" * (64 << 20))
    assert f"more than {MOST_RATIO} times its size" in refused("p.csv.gz", bomb)


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return file.getvalue()


def test_a_workbook_that_unpacks_to_far_too_much_is_refused():
    bomb = packed({"[Content_Types].xml": b"<a/>", "xl/worksheets/sheet1.xml": b" " * (64 << 20)})
    assert f"more than {MOST_RATIO} times its size" in refused("p.xlsx", bomb)


@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declared",
    ['<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', '<!ENTITY lol "lol">'],
)
def test_a_workbook_that_declares_entities_is_refused_before_it_is_parsed(code, declared):
    whole = zipfile.ZipFile(io.BytesIO(workbook(close=[["Date", "A"], [43832, 1.5]])))
    parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = f"<?xml version='1.0'?>{declared}<x>&a;</x>".encode(code)
    message = refused("p.xlsx", packed(parts))
    assert "declares entities in xl/worksheets/sheet1.xml" in message


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("p.csv", b"PK\x03\x04 and so on", "an Excel workbook or a zip file by its content"),
        ("p.csv", b"PAR1 and so on", "p.csv is Parquet by its content, not text"),
        ("p.xlsx", b"date,ticker\n", "p.xlsx is not an Excel workbook by its content"),
        ("p.parquet", b"date,ticker\n", "p.parquet is not Parquet by its content"),
        ("p.xlsx", b"\xd0\xcf\x11\xe0 old", "old or encrypted"),
        ("p.csv", b"a,b\x00\x01\n", "bytes that no text has"),
        ("p.csv", b"", "p.csv is empty"),
        ("p.pdf", b"%PDF", "of no kind that can be read"),
        ("p.csv.gz", b"\x1f\x8b broken", "no whole gzip file"),
        ("p.xlsx", packed({"a.txt": b"hello"}), "a zip file but no Excel workbook"),
        ("p.parquet", b"PAR1 broken PAR1", "no readable Parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name, data, message):
    assert message in refused(name, data)


def test_a_file_larger_than_the_limit_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(600 << 20)  # a hole: it takes no room
    with pytest.raises(DataError, match=r"600 MiB; at most 512 MiB are read"):
        open_path(path)


def test_a_misspelt_file_is_an_error_with_the_nearest(tmp_path: Path):
    (tmp_path / "prices.csv").write_text("x")
    with pytest.raises(DataError, match=r"Did you mean 'prices.csv'"):
        open_path(tmp_path / "prcies.csv")


def test_closes_without_any_volume_are_no_days_without_trade(make):
    close = make.walk(60, ["A", "B"])
    assert "zero_volume" in {f.check for f in make.review(make.prices(close, volume=0.0)).findings}
    unknown = make.review(make.prices(close, volume=float("nan")))
    assert "zero_volume" not in {f.check for f in unknown.findings}
