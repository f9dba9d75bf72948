"""How long it takes to sell what is held."""

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.frames import Weights, listed

ADV_DAYS = 20
PARTICIPATION = 0.2
MILESTONES = (1, 5, 20)  # days


def average_dollar_volume(
    close: pd.DataFrame, volume: pd.DataFrame, date: pd.Timestamp, days: int = ADV_DAYS
) -> "pd.Series[float]":
    """Return the mean of close × volume over the last ``days`` to ``date``, by asset.

    A day without a price or a volume is left out; NaN where half of the days or more are missing.
    """
    dollars = (close * volume).loc[:date].tail(days)
    enough = dollars.notna().sum() > days / 2
    return dollars.mean().where(enough)


def days_to_exit(
    weights: Weights, adv: "pd.Series[float]", value: float, participation: float = PARTICIPATION
) -> pd.DataFrame:
    """Return how long each position takes to close.

    Parameters
    ----------
    weights : by ticker, fractions of capital; shorts are bought back as longs are sold
    adv : average daily dollar volume by ticker
    value : capital, in the currency of the prices
    participation : share of a day's volume that is ours

    Returns
    -------
    ticker, weight, days_to_exit = |position| / (participation × adv), pct_adv = |position| / adv;
    NaN where there is no volume. Largest first.

    Raises
    ------
    ArgumentError
        If value or participation is not above zero, or participation is above one.
    DataError
        If no position has a volume.
    """
    if not value > 0:
        raise ArgumentError(f"value must be above 0, the capital in money; got {value:g}.")
    if not 0 < participation <= 1:
        raise ArgumentError(
            f"participation must be above 0 and at most 1, such as 0.2; got {participation:g}."
        )
    held = weights[weights != 0]
    volume = adv.reindex(held.index)
    if len(held) and volume.isna().all():
        raise DataError(f"No volume is known for {listed(held.index)}. Choose a date with volumes.")
    position = held.abs() * value
    share = position / volume.where(volume > 0)
    table = pd.DataFrame(
        {
            "ticker": held.index.to_numpy(),
            "weight": held.to_numpy(),
            "days_to_exit": (share / participation).to_numpy(),
            "pct_adv": share.to_numpy(),
        }
    )
    return table.sort_values("days_to_exit", ascending=False, kind="stable", ignore_index=True)


def share_out(table: pd.DataFrame, days: float) -> float:
    """Return the share of what is held (by absolute weight) that can be out within ``days``.

    Every position is sold evenly from the first day. One without a known volume counts as stuck.
    """
    size = table["weight"].abs().to_numpy()
    done = np.minimum(days / table["days_to_exit"].to_numpy(), 1.0)
    done = np.where(np.isnan(table["days_to_exit"].to_numpy()), 0.0, done)
    return float((size * done).sum() / size.sum()) if size.sum() else 1.0
