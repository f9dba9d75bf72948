"""Ranks and buckets of each row's values."""

import numpy as np


def ranks(x: np.ndarray) -> np.ndarray:
    """Return the ranks of each row's values from 1, ties sharing their mean; NaN stays NaN.

    ``x`` is dates × assets. The same numbers as ``scipy.stats.rankdata`` gives row by row.
    """
    rows, n = x.shape
    order = np.argsort(x, axis=1)  # NaN last
    order += n * np.arange(rows)[:, None]  # places in the whole array: faster than by row
    ordered = x.ravel()[order]
    place = np.empty(rows * n)
    place[order] = np.arange(1.0, n + 1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    for row in np.flatnonzero(tied):
        place[order[row]] = _shared(ordered[row])
    place = place.reshape(rows, n)
    place[np.isnan(x)] = np.nan
    return place


def _shared(ordered: np.ndarray) -> np.ndarray:
    """Return the ranks of one sorted row, equal values sharing the mean of theirs."""
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    group = np.cumsum(begins) - 1
    count = np.bincount(group)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[group])


def shares(x: np.ndarray) -> np.ndarray:
    """Return ranks as shares of each row's count, between 0 and 1; the median is a half."""
    count = np.isfinite(x).sum(axis=1, keepdims=True)
    return (ranks(x) - 0.5) / np.where(count > 0, count, 1)


def buckets(rank: np.ndarray, quantiles: int) -> np.ndarray:
    """Return each name's bucket ``ceil(Q rank / n)`` from 1 (lowest); 0 where it has no rank."""
    count = np.isfinite(rank).sum(axis=1, keepdims=True)
    part = np.ceil(quantiles * rank / np.where(count > 0, count, 1) - 1e-9)
    return np.where(np.isfinite(part), part, 0).astype(np.int8)
