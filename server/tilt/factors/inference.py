"""How sure a mean is, how many of several findings are chance, and whether means are ordered."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from tilt.factors.ranking import ranks

LEAST = 20  # observations for a t-value
DRAWS = 1000
BLOCK = 6.0  # mean length of a bootstrap's blocks, observations


def automatic_lags(n: int, *, least: int = 0) -> int:
    """Return Newey-West's lags for ``n`` observations: 4 (n/100)^(2/9), at least ``least``."""
    return int(max(least, np.floor(4 * (n / 100) ** (2 / 9)))) if n else least


def hac_t(values: np.ndarray, *, lags: int) -> float:
    """Return the t-value of a mean that allows for serial correlation (Newey, West 1987).

    Bartlett weights, no small-sample correction. Missing values are left out; NaN under 20
    observations and for a series that does not vary.
    """
    x = values[np.isfinite(values)]
    n = len(x)
    if n < LEAST:
        return float("nan")
    e = x - x.mean()
    variance = e @ e
    for lag in range(1, min(lags, n - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (e[lag:] @ e[:-lag])
    if variance <= n * 1e-30:
        return float("nan")
    return float(x.mean() / np.sqrt(variance / n**2))


def p_values(t: np.ndarray, observations: np.ndarray) -> np.ndarray:
    """Return two-sided p-values of t-values, by Student's distribution."""
    return np.asarray(2 * stdtr(np.maximum(observations - 1, 1), -np.abs(t)))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for how many are looked at (Benjamini, Hochberg 1995).

    A factor whose adjusted value is under 5 % is one of a list in which 5 % are chance. NaN is not
    counted.
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    m = len(order)
    steps = p[order] * m / np.arange(1, m + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted


@dataclass(frozen=True)
class Monotonicity:
    """Whether means rise (or fall) from bucket to bucket.

    spearman : of bucket number against mean return
    p_value  : of no strict order in the direction of the spread; NaN under 20 observations
    """

    spearman: float
    p_value: float


def monotonicity(returns: np.ndarray, *, seed: int = 0) -> Monotonicity:
    """Test whether mean returns are ordered by bucket (Patton, Timmermann 2010).

    The statistic is the least difference between neighbors, in the direction of top minus bottom;
    its distribution under equal means is by a stationary bootstrap of 1000 draws.

    Parameters
    ----------
    returns : periods × buckets; a period with a missing return is left out
    """
    r = returns[np.isfinite(returns).all(axis=1)]
    if not len(r) or r.shape[1] < 2:
        return Monotonicity(float("nan"), float("nan"))
    mean = r.mean(axis=0)
    number = np.arange(len(mean))
    flat = bool(np.ptp(mean) == 0)
    ordered = ranks(mean[None])[0]
    spearman = float("nan") if flat else float(np.corrcoef(number, ordered)[0, 1])
    if len(r) < LEAST or flat:
        return Monotonicity(spearman, float("nan"))
    steps = np.diff(r, axis=1) * (1.0 if mean[-1] >= mean[0] else -1.0)
    center = steps.mean(axis=0)
    drawn = steps[_stationary(len(r), seed)].mean(axis=1)
    chance = (drawn - center).min(axis=1)
    return Monotonicity(spearman, float((chance >= center.min()).mean()))


def _stationary(n: int, seed: int) -> np.ndarray:
    """Return draws × n places of a stationary bootstrap (Politis, Romano 1994)."""
    rng = np.random.default_rng(seed)
    start = rng.integers(n, size=(DRAWS, n))
    new = rng.random((DRAWS, n)) < 1 / BLOCK
    new[:, 0] = True
    at = np.maximum.accumulate(np.where(new, np.arange(n), 0), axis=1)
    return np.asarray((np.take_along_axis(start, at, axis=1) + np.arange(n) - at) % n)


def autocorrelation(values: np.ndarray) -> float:
    """Return the correlation of a series with itself one step before; NaN under 20 steps."""
    x = pd.Series(values).dropna()
    return float(x.autocorr()) if len(x) >= LEAST and x.std() > 0 else float("nan")
