"""What a book had to put up with: holes in the data, names that vanish, trades without a price."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.backtest.ledger import Ledger
from tilt.backtest.market import Market, Rows

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


def _held_in_holes(market: Market, ledger: Ledger) -> Rows:
    """Return the name of each missing return of a name that was held at the close before."""
    if market.complete or not market.missing.any():
        return np.zeros(0, dtype=np.int64)
    name, day = np.nonzero(market.missing[1:].T)
    return np.asarray(name[ledger.positions[day, name] != 0.0])


def events(market: Market, ledger: Ledger) -> Events:
    """Return what happened to a book on the way."""
    holed = _held_in_holes(market, ledger)
    missed = [w for w in ledger.unfilled.values() if np.abs(w).max() > UNFILLED]
    without = np.zeros(len(market.assets)) + sum(np.abs(w) for w in missed)
    return Events(
        holes=len(holed),
        holed=market.assets[np.unique(holed)],
        delisted=tuple(
            (market.dates[t.row], market.assets[t.asset]) for t in ledger.sales if len(t.asset)
        ),
        unfilled=len(missed),
        unpriced=market.assets[np.flatnonzero(without)],
    )
