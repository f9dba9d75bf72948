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

    z, weighted : dates × (styles, 1, return) × assets
    scores      : dates × assets × styles
    """

    z: np.ndarray
    weighted: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, days: int, assets: int, styles: int, precise: np.dtype) -> "Room":
        wide = (days, styles + 2, assets)
        return cls(
            np.empty(wide, precise),
            np.empty(wide, precise),
            np.empty((days, assets, styles), precise),
        )


@dataclass(frozen=True, eq=False)
class _Block:
    """The inputs of some dates in the layout's order, what is missing or unused set to zero.

    z       : dates × (styles, 1, return) × assets
    scored  : dates × assets with every style that the date has
    used    : of those, the ones that are regressed
    none    : dates × styles without any score
    """

    z: np.ndarray
    scored: np.ndarray
    used: np.ndarray
    none: np.ndarray
    returns: np.ndarray
    cap: np.ndarray


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
    systems in double precision.
    """
    block = _opened(returns, styles, caps, estu, layout, room)
    n, s = block.used.sum(axis=1), styles.shape[2]
    q = np.sqrt(block.cap)
    weighted = room.weighted[: len(styles)]
    np.multiply(block.z, q.astype(block.z.dtype)[:, None, :], out=weighted)
    gram = (weighted @ np.swapaxes(block.z, 1, 2)).astype(float)
    sums = layout.sums(weighted)
    mass = sums[:, s]
    some = mass > 0
    mean = sums / np.where(some, mass, 1.0)[:, None, :]
    x_mean, r_mean = mean[:, :s], mean[:, s + 1]
    k = 1 + len(layout.starts) + s - block.none.sum(axis=1)
    enough = n >= np.maximum(30, 2 * k)
    inner = gram[:, :s, :s] - x_mean @ np.swapaxes(sums[:, :s], 1, 2)
    cross = gram[:, :s, s + 1] - (sums[:, :s] @ r_mean[:, :, None])[:, :, 0]
    inverse = _inverse(inner, block.none, enough, SINGULAR[block.z.dtype])

    f_style = (inverse @ cross[:, :, None])[:, :, 0]
    level = r_mean - (f_style[:, None, :] @ x_mean)[:, 0]
    share = layout.sums(block.cap)
    share = share / np.where(enough, share.sum(axis=1), 1.0)[:, None]
    f_market = (share * level).sum(axis=1)
    f_industry = np.where(some, level - f_market[:, None], np.nan)
    f = np.concatenate([f_market[:, None], f_industry, f_style], axis=1)

    u = block.returns - (f_style[:, None, :].astype(block.z.dtype) @ block.z[:, :s])[:, 0]
    u -= f_market[:, None] + layout.spread(f_industry)
    seen_u = np.where(block.used, u, 0.0)
    degrees = np.maximum(n - (k - 1 - (~some).sum(axis=1)), 1)
    noise = (q * seen_u) ** 2
    variance = _variances(block.z, noise, weighted, inverse, x_mean, mass, share, layout)
    variance *= (n / degrees)[:, None]
    t = f / np.sqrt(np.where(variance > 0, variance, np.nan))
    total = block.cap * np.where(block.used, block.returns, 0.0) ** 2 / np.where(q > 0, q, 1.0)
    total = total.sum(axis=1)
    r2 = 1 - (q * seen_u**2).sum(axis=1) / np.where(total > 0, total, np.nan)
    u[~block.scored] = np.nan
    f[:, len(f[0]) - s :][block.none] = t[:, len(t[0]) - s :][block.none] = np.nan
    f[~enough], t[~enough], r2[~enough], u[~enough] = np.nan, np.nan, np.nan, np.nan
    back = np.empty_like(u)
    back[:, layout.order] = u
    return f, t, r2, back


def _opened(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    layout: Layout,
    room: Room,
) -> _Block:
    order = layout.order
    days, s = len(styles), styles.shape[2]
    z, scores = room.z[:days], room.scores[:days]
    x = z[:, :s]
    np.take(styles, order, axis=1, out=scores, mode="clip")  # the only mode without a copy
    x[:] = np.swapaxes(scores, 1, 2)
    r, cap = returns[:, order], caps[:, order]
    none = np.zeros((days, s), dtype=bool)
    scored = np.isfinite((np.ones((1, s), dtype=z.dtype) @ x)[:, 0])
    if not scored.all():  # look closer; a gap makes its sum no number
        known = np.isfinite(x)
        none = ~known.any(axis=2)
        scored = (known | none[:, :, None]).all(axis=1)
        x[~(scored[:, None, :] & known)] = 0.0
    used = estu[:, order] & scored & np.isfinite(r) & (cap > 0) & (layout.codes >= 0)
    z[:, s] = 1.0
    z[:, s + 1] = np.where(used, r, 0.0)
    return _Block(z, scored, used, none, r, np.where(used, cap, 0.0))


def _inverse(
    inner: np.ndarray, none: np.ndarray, enough: np.ndarray, singular: float
) -> np.ndarray:
    """Return the inverses, zero in the rows and columns of styles that a date does not have."""
    one = np.eye(inner.shape[1])
    inner = np.where(enough[:, None, None], inner, one) + none[:, :, None] * one
    eigenvalues = np.linalg.eigvalsh(inner)
    if (eigenvalues[:, :1] <= singular * eigenvalues[:, -1:]).any():
        raise DataError(
            "The styles are collinear on at least one date. "
            "Take out the one that repeats the others."
        )
    return np.where(none[:, :, None], 0.0, np.linalg.inv(inner))


def _variances(
    z: np.ndarray,
    noise: np.ndarray,
    weighted: np.ndarray,
    inverse: np.ndarray,
    x_mean: np.ndarray,
    mass: np.ndarray,
    share: np.ndarray,
    layout: Layout,
) -> np.ndarray:
    """Return the variances of the factor returns, dates × factors.

    ``noise`` is ``q² u²`` and ``weighted`` is room to work in. Every factor return is a
    combination ``L`` of the weighted industry means and the style returns; so its variance is
    ``L C L'`` with C the covariance of those.
    """
    s = z.shape[1] - 2
    z, weighted = z[:, : s + 1], weighted[:, : s + 1]
    np.multiply(z, noise.astype(z.dtype)[:, None, :], out=weighted)
    sums = layout.sums(weighted)
    apart, alone = sums[:, :s], sums[:, s]  # styles × industries; industries
    meat = (weighted[:, :s] @ np.swapaxes(z[:, :s], 1, 2)).astype(float)
    to_mean = x_mean @ np.swapaxes(apart, 1, 2)
    meat += (x_mean * alone[:, None, :]) @ np.swapaxes(x_mean, 1, 2)
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
