"""From closes, dividends and splits to total returns and to prices on one basis of shares.

The convention of the data, verified against the vendor's own adjusted closes on every day that has
both a split and a dividend: on a split's effective day the dividend is per share after the split.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.frames import Prices, Returns

SPIN_OFF = 0.10  # a distribution of more than this part of the last close is a part of the company


@dataclass(frozen=True, eq=False)
class Market:
    """Prices as booked, dates × assets; NaN where an asset did not trade.

    close    : as traded
    volume   : shares
    dividend : cash per share of that day's shares, on the ex-date; 0 if none
    split    : new shares for one old share, on the effective day; 1 if none
    adjusted : closes adjusted for splits and dividends by the vendor; None where there are none
    """

    close: Prices
    volume: pd.DataFrame
    dividend: pd.DataFrame
    split: pd.DataFrame
    adjusted: Prices | None = None

    @property
    def dates(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.close.index)


def market_of(prices: pd.DataFrame) -> Market:
    """Return the long table ``prices`` of ``tilt.data.schema`` as dates × assets."""
    dates = pd.DatetimeIndex(np.unique(prices["date"]), name="date")
    row = dates.get_indexer(pd.DatetimeIndex(prices["date"]))
    codes, tickers = pd.factorize(prices["ticker"], sort=True)
    assets = pd.Index(tickers, name="ticker")

    def wide(column: str, *, absent: float, blank: float) -> pd.DataFrame:
        values = np.full((len(dates), len(assets)), absent)
        given = prices[column].to_numpy(dtype=float)
        values[row, codes] = np.where(np.isnan(given), blank, given)
        return pd.DataFrame(values, index=dates, columns=assets)

    has_adjusted = "adj_close" in prices.columns and bool(prices["adj_close"].notna().any())
    return Market(
        close=wide("close", absent=np.nan, blank=np.nan),
        volume=wide("volume", absent=np.nan, blank=np.nan),
        dividend=wide("dividend", absent=0.0, blank=0.0),
        split=wide("split", absent=1.0, blank=1.0),
        adjusted=wide("adj_close", absent=np.nan, blank=np.nan) if has_adjusted else None,
    )


def total_returns(close: Prices, dividend: pd.DataFrame, split: pd.DataFrame) -> Returns:
    """Return simple total returns over (t-1, t]: ``(close + dividend) split / last close - 1``.

    Parameters
    ----------
    close : dates × assets, as traded; NaN where there is no price
    dividend : same shape, cash per share after the day's split
    split : same shape, new shares for one old share

    Returns
    -------
    dates × assets; NaN on the first day, and where either day has no price
    """
    last = close.shift()
    return (close + dividend) * split / last - 1.0


def share_growth(split: pd.DataFrame) -> pd.DataFrame:
    """Return how many shares one share of the first date has become, dates × assets."""
    return split.cumprod()


def distribution_index(market: Market) -> pd.DataFrame:
    """Return the price in terms of one whole company: splits and spin-offs undone, dates × assets.

    A distribution above ``SPIN_OFF`` of the last close takes its part of book value and earnings
    with it, so figures known before it are compared with this index, not with the bare price.
    """
    worth = market.dividend * market.split
    kept = market.close * market.split
    spun = worth > SPIN_OFF * market.close.shift()
    growth = ((kept + worth) / kept).where(spun & (kept > 0), 1.0).cumprod()
    return market.close * share_growth(market.split) * growth


def values_at(
    frame: pd.DataFrame, dates: "pd.Series[pd.Timestamp]", assets: "pd.Series[str]"
) -> "pd.Series[float]":
    """Return the frame's value at each date and asset, by row of ``dates``."""
    row = frame.index.get_indexer(pd.DatetimeIndex(dates))
    column = frame.columns.get_indexer(pd.Index(assets))
    return pd.Series(frame.to_numpy()[row, column], index=dates.index, dtype=float)
