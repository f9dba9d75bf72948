"""Factor returns through time: compounded, summed up, correlated."""

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError
from tilt.factors.inference import (
    autocorrelation,
    automatic_lags,
    benjamini_hochberg,
    hac_t,
    p_values,
)

YEAR = 252


def compounded(returns: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the returns of the periods that end at ``ends``; NaN where no day has one."""
    period = pd.Index(ends.searchsorted(returns.index, side="left"))
    grown = (1 + returns).groupby(period).prod(min_count=1) - 1
    grown.index = ends
    return grown


def max_drawdown(returns: np.ndarray) -> float:
    """Return the deepest fall of compounded wealth from 1, a negative number."""
    wealth = np.cumprod(np.concatenate([[1.0], 1 + returns[np.isfinite(returns)]]))
    return float((wealth / np.maximum.accumulate(wealth) - 1).min())


def factor_statistics(returns: pd.DataFrame, t_stats: pd.DataFrame) -> pd.DataFrame:
    """Return what each factor earned, and how surely.

    Parameters
    ----------
    returns, t_stats : dates × factors, daily; a missing day is left out

    Returns
    -------
    factor, mean and volatility a year, ir, t_stat (HAC), max_drawdown, mean_abs_t and
    share_t_over_2 of the daily regressions, autocorrelation from day to day, p_value_bh: of the
    mean, adjusted for the number of factors shown (Benjamini, Hochberg 1995), observations

    Raises
    ------
    UnknownNameError
        If no factor has a return.
    """
    if returns.notna().sum().max() == 0:
        raise UnknownNameError("There are no factor returns in the period. Choose a longer one.")
    rows = []
    for name in returns.columns:
        r = returns[name].to_numpy(dtype=float)
        t = t_stats[name].to_numpy(dtype=float)
        known, sure = r[np.isfinite(r)], np.abs(t[np.isfinite(t)])
        n = len(known)
        mean = YEAR * known.mean() if n else np.nan
        sd = np.sqrt(YEAR) * known.std(ddof=1) if n > 1 else np.nan
        rows.append(
            {
                "factor": str(name),
                "mean": mean,
                "volatility": sd,
                "ir": mean / sd if sd > 0 else np.nan,
                "t_stat": hac_t(r, lags=automatic_lags(n)),
                "max_drawdown": max_drawdown(r) if n else np.nan,
                "mean_abs_t": sure.mean() if len(sure) else np.nan,
                "share_t_over_2": (sure > 2).mean() if len(sure) else np.nan,
                "autocorrelation": autocorrelation(r),
                "observations": n,
            }
        )
    table = pd.DataFrame(rows)
    p = p_values(table["t_stat"].to_numpy(), table["observations"].to_numpy())
    count = table.pop("observations")
    return table.assign(p_value_bh=benjamini_hochberg(p), observations=count)


def by_regime(returns: pd.DataFrame, state: "pd.Series[str]") -> pd.DataFrame:
    """Return what each factor earned in each state.

    Parameters
    ----------
    returns : dates × factors, daily; a missing day is left out
    state : by date, in which each day counts; a date that only one of the two has is left out

    Returns
    -------
    factor, state (in the order of their first day), days, mean and volatility a year, ir, t_stat
    (HAC) of the mean, share_positive

    Raises
    ------
    UnknownNameError
        If returns and states have no date in common.
    """
    days = returns.index.intersection(state.index)
    if not len(days):
        raise UnknownNameError("No date has a state and factor returns. Choose other dates.")
    known, frame = state[days].to_numpy(), returns.loc[days]
    rows = []
    for name in frame:
        for one in dict.fromkeys(known):
            r = frame[name].to_numpy(dtype=float)[known == one]
            r = r[np.isfinite(r)]
            mean = YEAR * r.mean() if len(r) else np.nan
            sd = np.sqrt(YEAR) * r.std(ddof=1) if len(r) > 1 else np.nan
            rows.append(
                {
                    "factor": str(name),
                    "state": str(one),
                    "days": len(r),
                    "mean": mean,
                    "volatility": sd,
                    "ir": mean / sd if sd > 0 else np.nan,
                    "t_stat": hac_t(r, lags=automatic_lags(len(r))),
                    "share_positive": (r > 0).mean() if len(r) else np.nan,
                }
            )
    return pd.DataFrame(rows)


def correlation(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the correlations of daily factor returns, over the days that both have."""
    return returns.corr(min_periods=20)
