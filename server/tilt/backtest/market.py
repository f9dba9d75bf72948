"""What the market did in the window of a backtest, as arrays: the simulators' only input."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tilt.backtest.costs import Array, Costs, liquidity
from tilt.errors import ArgumentError
from tilt.frames import Panel

NAMES = 256  # turned at once: what the processor's cache holds of them

Mask: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Market:
    """Returns and prices from the first fill to the end.

    dates, assets : labels; row 0 is the close of the first fill
    growth        : dates × assets, 1 + return; 1 where the return is missing
    missing       : dates × assets, True where a return is missing while the name goes on
    priced        : dates × assets, True where the name can be traded at the close
    ended         : by asset, the first row after its last price; the number of rows if it goes on
    slope         : dates × assets, of the impact law; None without impact
    close         : dates × assets, unadjusted price of a share; NaN where there is none
    """

    dates: pd.DatetimeIndex
    assets: "pd.Index[str]"
    growth: Array
    missing: Mask
    priced: Mask
    ended: Rows
    slope: Array | None
    close: Array

    @property
    def days(self) -> int:
        return len(self.dates)


def window(panel: Panel, first: int, last: int, costs: Costs) -> Market:
    """Return the market between two rows of a panel, both included."""
    rows = slice(first, last + 1)
    returns = panel.returns.iloc[rows].to_numpy(dtype=np.float64)
    close = panel.close.iloc[rows].to_numpy(dtype=np.float64)
    growth, priced, sound = _by_day(returns, close)
    unknown = np.zeros(returns.shape, dtype=bool)
    if not sound:
        unknown = ~np.isfinite(returns)
        impossible = (returns < -1.0) & ~unknown
        if impossible.any():
            row, column = np.argwhere(impossible)[0]
            raise ArgumentError(
                f"The return of {panel.assets[column]} on {panel.dates[first + row]:%Y-%m-%d} is "
                f"{returns[row, column]:.4g}, a loss above 100 %. Mend the data."
            )
        name, day = np.nonzero(unknown.T)
        growth[day, name] = 1.0
    ended = _ended(priced)
    for gone in np.flatnonzero(ended < len(priced)):
        unknown[ended[gone] :, gone] = False
    depth = liquidity(panel, costs)
    return Market(
        dates=panel.dates[rows],
        assets=panel.assets,
        growth=growth,
        missing=unknown,
        priced=priced,
        ended=ended,
        slope=None if depth is None else depth.slope[rows],
        close=close,
    )


def _by_day(returns: Array, close: Array) -> tuple[Array, Mask, bool]:
    """Return 1 + return, and where there is a price, with the names of a day side by side.

    A panel has the days of a name side by side, and a book is kept day by day. Last comes whether
    every return is a number and no loss above 100 %, which takes less than to look where.
    """
    growth, priced = np.empty(returns.shape), np.empty(close.shape, dtype=bool)
    sound = True
    for start in range(0, returns.shape[1], NAMES):
        part = slice(start, start + NAMES)
        some = returns[:, part]
        sound = sound and bool(some.min() >= -1.0 and some.max() < np.inf)
        np.add(some, 1.0, out=growth[:, part])
        np.isfinite(close[:, part], out=priced[:, part])
    return growth, priced, sound


def turned(values: Array) -> Array:
    """Return a copy with the numbers of a row side by side, whichever way they lay."""
    copied = np.empty(values.shape)
    for start in range(0, values.shape[1], NAMES):
        part = slice(start, start + NAMES)
        copied[:, part] = values[:, part]
    return copied


def _ended(priced: Mask) -> Rows:
    """Return by name the first row after its last price, 0 where it never has one.

    A name is sold when its prices stop for good; a hole in the middle is waited out.
    """
    days = len(priced)
    ended = np.full(priced.shape[1], days, dtype=np.int64)
    gone = np.flatnonzero(~priced[-1])
    past = priced[:, gone]
    ended[gone] = np.where(past.any(axis=0), days - np.argmax(past[::-1], axis=0), 0)
    return ended
