"""Cross-sectional regressions: what each factor returned in a day, and how surely.

The model is ``r = 1 f_c + D f_I + S f_S + u`` with weights ``q = √cap`` and the cap-weighted
industry returns summing to zero (Menchero, Orr, Wang 2011, USE4, section 3; Heston, Rouwenhorst
1994). `cross_section` is the textbook algebra of one date; `cross_sections` does all dates at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.factors.cores import on_every_core
from tilt.factors.groups import Groups
from tilt.factors.moments import Room, regress
from tilt.frames import Exposures, Weights, require_assets
from tilt.rounding import one_thread

MARKET = "Market"
HUBER = 1.345  # 95 % efficient where residuals are normal
NORMAL_QUARTILE = 0.6744897501960817
THIN = 5.0  # effective names under which an industry is merged into its parent
CHUNK = 32  # dates whose small systems are solved at once; a multiple of AT_ONCE


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

    With ``styles`` in single precision sums over assets are taken in it, in less time, and the
    factor returns differ by about 1e-6 of their size; with any other type the difference is that of
    rounding. The numbers of a date do not depend on which others are regressed with it.

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
        np.empty((days, n)),
    )
    precise = styles.dtype if styles.dtype == np.float32 else np.dtype(float)

    def some(starts: Iterable[int]) -> None:
        room = Room.of(industries, days, styles.shape[2], precise)  # a thread's own
        for start in starts:
            part = slice(start, min(start + CHUNK, days))
            f, t, r2 = regress(
                np.asarray(returns[part], dtype=float),
                np.asarray(styles[part], dtype=precise),
                np.asarray(caps[part], dtype=float),
                np.asarray(estu[part], dtype=bool),
                industries,
                room,
                out.specific_returns[part],
            )
            out.factor_returns[part], out.t_values[part] = f, t
            out.r2[part] = r2

    with one_thread():  # the matrices are small: a second thread of a product would wait
        on_every_core(some, range(0, days, CHUNK))
    return out


def _check_styles(styles: Exposures) -> None:
    bad = ~np.isfinite(styles.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{styles.index[row]} has no {styles.columns[column]} exposure. "
            "Fill it or drop the asset."
        )
