"""Value at risk and conditional value at risk, three ways.

Both are positive losses, as fractions of capital. The historical CVaR is that of Rockafellar and
Uryasev (2002): where the tail ends within an observation, that observation counts in part.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import Returns, Weights
from tilt.risk.model import RiskModel

METHODS = ("parametric", "historical", "montecarlo")
MEASURES = ("var", "cvar")
DRAWS = 100_000
LEAST_IN_TAIL = 1.0


@dataclass(frozen=True)
class Tail:
    """A loss that is exceeded with probability 1 - confidence, and the mean loss beyond it."""

    var: float
    cvar: float
    notes: tuple[str, ...] = ()


def parametric_tail(volatility: float, confidence: float, horizon: int = 1) -> Tail:
    """Return the tail of normal returns with zero mean.

    Parameters
    ----------
    volatility : of one day, not annualized
    confidence : such as 0.95
    horizon : days; the volatility grows with its square root
    """
    _check(confidence, horizon)
    z = float(ndtri(confidence))
    scale = volatility * np.sqrt(horizon)
    notes = (_SCALED,) if horizon > 1 else ()
    return Tail(float(z * scale), float(normal_density(z) / (1 - confidence) * scale), notes)


def normal_density(z: float) -> float:
    """Return the density of a standard normal variable."""
    return float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


_SCALED = "Scaled from one day by the square root of time: days are taken as independent."


def historical_tail(returns: "pd.Series[float]", confidence: float, horizon: int = 1) -> Tail:
    """Return the tail of what happened, or would have with today's weights.

    Parameters
    ----------
    returns : by date, simple, of one day each; a missing one is left out
    horizon : days; returns over it overlap and are compounded, nothing is scaled

    Raises
    ------
    DataError
        If there are too few returns to have one in the tail.
    """
    _check(confidence, horizon)
    daily = returns.dropna().to_numpy(dtype=float)
    growth = np.concatenate([[1.0], np.cumprod(1.0 + daily)])
    over = growth[horizon:] / growth[:-horizon] - 1.0
    if len(over) * (1 - confidence) < LEAST_IN_TAIL - 1e-9:
        needed = int(np.ceil(LEAST_IN_TAIL / (1 - confidence) - 1e-9)) + horizon - 1
        raise DataError(
            f"{len(daily)} returns are too few for {confidence:.4g} over {horizon} days: "
            f"{needed} are needed to have one in the tail."
        )
    notes = (f"{len(over)} overlapping windows of {horizon} days.",) if horizon > 1 else ()
    return Tail(*empirical_tail(0.0 - over, confidence), notes)


def replayed_returns(
    model: RiskModel, returns: Returns, factor_returns: Returns, weights: Weights
) -> "pd.Series[float]":
    """Return what today's holdings would have returned on each day of the past.

    Parameters
    ----------
    returns : dates × assets, simple; a name without a return on a day is taken to move with its
        factors, by the exposures of the model
    factor_returns : dates × factors; a day on which a name needs them and they are missing, or the
        model has none, is left out
    weights : by asset, fractions of capital
    """
    held = weights[weights != 0]
    moved = returns.reindex(columns=held.index).to_numpy(dtype=float)
    factors = factor_returns.reindex(index=returns.index, columns=model.exposures.columns)
    expected = factors.to_numpy(dtype=float) @ model.exposures.loc[held.index].to_numpy().T
    if factors.empty:
        expected = np.full_like(moved, np.nan)  # a model without factors expects nothing
    moved = np.where(np.isnan(moved), expected, moved)
    return pd.Series(moved @ held.to_numpy(dtype=float), index=returns.index).dropna()


def simulated_tail(
    factor_volatility: float,
    specific_volatility: float,
    confidence: float,
    horizon: int = 1,
    *,
    degrees: float = 5.0,
    seed: int = 0,
) -> Tail:
    """Return the tail of simulated returns whose common part has fat tails.

    Days are independent; on each, the factors' part of the portfolio is Student t with ``degrees``
    of freedom, scaled to its volatility, and the specific part, a sum over many names, normal.
    Day returns compound over the horizon. 100,000 paths, seeded.

    Parameters
    ----------
    factor_volatility, specific_volatility : of one day
    degrees : above 2; 5 fits daily equity index returns (Platen, Rendek 2008, found 3 to 5)
    """
    _check(confidence, horizon)
    if not degrees > 2:
        raise ArgumentError(f"degrees must be above 2 to have a volatility; got {degrees:g}.")
    generator = np.random.default_rng(seed)
    fat = generator.standard_t(degrees, size=(horizon, DRAWS)) / np.sqrt(degrees / (degrees - 2))
    own = generator.standard_normal(size=(horizon, DRAWS))
    days = factor_volatility * fat + specific_volatility * own
    losses = 1.0 - np.prod(np.maximum(1.0 + days, 0.0), axis=0)
    note = f"{DRAWS:,} paths, factors Student t with {degrees:g} degrees of freedom."
    return Tail(*empirical_tail(losses, confidence), (note,))


def empirical_tail(losses: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return VaR and CVaR of equally likely losses.

    VaR is the smallest loss that is not exceeded with probability ``confidence``.
    """
    ordered = np.sort(losses)
    beyond = len(ordered) * (1 - confidence)  # observations in the tail, the last in part
    place = int(np.ceil(len(ordered) * confidence - 1e-9)) - 1
    var = ordered[max(place, 0)]
    worse = ordered[place + 1 :]
    cvar = (worse.sum() + (beyond - len(worse)) * var) / beyond
    return float(var), float(cvar)


def tail_measure(tail: Tail, measure: str) -> float:
    """Return ``var`` or ``cvar`` of a tail, by name."""
    return tail.var if one_of("option measure", measure, MEASURES) == "var" else tail.cvar


def _check(confidence: float, horizon: int) -> None:
    if 50 <= confidence < 100:
        raise ArgumentError(
            f"confidence is a fraction: type {confidence / 100:g}, not {confidence:g}."
        )
    if not 0.5 <= confidence < 1:
        raise ArgumentError(f"confidence must be from 0.5 to below 1; got {confidence:g}.")
    if horizon < 1:
        raise ArgumentError(f"horizon must be a day or more; got {horizon}.")
