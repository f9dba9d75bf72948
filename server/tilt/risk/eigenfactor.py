"""Eigenfactor adjustment: undo how much a sample covariance flatters optimized portfolios.

An optimizer leans on the directions that a covariance matrix underestimates. How much it
underestimates each is found by simulation: take the estimate as the truth, draw histories of it,
estimate each anew, and see how the variance that each estimate promises along its own eigenvectors
compares with the true one (Menchero, Wang, Orr 2011, Improving risk forecasts for optimized
portfolios; USE4, section 4).
"""

import functools
from dataclasses import dataclass

import numpy as np

from tilt.rounding import one_thread

SIMULATIONS = 1000
SEED = 2011
NUDGE = 1e-4  # of the truth, added to and taken from an estimate
LEAST_LENGTH = 2.0  # days per factor; a sample of fewer promises no variance along some directions


@dataclass(frozen=True)
class SampleLength:
    """How many equally weighted days a fading estimate is worth.

    volatility, correlation : of either part of the covariance; the days of the first are the latest
        of the second
    """

    volatility: float
    correlation: float

    def at_least(self, days: float) -> "SampleLength":
        short = max(self.volatility, days)
        return SampleLength(short, max(self.correlation, short))


def effective_length(weights: np.ndarray) -> float:
    """Return ``(Σ w)² / Σ w²``."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def adjust_eigenfactors(
    cov: np.ndarray, length: SampleLength, *, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a covariance whose eigenvectors are the same and whose variances are repaired.

    Parameters
    ----------
    cov : K × K, positive definite
    length : of the sample it was estimated from; fewer than two days per factor count as two
    scale : ``a`` in ``1 + a (v - 1)``: 1 undoes the simulated bias, 1.4 allows for fat tails too

    Returns
    -------
    the covariance, and by eigenvalue (ascending) the factor its volatility was multiplied by

    Notes
    -----
    The draws hang on the eigenvectors, their signs chosen by the sum of their elements, so that the
    order of the factors does not matter.
    """
    with one_thread():  # the matrices are small: a second thread would only wait
        values, vectors = np.linalg.eigh(cov)
        vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
        bias = _remembered(
            values.tobytes(), vectors.tobytes(), length.at_least(LEAST_LENGTH * len(cov))
        )
        factor = 1 + scale * (bias - 1)
        adjusted = (vectors * (factor**2 * values)) @ vectors.T
    return (adjusted + adjusted.T) / 2, factor


@functools.lru_cache(maxsize=256)
def _remembered(values: bytes, vectors: bytes, length: SampleLength) -> np.ndarray:
    """Return the bias of a covariance; backtests on the same dates ask for the same ones."""
    roots = np.frombuffer(values)
    bias = simulated_bias(roots, np.frombuffer(vectors).reshape(len(roots), -1), length)
    bias.flags.writeable = False
    return bias


def simulated_bias(values: np.ndarray, vectors: np.ndarray, length: SampleLength) -> np.ndarray:
    """Return true over promised volatility along the eigenvectors of simulated estimates.

    Each draw is estimated as the model is: volatilities from its latest days, correlations from all
    of them. The true variance along an estimate's eigenvector is how fast its eigenvalue grows as
    the truth is added to the estimate, so no eigenvectors are computed: eigenvalues with a little
    more and a little less of the truth are cheaper by half.
    """
    estimates = simulated_estimates(values, vectors, length)
    truth = NUDGE * (vectors * values) @ vectors.T
    more, less = np.linalg.eigvalsh(estimates + truth), np.linalg.eigvalsh(estimates - truth)
    return np.asarray(np.sqrt(((more - less) / (NUDGE * (more + less))).mean(axis=0)))


def simulated_estimates(
    values: np.ndarray, vectors: np.ndarray, length: SampleLength
) -> np.ndarray:
    """Return draws × K × K: what would be estimated of a covariance with these eigenvectors."""
    size = len(values)
    late, early = length.volatility, length.correlation - length.volatility
    root = (vectors * np.sqrt(values)).T
    normal = _standard_normals(size)
    chi = np.random.default_rng(SEED + 1)
    near = (_triangles(normal[0], late, chi).reshape(-1, size) @ root).reshape(-1, size, size)
    far = (_triangles(normal[1], early, chi).reshape(-1, size) @ root).reshape(-1, size, size)
    nearest = (near**2).sum(axis=1)
    whole = np.concatenate([near, far], axis=1)
    stretch = np.sqrt(nearest / (whole**2).sum(axis=1) / max(late, 1.0))
    whole *= stretch[:, None, :]
    return np.asarray(whole.transpose(0, 2, 1) @ whole)


@functools.lru_cache(maxsize=2)
def _standard_normals(size: int) -> np.ndarray:
    """Return the normals of two samples, 2 × draws × size × size, above the diagonal."""
    drawn = np.triu(np.random.default_rng(SEED).standard_normal((2, SIMULATIONS, size, size)), 1)
    drawn.flags.writeable = False
    return drawn


def _triangles(normal: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    """Return draws × size × size, ``R`` with ``R'R`` a Wishart of so many days (Bartlett 1933).

    Column i of the triangle has √χ² of ``length - i`` days on its diagonal and normals above it;
    columns that the days do not reach are zero.
    """
    size = normal.shape[1]
    degrees = length - np.arange(size)
    triangle = normal * (degrees > 0)
    diagonal = np.sqrt(rng.chisquare(np.maximum(degrees, 1e-9), (SIMULATIONS, size)))
    steps = np.arange(size)
    triangle[:, steps, steps] = np.where(degrees > 0, diagonal, 0.0)
    return np.asarray(triangle)
