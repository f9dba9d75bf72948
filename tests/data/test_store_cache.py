"""The serving cache gives what the record holds, is bounded in bytes and mends itself."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE

from tilt.data.cache import FIELDS, Cache
from tilt.data.record import adjusted_close
from tilt.data.store import Store
from tilt.errors import ArgumentError, UnknownNameError


@pytest.fixture
def opened(settings, make):
    store = Store.open(settings)
    make.publish(store, make.small(), "aaa")
    yield store
    store.close()


def cached(settings):
    return sorted((settings.data_path / "cache").glob("*/*"))


def made_up(rows, columns, start=0.0):
    dates = pd.bdate_range("2020-01-01", periods=rows, name="date").as_unit("us")
    names = pd.Index([f"N{i}" for i in range(columns)], name="ticker", dtype="str")
    values = start + np.arange(rows * columns, dtype=float).reshape(rows, columns)
    return pd.DataFrame(values, index=dates, columns=names)


def test_every_field_is_that_of_the_panel_either_way_it_is_read(opened):
    panel = opened.panel()
    fields = {
        "close": panel.close,
        "return": panel.returns,
        "volume": panel.volume,
        "market_cap": panel.market_cap,
        "adj_close": adjusted_close(panel.close, panel.returns),
    }
    assert set(fields) == set(FIELDS)
    for name, frame in fields.items():
        pd.testing.assert_frame_equal(
            opened.history(list(panel.assets), name), frame, check_freq=False
        )
        for day in (panel.dates[0], panel.dates[30], panel.as_of):
            section = opened.cross_section(day, name)
            np.testing.assert_array_equal(section, frame.loc[day])
            assert section.index.equals(panel.assets)


def test_adjusted_prices_grow_by_total_returns_and_end_at_the_last_close(opened):
    panel = opened.panel()
    adjusted = opened.history(["N3"], "adj_close")["N3"]
    np.testing.assert_allclose(
        adjusted.pct_change().dropna(), panel.returns["N3"].dropna(), rtol=1e-12
    )
    assert adjusted.iloc[-1] == panel.close["N3"].iloc[-1]


def test_a_history_has_the_tickers_asked_and_the_days_between(opened):
    close = opened.panel().close
    found = opened.history(["N5", "N1"], "Close", pd.Timestamp("2015-02-01"), close.index[40])
    pd.testing.assert_frame_equal(
        found, close.loc["2015-02-01" : close.index[40], ["N5", "N1"]], check_freq=False
    )
    weekend = opened.cross_section(pd.Timestamp("2015-02-01"), "close")
    assert weekend.name == pd.Timestamp("2015-01-30")


def test_what_is_not_there_is_said(opened):
    with pytest.raises(UnknownNameError, match="'TEST' has no N9"):
        opened.history(["N1", "N9"], "close")
    with pytest.raises(UnknownNameError, match="'TEST' starts on 2015-01-01"):
        opened.cross_section(pd.Timestamp("2014-12-31"), "close")
    with pytest.raises(ArgumentError, match=r"field must be one of .*Did you mean 'close'"):
        opened.history(["N1"], "closse")


def test_an_earlier_snapshot_keeps_its_own_matrices(opened, make):
    before = opened.history(["N1"], "close")
    make.publish(opened, make.small(seed=4), "bbb")
    assert not opened.history(["N1"], "close").equals(before)
    pd.testing.assert_frame_equal(opened.history(["N1"], "close", snapshot="aaa"), before)


@pytest.mark.parametrize("part", ["magic", "header", "number", "cut", "empty"])
def test_a_damaged_file_is_made_again(settings, opened, part):
    expected = opened.history(["N1"], "close")
    opened.close()
    (path,) = cached(settings)
    content = bytearray(path.read_bytes())
    if part == "cut":
        content = content[:-8]
    elif part == "empty":
        content = bytearray()
    else:
        content[{"magic": 0, "header": 120, "number": -3}[part]] ^= 1
    path.write_bytes(content)
    pd.testing.assert_frame_equal(opened.history(["N1"], "close"), expected)
    assert path.read_bytes() != content


def test_the_matrices_used_longest_ago_go_when_there_is_no_more_room(tmp_path):
    frame = made_up(50, 40)  # two matrices of 16 kB
    cache = Cache(tmp_path, 80_000)
    for place, snapshot in enumerate(("one", "two")):
        cache.matrix(snapshot, "U", "close", lambda _: frame)
        os.utime(tmp_path / snapshot / "close.matrix", (place, place))
    cache.matrix("one", "U", "close", lambda _: frame)  # used again
    cache.matrix("three", "U", "close", lambda _: frame)
    assert sorted(p.parent.name for p in tmp_path.glob("*/*")) == ["one", "three"]
    assert sum(p.stat().st_size for p in tmp_path.glob("*/*")) <= 80_000
    built = []
    cache.matrix("two", "U", "close", lambda name: built.append(name) or frame)
    assert built == ["close"]


def test_a_matrix_larger_than_the_bound_is_served_and_not_kept(tmp_path):
    frame = made_up(50, 40)
    found = Cache(tmp_path, 1000).matrix("one", "U", "close", lambda _: frame)
    np.testing.assert_array_equal(found.history(list(frame.columns), None, None), frame)
    assert list(tmp_path.glob("*/*")) == []


def test_a_cache_that_cannot_be_written_is_done_without_and_logged(tmp_path, caplog):
    (tmp_path / "one").write_text("in the way")
    frame = made_up(5, 4)
    found = Cache(tmp_path, 10**6).matrix("one", "U", "close", lambda _: frame)
    np.testing.assert_array_equal(found.by_date, frame)
    assert "cannot be written" in caplog.text


BUILDING = """
import sys
from tilt.data.store import Store
from tilt.settings import Settings
store = Store.open(Settings(data_url={folder!r}, default_universe="TEST"))
sys.stdin.readline()
for _ in range(20):
    for field in ("close", "volume"):
        assert store.history(["N1"], field).shape == (60, 1)
"""


def test_two_processes_may_make_the_same_matrices_at_once(settings, opened):
    code = BUILDING.format(folder=settings.data_url)
    both = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) for _ in "ab"]
    for process in both:
        process.stdin.write(b"now\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=PATIENCE)
    assert [process.returncode for process in both] == [0, 0]
    assert [p.name for p in cached(settings)] == ["close.matrix", "volume.matrix"]
    assert opened.history(["N1"], "close")["N1"].equals(opened.panel().close["N1"])


def test_the_numbers_are_read_only(opened):
    matrix = opened._matrix("close", None, None)
    with pytest.raises(ValueError, match="read-only"):
        matrix.by_date[0, 0] = 1.0
