"""Checks of prices, dividends and splits: what looks wrong, and what is done about it.

Nothing is repaired in silence and the record keeps the raw value. A return that the booked event
contradicts is left missing, not guessed. Whatever changes a number looks at its own day and the
days before, so a later row never changes an earlier return.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, found
from tilt.data.returns import SPIN_OFF, Market, total_returns
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
QUIET = (
    2.0  # news of a +/-33 % move trades more than this multiple of usual money; a split does not
)
SAME_DIVIDEND_DAYS = 8
SAME_DIVIDEND = 0.03
LARGE_MOVE = 0.25


@dataclass(frozen=True, eq=False)
class PriceReview:
    """Prices after the checks.

    market   : prices that are none left out, dividends booked twice counted once
    returns  : total returns, NaN where quarantined
    broken   : dates × assets, True where shares before and after cannot be compared
    findings : see ``tilt.data.findings``
    """

    market: Market
    returns: Returns
    broken: pd.DataFrame
    findings: list[Finding]


def review_prices(booked: Market) -> PriceReview:
    """Check booked prices, dividends and splits, and return what can be computed with."""
    positive = booked.close > 0
    doubled = _doubled_dividends(booked)
    market = Market(
        close=booked.close.where(positive),
        volume=booked.volume,
        dividend=booked.dividend.mask(doubled, 0.0),
        split=booked.split,
    )
    returns = total_returns(market.close, market.dividend, market.split)
    excess = returns.sub(returns.median(axis=1), axis=0)
    unusual = _unusual(excess)
    copied = _copied_events(market)
    denied = _denied_events(market, excess, unusual) & ~copied
    without = total_returns(market.close, market.dividend * 0.0, market.split)
    ordinary = without.sub(returns.median(axis=1), axis=0).abs() < unusual
    unbooked, ratio = _unbooked_splits(market, returns)
    moved = (excess.abs() > LARGE_MOVE) & ~copied & ~denied & ~unbooked
    findings = [
        *found(
            booked.close.notna() & ~positive,
            "price_not_positive",
            "error",
            {"close": booked.close},
            "The close is {close:g}. | Left out of prices and returns.",
        ),
        *_dividend_findings(market, booked, doubled, denied | copied),
        *_event_findings(market, returns, (copied, denied, unbooked), ratio),
        *_activity_findings(market),
        *found(
            moved,
            "large_move",
            "info",
            {"r": returns},
            "The return is {r:+.1%} without an event that explains it. | Kept.",
        ),
    ]
    paid = market.dividend.mask(copied | (denied & ordinary), 0.0)  # the price says it was not
    return PriceReview(
        market=replace(market, dividend=paid),
        returns=returns.mask(copied | denied | unbooked),
        broken=unbooked,
        findings=findings,
    )


def _unusual(excess: Returns) -> pd.DataFrame:
    """Return the size of an excess return that is out of the ordinary, known the day before."""
    size = excess.abs().rolling(LOOKBACK, min_periods=LOOKBACK // 3).median() * 1.4826
    return (UNUSUAL * size.shift().fillna(DEFAULT_DEVIATION)).clip(lower=LEAST_UNUSUAL)


def _copied_events(market: Market) -> pd.DataFrame:
    """Return where one event is booked as split and as dividend: of 2:1, a dividend of 2 or 1."""
    split, dividend = market.split, market.dividend
    event = (split != 1) & (dividend > 0)
    same = (dividend - split).abs() < 1e-3
    extra = (dividend - (split - 1)).abs() < 1e-3
    return event & (same | extra)


def _denied_events(market: Market, excess: Returns, unusual: pd.DataFrame) -> pd.DataFrame:
    """Return where a booked split or large dividend leaves a return out of the ordinary."""
    worth = market.dividend * market.split / market.close.shift()
    event = (market.split != 1) | (worth > NOTABLE_DIVIDEND)
    return event & (excess.abs() > unusual)


def _unbooked_splits(market: Market, returns: Returns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return where the price moves by the ratio of a split, none is booked, and trade is quiet."""
    jump = np.log1p(returns.where(market.split == 1).to_numpy(dtype=float))
    money = market.close * market.volume
    quiet = (money < QUIET * money.rolling(21, min_periods=5).median().shift()).to_numpy()
    rows, columns = np.nonzero(quiet & (np.abs(jump) > LEAST_JUMP))
    logs = -np.log(SPLIT_RATIOS)  # two new shares for one halve the price
    distance = np.abs(jump[rows, columns][:, None] - logs)
    near = np.zeros(jump.shape, dtype=bool)
    near[rows, columns] = distance.min(axis=1) < NEAR_RATIO
    ratio = np.ones(jump.shape)
    ratio[rows, columns] = SPLIT_RATIOS[distance.argmin(axis=1)]
    return (
        pd.DataFrame(near, index=returns.index, columns=returns.columns),
        pd.DataFrame(ratio, index=returns.index, columns=returns.columns),
    )


def _doubled_dividends(market: Market) -> pd.DataFrame:
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


def _dividend_findings(
    market: Market, booked: Market, doubled: pd.DataFrame, contradicted: pd.DataFrame
) -> list[Finding]:
    worth = market.dividend * market.split / market.close.shift()
    large = (worth > SPIN_OFF) & ~contradicted
    return [
        *found(
            doubled,
            "doubled_dividend",
            "warning",
            {"d": booked.dividend},
            "A dividend of {d:g} follows one of the same size within "
            f"{SAME_DIVIDEND_DAYS} days. | Counted once.",
        ),
        *found(
            large,
            "large_dividend",
            "info",
            {"d": market.dividend, "w": worth},
            "A dividend of {d:g} is {w:.0%} of the last close, and the price fell by as much: "
            "a spin-off or a special dividend. | Kept in the return.",
        ),
    ]


def _event_findings(
    market: Market,
    returns: Returns,
    marked: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    ratio: pd.DataFrame,
) -> list[Finding]:
    copied, denied, unbooked = marked
    values = {"s": market.split, "d": market.dividend, "r": returns, "k": ratio}
    values["without"] = market.close * market.split / market.close.shift() - 1
    values["mended"] = (1 + returns) * ratio - 1
    odd = (market.split != 1) & ~_small_ratio(market.split) & ~copied
    return [
        *found(
            copied,
            "doubled_event",
            "error",
            values,
            "A split of {s:g} and a dividend of {d:g} on one day look like one event booked twice. "
            "| The return of {r:+.1%} is left out.",
        ),
        *found(
            denied & ~unbooked,
            "event_denied_by_price",
            "error",
            values,
            "With the booked split of {s:g} and dividend of {d:g} the return is {r:+.1%}; "
            "without the dividend {without:+.1%}. | The return is left out.",
        ),
        *found(
            unbooked,
            "unbooked_split",
            "error",
            values,
            "The return is {r:+.1%} on ordinary trading and no split is booked; a split of {k:.3g} "
            "would make it {mended:+.1%}. | The return is left out, and shares and figures of "
            "before are not used any longer.",
        ),
        *found(
            odd,
            "odd_split",
            "warning",
            values,
            "A split of {s:g} is no ratio of small numbers. | Kept in the return.",
        ),
    ]


def _small_ratio(split: pd.DataFrame) -> pd.DataFrame:
    """Return where a split is a ratio of whole numbers with a denominator of ten at most."""
    values = split.to_numpy()
    near = np.zeros(values.shape, dtype=bool)
    for denominator in range(1, 11):
        near |= np.abs(values * denominator - np.round(values * denominator)) < 2e-3
    return pd.DataFrame(near, index=split.index, columns=split.columns)


def _activity_findings(market: Market) -> list[Finding]:
    traded = market.close.notna()
    listed = traded.cummax() & traded[::-1].cummax()[::-1]
    same = (market.close == market.close.shift()) & (market.volume == market.volume.shift())
    return [
        *found(
            traded & ~(market.volume > 0),
            "zero_volume",
            "warning",
            {"close": market.close},
            "No shares traded at a close of {close:g}. | Kept.",
        ),
        *found(
            same & (market.volume > 0),
            "repeated_day",
            "warning",
            {"close": market.close, "v": market.volume},
            "Close {close:g} and volume {v:,.0f} are those of the day before. | Kept.",
        ),
        *found(
            listed & ~traded,
            "missing_price",
            "warning",
            {},
            "There is no price between two days that have one. | The returns of this day and the "
            "next are missing.",
        ),
    ]
