"""Cross-sectional regressions: what each factor returned in a day, and how surely.

The model is ``r = 1 f_c + D f_I + S f_S + u`` with weights ``q = √cap`` and the cap-weighted
industry returns summing to zero (Menchero, Orr, Wang 2011, USE4, section 3; Heston, Rouwenhorst
1994). `cross_section` is the textbook algebra of one date; `cross_sections` does all dates at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.factors.groups import Groups
from tilt.frames import Exposures, Weights, require_assets

MARKET = "Market"
HUBER = 1.345  # 95 % efficient where residuals are normal
NORMAL_QUARTILE = 0.6744897501960817
THIN = 5.0  # effective names under which an industry is merged into its parent
CHUNK = 64  # dates at once: large enough for numpy, small enough for the cache


@dataclass(frozen=True, eq=False)
class CrossSection:
    """One date's regression.

    factor_returns, t_values : by factor, heteroscedasticity-consistent (HC1)
    r2                       : 1 - Σ q u² / Σ q r², uncentered
    specific_returns         : by asset
    pure                     : factors × assets, the pure factor portfolios: f = P r
    """

    factor_returns: "pd.Series[float]"
    t_values: "pd.Series[float]"
    r2: float
    specific_returns: "pd.Series[float]"
    pure: pd.DataFrame


@dataclass(frozen=True, eq=False)
class CrossSections:
    """All dates' regressions: dates × factors, by date, dates × assets; NaN where not possible."""

    factors: tuple[str, ...]
    factor_returns: np.ndarray
    t_values: np.ndarray
    r2: np.ndarray
    specific_returns: np.ndarray


def least_assets(factors: int) -> int:
    """Return how many assets a regression on so many factors needs: max(30, 2K)."""
    return max(30, 2 * factors)


def cross_section(
    returns: "pd.Series[float]",
    styles: Exposures,
    caps: Weights,
    industries: "pd.Series[str]",
) -> CrossSection:
    """Regress one period's returns on market, industries and styles.

    Parameters
    ----------
    returns : by asset, over (t-1, t], decimal
    styles : assets × styles, z-scores known at t-1
    caps : by asset, market caps known at t-1
    industries : by asset

    Returns
    -------
    the factors are ``Market``, the industries in alphabetical order, the styles

    Raises
    ------
    DataError
        If an asset lacks a value, there are under max(30, 2K) assets, or styles are collinear.
    """
    assets = styles.index
    r = require_assets(returns, assets, "returns").to_numpy(dtype=float)
    A, P, names = _design(styles, caps, industries)
    q = np.sqrt(caps.reindex(assets).to_numpy(dtype=float))
    n, k = A.shape
    f = P @ r
    u = r - A @ f
    variance = (P**2) @ (u**2) * n / (n - (k - 1))
    return CrossSection(
        factor_returns=pd.Series(f, index=names),
        t_values=pd.Series(f / np.sqrt(np.where(variance > 0, variance, np.nan)), index=names),
        r2=float(1 - (q * u**2).sum() / (q * r**2).sum()),
        specific_returns=pd.Series(u, index=assets),
        pure=pd.DataFrame(P, index=names, columns=assets),
    )


def robust_section(
    returns: "pd.Series[float]",
    styles: Exposures,
    caps: Weights,
    industries: "pd.Series[str]",
) -> CrossSection:
    """Regress as `cross_section` does, with less weight on extreme returns (Huber 1964).

    Weights √cap times min(1, 1.345 s / |u|), s the median absolute residual by 0.6745, iterated
    until they stand still. The caps of the constraint stay as they are; R2 is of these weights.

    Raises
    ------
    DataError
        As `cross_section`, and where it does not come to rest in 200 steps.
    """
    assets = styles.index
    r = require_assets(returns, assets, "returns").to_numpy(dtype=float)
    root = np.sqrt(require_assets(caps, assets, "caps").to_numpy(dtype=float))
    trust = np.ones(len(assets))
    for _ in range(200):
        A, P, names = _design(styles, caps, industries, trust=trust)
        u = r - A @ (P @ r)
        scale = float(np.median(np.abs(u))) / NORMAL_QUARTILE
        reach = HUBER * max(scale, 1e-15) / np.maximum(np.abs(u), 1e-300)
        before, trust = trust, np.minimum(1.0, reach)
        if np.abs(trust - before).max() < 1e-10:
            break
    else:
        raise DataError("The robust regression did not come to rest. Use the plain one.")
    n, k = A.shape
    f, q = P @ r, root * trust
    variance = (P**2) @ (u**2) * n / (n - (k - 1))
    return CrossSection(
        factor_returns=pd.Series(f, index=names),
        t_values=pd.Series(f / np.sqrt(np.where(variance > 0, variance, np.nan)), index=names),
        r2=float(1 - (q * u**2).sum() / (q * r**2).sum()),
        specific_returns=pd.Series(u, index=assets),
        pure=pd.DataFrame(P, index=names, columns=assets),
    )


def merge_thin(
    industries: "pd.Series[str]", parents: "pd.Series[str]", caps: Weights
) -> "pd.Series[str]":
    """Return industries, a thin one replaced by its parent.

    Thin is an effective number of names ``(Σ cap)² / Σ cap²`` under five: its factor would be the
    story of one or two companies.
    """
    frame = pd.DataFrame({"industry": industries, "cap": caps.reindex(industries.index)})
    cap = frame.groupby("industry")["cap"]
    squares = (frame["cap"] ** 2).groupby(frame["industry"]).sum()
    thin = (cap.sum() ** 2 / squares) < THIN
    return industries.mask(industries.map(thin).astype(bool), parents.reindex(industries.index))


def pure_portfolios(styles: Exposures, caps: Weights, industries: "pd.Series[str]") -> pd.DataFrame:
    """Return the pure factor portfolios of a date, factors × assets; they need no returns.

    Arguments and errors are those of `cross_section`.
    """
    _, P, names = _design(styles, caps, industries)
    return pd.DataFrame(P, index=names, columns=styles.index)


def _design(
    styles: Exposures,
    caps: Weights,
    industries: "pd.Series[str]",
    *,
    trust: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return all exposures A, the pure portfolios P as rows, and the factors' names."""
    assets = styles.index
    cap = require_assets(caps, assets, "caps").to_numpy(dtype=float)
    _check_styles(styles)
    groups = Groups.of(industries.reindex(assets))
    if (groups.codes < 0).any() or (cap <= 0).any():
        bad = assets[(groups.codes < 0) | (cap <= 0)][0]
        raise DataError(f"{bad} needs an industry and a market cap above zero.")
    names = [MARKET, *groups.names, *map(str, styles.columns)]
    n, k = len(assets), len(names)
    if n < least_assets(k):
        raise DataError(f"{n} assets are too few for {k} factors; {least_assets(k)} are needed.")
    D = (groups.codes[:, None] == np.arange(len(groups.names))).astype(float)
    A = np.hstack([np.ones((n, 1)), D, styles.to_numpy(dtype=float)])
    w = D.T @ cap / cap.sum()
    R = constraint(w, styles.shape[1])
    B = A @ R
    weighted = B.T * (np.sqrt(cap) * trust)
    gram = weighted @ B
    if np.linalg.matrix_rank(gram, hermitian=True) < k - 1:
        raise DataError("The styles are collinear. Take out the one that repeats the others.")
    return A, R @ np.linalg.solve(gram, weighted), names


def constraint(w: np.ndarray, styles: int, *, replaced: int = -1) -> np.ndarray:
    """Return R with ``f = R g``: one industry's return follows from ``Σ w f = 0``.

    The results do not depend on which industry is replaced; its cap share must not be zero.
    """
    industries = len(w)
    j = 1 + replaced % industries
    full = np.eye(1 + industries + styles)
    full[j, 1 : 1 + industries] = -w / w[j - 1]
    return np.delete(full, j, axis=1)


def cross_sections(
    returns: np.ndarray,
    styles: np.ndarray,
    caps: np.ndarray,
    estu: np.ndarray,
    industries: Groups,
    style_names: tuple[str, ...],
) -> CrossSections:
    """Regress many periods at once; the same numbers as `cross_section` gives.

    Industry dummies are taken out as weighted group means (Frisch, Waugh 1933), so that only a
    system of the styles' size is solved for a date.

    Parameters
    ----------
    returns : dates × assets, over (t-1, t]
    styles : dates × assets × styles, known at t-1
    caps, estu : dates × assets, known at t-1; only ``estu`` is regressed

    Returns
    -------
    specific returns also of assets outside ``estu``, from the same factor returns. A date with
    under max(30, 2K) assets is NaN; an industry without an asset on a date is NaN on that date,
    and so is a style without a score on it: the others are regressed without it.
    """
    factors = (MARKET, *industries.names, *style_names)
    days, n, _ = styles.shape
    out = CrossSections(
        factors,
        np.full((days, len(factors)), np.nan),
        np.full((days, len(factors)), np.nan),
        np.full(days, np.nan),
        np.full((days, n), np.nan),
    )
    for start in range(0, days, CHUNK):
        part = slice(start, min(start + CHUNK, days))
        f, t, r2, u = _regress(
            np.asarray(returns[part], dtype=float),
            np.ascontiguousarray(np.swapaxes(styles[part], 1, 2)),
            np.asarray(caps[part], dtype=float),
            estu[part],
            industries,
        )
        out.factor_returns[part], out.t_values[part] = f, t
        out.r2[part], out.specific_returns[part] = r2, u
    return out


def _regress(
    returns: np.ndarray, styles: np.ndarray, caps: np.ndarray, estu: np.ndarray, groups: Groups
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Regress a chunk of dates; ``styles`` is dates × styles × assets."""
    known = np.isfinite(styles)
    none = ~known.any(axis=2)  # dates × styles without any score
    k = 1 + len(groups.names) + (~none).sum(axis=1)
    scored = (known | none[:, :, None]).all(axis=1)
    used = estu & scored & np.isfinite(returns) & (caps > 0) & (groups.codes >= 0)
    n = used.sum(axis=1)
    cap = np.where(used, caps, 0.0)
    q = np.sqrt(cap)
    r = np.where(used, returns, 0.0)
    x = np.where(scored[:, None, :] & known, styles, 0.0)

    mass = groups.sums(q)
    some = mass > 0
    per_mass = 1 / np.where(some, mass, 1.0)
    mean_r = groups.sums(q * r) * per_mass
    mean_x = groups.sums(q[:, None, :] * x) * per_mass[:, None, :]
    centered = x - groups.spread(mean_x, outside=0.0)
    weighted = q[:, None, :] * centered
    gram = weighted @ np.swapaxes(centered, 1, 2)
    enough = n >= np.maximum(30, 2 * k)
    gram[~enough] = np.eye(styles.shape[1])
    gram += none[:, :, None] * np.eye(styles.shape[1])
    _check_rank(gram)
    pure = np.linalg.solve(gram, weighted)  # pure style portfolios, dates × styles × assets

    f_style = (pure @ r[:, :, None])[:, :, 0]
    level = mean_r - (np.swapaxes(mean_x, 1, 2) @ f_style[:, :, None])[:, :, 0]
    share = groups.sums(cap)
    share = share / np.where(enough, share.sum(axis=1), 1.0)[:, None]
    f_market = (share * level).sum(axis=1)
    f_industry = np.where(some, level - f_market[:, None], np.nan)
    f = np.concatenate([f_market[:, None], f_industry, f_style], axis=1)

    fitted = (np.swapaxes(x, 1, 2) @ f_style[:, :, None])[:, :, 0]
    fitted += f_market[:, None] + groups.spread(f_industry, outside=0.0)
    u = np.where(scored & np.isfinite(returns), returns - fitted, np.nan)
    seen_u = np.where(used, u, 0.0)
    scale = n / np.maximum(n - (k - 1 - (~some).sum(axis=1)), 1)
    variance = _variances(pure, seen_u**2 * scale[:, None], q, per_mass, mean_x, share, groups)
    t = f / np.sqrt(np.where(variance > 0, variance, np.nan))
    total = (q * r**2).sum(axis=1)
    r2 = 1 - (q * seen_u**2).sum(axis=1) / np.where(total > 0, total, np.nan)
    f[:, -styles.shape[1] :][none], t[:, -styles.shape[1] :][none] = np.nan, np.nan
    f[~enough], t[~enough], r2[~enough], u[~enough] = np.nan, np.nan, np.nan, np.nan
    return f, t, r2, u


def _variances(
    pure: np.ndarray,
    noise: np.ndarray,
    q: np.ndarray,
    per_mass: np.ndarray,
    mean_x: np.ndarray,
    share: np.ndarray,
    groups: Groups,
) -> np.ndarray:
    """Return HC1 variances of the factor returns, dates × factors.

    Every factor return is a combination ``L`` of the weighted industry means and the style returns;
    so its variance is ``L C L'`` with C the covariance of those, most of which is zero.
    """
    a = q * groups.spread(per_mass, outside=0.0)  # an asset's weight in its industry's mean
    of_means = groups.sums(a**2 * noise)
    of_styles = (pure * noise[:, None, :]) @ np.swapaxes(pure, 1, 2)
    between = np.swapaxes(groups.sums((a * noise)[:, None, :] * pure), 1, 2)
    lift = np.swapaxes(mean_x, 1, 2)  # dates × industries × styles
    m = of_means.shape[1]
    level = np.zeros((len(q), m, m))
    level[:, np.arange(m), np.arange(m)] = of_means
    cross = between @ np.swapaxes(lift, 1, 2)
    level += lift @ of_styles @ np.swapaxes(lift, 1, 2) - cross - np.swapaxes(cross, 1, 2)
    with_market = (level @ share[:, :, None])[:, :, 0]
    market = (share * with_market).sum(axis=1)
    industry = np.diagonal(level, axis1=1, axis2=2) - 2 * with_market + market[:, None]
    style = np.diagonal(of_styles, axis1=1, axis2=2)
    return np.concatenate([market[:, None], industry, style], axis=1)


def _check_styles(styles: Exposures) -> None:
    bad = ~np.isfinite(styles.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{styles.index[row]} has no {styles.columns[column]} exposure. "
            "Fill it or drop the asset."
        )


def _check_rank(gram: np.ndarray) -> None:
    eigenvalues = np.linalg.eigvalsh(gram)
    if (eigenvalues[:, 0] <= 1e-12 * eigenvalues[:, -1]).any():
        raise DataError(
            "The styles are collinear on at least one date. "
            "Take out the one that repeats the others."
        )
