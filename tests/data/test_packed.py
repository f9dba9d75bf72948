"""Fields that are kept compressed come back number for number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.data.packed import Packed, packed_field

numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    table=st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1)
    )
)
def test_a_field_comes_back_to_the_bit(table):
    values = np.array(table)
    dates = pd.date_range("2020-01-01", periods=len(values), name="date")
    assets = pd.Index([f"T{i}" for i in range(values.shape[1])], name="ticker")
    frame = Packed(dates, assets, {"sales": packed_field(values)})["sales"]
    assert np.array_equal(frame.to_numpy().view(np.int64), values.view(np.int64))
    assert frame.index.equals(dates)
    assert frame.columns.equals(assets)


def test_it_is_a_mapping_that_tells_its_names_without_unpacking():
    fields = Packed(
        pd.DatetimeIndex(["2020-01-01"]), pd.Index(["A"]), {"sales": b"no field", "roe": b""}
    )
    assert list(fields) == ["sales", "roe"]
    assert "sales" in fields
    assert "price" not in fields
    assert fields.nbytes == len(b"no field")
    with pytest.raises(KeyError):
        fields["price"]


def test_who_changes_a_field_changes_no_other_asking():
    dates, assets = pd.DatetimeIndex(["2020-01-01"]), pd.Index(["A", "B"])
    fields = Packed(dates, assets, {"sales": packed_field(np.array([[1.0, 2.0]]))})
    changed = fields["sales"]
    changed.loc["2020-01-01", "A"] = 9.0
    assert fields["sales"].loc["2020-01-01"].tolist() == [1.0, 2.0]


def test_a_panel_until_a_day_has_its_fundamentals_until_that_day(panel):
    last = panel.dates[700]
    seen = panel.until(last)
    assert list(seen.fundamentals) == list(panel.fundamentals)
    assert "no such field" not in seen.fundamentals
    name = next(iter(panel.fundamentals))
    pd.testing.assert_frame_equal(seen.fundamentals[name], panel.fundamentals[name].loc[:last])
