"""What the market did in the window of a backtest, as arrays: the simulators' only input."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tilt.backtest.costs import Array, Liquidity
from tilt.errors import ArgumentError
from tilt.frames import Panel

NAMES = DAYS = 256  # turned at once: what the processor's cache holds of them

Some = TypeVar("Some", np.bool_, np.float64)
Mask: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Market:
    """Returns and prices from the first fill to the end.

    dates, assets : labels; row 0 is the close of the first fill
    returns       : dates × assets, as the panel has them; what is no number counts as zero
    complete      : whether every return is a number
    missing       : dates × assets, True where a return is missing while the name goes on
    priced        : dates × assets, True where the name can be traded at the close
    whole         : by date, whether every name can be traded
    ended         : by asset, the first row after its last price; the number of rows if it goes on
    slope         : dates × assets, of the impact law; None without impact
    close         : dates × assets, unadjusted price of a share; NaN where there is none
    turned        : ``growth`` where it is worked out already, for many books
    """

    dates: pd.DatetimeIndex
    assets: "pd.Index[str]"
    returns: Array
    complete: bool
    missing: Mask
    priced: Mask
    whole: Mask
    ended: Rows
    slope: Array | None
    close: Array
    turned: Array | None = None

    @property
    def days(self) -> int:
        return len(self.dates)

    @cached_property
    def growth(self) -> Array:
        """1 + return, dates × assets, 1 where the return is missing; a day's names side by side."""
        if self.turned is not None:
            return self.turned
        growth = np.empty(self.returns.shape)
        for start in range(0, self.days, DAYS):
            _write_growth(self, start, growth[start : start + DAYS])
        return growth

    def for_many_books(self) -> "Market":
        """Return the same with the growth worked out once, rather than for each book."""
        return replace(self, turned=self.growth)

    def growth_of(self, days: "int | slice", names: "Rows | Mask") -> Array:
        """Return ``growth`` of a day or some days, for some names."""
        growth: Array = 1.0 + self.returns[days][..., names]
        if not self.complete:
            growth[~np.isfinite(growth)] = 1.0
        return growth


class ByDay:
    """The growth of one day after the other, of all names.

    A panel has the days of a name side by side, and a book is kept day by day. Some days at a time
    are turned, always in the same memory: it stays in the processor's cache.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._first = self._stop = 0
        if market.turned is None:
            self._room = np.empty((min(DAYS, market.days), len(market.assets)))
        else:
            self._room, self._stop = market.turned, market.days

    def __getitem__(self, row: int) -> Array:
        """Return the growth of a day; it may be written over when another day is asked for."""
        if not self._first <= row < self._stop:
            self._turn(row)
        day: Array = self._room[row - self._first]
        return day

    def days(self, first: int, stop: int) -> Iterator[Array]:
        """Yield the growth of each day from a row to before another."""
        while first < stop:
            if not self._first <= first < self._stop:
                self._turn(first)
            until = min(stop, self._stop)
            yield from self._room[first - self._first : until - self._first]
            first = until

    def _turn(self, row: int) -> None:
        self._first, self._stop = row, min(row + DAYS, self._market.days)
        _write_growth(self._market, row, self._room[: self._stop - row])


def _write_growth(market: Market, first: int, room: Array) -> None:
    """Write the growth of the days from a row on into a room of as many rows."""
    turn(market.returns[first : first + len(room)], room)
    room += 1.0
    if not market.complete:
        room[~np.isfinite(room)] = 1.0


def window(panel: Panel, first: int, last: int, liquid: Liquidity | None = None) -> Market:
    """Return the market between two rows of a panel, both included.

    ``liquid`` is the panel's, where trades have an impact.
    """
    rows = slice(first, last + 1)
    returns = panel.returns.iloc[rows].to_numpy(dtype=np.float64)
    close = panel.close.iloc[rows].to_numpy(dtype=np.float64)
    complete = _all_numbers(returns, least=-1.0)
    priced, whole = np.broadcast_to(np.True_, close.shape), np.ones(len(close), dtype=bool)
    unknown = np.broadcast_to(np.False_, returns.shape)
    if not complete:
        unknown = ~np.isfinite(returns)
        impossible = (returns < -1.0) & ~unknown
        if impossible.any():
            row, column = np.argwhere(impossible)[0]
            raise ArgumentError(
                f"The return of {panel.assets[column]} on {panel.dates[first + row]:%Y-%m-%d} is "
                f"{returns[row, column]:.4g}, a loss above 100 %. Mend the data."
            )
    if not _all_numbers(close):
        priced = np.empty(close.shape, dtype=bool)
        turn(np.isfinite(close), priced)
        whole = np.asarray(priced.all(axis=1))
    ended = _ended(priced)
    for gone in np.flatnonzero(ended < len(priced)) if not complete else ():
        unknown[ended[gone] :, gone] = False
    return Market(
        dates=panel.dates[rows],
        assets=panel.assets,
        returns=returns,
        complete=complete,
        missing=unknown,
        priced=priced,
        whole=whole,
        ended=ended,
        slope=None if liquid is None else liquid.slope[rows],
        close=close,
    )


def _all_numbers(values: Array, least: float = -np.inf) -> bool:
    """Return whether every value is a number, and none is below the least.

    Sums say so in a fraction of the time that a look at each takes.
    """
    each = np.ones(len(values))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, values.shape[1], NAMES):
            some = values[:, start : start + NAMES]
            if not np.isfinite(each @ some).all() or (least > -np.inf and some.min() < least):
                return False
    return True


def turn(values: NDArray[Some], room: NDArray[Some]) -> None:
    """Copy values into a room in which those of a row are side by side, whichever way they lay."""
    for first in range(0, len(values), DAYS):
        days = slice(first, first + DAYS)
        for start in range(0, values.shape[1], NAMES):
            part = slice(start, start + NAMES)
            room[days, part] = values[days, part]


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
