"""Regressions of a block of dates from a few weighted sums.

Industry dummies are taken out as weighted group means (Frisch, Waugh 1933). A date's scores are
read twice, each time for one product of a styles-wide matrix with itself and for its sums by
industry; everything else is of the size of styles and industries:

- ``G = Σ q x x'`` less the industries' part gives the style returns, the means the industry levels
- ``W = Σ q² u² x x'`` and its sums by industry give every HC1 variance as ``L C L'``
"""

from dataclasses import dataclass

import numpy as np

from tilt.errors import DataError
from tilt.factors.groups import Groups

COLLINEAR = (
    "The styles are collinear on at least one date. Take out the one that repeats the others."
)
AT_ONCE = 4  # dates: few enough for the processor's cache, enough that threads seldom meet
SINGULAR = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-5}  # of the largest eigenvalue


@dataclass(frozen=True, eq=False)
class Layout:
    """Assets in the order of their groups, so that a group is a slice.

    order  : by place, the asset; those without a group come first
    starts : of the groups, by place
    codes  : by place, the group
    """

    order: np.ndarray
    starts: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, groups: Groups) -> "Layout":
        order = np.argsort(groups.codes, kind="stable")
        codes = groups.codes[order]
        return cls(order, np.searchsorted(codes, np.arange(len(groups.names))), codes)

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return ... × groups, in double precision: the sums over ... × assets."""
        if not len(self.starts):
            return np.zeros((*x.shape[:-1], 0))
        return np.add.reduceat(x, self.starts, axis=-1).astype(float, copy=False)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return ... × assets: each asset's group value, 0 where it has no group."""
        edge = np.zeros((*values.shape[:-1], 1))
        return np.take(np.concatenate([values, edge], axis=-1), self.codes, axis=-1)


@dataclass(frozen=True, eq=False)
class Room:
    """Arrays that every block is worked in; to ask the system for new ones took half the time.

    z        : dates × (styles, return) × assets
    weighted : a few dates × (styles, return, 1) × assets, of those that are worked on
    scores   : a few dates × assets × styles, of those
    """

    z: np.ndarray
    weighted: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, days: int, assets: int, styles: int, precise: np.dtype) -> "Room":
        return cls(
            np.empty((days, styles + 1, assets), precise),
            np.empty((AT_ONCE, styles + 2, assets), precise),
            np.empty((AT_ONCE, assets, styles), precise),
        )


@dataclass(frozen=True, eq=False)
class _Block:
    """The inputs of some dates in the layout's order, and their weighted sums.

    z      : dates × (styles, return) × assets; what is missing or unused is zero
    root   : dates × assets, √cap of those that are regressed, else zero
    scored : dates × assets with every style that the date has; None where all are
    none   : dates × styles without any score
    gram   : dates × styles × (styles, return), Σ q x x' and Σ q x r
    sums   : dates × (styles, return, 1) × groups, by group Σ q x, Σ q r and Σ q
    """

    z: np.ndarray
    root: np.ndarray
    scored: np.ndarray | None
    none: np.ndarray
    gram: np.ndarray
    sums: np.ndarray


def regress(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    layout: Layout,
    room: Room,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return factor returns, t-values, R2 and specific returns of a block of dates.

    ``styles`` is dates × assets × styles; sums over assets are taken in its precision, the small
    systems in double precision. What is of the size of the scores is done for a few dates at a
    time, within the processor's cache; the small systems of all dates are solved together.
    """
    block = _summed(returns, styles, caps, estu, layout, room)
    s = styles.shape[2]
    n = (block.root > 0).sum(axis=1)
    mass = block.sums[:, s + 1]
    some = mass > 0
    mean = block.sums / np.where(some, mass, 1.0)[:, None, :]
    x_mean, r_mean = mean[:, :s], mean[:, s]
    k = 1 + len(layout.starts) + s - block.none.sum(axis=1)
    enough = n >= np.maximum(30, 2 * k)
    x_sums = block.sums[:, :s]
    inner = block.gram[:, :, :s] - x_mean @ np.swapaxes(x_sums, 1, 2)
    cross = block.gram[:, :, s] - (x_sums @ r_mean[:, :, None])[:, :, 0]
    inverse = _inverse(inner, block.none, enough, SINGULAR[block.z.dtype])

    f_style = (inverse @ cross[:, :, None])[:, :, 0]
    level = r_mean - (f_style[:, None, :] @ x_mean)[:, 0]
    share = layout.sums(block.root**2)
    share = share / np.where(enough, share.sum(axis=1), 1.0)[:, None]
    f_market = (share * level).sum(axis=1)
    f_industry = np.where(some, level - f_market[:, None], np.nan)
    f = np.concatenate([f_market[:, None], f_industry, f_style], axis=1)

    left = _left(block, f_style, f_market[:, None] + layout.spread(f_industry), layout, room)
    degrees = np.maximum(n - (k - 1 - (~some).sum(axis=1)), 1)
    variance = _variances(left, inverse, x_mean, mass, share)
    variance *= (n / degrees)[:, None]
    t = f / np.sqrt(np.where(variance > 0, variance, np.nan))
    r2 = 1 - left.squares / np.where(left.total > 0, left.total, np.nan)
    f[:, len(f[0]) - s :][block.none] = t[:, len(t[0]) - s :][block.none] = np.nan
    f[~enough], t[~enough], r2[~enough], left.fitted[~enough] = np.nan, np.nan, np.nan, np.nan
    u = np.empty_like(left.fitted)
    u[:, layout.order] = left.fitted
    return f, t, r2, np.subtract(returns, u, out=u)


def _summed(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    layout: Layout,
    room: Room,
) -> _Block:
    days, n, s = styles.shape
    order = layout.order
    use = estu & np.isfinite(returns) & (caps > 0)
    z = room.z[:days]
    z[:, s] = np.where(use, returns, 0.0)[:, order]
    root = np.sqrt(np.where(use, caps, 0.0))[:, order]
    root[:, layout.codes < 0] = 0.0
    none = np.zeros((days, s), dtype=bool)
    gram = np.empty((days, s, s + 1))
    sums = np.empty((days, s + 2, len(layout.starts)))
    scored = None
    for start in range(0, days, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, days))
        count = part.stop - start
        weighted, scores = room.weighted[:count], room.scores[:count]
        np.take(styles[part], order, axis=1, out=scores, mode="clip")  # no copy in that mode
        np.copyto(z[part, :s], np.swapaxes(scores, 1, 2))
        gram[part] = _gram(z[part], root[part], weighted)
        gaps = ~np.isfinite(gram[part]).all(axis=(1, 2))  # a gap is in every sum that it is in
        if gaps.any():
            if scored is None:
                scored = np.ones((days, n), dtype=bool)
            for day in start + np.flatnonzero(gaps):
                scored[day], none[day] = _without_gaps(z[day, :s])
                root[day, ~scored[day]] = 0.0
            gram[part] = _gram(z[part], root[part], weighted)
        sums[part] = layout.sums(weighted)
    return _Block(z, root, scored, none, gram, sums)


def _gram(z: np.ndarray, root: np.ndarray, weighted: np.ndarray) -> np.ndarray:
    """Return by date ``Σ q x (x, r)'``; ``weighted`` holds the terms of the sums by group after."""
    weighted[:, -1] = root
    np.multiply(z, weighted[:, -1:], out=weighted[:, :-1])
    return np.asarray(weighted[:, : z.shape[1] - 1] @ np.swapaxes(z, 1, 2))


def _without_gaps(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Set to zero what is not scored; return which assets are, and which styles nobody has."""
    known = np.isfinite(x)
    none = ~known.any(axis=1)
    scored = (known | none[:, None]).all(axis=0)
    x[~(scored & known)] = 0.0
    return scored, none


def _inverse(
    inner: np.ndarray, none: np.ndarray, enough: np.ndarray, singular: float
) -> np.ndarray:
    """Return the inverses, zero in the rows and columns of styles that a date does not have."""
    one = np.eye(inner.shape[1])
    inner = np.where(enough[:, None, None], inner, one) + none[:, :, None] * one
    try:
        inverse = np.linalg.inv(inner)
    except np.linalg.LinAlgError as error:
        raise DataError(COLLINEAR) from error
    # the product of the norms is never below the ratio of the eigenvalues: look closer beyond
    bound = np.abs(inner).sum(axis=1).max(axis=1) * np.abs(inverse).sum(axis=1).max(axis=1)
    doubtful = ~(bound < 1 / singular)
    if doubtful.any():
        eigenvalues = np.linalg.eigvalsh(inner[doubtful])
        if (eigenvalues[:, :1] <= singular * eigenvalues[:, -1:]).any():
            raise DataError(COLLINEAR)
    return np.where(none[:, :, None], 0.0, inverse)


@dataclass(frozen=True, eq=False)
class _Left:
    """What the factors explain of the returns of some dates, and the sums that t-values need.

    fitted         : dates × assets, NaN where not scored
    squares, total : by date, Σ q u² and Σ q r²
    meat           : dates × styles × styles, Σ q² u² x x'
    apart, alone   : dates × (styles ×) groups, by group Σ q² u² x and Σ q² u²
    """

    fitted: np.ndarray
    squares: np.ndarray
    total: np.ndarray
    meat: np.ndarray
    apart: np.ndarray
    alone: np.ndarray


def _left(
    block: _Block, f_style: np.ndarray, levels: np.ndarray, layout: Layout, room: Room
) -> _Left:
    """``levels`` is dates × assets: the return of market and industry, NaN without an industry."""
    days, s = f_style.shape
    slopes = f_style.astype(block.z.dtype)
    r, root = block.z[:, s], block.root
    fitted = levels
    for start in range(0, days, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        fitted[part] += (slopes[part, None, :] @ block.z[part, :s])[:, 0]
    u = np.where(root > 0, r - fitted, 0.0)
    noise = root * u
    squares = np.einsum("tn,tn->t", noise, u)
    noise *= noise
    seen = noise.astype(block.z.dtype, copy=False)
    meat = np.empty((days, s, s))
    apart = np.empty((days, s, len(layout.starts)))
    for start in range(0, days, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        x = block.z[part, :s]
        weighted = room.weighted[: len(x), :s]
        np.multiply(x, seen[part, None, :], out=weighted)
        meat[part] = weighted @ np.swapaxes(x, 1, 2)
        apart[part] = layout.sums(weighted)
    if block.scored is not None:
        fitted[~block.scored] = np.nan
    total = np.einsum("tn,tn,tn->t", root, r, r)
    return _Left(fitted, squares, total, meat, apart, layout.sums(noise))


def _variances(
    left: _Left, inverse: np.ndarray, x_mean: np.ndarray, mass: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Return the variances of the factor returns, dates × factors.

    Every factor return is a combination ``L`` of the weighted industry means and the style returns;
    so its variance is ``L C L'`` with C the covariance of those.
    """
    apart, alone = left.apart, left.alone
    to_mean = x_mean @ np.swapaxes(apart, 1, 2)
    meat = left.meat + (x_mean * alone[:, None, :]) @ np.swapaxes(x_mean, 1, 2)
    meat -= to_mean + np.swapaxes(to_mean, 1, 2)
    of_styles = inverse @ meat @ inverse
    per_mass = 1 / np.where(mass > 0, mass, 1.0)
    of_means = alone * per_mass**2
    between = inverse @ (apart - x_mean * alone[:, None, :]) * per_mass[:, None, :]
    # the levels' covariance is diag(of_means) + m'Vm - m'C - C'm, with m the means, C ``between``
    middle = of_styles @ x_mean - between
    own = of_means + (x_mean * (middle - between)).sum(axis=1)
    lean = (x_mean @ share[:, :, None])[:, :, 0]
    tied = (between @ share[:, :, None])[:, :, 0]
    with_market = of_means * share + (lean[:, None, :] @ middle)[:, 0]
    with_market -= (tied[:, None, :] @ x_mean)[:, 0]
    market = (share * with_market).sum(axis=1)
    industry = own - 2 * with_market + market[:, None]
    style = np.diagonal(of_styles, axis1=1, axis2=2)
    return np.concatenate([market[:, None], industry, style], axis=1)
