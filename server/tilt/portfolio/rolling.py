"""Figures over a moving window, and by the state of a market."""

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import PERIODS_PER_YEAR
from tilt.portfolio.measures import LEAST_FOR_INFERENCE, absolute, per_period, relative
from tilt.portfolio.performance import align
from tilt.portfolio.style_analysis import mix

ROLLED = ("return", "volatility", "sharpe", "max_drawdown")
ROLLED_AGAINST = ("active_return", "tracking_error", "information_ratio", "beta")
MEASURED = ("mean", "volatility", "sharpe", "max_drawdown", "hit_rate")
MEASURED_AGAINST = ("tracking_error", "information_ratio", "beta", "alpha")


def rolling_figures(
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None" = None,
    *,
    window: int,
    frequency: str = "D",
    risk_free: float = 0.0,
) -> pd.DataFrame:
    """Return figures of the last ``window`` periods at each period that has so many.

    Parameters
    ----------
    returns, benchmark : by date, simple per period
    window : periods, at least 20
    risk_free : a year

    Returns
    -------
    date, return (compounded over the window), volatility and sharpe (a year), max_drawdown; with a
    benchmark also active_return (compounded), tracking_error, information_ratio (a year) and beta

    Raises
    ------
    ArgumentError
        If the window is under 20 periods.
    DataError
        If there are fewer returns than the window.
    """
    if window < LEAST_FOR_INFERENCE:
        raise ArgumentError(f"window must be at least {LEAST_FOR_INFERENCE}; got {window}.")
    r, b, _ = align(returns, benchmark)
    if len(r) < window:
        raise DataError(f"There are {len(r)} returns, fewer than a window of {window}.")
    year = PERIODS_PER_YEAR[frequency]
    x = sliding_window_view(np.asarray(r, dtype=np.float64), window)
    rate = per_period(risk_free, year)
    sd = x.std(axis=1, ddof=1)
    found = {
        "date": r.index[window - 1 :],
        "return": np.prod(1 + x, axis=1) - 1,
        "volatility": np.sqrt(year) * sd,
        "sharpe": np.sqrt(year) * _ratio(x.mean(axis=1) - rate, sd),
        "max_drawdown": _deepest(x),
    }
    if b is not None:
        y = sliding_window_view(np.asarray(b, dtype=np.float64), window)
        active = x - y
        error = active.std(axis=1, ddof=1)
        cov = ((x - x.mean(axis=1, keepdims=True)) * (y - y.mean(axis=1, keepdims=True))).sum(
            axis=1
        )
        found |= {
            "active_return": found["return"] - (np.prod(1 + y, axis=1) - 1),
            "tracking_error": np.sqrt(year) * error,
            "information_ratio": np.sqrt(year) * _ratio(active.mean(axis=1), error),
            "beta": _ratio(cov / (window - 1), y.var(axis=1, ddof=1)),
        }
    return pd.DataFrame(found)


def rolling_regression(
    returns: "pd.Series[float]",
    factors: pd.DataFrame,
    *,
    window: int,
    frequency: str = "D",
    style: bool = False,
) -> pd.DataFrame:
    """Return the coefficients of a regression over each window.

    Parameters
    ----------
    returns, factors : per period, by date; periods that miss a value on either side are left out
    window : periods, at least 20 and three more than factors
    style : weights that are not negative and sum to one, in place of least squares

    Returns
    -------
    date, a column for each factor, alpha (a year; of a style the mean return beyond the mix),
    r_squared

    Raises
    ------
    ArgumentError, DataError
        If the window is too short, or there are fewer complete periods than it has.
    """
    year = PERIODS_PER_YEAR[one_of("frequency", frequency, PERIODS_PER_YEAR)]
    least = max(LEAST_FOR_INFERENCE, factors.shape[1] + 3)
    if window < least:
        raise ArgumentError(f"window must be at least {least}; got {window}.")
    both = factors.assign(**{_OURS: returns}).dropna()
    y = both.pop(_OURS).to_numpy(dtype=float)
    x = both.to_numpy(dtype=float)
    if len(y) < window:
        raise DataError(f"{len(y)} dates have all returns, fewer than a window of {window}.")
    rows = []
    for end in range(window, len(y) + 1):
        a, b = x[end - window : end], y[end - window : end]
        da, db = a - a.mean(axis=0), b - b.mean()
        slopes = mix(da, db) if style else np.linalg.lstsq(da, db, rcond=None)[0]
        left, whole = db - da @ slopes, float(db @ db)
        alpha = year * float(b.mean() - a.mean(axis=0) @ slopes)
        rows.append([*slopes, alpha, 1.0 - float(left @ left) / whole if whole else np.nan])
    table = pd.DataFrame(rows, columns=[*map(str, factors.columns), "alpha", "r_squared"])
    table.insert(0, "date", both.index[window - 1 :])
    return table


_OURS = "returns\x00"  # no factor has this name


def figures_by_state(
    returns: "pd.Series[float]",
    states: "pd.Series[str]",
    benchmark: "pd.Series[float] | None" = None,
    *,
    frequency: str = "D",
    risk_free: float = 0.0,
) -> pd.DataFrame:
    """Return performance in each state of a market.

    Parameters
    ----------
    states : by date; periods without a state are left out

    Returns
    -------
    state, periods, share, then ``MEASURED`` (a year, drawdown over the periods of the state alone)
    and with a benchmark ``active_return`` (arithmetic mean a year) and ``MEASURED_AGAINST``; a last
    row ``All``

    Raises
    ------
    DataError
        If no period has both a return and a state.
    """
    r, b, _ = align(returns, benchmark)
    known = states.reindex(r.index)
    inside = known.notna().to_numpy()
    if not inside.any():
        raise DataError("No date has both a return and a state. Give both over the same dates.")
    year = PERIODS_PER_YEAR[frequency]
    rate = per_period(risk_free, year)
    rows = []
    for state in [*sorted(set(known[inside])), None]:
        chosen = inside if state is None else (known == state).to_numpy()
        x = np.asarray(r, dtype=np.float64)[chosen]
        row: dict[str, object] = {
            "state": "All" if state is None else state,
            "periods": float(len(x)),
            "share": len(x) / int(inside.sum()),
        }
        own = absolute(x, per_year=year, rf=rate, mar=0.0, confidence=0.95)
        row |= {name: own[name] for name in MEASURED}
        if b is not None:
            y = np.asarray(b, dtype=np.float64)[chosen]
            against = relative(x, y, per_year=year, rf=rate)
            row["active_return"] = year * float(np.mean(x - y))
            row |= {name: against[name] for name in MEASURED_AGAINST}
        rows.append(row)
    return pd.DataFrame(rows)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    held = below > 0
    return np.where(held, above / np.where(held, below, 1.0), np.nan)


def _deepest(x: np.ndarray) -> np.ndarray:
    wealth = np.cumprod(1 + x, axis=1)
    peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    return np.asarray((wealth / peak).min(axis=1) - 1.0)
