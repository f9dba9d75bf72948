"""How sure one may be of a Sharpe ratio, given its sample, its tails and how often one tried.

Bailey, Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier; (2014), The Deflated Sharpe
Ratio; Bailey, Borwein, Lopez de Prado, Zhu (2017), The Probability of Backtest Overfitting; Lo
(2002), The Statistics of Sharpe Ratios. Sharpe ratios are per period here, not annualized.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb, e
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tilt.errors import ArgumentError, DataError
from tilt.factors.ranking import ranks
from tilt.portfolio.measures import (
    LEAST_FOR_INFERENCE,
    Array,
    deviation,
    kurtosis,
    newey_west_lags,
    skew,
)

BLOCKS = 16
MOST_BLOCKS = 18  # 48,620 ways to choose half of them
LEAST_IN_BLOCK = 4  # periods, so that a block of them has a deviation
CHUNK = 2_000_000  # numbers held at once
Places: TypeAlias = NDArray[np.int64]


def sharpe_ratio(r: Array) -> float:
    """Return the Sharpe ratio per period of excess returns; NaN if they do not vary."""
    sd = deviation(r)
    return float(np.mean(r)) / sd if sd > 0 else float("nan")


def sharpe_error(r: Array) -> float:
    """Return the standard error of the Sharpe ratio, robust to tails and autocorrelation.

    The delta method on mean and variance with a Newey-West long-run covariance (Lo 2002); NaN below
    20 observations.
    """
    n, sd = len(r), deviation(r)
    if n < LEAST_FOR_INFERENCE or not sd > 0:
        return float("nan")
    z = (r - np.mean(r)) / sd
    influence: Array = z - sharpe_ratio(r) / 2 * (z**2 - float(np.mean(z**2)))
    lags = newey_west_lags(n)
    long_run = influence @ influence / n
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        long_run += 2.0 * weight * (influence[lag:] @ influence[:-lag]) / n
    return float(np.sqrt(np.maximum(long_run, 0.0) / n))


def probabilistic_sharpe(
    sharpe: float, n: int, skewness: float, excess: float, over: float
) -> float:
    """Return the probability that the true Sharpe ratio lies above ``over``.

    Parameters
    ----------
    sharpe, over : per period
    n : observations
    skewness, excess : of the returns; excess kurtosis, zero for a normal distribution
    """
    spread = 1.0 - skewness * sharpe + (excess + 2.0) / 4.0 * sharpe**2
    return float(ndtr((sharpe - over) * np.sqrt(n - 1.0) / np.sqrt(spread)))


def expected_best(variance: float, trials: float) -> float:
    """Return the best Sharpe ratio to expect of so many trials, none of which has any skill.

    Parameters
    ----------
    variance : of the trials' Sharpe ratios
    """
    if trials <= 1:
        return 0.0
    euler = float(np.euler_gamma)
    best = (1 - euler) * ndtri(1 - 1 / trials) + euler * ndtri(1 - 1 / (trials * e))
    return float(np.sqrt(variance) * best)


def least_track_record(
    sharpe: float, skewness: float, excess: float, *, sure: float = 0.95
) -> float:
    """Return how many observations it takes to be ``sure`` that the Sharpe ratio is above zero."""
    if not sharpe > 0:
        return float("nan")
    spread = 1.0 - skewness * sharpe + (excess + 2.0) / 4.0 * sharpe**2
    return float(1.0 + spread * (ndtri(sure) / sharpe) ** 2)


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What cross-validation says of choosing the best of several trials (CSCV).

    probability : that the best in one half of the sample is below the median in the other
    logits      : of the relative rank out of sample, one for each way to halve the sample
    slope       : of the Sharpe ratio out of sample on that in sample; below zero, the better it
        looked the worse it did
    loss        : how often the chosen one lost money out of sample
    blocks, trials : how many of them
    """

    probability: float
    logits: Array
    slope: float
    loss: float
    blocks: int
    trials: int


def overfitting_probability(returns: pd.DataFrame, *, blocks: int = BLOCKS) -> Overfitting:
    """Return the probability of backtest overfitting by combinatorially symmetric cross-validation.

    Parameters
    ----------
    returns : periods × trials, without gaps, over the same periods
    blocks : an even number of them, of equal length; periods that do not fill a block are left out
        at the start

    Raises
    ------
    ArgumentError
        If the number of blocks is odd or too large.
    DataError
        If there are fewer than two trials, a value is missing, or the sample is too short.
    """
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise ArgumentError(f"blocks must be an even number from 2 to {MOST_BLOCKS}; got {blocks}.")
    x = returns.to_numpy(dtype=np.float64)
    if x.shape[1] < 2:
        raise DataError("The probability of overfitting needs two trials or more over one window.")
    if not np.isfinite(x).all():
        raise DataError("A trial misses a return. Give trials over the same dates.")
    length = len(x) // blocks
    if length < LEAST_IN_BLOCK:
        raise DataError(
            f"{len(x)} returns are too few for {blocks} blocks of {LEAST_IN_BLOCK} or more."
        )
    count = x.shape[1]
    cut: Array = x[len(x) - blocks * length :].reshape(blocks, length, count)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    logits: list[Array] = []
    inside: list[Array] = []
    outside: list[Array] = []
    step = max(1, CHUNK // (blocks * count))
    for start in range(0, len(halves), step):
        chosen = np.zeros((len(halves[start : start + step]), blocks))
        np.put_along_axis(chosen, halves[start : start + step], 1.0, axis=1)
        train = _sharpes(chosen @ sums, chosen @ squares, length * blocks // 2)
        test = _sharpes((1 - chosen) @ sums, (1 - chosen) @ squares, length * blocks // 2)
        best = np.argmax(train, axis=1)
        rows = np.arange(len(best))
        rank = ranks(test)[rows, best] / (count + 1)
        logits.append(np.log(rank / (1 - rank)))
        inside.append(train[rows, best])
        outside.append(test[rows, best])
    logit, a, b = (np.concatenate(v) for v in (logits, inside, outside))
    varies = np.ptp(a) > 0
    return Overfitting(
        probability=float(np.mean(logit <= 0)),
        logits=logit,
        slope=float(np.cov(a, b)[0, 1] / np.var(a, ddof=1)) if varies else float("nan"),
        loss=float(np.mean(b < 0)),
        blocks=blocks,
        trials=count,
    )


def _sharpes(sums: Array, squares: Array, n: int) -> Array:
    mean = sums / n
    variance = np.maximum(squares / n - mean**2, 0.0)
    tiny = variance <= 1e-18 * np.maximum(squares / n, 1e-300)
    ratio: Array = np.where(tiny, 0.0, mean / np.sqrt(np.where(tiny, 1.0, variance)))
    return ratio


def purged_folds(
    n: int, *, groups: int = 6, tested: int = 2, horizon: int = 0, embargo: int = 0
) -> Iterator[tuple[Places, Places, tuple[int, ...]]]:
    """Give training rows, test rows and the tested groups of each combinatorial split.

    Parameters
    ----------
    n : periods, cut into ``groups`` runs of about equal length, of which ``tested`` are the test
    horizon : how many periods after its own a decision's outcome reaches; training rows whose
        outcome reaches into a tested run are purged
    embargo : training rows left out after each tested run, as they remember it

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
    """
    if not 1 <= tested < groups <= n:
        raise ArgumentError(
            f"tested groups must be from 1 to {groups - 1} of {groups}, and groups at most the "
            f"{n} periods; got {tested}."
        )
    edges = np.linspace(0, n, groups + 1).astype(int)
    rows = np.arange(n)
    for chosen in combinations(range(groups), tested):
        test = np.zeros(n, dtype=bool)
        barred = np.zeros(n, dtype=bool)
        for group in chosen:
            first, end = edges[group], edges[group + 1]
            test[first:end] = True
            barred[max(first - horizon, 0) : end + embargo] = True
        yield rows[~barred & ~test], rows[test], chosen


def purged_paths(
    returns: pd.DataFrame,
    *,
    groups: int = 6,
    tested: int = 2,
    horizon: int = 1,
    embargo: int = 5,
) -> pd.DataFrame:
    """Return what choosing the best trial on purged training data would have earned out of sample.

    Each group of periods is tested in several splits; together they make whole paths through the
    sample, every one of them out of sample.

    Parameters
    ----------
    returns : periods × trials, over the same periods

    Returns
    -------
    dates × paths: the return of the trial that was best in training

    Raises
    ------
    DataError
        If a value is missing or there is no trial.
    """
    x = returns.to_numpy(dtype=np.float64)
    if not x.size or not np.isfinite(x).all():
        raise DataError("A trial misses a return. Give trials over the same dates.")
    paths = np.full((len(x), comb(groups - 1, tested - 1)), np.nan)
    filled = [0] * groups
    edges = np.linspace(0, len(x), groups + 1).astype(int)
    for train, _, chosen in purged_folds(
        len(x), groups=groups, tested=tested, horizon=horizon, embargo=embargo
    ):
        known = x[train]
        best = int(np.argmax(_sharpes(known.sum(axis=0), (known**2).sum(axis=0), len(known))))
        for group in chosen:
            rows = slice(edges[group], edges[group + 1])
            paths[rows, filled[group]] = x[rows, best]
            filled[group] += 1
    return pd.DataFrame(paths, returns.index, [f"path {i + 1}" for i in range(paths.shape[1])])


@dataclass(frozen=True, eq=False)
class Trials:
    """The trials among which a strategy was chosen.

    count   : how many; at least one
    sharpes : per period, of those that are known, the chosen one among them
    returns : periods × trials over the window that they share; None where that is not known
    """

    count: int = 1
    sharpes: tuple[float, ...] = ()
    returns: pd.DataFrame | None = None


ONE_TRIAL = Trials()


def honest_table(
    returns: "pd.Series[float]", trials: Trials, *, per_year: int, risk_free: float = 0.0
) -> pd.DataFrame:
    """Return measure, value, meaning: what of a Sharpe ratio is left when one is honest.

    Parameters
    ----------
    returns : per period
    risk_free : per period
    """
    r = np.asarray(returns - risk_free, dtype=np.float64)
    n, sr, error = len(r), sharpe_ratio(r), sharpe_error(r)
    enough = n >= LEAST_FOR_INFERENCE and np.isfinite(sr)
    tails = (skew(r), kurtosis(r)) if enough else (float("nan"), float("nan"))
    variance, source = _variance(sr, n, tails, trials)
    best = expected_best(variance, trials.count) if enough else float("nan")
    year = float(np.sqrt(per_year))
    rows = [
        ("observations", float(n), "periods"),
        ("sharpe", year * sr, "a year"),
        ("sharpe_error", year * error, "standard error with tails and autocorrelation (Lo 2002)"),
        ("sharpe_t_hac", sr / error if error > 0 else float("nan"), "Sharpe ratio over its error"),
        ("skew", tails[0], ""),
        ("kurtosis", tails[1], "in excess of the normal distribution's"),
        ("psr", _psr(sr, n, tails, 0.0), "probability that the true Sharpe ratio is above zero"),
        ("least_years", least_track_record(sr, *tails) / per_year, "for 95 % certainty of that"),
        ("trials", float(trials.count), "backtests tried, this one among them"),
        ("trial_sharpe_sd", year * float(np.sqrt(variance)), source),
        (
            "expected_best",
            year * best,
            "Sharpe ratio of the best of these trials without any skill",
        ),
        ("deflated_sharpe", _psr(sr, n, tails, best), "probability that the true one is above it"),
        *_across(trials, year),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "meaning"])


def _psr(sr: float, n: int, tails: tuple[float, float], over: float) -> float:
    return (
        probabilistic_sharpe(sr, n, *tails, over) if np.isfinite([*tails, over]).all() else np.nan
    )


def _variance(sr: float, n: int, tails: tuple[float, float], trials: Trials) -> tuple[float, str]:
    """Return the variance of the trials' Sharpe ratios, and where it is from."""
    known = np.array(trials.sharpes, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) >= 2:
        return float(np.var(known, ddof=1)), f"deviation of the {len(known)} Sharpe ratios known"
    spread = 1.0 - tails[0] * sr + (tails[1] + 2.0) / 4.0 * sr**2
    return float(spread / max(n - 1, 1)), "error of one Sharpe ratio; the others' are not known"


def _across(trials: Trials, year: float) -> list[tuple[str, float, str]]:
    """Return the rows that need the trials' returns."""
    missing = "needs two trials over the same window"
    x = trials.returns
    if x is None or x.shape[1] < 2 or len(x) < BLOCKS * LEAST_IN_BLOCK:
        return [("pbo", np.nan, missing), ("cv_sharpe", np.nan, missing)]
    found = overfitting_probability(x)
    paths = purged_paths(x).to_numpy()
    sharpes = [year * sharpe_ratio(path) for path in paths.T]
    words = f"{found.trials} trials, {found.blocks} blocks"
    return [
        ("pbo", found.probability, f"probability that the best is below the median next: {words}"),
        ("pbo_loss", found.loss, "how often the best loses out of sample"),
        ("pbo_slope", found.slope, "of Sharpe out of sample on Sharpe in sample"),
        ("cv_sharpe", float(np.median(sharpes)), "median of purged cross-validated paths, a year"),
        ("cv_worst", float(np.min(sharpes)), "worst of these paths"),
    ]
