"""Volatility regime adjustment: scale all forecasts by how the latest ones turned out.

Every day the returns are set against the volatility that was forecast for them at the close before.
The mean of the squares over factors (cap-weighted over assets for specific risk) says whether that
day was wilder than forecast; its fading mean is the square of what the next forecast is multiplied
by (Menchero, Orr, Wang 2011, USE4, sections 4.4 and 5.4).
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from tilt.risk.covariance import Horizon

T = TypeVar("T", "pd.Series[float]", pd.DataFrame)
LOWEST, HIGHEST = 0.7, 1.6
LEAST_RETURNS = 63  # of a series before its forecasts count


@dataclass(frozen=True)
class Regime:
    """What volatilities are multiplied by.

    of         : whose: factors or single names
    multiplier : kept in its bounds
    found      : as it was before that
    """

    of: str
    multiplier: float
    found: float

    def scaled(self, variance: T) -> T:
        """Return variances, or a covariance, in this regime."""
        return variance * self.multiplier**2

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence if the bounds cut the multiplier."""
        if self.multiplier == self.found:
            return ()
        found = (
            f"The latest returns of {self.of} were {self.found:.2f} times as volatile as forecast"
        )
        bound = f"{'more' if self.found > self.multiplier else 'less'} than {self.multiplier:.1f}"
        return (f"{found}; forecasts are scaled by no {bound}.",)


def volatility_regime(
    of: str, returns: np.ndarray, weights: np.ndarray | None, memory: Horizon
) -> Regime:
    """Return the regime that a history of returns ends in.

    Parameters
    ----------
    of : factors or single names, for the note
    returns : dates × series, NaN where there is none
    weights : dates × series, known before the return, or None for equal ones
    """
    variances = day_ahead_variances(returns, half_life=memory.volatility_half_life)
    bias = cross_sectional_bias(returns, variances, weights)
    return Regime(of, *regime_multiplier(bias, half_life=memory.regime_half_life))


def day_ahead_variances(returns: np.ndarray, *, half_life: float) -> np.ndarray:
    """Return the variance of each return as forecast at the close before, dates × series.

    The fading mean of squares of the returns before it; NaN under 63 of them. Both sides of the
    comparison are one day long, so there are no lags in it.
    """
    seen = np.isfinite(returns)
    kept = 0.5 ** (1 / half_life)
    squares = _faded(np.where(seen, returns, 0.0) ** 2, kept)
    mass = _faded(seen.astype(float), kept)
    known = np.cumsum(seen, axis=0) >= LEAST_RETURNS
    variance = squares / np.where(known & (squares > 0), mass, np.nan)
    return np.vstack([np.full((1, returns.shape[1]), np.nan), variance[:-1]])


def cross_sectional_bias(
    returns: np.ndarray, variances: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return by date the mean of ``r² / σ²`` over the series; NaN where none has both.

    ``weights`` (dates × series) are not negative; without them, or where none is known on a date,
    every series counts the same.
    """
    ratio = returns**2 / variances
    seen = np.isfinite(ratio)
    weight = np.ones_like(ratio)
    if weights is not None:
        known = np.where(np.isfinite(weights) & seen, weights, 0.0)
        weight = np.where(known.sum(axis=1, keepdims=True) > 0, known, 1.0)
    weight = np.where(seen, weight, 0.0)
    total = weight.sum(axis=1)
    mean = (weight * np.where(seen, ratio, 0.0)).sum(axis=1)
    return np.asarray(mean / np.where(total > 0, total, np.nan))


def regime_multiplier(bias: np.ndarray, *, half_life: float) -> tuple[float, float]:
    """Return what volatilities are multiplied by, and what it was before it was kept in its bounds.

    The square is the fading mean of ``bias``; before the first it stood at one.
    """
    days = bias[np.isfinite(bias)]
    age = np.arange(len(days))[::-1]
    kept = 0.5 ** (1 / half_life)
    square = kept ** len(days) + (1 - kept) * float((kept**age) @ days)
    found = float(np.sqrt(square))
    return float(np.clip(found, LOWEST, HIGHEST)), found


def _faded(values: np.ndarray, kept: float) -> np.ndarray:
    faded = np.array(values, dtype=float)
    for day in range(1, len(faded)):
        faded[day] += kept * faded[day - 1]
    return faded
