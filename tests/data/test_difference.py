"""What two snapshots differ in: counted exactly, and the same seen from either side."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.data.difference import difference
from tilt.data.findings import findings_table, noted


@pytest.fixture(scope="module")
def built(make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    return make.panel(prices=make.prices(close), key_figures=make.figures(close, "2015-01-20"))


@pytest.fixture(scope="module")
def findings(built):
    return built.findings


def test_a_snapshot_does_not_differ_from_itself(built, findings):
    same = difference(built.panel, built.panel, findings, findings)
    assert same.nothing
    assert same.values_changed == 0


def test_changed_values_are_counted_by_field(built, findings):
    close, volume = built.panel.close.copy(), built.panel.volume.copy()
    close.iloc[3, 2] += 1
    close.iloc[4, 2] = np.nan
    volume.iloc[5:7, 1] = 7.0
    after = replace(built.panel, close=close, volume=volume)
    found = difference(built.panel, after, findings, findings)
    assert found.fields.to_dict(orient="records") == [
        {"field": "close", "changed": 1, "appeared": 0, "vanished": 1},
        {"field": "volume", "changed": 2, "appeared": 0, "vanished": 0},
    ]
    assert found.values_changed == 4
    assert not found.nothing


def test_what_appears_one_way_vanishes_the_other_way(built, findings):
    close = built.panel.close.copy()
    close.iloc[:5, 0] = np.nan
    after = replace(built.panel, close=close)
    (there,) = difference(built.panel, after, findings, findings).fields.to_dict(orient="records")
    (back,) = difference(after, built.panel, findings, findings).fields.to_dict(orient="records")
    assert (there["appeared"], there["vanished"]) == (0, 5)
    assert (back["appeared"], back["vanished"]) == (5, 0)


def test_later_days_and_another_security_are_no_changed_values(make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    old = make.panel(prices=make.prices(close.iloc[:50, :7]))
    new = make.panel(prices=make.prices(close))
    found = difference(old.panel, new.panel, old.findings, new.findings)
    assert found.added == ("N7",)
    assert found.removed == ()
    assert list(found.days_added) == list(close.index[50:])
    assert len(found.days_removed) == 0
    assert found.values_changed == 0


def test_days_and_securities_that_are_gone_are_told(make):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    old = make.panel(prices=make.prices(close))
    new = make.panel(prices=make.prices(close.iloc[10:, 1:]))
    found = difference(old.panel, new.panel, old.findings, new.findings)
    assert found.removed == ("N0",)
    assert list(found.days_removed) == list(close.index[:10])


def test_findings_are_new_and_gone_whatever_their_order(built):
    day = pd.Timestamp("2015-02-02")
    one, two, three = (
        noted(day, "large_move", f"{n} | Kept.", ticker="N1") for n in ("one", "two", "three")
    )
    found = difference(
        built.panel, built.panel, findings_table([one, two]), findings_table([three, one])
    )
    assert list(found.findings_new["detail"]) == ["three"]
    assert list(found.findings_gone["detail"]) == ["two"]


def test_a_field_that_only_one_of_them_has_appears_with_its_values(built, findings):
    extra = pd.DataFrame(1.0, index=built.panel.dates, columns=built.panel.assets)
    after = replace(built.panel, fundamentals={**built.panel.fundamentals, "extra": extra})
    (row,) = difference(built.panel, after, findings, findings).fields.to_dict(orient="records")
    assert row == {"field": "extra", "changed": 0, "appeared": extra.size, "vanished": 0}
