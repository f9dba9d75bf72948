import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.frames import (
    FactorHistory,
    Panel,
    check_returns,
    content_id,
    listed,
    require_assets,
    row_hashes,
    spread,
)

DATES = pd.DatetimeIndex(pd.bdate_range("2020-01-01", periods=4), name="date")
ASSETS = pd.Index(["A", "B", "C"], name="ticker")


def frame(values: object, dates: pd.DatetimeIndex = DATES) -> pd.DataFrame:
    return pd.DataFrame(
        np.broadcast_to(values, (len(dates), 3)).copy(), index=dates, columns=ASSETS
    )


def history() -> FactorHistory:
    factors = pd.DataFrame(
        {"group": ["market", "sector", "sector", "style"]},
        index=pd.Index(["Market", "Energy", "Utilities", "Size"], name="factor"),
    )
    styles = np.arange(12.0).reshape(4, 3, 1)
    styles[2, 1, 0] = np.nan
    return FactorHistory(
        factors=factors,
        dates=DATES,
        assets=ASSETS,
        styles=styles,
        imputed=np.zeros((4, 3, 1), dtype=bool),
        sector=pd.Series(["Energy", "Utilities", "Energy"], index=ASSETS),
        returns=pd.DataFrame(0.0, index=DATES, columns=factors.index),
        t_stats=pd.DataFrame(0.0, index=DATES, columns=factors.index),
        r2=pd.Series(0.0, index=DATES),
        specific_returns=frame(0.0),
        market_cap=frame(1.0),
    )


@pytest.fixture
def panel() -> Panel:
    caps = frame([1.0, 2.0, 5.0])
    caps.iloc[0] = np.nan
    member = frame(True)  # noqa: FBT003
    member.loc[DATES[2] :, "C"] = False
    return Panel(
        universe="TEST",
        snapshot="s",
        securities=pd.DataFrame(index=ASSETS),
        close=frame(10.0),
        returns=frame(0.01),
        volume=frame(100.0),
        market_cap=caps,
        member=member,
        fundamentals={"book_value": frame(7.0)},
        index_level=pd.Series(1.0, index=DATES),
        factor_history=history(),
        survivorship="",
    )


def test_a_long_list_shows_the_first_names_and_counts_the_rest():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert listed(list("abc"), most=1) == "a and 2 more"


def test_values_come_in_the_order_of_the_assets():
    values = pd.Series({"C": 3.0, "A": 1.0, "B": 2.0})
    assert require_assets(values, ASSETS, "weights").tolist() == [1, 2, 3]


@pytest.mark.parametrize("values", [{"A": 1.0}, {"A": 1.0, "B": np.nan, "C": np.nan}])
def test_a_missing_value_is_refused_with_the_names_and_what_to_do(values):
    with pytest.raises(DataError) as caught:
        require_assets(pd.Series(values), ASSETS, "weights")
    assert str(caught.value) == (
        "weights has no value for 2 of 3 assets (B, C). "
        "Add them to weights or drop them from the universe."
    )


def test_weights_spread_with_zeros_and_keep_their_sum():
    made = spread(pd.Series({"C": 0.4, "A": 0.5}), ASSETS, "holdings")
    assert made.to_dict() == {"A": 0.5, "B": 0.0, "C": 0.4}


def test_a_held_name_outside_is_refused_but_an_empty_position_is_not():
    assert spread(pd.Series({"X": 0.0, "A": 1.0}), ASSETS, "holdings").sum() == 1
    with pytest.raises(UnknownNameError, match="X in holdings has no risk data at this date"):
        spread(pd.Series({"X": -0.1, "A": 1.0}), ASSETS, "holdings")


def test_a_missing_weight_is_no_zero_and_a_name_twice_is_not_the_last_of_its_weights():
    with pytest.raises(DataError, match="B in holdings has no weight"):
        spread(pd.Series({"A": 1.0, "B": np.nan}), ASSETS, "holdings")
    with pytest.raises(ArgumentError, match="A is in holdings twice"):
        spread(pd.Series([0.5, 0.5], index=["A", "A"]), ASSETS, "holdings")


def test_a_hole_in_returns_is_refused_with_its_place():
    returns = frame(0.01)
    check_returns(returns)
    returns.iloc[2, 1] = np.inf
    with pytest.raises(DataError, match="return of B on 2020-01-03 is missing"):
        check_returns(returns)
    with pytest.raises(DataError, match="4 dates of returns; at least 5 are needed"):
        check_returns(returns, least=5)


def test_the_id_of_content_is_twelve_hex_digits_that_any_change_moves():
    parts = [1, "a", [1.5, None], {"k": np.array([1.0, 2.0])}, frame(1.0)]
    base = content_id(*parts)
    assert len(base) == 12
    assert int(base, 16) >= 0
    assert content_id(*parts) == base
    changed = frame(1.0)
    changed.iloc[3, 2] = 1.0000000001
    others = [
        [2, *parts[1:]],
        [*parts[:3], {"k": np.array([2.0, 1.0])}, parts[4]],
        [*parts[:4], changed],
        [*parts[:4], frame(1.0).rename(columns={"C": "D"})],
        [*parts[:4], frame(1.0).set_axis(DATES + pd.Timedelta(days=1))],
        parts[:4],
    ]
    ids = [content_id(*o) for o in others]
    assert len({base, *ids}) == 7


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_id_of_a_mapping_does_not_depend_on_its_order(mapping):
    assert content_id(mapping) == content_id(dict(reversed(mapping.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"a": "1", "b": 2}),
        (["ab", "c"], ["a", "bc"]),
        ([[1], 2], [[1, 2]]),
        ({"a": {"b": 1}}, {"a": {}, "b": 1}),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.array([1, 2], dtype="int64"), np.array([1, 2], dtype="int64").view("float64")),
        (pd.Series([1.0], name="a"), pd.Series([1.0], name="b")),
    ],
)
def test_content_that_reads_alike_has_another_id(one, other):
    assert content_id(one) != content_id(other)


def test_two_parts_are_not_one_part_of_both():
    assert content_id("a", "b") != content_id("ab")
    assert content_id("a", "b") != content_id(["a", "b"])


def test_exposures_are_one_for_market_and_own_sector_and_the_score_for_a_style():
    made = history().exposures(DATES[1])
    expected = [[1, 1, 0, 3], [1, 0, 1, 4], [1, 1, 0, 5]]
    assert made.index.tolist() == ["A", "B", "C"]
    assert made.columns.tolist() == ["Market", "Energy", "Utilities", "Size"]
    np.testing.assert_array_equal(made, expected)


def test_an_asset_without_a_score_has_no_exposures():
    assert history().exposures(DATES[2]).index.tolist() == ["A", "C"]


def test_a_day_without_exposures_is_refused_with_the_range():
    with pytest.raises(UnknownNameError) as caught:
        history().exposures(pd.Timestamp("2020-01-04"))
    assert str(caught.value) == (
        "No exposures on 2020-01-04. They run from 2020-01-01 to 2020-01-06."
    )


def test_styles_are_the_factors_of_their_group():
    assert history().style_names == ["Size"]


def test_until_shows_nothing_later(panel):
    view = panel.until(DATES[1])
    frames = [view.close, view.returns, view.volume, view.market_cap, view.member]
    frames += [view.fundamentals["book_value"], view.index_level]
    known = view.factors
    frames += [known.returns, known.t_stats, known.r2, known.specific_returns, known.market_cap]
    assert all(f.index[-1] == DATES[1] and len(f) == 2 for f in frames)
    assert known.styles.shape == (2, 3, 1)
    assert known.imputed.shape == (2, 3, 1)
    assert known.dates[-1] == view.as_of == DATES[1]
    assert len(panel.dates) == 4  # the panel itself is as it was


def test_until_a_weekend_is_until_the_friday(panel):
    assert panel.until(pd.Timestamp("2020-01-05")).as_of == pd.Timestamp("2020-01-03")


def test_a_trading_day_is_the_last_one_at_or_before(panel):
    assert panel.trading_day(pd.Timestamp("2020-01-05")) == pd.Timestamp("2020-01-03")
    assert panel.trading_day(DATES[0]) == DATES[0]
    with pytest.raises(
        UnknownNameError, match="No data on 2019-12-31: 'TEST' starts on 2020-01-01"
    ):
        panel.trading_day(pd.Timestamp("2019-12-31"))


def test_cap_weights_are_of_the_members_and_sum_to_one(panel):
    assert panel.cap_weights(DATES[1]).to_dict() == {"A": 0.125, "B": 0.25, "C": 0.625}
    assert panel.cap_weights(DATES[2]).to_dict() == {"A": 1 / 3, "B": 2 / 3}


def test_cap_weights_before_the_first_cap_say_when_caps_start(panel):
    with pytest.raises(
        UnknownNameError, match=r"no market caps on 2020-01-01. They start on 2020-01-02"
    ):
        panel.cap_weights(DATES[0])
    with pytest.raises(UnknownNameError, match="2020-01-04 is not a trading day of 'TEST'"):
        panel.cap_weights(pd.Timestamp("2020-01-04"))


def test_cap_weights_of_a_universe_without_caps_say_so(panel):
    bare = Panel(**{**panel.__dict__, "market_cap": frame(np.nan)})
    with pytest.raises(UnknownNameError, match="has no market caps at all"):
        bare.cap_weights(DATES[1])


def test_a_universe_without_a_factor_model_says_what_to_run(panel):
    bare = Panel(**{**panel.__dict__, "factor_history": None})
    with pytest.raises(ArgumentError, match=r"'TEST' has no factor model. The finding 'no_factor"):
        _ = bare.factors
    assert bare.until(DATES[1]).factor_history is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (150, 300), (0, 2), (2, 0)])
def test_rows_are_hashed_as_pandas_does_it(shape):
    values = np.random.default_rng(3).normal(size=shape)
    values.ravel()[:4] = [np.nan, -0.0, np.inf, 0.0][: values.size]
    dates = pd.date_range("2020-01-01", periods=shape[0])
    table = pd.DataFrame(values, dates, [f"N{i}" for i in range(shape[1])])
    for frame in (table, table.iloc[::-1], table.astype(str), table.assign(more=1)):
        expected = pd.util.hash_pandas_object(frame).to_numpy()
        np.testing.assert_array_equal(row_hashes(frame), expected)
