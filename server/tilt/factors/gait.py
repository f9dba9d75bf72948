"""What a window of a factor's daily returns measures about it."""

import numpy as np

from tilt.factors.inference import automatic_lags, hac_t
from tilt.factors.series import max_drawdown

YEAR, MONTH = 252, 21
LEAST = 126  # days of a window that must have a return
FORECAST_HALF_LIFE = 84  # of the short horizon's volatilities
NORMAL_TAIL = 2.06  # CVaR 95 % by deviation of a normal variable

MEANINGS: dict[str, str] = {
    "height": "volatility a year",
    "vigor": "mean over volatility, a year",
    "vigor_t": "t-value of the mean, allowing for serial correlation",
    "posture": "skewness of daily returns",
    "tail": "mean loss of the worst 5 % of days by deviation; a normal variable has 2.06",
    "symmetry": "deviation of the days up over that of the days down",
    "pulse": "correlation of a day's return with the day's before",
    "gait": "variance of 21-day sums over 21 times that of days; above 1 it trends",
    "blood_pressure": "volatility of about the last month over that of about the last year",
    "temperament_up": "beta to the market on days when that rises",
    "temperament_down": "beta to the market on days when that falls",
    "stamina": "deepest fall of compounded return",
    "stamina_days": "longest time under water, trading days",
    "drift": "t-value of the first half's mean less the second half's",
    "drift_mean": "that difference of means, a year",
    "kinship": "largest correlation with another factor of its group, without its sign",
    "kinship_r2": "share of its variance that the others of its group explain",
    "strength": "mean size of the t-values of the daily regressions",
    "strength_over_2": "share of days whose t-value is beyond 2",
    "health": "deviation of returns over their forecast; 1 is a forecast that is right",
}


def measure(
    returns: np.ndarray, at: int, t_values: np.ndarray, market: np.ndarray, forecast: np.ndarray
) -> dict[str, float]:
    """Return every measure of one factor over a window.

    Parameters
    ----------
    returns : days × factors of one group; column ``at`` is measured, the others are its kin
    t_values, market, forecast : by day: its t-values, the market's return, the deviation of its
        return that was forecast the day before

    Returns
    -------
    by name of ``MEANINGS``; NaN under 126 days
    """
    seen = np.isfinite(returns[:, at]) & np.isfinite(market)
    r, m = returns[seen, at], market[seen]
    if len(r) < LEAST or r.std() <= 1e-15:
        return dict.fromkeys(MEANINGS, float("nan"))
    sd = r.std(ddof=1)
    up, down = r[r > 0], r[r < 0]
    kin, kin_r2 = _kinship(returns, at)
    t = np.abs(t_values[np.isfinite(t_values)])
    ratio = (returns[:, at] / forecast)[seen & np.isfinite(forecast)]
    return {
        "height": float(sd * np.sqrt(YEAR)),
        "vigor": float(r.mean() / sd * np.sqrt(YEAR)),
        "vigor_t": hac_t(r, lags=automatic_lags(len(r))),
        "posture": skewness(r),
        "tail": tail(r) / float(sd),
        "symmetry": float(up.std(ddof=1) / down.std(ddof=1)) if min(len(up), len(down)) > 2
        else float("nan"),
        "pulse": float(np.corrcoef(r[1:], r[:-1])[0, 1]),
        "gait": variance_ratio(r, MONTH),
        "blood_pressure": _faded(r, MONTH) / _faded(r, YEAR),
        "temperament_up": _beta(r[m > 0], m[m > 0]),
        "temperament_down": _beta(r[m < 0], m[m < 0]),
        "stamina": max_drawdown(r),
        "stamina_days": float(under_water(r)),
        "drift": _difference_t(r[: len(r) // 2], r[len(r) // 2 :]),
        "drift_mean": YEAR * float(r[: len(r) // 2].mean() - r[len(r) // 2 :].mean()),
        "kinship": kin,
        "kinship_r2": kin_r2,
        "strength": float(t.mean()) if len(t) else float("nan"),
        "strength_over_2": float((t > 2).mean()) if len(t) else float("nan"),
        "health": float(ratio.std(ddof=1)) if len(ratio) > 2 else float("nan"),
    }  # fmt: skip


def skewness(r: np.ndarray) -> float:
    """Return the skewness of a sample, adjusted for its size."""
    n, e = len(r), r - r.mean()
    return float(np.sqrt(n * (n - 1)) / (n - 2) * (e**3).mean() / (e**2).mean() ** 1.5)


def _difference_t(a: np.ndarray, b: np.ndarray) -> float:
    """Return the t-value of a difference of means whose variances may differ (Welch 1947)."""
    error = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
    return float((a.mean() - b.mean()) / np.sqrt(error)) if error > 0 else float("nan")


def tail(r: np.ndarray, share: float = 0.05) -> float:
    """Return the mean loss of the worst days, the last of them in part (Rockafellar, Uryasev)."""
    ordered = np.sort(r)
    k = share * len(r)
    whole = int(k)
    return float(-(ordered[:whole].sum() + (k - whole) * ordered[whole]) / k)


def variance_ratio(r: np.ndarray, days: int) -> float:
    """Return the variance of sums over ``days`` by that of days, per day (Lo, MacKinlay 1988)."""
    n = len(r)
    if n <= 2 * days:
        return float("nan")
    centered = r - r.mean()
    sums = np.convolve(centered, np.ones(days), "valid")
    scale = days * (n - days + 1) * (1 - days / n)
    return float((sums @ sums) / scale / (centered @ centered / (n - 1)))


def under_water(r: np.ndarray) -> int:
    """Return the longest count of days in a row below the highest wealth before."""
    wealth = np.cumprod(np.concatenate([[1.0], 1 + r]))
    below = wealth < np.maximum.accumulate(wealth)
    longest = run = 0
    for under in below:
        run = run + 1 if under else 0
        longest = max(longest, run)
    return longest


def forecasts(returns: np.ndarray) -> np.ndarray:
    """Return the deviation forecast for each day from the days before, halving in 84 days.

    ``returns`` is days × factors; NaN until 63 days are known.
    """
    keep = 0.5 ** (1 / FORECAST_HALF_LIFE)
    total, mass = np.zeros(returns.shape[1]), np.zeros(returns.shape[1])
    days = np.zeros(returns.shape[1])
    out = np.full(returns.shape, np.nan)
    for t, row in enumerate(returns):
        ready = (days >= 63) & (total > 0)
        out[t, ready] = np.sqrt(total[ready] / mass[ready])
        seen = np.isfinite(row)
        total = keep * total + np.where(seen, row, 0.0) ** 2
        mass = keep * mass + seen
        days += seen
    return out


def _faded(r: np.ndarray, half_life: float) -> float:
    weight = 0.5 ** (np.arange(len(r))[::-1] / half_life)
    return float(np.sqrt(weight @ r**2 / weight.sum()))


def _beta(r: np.ndarray, m: np.ndarray) -> float:
    if len(r) < 20 or m.std() <= 1e-15:
        return float("nan")
    return float(np.cov(r, m)[0, 1] / m.var(ddof=1))


def _kinship(returns: np.ndarray, at: int) -> tuple[float, float]:
    """Return the largest correlation with another factor, and R2 on all others."""
    others = np.delete(returns, at, axis=1)
    others = others[:, np.isfinite(others).sum(axis=0) >= LEAST]
    seen = np.isfinite(others).all(axis=1) & np.isfinite(returns[:, at])
    if not others.shape[1] or seen.sum() < LEAST:
        return float("nan"), float("nan")
    y, x = returns[seen, at], others[seen]
    y, x = y - y.mean(), x - x.mean(axis=0)
    size = np.sqrt((x**2).sum(axis=0) * (y @ y))
    alike = np.abs(x.T @ y) / np.where(size > 0, size, np.inf)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(alike.max()), float(1 - (left @ left) / (y @ y))
