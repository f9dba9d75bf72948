"""Several books through time side by side: what they earned, risked, traded and paid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.frames import PERIODS_PER_YEAR
from tilt.portfolio.measures import MEASURES, RELATIVE
from tilt.portfolio.performance import ONE_YEAR, statistics, to_frequency, wealth
from tilt.portfolio.track import ROUNDING, Track

VIEWS = ("performance", "yearly", "correlation", "growth")
BENCHMARK = "benchmark"
DAILY = "D"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A book to be put beside others.

    name     : the head of its column
    track    : day by day, after costs
    costs    : by the same dates, paid, as fractions of capital; positive
    turnover : by the same dates, one way, as a fraction of capital
    """

    name: str
    track: Track
    costs: "pd.Series[float]"
    turnover: "pd.Series[float]"

    def on(self, dates: pd.DatetimeIndex) -> "Candidate":
        """Return the candidate over some of its days."""
        return replace(
            self,
            track=self.track.between(dates[0] - pd.Timedelta(days=1), dates[-1]),
            costs=self.costs.loc[dates],
            turnover=self.turnover.loc[dates],
        )


def candidate(name: str, track: Track) -> Candidate:
    """Return a book whose costs and turnover are what its track tells."""
    return Candidate(name, track, -track.costs, turnover_of(track))


def turnover_of(track: Track) -> "pd.Series[float]":
    """Return the one-way turnover at the close before each day, from the drifted weights.

    ``½ Σ|w − drifted|``, cash included; zero on the first day, whose weights were there.
    """
    w = track.weights.to_numpy(dtype=np.float64)
    grown = w * (1.0 + track.returns.to_numpy(dtype=np.float64))
    cash = track.cash.to_numpy(dtype=np.float64)
    kept = cash * (1.0 + track.cash_rate)
    whole = grown.sum(axis=1) + kept
    drifted, left = grown / whole[:, None], kept / whole
    traded = np.zeros(len(w))
    traded[1:] = np.abs(w[1:] - drifted[:-1]).sum(axis=1) + np.abs(cash[1:] - left[:-1])
    return pd.Series(np.where(traded > ROUNDING, traded / 2.0, 0.0), index=track.dates)


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Books over the days that all of them share.

    benchmark : None for absolute figures
    notes     : one sentence each
    """

    candidates: tuple[Candidate, ...]
    benchmark: Track | None
    risk_free: float
    notes: tuple[str, ...]

    @property
    def dates(self) -> pd.DatetimeIndex:
        return self.candidates[0].track.dates

    @cached_property
    def performance(self) -> pd.DataFrame:
        """A row for each measure of ``STATS``, then costs, turnover, names and cash.

        Columns are name, and one for each book. Against a benchmark also a row ``active_return``,
        the difference of compounded returns, and a last column ``benchmark``.
        """
        columns = {c.name: self._figures(c) for c in self.candidates}
        if self.benchmark is not None:
            alone = statistics(self.benchmark.earned, risk_free=self.risk_free)
            columns[BENCHMARK] = alone.set_index("measure")["portfolio"].drop(list(RELATIVE))
        rows = list(columns[self.candidates[0].name].index)
        return pd.DataFrame(columns).reindex(rows).rename_axis("name").reset_index()

    def _figures(self, book: Candidate) -> "pd.Series[float]":
        base = None if self.benchmark is None else self.benchmark.earned
        found = statistics(book.track.earned, base, risk_free=self.risk_free)
        stats = found.set_index("measure")["portfolio"]
        days = len(self.dates)
        yearly = PERIODS_PER_YEAR[DAILY] / days if days >= ONE_YEAR[DAILY] else np.nan
        rows = {name: float(stats[name]) for name in MEASURES}
        if base is None:
            rows = {name: value for name, value in rows.items() if name not in RELATIVE}
        else:
            rows["active_return"] = rows["total_return"] - float(np.prod(1.0 + base) - 1.0)
        held = book.track.weights.to_numpy() != 0.0
        rows |= {
            "cost_total": float(book.costs.sum()),
            "cost_per_year": float(book.costs.sum()) * yearly,
            "turnover_per_year": float(book.turnover.sum()) * yearly,
            "names": float(held.sum(axis=1).mean()),
            "cash": float(book.track.cash.mean()),
        }
        return pd.Series(rows)

    @cached_property
    def yearly(self) -> pd.DataFrame:
        """Columns year, the compounded return of each book in it, and the benchmark's.

        The first and the last may be of a broken year.
        """
        table = pd.DataFrame({n: to_frequency(r, "Y") for n, r in self._returns.items()})
        table.insert(0, "year", pd.DatetimeIndex(table.index).year)
        return table.reset_index(drop=True)

    @cached_property
    def correlation(self) -> pd.DataFrame:
        """Correlations of active returns, or without a benchmark of returns; name, and the books.

        Missing for a book whose active returns do not vary.
        """
        active = pd.DataFrame({c.name: c.track.earned for c in self.candidates})
        if self.benchmark is not None:
            active = active.sub(self.benchmark.earned, axis=0)
        return active.corr().rename_axis("name").reset_index()

    @cached_property
    def growth(self) -> pd.DataFrame:
        """Columns date, wealth of each book that begins with 1, and the benchmark's."""
        table = pd.DataFrame({name: wealth(r) for name, r in self._returns.items()})
        return table.rename_axis("date").reset_index()

    @property
    def _returns(self) -> "dict[str, pd.Series[float]]":
        found = {c.name: c.track.earned for c in self.candidates}
        return found if self.benchmark is None else found | {BENCHMARK: self.benchmark.earned}

    def view(self, name: str) -> pd.DataFrame:
        """Return one of ``VIEWS``."""
        tables = {
            "performance": lambda: self.performance,
            "yearly": lambda: self.yearly,
            "correlation": lambda: self.correlation,
            "growth": lambda: self.growth,
        }
        return tables[name]()


def side_by_side(
    candidates: Sequence[Candidate], benchmark: Track | None, *, risk_free: float = 0.0
) -> SideBySide:
    """Put books side by side over the days that they and the benchmark share.

    Parameters
    ----------
    benchmark : None for absolute figures
    risk_free : a year, as a decimal

    Raises
    ------
    ArgumentError
        If a name comes twice, or is that of the benchmark's column.
    DataError
        If there is no common day, or one of them misses a day between two of the common ones.
    """
    names = [c.name for c in candidates]
    twice = [n for n in names if names.count(n) > 1 or n == BENCHMARK]
    if twice:
        raise ArgumentError(f"'{twice[0]}' is there twice. Give each portfolio once.")
    tracks = {c.name: c.track for c in candidates}
    if benchmark is not None:
        tracks[BENCHMARK] = benchmark
    dates, notes = _common_dates(tracks)
    first = dates[0] - pd.Timedelta(days=1)
    return SideBySide(
        tuple(c.on(dates) for c in candidates),
        None if benchmark is None else benchmark.between(first, dates[-1]),
        risk_free,
        notes,
    )


def _common_dates(tracks: "dict[str, Track]") -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    common = next(iter(tracks.values())).dates
    for name, track in tracks.items():
        shared = common.intersection(track.dates)
        if not len(shared):
            raise DataError(
                f"'{name}' has the days from {track.dates[0]:%Y-%m-%d} to "
                f"{track.dates[-1]:%Y-%m-%d}, and the others none of them. Choose other dates."
            )
        common = shared
    for name, track in tracks.items():
        inside = track.dates[(track.dates >= common[0]) & (track.dates <= common[-1])]
        if len(inside) > len(common):
            day = inside.difference(common)[0]
            raise DataError(
                f"'{name}' has {day:%Y-%m-%d} and another has not: their trading days differ. "
                "Compare books of one calendar."
            )
    longest = max(len(t.dates) for t in tracks.values())
    if len(common) == longest:
        return common, ()
    window = f"{common[0]:%Y-%m-%d} to {common[-1]:%Y-%m-%d}"
    return common, (f"The common window is used: {window}, {len(common)} of up to {longest} days.",)
