"""How well risk forecasts turned out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.frames import FactorHistory, Returns, Weights
from tilt.risk.model import ADJUSTED, Adjustments, RiskModel, estimate_model

MONTH = 21  # days between two forecasts
FIRST = 126  # days of history before the first; a covariance of fewer is hardly a forecast
FACTOR = "factor "  # before the name of one in the table

Portfolios = Callable[[RiskModel], "Mapping[str, Weights] | pd.DataFrame"]


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
    return least_variances(model, aim.to_frame("w"))["w"]


def least_variances(model: RiskModel, aims: pd.DataFrame) -> pd.DataFrame:
    """Return what `least_variance` gives for each column of ``aims``, assets × portfolios."""
    small = model.only(aims.index)
    x = np.hstack([small.exposures.to_numpy(dtype=float), small.links])
    alone = small.unshared_var.to_numpy(dtype=float)[:, None]
    common = np.eye(x.shape[1])
    k = len(small.factor_cov)
    common[:k, :k] = np.linalg.inv(small.factor_cov.to_numpy(dtype=float))
    scaled = x / alone
    wished = aims.to_numpy(dtype=float) / alone
    held = wished - scaled @ np.linalg.solve(common + x.T @ scaled, x.T @ wished)
    return pd.DataFrame(held / np.abs(held).sum(axis=0), aims.index, aims.columns)


def model_dates(history: FactorHistory, *, first: int = FIRST) -> pd.DatetimeIndex:
    """Return the dates on which forecasts are made to be judged: every 21st, each with a return."""
    return history.dates[first : len(history.dates) - 1 : MONTH]


def past_models(
    history: FactorHistory,
    *,
    earlier: Sequence[RiskModel] = (),
    first: int = FIRST,
    horizon: str = "short",
    adjustments: Adjustments = ADJUSTED,
) -> tuple[RiskModel, ...]:
    """Return the models of `model_dates`; those of ``earlier`` are taken over as they are."""
    known = {model.date: model for model in earlier}
    return tuple(
        known.get(date) or estimate_model(history, date, horizon=horizon, adjustments=adjustments)
        for date in model_dates(history, first=first)
    )


def forecast_health(
    models: Sequence[RiskModel], history: FactorHistory, returns: Returns, portfolios: Portfolios
) -> pd.DataFrame:
    """Judge forecasts out of sample: of every factor, and of portfolios made from the models.

    The forecasts of a model are held against the days until the next.

    Parameters
    ----------
    models : by date, of the history's
    returns : dates × assets; a missing return counts as none
    portfolios : weights by name, made anew from each model

    Returns
    -------
    name, days, bias, low, high, qlike; factors have "factor" before their names
    """
    rows: dict[str, list[tuple[np.ndarray, float]]] = {}
    ends = [*(model.date for model in models[1:]), history.dates[-1]]
    for model, end in zip(models, ends, strict=True):
        after = history.dates[(history.dates > model.date) & (history.dates <= end)]
        sigma = np.sqrt(np.diag(model.factor_cov))
        realized = history.returns.loc[after, model.factor_cov.columns].to_numpy()
        for i, factor in enumerate(model.factor_cov):
            rows.setdefault(f"{FACTOR}{factor}", []).append((realized[:, i], float(sigma[i])))
        held = pd.DataFrame(portfolios(model), dtype=float).reindex(model.assets).fillna(0.0)
        w = held.to_numpy(dtype=float)
        y = model.exposures.to_numpy(dtype=float).T @ w
        variance = (y * (model.factor_cov.to_numpy() @ y)).sum(axis=0)
        forecast = np.sqrt(variance + (w * model.specific_times(w)).sum(axis=0))
        earned = returns.loc[after].reindex(columns=model.assets).fillna(0.0).to_numpy() @ w
        for i, name in enumerate(held):
            rows.setdefault(str(name), []).append((earned[:, i], float(forecast[i])))
    return pd.DataFrame([_row(name, parts) for name, parts in rows.items()])


def _row(name: str, parts: list[tuple[np.ndarray, float]]) -> dict[str, object]:
    r = pd.Series(np.concatenate([earned for earned, _ in parts]))
    sigma = pd.Series(np.concatenate([np.full(len(earned), s) for earned, s in parts]))
    days = int((r.notna() & sigma.notna()).sum())
    low, high = bias_band(days)
    return {
        "name": name,
        "days": days,
        "bias": bias_statistic(r, sigma),
        "low": low,
        "high": high,
        "qlike": qlike(r, sigma),
    }


def _judged(returns: "pd.Series[float]", forecasts: "pd.Series[float]") -> pd.DataFrame:
    both = pd.concat({"r": returns, "sigma": forecasts}, axis=1).dropna()
    if len(both) < 2:
        raise DataError(f"{len(both)} dates have a return and a forecast; two are needed.")
    if not (both["sigma"] > 0).all():
        wrong = both.index[~(both["sigma"] > 0).to_numpy()][0]
        raise DataError(f"The forecast on {wrong} is not above zero.")
    return both
