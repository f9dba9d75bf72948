"""Specific risk: each asset's own variance, steadied by assets like it.

Menchero, Orr, Wang (2011), USE4, section 5: an estimate from the asset's own history, blended with
a structural one where the history is short, then shrunk towards the mean of its size decile.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.frames import Exposures, Returns, Weights
from tilt.risk.covariance import newey_west_variances

SHRINKAGE = 0.1  # q: how fast an unusual volatility gives way to its decile's mean
DECILES = 10
FULL_TRUST_DAYS = 180  # a history from here speaks for itself; one up to a third says nothing
FULL_TRUST_SHARE = 0.9  # of all days, while the whole history is shorter than that
ISSUER_CORRELATION = 0.9  # of the specific returns of two share classes of one company
LEAST_TRUSTED = 30  # assets with a full history that a structural fit needs


@dataclass(frozen=True, eq=False)
class SpecificRisk:
    """Specific variance per day by asset, and the assets whose history was too short for their own.

    structural : assets with no weight on their own history
    blended    : assets with some
    """

    variance: "pd.Series[float]"
    structural: "pd.Index[str]"
    blended: "pd.Index[str]"


def specific_risk(
    returns: Returns, exposures: Exposures, caps: Weights, *, half_life: float, lags: int
) -> SpecificRisk:
    """Estimate specific variances.

    Parameters
    ----------
    returns : dates × assets, specific returns; NaN where there is none
    exposures : assets × factors, at the last date
    caps : by asset, NaN where not known; such an asset is not shrunk
    half_life, lags : of the variance and its Newey-West correction

    Raises
    ------
    DataError
        If an asset needs a structural estimate and under 30 assets have a full history.
    """
    assets = exposures.index
    r = returns.reindex(columns=assets).to_numpy(dtype=float)
    own = np.sqrt(newey_west_variances(r, half_life=half_life, lags=lags))
    seen = np.isfinite(r)
    full = min(FULL_TRUST_DAYS, FULL_TRUST_SHARE * seen.any(axis=1).sum())
    trust = np.clip((seen.sum(axis=0) - full / 3) / (full - full / 3), 0.0, 1.0)
    trust = np.where(np.nan_to_num(own) > 0, trust, 0.0)  # a price that never moved is no history
    sigma = np.where(trust > 0, np.nan_to_num(own), 0.0) * trust
    if (trust < 1).any():
        sigma += (1 - trust) * structural(own, exposures, trusted=trust == 1)
    cap = caps.reindex(assets).to_numpy(dtype=float)
    shrunk = shrink(sigma, cap)
    return SpecificRisk(
        variance=pd.Series(shrunk**2, index=assets, name="specific_var"),
        structural=assets[trust == 0],
        blended=assets[(trust > 0) & (trust < 1)],
    )


def structural(sigma: np.ndarray, exposures: Exposures, *, trusted: np.ndarray) -> np.ndarray:
    """Return the volatility that assets with the same exposures have.

    ``exp`` of a regression of log volatility on exposures over the trusted assets, scaled so that
    the fitted volatilities of those have the mean of the true ones.
    """
    if trusted.sum() < LEAST_TRUSTED:
        raise DataError(
            f"Only {int(trusted.sum())} assets have a full history of specific returns; "
            f"{LEAST_TRUSTED} are needed to judge the others. Choose a later date."
        )
    x = exposures.to_numpy(dtype=float)
    # market and sector dummies are collinear; the smallest solution predicts the same
    slope = np.linalg.lstsq(x[trusted], np.log(sigma[trusted]), rcond=1e-10)[0]
    fitted = np.exp(x @ slope)
    return np.asarray(fitted * (sigma[trusted].mean() / fitted[trusted].mean()))


def shrink(sigma: np.ndarray, caps: np.ndarray) -> np.ndarray:
    """Return volatilities pulled towards the cap-weighted mean of their size decile.

    ``v σ̄ + (1 - v) σ`` with ``v = q|σ - σ̄| / (Δ + q|σ - σ̄|)`` and Δ the root mean square of
    ``σ - σ̄`` in the decile: the more unusual, the more it gives way.
    """
    known = np.flatnonzero(np.isfinite(caps))
    out = sigma.copy()
    ranks = np.argsort(np.argsort(caps[known], kind="stable"), kind="stable")
    decile = ranks * DECILES // max(len(known), 1)
    for d in np.unique(decile):
        inside = known[decile == d]
        mean = np.average(sigma[inside], weights=caps[inside])
        away = np.abs(sigma[inside] - mean)
        spread = np.sqrt((away**2).mean())
        if spread > 0:
            v = SHRINKAGE * away / (spread + SHRINKAGE * away)
            out[inside] = v * mean + (1 - v) * sigma[inside]
    return out


def shared_loadings(variance: "pd.Series[float]", issuer: "pd.Series[str]") -> pd.DataFrame:
    """Return what the specific risks of one company's shares have in common, assets × companies.

    ``√0.9 σ`` in the company's column for each of its shares, so that with the rest of the variance
    being a share's own, two of them have a specific correlation of 0.9 (USE4, section 5). Companies
    with one share have no column; assets without a company are theirs alone.
    """
    named = {asset: name for asset, name in issuer.items() if isinstance(name, str)}
    company = np.array([named.get(asset, "") for asset in variance.index], dtype=object)
    count = Counter(company)
    several = [name for name, shares in count.items() if name and shares > 1]
    loading = np.sqrt(ISSUER_CORRELATION * variance.to_numpy(dtype=float))
    inside = company[:, None] == np.array(several, dtype=object)[None, :]
    return pd.DataFrame(np.where(inside, loading[:, None], 0.0), variance.index, several)
