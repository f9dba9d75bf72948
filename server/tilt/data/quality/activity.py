"""Days without trade, closes that do not move, days that are missing."""

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, found
from tilt.data.returns import Market
from tilt.frames import Returns

STALE_DAYS = 5  # closes in a row that are the same
THIN = 0.2  # of the usual volume; what moves a price that far trades far more than usual
USUAL_DAYS = 21


def activity_findings(market: Market, excess: Returns, unusual: pd.DataFrame) -> list[Finding]:
    """Return days on which an asset does not trade as a listed company does.

    Parameters
    ----------
    excess : returns over the median of the day, dates × assets
    unusual : size of an excess return that is out of the ordinary
    """
    traded = market.close.notna()
    listed = traded.cummax() & traded[::-1].cummax()[::-1]
    counted = market.volume.notna().any()  # a source may have closes alone
    silent = traded & ~(market.volume > 0) & counted
    unmoved = market.close == market.close.shift()
    repeated = unmoved & (market.volume == market.volume.shift()) & (market.volume > 0)
    usual = market.volume.rolling(USUAL_DAYS, min_periods=5).median().shift()
    thin = (
        (excess.abs() > unusual)
        & (market.volume < THIN * usual)
        & (market.volume > 0)
        & (market.split == 1)
    )
    values = {"close": market.close, "v": market.volume, "r": excess}
    values["part"] = market.volume / usual
    return [
        *found(silent, "zero_volume", "warning", values, _NO_VOLUME),
        *found(repeated, "repeated_day", "warning", values, _REPEATED),
        *found(_becomes_stale(unmoved), "stale_price", "warning", values, _STALE),
        *found(thin, "thin_large_move", "warning", values, _THIN),
        *found(listed & ~traded, "missing_price", "warning", values, _MISSING),
    ]


def _becomes_stale(unmoved: pd.DataFrame) -> pd.DataFrame:
    """Return the day on which a close has been the same for ``STALE_DAYS`` days, once a spell."""
    given = unmoved.to_numpy()
    run = np.zeros(given.shape, dtype="int32")
    for row in range(1, len(given)):
        run[row] = np.where(given[row], run[row - 1] + 1, 0)
    return pd.DataFrame(run == STALE_DAYS - 1, index=unmoved.index, columns=unmoved.columns)


_NO_VOLUME = "No shares traded at a close of {close:g}. | Kept."
_REPEATED = "Close {close:g} and volume {v:,.0f} are those of the day before. | Kept."
_STALE = f"The close of {{close:g}} is the same for {STALE_DAYS} days. | Kept."
_THIN = (
    "The price moves {r:+.1%} against the market on {part:.0%} of the usual volume. | "
    "Kept: the volume may be wrong."
)
_MISSING = (
    "There is no price between two days that have one. | "
    "Quarantined: the returns of this day and the next are missing."
)
