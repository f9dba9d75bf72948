"""Universes made by a rule: point in time, capped, buffered, saved, and usable as any other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tilt.data.derive import capped, derive
from tilt.data.rules import Rule, Universe, read_rule
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.frames import Panel

NAMES = [f"N{i}" for i in range(12)]
DATES = pd.bdate_range("2015-01-02", periods=150)


def made_up(seed: int = 1) -> Panel:
    """Twelve companies whose sizes change places often."""
    rng = np.random.default_rng(seed)
    close = pd.DataFrame(
        20 * np.exp((0.15 * rng.standard_normal((len(DATES), 12))).cumsum(axis=0)),
        index=DATES,
        columns=NAMES,
    )
    return Panel(
        universe="ALL",
        snapshot="abc",
        securities=pd.DataFrame(
            {"name": NAMES, "sector": ["Energy", "Utilities"] * 6, "industry": "Any"}, index=NAMES
        ),
        close=close,
        returns=close.pct_change(),
        volume=pd.DataFrame(1e6, index=DATES, columns=NAMES),
        market_cap=close * np.linspace(1e8, 1.2e8, 12),
        member=close.notna(),
        fundamentals={},
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="Made up.",
    )


PANEL = made_up()


def made(panel: Panel = PANEL, **rule) -> Panel:
    return derive(panel, Universe(name="MINE", parent=panel.universe, rule=read_rule(rule)))


def starts(frequency: str = "M") -> list[pd.Timestamp]:
    period = DATES.to_period(frequency)
    return [d for i, d in enumerate(DATES) if i and period[i] != period[i - 1]]


RULES = st.fixed_dictionaries(
    {},
    optional={
        "top": st.integers(1, 12),
        "min_price": st.floats(5, 40),
        "min_adv": st.floats(1e6, 4e7),
        "min_history": st.integers(1, 60),
        "rebalance": st.sampled_from(["M", "Q", "Y"]),
        "weighting": st.sampled_from(["cap", "equal"]),
        "cap": st.floats(0.1, 1),
        "sector": st.just(["Energy"]),
        "exclude": st.just(["N3"]),
    },
)


# the days that matter are those about a review: there the future is one day away
REVIEWED = [DATES.get_loc(d) for d in starts()]
DAYS = st.sampled_from([row + k for row in REVIEWED for k in (-1, 0)]) | st.integers(5, 148)


@settings(max_examples=60)
@given(rule=RULES, buffer=st.sampled_from([0.0, 0.25]), today=DAYS)
def test_what_comes_later_changes_no_membership_and_no_weight(rule, buffer, today):
    rule = {**rule, "buffer": buffer} if "top" in rule else rule
    whole = made(**rule)
    known = made(PANEL.until(DATES[today]), **rule)
    wild = made_up(seed=9)
    later = PANEL.close.index > DATES[today]
    altered = replace(
        PANEL,
        **{
            name: getattr(PANEL, name).mask(later[:, None] & np.ones((1, 12), bool), other)
            for name in ("close", "volume", "market_cap")
            for other in [getattr(wild, name) * 7]
        },
    )
    for other in (known, made(altered, **rule)):
        past = slice(None, today + 1)
        pd.testing.assert_frame_equal(whole.member.iloc[past], other.member.iloc[past])
        pd.testing.assert_frame_equal(whole.index_weight.iloc[past], other.index_weight.iloc[past])


@given(
    weights=arrays(float, st.integers(1, 40), elements=st.floats(0.01, 100)),
    cap=st.floats(0.02, 1),
)
def test_capped_weights_are_a_whole_within_the_cap_in_order_and_in_proportion(weights, cap):
    got = capped(weights, cap)
    assert got.sum() == pytest.approx(1)
    if cap * len(weights) > 1:
        assert got.max() <= cap + 1e-12
        free = got < cap - 1e-9
        np.testing.assert_allclose(
            got[free] * weights[free].sum(), weights[free] * got[free].sum(), rtol=1e-9
        )
        assert (np.diff(got[np.argsort(weights)]) >= -1e-12).all()
    else:
        np.testing.assert_allclose(got, 1 / len(weights))


def test_capping_by_hand():
    # 60 30 10 at 40 %: 40, then 30 and 10 share 60 as 45 and 15, so 40, and 20 are left
    np.testing.assert_allclose(capped(np.array([60.0, 30.0, 10.0]), 0.4), [0.4, 0.4, 0.2])


def test_the_largest_of_the_close_before_a_review_are_in_until_the_next():
    got = made(top=4, rebalance="M")
    reviews = starts()
    for day, following in zip(reviews, [*reviews[1:], None], strict=True):
        before = DATES[DATES.get_loc(day) - 1]
        expected = set(PANEL.market_cap.loc[before].nlargest(4).index)
        held = got.member.loc[day:following]
        held = held.iloc[:-1] if following is not None else held
        assert set(held.columns[held.all()]) == expected
        assert (held.sum(axis=1) == 4).all()


def test_nobody_is_in_before_the_first_close_is_known():
    assert not made(top=4).member.iloc[0].any()
    assert made(top=4).member.iloc[1].sum() == 4


def test_a_buffer_lowers_turnover_and_keeps_nobody_beyond_it():
    plain, calm = made(top=4, rebalance="M"), made(top=4, rebalance="M", buffer=0.5)
    changes = [p.member.astype(int).diff().abs().to_numpy()[2:].sum() for p in (plain, calm)]
    assert 0 < changes[1] < changes[0]
    for day in starts():
        before = DATES[DATES.get_loc(day) - 1]
        rank = PANEL.market_cap.loc[before].rank(ascending=False)
        inside = calm.member.columns[calm.member.loc[day]]
        assert len(inside) == 4
        assert rank[inside].max() <= 6
        assert set(rank.index[rank <= 2]) <= set(inside)


def test_weights_are_capped_at_a_review_and_drift_with_the_caps_until_the_next():
    got = made(cap=0.1, rebalance="M")
    day = starts()[0]
    before = DATES[DATES.get_loc(day) - 1]
    at_review = PANEL.market_cap.loc[before] * (
        got.index_weight.loc[day] / PANEL.market_cap.loc[day]
    )
    np.testing.assert_allclose(
        at_review / at_review.sum(), capped(PANEL.market_cap.loc[before].to_numpy(), 0.1)
    )
    later = DATES[DATES.get_loc(day) + 5]
    growth = PANEL.market_cap.loc[later] / PANEL.market_cap.loc[day]
    drifted = got.cap_weights(day) * growth
    pd.testing.assert_series_equal(
        got.cap_weights(later), drifted / drifted.sum(), check_names=False
    )


def test_equal_weights_are_equal_at_the_close_of_the_review():
    got = made(weighting="equal", top=5)
    first = got.index_weight.iloc[1] / PANEL.market_cap.iloc[1] * PANEL.market_cap.iloc[0]
    np.testing.assert_allclose(first.dropna() / first.sum(), 0.2)


def test_free_float_counts_where_it_is_known_and_what_is_missing_is_said():
    free = pd.Series(1.0, index=NAMES).where(PANEL.assets != "N0")
    free["N1"] = 0.5
    panel = replace(PANEL, securities=PANEL.securities.assign(free_float=free))
    got = made(panel, weighting="float")
    ratio = got.cap_weights(DATES[3]) / PANEL.cap_weights(DATES[3])
    assert ratio["N1"] / ratio["N2"] == pytest.approx(0.5)
    assert ratio["N0"] == pytest.approx(ratio["N2"])
    assert "N0: no free float; it counts as all of the shares." in got.survivorship
    with pytest.raises(DataError, match="has no free float: its source gives none"):
        made(weighting="float")


def test_a_cap_that_too_few_names_can_hold_gives_equal_weights_and_is_said():
    got = made(top=4, cap=0.1)
    assert "too few members for a cap of 0.1; they were weighted equally" in got.survivorship


def test_price_liquidity_history_lists_and_sectors_choose():
    before = DATES[DATES.get_loc(starts()[-1]) - 1]
    last = made(min_price=20.0, rebalance="M").member.iloc[-1]
    assert set(last.index[last]) == set(NAMES) & set(
        PANEL.close.columns[PANEL.close.loc[before] >= 20]
    )
    money = (PANEL.close * PANEL.volume).loc[:before].tail(20).mean()
    last = made(min_adv=2e7, rebalance="M").member.iloc[-1]
    assert set(last.index[last]) == set(money.index[money >= 2e7])
    young = PANEL.close.copy()
    young.loc[: DATES[100], "N5"] = np.nan
    aged = made(replace(PANEL, close=young, member=young.notna()), min_history=100).member
    assert not aged["N5"].any()
    assert aged["N4"].any()
    assert set(made(sector=["Energy"], exclude=["N0"]).member.iloc[-1][lambda m: m].index) == set(
        NAMES[2::2]
    )
    assert made(tickers=["N1", "N2"]).member.iloc[-1].sum() == 2


def test_who_leaves_the_parent_goes_at_once_and_nobody_comes_before_the_next_review():
    member = PANEL.member.copy()
    member.loc[DATES[5] :, "N7"] = False
    member.loc[: DATES[4], "N8"] = False
    got = made(replace(PANEL, member=member), rebalance="Q").member
    assert got.loc[DATES[4], "N7"]
    assert not got.loc[DATES[5], "N7"]
    assert not got.loc[DATES[5], "N8"]
    assert got.loc[starts("Q")[0], "N8"]


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        ({"tickers": ["N99"]}, UnknownNameError, "Unknown ticker 'N99' in 'ALL'"),
        ({"sector": ["Enery"]}, UnknownNameError, "No sector 'Enery' .* Did you mean 'Energy'"),
        ({"country": ["US"]}, DataError, "'ALL' has no country: its source gives none"),
        ({"topp": 3}, ArgumentError, "has no 'topp'. Did you mean 'top'"),
        ({"top": 0}, ArgumentError, "top: "),
        ({"buffer": 0.1}, ArgumentError, "buffer needs top"),
        ({"cap": 4}, ArgumentError, "cap: "),
        ({"tickers": ["N1"], "exclude": ["N1"]}, ArgumentError, "N1 is in tickers and in exclude"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, error, words):
    with pytest.raises(error, match=words):
        made(**rule)


def test_a_rule_by_size_needs_market_caps():
    panel = replace(PANEL, market_cap=PANEL.market_cap * np.nan)
    with pytest.raises(DataError, match="'ALL' has no market caps"):
        made(panel, top=3)
    listed = made(panel, tickers=["N1"])
    assert listed.index_weight is None
    assert listed.member.iloc[-1].sum() == 1


@pytest.fixture
def kept(settings, make):
    store = Store.open(settings)
    make.publish(store, make.small(), "one")
    yield store
    store.close()


def save(store, name="TOP3", parent="test", **rule):
    return store.save_universe(
        Universe(name=name, parent=parent, description="", rule=read_rule(rule))
    )


def test_a_saved_universe_answers_wherever_a_name_may_stand(kept):
    before = kept.edition()
    panel = save(kept, top=3)
    assert kept.edition() != before
    again = kept.panel("top3")
    assert again is kept.panel("TOP3")
    pd.testing.assert_frame_equal(again.member, panel.member)
    assert again.close is kept.panel("TEST").close  # one copy of the prices
    assert again.snapshot.startswith("one.")
    assert kept.snapshot("TOP3").universe == "TOP3"
    assert kept.snapshot("TOP3").id == "one"
    assert len(kept.findings("TOP3")) == len(kept.findings("TEST"))
    held = kept.named(panel.as_of)("Top3")
    pd.testing.assert_series_equal(held, panel.cap_weights(panel.as_of), check_names=False)
    row = kept.universes().set_index("name").loc["TOP3"]
    assert row["parent"] == "TEST"
    assert row["description"].startswith("the 3 largest; weighted by market cap")
    assert row["securities"] == panel.member.any().sum()
    assert "Measured:" in row["survivorship"]


def test_another_rule_under_the_same_name_is_another_snapshot(kept):
    first, second = save(kept, top=3), save(kept, top=4)
    assert first.snapshot != second.snapshot
    assert kept.panel("TOP3").member.iloc[-1].sum() == 4


def test_universes_may_be_made_out_of_each_other_but_not_in_a_circle(kept):
    save(kept, "SIX", top=6)
    save(kept, "TWO", "SIX", top=2)
    two, six = kept.panel("TWO").member, kept.panel("SIX").member
    assert not (two & ~six).to_numpy().any()
    assert two.iloc[-1].sum() == 2
    with pytest.raises(ArgumentError, match="'SIX' cannot be made out of itself"):
        save(kept, "SIX", "TWO", top=1)
    with pytest.raises(ArgumentError, match="'SIX' cannot be deleted: TWO is made out of it"):
        kept.delete_universe("six")
    kept.delete_universe("TWO")
    kept.delete_universe("SIX")
    assert kept.universes()["name"].tolist() == ["TEST"]


def test_a_name_that_means_something_else_is_refused(kept):
    kept.save_portfolio("MY BOOK", pd.Series({"N1": 1.0}), "test")
    for name in ("TEST", "my book", "CASH", " X", ""):
        with pytest.raises(ArgumentError):
            save(kept, name)
    with pytest.raises(UnknownNameError, match="Did you mean 'TEST'"):
        save(kept, "X", "TSET")
    with pytest.raises(UnknownNameError, match="No universe made by a rule is named 'TEST'"):
        kept.delete_universe("TEST")


def test_a_universe_that_later_data_cannot_make_says_so_and_the_others_stay(kept, make):
    save(kept, "PAIR", tickers=["N6", "N7"])
    close = make.walk(60, ["N0", "N1"])
    tables = {"prices": make.prices(close)}
    make.publish(kept, make.delivery(tables), "two")
    table = kept.universes().set_index("name")
    assert "It cannot be made: Unknown ticker 'N6'" in table.loc["PAIR", "description"]
    assert table.loc["TEST", "securities"] == 2
    with pytest.raises(UnknownNameError, match="Unknown ticker 'N6' in 'TEST'"):
        kept.panel("PAIR")
    assert kept.panel("PAIR", snapshot="one").member.iloc[-1].sum() == 2


def test_rules_are_told_apart_by_content_and_said_in_words():
    assert Rule(top=5).id == Rule(top=5, rebalance="Q").id != Rule(top=6).id
    words = Rule(top=5, sector=("Energy",), cap=0.1, rebalance="Y").words()
    assert (
        words
        == "the 5 largest; of Energy; weighted by market cap, at most 0.1 each; reviewed yearly"
    )
