"""What was traded: what a simulator notes of it, and what follows from that when somebody asks."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tilt.backtest.costs import Array, Costs, by_name
from tilt.backtest.market import Rows

REBALANCE, DELISTED = 0, 1


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades of one close, by position of the asset; fractions of the capital at the start."""

    row: int
    decided: int
    asset: Rows
    before: Array  # value held before
    trade: Array  # value bought, negative sold
    cost: Array
    nav: float  # before the costs
    reason: int


class Fill(NamedTuple):
    """A rebalance as it is noted: what was held before and what a trade cost follow from it."""

    row: int
    decided: int
    trade: Array  # of every asset, zero where none
    nav: float  # before the costs


def trades_of(
    fill: Fill, held: Array, costs: Costs, slope: Array | None, everybody: Rows
) -> Trades:
    """Return the trades of a fill.

    Parameters
    ----------
    held : of every asset, before the fill
    slope : of every asset, of the impact law on that day
    everybody : the positions of all assets, to be shared by fills that trade every one
    """
    trade, asset = fill.trade, everybody
    if np.count_nonzero(trade) < len(everybody):
        asset = np.flatnonzero(trade)
        trade, held = trade[asset], held[asset]
        slope = None if slope is None else slope[asset]
    cost = by_name(trade, costs, slope)
    return Trades(fill.row, fill.decided, asset, held, trade, cost, fill.nav, REBALANCE)


def sale_of_ended(row: int, asset: Rows, worth: Array, nav: float) -> Trades:
    """Return the sale, free of cost, of names that have no price from a row on."""
    return Trades(row, row, asset, worth, -worth, np.zeros(len(asset)), nav, DELISTED)
