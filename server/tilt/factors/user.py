"""Factors of the user's own, scored as the model's styles are.

A factor comes from an expression over fields and factors, or from values by date and ticker. Either
way: outliers out, clipped, z-scored over the estimation universe of each date.
"""

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.factors import standardize
from tilt.factors.descriptors import array
from tilt.frames import Panel

LEAST_NAMES = 10


def score(panel: Panel, raw: np.ndarray, name: str) -> pd.DataFrame:
    """Return the z-scores of raw values, dates × assets; missing where a value is.

    Raises
    ------
    DataError
        If no date has ten members with different values.
    """
    cap = array(panel.market_cap)
    priced = np.isfinite(array(panel.close)) & np.isfinite(cap) & (cap > 0)
    estu = priced & panel.member.to_numpy(dtype=bool)
    x = np.where(priced, raw, np.nan)
    z = standardize.standardize(x, cap, estu)
    if not ((np.isfinite(z) & estu).sum(axis=1) >= LEAST_NAMES).any():
        raise DataError(
            f"'{name}' has no date on which {LEAST_NAMES} members have a value and the values "
            "differ. It cannot be scored."
        )
    return pd.DataFrame(z, index=panel.dates, columns=panel.assets)
