"""Strategies that follow one factor: a bucket of it, its spread, its pure portfolio."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.backtest.strategy import equally, inside, members
from tilt.errors import UnknownNameError, one_of
from tilt.factors.regression import pure_portfolios
from tilt.frames import Exposures, Panel, Weights


@dataclass(frozen=True)
class OfFactor(ABC):
    """What the strategies of a factor share: they can decide once the factor has scores."""

    factor: str

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the strategy as a user types it."""

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.name,)

    def earliest(self, panel: Panel) -> pd.Timestamp:
        return panel.factors.dates[0]


@dataclass(frozen=True)
class Quantile(OfFactor):
    """The members in one bucket of a factor, equally weighted; the last bucket scores highest."""

    buckets: int
    bucket: int

    @property
    def name(self) -> str:
        return f"quantile:{self.factor}:{self.buckets}:{self.bucket}"

    def weights(self, view: Panel, current: Weights) -> Weights:
        bucket = buckets(view, self.factor, self.buckets)
        return equally(bucket.index[bucket.to_numpy() == self.bucket])


@dataclass(frozen=True)
class Spread(OfFactor):
    """Long the highest bucket of a factor and short the lowest, each equally weighted to one."""

    buckets: int

    @property
    def name(self) -> str:
        return f"spread:{self.factor}:{self.buckets}"

    def weights(self, view: Panel, current: Weights) -> Weights:
        bucket = buckets(view, self.factor, self.buckets)
        top = equally(bucket.index[bucket.to_numpy() == self.buckets])
        return top.sub(equally(bucket.index[bucket.to_numpy() == 1]), fill_value=0.0)


@dataclass(frozen=True)
class Pure(OfFactor):
    """The factor's pure portfolio: unit exposure to it, none to any other, long equal to short."""

    @property
    def name(self) -> str:
        return f"pure:{self.factor}"

    def weights(self, view: Panel, current: Weights) -> Weights:
        scores, style = _scores(view, self.factor)
        caps = view.market_cap.iloc[-1].reindex(scores.index)
        sector = view.securities["sector"].reindex(scores.index)
        used = ((caps > 0) & sector.notna() & (sector != "")).to_numpy()
        styles = scores[view.factors.style_names].loc[used].dropna(axis=1, how="all")
        return pure_portfolios(styles, caps[used], sector[used]).T[style]


def buckets(view: Panel, factor: str, count: int) -> "pd.Series[float]":
    """Return each member's bucket, ceil(Q rank / n) of 1 to Q; the highest scores are in Q."""
    table, style = _scores(view, factor)
    scores = table[style]
    if len(scores) < count:
        raise UnknownNameError(
            f"{len(scores)} names have a score of {style} on {view.as_of:%Y-%m-%d}, too few for "
            f"{count} buckets."
        )
    # A rank times Q over n is exact at a bucket's edge only up to rounding.
    bucket = np.ceil(scores.rank().to_numpy() * count / len(scores) - 1e-9)
    return pd.Series(bucket, index=scores.index)


def _scores(view: Panel, factor: str) -> tuple[Exposures, str]:
    """Return the members' exposures at the last date of a view, and the factor as it is spelt."""
    history = view.factors
    style = one_of("factor", factor, history.style_names)
    exposures = history.exposures(view.as_of)
    return exposures[inside(exposures.index, members(view))], style
