"""Ranks and buckets of each row's values."""

import numpy as np

CELLS = 32768  # worked on at once
_ALL_BUT_SIGN = np.int64(0x7FFFFFFFFFFFFFFF)


def ranks(x: np.ndarray) -> np.ndarray:
    """Return the ranks of each row's values from 1, ties sharing their mean; NaN stays NaN.

    ``x`` is dates × assets. The same numbers as ``scipy.stats.rankdata`` gives row by row.
    """
    rows, n = x.shape
    out = np.empty((rows, n))
    step = max(CELLS // max(n, 1), 1)
    for start in range(0, rows, step):
        part = slice(start, start + step)
        out[part] = _ranks(x[part])
    return out


def _ranks(x: np.ndarray) -> np.ndarray:
    """Rank rows that fit the processor's cache.

    A value's bits, read as a whole number, are ordered as the value is (the negative ones turned
    around). The last bits give way to the asset's place, so that sorting plain numbers, which is
    much faster than sorting places by them, tells the places too. Rows in which two values then
    look alike are sorted by their values.
    """
    rows, n = x.shape
    values = x + 0.0  # a copy, in which -0 is 0
    gone = np.isnan(values)
    bits = values.view(np.int64)
    bits ^= (bits >> 63) & _ALL_BUT_SIGN
    bits[gone] = _ALL_BUT_SIGN  # last
    places = (1 << n.bit_length()) - 1
    bits &= ~places
    bits |= np.arange(n)
    bits.sort(axis=1)
    order = bits & places
    apart = (bits[:, 1:] ^ bits[:, :-1]).view(np.uint64)
    if gone.any():
        apart[np.arange(1, n) >= n - gone.sum(axis=1, keepdims=True)] = places + 1
    tied = (apart <= places).any(axis=1)
    rank = np.empty(rows * n)
    rank[(order + n * np.arange(rows)[:, None]).ravel()] = np.tile(np.arange(1.0, n + 1), rows)
    rank = rank.reshape(rows, n)
    for row in np.flatnonzero(tied):
        by_value, shared = _shared(x[row], order[row])
        rank[row, by_value] = shared
    rank[gone] = np.nan
    return rank


def _shared(x: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of a row's values in their order, and ranks, equal values sharing theirs.

    ``order`` is right but for values that agree in all but the last bits.
    """
    ordered = x[order]
    if (ordered[1:] < ordered[:-1]).any():
        order = np.argsort(x)  # NaN last
        ordered = x[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    group = np.cumsum(begins) - 1
    count = np.bincount(group)
    last = np.cumsum(count)
    return order, np.asarray((last - (count - 1) / 2)[group])


def shares(x: np.ndarray) -> np.ndarray:
    """Return ranks as shares of each row's count, between 0 and 1; the median is a half."""
    count = np.isfinite(x).sum(axis=1, keepdims=True)
    return (ranks(x) - 0.5) / np.where(count > 0, count, 1)


def buckets(rank: np.ndarray, quantiles: int) -> np.ndarray:
    """Return each name's bucket ``ceil(Q rank / n)`` from 1 (lowest); 0 where it has no rank."""
    count = np.isfinite(rank).sum(axis=1, keepdims=True)
    part = np.ceil(quantiles * rank / np.where(count > 0, count, 1) - 1e-9)
    return np.where(np.isfinite(part), part, 0).astype(np.int8)
