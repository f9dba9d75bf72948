"""From raw descriptors to exposures: outliers, scores, composites, gaps, neutral and orthogonal.

Arrays are dates × assets (one date is a row), NaN is missing, ``estu`` marks the estimation
universe and ``caps`` are market caps. Every row is computed from that row alone. The steps are
those of Menchero, Orr, Wang (2011), The Barra US Equity Model (USE4), section 2.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.factors.groups import Groups
from tilt.frames import Weights, require_assets

OUTLIER = 10.0  # robust deviations; beyond it a value is an error of the data, not information
NORMAL_MAD = 1.4826  # makes the median absolute deviation of a normal variable its sd
CLIP = 3.0  # standard deviations
LEAST_COVERAGE = 0.5  # of a composite's weight
LEAST_NAMES = 8  # of an industry that is scored against itself


def reject_outliers(x: np.ndarray, estu: np.ndarray) -> np.ndarray:
    """Return ``x`` with values over ten robust deviations from the median missing.

    The score is (x - median) / (1.4826 MAD) over the estimation universe. Where more than half of
    the values are equal the MAD is zero, and nothing is rejected.
    """
    x = np.where(np.isfinite(x), x, np.nan)
    seen = np.where(estu, x, np.nan)
    median = _median(seen)
    mad = _median(np.abs(seen - median))
    far = (np.abs(x - median) > OUTLIER * NORMAL_MAD * mad) & (mad > 0)
    return np.where(far, np.nan, x)


def clip(x: np.ndarray, estu: np.ndarray) -> np.ndarray:
    """Return ``x`` clipped to mean ± 3 sd of the estimation universe, in two passes."""
    for _ in range(2):
        mean, sd = _moments(x, estu)
        reach = CLIP * np.where(np.isfinite(sd), sd, np.inf)
        x = np.where(np.isfinite(mean), np.clip(x, mean - reach, mean + reach), x)
    return x


def winsorize(
    x: np.ndarray, estu: np.ndarray, *, low: float = 1.0, high: float = 99.0
) -> np.ndarray:
    """Return ``x`` clipped to percentiles of the estimation universe."""
    seen = np.where(estu & np.isfinite(x), x, np.nan)
    known = np.isfinite(seen).any(axis=-1)
    out = x.copy()
    if known.any():
        bounds = np.nanpercentile(seen[known], [low, high], axis=-1)
        out[known] = np.clip(x[known], bounds[0][:, None], bounds[1][:, None])
    return out


def variance_inflation(scores: np.ndarray) -> np.ndarray:
    """Return by column how much its variance is inflated by the others: 1 / (1 - R2).

    ``scores`` is assets × factors; rows with a gap are left out, and so are columns without any
    value. NaN for those and for a column that does not vary, infinite for one that the others give
    exactly.
    """
    some = np.flatnonzero(np.isfinite(scores).any(axis=0))
    x = scores[:, some]
    x = x[np.isfinite(x).all(axis=1)]
    out = np.full(scores.shape[1], np.nan)
    for at, column in enumerate(some):
        y = x[:, at] - x[:, at].mean() if len(x) else x[:, at]
        total = float(y @ y)
        if total <= 0:
            continue
        others = np.column_stack([np.ones(len(x)), np.delete(x, at, axis=1)])
        left = y - others @ np.linalg.lstsq(others, y, rcond=None)[0]
        share = float(left @ left) / total
        out[column] = 1 / share if share > 1e-12 else np.inf
    return out


def zscore(x: np.ndarray, caps: np.ndarray, estu: np.ndarray) -> np.ndarray:
    """Return ``x`` less its cap-weighted mean, by its equal-weighted sd, over ``estu``.

    The sd is about the equal-weighted mean, with n - 1. A row with no spread is missing.
    """
    seen = estu & np.isfinite(x) & np.isfinite(caps)
    weight = np.where(seen, caps, 0.0)
    mean = _ratio((weight * np.where(seen, x, 0.0)).sum(-1), weight.sum(-1))[..., None]
    _, sd = _moments(x, seen)
    return np.asarray((x - mean) / np.where(sd > 0, sd, np.nan))


def standardize(x: np.ndarray, caps: np.ndarray, estu: np.ndarray) -> np.ndarray:
    """Return the scores of one descriptor: outliers out, clipped, then z-scored."""
    return zscore(clip(reject_outliers(x, estu), estu), caps, estu)


def combine(scores: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted mean of the scores an asset has, if half of the weight is there.

    A negative weight turns a descriptor around: low debt is high quality.
    """
    total = np.zeros_like(scores[0])
    present = np.zeros_like(scores[0])
    for z, weight in zip(scores, weights, strict=True):
        seen = np.isfinite(z)
        total += weight * np.where(seen, z, 0.0)
        present += abs(weight) * seen
    enough = present >= LEAST_COVERAGE * sum(abs(w) for w in weights) - 1e-12
    return _ratio(np.where(enough, total, np.nan), present)


def impute(
    z: np.ndarray,
    size: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    sectors: Groups,
    *,
    scored: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fill missing scores with what the asset's sector and size suggest.

    The fit is a weighted least squares (weights √cap) of ``z`` on sector dummies and ``size`` over
    the estimation universe. A sector without an observation takes the fit of the whole market.

    Parameters
    ----------
    z, size, caps, estu : dates × assets
    scored : dates × assets, where a score is due; the rest stays missing

    Returns
    -------
    the filled scores, and where they were filled
    """
    seen = estu & np.isfinite(z) & np.isfinite(size)
    q = np.where(seen, np.sqrt(np.where(seen, caps, 0.0)), 0.0)
    y, x = np.where(seen, z, 0.0), np.where(seen, size, 0.0)
    weight = sectors.sums(q)
    mean_y = sectors.spread(_ratio(sectors.sums(q * y), weight))
    mean_x = sectors.spread(_ratio(sectors.sums(q * x), weight))
    all_y = _ratio((q * y).sum(-1), q.sum(-1))[..., None]
    all_x = _ratio((q * x).sum(-1), q.sum(-1))[..., None]
    own = np.isfinite(mean_y)
    within = _slope(q, y - np.where(seen & own, mean_y, 0), x - np.where(seen & own, mean_x, 0))
    across = _slope(q, y - np.where(seen, all_y, 0.0), x - np.where(seen, all_x, 0.0))
    fitted = np.where(own, mean_y + within * (size - mean_x), all_y + across * (size - all_x))
    gap = scored & ~np.isfinite(z)
    filled = np.where(gap, fitted, np.where(scored, z, np.nan))
    return filled, gap & np.isfinite(fitted)


def neutralize(
    z: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    industries: Groups,
    parents: Groups | None = None,
) -> np.ndarray:
    """Return scores against the asset's own industry, z-scored again.

    Subtracts the cap-weighted mean of the industry and divides by its sd. An industry with under
    eight names in the estimation universe is scored against its sector (``parents``), and where
    that has under eight too, against the market.
    """
    seen = estu & np.isfinite(z) & np.isfinite(caps)
    weight, y = np.where(seen, caps, 0.0), np.where(seen, z, 0.0)
    whole = _ratio((weight * y).sum(-1), weight.sum(-1))[..., None]
    _, market_sd = _moments(z, seen)
    score = (z - whole) / np.where(market_sd > 0, market_sd, np.nan)
    for groups in (parents, industries):
        if groups is not None:
            own, within = _within(z, caps, seen, groups)
            score = np.where(own, within, score)
    return zscore(score, caps, estu)


def _within(
    z: np.ndarray, caps: np.ndarray, seen: np.ndarray, groups: Groups
) -> tuple[np.ndarray, np.ndarray]:
    """Return where an asset's group has eight names that differ, and its score against them."""
    y, weight, ones = np.where(seen, z, 0.0), np.where(seen, caps, 0.0), seen.astype(float)
    count = groups.sums(ones)
    mean = _ratio(groups.sums(weight * y), groups.sums(weight))
    center = groups.spread(_ratio(groups.sums(y), count))
    sd = np.sqrt(_ratio(groups.sums(np.where(seen, (z - center) ** 2, 0.0)), count - 1))
    own = (groups.spread(count, outside=0.0) >= LEAST_NAMES) & (groups.spread(sd) > 0)
    return own, (z - groups.spread(mean)) / np.where(own, groups.spread(sd), 1.0)


def orthogonalize(
    z: np.ndarray, others: Sequence[np.ndarray], caps: np.ndarray, estu: np.ndarray
) -> np.ndarray:
    """Return what the other scores do not explain of ``z``, z-scored again.

    The residual of a weighted least squares (weights √cap, with a constant) over ``estu``.

    Raises
    ------
    DataError
        If the other scores are collinear, so that the residual is not defined.
    """
    x = np.stack([np.ones_like(z), *others], axis=-1)  # dates × assets × regressors
    seen = estu & np.isfinite(z) & np.isfinite(x).all(-1)
    q = np.where(seen, np.sqrt(np.where(seen, caps, 0.0)), 0.0)
    x_seen, y = np.where(seen[..., None], x, 0.0), np.where(seen, z, 0.0)
    weighted = np.swapaxes(x_seen * q[..., None], -1, -2)
    gram = weighted @ x_seen
    some = seen.any(-1)
    gram[~some] = np.eye(x.shape[-1])
    spread = np.linalg.eigvalsh(gram)
    if (spread[..., 0] <= 1e-12 * spread[..., -1]).any():
        raise DataError(
            "The scores to orthogonalize against are collinear on at least one date. "
            "Take out the one that repeats another."
        )
    slope = np.linalg.solve(gram, weighted @ y[..., None])
    residual: np.ndarray = z - (x @ slope)[..., 0]
    return zscore(residual, caps, estu)


def exposures(
    descriptors: pd.DataFrame,
    caps: Weights,
    composites: Mapping[str, Mapping[str, float]],
    *,
    members: pd.Series | None = None,
) -> pd.DataFrame:
    """Score one date's descriptors and combine them into factors.

    Parameters
    ----------
    descriptors : assets × descriptors, raw; NaN is missing
    caps : by asset, positive
    composites : by factor, the weights of its descriptors
    members : by asset, True in the estimation universe; all assets when left out

    Returns
    -------
    assets × factors, z-scores; NaN where under half of a factor's weight is known

    Raises
    ------
    ArgumentError
        If a factor names a descriptor that is not given.
    DataError
        If an asset has no market cap.
    """
    cap = require_assets(caps, descriptors.index, "caps").to_numpy(dtype=float)[None]
    estu = np.ones_like(cap, dtype=bool)
    if members is not None:
        estu = descriptors.index.isin(members.index[members.astype(bool)])[None]
    columns: dict[str, np.ndarray] = {}
    for factor, weights in composites.items():
        unknown = [d for d in weights if d not in descriptors.columns]
        if unknown:
            raise ArgumentError(
                f"Factor '{factor}' needs descriptor '{unknown[0]}'. "
                f"Given are {', '.join(map(str, descriptors.columns))}."
            )
        scores = [
            standardize(descriptors[d].to_numpy(dtype=float)[None], cap, estu) for d in weights
        ]
        columns[factor] = composite(scores, list(weights.values()), cap, estu)[0]
    return pd.DataFrame(columns, index=descriptors.index)


def composite(
    scores: Sequence[np.ndarray], weights: Sequence[float], caps: np.ndarray, estu: np.ndarray
) -> np.ndarray:
    """Return the combined scores, z-scored again."""
    return zscore(combine(scores, weights), caps, estu)


def _median(x: np.ndarray) -> np.ndarray:
    """Return the median of each row's values as a column; NaN for a row without values."""
    ordered = np.sort(x, axis=-1)  # NaN last
    n = np.isfinite(x).sum(-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(n - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(n // 2, x.shape[-1] - 1), axis=-1)
    return np.where(n > 0, (low + high) / 2, np.nan)


def _moments(x: np.ndarray, estu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the equal-weighted mean and sd (n - 1) of each row over ``estu``, as columns."""
    seen = estu & np.isfinite(x)
    n = seen.sum(-1, keepdims=True).astype(float)
    mean = _ratio(np.where(seen, x, 0.0).sum(-1, keepdims=True), n)
    squares = np.where(seen, (x - mean) ** 2, 0.0).sum(-1, keepdims=True)
    return mean, np.sqrt(_ratio(squares, n - 1))


def _slope(q: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the weighted slope of ``y`` on ``x``, both centered, as a column; 0 with no spread."""
    spread = (q * x * x).sum(-1)
    return np.where(spread > 0, _ratio((q * x * y).sum(-1), spread), 0.0)[..., None]


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.where(below > 0, below, np.nan)
