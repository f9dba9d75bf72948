"""Hierarchical risk parity: weights by a tree of names that move together, without a solver.

Four steps of Lopez de Prado (2016), Building Diversified Portfolios that Outperform Out-of-Sample,
J. Portfolio Management 42(4): distances ``d = √((1-ρ)/2)``; distances between the columns of d,
linked singly; the order of the tree's leaves; weights by splitting that order in half again and
again, each half in inverse proportion to its variance.
"""

import numpy as np

from tilt.errors import DataError
from tilt.optimize.terms import Array


def hierarchical_weights(cov: Array) -> Array:
    """Return long-only weights, summing to one.

    Parameters
    ----------
    cov : assets × assets, of any period

    Raises
    ------
    DataError
        If a name has no variance.
    """
    variance = np.diag(cov)
    if (variance <= 0).any():
        raise DataError("hrp needs a variance above zero for each name.")
    return bisect(cov, leaf_order(cov))


def leaf_order(cov: Array) -> Array:
    """Return the names in the order of the tree's leaves, those alike next to each other."""
    if len(cov) == 1:
        return np.zeros(1, dtype=int)
    deviation = np.sqrt(np.diag(cov))
    correlation = np.clip(cov / np.outer(deviation, deviation), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    distance = np.sqrt((1.0 - correlation) / 2)
    # Distances of distances: two names are near if they are as far from all the others.
    # half of the program's start would be for those who never ask for it
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    return np.asarray(leaves_list(linkage(pdist(distance), method="single")))


def bisect(cov: Array, order: Array) -> Array:
    """Return the weights of an order: each half in inverse proportion to its variance."""
    weights = np.ones(len(cov))
    waiting = [order]
    while waiting:
        part = waiting.pop()
        if len(part) < 2:
            continue
        left, right = part[: len(part) // 2], part[len(part) // 2 :]
        first, second = _variance(cov, left), _variance(cov, right)
        weights[left] *= second / (first + second)
        weights[right] *= first / (first + second)
        waiting += [left, right]
    return weights


def _variance(cov: Array, at: Array) -> float:
    """Return the variance of some names held in inverse proportion to their variances."""
    part = cov[np.ix_(at, at)]
    held = 1 / np.diag(part)
    held /= held.sum()
    return float(held @ part @ held)
