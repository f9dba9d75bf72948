"""Long-short portfolios that others strive for: one factor alone, or factors in shares of risk."""

import numpy as np

from tilt.errors import ArgumentError
from tilt.optimize.parity import by_names
from tilt.optimize.terms import Array, Factors


def pure_portfolio(model: Factors, factor: int, named: int) -> Array:
    """Return the long-short weights of least own risk with exposure one to a factor alone.

    Parameters
    ----------
    factor : its column among the exposures
    named : how many columns are factors; the ones after them are no factors, and stay free

    Raises
    ------
    ArgumentError
        If no portfolio has it: the factor repeats others.

    References
    ----------
    Menchero (2010), The Characteristics of Factor Portfolios.
    """
    exposures = model.exposures[:, :named]
    links = model.exposures[:, named:]
    own = model.specific + (links**2).sum(axis=1)
    weighted = exposures / np.maximum(own, 1e-12 * own.max())[:, None]
    wanted = np.zeros(named)
    wanted[factor] = 1.0
    prices = np.linalg.lstsq(exposures.T @ weighted, wanted, rcond=1e-10)[0]
    weights = np.asarray(weighted @ prices)
    if np.abs(exposures.T @ weights - wanted).max() > 1e-6:
        raise ArgumentError("No portfolio has this factor alone: others of the model repeat it.")
    return weights


def budget_portfolio(model: Factors, shares: dict[int, float], named: int) -> Array:
    """Return the long-short weights whose factor risk comes from factors in given shares.

    The exposures add up to one; those to all other factors are zero.

    Parameters
    ----------
    shares : by the column of the factor, summing to one
    named : how many columns are factors

    Raises
    ------
    ArgumentError, DataError
        If a factor repeats others, or no positive exposures have these shares.

    References
    ----------
    Roncalli, Weisang (2016), Risk Parity Portfolios with Risk Factors, Quantitative Finance 16(3).
    """
    at = list(shares)
    exposures = by_names(model.covariance[np.ix_(at, at)], np.array(list(shares.values())))
    pure = [pure_portfolio(model, k, named) for k in at]
    return np.asarray(exposures @ np.array(pure))
