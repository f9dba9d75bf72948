"""In what times a market is, told from its own returns once per snapshot."""

import pandas as pd

from tilt.api.state import State
from tilt.factors.descriptors import market_return
from tilt.frames import Panel
from tilt.risk.regimes import Regimes, markov_regimes


def market_regimes(state: State, panel: Panel, date: pd.Timestamp, states: int = 2) -> Regimes:
    """Return the regimes of a universe's market by cap, from what was known at ``date``.

    Probabilities are filtered: a date knows itself and the dates before it.
    """
    key = ("regimes", panel.universe, panel.snapshot, date, states)
    return state.once(key, lambda: markov_regimes(market_return(panel).loc[:date], states=states))


def words_of(regimes: Regimes, panel: Panel) -> str:
    """Return the last state in a sentence."""
    name, probability, since = regimes.now()
    return (
        f"The market of {panel.universe} is {name} since {since:%Y-%m-%d}, filtered probability "
        f"{probability:.0%}."
    )
