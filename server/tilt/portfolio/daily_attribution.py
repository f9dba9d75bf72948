"""Active return explained day by day from start-of-day holdings: by group, and by position."""

import numpy as np
import pandas as pd

from tilt.portfolio.attribution import (
    COSTS,
    NOTHING,
    RESIDUAL,
    TOTAL,
    Brinson,
    add_rows,
    compound,
    linking,
    split_active,
)
from tilt.portfolio.track import CASH_GROUP, Track, by_group, on_common_days


def brinson_daily(
    portfolio: Track, benchmark: Track, groups: "pd.Series[str]"
) -> tuple[Brinson, tuple[str, ...]]:
    """Split each day's active return by group; weights drift, and are those at the day's start.

    Parameters
    ----------
    groups : by asset of either book

    Returns
    -------
    The effects, and notes: days that only one of them has, and groups that come or go midway

    Raises
    ------
    DataError
        If the two share no day.
    """
    mine, theirs, notes = on_common_days(portfolio, benchmark)
    wp, cp = by_group(mine, groups)
    wb, cb = by_group(theirs, groups)
    names = [*sorted({str(n) for n in (*wp, *wb)} - {CASH_GROUP}), CASH_GROUP]
    wp, cp, wb, cb = (t.reindex(columns=names, fill_value=0.0) for t in (wp, cp, wb, cb))
    if (wp[CASH_GROUP].abs() < NOTHING).all() and (wb[CASH_GROUP].abs() < NOTHING).all():
        # what rounding leaves in cash goes nowhere: the weights sum to one to 1e-12
        wp, cp, wb, cb = (t.drop(columns=CASH_GROUP) for t in (wp, cp, wb, cb))
    found = split_active(wp, wb, cp, cb, costs=mine.costs if mine.costs.any() else None)
    return found, (*notes, *_part_time(wp, "the portfolio"), *_part_time(wb, "the benchmark"))


def positions_table(
    portfolio: Track, benchmark: Track, groups: "pd.Series[str]", *, link: str = "carino"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return what each position contributed, linked over the days.

    Returns
    -------
    name, group, weight, benchmark_weight (means over the days), return (compounded, of the asset),
    contribution, benchmark_contribution (linked to each side's own return) and
    active_contribution, which is linked to the active return; largest of it first. Then rows for
    cash, for trading and costs, ``Residual`` and ``Total``.
    """
    mine, theirs, notes = on_common_days(portfolio, benchmark)
    assets = mine.weights.columns.union(theirs.weights.columns, sort=False)
    zero = pd.Series(0.0, index=mine.dates)
    own, base, active = (
        linking(p, b, link=link)
        for p, b in ((mine.earned, zero), (theirs.earned, zero), (mine.earned, theirs.earned))
    )
    both = [t.contributions.reindex(columns=assets, fill_value=0.0) for t in (mine, theirs)]
    weights = [t.weights.reindex(columns=assets, fill_value=0.0) for t in (mine, theirs)]
    returns = mine.returns.combine_first(theirs.returns)[assets]
    table = pd.DataFrame(
        {
            "group": groups.reindex(assets).fillna(""),
            "weight": weights[0].mean(),
            "benchmark_weight": weights[1].mean(),
            "return": (1.0 + returns).prod() - 1.0,
            "contribution": own @ both[0].to_numpy(),
            "benchmark_contribution": base @ both[1].to_numpy(),
            "active_contribution": active @ (both[0] - both[1]).to_numpy(),
        }
    ).rename_axis("name")
    order = table["active_contribution"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order]
    rows: dict[str, list[object]] = {}
    cash = [t.cash * t.cash_rate for t in (mine, theirs)]
    costs = [t.costs for t in (mine, theirs)]
    for name, held, parts in (
        (CASH_GROUP, [float(t.cash.mean()) for t in (mine, theirs)], cash),
        (COSTS, [np.nan, np.nan], costs),
    ):
        sums = [
            float(own @ parts[0]),
            float(base @ parts[1]),
            float(active @ (parts[0] - parts[1])),
        ]
        if name == COSTS and not any(sums):
            continue
        rows[name] = ["", *held, np.nan, *sums]
    table = add_rows(table, rows)
    rp, rb = compound(mine.earned), compound(theirs.earned)
    added = table[["contribution", "benchmark_contribution", "active_contribution"]].sum()
    left = np.array([rp, rb, rp - rb]) - added.to_numpy()
    last: dict[str, list[object]] = {
        RESIDUAL: ["", *[np.nan] * 3, *left],
        TOTAL: ["", 1.0, 1.0, rp, rp, rb, rp - rb],
    }
    return add_rows(table, last).reset_index(), notes


def _part_time(weights: pd.DataFrame, whose: str) -> list[str]:
    """Return a note for each group that is held on some of the days only."""
    notes = []
    for name in weights.columns.drop(CASH_GROUP, errors="ignore"):
        held = (weights[name].abs() > NOTHING).to_numpy()
        if held.any() and not held.all():
            notes.append(
                f"{name} is in {whose} on {int(held.sum())} of {len(held)} days; its return is "
                "of these days, and of the other side on the rest."
            )
    return notes
