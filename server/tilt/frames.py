"""The labelled frames that flow through the engine, and the checks at its doors.

Time runs down, assets run across; a cross-section is a series indexed by asset. Returns are simple
total returns per period as decimals, weights are fractions of capital with cash left out.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, UnknownNameError

Returns: TypeAlias = pd.DataFrame
Prices: TypeAlias = pd.DataFrame
Exposures: TypeAlias = pd.DataFrame
if TYPE_CHECKING:
    Weights: TypeAlias = pd.Series[float]
else:
    Weights = pd.Series  # a series takes no subscript at run time, and Weights | None must work

HASHED = 40_000  # numbers at once: what the processor's cache holds of them
PERIODS_PER_YEAR: Mapping[str, int] = MappingProxyType({"D": 252, "W": 52, "M": 12, "Q": 4, "Y": 1})


def listed(names: "pd.Index[str] | list[str]", most: int = 5) -> str:
    """Return the first names as text, and how many more there are."""
    shown = ", ".join(str(n) for n in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def require_assets(values: Weights, assets: "pd.Index[str]", name: str) -> Weights:
    """Return ``values`` in the order of ``assets``.

    Raises
    ------
    DataError
        If an asset has no value, or a value is missing.
    """
    aligned = values.reindex(assets)
    missing = assets[aligned.isna().to_numpy()]
    if len(missing):
        raise DataError(
            f"{name} has no value for {len(missing)} of {len(assets)} assets ({listed(missing)}). "
            f"Add them to {name} or drop them from the universe."
        )
    return aligned


def spread(weights: Weights, assets: "pd.Index[str]", name: str) -> Weights:
    """Return ``weights`` over all ``assets``, zero where a name is not held.

    Raises
    ------
    UnknownNameError
        If a held name is not among the assets.
    DataError
        If a weight is missing.
    ArgumentError
        If a name is there twice.
    """
    values = weights.to_numpy(dtype=float)
    place = assets.get_indexer(weights.index)
    inside = place >= 0
    outside = weights.index[~inside & (values != 0)]
    if len(outside):
        raise UnknownNameError(
            f"{listed(outside)} in {name} has no risk data at this date. "
            f"Remove it from {name} or choose another date."
        )
    missing = weights.index[np.isnan(values)]
    if len(missing):
        raise DataError(f"{listed(missing)} in {name} has no weight. Give one or leave it out.")
    if weights.index.has_duplicates:
        twice = weights.index[weights.index.duplicated()][0]
        raise ArgumentError(f"{twice} is in {name} twice. Sum its weights first.")
    aligned = np.zeros(len(assets))
    aligned[place[inside]] = values[inside]
    return pd.Series(aligned, index=assets)


def check_returns(returns: Returns, *, least: int = 1) -> None:
    """Raise ``DataError`` if a return is missing or there are fewer than ``least`` dates."""
    if len(returns) < least:
        raise DataError(f"{len(returns)} dates of returns; at least {least} are needed.")
    bad = ~np.isfinite(returns.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"The return of {returns.columns[column]} on {returns.index[row]:%Y-%m-%d} is missing. "
            "Fill it or drop the asset."
        )


def content_id(*parts: object) -> str:
    """Return twelve hexadecimal digits that depend on the content of ``parts`` alone.

    Frames and series count by labels and values, mappings by sorted keys. Anything else counts by
    its JSON text.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_content(part))
        digest.update(b"\x1e")
    return digest.hexdigest()[:12]


def row_hashes(table: pd.DataFrame) -> np.ndarray:
    """Return what ``pd.util.hash_pandas_object`` gives of each row and its label.

    A table of floating-point numbers is hashed a few columns at a time, within the processor's
    cache: pandas takes a twentieth of a second for 500 names and more than a backtest for 3000.
    """
    if not len(table.columns) or not (table.dtypes == np.float64).all():
        return pd.util.hash_pandas_object(table, index=True).to_numpy()
    labels = pd.util.hash_pandas_object(table.index, index=False).to_numpy()
    days, columns = table.shape
    values = table.to_numpy().T
    some = min(1 + HASHED // (1 + days), columns)
    room = np.empty((some, days))
    steps = np.append(1000003, 82520 + 2 * np.arange(columns + 1, 1, -1))
    factors = steps.cumsum().astype(np.uint64)
    total = np.full(days, 0x345678, dtype=np.uint64)
    for start in range(0, columns, some):
        mixed = _mixed(values[start : start + some], room)
        for hashed, factor in zip(mixed, factors[start:], strict=False):
            total ^= hashed
            total *= factor
    total ^= labels
    total *= factors[-1]
    return total + np.uint64(97531)


def _mixed(columns: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return a hash of each number, columns × rows; in ``room``, which is written over."""
    values = np.add(columns, 0.0, out=room[: len(columns)])  # -0 is 0
    if np.isnan(values.min(initial=np.inf)):  # cheaper than to look at each
        values[np.isnan(values)] = np.nan  # of all its bit patterns, one
    bits = values.view(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return np.asarray(bits)


def _content(part: object) -> bytes:
    if isinstance(part, pd.DataFrame | pd.Series):
        table = part.to_frame() if isinstance(part, pd.Series) else part
        hashed = row_hashes(table).tobytes()
        return json.dumps([str(c) for c in table.columns.tolist()]).encode() + hashed
    if isinstance(part, np.ndarray):
        return f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes()
    if isinstance(part, Mapping):
        return (
            b"{"
            + b",".join(str(k).encode() + b":" + _content(part[k]) for k in sorted(part, key=str))
            + b"}"
        )
    if isinstance(part, list | tuple):
        return b"[" + b",".join(_content(p) for p in part) + b"]"
    return json.dumps(part, default=str, sort_keys=True).encode()


def fully_scored(styles: np.ndarray) -> np.ndarray:
    """Return where an asset has a score for every style that any asset has one for on its date.

    ``styles`` is ... × assets × styles; the result ... × assets.
    """
    known = np.isfinite(styles)
    some = known.any(axis=-2, keepdims=True)
    return np.asarray((known | ~some).all(axis=-1) & known.any(axis=-1))


@dataclass(frozen=True, eq=False)
class FactorHistory:
    """Exposures through time and the daily cross-sectional regressions on them.

    factors          : by factor: group (market, sector, style), description,
                       descriptors, sign, source
    dates, assets    : labels of the exposures' first two axes
    styles           : dates × assets × styles, cross-sectional z-scores known at the close; NaN
                       where an asset has no price or market cap
    imputed          : same shape, True where a score was fitted from sector and size
    sector           : by asset
    returns          : dates × factors, return over (t-1, t] on exposures of t-1; NaN
                       before the first
    t_stats, r2      : of the same regressions
    specific_returns : dates × assets, what the factors leave of the return; NaN where an asset had
                       no scores the day before or no return
    market_cap       : dates × assets, of the same closes as the exposures; no columns if not kept
    issuer           : by asset, the same text for all shares of a company, "" where not known;
                       empty if not kept
    """

    factors: pd.DataFrame
    dates: pd.DatetimeIndex
    assets: "pd.Index[str]"
    styles: np.ndarray
    imputed: np.ndarray
    sector: "pd.Series[str]"
    returns: pd.DataFrame
    t_stats: pd.DataFrame
    r2: "pd.Series[float]"
    specific_returns: pd.DataFrame
    market_cap: pd.DataFrame = field(default_factory=pd.DataFrame)
    issuer: "pd.Series[str]" = field(default_factory=lambda: pd.Series(dtype="str"))

    @property
    def style_names(self) -> list[str]:
        return list(self.factors.index[self.factors["group"] == "style"])

    def exposures(self, date: pd.Timestamp) -> Exposures:
        """Return assets × factors on ``date``, only assets with a score for every style.

        The market column is 1, a sector column is 1 for its members, a style column is a z-score;
        the column of a style that is not known of any asset on the date is NaN.
        """
        row = self.dates.get_indexer(pd.DatetimeIndex([date]))[0]
        if row < 0:
            raise UnknownNameError(
                f"No exposures on {date:%Y-%m-%d}. They run from {self.dates[0]:%Y-%m-%d} "
                f"to {self.dates[-1]:%Y-%m-%d}."
            )
        scores = self.styles[row]
        present = fully_scored(scores)
        assets = self.assets[present]
        sector = self.sector.reindex(assets).to_numpy()
        groups = self.factors["group"].to_numpy()
        sectors = self.factors.index[groups == "sector"].to_numpy()
        values = np.hstack(
            [
                np.ones((len(assets), int((groups == "market").sum()))),
                (sector[:, None] == sectors[None, :]).astype(float),
                scores[present],
            ]
        )
        return pd.DataFrame(values, index=assets, columns=self.factors.index)

    def until(self, date: pd.Timestamp) -> "FactorHistory":
        """Return what was known at the close of ``date``."""
        last = int(self.dates.searchsorted(date, side="right"))
        return replace(
            self,
            dates=self.dates[:last],
            styles=self.styles[:last],
            imputed=self.imputed[:last],
            returns=self.returns.iloc[:last],
            t_stats=self.t_stats.iloc[:last],
            r2=self.r2.iloc[:last],
            specific_returns=self.specific_returns.iloc[:last],
            market_cap=self.market_cap.iloc[:last],
        )


def no_symbol_changes() -> pd.DataFrame:
    """Return the table of symbol changes without a row."""
    columns = {"symbol": "str", "ticker": "str", "until": "datetime64[us]", "note": "str"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


@dataclass(frozen=True, eq=False)
class _Until(Mapping[str, pd.DataFrame]):
    """The first rows of frames by name, each cut when it is asked for: most never are."""

    whole: Mapping[str, pd.DataFrame]
    last: int

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.whole[name].iloc[: self.last]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    def __contains__(self, name: object) -> bool:
        return name in self.whole


@dataclass(frozen=True, eq=False)
class Panel:
    """One universe, aligned: what every computation reads, and the only view a strategy gets.

    universe, snapshot : the universe's name and the id of the data version
    securities         : by ticker: name, sector, industry, and what else the source gave of issuer,
                         country, currency, share_class, exchange, isin, cusip, sedol, figi, listed,
                         delisted
    close              : dates × assets, unadjusted price
    returns            : dates × assets, simple total return over (t-1, t]; NaN where not known
    volume             : dates × assets, shares
    market_cap         : dates × assets, in the currency of the prices, known at the close; NaN
                         before the first figure
    member             : dates × assets, True where the asset was in the universe
    fundamentals       : by field, dates × assets, the latest value known at the close
    index_level        : by date, the published index beside the universe; empty where there is none
    factor_history     : exposures and factor returns, or None before they are computed
    survivorship       : one sentence on how biased the universe is, shown with every backtest
    symbol_changes     : symbol, ticker, until, note: which ticker a symbol meant to its last day
    index_weight       : dates × assets, what the members' weights are in proportion to; None where
                         that is their market cap
    """

    universe: str
    snapshot: str
    securities: pd.DataFrame
    close: Prices
    returns: Returns
    volume: pd.DataFrame
    market_cap: pd.DataFrame
    member: pd.DataFrame
    fundamentals: Mapping[str, pd.DataFrame]
    index_level: "pd.Series[float]"
    factor_history: FactorHistory | None
    survivorship: str
    symbol_changes: pd.DataFrame = field(default_factory=no_symbol_changes)
    index_weight: pd.DataFrame | None = None

    @property
    def dates(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.close.index)

    @property
    def assets(self) -> "pd.Index[str]":
        return self.close.columns

    @property
    def as_of(self) -> pd.Timestamp:
        """The last date with data."""
        return self.dates[-1]

    @property
    def factors(self) -> FactorHistory:
        """The factor history of a universe that has one."""
        if self.factor_history is None:
            raise ArgumentError(
                f"Universe '{self.universe}' has no factor model. "
                "The finding 'no_factor_model' of its last refresh says why."
            )
        return self.factor_history

    @property
    def weighted_by(self) -> pd.DataFrame:
        """What the members' weights are in proportion to, dates × assets."""
        return self.market_cap if self.index_weight is None else self.index_weight

    def trading_day(self, date: pd.Timestamp) -> pd.Timestamp:
        """Return the last trading day at or before ``date``."""
        row = int(self.dates.searchsorted(date, side="right")) - 1
        if row < 0:
            raise UnknownNameError(
                f"No data on {date:%Y-%m-%d}: '{self.universe}' starts on {self.dates[0]:%Y-%m-%d}."
            )
        return self.dates[row]

    def cap_weights(self, date: pd.Timestamp) -> Weights:
        """Return the members' weights at the close of ``date``; they sum to one.

        They are by market cap, or by what the universe's rule makes of it: float, a cap, or equal.
        """
        row = int(self.dates.get_indexer(pd.DatetimeIndex([date]))[0])
        if row < 0:
            raise UnknownNameError(f"{date:%Y-%m-%d} is not a trading day of '{self.universe}'.")
        cap: Weights = self.weighted_by.iloc[row].where(self.member.iloc[row]).dropna()
        if cap.empty and self.market_cap.iloc[row].notna().any():
            raise UnknownNameError(
                f"'{self.universe}' has no member on {date:%Y-%m-%d}. "
                "Choose another date or a wider rule."
            )
        if cap.empty:
            known = self.market_cap.index[self.market_cap.notna().any(axis=1)]
            raise UnknownNameError(
                f"'{self.universe}' has no market caps on {date:%Y-%m-%d}. "
                f"They start on {known[0]:%Y-%m-%d}."
                if len(known)
                else f"'{self.universe}' has no market caps at all; cap weights need them."
            )
        return cap / cap.sum()

    def until(self, date: pd.Timestamp) -> "Panel":
        """Return what was known at the close of ``date``, and nothing later."""
        last = int(self.dates.searchsorted(date, side="right"))
        return replace(
            self,
            close=self.close.iloc[:last],
            returns=self.returns.iloc[:last],
            volume=self.volume.iloc[:last],
            market_cap=self.market_cap.iloc[:last],
            member=self.member.iloc[:last],
            index_weight=None if self.index_weight is None else self.index_weight.iloc[:last],
            fundamentals=_Until(self.fundamentals, last),
            index_level=self.index_level.loc[:date],
            factor_history=None if self.factor_history is None else self.factor_history.until(date),
        )
