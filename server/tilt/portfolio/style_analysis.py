"""Returns-based style analysis: the mix of indices that a portfolio moved like (Sharpe 1992)."""

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from tilt.errors import DataError
from tilt.portfolio.regression import LEAST

METHODS = ("ols", "style")
SURE = 1e4  # how much more the sum of weights counts than the fit


def style_weights(returns: "pd.Series[float]", styles: pd.DataFrame) -> pd.DataFrame:
    """Return the mix of style indices whose returns come closest, long only and summing to one.

    The weights minimize the variance of what the mix leaves, so a constant return beyond it, good
    or bad, does not move them.

    Parameters
    ----------
    returns : by date, simple per period
    styles : dates × indices; dates that miss a value on either side are left out

    Returns
    -------
    name, coefficient (weight); then ``r_squared`` (the share of variance that the mix explains),
    ``observations`` and ``selection`` (mean return beyond the mix, per period)

    Raises
    ------
    DataError
        If under 20 dates are complete, or fewer than indices plus three.

    References
    ----------
    Sharpe (1992), Asset Allocation: Management Style and Performance Measurement.
    """
    both = styles.assign(**{_OURS: returns}).dropna()
    y = both.pop(_OURS).to_numpy(dtype=float)
    x = both.to_numpy(dtype=float)
    least = max(LEAST, x.shape[1] + 3)
    if len(y) < least:
        raise DataError(f"{len(y)} dates have all returns; at least {least} are needed.")
    weights = mix(x - x.mean(axis=0), y - y.mean())
    left = y - x @ weights
    rows = [*zip(map(str, styles.columns), weights, strict=True)]
    spread = float(np.var(y))
    rows += [
        ("r_squared", 1.0 - float(np.var(left)) / spread if spread > 0 else float("nan")),
        ("observations", float(len(y))),
        ("selection", float(left.mean())),
    ]
    return pd.DataFrame(rows, columns=["name", "coefficient"])


_OURS = "returns\x00"  # no index has this name


def mix(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the weights of least squares that are not negative and sum to one."""
    scale = SURE * max(float(np.linalg.norm(x)), float(np.linalg.norm(y)), 1e-300)
    rows = np.vstack([x, np.full(x.shape[1], scale)])
    weights, _ = nnls(rows, np.append(y, scale))
    return np.asarray(weights / weights.sum())
