"""What a factor history shows of the model: how much it explains, how surely, how well foreseen."""

import numpy as np
import pandas as pd

from tilt.factors.gait import forecasts
from tilt.frames import FactorHistory

YEAR = 252


def r2_by_year(history: FactorHistory) -> pd.DataFrame:
    """Return year, days, r2: the mean of the daily R2 of the regressions."""
    known = history.r2.dropna()
    by = known.groupby(pd.DatetimeIndex(known.index).year)
    return pd.DataFrame({"days": by.size(), "r2": by.mean()}).rename_axis("year").reset_index()


def strength_and_bias(history: FactorHistory) -> pd.DataFrame:
    """Return how sure each factor's daily return is, and how well its risk was foreseen.

    Returns
    -------
    factor; mean_abs_t and share_t_over_2 of the daily regressions (HC1); bias: the deviation of the
    returns after the first year in units of their forecast of the day before, which halves in 84
    days; band: 1 ± band holds the bias of 95 of 100 right forecasts of normal returns, √(2/T)
    (Menchero, Orr, Wang 2011, USE4, appendix); inside: whether it does. NaN where there is no day.
    """
    returns = history.returns.to_numpy(dtype=float)
    t = np.abs(history.t_stats.to_numpy(dtype=float))
    ratio = (returns / forecasts(returns))[YEAR:]
    rows = []
    for at, factor in enumerate(history.factors.index):
        sure = t[np.isfinite(t[:, at]), at]
        seen = ratio[np.isfinite(ratio[:, at]), at]
        bias = float(seen.std(ddof=1)) if len(seen) > 1 else np.nan
        band = float(np.sqrt(2 / len(seen))) if len(seen) else np.nan
        rows.append(
            {
                "factor": str(factor),
                "mean_abs_t": float(sure.mean()) if len(sure) else np.nan,
                "share_t_over_2": float((sure > 2).mean()) if len(sure) else np.nan,
                "bias": bias,
                "band": band,
                "inside": bool(abs(bias - 1) <= band),
            }
        )
    return pd.DataFrame(rows)
