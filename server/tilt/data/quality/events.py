"""Events that the prices deny, and moves that look like events nobody booked.

All frames are dates × assets. A mark of a day looks at that day and the days before it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.data.returns import Market
from tilt.frames import Returns

LOOKBACK = 63
UNUSUAL = 6.0  # robust deviations of the asset's own excess return
LEAST_UNUSUAL = 0.08  # and at least this, whatever the deviation
DEFAULT_DEVIATION = 0.02  # of a day, while there is too little history
NOTABLE_DIVIDEND = 0.05  # part of the last close at which the price must have fallen
RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20])
SPLIT_RATIOS = np.concatenate([RATIOS, 1 / RATIOS])
LEAST_JUMP = 0.3
NEAR_RATIO = 0.05  # in logs: the day's own return beside the split
FAR_OUT = 2.0  # times an unusual return: in a panic a third of the price is no split
QUIET = (
    2.0  # news of a +/-33 % move trades more than this multiple of usual money; a split does not
)
LEAST_REVERTED = 0.2
REVERTED = 0.05  # in logs: what is left after a jump and the jump back
SAME_DIVIDEND_DAYS = 8
SAME_DIVIDEND = 0.03


@dataclass(frozen=True, eq=False)
class Events:
    """Marks of events that cannot be as they are booked.

    copied   : one event is booked as split and as dividend
    denied   : a booked split or large dividend leaves a return out of the ordinary
    unbooked : the price moves by the ratio of a split, none is booked, and trade is quiet
    near     : the price moves by such a ratio, but news or a panic explain it as well
    reverted : the jump of the day before is undone
    ratio    : the nearest split, where ``unbooked`` or ``near``
    """

    copied: pd.DataFrame
    denied: pd.DataFrame
    unbooked: pd.DataFrame
    near: pd.DataFrame
    reverted: pd.DataFrame
    ratio: pd.DataFrame

    @property
    def undone(self) -> pd.DataFrame:
        """Where a jump that was taken for a split is undone: shares compare again."""
        return self.reverted & self.unbooked.shift(fill_value=False)

    @property
    def doubtful(self) -> pd.DataFrame:
        """Where the rebuilt return cannot be used."""
        return self.copied | self.denied | self.unbooked | self.undone


def unusual_size(excess: Returns) -> pd.DataFrame:
    """Return the size of an excess return that is out of the ordinary, known the day before."""
    size = excess.abs().rolling(LOOKBACK, min_periods=LOOKBACK // 3).median() * 1.4826
    return (UNUSUAL * size.shift().fillna(DEFAULT_DEVIATION)).clip(lower=LEAST_UNUSUAL)


def find_events(market: Market, returns: Returns, excess: Returns, unusual: pd.DataFrame) -> Events:
    """Return the events that cannot be as they are booked.

    Parameters
    ----------
    returns : total returns of ``market``
    excess : returns over the median of the day
    unusual : of :func:`unusual_size`
    """
    copied = _copied(market)
    jump = pd.DataFrame(
        np.log1p(returns.to_numpy(dtype=float)), index=returns.index, columns=returns.columns
    ).where(market.split == 1)
    far_out = excess.abs() > FAR_OUT * unusual
    reverted = _reverted(jump, far_out)
    near, ratio = _near_ratio(jump)
    near &= ~reverted & ~copied
    unbooked = near & far_out & _quiet(market)
    denied = _denied(market, excess, unusual) & ~copied & ~unbooked
    return Events(copied, denied, unbooked, near & ~unbooked & ~denied, reverted, ratio)


def doubled_dividends(market: Market) -> pd.DataFrame:
    """Return the second of two nearly equal dividends within a few days."""
    paid = market.dividend.to_numpy()
    doubled = np.zeros(paid.shape, dtype=bool)
    days = market.dates.to_numpy().astype("datetime64[D]").astype("int64")
    for column in np.flatnonzero((paid > 0).any(axis=0)):
        rows = np.flatnonzero(paid[:, column] > 0)
        amount = paid[rows, column]
        soon = np.diff(days[rows]) <= SAME_DIVIDEND_DAYS
        same = np.abs(np.diff(amount)) <= SAME_DIVIDEND * amount[1:]
        doubled[rows[1:], column] = soon & same
    return pd.DataFrame(doubled, index=market.close.index, columns=market.close.columns)


def odd_splits(split: pd.DataFrame) -> pd.DataFrame:
    """Return where a split is no ratio of whole numbers of which the smaller is ten at most."""
    rows, columns = np.nonzero(split.to_numpy() != 1)
    values = split.to_numpy()[rows, columns]
    values = np.maximum(values, 1 / values)  # a reverse split is as even as its mirror image
    ratios = values[:, None] * np.arange(1, 11)
    odd = np.zeros(split.shape, dtype=bool)
    odd[rows, columns] = (np.abs(ratios - np.round(ratios)) >= 2e-3).all(axis=1)
    return pd.DataFrame(odd, index=split.index, columns=split.columns)


def _copied(market: Market) -> pd.DataFrame:
    """Return where a dividend has the size of the day's split: of 2:1, a dividend of 2 or 1."""
    split, dividend = market.split, market.dividend
    event = (split != 1) & (dividend > 0)
    same = (dividend - split).abs() < 1e-3
    extra = (dividend - (split - 1)).abs() < 1e-3
    return event & (same | extra)


def _denied(market: Market, excess: Returns, unusual: pd.DataFrame) -> pd.DataFrame:
    worth = market.dividend * market.split / market.close.shift()
    event = (market.split != 1) | (worth > NOTABLE_DIVIDEND)
    return event & (excess.abs() > unusual)


def _quiet(market: Market) -> pd.DataFrame:
    money = market.close * market.volume
    return money < QUIET * money.rolling(21, min_periods=5).median().shift()


def _near_ratio(jump: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return where a jump has the size of a split, and which."""
    given = jump.to_numpy()
    rows, columns = np.nonzero(np.abs(given) > LEAST_JUMP)
    logs = -np.log(SPLIT_RATIOS)  # two new shares for one halve the price
    distance = np.abs(given[rows, columns][:, None] - logs)
    near = np.zeros(jump.shape, dtype=bool)
    near[rows, columns] = distance.min(axis=1) < NEAR_RATIO
    ratio = np.ones(jump.shape)
    ratio[rows, columns] = SPLIT_RATIOS[distance.argmin(axis=1)]
    return (
        pd.DataFrame(near, index=jump.index, columns=jump.columns),
        pd.DataFrame(ratio, index=jump.index, columns=jump.columns),
    )


def _reverted(jump: pd.DataFrame, far_out: pd.DataFrame) -> pd.DataFrame:
    """Return where a jump takes back that of the day before, both far out of the ordinary."""
    large = far_out & (jump.abs() > LEAST_REVERTED)
    back = (jump + jump.shift()).abs() < REVERTED
    return large & large.shift(fill_value=False) & back
