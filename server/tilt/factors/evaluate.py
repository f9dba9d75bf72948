"""What a factor's scores said about the returns that followed.

Scores known at the close of t are held against returns over (t + lag, t + lag + h]; nothing of a
return that a score is judged by is in the score. Arrays and frames are dates × assets.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.factors.cores import on_every_core
from tilt.factors.groups import Groups
from tilt.factors.inference import (
    Monotonicity,
    automatic_lags,
    hac_t,
    monotonicity,
)
from tilt.factors.ranking import buckets, ranks

YEAR = 252
CELLS = 65_536  # at once: the processor's cache holds them, and memory does not grow with dates
MOST_DATES = 64  # at once
LEAST_NAMES = 10  # of a correlation across names
WINDOWS = 12  # of the decay


def forward_returns(
    returns: np.ndarray, *, horizon: int, lag: int = 1, skip: int = 0
) -> np.ndarray:
    """Return the compounded return over (t + lag + skip, t + lag + skip + h] at each t.

    NaN where a day of it is missing or has not come yet.
    """
    begin = lag + skip
    seen = np.isfinite(returns)
    growth = np.cumsum(np.log1p(np.where(seen, np.maximum(returns, -0.999999), 0.0)), axis=0)
    count = np.cumsum(seen, axis=0)
    out = np.full(returns.shape, np.nan)
    last = len(returns) - begin - horizon
    if last <= 0:
        return out
    whole = count[begin + horizon :] - count[begin:-horizon] == horizon
    total = np.expm1(growth[begin + horizon :] - growth[begin:-horizon])
    out[:last] = np.where(whole, total, np.nan)
    return out


def residual_returns(
    returns: np.ndarray, caps: np.ndarray, estu: np.ndarray, industries: Groups
) -> np.ndarray:
    """Return what market and industry leave of returns: less the industry's mean (weights √cap)."""
    seen = estu & np.isfinite(returns) & (caps > 0)
    q = np.where(seen, np.sqrt(np.where(seen, caps, 0.0)), 0.0)
    mass = industries.sums(q)
    mean = industries.sums(q * np.where(seen, returns, 0.0)) / np.where(mass > 0, mass, np.nan)
    return np.asarray(returns - industries.spread(mean))


def information_coefficients(
    scores: np.ndarray, forward: np.ndarray, *, method: str = "spearman"
) -> np.ndarray:
    """Return each date's correlation of scores with the returns that followed.

    Over names that have both; NaN under ten names. ``method`` is spearman (average ranks on ties)
    or pearson.
    """
    out = np.full(len(scores), np.nan)
    step = _step(scores)

    def work(starts: Iterable[int]) -> None:
        for start in starts:
            part = slice(start, start + step)
            both = np.isfinite(scores[part]) & np.isfinite(forward[part])
            x = np.where(both, scores[part], np.nan)
            y = np.where(both, forward[part], np.nan)
            if method == "spearman":
                x, y = ranks(x), ranks(y)
            out[part] = _correlations(x, y, both)

    on_every_core(work, range(0, len(scores), step))
    return out


def _step(scores: np.ndarray) -> int:
    """Return how many dates are worked on at once."""
    return min(max(CELLS // max(len(scores.T), 1), 8), MOST_DATES)


def _correlations(x: np.ndarray, y: np.ndarray, both: np.ndarray) -> np.ndarray:
    n = both.sum(axis=1)
    per = 1 / np.maximum(n, 1)
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    x = np.where(both, x - (x.sum(axis=1) * per)[:, None], 0.0)
    y = np.where(both, y - (y.sum(axis=1) * per)[:, None], 0.0)
    size = np.sqrt(np.einsum("tn,tn->t", x, x) * np.einsum("tn,tn->t", y, y))
    good = (n >= LEAST_NAMES) & (size > 0)
    return np.asarray(
        np.where(good, np.einsum("tn,tn->t", x, y) / np.where(size > 0, size, 1.0), np.nan)
    )


@dataclass(frozen=True, eq=False)
class Buckets:
    """Portfolios of names ordered by score.

    returns  : dates × buckets, over the horizon; the last bucket has the highest scores
    count    : mean names in a bucket
    turnover : by bucket, one way at a rebalance, as a fraction of the portfolio
    factor_turnover : of the long-short portfolio of scores with unit gross weight
    """

    returns: pd.DataFrame
    count: np.ndarray
    turnover: np.ndarray
    factor_turnover: float

    @property
    def spread(self) -> np.ndarray:
        """Top minus bottom."""
        r = self.returns.to_numpy()
        return np.asarray(r[:, -1] - r[:, 0])

    @property
    def order(self) -> Monotonicity:
        return monotonicity(self.returns.to_numpy())


def quantile_returns(
    scores: np.ndarray,
    forward: np.ndarray,
    dates: pd.DatetimeIndex,
    *,
    quantiles: int = 5,
    caps: np.ndarray | None = None,
) -> Buckets:
    """Return what portfolios of names ordered by score earned.

    A name's bucket is ceil(Q rank / n) of its score alone; names without a return afterwards are
    left out of the bucket's mean, not of the ranks. Equal-weighted, or by ``caps``.

    Raises
    ------
    DataError
        If no date has a name for every bucket.
    """
    days, step = len(scores), _step(scores)
    returns = np.full((days, quantiles), np.nan)
    blocks = -(-days // step)
    full = np.zeros(days, dtype=bool)
    count, moved = np.zeros((blocks, quantiles)), np.zeros((blocks, quantiles))
    gross_moved = np.zeros(blocks)

    def work(starts: Iterable[int]) -> None:
        for start in starts:
            block, before = start // step, max(start - 1, 0)
            rows = slice(before, start + step)  # one more row, to see what changes into the block
            weight = np.ones(scores[rows].shape) if caps is None else np.nan_to_num(caps[rows])
            piece = _held(scores[rows], weight, quantiles)
            new, part = slice(start - before, None), slice(start, start + step)
            returns[part] = _earned(piece, forward[rows], quantiles)[new]
            full[part] = piece.full[new]
            names = _by_bucket(piece.bucket, (piece.bucket > 0).astype(float), quantiles)
            count[block] = names[new][piece.full[new]].sum(axis=0)
            moved[block] = _moved(piece, quantiles)
            gross_moved[block] = np.abs(np.diff(piece.book, axis=0)).sum() / 2

    on_every_core(work, range(0, days, step))
    if not full.any():
        raise DataError(f"No date has {quantiles} names with a score. Ask for fewer quantiles.")
    labels = [str(i + 1) for i in range(quantiles)]
    steps = max(days - 1, 1)
    return Buckets(
        pd.DataFrame(returns, index=dates, columns=labels),
        count.sum(axis=0) / full.sum(),
        moved.sum(axis=0) / steps,
        float(gross_moved.sum()) / steps,
    )


def _earned(piece: "_Held", forward: np.ndarray, quantiles: int) -> np.ndarray:
    """Return the buckets' returns, by the weights of the names that have one."""
    seen = np.isfinite(forward)
    held = _by_bucket(piece.bucket, piece.share * seen, quantiles)
    earned = _by_bucket(piece.bucket, piece.share * np.where(seen, forward, 0.0), quantiles)
    good = piece.full[:, None] & (held > 0)
    return np.where(good, earned / np.where(good, held, 1.0), np.nan)


@dataclass(frozen=True, eq=False)
class _Held:
    """Of some dates: each name's bucket, its share of it, and its weight in the factor portfolio.

    full : dates with a name for every bucket
    """

    bucket: np.ndarray
    share: np.ndarray
    book: np.ndarray
    full: np.ndarray


def _held(scores: np.ndarray, weight: np.ndarray, quantiles: int) -> _Held:
    x = np.where(np.isfinite(scores), scores, np.nan)
    bucket = buckets(ranks(x), quantiles)
    total = _by_bucket(bucket, weight, quantiles)
    whole = np.take_along_axis(
        np.hstack([np.zeros((len(x), 1)), total]), bucket.astype(np.intp), axis=1
    )
    share = np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 0.0)
    known = np.isfinite(x)
    n = known.sum(axis=1)
    mean = np.where(known, x, 0.0).sum(axis=1) / np.maximum(n, 1)
    tilt = np.where(known, x - mean[:, None], 0.0)
    gross = np.abs(tilt).sum(axis=1, keepdims=True)
    return _Held(bucket, share, tilt / np.where(gross > 0, gross, 1.0), n >= quantiles)


def _by_bucket(bucket: np.ndarray, values: np.ndarray, quantiles: int) -> np.ndarray:
    """Return the sum of each row's values by bucket, rows × quantiles."""
    rows = len(bucket)
    place = bucket + (quantiles + 1) * np.arange(rows)[:, None]
    total = np.bincount(place.ravel(), values.ravel(), minlength=rows * (quantiles + 1))
    return np.asarray(total.reshape(rows, quantiles + 1)[:, 1:])


def _moved(piece: _Held, quantiles: int) -> np.ndarray:
    """Return one-way turnover by bucket, summed over the steps from row to row."""
    before, after = piece.bucket[:-1], piece.bucket[1:]
    was, now = piece.share[:-1], piece.share[1:]
    stayed = before == after
    bought = np.where(stayed, np.abs(now - was), now)
    sold = np.where(stayed, 0.0, was)
    length = quantiles + 1
    total = np.bincount(after.ravel(), bought.ravel(), minlength=length)
    total += np.bincount(before.ravel(), sold.ravel(), minlength=length)
    return np.asarray(total[1:] / 2)


def ic_summary(ic: np.ndarray, *, horizon: int) -> dict[str, float]:
    """Return mean, deviation, ICIR and t-value of a daily series of ICs.

    The windows of neighboring days overlap, so the t-value allows for at least ``h - 1`` lags, and
    a year has 252 / h windows of their own.
    """
    known = ic[np.isfinite(ic)]
    n = len(known)
    mean = float(known.mean()) if n else float("nan")
    sd = float(known.std(ddof=1)) if n > 1 else float("nan")
    icir = mean / sd if sd > 0 else float("nan")
    return {
        "mean_ic": mean,
        "sd_ic": sd,
        "icir": icir,
        "icir_annual": icir * float(np.sqrt(YEAR / horizon)),
        "t_hac": hac_t(ic, lags=automatic_lags(n, least=horizon - 1)),
        "hit_rate": float((known > 0).mean()) if n else float("nan"),
        "observations": float(n),
    }


def ic_decay(
    scores: np.ndarray,
    returns: np.ndarray,
    *,
    horizon: int,
    lag: int = 1,
    method: str = "spearman",
) -> pd.DataFrame:
    """Return the IC on disjoint windows ever further ahead.

    Returns
    -------
    window, first_day, last_day (after the score), mean_ic, t_hac; twelve windows of ``horizon``
    """
    rows = []
    for window in range(WINDOWS):
        skip = window * horizon
        forward = forward_returns(returns, horizon=horizon, lag=lag, skip=skip)
        ic = information_coefficients(scores, forward, method=method)
        told = ic_summary(ic, horizon=horizon)
        first = lag + skip + 1
        rows.append((window + 1, first, first + horizon - 1, told["mean_ic"], told["t_hac"]))
    return pd.DataFrame(rows, columns=["window", "first_day", "last_day", "mean_ic", "t_hac"])


def half_life(days: np.ndarray, ic: np.ndarray) -> float:
    """Return after how many days an IC is half, by a least-squares line through ln |IC|.

    Only windows up to the first whose IC is missing or of the other sign count; NaN under three of
    them, and where it does not fall.
    """
    alike = np.isfinite(ic) & (np.sign(ic) == np.sign(ic[0])) & (ic != 0)
    stop = len(ic) if alike.all() else int((~alike).argmax())
    if stop < 3:
        return float("nan")
    slope = np.polyfit(days[:stop], np.log(np.abs(ic[:stop])), 1)[0]
    return float(-np.log(2) / slope) if slope < 0 else float("nan")


def rank_stability(scores: np.ndarray, *, days: int) -> np.ndarray:
    """Return each date's rank correlation of scores with those ``days`` before."""
    out = np.full(len(scores), np.nan)
    if days < len(scores):
        out[days:] = information_coefficients(scores[:-days], scores[days:])
    return out
