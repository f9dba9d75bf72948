"""What comes later never changes what was known before."""

import numpy as np
import pandas as pd
import pytest

from tilt.data.panel import build_panel
from tilt.data.sources.delivery import Delivery, check_tables
from tilt.data.sources.sample import Sample

TICKERS = [
    "AAPL",
    "BRK.B",
    "DISCA",
    "GOOG",
    "GOOGL",
    "HBI",
    "HWM",
    "LYB",
    "MSI",
    "TMUS",
    "UA",
    "UAA",
]
CUTS = [
    "2012-12-27",
    "2013-05-01",
    "2014-06-08",
    "2014-07-28",
    "2015-09-22",
    "2017-03-08",
]


@pytest.fixture(scope="module")
def whole() -> Delivery:
    """The assets of the sample that have something wrong with them, and forty that have not."""
    given = Sample().fetch()
    tables = dict(given.tables)
    kept = [*TICKERS, *sorted(set(tables["prices"]["ticker"]) - set(TICKERS))[:120:3]]
    tables["prices"] = tables["prices"][tables["prices"]["ticker"].isin(kept)]
    return Delivery(given.source, given.universe, given.description, check_tables(tables))


@pytest.fixture(scope="module")
def panel_of_all(whole):
    return build_panel(whole).panel


@pytest.mark.parametrize("day", CUTS)
def test_removing_what_came_later_changes_nothing_that_was_known(whole, panel_of_all, day):
    tables = {
        name: table[table["date"] <= day] if "date" in table.columns else table
        for name, table in whole.tables.items()
    }
    reported = tables["statements"]["period_end"] + pd.Timedelta(days=90) <= day
    tables["statements"] = tables["statements"][reported]
    then = build_panel(
        Delivery(whole.source, whole.universe, whole.description, check_tables(tables))
    ).panel
    now = panel_of_all.until(pd.Timestamp(day))
    assets = then.assets
    assert len(then.dates) == len(now.dates)
    for name in ("close", "returns", "volume", "market_cap", "member"):
        values = getattr(now, name)[assets].to_numpy(dtype=float)
        np.testing.assert_array_equal(getattr(then, name).to_numpy(dtype=float), values, name)
    for name, frame in then.fundamentals.items():
        np.testing.assert_array_equal(frame, now.fundamentals[name][assets], name)
