"""Reports on record: each once, whose they are, and which one is the last."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from tilt.data import packs
from tilt.data.catalog import open_catalog, writing
from tilt.data.packs import Pack, Whose
from tilt.errors import UnknownNameError

ANNA = Whose("anna", "Core", saved=True)
MADE = dt.datetime(2017, 6, 1, 9, tzinfo=dt.UTC)


def pack(date="2017-05-31", whose=ANNA, snapshot="s1", hours=0, **more):
    given = {"figures": {"te": 0.03, "limit": None}, "runs": ("abc",)} | more
    made = MADE + dt.timedelta(hours=hours)
    return Pack(whose, "month_end", "US", pd.Timestamp(date), snapshot, made, **given)


@pytest.fixture
def catalog(tmp_path):
    engine = open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    yield engine
    engine.dispose()


def last(catalog, whose, date="2017-06-30"):
    return packs.last(catalog, whose, "month_end", "US", before=pd.Timestamp(date))


def test_a_pack_comes_back_as_it_was_made(catalog):
    kept = packs.record(catalog, pack())
    found = last(catalog, ANNA)
    assert found == pack()
    assert found.id == kept


def test_the_same_pack_made_again_is_one_and_keeps_its_first_time(catalog):
    assert packs.record(catalog, pack()) == packs.record(catalog, pack(hours=5))
    assert len(packs.listed(catalog, "anna", most=9)) == 1
    assert last(catalog, ANNA).made == MADE


def test_the_last_is_of_the_latest_date_before_and_of_its_packs_the_one_made_last(catalog):
    for date, snapshot, hours in (("2017-04-28", "s1", 9), ("2017-05-31", "s1", 0),
                                  ("2017-05-31", "s2", 1), ("2017-06-30", "s2", 2)):  # fmt: skip
        packs.record(catalog, pack(date, snapshot=snapshot, hours=hours))
    assert (last(catalog, ANNA).as_of, last(catalog, ANNA).snapshot) == (
        pd.Timestamp("2017-05-31"),
        "s2",
    )
    day = packs.last_of_day(catalog, ANNA, "month_end", "US", pd.Timestamp("2017-06-30"))
    assert day.snapshot == "s2"
    assert packs.last(catalog, ANNA, "portfolio", "US", before=pd.Timestamp("2018-01-01")) is None


def test_a_pack_without_figures_is_listed_and_never_compared_with(catalog):
    packs.record(catalog, pack(figures={}))
    assert last(catalog, ANNA) is None
    assert packs.listed(catalog, "anna", most=9)["portfolio"].tolist() == ["Core"]


def test_packs_of_a_saved_portfolio_are_shared_and_those_of_sent_holdings_are_not(catalog):
    packs.record(catalog, pack())
    sent = Whose("anna", "Mine", saved=False)
    packs.record(catalog, pack(whose=sent))
    assert last(catalog, Whose("bert", "CORE", saved=True)).whose.owner == "anna"
    assert last(catalog, replace(sent, owner="bert")) is None
    assert last(catalog, Whose("bert", "Core", saved=False)) is None
    assert packs.listed(catalog, "bert", most=9).empty


def test_a_pack_is_forgotten_by_its_owner_alone(catalog):
    kept = packs.record(catalog, pack())
    with pytest.raises(UnknownNameError, match="of yours is on record"):
        packs.forget(catalog, "bert", kept)
    packs.forget(catalog, "anna", kept)
    assert last(catalog, ANNA) is None


def test_a_saved_portfolio_that_is_deleted_takes_its_packs_along(catalog):
    packs.record(catalog, pack())
    packs.record(catalog, pack(whose=Whose("anna", "Core", saved=False)))
    with writing(catalog) as connection:
        packs.forget_portfolio(connection, "core")
    assert last(catalog, ANNA) is None
    assert last(catalog, Whose("anna", "Core", saved=False)) is not None


def test_an_owners_oldest_packs_make_room(catalog, monkeypatch):
    monkeypatch.setattr(packs, "MOST", 2)
    for month, date in enumerate(("2017-03-31", "2017-04-28", "2017-05-31")):
        packs.record(catalog, pack(date, hours=month))
    assert packs.listed(catalog, "anna", most=9)["as_of"].dt.month.tolist() == [5, 4]
