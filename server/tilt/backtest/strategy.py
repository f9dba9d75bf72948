"""Strategies that need no optimizer: what to hold, from what was known at a close."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from tilt.backtest.market import Mask
from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.frames import Panel, Weights, listed

LOOKBACK = 252
LEAST_DAYS = 63  # of returns for a volatility


class Strategy(Protocol):
    """What to hold, decided at a close."""

    @property
    def name(self) -> str:
        """What the strategy is, in a few words."""
        ...

    @property
    def identity(self) -> tuple[object, ...]:
        """Everything that decides its weights, beside the data."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know of how the strategy was given."""
        ...

    def earliest(self, panel: Panel) -> pd.Timestamp:
        """Return the first date at which it can decide."""
        ...

    def weights(self, view: Panel, current: Weights) -> Weights:
        """Return target weights, fractions of capital.

        Parameters
        ----------
        view : the panel until the close of the decision, ``view.as_of``, and nothing later
        current : weights held at that close, drifted
        """
        ...


@dataclass(frozen=True, eq=False)
class FixedWeights:
    """The same weights at every rebalance."""

    given: Weights
    label: str = "fixed weights"
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.label}, {len(self.given)} names"

    @property
    def identity(self) -> tuple[object, ...]:
        return ("fixed", self.given.sort_index())

    def earliest(self, panel: Panel) -> pd.Timestamp:
        held = self.given.index[self.given.to_numpy() != 0]
        return _first_where(panel.close[held].notna().all(axis=1), panel, "all the names held")

    def weights(self, view: Panel, current: Weights) -> Weights:
        return self.given


@dataclass(frozen=True, eq=False)
class DatedWeights:
    """Weights given by date; each holds until the next, and trades happen on these dates only.

    given : dates × tickers, fractions of capital, no gaps
    """

    given: pd.DataFrame
    label: str = "dated weights"
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        dates = f"{len(self.given)} date{'s' if len(self.given) > 1 else ''}"
        return f"{self.label}, {dates}, {self.given.shape[1]} names"

    @property
    def identity(self) -> tuple[object, ...]:
        return ("dated", self.given)

    def on_sessions(self, sessions: pd.DatetimeIndex) -> "DatedWeights":
        """Return the same with each date moved to the last session at or before it."""
        rows = sessions.searchsorted(pd.DatetimeIndex(self.given.index), side="right") - 1
        if (rows < 0).any():
            early = pd.DatetimeIndex(self.given.index)[rows < 0]
            raise UnknownNameError(
                f"Weights of {early[0]:%Y-%m-%d} are before the first date with data, "
                f"{sessions[0]:%Y-%m-%d}. Leave them out."
            )
        moved = self.given.set_axis(sessions[rows])
        twice = moved.index[moved.index.duplicated()]
        if len(twice):
            raise DataError(
                f"Weights of two dates fall on the trading day {twice[0]:%Y-%m-%d}. Keep one."
            )
        return replace(self, given=moved.sort_index())

    def earliest(self, panel: Panel) -> pd.Timestamp:
        return pd.Timestamp(self.given.index[0])

    def row(self, date: pd.Timestamp) -> int:
        """Return the row of the last weights given at or before a date."""
        row = int(self.given.index.searchsorted(date, side="right")) - 1
        if row < 0:
            raise UnknownNameError(
                f"The weights start on {self.given.index[0]:%Y-%m-%d}, after {date:%Y-%m-%d}. "
                "Choose a later start."
            )
        return row

    def weights(self, view: Panel, current: Weights) -> Weights:
        return self.given.iloc[self.row(view.as_of)]


@dataclass(frozen=True)
class EqualWeight:
    """Every member of the universe with the same weight."""

    name: str = "equal_weight"
    notes: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.name,)

    def earliest(self, panel: Panel) -> pd.Timestamp:
        return _first_where((panel.member & panel.close.notna()).any(axis=1), panel, "members")

    def weights(self, view: Panel, current: Weights) -> Weights:
        return equally(members(view))


@dataclass(frozen=True)
class CapWeight:
    """Every member with its share of the market cap.

    of : the universe whose members they are, where it is another one than the backtest's
    """

    of: Panel | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "cap_weight" if self.of is None else f"cap_weight of '{self.of.universe}'"

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.name,) if self.of is None else (self.name, self.of.snapshot)

    def earliest(self, panel: Panel) -> pd.Timestamp:
        return first_caps(self.of or panel)

    def weights(self, view: Panel, current: Weights) -> Weights:
        return view.cap_weights(view.as_of) if self.of is None else self.of.cap_weights(view.as_of)


@dataclass(frozen=True)
class InverseVol:
    """Every member in proportion to one over its volatility of the last ``lookback`` days."""

    lookback: int = LOOKBACK
    name: str = "inverse_vol"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.lookback < LEAST_DAYS:
            raise ArgumentError(f"lookback must be at least {LEAST_DAYS}; got {self.lookback}.")

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.name, self.lookback)

    def earliest(self, panel: Panel) -> pd.Timestamp:
        observed = panel.returns.notna().cumsum() >= LEAST_DAYS
        return _first_where((observed & panel.member).any(axis=1), panel, "enough returns")

    def weights(self, view: Panel, current: Weights) -> Weights:
        recent = view.returns[members(view)].tail(self.lookback)
        sd = recent.std()
        enough = (recent.notna().sum() >= LEAST_DAYS) & (sd > 0)
        if not enough.any():
            raise UnknownNameError(
                f"No name has {LEAST_DAYS} returns on {view.as_of:%Y-%m-%d}. Choose a later start."
            )
        inverse = 1.0 / sd[enough]
        return inverse / inverse.sum()


def members(view: Panel) -> "pd.Index[str]":
    """Return the members with a price at the last date of a view."""
    there = view.member.iloc[-1].to_numpy() & view.close.iloc[-1].notna().to_numpy()
    if not there.any():
        raise UnknownNameError(
            f"'{view.universe}' has no members on {view.as_of:%Y-%m-%d}. Choose a later start."
        )
    return view.assets[there]


def inside(names: "pd.Index[str]", others: "pd.Index[str]") -> Mask:
    """Return which names are among the others; a hash look-up, ten times as fast as ``isin``."""
    return np.asarray(others.get_indexer(names) >= 0)


def identified(benchmark: "Weights | str | Panel | None") -> object:
    """Return what an id takes of a benchmark: of a universe its name and snapshot."""
    if isinstance(benchmark, Panel):
        return (benchmark.universe, benchmark.snapshot)
    return benchmark


def first_caps(panel: Panel) -> pd.Timestamp:
    """Return the first date with the market cap of a member."""
    known = (panel.market_cap.notna() & panel.member).any(axis=1)
    return _first_where(known, panel, "market caps")


def check_held(weights: Weights, panel: Panel, name: str) -> None:
    """Raise ``UnknownNameError`` if a name is not in the universe's data."""
    outside = weights.index[~inside(weights.index, panel.assets)]
    if len(outside):
        raise UnknownNameError(
            f"{listed(outside)} of {name} is not in '{panel.universe}'. Leave it out."
        )


def equally(names: "pd.Index[str]") -> Weights:
    """Return the same weight for each name; they sum to one."""
    if not len(names):
        raise UnknownNameError("A bucket of the strategy is empty. Use fewer buckets.")
    return pd.Series(1.0 / len(names), index=names)


def _first_where(holds: "pd.Series[bool]", panel: Panel, what: str) -> pd.Timestamp:
    rows = np.flatnonzero(holds.to_numpy())
    if not len(rows):
        raise UnknownNameError(f"'{panel.universe}' has no date with {what}.")
    return panel.dates[int(rows[0])]
