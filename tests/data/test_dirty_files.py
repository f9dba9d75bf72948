"""Vendor files with cells that are not what their column holds: set aside one by one, and said."""

import numpy as np
import pandas as pd
import pytest

from tilt.data.reading.door import read_files
from tilt.data.reading.notes import Asked
from tilt.data.reading.opening import open_bytes
from tilt.data.reading.unreadable import TOLD, unreadable_findings
from tilt.data.sources.files import Files
from tilt.data.store import Store
from tilt.errors import DataError
from tilt.refresh import refresh
from tilt.settings import Settings

DAYS = [f"2020-{d:%m-%d}" for d in pd.bdate_range("2020-01-01", periods=40)]
URL = "http://vendor.example/figures?name=A"


def lines(**wrong: dict[int, str]) -> str:
    """A price file of 40 days; ``wrong`` has the cells of a column by the row of the file."""
    columns = ["date", "ticker", "close", "volume"]
    rows = [[day, "NA", f"{50 + i}.5", "1000"] for i, day in enumerate(DAYS)]
    for column, cells in wrong.items():
        for row, cell in cells.items():
            rows[row - 2][columns.index(column)] = cell
    return "\n".join(",".join(r) for r in [columns, *rows]) + "\n"


def read(text: str, name: str = "prices.csv", **asked: str):
    return read_files([open_bytes(name, text.encode())], Asked(**asked))


def cells(reading) -> list[list[object]]:
    return reading.unreadable[["file", "row", "column", "text"]].to_numpy().tolist()


def test_a_value_that_cannot_be_read_is_missing_and_kept_as_it_was_typed():
    reading = read(lines(volume={5: URL, 9: "n.m."}))
    table = reading.tables["prices"]
    assert len(table) == 40
    assert np.flatnonzero(table["volume"].isna()).tolist() == [3, 7]
    assert cells(reading) == [
        ["prices.csv", 5, "volume", URL],
        ["prices.csv", 9, "volume", "n.m."],
    ]
    (said,) = [n.text for n in reading.notes if n.what == "cells"]
    assert said.startswith("2 cells are read as missing: 'volume'")
    assert "row 5 'http://vendor" in said


@pytest.mark.parametrize(
    ("column", "cell"), [("date", "soon"), ("ticker", " "), ("close", "none yet"), ("close", "")]
)
def test_a_row_that_lacks_what_it_needs_is_left_out_alone(column, cell):
    reading = read(lines(**{column: {7: cell}}))
    table = reading.tables["prices"]
    assert len(table) == 39
    assert 55.5 not in set(table["close"])
    assert cells(reading) == [["prices.csv", 7, column, cell]]
    assert "1 row is left out" in "; ".join(n.text for n in reading.notes)


def test_two_of_forty_are_a_slip_and_four_are_another_column():
    slips = dict.fromkeys((3, 12), "?")
    assert len(read(lines(volume=slips)).unreadable) == 2
    with pytest.raises(DataError) as caught:
        read(lines(volume={**slips, 30: "<gone>", 31: "x"}))
    message = str(caught.value)
    assert message.startswith("prices.csv column 'volume': 4 of its 40 cells cannot be read")
    assert "row 3 '?', row 12 '?', row 30 '<gone>'" in message
    assert "row 31" not in message
    assert "another decimal sign" in message


def test_a_column_of_another_decimal_sign_is_refused():
    commas = {row: f'"{row}.000,5"' for row in range(2, 42)}
    with pytest.raises(DataError, match=r"column 'close': 40 of its 40 cells cannot be read"):
        read(lines(close=commas), decimal=".")


def test_dates_that_contradict_each_other_stay_an_error_however_few():
    with pytest.raises(DataError, match="has the day first, but"):
        read(lines(date={5: "13/02/2020", 9: "02/14/2020"}))


def test_a_wide_table_loses_the_cell_and_not_the_day():
    rows = "\n".join(f"{day},{i}.5,{i}.25" for i, day in enumerate(DAYS, 1))
    reading = read(f"date,AA,BB\n{rows}\n".replace("3.25", "halted", 1), "close.csv")
    table = reading.tables["prices"]
    assert len(table) == 79
    assert cells(reading) == [["close.csv", 4, "BB", "halted"]]
    assert table[table["date"] == DAYS[2]]["ticker"].tolist() == ["AA"]


def test_very_many_cells_of_a_column_are_told_one_by_one_up_to_a_number_then_counted():
    count = TOLD + 20
    days = pd.date_range("2000-01-03", periods=40 * count).strftime("%Y-%m-%d")
    rows = [f"{d},NA,5,{'?' if i % 40 == 0 else 9}" for i, d in enumerate(days)]
    reading = read("date,ticker,close,volume\n" + "\n".join(rows) + "\n")
    found = unreadable_findings(reading.unreadable, pd.Timestamp("2020-01-01"))
    assert len(found) == TOLD + 1
    assert found[0].date == pd.Timestamp("2000-01-03")
    assert found[-1].detail == "prices.csv, column 'volume': 20 more cells cannot be read"


def test_a_vendors_folder_becomes_a_universe_whose_findings_and_record_have_every_such_cell(
    tmp_path,
):
    folder = tmp_path / "vendor"
    folder.mkdir()
    (folder / "prices.csv").write_text(lines(volume={5: URL}, close={8: "suspended | bankrupt"}))
    (folder / "readme.txt").write_text("Delivered daily.\nPrices, volumes, all of them.\nBye\n")
    (folder / "desks.csv").write_text("desk,head,phone\nrates,Ann,1\nequity,Bob,2\n")
    settings = Settings(data_url=str(tmp_path / "store"))
    store = Store.open(settings)
    made = refresh(store, settings, source=str(folder))
    found = made.findings[made.findings["check"] == "unreadable_value"]
    assert found[["ticker", "severity", "action"]].to_numpy().tolist() == [
        ["NA", "warning", "Quarantined: read as missing."],
        ["NA", "warning", "Quarantined: the row is left out."],
    ]
    assert found["detail"].tolist() == [
        f"prices.csv row 5, column 'volume': '{URL}' is not a number.",
        "prices.csv row 8, column 'close': 'suspended ; bankrupt' is not a number.",
    ]
    assert found["date"].dt.strftime("%Y-%m-%d").tolist() == [DAYS[3], DAYS[6]]
    kept = store.contents(made.snapshot.id).table("unreadable.parquet").to_pandas()
    assert kept["text"].tolist() == ["suspended | bankrupt", URL]
    notes = "; ".join(made.findings[made.findings["check"] == "read_as"]["detail"])
    assert "desks.csv" in notes
    assert "readme.txt" in notes
    assert refresh(store, settings).nothing_new
    store.close()


def test_a_folder_does_not_pass_over_a_file_that_says_it_has_prices(tmp_path):
    (tmp_path / "prices.csv").write_text("nothing to see\nhere\n")
    (tmp_path / "securities.csv").write_text("ticker,name\nNA,Nationale\n")
    with pytest.raises(DataError, match=r"prices.csv has one column only"):
        Files(tmp_path, "V").fetch()


def figures(scale: float, *, names: int = 12, dividend: str = "2.5") -> str:
    rows = [
        f"2020-01-02,N{i},{20 + i},{(20 + i) * 3e8 / scale:.4f},{dividend}" for i in range(names)
    ]
    head = "date,symbol,price,market_cap,dividend_yield"
    return "\n".join([head, *rows]) + "\n"


@pytest.mark.parametrize(
    ("scale", "word"), [(1e9, "billions"), (1e6, "millions"), (1e3, "thousands"), (1.0, "")]
)
def test_what_a_market_cap_counts_follows_from_the_shares_and_is_said(scale, word):
    reading = read(figures(scale), "key_figures.csv")
    caps = reading.tables["key_figures"]["market_cap"]
    np.testing.assert_allclose(caps, [(20 + i) * 3e8 for i in range(12)], rtol=1e-4)
    said = [n.text for n in reading.notes if "market_cap counts" in n.text]
    assert [word in text for text in said] == ([True] if word else [])


def test_too_few_companies_conclude_no_unit():
    caps = read(figures(1e9, names=9), "key_figures.csv").tables["key_figures"]["market_cap"]
    assert caps.max() < 10


def test_a_cell_that_says_its_unit_keeps_it_beside_bare_numbers():
    text = figures(1e9).replace("6.0000,", "6.0B,", 1)
    caps = read(text, "key_figures.csv").tables["key_figures"]["market_cap"]
    assert caps.iloc[:2].tolist() == [6e9, 6.3e9]


@pytest.mark.parametrize(("given", "kept"), [("2.5", 0.025), ("0.025", 0.025), ("2.5%", 0.025)])
def test_dividend_yields_in_per_cent_become_fractions(given, kept):
    table = read(figures(1.0, dividend=given), "key_figures.csv").tables["key_figures"]
    assert set(table["dividend_yield"]) == {kept}


def test_a_column_that_was_renamed_half_way_is_one_and_two_full_ones_are_not():
    head = "date,symbol,price,market_capitalization,market_cap\n"
    half = read(f"{head}2020-01-02,A,5,7B,\n2020-02-03,A,5,,8\n", "key_figures.csv")
    assert half.tables["key_figures"]["market_cap"].tolist() == [7e9, 8.0]
    assert "'market_capitalization' stands for 'market_cap'" in half.notes[1].text
    both = read(f"{head}2020-01-02,A,5,7B,6\n2020-02-03,A,5,7B,\n", "key_figures.csv")
    np.testing.assert_array_equal(both.tables["key_figures"]["market_cap"], [6.0, np.nan])
