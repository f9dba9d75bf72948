"""What a portfolio held at the start of each day, and what it earned over the day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import DataError

CASH_GROUP, NO_GROUP = "Cash", "No group"
ROUNDING = 1e-13  # of a day's return, below which a difference is no cost


@dataclass(frozen=True, eq=False)
class Track:
    """A book through time, day by day.

    weights : dates × assets, fractions of capital at the close before the date, after its trades;
        what is missing to one is cash
    returns : dates × assets, simple, of the day; zero where a return is missing
    earned  : by date, what the book earned after costs
    cash_rate : per day
    words   : what it is
    notes   : what its reader should know, one sentence each
    """

    weights: pd.DataFrame
    returns: pd.DataFrame
    earned: "pd.Series[float]"
    cash_rate: float = 0.0
    words: str = ""
    notes: tuple[str, ...] = ()

    @property
    def dates(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.weights.index)

    @property
    def contributions(self) -> pd.DataFrame:
        """What each asset added to the book's return, dates × assets."""
        return self.weights * self.returns

    @property
    def cash(self) -> "pd.Series[float]":
        return 1.0 - self.weights.sum(axis=1)

    @property
    def costs(self) -> "pd.Series[float]":
        """What was earned beyond the holdings of the day's start: trading and fees, below zero."""
        held = self.contributions.sum(axis=1) + self.cash * self.cash_rate
        beyond: pd.Series[float] = self.earned - held
        return beyond if float(beyond.abs().max()) > ROUNDING else 0.0 * beyond

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> "Track":
        """Return the days after ``first`` until ``last``.

        Raises
        ------
        DataError
            If there is none.
        """
        inside = (self.dates > first) & (self.dates <= last)
        if not inside.any():
            raise DataError(
                f"No day lies after {first:%Y-%m-%d} and until {last:%Y-%m-%d}. "
                "Choose an earlier start or a later end."
            )
        return Track(
            self.weights[inside],
            self.returns[inside],
            self.earned[inside],
            self.cash_rate,
            self.words,
            self.notes,
        )


def in_cash(dates: pd.DatetimeIndex) -> Track:
    """Return the track of who holds nothing and earns nothing."""
    nothing = pd.DataFrame(index=dates, dtype=float)
    return Track(nothing, nothing, pd.Series(0.0, index=dates), words="cash, which earns nothing")


def on_common_days(portfolio: Track, benchmark: Track) -> tuple[Track, Track, tuple[str, ...]]:
    """Return both over the days that they share, and a note if these are not all.

    Raises
    ------
    DataError
        If they share none, or one misses a day between two that they share.
    """
    mine, theirs = portfolio.dates, benchmark.dates
    common = mine.intersection(theirs)
    if not len(common):
        raise DataError("The portfolio and the benchmark share no day. Choose other dates.")
    for dates in (mine, theirs):
        between = dates[(dates > common[0]) & (dates < common[-1])].difference(common)
        if len(between):
            raise DataError(
                f"Only one of portfolio and benchmark has {between[0]:%Y-%m-%d}: their trading "
                "days differ. Choose a benchmark with the same ones."
            )
    notes: tuple[str, ...] = ()
    if len(common) < max(len(mine), len(theirs)):
        window = f"{common[0]:%Y-%m-%d} to {common[-1]:%Y-%m-%d}"
        notes = (f"Portfolio and benchmark share {window}, which is what is explained.",)
    first = common[0] - pd.Timedelta(days=1)
    return portfolio.between(first, common[-1]), benchmark.between(first, common[-1]), notes


def by_group(track: Track, groups: "pd.Series[str]") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return weights and contributions, dates × groups, with cash as a group.

    Parameters
    ----------
    groups : by asset; an asset without a group counts as ``NO_GROUP``
    """
    of = groups.reindex(track.weights.columns).fillna("").replace("", NO_GROUP)
    names = sorted(set(of))
    member = np.array([of.to_numpy() == name for name in names], dtype=float).reshape(
        len(names), len(of)
    )
    weights = pd.DataFrame(track.weights.to_numpy() @ member.T, track.dates, names)
    added = pd.DataFrame(track.contributions.to_numpy() @ member.T, track.dates, names)
    cash = track.cash
    if CASH_GROUP in names:
        weights[CASH_GROUP] += cash
        added[CASH_GROUP] += cash * track.cash_rate
    else:
        weights[CASH_GROUP] = cash
        added[CASH_GROUP] = cash * track.cash_rate
    return weights, added
