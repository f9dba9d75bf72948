"""From the symbols of a day to the tickers of the price file."""

import numpy as np
import pandas as pd


def priced_tickers(
    symbols: "pd.Series[str]", dates: "pd.Series[pd.Timestamp]", changes: pd.DataFrame
) -> "pd.Series[str]":
    """Return the price file's ticker of each symbol on its date; missing where it has none.

    Parameters
    ----------
    symbols : symbols of their day
    dates : of the same rows
    changes : the table ``symbol_changes``: a row holds until its last day, or always

    Returns
    -------
    Tickers by row; a symbol without a change that holds is its own ticker
    """
    result = symbols.copy()
    day = dates.to_numpy()
    decided = np.zeros(len(symbols), dtype=bool)
    for change in changes.sort_values("until", na_position="last").to_dict("records"):
        always = pd.isna(change["until"])
        holds = np.ones(len(day), bool) if always else day <= change["until"].to_datetime64()
        here = (symbols == change["symbol"]).to_numpy() & holds & ~decided
        result = result.mask(here, change["ticker"])
        decided |= here
    return result
