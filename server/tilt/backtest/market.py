"""What the market did in the window of a backtest, as arrays: the simulators' only input."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tilt.backtest.costs import Array, Costs, liquidity
from tilt.errors import ArgumentError
from tilt.frames import Panel

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
    priced = np.isfinite(close)
    known = np.isfinite(returns)
    if (returns[known] < -1.0).any():
        row, column = np.argwhere(known & (returns < -1.0))[0]
        raise ArgumentError(
            f"The return of {panel.assets[column]} on {panel.dates[first + row]:%Y-%m-%d} is "
            f"{returns[row, column]:.4g}, a loss above 100 %. Mend the data."
        )
    days = last - first + 1
    # A name is sold when its prices stop for good; a hole in the middle is waited out.
    ended = days - np.argmax(priced[::-1], axis=0)
    ended = np.where(priced.any(axis=0), ended, 0)
    depth = liquidity(panel, costs)
    return Market(
        dates=panel.dates[rows],
        assets=panel.assets,
        growth=np.where(known, 1.0 + returns, 1.0),
        missing=~known & (np.arange(days)[:, None] < ended[None, :]),
        priced=priced,
        ended=ended.astype(np.int64),
        slope=None if depth is None else depth.slope[rows],
        close=close,
    )
