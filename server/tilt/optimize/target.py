"""The portfolio of one factor that others strive for: unit exposure, none to the rest."""

import numpy as np

from tilt.errors import ArgumentError
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
