"""What a book had to put up with: holes in the data, names that vanish, trades without a price."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.backtest.ledger import DELISTED, Ledger
from tilt.backtest.market import Market

UNFILLED = 1e-6  # of capital


@dataclass(frozen=True, eq=False)
class Events:
    """What happened on the way.

    holes      : how many returns of held names are missing, and of which names
    delisted   : date and names sold at their last price
    unfilled   : at how many fills names had no price, and which ones
    """

    holes: int
    holed: "pd.Index[str]"
    delisted: tuple[tuple[pd.Timestamp, "pd.Index[str]"], ...]
    unfilled: int
    unpriced: "pd.Index[str]"


def events(market: Market, ledger: Ledger) -> Events:
    """Return what happened to a book on the way."""
    held = np.zeros(market.growth.shape, dtype=bool)
    held[1:] = ledger.positions[:-1] != 0.0
    holes = held & market.missing
    missed = [w for w in ledger.unfilled.values() if np.abs(w).max() > UNFILLED]
    without = np.zeros(len(market.assets)) + sum(np.abs(w) for w in missed)
    return Events(
        holes=int(holes.sum()),
        holed=market.assets[np.flatnonzero(holes.any(axis=0))],
        delisted=tuple(
            (market.dates[t.row], market.assets[t.asset])
            for t in ledger.trades
            if t.reason == DELISTED and len(t.asset)
        ),
        unfilled=len(missed),
        unpriced=market.assets[np.flatnonzero(without)],
    )
