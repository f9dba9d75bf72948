"""Data in by ``tilt import`` and out by ``tilt export``, and in again without losing a bit."""

import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tilt.cli import main
from tilt.data.named import open_files
from tilt.data.reading.door import read_files
from tilt.data.reading.opening import open_bytes, open_path
from tilt.data.sources.imported import exposures, keep
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.report.export import Export, write_export
from tilt.settings import Settings

WIDE = "Date;NA;TRUE\n13/04/2020;1,5;2,5\n14/04/2020;1,6;2,4\n15/04/2020;1,7;2,6\n"


class Run:
    """Commands on one data folder."""

    def __init__(self, folder: Path, capsys) -> None:
        self.folder = folder
        self.settings = Settings(data_url=str(folder / "data"))
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        """Run a command that succeeds and return what it prints."""
        status, out, error = self._ended(arguments)
        assert status == 0, error
        return out

    def json(self, *arguments: str) -> dict:
        return json.loads(self(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """Run a command that says what is to be mended."""
        status, _, error = self._ended(arguments)
        assert status == 2
        return " ".join(error.split())

    def _ended(self, arguments) -> tuple[int, str, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        said = self._capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


@pytest.fixture
def run(tmp_path, monkeypatch, capsys) -> Run:
    monkeypatch.setenv("TILT_DATA_URL", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return Run(tmp_path, capsys)


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    """A data folder with a universe MINE of two securities and three days; copy it."""
    folder = tmp_path_factory.mktemp("imported")
    settings = Settings(data_url=str(folder / "data"))
    store = Store.open(settings)
    reading = read_files([open_bytes("close.csv", WIDE.encode())])
    keep(store.catalog, open_files(settings), "mine", reading)
    refresh(store, settings, source="import:MINE")
    store.close()
    return folder / "data"


@pytest.fixture
def mine(run, imported) -> Run:
    """Commands on a copy of that folder."""
    shutil.copytree(imported, run.folder / "data")
    return run


def close_of(run: Run, universe: str = "MINE") -> dict[tuple[str, str], float]:
    store = Store.open(run.settings)
    try:
        frame = store.panel(universe).close
    finally:
        store.close()
    return {
        (f"{day:%m-%d}", str(ticker)): float(value)
        for ticker in frame.columns
        for day, value in frame[ticker].dropna().items()
    }


def test_an_import_says_how_it_read_and_becomes_a_universe(run):
    said = run("import", run.file("close.csv", WIDE), "--as", "mine")
    for words in ("divided by semicolon", "wide", "the day first", "a comma is the decimal sign"):
        assert words in said
    assert "6 rows read, 6 new, 0 replaced, 6 in all" in said
    assert close_of(run) == {
        ("04-13", "NA"): 1.5, ("04-14", "NA"): 1.6, ("04-15", "NA"): 1.7,
        ("04-13", "TRUE"): 2.5, ("04-14", "TRUE"): 2.4, ("04-15", "TRUE"): 2.6,
    }  # fmt: skip


def test_a_dry_run_says_the_same_and_changes_nothing(run):
    path = run.file("close.csv", WIDE)
    said = run.json("import", path, "--as", "mine", "--dry-run")
    assert said["tables"] == [{"table": "prices", "rows": 6, "added": 6, "replaced": 0, "total": 6}]
    assert open_files(run.settings).listed("imports") == []
    assert "no data yet" in run.refused("export", "prices")


def test_a_later_file_wins_for_the_same_day_and_keeps_the_rest(mine):
    later = mine.file("close.csv", "Date,NA\n2020-04-15,9.5\n2020-04-16,9.75\n")
    said = mine.json("import", later, "--as", "MINE")
    assert said["tables"] == [{"table": "prices", "rows": 2, "added": 1, "replaced": 1, "total": 7}]
    close = close_of(mine)
    assert close["04-15", "NA"] == 9.5
    assert close["04-16", "NA"] == 9.75
    assert close["04-14", "NA"] == 1.6
    assert close["04-15", "TRUE"] == 2.6


def test_volumes_that_come_later_stand_beside_their_closes(mine):
    mine("import", mine.file("volume.csv", "Date,NA\n2020-04-15,100\n"), "--as", "mine")
    assert close_of(mine)["04-15", "NA"] == 1.7
    table = read_files([open_path(Path(mine.json("export", "prices")["files"].split(",")[0]))])
    prices = table.tables["prices"].set_index(["date", "ticker"])
    assert prices.loc[(pd.Timestamp("2020-04-15"), "NA"), "volume"] == 100.0


def test_volumes_without_closes_are_refused_and_nothing_is_kept(mine):
    late = mine.file("volume.csv", "Date,NA\n2021-01-04,100\n")
    message = mine.refused("import", late, "--as", "mine")
    assert "1 rows of prices have no close, the first is 2021-01-04, NA" in message
    assert close_of(mine)["04-15", "NA"] == 1.7


def test_the_same_import_twice_is_the_same_snapshot(mine):
    again = mine.json("import", mine.file("close.csv", WIDE), "--as", "mine")
    assert again["refreshed"]["nothing_new"]


def test_securities_may_come_before_prices_and_wait_for_them(run):
    path = run.file("securities.csv", "Symbol,Company,GICS Sector\nNA,National,Banks\n")
    said = run.json("import", path, "--as", "mine")
    assert "no prices of MINE yet" in said["next"]
    run("import", run.file("close.csv", WIDE), "--as", "mine")
    store = Store.open(run.settings)
    assert store.panel("MINE").securities.loc["NA", "sector"] == "Banks"
    store.close()


def test_a_cell_that_cannot_be_read_is_counted_and_stays_among_the_findings_until_it_is_mended(run):
    days = pd.bdate_range("2020-04-13", periods=30).strftime("%Y-%m-%d")
    rows = [f"{day},NA,{20 + i},5" for i, day in enumerate(days)]
    rows[4] = f"{days[4]},NA,24,n.m."
    path = run.file("p.csv", "\n".join(["date,ticker,close,volume", *rows]))
    assert "1 cell is read as missing" in run("import", path, "--as", "dirty")
    store = Store.open(run.settings)
    found = store.findings("DIRTY")
    cells = found.loc[found["check"] == "unreadable_value", "detail"]
    assert cells.tolist() == ["p.csv row 6, column 'volume': 'n.m.' is not a number."]
    run("import", run.file("p.csv", path.read_text().replace("n.m.", "5")), "--as", "dirty")
    assert "unreadable_value" not in set(store.findings("DIRTY")["check"])
    store.close()


def test_exposures_are_kept_for_the_factors_of_the_universe(mine):
    path = mine.file("Carbon.csv", "Date,NA,TRUE\n2020-04-13,1.5,-2\n")
    mine("import", path, "--as", "mine", "--kind", "exposures")
    table = exposures(open_files(mine.settings), "MINE")
    assert table.to_numpy().tolist() == [
        [pd.Timestamp("2020-04-13"), "NA", "Carbon", 1.5],
        [pd.Timestamp("2020-04-13"), "TRUE", "Carbon", -2.0],
    ]


def test_dated_weights_become_the_dates_of_a_portfolio(mine):
    rows = "Date;Ticker;Weight\n13/04/2020;NA;60%\n13/04/2020;TRUE;40%\n15/04/2020;TRUE;1\n"
    said = mine("import", mine.file("w.csv", rows), "--as", "Fund", "--universe", "MINE")
    assert "2 dates, 2020-04-13 to 2020-04-15" in said
    store = Store.open(mine.settings)
    first = store.portfolio("Fund", pd.Timestamp("2020-04-14"))
    assert first.to_dict() == {"NA": 0.6, "TRUE": 0.4}
    assert store.portfolio("Fund").to_dict() == {"TRUE": 1.0}
    store.close()


def test_a_weight_that_is_none_is_refused_with_its_row_and_nothing_is_saved(mine):
    rows = "Ticker,Weight\nNA,0.5\nTRUE,half\n"
    message = mine.refused("import", mine.file("w.csv", rows), "--as", "Fund", "--universe", "MINE")
    assert "w.csv row 3" in message
    assert "nothing called 'Fund'" in mine.refused("export", "Fund")


def test_a_file_of_positions_and_prices_has_to_be_told_apart(mine):
    path = mine.file("book.csv", "Date,Ticker,Shares,Price\n2020-04-13,NA,100,1.5\n")
    message = mine.refused("import", path, "--as", "Fund")
    assert "could hold positions or prices" in message
    assert "Say --kind holdings or --kind prices" in message
    mine("import", path, "--as", "Fund", "--kind", "holdings", "--universe", "MINE")


def test_a_list_of_names_and_weights_is_a_portfolio(mine):
    path = mine.file("fund.csv", "Ticker,Name,Sector,Weight\nNA,National,Banks,1\n")
    assert mine.json("import", path, "--as", "Fund", "--universe", "MINE")["positions"] == 1


def test_a_universe_of_another_source_is_not_imported_into(run):
    folder = run.folder / "other"
    folder.mkdir()
    (folder / "prices.csv").write_text("date,ticker,close\n2020-01-02,A,1\n2020-01-03,A,1\n")
    run("refresh", "--source", str(folder))
    message = run.refused("import", run.file("close.csv", WIDE), "--as", "other")
    assert "'OTHER' comes from 'files:" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as", "a/b"), "is no name for data"),
        (("--as", "mine", "--kind", "price"), "Did you mean 'prices'?"),
        (("--as", "mine", "--kind", "securities"), "which is no column of securities"),
    ],
)
def test_an_import_that_cannot_be_is_refused(run, arguments, message):
    assert message in run.refused("import", run.file("close.csv", WIDE), *arguments)


def test_what_is_not_there_to_export_is_an_error_with_the_nearest(mine):
    assert "Did you mean 'prices'?" in mine.refused("export", "pricse")
    assert "End it in .csv, .parquet, .xlsx" in mine.refused("export", "prices", "--as", "p.pdf")


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_an_export_states_snapshot_and_date_and_comes_back_the_same(mine, kind):
    about = mine.json("export", "prices", "--as", f"prices.{kind}")
    assert about["as_of"] == "2020-04-15"
    assert len(about["snapshot"]) == 12
    mine("import", f"prices.{kind}", "--as", "copy")
    assert close_of(mine, "COPY") == close_of(mine)


def test_a_wide_export_comes_back_by_its_name(mine):
    mine("export", "close", "--as", "close.xlsx")
    mine("import", "close.xlsx", "--as", "copy")
    assert close_of(mine, "COPY") == close_of(mine)


def test_a_portfolio_goes_out_with_its_dates_and_comes_back(mine):
    rows = "Date,Ticker,Weight\n2020-04-13,NA,0.6\n2020-04-13,TRUE,0.4\n2020-04-15,TRUE,1\n"
    mine("import", mine.file("w.csv", rows), "--as", "Fund", "--universe", "MINE")
    mine("export", "fund", "--as", "fund.xlsx")
    mine("import", "fund.xlsx", "--as", "Again", "--universe", "MINE")
    store = Store.open(mine.settings)
    for day in ("2020-04-13", "2020-04-15"):
        at = pd.Timestamp(day)
        assert store.portfolio("Again", at).equals(store.portfolio("Fund", at))
    store.close()


def test_a_series_is_exported_between_its_dates(mine):
    mine("export", "close", "--as", "c.csv", "--start", "2020-04-14", "--end", "2020-04-14")
    assert (mine.folder / "c.csv").read_text() == "date,NA,TRUE\n2020-04-14,1.6,2.4\n"


FORMULAS = ["=1+1", "+A1", "-A1", "@SUM", "'=x", "=HYPERLINK(1)", "'quoted'", "''-"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_of_an_export_is_run_by_a_spreadsheet(tmp_path, kind):
    table = pd.DataFrame({"ticker": FORMULAS, "name": FORMULAS}).astype("str")
    (path, *_) = write_export(tmp_path / f"securities.{kind}", Export("securities", table, {}))
    if kind == "csv":
        cells = path.read_text().replace('"', "").replace("\n", ",").split(",")
        assert not [c for c in cells if c[:1] in {"=", "+", "-", "@", "\t"}]
    else:
        sheet = openpyxl.load_workbook(path)["securities"]
        kinds = {(c.data_type, c.quotePrefix) for c in sheet["A"][1:] if c.value[0] in "=+-@"}
        assert kinds == {("s", True)}
    back = read_files([open_path(path)]).tables["securities"]
    assert sorted(back["ticker"]) == sorted(FORMULAS)


LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))
TICKER = st.one_of(st.sampled_from([*FORMULAS, "NA", "TRUE", "1E10"]), st.text(LETTERS, min_size=1))
ROWS = st.lists(
    st.tuples(
        st.dates(
            min_value=pd.Timestamp("1930-01-01").date(), max_value=pd.Timestamp("2090-01-01").date()
        ),
        TICKER.map(str.strip).filter(bool),
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(allow_infinity=False),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: (row[0], row[1]),
)


@given(rows=ROWS, kind=st.sampled_from(["csv", "parquet", "xlsx"]))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_table_goes_out_and_comes_back_bit_for_bit(tmp_path, rows, kind):
    days, tickers, closes, volumes = zip(*rows, strict=True)
    table = pd.DataFrame(
        {
            "date": pd.DatetimeIndex(days).as_unit("us"),
            "ticker": pd.Series(tickers, dtype="str"),
            "close": np.array(closes, dtype=float),
            "volume": np.array(volumes, dtype=float),
        }
    )
    (path, *_) = write_export(tmp_path / f"prices.{kind}", Export("prices", table, {}))
    back = read_files([open_path(path)]).tables["prices"]
    assert back["ticker"].tolist() == list(tickers)
    assert back["date"].tolist() == table["date"].tolist()
    assert back["close"].to_numpy().tobytes() == table["close"].to_numpy().tobytes()
    np.testing.assert_array_equal(back["volume"].to_numpy(), table["volume"].to_numpy())
