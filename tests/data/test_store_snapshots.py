"""A snapshot is complete or it is not there; damage, locks and gaps are said in words."""

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tilt.data import catalog
from tilt.data.disk import Disk
from tilt.data.places import STAGING
from tilt.data.store import Store
from tilt.errors import ArgumentError, BusyError, DataError, UnknownNameError
from tilt.settings import Settings


class Failing(Disk):
    """A disk that is full from its n-th change on."""

    def __init__(self, good: int) -> None:
        self.left = good

    def _change(self) -> None:
        if self.left == 0:
            raise OSError(28, "No space left on device")
        self.left -= 1

    def make_folder(self, path):
        self._change()
        super().make_folder(path)

    def write(self, path, content):
        self._change()
        super().write(path, content)

    def rename(self, old, new):
        self._change()
        super().rename(old, new)


@pytest.fixture
def opened(settings):
    store = Store.open(settings)
    yield store
    store.close()


def snapshot_folders(settings):
    return sorted(p.name for p in (settings.data_path / "snapshots").iterdir())


def test_a_published_panel_is_read_back_as_it_was_built(opened, make):
    given = make.small()
    snapshot = make.publish(opened, given, "aaa")
    built = make.panel(**given.tables).panel
    panel = opened.panel()
    assert (panel.snapshot, panel.universe) == ("aaa", "TEST")
    for name in ("close", "returns", "volume", "market_cap", "member", "securities"):
        pd.testing.assert_frame_equal(getattr(panel, name), getattr(built, name))
    assert list(panel.fundamentals) == list(built.fundamentals)
    for name, frame in built.fundamentals.items():
        pd.testing.assert_frame_equal(panel.fundamentals[name], frame)
    assert (snapshot.first_date, snapshot.as_of) == (dt.date(2015, 1, 1), dt.date(2015, 3, 25))
    assert snapshot.securities == 8
    assert not snapshot.has_factors
    assert panel.factor_history is None


def test_an_empty_store_says_how_to_fill_it(opened):
    with pytest.raises(UnknownNameError, match=r"There is no data yet. Run 'tilt demo'"):
        opened.snapshot()
    assert opened.universes().empty
    assert opened.portfolios().empty


def test_the_latest_snapshot_is_the_current_one_and_the_earlier_one_stays(opened, make):
    first, second = make.small(seed=3), make.small(seed=4)
    make.publish(opened, first, "aaa")
    make.publish(opened, second, "bbb")
    assert opened.snapshot().id == "bbb"
    assert opened.panel(snapshot="aaa").snapshot == "aaa"
    assert not opened.panel().close.equals(opened.panel(snapshot="aaa").close)
    assert opened.make_current("aaa").id == "aaa"
    assert opened.snapshot().id == "aaa"


def test_universes_are_found_whatever_their_case_and_a_misspelt_one_is_refused(opened, make):
    make.publish(opened, make.small("US_SMALL"), "aaa")
    make.publish(opened, make.small("EURO"), "bbb")
    assert opened.panel("us_small").universe == "US_SMALL"
    assert opened.universes()["name"].tolist() == ["EURO", "US_SMALL"]
    with pytest.raises(
        UnknownNameError, match=r"Unknown universe 'US_SMAL'. Did you mean 'US_SMALL'"
    ):
        opened.panel("US_SMAL")
    with pytest.raises(UnknownNameError, match="There is no snapshot 'ccc'"):
        opened.panel(snapshot="ccc")


def test_the_only_universe_is_the_default_when_the_settings_name_another(tmp_path, make):
    store = Store.open(Settings(data_url=str(tmp_path), default_universe="OTHER"))
    make.publish(store, make.small("MINE"), "aaa")
    assert store.snapshot().universe == "MINE"
    store.close()


def test_universes_have_the_columns_of_the_contract(opened, make):
    make.publish(opened, make.small(), "aaa")
    table = opened.universes()
    columns = ["name", "description", "securities", "first_date", "last_date", "source"]
    assert table.columns.tolist() == columns
    assert table.iloc[0].tolist() == [
        "TEST",
        "made up",
        8,
        pd.Timestamp("2015-01-01"),
        pd.Timestamp("2015-03-25"),
        "test",
    ]


@pytest.mark.parametrize("good", range(2, 13))
def test_a_disk_that_fails_at_any_step_leaves_the_data_of_before(settings, make, good):
    before = Store.open(settings)
    make.publish(before, make.small(), "aaa")
    broken = Store.open(settings, disk=Failing(good))
    with pytest.raises(DataError, match=r"cannot be written to .* \(No space left on device\)"):
        make.publish(broken, make.small(seed=4), "bbb")
    assert before.snapshot().id == "aaa"
    assert before.panel().snapshot == "aaa"
    assert not before.holds("bbb")
    assert snapshot_folders(settings) == ["aaa"]
    broken.close()
    before.close()


def test_the_steps_that_can_fail_are_all_tried(settings, make):
    """The parameters above go from the first step to the last but one."""
    store = Store.open(settings, disk=Failing(13))
    make.publish(store, make.small(), "aaa")
    assert store.snapshot().id == "aaa"
    assert store._disk.left == 0
    store.close()


KILLED = """
import os, sys
sys.path.insert(0, {conftest!r})
from tilt.data.disk import Disk
from tilt.data.store import Store
from tilt.settings import Settings
from conftest import Make

class Killing(Disk):
    def rename(self, old, new):
        if {after}:
            super().rename(old, new)
        os._exit(9)  # as a power cut would

store = Store.open(Settings(data_url={folder!r}, default_universe="TEST"), disk=Killing())
make = Make()
make.publish(store, make.small(seed=4), "bbb")
"""


@pytest.mark.parametrize("after", [False, True], ids=["before the rename", "after the rename"])
def test_a_killed_writing_is_not_seen_and_is_cleared_by_the_next(settings, opened, make, after):
    make.publish(opened, make.small(), "aaa")
    code = KILLED.format(conftest=str(Path(__file__).parent), folder=settings.data_url, after=after)
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert done.returncode == 9
    left = [f for f in snapshot_folders(settings) if f != "aaa"]
    assert len(left) == 1
    assert opened.snapshot().id == "aaa"
    old = settings.data_path / "snapshots" / left[0]
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    make.publish(opened, make.small(seed=5), "ccc")
    assert snapshot_folders(settings) == ["aaa", "ccc"]
    assert opened.snapshot().id == "ccc"


def test_a_writing_in_progress_elsewhere_is_left_alone(settings, opened, make):
    other = settings.data_path / "snapshots" / f"{STAGING}zzz-1"
    other.mkdir(parents=True)
    make.publish(opened, make.small(), "aaa")
    assert other.is_dir()


def test_a_damaged_file_is_refused_and_named_with_the_remedy(settings, opened, make):
    make.publish(opened, make.small(), "aaa")
    path = settings.data_path / "snapshots" / "aaa" / "panel.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"panel.parquet of snapshot aaa is damaged.*'tilt refresh'"
    ):
        opened.panel()
    assert not opened.holds("aaa")


def test_a_missing_file_is_refused_and_named_with_the_remedy(settings, opened, make):
    make.publish(opened, make.small(), "aaa")
    (settings.data_path / "snapshots" / "aaa" / "assets.parquet").unlink()
    with pytest.raises(DataError, match=r"assets.parquet of snapshot aaa cannot be read.*refresh"):
        opened.panel()


def test_publishing_again_mends_a_damaged_snapshot(settings, opened, make):
    make.publish(opened, make.small(), "aaa")
    shutil.rmtree(settings.data_path / "snapshots" / "aaa")
    make.publish(opened, make.small(), "aaa")
    assert opened.holds("aaa")
    assert opened.panel().snapshot == "aaa"


def test_a_snapshot_that_another_process_has_written_is_not_written_again(settings, opened, make):
    make.publish(opened, make.small(), "aaa")
    path = settings.data_path / "snapshots" / "aaa" / "panel.parquet"
    written = path.stat().st_mtime_ns
    make.publish(opened, make.small(), "aaa")
    assert path.stat().st_mtime_ns == written
    assert snapshot_folders(settings) == ["aaa"]


def test_a_locked_catalog_is_busy_not_broken(settings, opened):
    impatient = catalog.open_catalog(settings.catalog_url, busy_seconds=0.05)
    holder = sqlite3.connect(settings.data_path / "catalog.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(BusyError, match=r"in use by another process. Try again in a moment"),
        catalog.writing(impatient),
    ):
        pass
    assert opened.universes().empty  # reading goes on meanwhile
    holder.close()
    impatient.dispose()


def test_a_catalog_that_is_no_database_is_named(settings):
    settings.data_path.mkdir(parents=True)
    (settings.data_path / "catalog.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(
        DataError, match=r"catalog.sqlite cannot be read \(file is not a database\)"
    ):
        Store.open(settings)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be made.*Set TILT_DATA_URL"):
        Store.open(Settings(data_url=str(tmp_path / "file" / "store")))


@pytest.mark.parametrize("url", ["no url", "nosuchdatabase://host/x"])
def test_a_database_url_that_cannot_be_used_is_refused(url, tmp_path):
    with pytest.raises(ArgumentError, match="TILT_DATABASE_URL cannot be used"):
        Store.open(Settings(data_url=str(tmp_path), database_url=url))


def test_a_panel_is_read_once_and_shared(opened, make):
    make.publish(opened, make.small(), "aaa")
    assert opened.panel() is opened.panel("test")


def test_findings_can_be_asked_for_by_severity(opened, make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    prices = make.prices(close, dividend={("2015-03-02", "N0"): 7.0})
    prices.loc[0, "volume"] = 0.0
    make.publish(opened, make.delivery({"prices": prices}), "aaa")
    table = opened.findings()
    assert table.columns.tolist() == ["date", "ticker", "check", "severity", "detail", "action"]
    assert sorted(table["severity"]) == ["error", "warning"]
    assert opened.findings(severity="ERROR")["check"].tolist() == ["event_denied_by_price"]
    with pytest.raises(ArgumentError, match="severity must be one of error, warning, info; got"):
        opened.findings(severity="bad")


def test_the_record_keeps_the_raw_value_of_what_was_left_out(settings, opened, make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    prices = make.prices(close, dividend={("2015-03-02", "N0"): 7.0})
    make.publish(opened, make.delivery({"prices": prices}), "aaa")
    kept = pd.read_parquet(settings.data_path / "snapshots" / "aaa" / "prices.parquet")
    at = (kept["ticker"] == "N0") & (kept["date"] == pd.Timestamp("2015-03-02"))
    assert kept.loc[at, "dividend"].tolist() == [7.0]
    assert np.isnan(opened.panel().returns.loc["2015-03-02", "N0"])


def test_a_portfolio_comes_back_in_order_and_replaces_the_one_of_its_name(opened):
    weights = pd.Series({"B": 0.6, "A": 0.38})
    opened.save_portfolio("Mine", weights, "upload", as_of=pd.Timestamp("2017-06-30"))
    made = opened.portfolio(" mine ")
    assert list(made.items()) == [("B", 0.6), ("A", 0.38)]
    opened.save_portfolio("MINE", weights.iloc[:1], "cell")
    table = opened.portfolios()
    assert table.columns.tolist() == ["name", "as_of", "names", "source"]
    assert table[["name", "names", "source"]].to_numpy().tolist() == [["MINE", 1, "cell"]]


def test_an_unknown_portfolio_is_refused_with_the_nearest_name(opened):
    opened.save_portfolio("SAMPLE", pd.Series({"A": 1.0}), "test")
    with pytest.raises(UnknownNameError, match=r"No portfolio 'SAMPEL'. Did you mean 'SAMPLE'?"):
        opened.portfolio("SAMPEL")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (pd.Series([0.5, 0.5], index=["A", "A"]), "A is in 'P' twice"),
        (pd.Series({"A": np.nan}), "A in 'P' has no weight"),
    ],
)
def test_a_portfolio_that_is_none_is_not_saved(opened, weights, said):
    with pytest.raises(DataError, match=said):
        opened.save_portfolio("P", weights, "test")
    with pytest.raises(ArgumentError, match="1 to 200 characters"):
        opened.save_portfolio(" ", pd.Series({"A": 1.0}), "test")
    assert opened.portfolios().empty
