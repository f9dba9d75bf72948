"""How survivorship-biased a universe is, measured on its own lists and prices."""

import numpy as np
import pandas as pd

from tilt.data.symbols import priced_tickers
from tilt.frames import Prices


def survivorship(key_figures: pd.DataFrame, changes: pd.DataFrame, close: Prices) -> str:
    """Return one sentence with two counts: listed days without a price, and names that ended.

    Parameters
    ----------
    key_figures, changes : tables of ``tilt.data.schema``; a list is the membership until the next
    close : dates × assets, NaN where an asset has no price

    Returns
    -------
    the share of member-days, from the first list to the last session, on which the member has no
    price; and how many of the securities have their last price before the last session. Universes
    without bias have a small share and as many ended names as companies were taken over or failed
    """
    ended = int(close.iloc[-1].isna().sum())
    words = (
        f"{ended} of {close.shape[1]} securities have their last price before "
        f"{close.index[-1]:%Y-%m-%d}."
    )
    share = missing_share(key_figures, changes, close)
    if share is None:
        return f"Measured: no lists of members, so no count of the missing; {words}"
    return f"Measured: {share:.1%} of the member-days of its lists have no price; {words}"


def missing_share(key_figures: pd.DataFrame, changes: pd.DataFrame, close: Prices) -> float | None:
    """Return the part of the member-days without a price, None where there are no lists."""
    days = pd.DatetimeIndex(close.index)
    if key_figures.empty:
        return None
    listed = key_figures[["date", "symbol"]].copy()
    listed["ticker"] = priced_tickers(listed["symbol"], listed["date"], changes)
    priced = np.isfinite(close.to_numpy(dtype=float))
    published = pd.DatetimeIndex(np.unique(listed["date"]))
    start = days.searchsorted(published)
    end = np.append(start[1:], len(days))
    member_days = with_price = 0
    for day, first, beyond in zip(published, start, end, strict=True):
        mine = listed[listed["date"] == day]
        member_days += len(mine) * (beyond - first)
        column = close.columns.get_indexer(pd.Index(mine["ticker"].dropna().unique()))
        with_price += int(priced[first:beyond, column[column >= 0]].sum())
    return 1 - with_price / member_days if member_days else None
