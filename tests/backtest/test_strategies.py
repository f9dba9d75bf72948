"""What each strategy holds, and which strategy a range or a text means."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.factor_strategies import Pure, Quantile, Spread, buckets
from tilt.backtest.parse import STRATEGIES, parse_strategy
from tilt.backtest.run import backtest
from tilt.backtest.strategy import (
    CapWeight,
    DatedWeights,
    EqualWeight,
    FixedWeights,
    InverseVol,
)
from tilt.backtest.walk_forward import Optimal
from tilt.errors import ArgumentError, DataError, UnknownNameError

NOTHING = pd.Series(dtype=float)
SAVED = {"SAMPLE": pd.Series({"A01": 0.5, "A02": 0.5})}


def parse(given, panel, **options):
    return parse_strategy(given, panel, saved=SAVED, **options)


def test_equal_weight_holds_the_members_with_a_price(build):
    member = np.array([[1, 1, 0], [1, 1, 0]], dtype=bool)
    panel = build(np.zeros((2, 3)), member=member)
    assert EqualWeight().weights(panel, NOTHING).to_dict() == {"A": 0.5, "B": 0.5}


def test_inverse_volatility_is_proportional_to_one_over_it(build):
    sign = np.resize([1.0, -1.0], 100)
    panel = build(sign[:, None] * np.array([0.01, 0.02, 0.04]))
    weights = InverseVol().weights(panel, NOTHING)
    assert weights.to_list() == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_inverse_volatility_looks_back_no_further_than_told(build):
    sign = np.resize([1.0, -1.0], 163)[:, None]
    quiet = np.where(np.arange(163)[:, None] < 100, 0.001, 0.01)
    panel = build(sign * np.hstack([quiet, np.full((163, 1), 0.01)]))
    assert InverseVol(63).weights(panel, NOTHING).to_list() == pytest.approx([0.5, 0.5])


def test_buckets_hold_equal_numbers_and_the_last_scores_highest(market):
    bucket = buckets(market, "Value", 4)
    sizes = bucket.value_counts()
    assert set(sizes.index) == {1.0, 2.0, 3.0, 4.0}
    assert sizes.max() - sizes.min() <= 1
    score = market.factors.exposures(market.as_of)["Value"].reindex(bucket.index)
    highest = score.groupby(bucket).max()
    lowest = score.groupby(bucket).min()
    assert (highest.to_numpy()[:-1] <= lowest.to_numpy()[1:]).all()


def test_the_bucket_of_a_rank_is_the_ceiling_of_q_rank_over_n(market):
    bucket = buckets(market, "Momentum", 7)
    rank = market.factors.exposures(market.as_of)["Momentum"].reindex(bucket.index).rank()
    n = len(rank)
    for name, r in rank.items():
        assert bucket[name] == -(-int(7 * r) // n)


def test_a_spread_is_long_the_top_and_short_the_bottom(market):
    weights = Spread("Value", 5).weights(market, NOTHING)
    top = Quantile("Value", 5, 5).weights(market, NOTHING)
    bottom = Quantile("Value", 5, 1).weights(market, NOTHING)
    assert weights.sum() == pytest.approx(0)
    assert weights[weights > 0].sum() == pytest.approx(1)
    assert set(weights.index[weights > 0]) == set(top.index)
    assert set(weights.index[weights < 0]) == set(bottom.index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("equal_weight", EqualWeight),
        (" Cap_Weight ", CapWeight),
        ("inverse_vol", InverseVol),
        ("quantile:momentum:5:1", Quantile),
        ("spread:Value:5", Spread),
        ("pure:value", Pure),
        ("min_te", Optimal),
        ("min_risk", Optimal),
        ("made_up", CapWeight),
        ("sample", FixedWeights),
        ([["equal_weight"]], EqualWeight),
    ],
)
def test_a_text_means_a_strategy(market, text, expected):
    assert isinstance(parse(text, market), expected)


def test_the_listed_strategies_all_parse(market):
    for name in STRATEGIES:
        assert parse(name, market).name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("equal_wieght", "Unknown strategy 'equal_wieght'. Did you mean 'equal_weight'?"),
        ("quantile:Momentm:5:1", "got 'Momentm'. Did you mean 'Momentum'?"),
        ("quantile:Value:5", "must be quantile:factor:buckets:bucket"),
        ("quantile:Value:5:6", "bucket must be a whole number from 1 to 5; got '6'."),
        ("spread:Value:1", "buckets must be a whole number from 2 to 100; got '1'."),
        ("spread:Value", "must be spread:factor:buckets"),
        ("pure:Value:5", "must be pure:factor, pure:Value."),
        ("pure:Valeu", "Did you mean 'Value'?"),
        ("SAMPEL", "Did you mean 'SAMPLE'?"),
    ],
)
def test_a_wrong_text_says_what_is_wrong(market, text, message):
    with pytest.raises((ArgumentError, UnknownNameError)) as caught:
        parse(text, market)
    assert message in str(caught.value)


def test_a_strategy_left_out_lists_what_there_is(market):
    with pytest.raises(ArgumentError, match=r"strategy is missing\. Give holdings or one of equal"):
        parse(None, market)


def test_holdings_are_fixed_weights(market):
    strategy = parse([["Ticker", "Weight"], ["A01", 40], ["A02", 59]], market)
    assert strategy.weights(market, NOTHING).to_dict() == {"A01": 0.4, "A02": 0.59}
    result = backtest(market, strategy)
    notes = result.assumptions.set_index("item").loc["note", "value"].to_list()
    assert notes[0] == "Weights sum to 99, so they are per cent. Divided by 100."


def test_a_dated_range_holds_from_date_to_date(market):
    day = market.dates
    grid = [
        ["Date", "Ticker", "Weight"],
        [day[300].to_pydatetime(), "A01", 1.0],
        [day[320].to_pydatetime(), "A01", 0.4],
        [f"{day[320]:%Y-%m-%d}", "A02", 0.6],
    ]
    strategy = parse(grid, market)
    assert isinstance(strategy, DatedWeights)
    assert strategy.weights(market.until(day[310]), NOTHING).to_dict() == {"A01": 1.0, "A02": 0.0}
    assert strategy.weights(market, NOTHING).to_dict() == {"A01": 0.4, "A02": 0.6}
    result = backtest(market, strategy)
    assert sorted(set(result.weights["date"])) == [day[301], day[321]]
    facts = result.assumptions.set_index("item")["value"]
    assert facts["rebalance"] == "on the dates given"


def test_dated_weights_trade_on_their_dates_whatever_the_rebalance(market):
    strategy = parse([[market.dates[300].to_pydatetime(), "A01", 1.0]], market)
    for rebalance in ("D", "drift:0.001"):
        result = backtest(market, strategy, rebalance=rebalance)
        assert set(result.weights["date"]) == {market.dates[301]}


def test_weights_of_a_weekend_count_on_the_friday_before(market):
    friday = market.dates[302]
    assert friday.day_name() == "Friday"
    saturday = (friday + pd.Timedelta(days=1)).to_pydatetime()
    strategy = parse([[saturday, "A01", 1.0]], market)
    assert list(strategy.given.index) == [friday]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["01/02/2014", "A01", 1.0], "strategy row 2: date '01/02/2014' could mean"),
        ([None, "A01", 1.0], "strategy row 2: date is blank"),
        (["2014-03-03", "A01", "#REF!"], "strategy row 2: weight is #REF!"),
        (["2014-03-03", "A01", 3.0], "strategy weights sum to 3"),
        (["2001-03-03", "A01", 1.0], "is before the first date with data"),
    ],
)
def test_a_wrong_row_of_a_dated_range_is_named(market, row, message):
    with pytest.raises((ArgumentError, DataError, UnknownNameError)) as caught:
        parse([["Date", "Ticker", "Weight"], row], market)
    assert message in str(caught.value)


def test_a_start_before_the_market_caps_says_when_they_begin(market):
    first = market.dates[281]  # caps begin on 280, and a decision is filled a day later
    with pytest.raises(UnknownNameError, match=f"cannot start .* from {first:%Y-%m-%d}"):
        backtest(market, CapWeight(), start=market.dates[280])
    assert backtest(market, CapWeight(), start=first).market.dates[0] == first


def test_a_ticker_that_is_not_in_the_universe_is_an_error(market):
    with pytest.raises(UnknownNameError, match="ZZZ"):
        backtest(market, FixedWeights(pd.Series({"ZZZ": 1.0})), start=market.dates[300])


def test_without_a_start_the_run_begins_when_it_can(market):
    result = backtest(market, FixedWeights(pd.Series({"A09": 1.0})), costs=Costs(cost_bps=0.0))
    assert result.market.dates[0] == market.dates[382]  # first price on 381, filled a day later
