"""Covariances estimated from returns alone, for universes without a factor model.

Every estimator takes dates × assets of returns without a hole and gives asset × asset, per period
of those returns. What an estimator assumed or found (how much it shrank, how many factors) comes
with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import Returns, check_returns
from tilt.risk.covariance import newey_west, newey_west_variances, repair

LEAST_PERIODS = 20
HALF_LIFE = 84.0


@dataclass(frozen=True, eq=False)
class Estimate:
    """A covariance per period and how it came about.

    cov       : assets × assets, symmetric, without negative eigenvalues
    estimator : its name
    shrinkage : share of the target in it, 0 to 1; NaN where nothing is shrunk
    factors   : how many common factors it has; 0 where it has none of its own
    notes     : what the reader should know, one sentence each
    """

    cov: pd.DataFrame
    estimator: str
    shrinkage: float = np.nan
    factors: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tuning:
    """What the estimators can be told.

    half_life             : of EWMA variances, in periods
    correlation_half_life : of EWMA correlations; None: as the variances
    lags                  : Newey-West lags of EWMA
    factors               : how many principal components; None: as many as stand out of noise
    """

    half_life: float = HALF_LIFE
    correlation_half_life: float | None = None
    lags: int = 0
    factors: int | None = None


def estimate_covariance(
    returns: Returns, estimator: str = "ledoit_wolf", tuning: Tuning | None = None
) -> Estimate:
    """Estimate a covariance matrix.

    Parameters
    ----------
    returns : dates × assets, simple, per period; at least 20 dates, no hole
    estimator : one of `ESTIMATORS`
    tuning : what the estimator is told beside the returns

    Raises
    ------
    ArgumentError
        If the estimator is unknown, or what it is told makes no sense.
    DataError
        If a return is missing, there are under 20 dates, or an asset never moved.
    """
    name = one_of("estimator", estimator, ESTIMATORS)
    told = tuning or Tuning()
    check_tuning(told, returns)
    check_returns(returns, least=LEAST_PERIODS)
    values = returns.to_numpy(dtype=float)
    still = np.ptp(values, axis=0) == 0
    if still.any():
        raise DataError(
            f"{returns.columns[still][0]} has the same return on every date, so it has no risk to "
            "estimate. Leave it out."
        )
    return ESTIMATORS[name](returns, told)


def check_tuning(told: Tuning, returns: Returns) -> None:
    """Raise ``ArgumentError`` if what an estimator is told makes no sense for these returns."""
    for name, value in (
        ("half_life", told.half_life),
        ("correlation_half_life", told.correlation_half_life),
    ):
        if value is not None and not value > 0:
            raise ArgumentError(f"{name} must be above 0; got {value:g}.")
    if told.lags < 0:
        raise ArgumentError(f"lags must be 0 or more; got {told.lags}.")
    most = min(returns.shape) - 1
    if told.factors is not None and not 1 <= told.factors <= most:
        raise ArgumentError(
            f"factors must be from 1 to {most} for {returns.shape[0]} dates and "
            f"{returns.shape[1]} assets; got {told.factors}."
        )


def _sample(returns: Returns) -> Estimate:
    """Mean removed, divided by T - 1."""
    values = returns.to_numpy(dtype=float)
    periods, assets = values.shape
    notes: tuple[str, ...] = ()
    if periods <= assets:
        words = f"{periods} dates for {assets} assets: some portfolios seem to have no risk at all."
        notes = (f"{words} Use ledoit_wolf or pca.",)
    return Estimate(
        _square(np.atleast_2d(np.cov(values, rowvar=False)), returns), "sample", notes=notes
    )


def _ewma(returns: Returns, told: Tuning) -> Estimate:
    """Weights that halve with age, zero mean; volatilities and correlations fade on their own."""
    slow = told.correlation_half_life or told.half_life
    products = newey_west(returns, half_life=slow, lags=told.lags).to_numpy()
    variance = newey_west_variances(
        returns.to_numpy(dtype=float), half_life=told.half_life, lags=told.lags
    )
    scale = np.sqrt(np.diag(products))
    correlation = np.clip(products / np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    volatility = np.sqrt(variance)
    cov, raised = repair(correlation * np.outer(volatility, volatility))
    notes = (f"{raised} eigenvalues were raised to keep it positive.",) if raised else ()
    return Estimate(_square(cov, returns), "ewma", notes=notes)


def _ledoit_wolf(returns: Returns) -> Estimate:
    """Shrunk to constant correlation (Ledoit, Wolf 2004, Journal of Portfolio Management)."""
    x = _centered(returns)
    periods, assets = x.shape
    sample = x.T @ x / periods
    if assets == 1:
        return Estimate(_square(sample, returns), "ledoit_wolf", shrinkage=0.0)
    deviation = np.sqrt(np.diag(sample))
    correlation = sample / np.outer(deviation, deviation)
    mean = (correlation.sum() - assets) / (assets * (assets - 1))
    target = mean * np.outer(deviation, deviation)
    np.fill_diagonal(target, np.diag(sample))
    squares = x**2
    spread = squares.T @ squares / periods - sample**2  # asymptotic variances of the entries
    # asymptotic covariance of s_ii with s_ij, for all pairs at once
    joint = (x**3).T @ x / periods - np.diag(sample)[:, None] * sample
    np.fill_diagonal(joint, 0.0)
    ratio = deviation[None, :] / deviation[:, None]
    moving = np.trace(spread) + mean * (ratio * joint).sum()
    distance = ((sample - target) ** 2).sum()
    share = _share(spread.sum() - moving, periods * distance)
    return Estimate(
        _square(share * target + (1 - share) * sample, returns), "ledoit_wolf", shrinkage=share
    )


def _ledoit_wolf_identity(returns: Returns) -> Estimate:
    """Shrunk to a multiple of the identity (Ledoit, Wolf 2004, J. of Multivariate Analysis)."""
    x = _centered(returns)
    periods, assets = x.shape
    sample = x.T @ x / periods
    level = np.trace(sample) / assets
    target = level * np.eye(assets)
    distance = ((sample - target) ** 2).sum()
    squares = x**2
    spread = (squares.T @ squares).sum() / periods - (sample**2).sum()
    share = _share(spread, periods * distance)
    return Estimate(
        _square(share * target + (1 - share) * sample, returns),
        "ledoit_wolf_identity",
        shrinkage=share,
    )


def _oas(returns: Returns) -> Estimate:
    """Oracle approximating shrinkage to the identity (Chen, Wiesel, Eldar, Hero 2010, eq. 23)."""
    x = _centered(returns)
    periods, assets = x.shape
    sample = x.T @ x / periods
    level = np.trace(sample) / assets
    square, trace = (sample**2).sum(), np.trace(sample) ** 2
    above = (1 - 2 / assets) * square + trace
    below = (periods + 1 - 2 / assets) * (square - trace / assets)
    share = _share(above, below)
    return Estimate(
        _square(share * level * np.eye(assets) + (1 - share) * sample, returns),
        "oas",
        shrinkage=share,
    )


def _pca(returns: Returns, told: Tuning) -> Estimate:
    """Principal components of the correlations, the rest of each asset its own.

    Without a number, the components kept are those whose eigenvalue is above what noise alone
    would give: ``(1 + √(N/T))²`` (Marchenko, Pastur 1967; Laloux et al. 1999).
    """
    loadings, own = components(returns, told.factors)
    cov = loadings @ loadings.T + np.diag(own)
    return Estimate(_square(cov, returns), "pca", factors=loadings.shape[1])


def components(returns: Returns, factors: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the loadings of `_pca`, assets × components from the largest, and own variances.

    The covariance is ``loadings loadings' + diag(own)``; a component's loadings have a sum that is
    not negative.
    """
    x = _centered(returns)
    periods, assets = x.shape
    deviation = np.sqrt((x**2).sum(axis=0) / (periods - 1))
    scaled = x / deviation / np.sqrt(periods - 1)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    noise = (1 + np.sqrt(assets / periods)) ** 2
    kept = factors or max(1, int((values > noise).sum()))
    loadings = (vectors[:, -kept:] * np.sqrt(np.maximum(values[-kept:], 0.0)))[:, ::-1]
    own = np.maximum(1.0 - (loadings**2).sum(axis=1), 0.0) * deviation**2
    loadings = loadings * deviation[:, None]
    return loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0), own


ESTIMATORS: Mapping[str, Callable[[Returns, Tuning], Estimate]] = MappingProxyType(
    {
        "sample": lambda returns, _: _sample(returns),
        "ewma": _ewma,
        "ledoit_wolf": lambda returns, _: _ledoit_wolf(returns),
        "ledoit_wolf_identity": lambda returns, _: _ledoit_wolf_identity(returns),
        "oas": lambda returns, _: _oas(returns),
        "pca": _pca,
    }
)


def _centered(returns: Returns) -> np.ndarray:
    values = returns.to_numpy(dtype=float)
    return np.asarray(values - values.mean(axis=0))


def _share(above: float, below: float) -> float:
    """Return a ratio kept within 0 and 1; all target where the sample is its target already."""
    return float(np.clip(above / below, 0.0, 1.0)) if below > 0 else 1.0


def _square(values: np.ndarray, returns: Returns) -> pd.DataFrame:
    return pd.DataFrame((values + values.T) / 2, index=returns.columns, columns=returns.columns)
