"""What the market lets a portfolio trade, and at which price: aligned with the assets."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError
from tilt.frames import Panel, listed
from tilt.optimize.costs import Cost
from tilt.optimize.options import Options
from tilt.optimize.rules import Rule
from tilt.optimize.terms import Array
from tilt.risk.liquidity import ADV_DAYS, average_dollar_volume

SIGMA_DAYS = 63  # as a backtest's


@dataclass(frozen=True, eq=False)
class Quotes:
    """What of the market a problem needs, by ticker; None where nothing asks for it.

    adv    : money traded a day, the mean of 20 days
    sigma  : standard deviation of a day's return, over 63 days
    prices : last close
    """

    adv: "pd.Series[float] | None" = None
    sigma: "pd.Series[float] | None" = None
    prices: "pd.Series[float] | None" = None


def quotes(panel: Panel, date: pd.Timestamp, rules: Iterable[Rule], options: Options) -> Quotes:
    """Return the volumes, deviations and prices that rules and costs ask for at a date."""
    names = {rule.rule for rule in rules}
    adv = sigma = prices = None
    close = panel.close.loc[:date]
    if options.impact or "adv" in names:
        volume = panel.volume.loc[:date].tail(ADV_DAYS)
        adv = average_dollar_volume(close.tail(ADV_DAYS), volume, date)
    if options.impact:
        returns = panel.returns.loc[:date].tail(SIGMA_DAYS)
        sigma = returns.std().where(returns.notna().sum() >= ADV_DAYS)
    if "lot" in names:
        prices = close.iloc[-1]
    return Quotes(adv, sigma, prices)


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
            f"{what} needs {of}, and none is known for {listed(pd.Index(assets))}. Leave it out."
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
