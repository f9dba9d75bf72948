"""When a strategy is asked, and when its answer is filled."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import ArgumentError, cut
from tilt.frames import PERIODS_PER_YEAR

WORDS = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "Y": "yearly"}
MOST_LAG = 21


@dataclass(frozen=True)
class Rebalance:
    """At the end of each period, or when a weight has drifted further than ``drift``."""

    period: str = "M"
    drift: float | None = None

    def words(self) -> str:
        """Return the schedule in a few words."""
        if self.drift is None:
            return f"{WORDS[self.period]}, decided at the close of the period's last session"
        return f"when a weight is {100 * self.drift:g} % of capital off its target"


@dataclass(frozen=True, eq=False)
class Plan:
    """The window of a backtest: rows of the panel's dates, and rows of decisions from the first."""

    first: int
    last: int
    decisions: list[int]


def parse_rebalance(text: str) -> Rebalance:
    """Return the schedule that ``M`` or ``drift:0.05`` means."""
    plain = text.strip()
    match = re.fullmatch(r"drift\s*:\s*(\d*\.?\d+)\s*(%?)", plain, re.IGNORECASE)
    if match:
        drift = float(match[1]) / (100.0 if match[2] else 1.0)
        if not 0.0 < drift < 1.0:
            raise ArgumentError(f"drift must be between 0 and 1; got {drift:g}. 0.05 is 5 %.")
        return Rebalance(drift=drift)
    if plain.upper() in PERIODS_PER_YEAR:
        return Rebalance(plain.upper())
    raise ArgumentError(f"rebalance must be one of D, W, M, Q, Y, drift:0.05; got '{cut(text)}'.")


def check_lag(lag: int) -> None:
    """Raise ``ArgumentError`` for a lag that is no number of sessions."""
    if not 0 <= lag <= MOST_LAG or lag != int(lag):
        raise ArgumentError(f"lag must be a number of sessions from 0 to {MOST_LAG}; got {lag:g}.")


def decision_rows(
    sessions: pd.DatetimeIndex,
    first: int,
    last: int,
    *,
    rebalance: Rebalance,
    lag: int,
    given: pd.DatetimeIndex | None = None,
) -> list[int]:
    """Return the rows of decisions, counted from the first fill: ``-lag``, then ends of periods.

    Parameters
    ----------
    first, last : rows of the sessions: the first fill and the end
    given : dates of a strategy that has its own; they take the place of the periods' ends
    """
    due = period_ends(sessions, rebalance.period) if given is None else given
    rows = sessions.get_indexer(due) - first
    later = rows[(rows > -lag) & (rows >= 0) & (rows + max(lag, 1) <= last - first)]
    return [-lag, *np.unique(later).tolist()]
