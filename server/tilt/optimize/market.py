"""What the market lets a portfolio trade, and at which price: aligned with the assets."""

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError
from tilt.frames import listed
from tilt.optimize.costs import Cost
from tilt.optimize.options import Options
from tilt.optimize.terms import Array


def trading_cost(
    assets: Array,
    current: Array,
    options: Options,
    adv: "pd.Series[float] | None",
    sigma: "pd.Series[float] | None",
) -> Cost:
    """Return what trades cost: linear cost and half the spread, impact, borrow on shorts.

    Parameters
    ----------
    adv : money traded a day by ticker; a name without it is taken as the median of the others
    sigma : standard deviation of a day's return by ticker; filled likewise

    Raises
    ------
    ArgumentError
        If there is impact, and the value of the portfolio or the market is not known.
    """
    slope = np.zeros(len(assets))
    if options.impact:
        money = _aligned(adv, assets, "impact", "volumes")
        deviation = _aligned(sigma, assets, "impact", "returns")
        value = _value(options, "impact")
        slope = options.impact * _filled(deviation) * np.sqrt(value / _filled(money))
    half = options.cost_bps * 1e-4 + options.spread / 2
    return Cost(half, slope, options.borrow, current)


def participation(assets: Array, options: Options, adv: "pd.Series[float] | None") -> Array:
    """Return by name the share of a day's volume that one unit of capital is.

    Infinity where nothing is known to trade: such a name keeps its weight.
    """
    money = _aligned(adv, assets, "rule adv", "volumes")
    value = _value(options, "rule adv")
    share = np.full(len(assets), np.inf)
    np.divide(value, money, out=share, where=money > 0)
    return share


def share_prices(assets: Array, prices: "pd.Series[float] | None") -> Array:
    """Return the price of a share by name; NaN where there is none."""
    return _aligned(prices, assets, "rule lot", "prices")


def _aligned(known: "pd.Series[float] | None", assets: Array, what: str, of: str) -> Array:
    values = (
        np.zeros(0)
        if known is None
        else known.reindex(assets).to_numpy(dtype=float, na_value=np.nan)
    )
    if not (np.isfinite(values) & (values > 0)).any():
        raise ArgumentError(
            f"{what} needs {of}, and none is known for {listed(assets)}. Leave it out."
        )
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _filled(values: Array) -> Array:
    return np.where(np.isnan(values), np.nanmedian(values), values)


def _value(options: Options, what: str) -> float:
    if options.value is None:
        raise ArgumentError(
            f"{what} needs option value, the money of the portfolio: value=100000000."
        )
    return options.value
