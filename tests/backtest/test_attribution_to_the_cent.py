"""Attribution on small random markets against a twin in plain loops, to the cent of 100 million.

The markets have cash that earns, holes in prices, a name that leaves, long and short positions.
"""

from math import log1p

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilt.backtest.costs import Costs
from tilt.backtest.held import track_of_backtest, track_of_weights
from tilt.backtest.run import backtest
from tilt.backtest.strategy import FixedWeights
from tilt.portfolio.attribution import brinson_table
from tilt.portfolio.daily_attribution import brinson_daily, positions_table
from tilt.portfolio.track import in_cash

DAYS, NAMES = 9, ["A", "B", "C", "D", "E"]
GROUPS = pd.Series({"A": "x", "B": "x", "C": "y", "D": "y", "E": "z"})
CAPITAL, CENT = 100e6, 0.01
RATE = 0.03
anywhere = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


def random_market(build, seed, days=DAYS):
    """A hole of a day in C, and E without prices from the seventh day on."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.03, (DAYS, len(NAMES)))
    priced = np.ones(returns.shape, dtype=bool)
    returns[3:5, 2] = np.nan  # the day without a price, and the one after it
    priced[3, 2] = False
    returns[6:, 4], priced[6:, 4] = np.nan, False
    return build(returns[:days], priced=priced[:days])


def weights_of(seed, short):
    w = np.random.default_rng(seed).dirichlet(np.ones(len(NAMES))) * 0.95
    if short:
        w[1] = -w[1]
    return pd.Series(w, NAMES)


def plain_book(panel, weights):
    """Weights, contributions and returns by day, one name and one multiplication at a time."""
    value = dict(weights)
    cash = 1.0 - sum(value.values())
    daily = (1.0 + RATE) ** (1 / 252) - 1.0
    days = []
    for day in panel.dates[1:]:
        nav = cash + sum(value.values())
        held = {name: v / nav for name, v in value.items()}
        added = {}
        for name in NAMES:
            r = panel.returns.loc[day, name]
            r = 0.0 if np.isnan(r) else r
            added[name] = held[name] * r
            value[name] *= 1.0 + r
        held["Cash"], added["Cash"] = cash / nav, cash / nav * daily
        cash *= 1.0 + daily
        days.append((held, added, sum(added.values())))
        # who has no price any more is cash at its last one, from this close on
        for name in NAMES:
            if not panel.close.loc[day:, name].notna().any():
                cash, value[name] = cash + value[name], 0.0
    return days


def summed(by_name):
    found = {}
    for name, amount in by_name.items():
        group = name if name == "Cash" else GROUPS[name]
        found[group] = found.get(group, 0.0) + amount
    return found


def plain_effects(mine, theirs):
    """Allocation and total effect by group, linked by Carino; and both compounded returns."""
    whole_p, whole_b = (float(np.prod([1 + r for *_, r in days])) - 1 for days in (mine, theirs))
    whole = (log1p(whole_p) - log1p(whole_b)) / (whole_p - whole_b)
    allocation, total = (dict.fromkeys(["x", "y", "z", "Cash"], 0.0) for _ in range(2))
    for (hp, cp, rp), (hb, cb, rb) in zip(mine, theirs, strict=True):
        k = (log1p(rp) - log1p(rb)) / (rp - rb) / whole
        wp, wb, cp, cb = (summed(amounts) for amounts in (hp, hb, cp, cb))
        for group in total:
            over = wp[group] - wb[group]
            total[group] += k * (cp[group] - cb[group] - over * rb)
            if wb[group]:
                of_benchmark = cb[group] / wb[group]
            else:
                of_benchmark = cp[group] / wp[group] if wp[group] else 0.0
            allocation[group] += k * over * (of_benchmark - rb)
    return allocation, total, whole_p, whole_b


def books(panel, seed, short, last=-1):
    first, end = panel.dates[0], panel.dates[last]
    return [
        track_of_weights(panel, {first: w}, first, end, cash_rate=RATE)
        for w in (weights_of(seed, short), weights_of(seed + 1, short=False))
    ]


def same_to_the_cent(found, expected):
    assert CAPITAL * abs(found - expected) < CENT


@anywhere
@given(seed=st.integers(0, 10_000), short=st.booleans())
def test_each_group_is_the_twins_and_all_sum_to_the_difference_of_wealth(build, seed, short):
    panel = random_market(build, seed)
    mine, theirs = books(panel, seed, short)
    twins = [plain_book(panel, weights_of(seed, short)), plain_book(panel, weights_of(seed + 1, 0))]
    allocation, total, whole_p, whole_b = plain_effects(*twins)
    table = brinson_table(brinson_daily(mine, theirs, GROUPS)[0]).set_index("group")
    for group in total:
        same_to_the_cent(table.loc[group, "total"], total[group])
        same_to_the_cent(table.loc[group, "allocation"], allocation[group])
    same_to_the_cent(table.loc["Total", "return"], whole_p)
    same_to_the_cent(table.loc["Total", "benchmark_return"], whole_b)
    same_to_the_cent(table["total"].drop(["Residual", "Total"]).sum(), whole_p - whole_b)
    same_to_the_cent(table.loc["Residual", "total"], 0.0)


@anywhere
@given(seed=st.integers(0, 10_000), short=st.booleans())
def test_a_backtest_with_every_cost_closes_on_its_last_capital(build, seed, short):
    panel = random_market(build, seed)
    result = backtest(
        panel,
        FixedWeights(weights_of(seed, short)),
        start=panel.dates[1],
        rebalance="D",
        benchmark="none",
        costs=Costs(cost_bps=20.0, spread=0.002, borrow=0.05),
        cash_rate=RATE,
    )
    mine = track_of_backtest(result)
    earned = float(result.series["nav"].iloc[-1]) - 1.0
    cash = in_cash(mine.dates)
    groups = brinson_table(brinson_daily(mine, cash, GROUPS)[0]).set_index("group")["total"]
    names = positions_table(mine, cash, GROUPS)[0].set_index("name")["contribution"]
    for rows in (groups, names):
        same_to_the_cent(rows["Total"], earned)
        same_to_the_cent(rows.drop(["Residual", "Total"]).sum(), earned)
        same_to_the_cent(rows["Residual"], 0.0)
        assert rows["Trading and costs"] < 0


@anywhere
@given(seed=st.integers(0, 10_000), short=st.booleans())
def test_what_comes_later_changes_no_earlier_attribution(build, seed, short):
    until = 6
    early = books(random_market(build, seed, until), seed, short)
    late = books(random_market(build, seed), seed, short, last=until - 1)
    tables = [brinson_table(brinson_daily(*pair, GROUPS)[0]) for pair in (early, late)]
    pd.testing.assert_frame_equal(*tables)


def test_the_first_day_of_the_twin_by_hand(build):
    panel = random_market(build, 7)
    (held, added, whole), *_ = plain_book(panel, weights_of(7, short=True))
    r = panel.returns.iloc[1]
    w = weights_of(7, short=True)
    assert held["B"] == w["B"] < 0
    assert added["B"] == pytest.approx(w["B"] * r["B"], abs=1e-16)
    cash = (1 - w.sum()) * (1.03 ** (1 / 252) - 1)
    assert whole == pytest.approx(float(w @ r) + cash, abs=1e-15)
