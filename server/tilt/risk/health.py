"""How well risk forecasts turned out."""

import numpy as np
import pandas as pd

from tilt.errors import DataError


def bias_statistic(returns: "pd.Series[float]", forecasts: "pd.Series[float]") -> float:
    """Return the standard deviation of returns in units of their forecast: 1 is right.

    Above 1 risk was underforecast, below 1 overforecast. With normal returns 95 % of right models
    lie within 1 ± √(2/T) (Menchero, Orr, Wang 2011, USE4, appendix).

    Parameters
    ----------
    returns : by date, over (t-1, t]
    forecasts : by the same dates, the volatility of that period forecast at t-1

    Raises
    ------
    DataError
        If under two dates have both, or a forecast is not above zero.
    """
    both = pd.concat({"r": returns, "sigma": forecasts}, axis=1).dropna()
    if len(both) < 2:
        raise DataError(f"{len(both)} dates have a return and a forecast; two are needed.")
    if not (both["sigma"] > 0).all():
        wrong = both.index[~(both["sigma"] > 0).to_numpy()][0]
        raise DataError(f"The forecast on {wrong} is not above zero.")
    return float(np.std((both["r"] / both["sigma"]).to_numpy(), ddof=1))
