"""Risk models estimated from returns alone, in the form of every other risk model.

Principal components are its factors; the other estimators know no factors, so all of their
covariance is specific risk that assets share, kept as a root of it. Either way ``X F X' + S`` is
the estimated covariance, exactly.
"""

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.frames import Returns, listed
from tilt.risk.estimators import (
    LEAST_PERIODS,
    Tuning,
    check_tuning,
    components,
    estimate_covariance,
)
from tilt.risk.model import RiskModel

LEAST_SEEN = 0.95  # of the dates; with fewer an asset's risk is not that of the others' dates
LOOKBACK = 504  # days of returns that an estimator is given
NEGLIGIBLE = 1e-12  # of the largest eigenvalue
PCA = "pca"


def as_model(
    returns: Returns,
    estimator: str = "ledoit_wolf",
    tuning: Tuning | None = None,
    *,
    universe: str = "",
    snapshot: str = "",
    sectors: "pd.Series[str] | None" = None,
) -> RiskModel:
    """Estimate a risk model of the last date of some daily returns.

    Parameters
    ----------
    returns : dates × assets, simple; assets that cannot be estimated are left out with a note
    estimator : one of `tilt.risk.estimators.ESTIMATORS`
    tuning : what the estimator is told beside the returns
    sectors : by asset, for tables by sector

    Returns
    -------
    With pca the factors are "Component 1", the largest, and so on, each scaled so that the mean
    size of its exposures is 1; with the others there are none.

    Raises
    ------
    ArgumentError
        If the estimator is unknown, or what it is told makes no sense.
    DataError
        If there are under 20 dates, or no asset is left.
    """
    told = tuning or Tuning()
    known, notes = usable(returns)
    if estimator.strip().casefold() == PCA:
        check_tuning(told, known)
        exposures, factor_cov, specific = _statistical(known, told)
        shared, name = pd.DataFrame(), PCA
    else:
        found = estimate_covariance(known, estimator, told)
        name = found.estimator
        exposures, factor_cov = pd.DataFrame(index=known.columns), pd.DataFrame()
        specific = pd.Series(np.diag(found.cov), known.columns)
        shared = root_of(found.cov)
        notes = (*notes, *found.notes, _NO_FACTORS.format(name=name))
    blank = pd.Series("", known.columns)
    return RiskModel(
        universe=universe,
        snapshot=snapshot,
        date=pd.Timestamp(returns.index[-1]),
        horizon="lookback",
        exposures=exposures,
        factor_cov=factor_cov,
        specific_var=specific,
        groups=pd.Series("statistical", exposures.columns, dtype="str"),
        notes=notes,
        shared=shared,
        estimator=name,
        sectors=blank if sectors is None else sectors.reindex(known.columns).fillna(""),
    )


_NO_FACTORS = "The estimator {name} has no factors: all risk counts as that of single names."


def usable(returns: Returns) -> tuple[Returns, tuple[str, ...]]:
    """Return the assets whose risk can be estimated, without holes, and what was done to have them.

    An asset without a return on more than a twentieth of the dates, or that never moved, is left
    out; a missing return of the others counts as none.

    Raises
    ------
    DataError
        If there are under 20 dates, or no asset is left.
    """
    if len(returns) < LEAST_PERIODS:
        raise DataError(
            f"{len(returns)} dates of returns; an estimator needs {LEAST_PERIODS}. "
            "Choose a later date or a longer lookback."
        )
    seen = np.isfinite(returns.to_numpy(dtype=float))
    share = seen.mean(axis=0)
    short = share < LEAST_SEEN
    filled = returns.where(seen, 0.0)
    still = ~short & (np.ptp(filled.to_numpy(dtype=float), axis=0) == 0)
    holed = ~short & ~still & (share < 1)
    notes = []
    for which, words in (
        (short, "too few returns in the lookback to estimate from; left out."),
        (still, "the same return on every date, so no risk to estimate; left out."),
        (holed, "missing returns that count as zero."),
    ):
        if which.any():
            notes.append(f"{listed(returns.columns[which])}: {words}")
    left = filled.loc[:, ~short & ~still]
    if left.empty:
        raise DataError(
            f"No asset has {LEAST_SEEN:.0%} of the {len(returns)} returns that an estimator needs. "
            "Choose a later date or a shorter lookback."
        )
    return left, tuple(notes)


def root_of(cov: pd.DataFrame) -> pd.DataFrame:
    """Return L, assets × sources, with ``L L'`` the covariance less its least eigenvalue.

    What is taken from the diagonal stays each asset's own, so that a covariance without an
    eigenvalue of zero has none in this form either.
    """
    values, vectors = np.linalg.eigh(cov.to_numpy(dtype=float))
    above = values - max(values[0], 0.0)
    kept = above > NEGLIGIBLE * max(values[-1], 0.0)
    root = vectors[:, kept] * np.sqrt(above[kept])
    return pd.DataFrame(root, cov.index, [f"source {i + 1}" for i in range(root.shape[1])])


def _statistical(
    returns: Returns, told: Tuning
) -> tuple[pd.DataFrame, pd.DataFrame, "pd.Series[float]"]:
    loadings, own = components(returns, told.factors)
    size = np.abs(loadings).mean(axis=0)
    names = pd.Index([f"Component {i + 1}" for i in range(len(size))])
    return (
        pd.DataFrame(loadings / size, returns.columns, names),
        pd.DataFrame(np.diag(size**2), names, names),
        pd.Series(own, returns.columns),
    )
