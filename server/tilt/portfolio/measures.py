"""Measures of a series of returns, one function each; conventions beside each formula.

Returns are simple, per period, as decimals, without gaps. ``per_year`` is the number of periods in
a year: 252 daily, 52 weekly, 12 monthly, 4 quarterly. A ratio whose denominator is zero is NaN.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array: TypeAlias = NDArray[np.float64]

LEAST_FOR_INFERENCE = 20

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "total_return": "Compounded return of the whole window: V_T / V_0 - 1",
        "cagr": "Compounded annual return: (V_T / V_0)^(A/n) - 1",
        "mean": "Arithmetic annual mean: A * mean(r)",
        "volatility": "Annual standard deviation: sqrt(A) * sd(r), with n - 1",
        "volatility_period": "Standard deviation per period, not annualized: sd(r), with n - 1",
        "sharpe": "sqrt(A) * mean(r - rf) / sd(r - rf); rf per period is (1 + rf)^(1/A) - 1",
        "sharpe_t_hac": "t-value of the Sharpe ratio being zero, with Newey-West errors of "
        "floor(4 * (n/100)^(2/9)) lags; none below 20 observations",
        "psr": "Probability that the true Sharpe ratio is above zero, allowing for skew and fat "
        "tails (Bailey, Lopez de Prado 2012)",
        "sortino": "sqrt(A) * mean(r - MAR) / sqrt(mean over all periods of min(r - MAR, 0)^2)",
        "calmar": "cagr / -max_drawdown",
        "max_drawdown": "Deepest fall of compounded wealth below its highest value so far, "
        "starting at 1 before the first return; negative",
        "var95": "Historical value at risk per period, a positive loss: the lower empirical "
        "95 % quantile of losses",
        "cvar95": "Mean loss beyond the VaR (Rockafellar, Uryasev: the last observation counts "
        "in part)",
        "skew": "Third standardized moment: m3 / m2^1.5",
        "kurtosis": "Excess kurtosis: m4 / m2^2 - 3",
        "best": "Best period",
        "worst": "Worst period",
        "hit_rate": "Share of periods with a positive return; of active return in the last column",
        "tracking_error": "sqrt(A) * sd(r - b), with n - 1",
        "information_ratio": "A * mean(r - b) / tracking_error",
        "beta": "cov(r, b) / var(b)",
        "alpha": "Jensen's alpha a year: A * (mean(r - rf) - beta * mean(b - rf))",
        "correlation": "Correlation with the benchmark",
        "up_capture": "Annualized compounded return over the benchmark's up periods, divided by "
        "the benchmark's own",
        "down_capture": "Annualized compounded return over the benchmark's down periods, divided "
        "by the benchmark's own",
        "observations": "Number of periods",
    }
)
ANNUAL = frozenset(
    "cagr mean volatility sharpe sortino calmar tracking_error information_ratio alpha "  # noqa: SIM905
    "up_capture down_capture".split()
)
RELATIVE = frozenset(
    "tracking_error information_ratio beta alpha correlation up_capture down_capture".split()  # noqa: SIM905
)


def per_period(annual: float, per_year: int) -> float:
    """Return the rate per period that compounds to ``annual``."""
    return float((1.0 + annual) ** (1.0 / per_year) - 1.0)


def deviation(r: Array) -> float:
    """Return the standard deviation with n - 1; exactly zero for equal returns."""
    if len(r) < 2:
        return float("nan")
    sd = float(np.std(r, ddof=1))
    return 0.0 if sd <= 1e-14 * float(np.max(np.abs(r))) else sd


def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN where the denominator is zero."""
    return numerator / denominator if denominator else float("nan")


def total_return(r: Array) -> float:
    """Return the compounded return of the window."""
    return float(np.prod(1.0 + r) - 1.0)


def cagr(r: Array, per_year: int) -> float:
    """Return the compounded annual return; -1 if all was lost."""
    wealth = float(np.prod(1.0 + r))
    return float(wealth ** (per_year / len(r)) - 1.0) if wealth > 0 else -1.0


def sharpe(r: Array, rf: float, per_year: int) -> float:
    """Return the annual Sharpe ratio; ``rf`` is per period."""
    return float(np.sqrt(per_year)) * ratio(float(np.mean(r - rf)), deviation(r - rf))


def newey_west_lags(observations: int) -> int:
    """Return the lags of Newey, West (1994): floor(4 (n/100)^(2/9))."""
    return int(4.0 * (observations / 100.0) ** (2.0 / 9.0))


def hac_t(x: Array) -> float:
    """Return the t-value of a mean being zero, with Newey-West errors; NaN below 20 observations.

    For excess returns this is also the t-value of their Sharpe ratio being zero: at a mean of zero
    the error of the deviation does not enter (Lo 2002, with autocorrelation).
    """
    n = len(x)
    if n < LEAST_FOR_INFERENCE or deviation(x) == 0.0:
        return float("nan")
    e = x - np.mean(x)
    lags = newey_west_lags(n)
    long_run = e @ e / n
    for lag in range(1, lags + 1):
        long_run += 2.0 * (1.0 - lag / (lags + 1.0)) * (e[lag:] @ e[:-lag]) / n
    return float(np.mean(x) / np.sqrt(long_run / n)) if long_run > 0 else float("nan")


def psr(r: Array, rf: float) -> float:
    """Return the probabilistic Sharpe ratio against zero; NaN below 20 observations."""
    x = r - rf
    if len(x) < LEAST_FOR_INFERENCE or deviation(x) == 0.0:
        return float("nan")
    s = float(np.mean(x)) / deviation(x)
    spread = 1.0 - skew(x) * s + (kurtosis(x) + 2.0) / 4.0 * s**2
    return float(ndtr(s * np.sqrt(len(x) - 1.0) / np.sqrt(spread)))


def sortino(r: Array, mar: float, per_year: int) -> float:
    """Return the annual Sortino ratio; ``mar`` is per period."""
    shortfall = float(np.sqrt(np.mean(np.minimum(r - mar, 0.0) ** 2)))
    return float(np.sqrt(per_year)) * ratio(float(np.mean(r - mar)), shortfall)


def underwater(r: Array) -> Array:
    """Return the drawdown after each period: wealth over its highest value so far, less one."""
    wealth = np.cumprod(1.0 + r)
    return np.asarray(wealth / np.maximum(np.maximum.accumulate(wealth), 1.0) - 1.0)


def max_drawdown(r: Array) -> float:
    """Return the deepest drawdown, a negative number."""
    return float(np.min(underwater(r)))


def value_at_risk(r: Array, confidence: float) -> float:
    """Return the historical VaR: the lower empirical quantile of the losses."""
    losses = np.sort(-r)
    at = int(np.ceil(confidence * len(r) - 1e-9))
    return float(losses[max(at - 1, 0)])


def expected_shortfall(r: Array, confidence: float) -> float:
    """Return the historical CVaR of Rockafellar and Uryasev (2002)."""
    var = value_at_risk(r, confidence)
    return var + float(np.mean(np.maximum(-r - var, 0.0))) / (1.0 - confidence)


def skew(r: Array) -> float:
    """Return the third standardized moment (population)."""
    return _moment(r, 3)


def kurtosis(r: Array) -> float:
    """Return the excess kurtosis (population)."""
    return _moment(r, 4) - 3.0


def _moment(r: Array, power: int) -> float:
    if deviation(r) == 0.0:
        return float("nan")
    e = r - np.mean(r)
    return ratio(float(np.mean(e**power)), float(np.mean(e**2)) ** (power / 2))


def beta(r: Array, b: Array) -> float:
    """Return the slope on the benchmark, covariance over variance."""
    return ratio(_covariance(r, b), deviation(b) ** 2)


def correlation(r: Array, b: Array) -> float:
    """Return the correlation with the benchmark."""
    return ratio(_covariance(r, b), deviation(r) * deviation(b))


def _covariance(r: Array, b: Array) -> float:
    return float((r - np.mean(r)) @ (b - np.mean(b))) / (len(r) - 1) if len(r) > 1 else np.nan


def capture(r: Array, b: Array, periods: NDArray[np.bool_], per_year: int) -> float:
    """Return the ratio of annualized compounded returns over the given periods."""
    if not periods.any():
        return float("nan")
    return ratio(cagr(r[periods], per_year), cagr(b[periods], per_year))


def absolute(
    r: Array, *, per_year: int, rf: float, mar: float, confidence: float
) -> dict[str, float]:
    """Return every measure that needs no benchmark; ``rf`` and ``mar`` are per period."""
    deepest = max_drawdown(r)
    annual_return = cagr(r, per_year)
    sd = deviation(r)
    return {
        "total_return": total_return(r),
        "cagr": annual_return,
        "mean": per_year * float(np.mean(r)),
        "volatility": float(np.sqrt(per_year)) * sd,
        "volatility_period": sd,
        "sharpe": sharpe(r, rf, per_year),
        "sharpe_t_hac": hac_t(r - rf),
        "psr": psr(r, rf),
        "sortino": sortino(r, mar, per_year),
        "calmar": ratio(annual_return, -deepest),
        "max_drawdown": deepest,
        "var95": value_at_risk(r, confidence),
        "cvar95": expected_shortfall(r, confidence),
        "skew": skew(r),
        "kurtosis": kurtosis(r),
        "best": float(np.max(r)),
        "worst": float(np.min(r)),
        "hit_rate": float(np.mean(r > 0)),
        "observations": float(len(r)),
    }


def relative(r: Array, b: Array, *, per_year: int, rf: float) -> dict[str, float]:
    """Return every measure against a benchmark; ``rf`` is per period."""
    active = r - b
    error = float(np.sqrt(per_year)) * deviation(active)
    slope = beta(r, b)
    return {
        "tracking_error": error,
        "information_ratio": ratio(per_year * float(np.mean(active)), error),
        "beta": slope,
        "alpha": per_year * (float(np.mean(r - rf)) - slope * float(np.mean(b - rf))),
        "correlation": correlation(r, b),
        "up_capture": capture(r, b, b > 0, per_year),
        "down_capture": capture(r, b, b < 0, per_year),
    }
