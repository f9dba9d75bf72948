"""Covariances of returns that fade with age and allow for serial correlation.

Weights halve every ``half_life`` days, the mean is taken as zero, and Newey-West adds the lagged
products: ``C = G0 + Σ_{l<=L} (1 - l/(L+1)) (G_l + G_l')`` (Newey, West 1987; Menchero, Orr, Wang
2011, USE4, section 4). Everything is per day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.frames import Returns

EIGENVALUE_FLOOR = 1e-8  # of the largest
SERIAL_FLOOR = 0.25  # of the variance without lags; beneath it the correction is noise


@dataclass(frozen=True)
class Horizon:
    """Half-lives in trading days and Newey-West lags of a forecast horizon.

    regime_half_life : of how the latest forecasts turned out
    """

    volatility_half_life: float
    volatility_lags: int
    correlation_half_life: float
    correlation_lags: int
    regime_half_life: float


HORIZONS: Mapping[str, Horizon] = MappingProxyType(
    {"short": Horizon(84, 5, 504, 2, 42), "long": Horizon(252, 5, 504, 2, 168)}
)


@dataclass(frozen=True, eq=False)
class FactorCovariance:
    """A factor covariance per day, and how many eigenvalues had to be raised to keep it one."""

    cov: pd.DataFrame
    raised: int


def ewma_weights(days: int, half_life: float) -> np.ndarray:
    """Return weights that sum to one, oldest first."""
    weight = 0.5 ** (np.arange(days)[::-1] / half_life)
    return np.asarray(weight / weight.sum())


def newey_west(returns: Returns, *, half_life: float, lags: int) -> pd.DataFrame:
    """Estimate a covariance matrix with fading weights and serial correlation.

    Parameters
    ----------
    returns : dates × factors; a missing return leaves its day out of that factor's pairs
    half_life : trading days
    lags : how many days of serial correlation to allow for

    Returns
    -------
    factors × factors, per day; not yet repaired to be positive semi-definite

    Raises
    ------
    DataError
        If two factors share no date.
    """
    r = returns.to_numpy(dtype=float)
    seen = np.isfinite(r)
    r = np.where(seen, r, 0.0)
    weight = ewma_weights(len(r), half_life)[:, None]
    shared = seen.T @ (weight * seen)
    if (shared <= 0).any():
        a, b = np.argwhere(shared <= 0)[0]
        raise DataError(
            f"{returns.columns[a]} and {returns.columns[b]} have no date with both returns."
        )
    total = r.T @ (weight * r)
    for lag in range(1, min(lags, len(r) - 1) + 1):
        lagged = r[lag:].T @ (weight[lag:] * r[:-lag])
        total += (1 - lag / (lags + 1)) * (lagged + lagged.T)
    return pd.DataFrame(total / shared, index=returns.columns, columns=returns.columns)


def newey_west_variances(returns: np.ndarray, *, half_life: float, lags: int) -> np.ndarray:
    """Return the diagonal of `newey_west` for many series at once, never below a quarter of G0.

    ``returns`` is dates × series; a series without a return is NaN.
    """
    seen = np.isfinite(returns)
    r = np.where(seen, returns, 0.0)
    weight = ewma_weights(len(r), half_life)
    faded = r * weight[:, None]
    plain = np.einsum("tn,tn->n", faded, r)
    total = plain.copy()
    for lag in range(1, min(lags, len(r) - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * np.einsum("tn,tn->n", faded[lag:], r[:-lag])
    mass = weight @ seen
    return np.asarray(np.maximum(total, SERIAL_FLOOR * plain) / np.where(mass > 0, mass, np.nan))


def factor_covariance(returns: Returns, horizon: Horizon) -> FactorCovariance:
    """Estimate a factor covariance: volatilities and correlations each with their own memory.

    Raises
    ------
    DataError
        If a factor did not move at all, or two factors share no date.
    """
    variance = newey_west_variances(
        returns.to_numpy(dtype=float),
        half_life=horizon.volatility_half_life,
        lags=horizon.volatility_lags,
    )
    if not (variance > 0).all():
        still = returns.columns[~(variance > 0)][0]
        raise DataError(f"{still} has no return other than zero, so it has no risk to estimate.")
    slow = newey_west(
        returns, half_life=horizon.correlation_half_life, lags=horizon.correlation_lags
    ).to_numpy()
    scale = np.sqrt(np.maximum(np.diag(slow), np.finfo(float).tiny))
    correlation = np.clip(slow / np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    vol = np.sqrt(variance)
    cov, raised = repair(correlation * np.outer(vol, vol))
    return FactorCovariance(
        pd.DataFrame(cov, index=returns.columns, columns=returns.columns), raised
    )


def repair(cov: np.ndarray) -> tuple[np.ndarray, int]:
    """Return ``cov`` with eigenvalues of at least 1e-8 of the largest, and how many were raised."""
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    floor = EIGENVALUE_FLOOR * values[-1]
    raised = int((values < floor).sum())
    if not raised:
        return (cov + cov.T) / 2, 0
    mended = (vectors * np.maximum(values, floor)) @ vectors.T
    return (mended + mended.T) / 2, raised
