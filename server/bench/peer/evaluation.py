"""Rank IC, decile returns and turnover by alphalens, on some of the days."""

import warnings

import numpy as np
import pandas as pd
from alphalens import performance, utils
from timing import Timed, main, timed


def alphalens(p: dict[str, np.ndarray]) -> Timed:
    """Evaluate a factor as its tear sheet does, without the drawing."""
    days, n = p["scores"].shape
    dates = pd.bdate_range("2010-01-04", periods=days + 1)
    names = [f"N{i:04d}" for i in range(n)]
    index = pd.MultiIndex.from_product([dates[:-1], names], names=["date", "asset"])
    factor = pd.Series(p["scores"].ravel(), index)
    growth = np.vstack([np.ones(n), np.cumprod(1 + p["forward"], axis=0)])
    prices = pd.DataFrame(100 * growth, dates, names)

    def evaluate() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = utils.get_clean_factor_and_forward_returns(
                factor, prices, quantiles=10, periods=(1,), max_loss=1.0
            )
            performance.factor_information_coefficient(data)
            performance.mean_return_by_quantile(data, by_date=True)
            for quantile in range(1, 11):
                performance.quantile_turnover(data["factor_quantile"], quantile)

    whole = float(p["days"]) / days
    told = f"{days} of {int(p['days'])} days, scaled up"
    return timed(evaluate, "alphalens-reloaded", whole=whole, note=told)


if __name__ == "__main__":
    main({"alphalens": alphalens})
