"""What trading costs, in fractions of capital."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tilt.errors import ArgumentError
from tilt.frames import Panel

Array: TypeAlias = NDArray[np.float64]

KINDS = ("linear", "spread", "impact", "borrow")
ADV_DAYS, SIGMA_DAYS = 20, 63
DAYS = 252


@dataclass(frozen=True)
class Costs:
    """What is charged for a trade x and for being short.

    cost_bps : linear cost of what is bought or sold, in basis points
    spread   : bid-ask spread as a fraction of the price; half of it is paid
    impact   : c of the 3/2-power law c σ |x|^1.5 / sqrt(ADV), σ per day; 0 leaves it out
    borrow   : yearly fee on the value of shorts, as a decimal
    capital  : money of the book at the start; only the impact depends on it

    References
    ----------
    Boyd et al. (2017), Multi-Period Trading via Convex Optimization, section 2.3.
    """

    cost_bps: float = 10.0
    spread: float = 0.0
    impact: float = 0.0
    borrow: float = 0.0
    capital: float = 1e8

    def __post_init__(self) -> None:
        for name in ("cost_bps", "spread", "impact", "borrow"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ArgumentError(f"{name} must be zero or more; got {value:g}.")
        if self.cost_bps > 1000 or self.spread > 0.2 or self.borrow > 1:
            raise ArgumentError(
                f"costs of {self.cost_bps:g} basis points, a spread of {self.spread:g} and a fee "
                f"of {self.borrow:g} a year cannot be meant. cost_bps=10 is 0.1 % of a trade; "
                "spread=0.001 is 0.1 % of the price."
            )
        if not (np.isfinite(self.capital) and self.capital > 0):
            raise ArgumentError(f"capital must be above zero; got {self.capital:g}.")

    def words(self) -> str:
        """Return the convention in one sentence."""
        parts = [f"{self.cost_bps:g} basis points of what is traded"]
        if self.spread:
            parts.append(f"half a spread of {100 * self.spread:g} %")
        if self.impact:
            parts.append(
                f"impact {self.impact:g} σ |x|^1.5 / sqrt(ADV) for a book of {self.capital:,.0f}, "
                "the median name's where its own is not known"
            )
        if self.borrow:
            parts.append(f"{100 * self.borrow:g} % a year on shorts")
        return "; ".join(parts) + "; taken from cash at the fill"


@dataclass(frozen=True, eq=False)
class Liquidity:
    """What the impact of a trade depends on, known before the day of the fill.

    slope : dates × assets of the panel, σ sqrt(capital / ADV): the impact of a trade x is
        c slope |x|^1.5. A name whose volume or deviation is not known has the median of the others,
        of that day or of the last one that has any; NaN before the first
    first : row of the first day that has any
    """

    slope: Array
    first: int


def liquidity(panel: Panel, costs: Costs) -> Liquidity | None:
    """Return daily liquidity, or None where the costs have no impact term.

    Raises
    ------
    ArgumentError
        If no name has volumes and returns for long enough.
    """
    if not costs.impact:
        return None
    money = (panel.close * panel.volume).rolling(ADV_DAYS, min_periods=ADV_DAYS // 2).mean()
    sigma = panel.returns.rolling(SIGMA_DAYS, min_periods=ADV_DAYS).std()
    slope = sigma / (money.where(money > 0) / costs.capital) ** 0.5
    slope = slope.shift(1)  # a fill at the close does not know the day's own volume
    usual = slope.median(axis=1).ffill()
    known = np.flatnonzero(usual.notna())
    if not len(known):
        raise ArgumentError(
            f"impact needs {ADV_DAYS} days with volumes and returns, and this universe has none. "
            "Set impact=0."
        )
    filled = slope.T.fillna(usual).T
    return Liquidity(np.asarray(filled, dtype=np.float64), int(known[0]))


def charge(trade: Array, costs: Costs, slope: Array | None) -> tuple[float, list[float]]:
    """Return the size of all trades, and what they cost by kind: linear, spread, impact.

    Trade and cost are in units of the capital at the start. Kinds at the end that cost nothing are
    left out.
    """
    moved = float(np.abs(trade).sum())  # BLAS has a call whose last bit depends on the address
    paid = [costs.cost_bps * 1e-4 * moved]
    if slope is not None or costs.spread:
        paid.append(costs.spread / 2.0 * moved)
    if slope is not None:
        paid.append(float(_impact(np.abs(trade), costs, slope).sum()))
    return moved, paid


def by_name(trade: Array, costs: Costs, slope: Array | None) -> Array:
    """Return what each trade cost, all kinds of ``charge`` together."""
    size = np.abs(trade)
    cost = size * (costs.cost_bps * 1e-4 + costs.spread / 2.0)
    if slope is not None:
        cost += _impact(size, costs, slope)
    return cost


def _impact(size: Array, costs: Costs, slope: Array) -> Array:
    return costs.impact * slope * size**1.5


def borrow_fee(costs: Costs) -> float:
    """Return the fee of a day on the value of shorts."""
    return costs.borrow / DAYS


def as_table(dates: pd.DatetimeIndex, charged: Array) -> pd.DataFrame:
    """Return costs by date and kind, with their total."""
    table = pd.DataFrame(charged, index=dates, columns=list(KINDS))
    table["total"] = charged.sum(axis=1)
    return table
