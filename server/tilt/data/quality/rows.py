"""Rows of one ticker and day that are there more than once."""

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, Severity, noted

KEY = ["date", "ticker"]


def unique_prices(prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Return one row per ticker and day, and a finding for each that was there more than once.

    Copies count once. Where the rows differ none is believed: the close, the volume and the day's
    events are left out, and the record keeps every row.

    Parameters
    ----------
    prices : the table ``prices`` of ``tilt.data.schema``, ordered by its key
    """
    day, ticker = prices["date"].to_numpy(), prices["ticker"].to_numpy()
    again = np.zeros(len(prices), dtype=bool)
    again[1:] = (day[1:] == day[:-1]) & (ticker[1:] == ticker[:-1])
    if not again.any():
        return prices, []
    repeated = prices[prices.duplicated(KEY, keep=False)]
    contradicting = repeated[~repeated.duplicated(keep=False)]
    doubtful = pd.MultiIndex.from_frame(contradicting[KEY]).unique()
    kept = prices[~again].reset_index(drop=True)
    bad = pd.MultiIndex.from_frame(kept[KEY]).isin(doubtful)
    numbers = [c for c in kept.columns if c not in KEY]
    kept.loc[bad, numbers] = np.nan
    return kept, [*_told(repeated, doubtful, copies=True), *_told(repeated, doubtful, copies=False)]


def _told(repeated: pd.DataFrame, doubtful: pd.MultiIndex, *, copies: bool) -> list[Finding]:
    differs = pd.MultiIndex.from_frame(repeated[KEY]).isin(doubtful)
    rows = repeated[~differs if copies else differs]
    count = rows.groupby(KEY, sort=True).size().rename("n").reset_index()
    severity: Severity = "warning" if copies else "error"
    words = _COPY if copies else _DIFFER
    return [
        noted(
            r["date"], "duplicate_row", words.format_map(r), ticker=r["ticker"], severity=severity
        )
        for r in count.to_dict("records")
    ]


_COPY = "There are {n} rows of this ticker and day, all the same. | Kept once."
_DIFFER = "There are {n} rows of this ticker and day, and they differ. | Quarantined: none is used."
