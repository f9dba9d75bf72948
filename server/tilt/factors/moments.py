"""Regressions of a block of dates from a few weighted sums.

Industry dummies are taken out as weighted group means (Frisch, Waugh 1933). A date's scores are
read where they lie, names in any order, each of two times for one product of a styles-wide matrix
with itself and for its sums by industry; the systems that follow are of the size of styles and
industries:

- ``G = Σ q x x'`` less the industries' part gives the style returns, the means the industry levels
- ``W = Σ q² u² x x'`` and its sums by industry give every HC1 variance as ``L C L'``
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tilt.errors import DataError
from tilt.factors.groups import Groups

COLLINEAR = (
    "The styles are collinear on at least one date. Take out the one that repeats the others."
)
AT_ONCE = 8  # dates: few enough for the processor's cache, enough that threads seldom meet
SINGULAR = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-5}  # of the largest eigenvalue


@dataclass(frozen=True, eq=False)
class Room:
    """Arrays that every block is worked in, of one thread.

    weighted : a few dates × assets × styles
    members  : by the number of dates, (dates, groups and none) × (dates, assets): an entry for each
        asset of a date, which takes its weight in the sum of its group
    """

    weighted: np.ndarray
    members: "Mapping[int, sp.csc_array]"

    @classmethod
    def of(cls, groups: Groups, days: int, styles: int, precise: np.dtype) -> "Room":
        """Return room for ``days``, a few at a time."""
        n, rows = len(groups.codes), len(groups.names) + 1
        row = np.where(groups.codes < 0, rows - 1, groups.codes)
        members = {}
        for few in {part.stop - part.start for part in _few(days)}:
            place = (row + rows * np.arange(few)[:, None]).ravel()
            entries = np.zeros(len(place), precise), place, np.arange(len(place) + 1)
            members[few] = sp.csc_array(entries, shape=(few * rows, few * n))
        return cls(np.empty((min(AT_ONCE, days), n, styles), precise), members)

    def square(self, x: np.ndarray, root: np.ndarray) -> np.ndarray:
        """Return dates × styles × styles: ``Σ w x x'``; ``root``, dates × assets, is ``√w``."""
        weighted = self.weighted[: len(x)]
        np.multiply(x, root[:, :, None], out=weighted)
        # of a matrix with itself only half is multiplied
        return np.asarray(np.swapaxes(weighted, 1, 2) @ weighted)

    def by_group(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return dates × groups × styles: ``Σ w x`` over each group; weights dates × assets."""
        days, n, styles = x.shape
        members = self.members[days]
        members.data[:] = weights.ravel()
        sums = members @ x.reshape(days * n, styles)
        return np.asarray(sums.reshape(days, -1, styles)[:, :-1])


@dataclass(frozen=True, eq=False)
class _Few:
    """The inputs of a few dates.

    x      : dates × assets × styles; what is missing is zero
    r      : dates × assets, the returns of those that are regressed, else zero
    root   : dates × assets, q = √cap of those that are regressed, else zero
    whole  : whether all are regressed
    scored : dates × assets with every style that the date has; None where all are
    """

    x: np.ndarray
    r: np.ndarray
    root: np.ndarray
    whole: bool
    scored: np.ndarray | None


@dataclass(frozen=True, eq=False)
class _Sums:
    """What the regressions of some dates need of their assets.

    n, total : by date, how many are regressed, and Σ q r²
    none     : dates × styles without any score
    gram     : dates × styles × styles, Σ q x x'
    cross    : dates × styles, Σ q x r
    x        : dates × groups × styles, by group Σ q x
    mass, r, cap : dates × groups, by group Σ q, Σ q r and Σ q²
    """

    n: np.ndarray
    total: np.ndarray
    none: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    x: np.ndarray
    mass: np.ndarray
    r: np.ndarray
    cap: np.ndarray

    @classmethod
    def empty(cls, days: int, groups: int, styles: int) -> "_Sums":
        return cls(
            np.empty(days, dtype=int),
            np.empty(days),
            np.zeros((days, styles), dtype=bool),
            np.empty((days, styles, styles)),
            np.empty((days, styles)),
            np.empty((days, groups, styles)),
            *np.empty((3, days, groups)),
        )


def regress(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    groups: Groups,
    room: Room,
    specific: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return factor returns, t-values and R2 of a block of dates; write specific returns.

    ``styles`` is dates × assets × styles; sums over assets are taken in its precision, the small
    systems in double precision. What is of the size of the assets is done for a few dates at a
    time, within the processor's cache; the small systems of all dates are solved together.
    ``specific``, dates × assets, is filled.
    """
    days, _, s = styles.shape
    sums = _Sums.empty(days, len(groups.names), s)
    inputs = [
        _summed(returns[part], styles[part], caps[part], estu[part], groups, room, sums, part)
        for part in _few(days)
    ]
    some = sums.mass > 0
    per_mass = 1 / np.where(some, sums.mass, 1.0)
    x_mean, r_mean = sums.x * per_mass[:, :, None], sums.r * per_mass
    k = 1 + len(groups.names) + s - sums.none.sum(axis=1)
    enough = sums.n >= np.maximum(30, 2 * k)
    x_sums = np.swapaxes(sums.x, 1, 2)
    inner = sums.gram - x_sums @ x_mean
    cross = sums.cross[:, :, None] - x_sums @ r_mean[:, :, None]
    inverse = _inverse(inner, sums.none, enough, SINGULAR[styles.dtype])

    f_style = inverse @ cross
    level = r_mean - (x_mean @ f_style)[:, :, 0]
    share = sums.cap / np.where(enough, sums.cap.sum(axis=1), 1.0)[:, None]
    f_market = (share * level).sum(axis=1)[:, None]
    f_industry = np.where(some, level - f_market, np.nan)
    f = np.concatenate([f_market, f_industry, f_style[:, :, 0]], axis=1)

    levels = np.concatenate([f_market + f_industry, f_market], axis=1)  # last, of no industry
    left = _Left.empty(days, len(groups.names), s)
    for few, part in zip(inputs, _few(days), strict=True):
        fitted = _explain(few, f_style[part], levels[part], groups, room, left, part)
        np.subtract(returns[part], fitted, out=specific[part])
    degrees = np.maximum(sums.n - (k - 1 - (~some).sum(axis=1)), 1)
    variance = _variances(left, inverse, x_mean, per_mass, share)
    variance *= (sums.n / degrees)[:, None]
    t = f / np.sqrt(np.where(variance > 0, variance, np.nan))
    r2 = 1 - left.squares / np.where(sums.total > 0, sums.total, np.nan)
    f[:, len(f[0]) - s :][sums.none] = t[:, len(t[0]) - s :][sums.none] = np.nan
    f[~enough], t[~enough], r2[~enough], specific[~enough] = np.nan, np.nan, np.nan, np.nan
    return f, t, r2


def _few(days: int) -> Iterator[slice]:
    """Return the days, a few at a time."""
    return (slice(start, min(start + AT_ONCE, days)) for start in range(0, days, AT_ONCE))


def _summed(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    groups: Groups,
    room: Room,
    sums: _Sums,
    part: slice,
) -> _Few:
    """Return the inputs of a few dates; write their sums to ``part`` of ``sums``."""
    use = estu & np.isfinite(returns) & (caps > 0) & (groups.codes >= 0)
    x, scored = styles, None
    if not np.isfinite(x).all():
        x, scored, sums.none[part] = _without_gaps(x)
        use &= scored
    whole = bool(use.all())
    r = returns if whole else np.where(use, returns, 0.0)
    root = np.sqrt(caps if whole else np.where(use, caps, 0.0))
    q, weighted = root.astype(x.dtype), root * r
    sums.n[part] = use.shape[1] if whole else use.sum(axis=1)
    sums.total[part] = np.vecdot(weighted, r)
    sums.gram[part] = room.square(x, np.sqrt(q))
    sums.cross[part] = (weighted.astype(x.dtype)[:, None] @ x)[:, 0]
    sums.x[part] = room.by_group(x, q)
    sums.mass[part], sums.r[part] = groups.sums(root), groups.sums(weighted)
    sums.cap[part] = groups.sums(root * root)
    return _Few(x, r, root, whole, scored)


def _without_gaps(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the scores with zeros for what is missing, who has all, and which nobody has.

    Who lacks a score that another has has zeros only.
    """
    days, _, s = x.shape
    small = np.full((s, 1), 1e-30, x.dtype)  # so that the sum of what is finite is finite
    scored = np.isfinite((x @ small)[:, :, 0])
    none = np.zeros((days, s), dtype=bool)
    x = x.copy()
    for day in np.flatnonzero(~scored.any(axis=1)):
        known = np.isfinite(x[day])
        none[day] = ~known.any(axis=0)
        scored[day] = (known | none[day]).all(axis=1)
        x[day, ~known] = 0.0
    x[~scored] = 0.0
    return x, scored, none


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
    """What the factors leave of the returns of some dates, in sums.

    squares : by date, Σ q u²
    meat    : dates × styles × styles, Σ q² u² x x'
    apart   : dates × groups × styles, by group Σ q² u² x
    alone   : dates × groups, by group Σ q² u²
    """

    squares: np.ndarray
    meat: np.ndarray
    apart: np.ndarray
    alone: np.ndarray

    @classmethod
    def empty(cls, days: int, groups: int, styles: int) -> "_Left":
        return cls(
            np.empty(days),
            np.empty((days, styles, styles)),
            np.empty((days, groups, styles)),
            np.empty((days, groups)),
        )


def _explain(
    few: _Few,
    f_style: np.ndarray,
    levels: np.ndarray,
    groups: Groups,
    room: Room,
    left: _Left,
    part: slice,
) -> np.ndarray:
    """Return what the factors explain, NaN where not scored; write sums to ``part`` of ``left``.

    ``levels`` is dates × (groups, none): the return of market and industry.
    """
    precise = few.x.dtype
    fitted = np.take(levels, groups.codes, axis=1, mode="wrap")  # no group is -1: the last
    fitted += (few.x @ f_style.astype(precise))[:, :, 0].astype(float, copy=False)
    u = few.r - fitted
    if not few.whole:
        u[few.root == 0] = 0.0
    noise = few.root * u
    left.squares[part] = np.vecdot(noise, u)
    seen = noise.astype(precise)
    left.meat[part] = room.square(few.x, seen)
    left.apart[part] = room.by_group(few.x, seen * seen)
    left.alone[part] = groups.sums(noise * noise)
    if few.scored is not None:
        fitted[~few.scored] = np.nan
    return fitted


def _variances(
    left: _Left, inverse: np.ndarray, x_mean: np.ndarray, per_mass: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Return the variances of the factor returns, dates × factors.

    Every factor return is a combination ``L`` of the weighted industry means and the style returns;
    so its variance is ``L C L'`` with C the covariance of those.
    """
    around = left.apart - left.alone[:, :, None] * x_mean
    meat = left.meat - np.swapaxes(x_mean, 1, 2) @ left.apart
    meat -= np.swapaxes(around, 1, 2) @ x_mean
    of_styles = inverse @ meat @ inverse
    of_means = left.alone * per_mass**2
    between = around @ inverse * per_mass[:, :, None]
    # the levels' covariance is diag(of_means) + mVm' - mC' - Cm', with m the means, C ``between``
    middle = x_mean @ of_styles - between
    own = of_means + (x_mean * (middle - between)).sum(axis=2)
    lean, tied = share[:, None] @ x_mean, share[:, None] @ between
    with_market = of_means * share + (middle @ np.swapaxes(lean, 1, 2))[:, :, 0]
    with_market -= (x_mean @ np.swapaxes(tied, 1, 2))[:, :, 0]
    market = (share * with_market).sum(axis=1)
    industry = own - 2 * with_market + market[:, None]
    style = np.diagonal(of_styles, axis1=1, axis2=2)
    return np.concatenate([market[:, None], industry, style], axis=1)
