"""A snapshot is complete or it is not there; damage and gaps are said in words.

Each test runs on SQLite and a folder, and on a real PostgreSQL and a real S3 server.
"""

import datetime as dt
import io

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from tilt.data import catalog, tables
from tilt.data.named import open_files
from tilt.data.store import Store
from tilt.errors import ArgumentError, ConflictError, DataError, UnknownNameError


@pytest.fixture
def settings(either_settings):
    return either_settings


@pytest.fixture
def opened(settings):
    store = Store.open(settings)
    yield store
    store.close()


@pytest.fixture
def kept(settings):
    """The files of the store as they lie in the folder or bucket."""
    return open_files(settings)


def file_of(kept, snapshot, table):
    """Return the name under which a snapshot keeps a table."""
    (name,) = [n for n in kept.listed(f"snapshots/{snapshot}") if n.split("/")[2].startswith(table)]
    return name


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


def test_the_only_universe_is_the_default_when_the_settings_name_another(settings, make):
    store = Store.open(settings.model_copy(update={"default_universe": "OTHER"}))
    make.publish(store, make.small("MINE"), "aaa")
    assert store.snapshot().universe == "MINE"
    store.close()


def test_universes_have_the_columns_of_the_contract(opened, make):
    make.publish(opened, make.small(), "aaa")
    table = opened.universes()
    columns = ["name", "description", "securities", "first_date", "last_date", "source"]
    assert table.columns.tolist()[:6] == columns
    assert table.iloc[0].tolist()[:6] == [
        "TEST",
        "made up",
        8,
        pd.Timestamp("2015-01-01"),
        pd.Timestamp("2015-03-25"),
        "test",
    ]


def test_a_damaged_file_is_refused_and_named_with_the_remedy(kept, opened, make):
    make.publish(opened, make.small(), "aaa")
    name = file_of(kept, "aaa", "panel.")
    content = bytearray(kept.read(name))
    content[len(content) // 2] ^= 1  # one bit
    kept.write(name, bytes(content))
    with pytest.raises(
        DataError, match=r"panel.parquet of snapshot aaa is damaged.*'tilt refresh'"
    ):
        opened.panel()
    assert not opened.holds("aaa")


def test_a_missing_file_is_refused_and_named_with_the_remedy(kept, opened, make):
    make.publish(opened, make.small(), "aaa")
    kept.remove(file_of(kept, "aaa", "assets."))
    with pytest.raises(DataError, match=r"assets.parquet of snapshot aaa cannot be read.*refresh"):
        opened.panel()


def test_publishing_again_mends_a_damaged_snapshot(kept, opened, make):
    make.publish(opened, make.small(), "aaa")
    for name in kept.listed("snapshots/aaa"):
        kept.remove(name)
    assert not opened.holds("aaa")
    make.publish(opened, make.small(), "aaa")
    assert opened.holds("aaa")
    assert opened.panel().snapshot == "aaa"


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
    assert {"error", "warning"} <= set(table["severity"])
    assert opened.findings(severity="ERROR")["check"].tolist() == ["event_denied_by_price"]
    with pytest.raises(ArgumentError, match="severity must be one of error, warning, info; got"):
        opened.findings(severity="bad")


def test_the_record_keeps_the_raw_value_of_what_was_left_out(kept, opened, make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    prices = make.prices(close, dividend={("2015-03-02", "N0"): 7.0})
    make.publish(opened, make.delivery({"prices": prices}), "aaa")
    raw = pd.read_parquet(io.BytesIO(kept.read(file_of(kept, "aaa", "prices."))))
    at = (raw["ticker"] == "N0") & (raw["date"] == pd.Timestamp("2015-03-02"))
    assert raw.loc[at, "dividend"].tolist() == [7.0]
    assert np.isnan(opened.panel().returns.loc["2015-03-02", "N0"])


def test_every_snapshot_is_listed_and_the_one_of_a_moment_is_found(opened, make):
    with pytest.raises(UnknownNameError, match="There is no data yet"):
        opened.snapshots("TEST")
    first = make.publish(opened, make.small(), "aaa")
    second = make.publish(opened, make.small(seed=4), "bbb")
    back = opened.make_current("aaa")
    assert [s.id for s in opened.snapshots("test")] == ["aaa", "bbb"]
    assert first.published < second.published < back.published
    just = dt.timedelta(microseconds=1)
    for moment, expected in (
        (first.published, "aaa"),
        (second.published - just, "aaa"),
        (second.published, "bbb"),
        (back.published - just, "bbb"),
        (back.published, "aaa"),
    ):
        assert opened.snapshot_at("TEST", moment).id == expected
    elsewhere = second.published.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert opened.snapshot_at("TEST", elsewhere).id == "bbb"
    with pytest.raises(UnknownNameError, match=r"had no snapshot at .* Its first one is of 20"):
        opened.snapshot_at("TEST", first.published - just)


def test_who_began_from_a_snapshot_that_is_no_longer_current_is_told(opened, make):
    make.publish(opened, make.small(), "aaa")
    begun = opened.parent("TEST")
    make.publish(opened, make.small(seed=4), "bbb")
    late, about = make.small(seed=5), "TEST' was refreshed by somebody else.*aaa.*bbb is current"
    with pytest.raises(ConflictError, match=about):
        opened.publish("ccc", late, make.record(late), parent=begun)
    assert opened.snapshot().id == "bbb"
    assert not opened.holds("ccc")
    with pytest.raises(ConflictError, match=about):
        opened.make_current("aaa", parent="aaa")
    again = opened.publish("ccc", late, make.record(late), parent=opened.parent("TEST"))
    assert (opened.snapshot().id, again.parent) == ("ccc", "bbb")


def test_the_first_snapshot_begins_from_none(opened, make):
    given, other = make.small(), make.small(seed=4)
    assert opened.parent("TEST") == ""
    opened.publish("aaa", given, make.record(given), parent="")
    with pytest.raises(
        ConflictError, match=r"began from snapshot \(none\), and aaa is current now"
    ):
        opened.publish("bbb", other, make.record(other), parent="")
    same = opened.publish("aaa", given, make.record(given), parent="")  # both wrote the same
    assert same == opened.snapshot()


def test_the_findings_of_an_earlier_snapshot_stay_with_it(opened, make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    wrong = make.prices(close, dividend={("2015-03-02", "N0"): 7.0})
    make.publish(opened, make.delivery({"prices": wrong}), "aaa")
    make.publish(opened, make.delivery({"prices": make.prices(close)}), "bbb")
    bad = opened.findings(snapshot="aaa", check="event_denied_by_price", ticker="N0")
    assert bad["date"].tolist() == [pd.Timestamp("2015-03-02")]
    assert opened.findings(check="event_denied_by_price").empty
    assert opened.findings(snapshot="aaa", severity="error")["ticker"].tolist() == ["N0"]


def test_the_catalog_holds_the_securities_of_a_snapshot(opened, make):
    make.publish(opened, make.small(), "aaa")
    with catalog.reading(opened.catalog) as connection:
        rows = connection.execute(select(tables.securities).order_by("ticker")).all()
    assert [(r.snapshot, r.ticker) for r in rows] == [("aaa", f"N{i}") for i in range(8)]
    assert [r.sector for r in rows] == opened.panel().securities["sector"].tolist()


def test_panels_in_memory_are_bounded_in_bytes(settings, make):
    store = Store.open(settings.model_copy(update={"cache_bytes": 1}))
    make.publish(store, make.small("ONE"), "aaa")
    make.publish(store, make.small("TWO"), "bbb")
    first = store.panel("ONE")
    assert store.panel("ONE") is first, "the one asked for last stays"
    assert store.panel("TWO") is not None
    assert store.panel("ONE") is not first
    store.close()
