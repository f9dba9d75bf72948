"""How well risk forecasts turned out."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.frames import FactorHistory, Returns, Weights
from tilt.risk.model import ADJUSTED, Adjustments, RiskModel, estimate_model

MONTH = 21  # days between two forecasts
FACTOR = "factor "  # before the name of one in the table

Portfolios = Callable[[RiskModel], Mapping[str, Weights]]


def bias_statistic(returns: "pd.Series[float]", forecasts: "pd.Series[float]") -> float:
    """Return the standard deviation of returns in units of their forecast: 1 is right.

    Above 1 risk was underforecast, below 1 overforecast. With normal returns 95 % of right models
    lie within `bias_band` (Menchero, Orr, Wang 2011, USE4, appendix).

    Parameters
    ----------
    returns : by date, over (t-1, t]
    forecasts : by the same dates, the volatility of that period forecast at t-1

    Raises
    ------
    DataError
        If under two dates have both, or a forecast is not above zero.
    """
    both = _judged(returns, forecasts)
    return float(np.std((both["r"] / both["sigma"]).to_numpy(), ddof=1))


def bias_band(dates: int) -> tuple[float, float]:
    """Return ``1 ± √(2/T)``: where 95 % of right models lie if returns are normal."""
    half = float(np.sqrt(2 / dates))
    return 1 - half, 1 + half


def qlike(returns: "pd.Series[float]", forecasts: "pd.Series[float]") -> float:
    """Return the mean of ``ln σ² + r²/σ²``: of two forecasts of one series the lower is better.

    Its order does not hang on how noisy ``r²`` is (Patton 2011). Arguments and errors are those of
    `bias_statistic`.
    """
    both = _judged(returns, forecasts)
    variance = both["sigma"] ** 2
    return float((np.log(variance) + both["r"] ** 2 / variance).mean())


def least_variance(model: RiskModel, aim: Weights) -> Weights:
    """Return ``V⁻¹ aim``, scaled to a gross weight of one: the least risk for a unit of ``aim``.

    Without a dense covariance (Woodbury). What ``aim`` leaves out is not held.
    """
    names = aim.index
    small = model.only(names)
    x = np.hstack([small.exposures.to_numpy(dtype=float), small.links])
    alone = small.unshared_var.to_numpy(dtype=float)
    common = np.eye(x.shape[1])
    k = len(small.factor_cov)
    common[:k, :k] = np.linalg.inv(small.factor_cov.to_numpy(dtype=float))
    scaled = x / alone[:, None]
    wished = aim.to_numpy(dtype=float) / alone
    held = wished - scaled @ np.linalg.solve(common + x.T @ scaled, x.T @ wished)
    return pd.Series(held / np.abs(held).sum(), index=names)


def forecast_health(
    history: FactorHistory,
    returns: Returns,
    portfolios: Portfolios,
    *,
    first: int,
    horizon: str = "short",
    adjustments: Adjustments = ADJUSTED,
) -> pd.DataFrame:
    """Judge forecasts out of sample: of every factor, and of portfolios made from the model.

    A model is estimated every 21 days, and its forecasts are held against the days until the next.

    Parameters
    ----------
    returns : dates × assets; a missing return counts as none
    portfolios : weights by name, made anew from each model
    first : row of the first model

    Returns
    -------
    name, days, bias, low, high, qlike; factors have "factor" before their names
    """
    rows: dict[str, list[pd.DataFrame]] = {}
    for t in range(first, len(history.dates) - 1, MONTH):
        after = history.dates[t + 1 : t + 1 + MONTH]
        model = estimate_model(history, history.dates[t], horizon=horizon, adjustments=adjustments)
        sigma = np.sqrt(np.diag(model.factor_cov))
        realized = history.returns.loc[after]
        for factor, one in zip(model.factor_cov, sigma, strict=True):
            part = pd.DataFrame({"r": realized[factor], "sigma": one})
            rows.setdefault(f"{FACTOR}{factor}", []).append(part)
        for name, weights in portfolios(model).items():
            r = returns.loc[after, weights.index].fillna(0.0) @ weights
            forecast = np.sqrt(model.variance(weights))
            rows.setdefault(name, []).append(pd.DataFrame({"r": r, "sigma": forecast}))
    return pd.DataFrame([_row(name, pd.concat(parts).dropna()) for name, parts in rows.items()])


def _row(name: str, days: pd.DataFrame) -> dict[str, object]:
    low, high = bias_band(len(days))
    return {
        "name": name,
        "days": len(days),
        "bias": bias_statistic(days["r"], days["sigma"]),
        "low": low,
        "high": high,
        "qlike": qlike(days["r"], days["sigma"]),
    }


def _judged(returns: "pd.Series[float]", forecasts: "pd.Series[float]") -> pd.DataFrame:
    both = pd.concat({"r": returns, "sigma": forecasts}, axis=1).dropna()
    if len(both) < 2:
        raise DataError(f"{len(both)} dates have a return and a forecast; two are needed.")
    if not (both["sigma"] > 0).all():
        wrong = both.index[~(both["sigma"] > 0).to_numpy()][0]
        raise DataError(f"The forecast on {wrong} is not above zero.")
    return both
