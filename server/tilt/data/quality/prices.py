"""Checks of prices, dividends and splits, and the returns that can be computed with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, found
from tilt.data.quality.activity import activity_findings
from tilt.data.quality.events import (
    SAME_DIVIDEND_DAYS,
    Events,
    doubled_dividends,
    find_events,
    odd_splits,
    unusual_size,
)
from tilt.data.returns import SPIN_OFF, Market, total_returns
from tilt.frames import Returns

LARGE_MOVE = 0.25
DISAGREES = 0.01  # of a day's return, between close, dividend, split and the adjusted close


@dataclass(frozen=True, eq=False)
class PriceReview:
    """Prices after the checks.

    market   : prices that are none left out, dividends booked twice counted once
    returns  : total returns, NaN where quarantined
    broken   : dates × assets, 1 where shares before and after cannot be compared, -1 where a jump
               is undone and they can be again
    findings : see ``tilt.data.findings``
    """

    market: Market
    returns: Returns
    broken: pd.DataFrame
    findings: list[Finding]


def review_prices(booked: Market) -> PriceReview:
    """Check booked prices, dividends and splits, and return what can be computed with.

    A return that the booked event contradicts is that of the adjusted close where the source has
    one and its return is ordinary; otherwise it is left missing, not guessed.
    """
    positive = booked.close > 0
    doubled = doubled_dividends(booked)
    market = Market(
        close=booked.close.where(positive),
        volume=booked.volume,
        dividend=booked.dividend.mask(doubled, 0.0),
        split=booked.split,
        adjusted=booked.adjusted,
    )
    returns = total_returns(market.close, market.dividend, market.split)
    typical = returns.median(axis=1)
    excess = returns.sub(typical, axis=0)
    unusual = unusual_size(excess)
    events = find_events(market, returns, excess, unusual)
    doubtful = events.doubtful
    adjusted = adjusted_returns(market)
    repaired = doubtful & (adjusted.sub(typical, axis=0).abs() < unusual)
    without = total_returns(market.close, market.dividend * 0.0, market.split)
    ordinary = without.sub(typical, axis=0).abs() < unusual
    moved = (excess.abs() > LARGE_MOVE) & ~doubtful & ~events.near & ~events.reverted
    values = {
        "close": booked.close, "s": market.split, "d": market.dividend, "r": returns,
        "k": events.ratio, "a": adjusted, "booked": booked.dividend, "without": without,
        "worth": market.dividend * market.split / market.close.shift(),
        "before": returns.shift(), "mended": (1 + returns) * events.ratio - 1,
    }  # fmt: skip
    findings = [
        *found(booked.close.notna() & ~positive, "price_not_positive", "error", values, _NO_PRICE),
        *found(doubled, "doubled_dividend", "warning", values, _DOUBLED),
        *_event_findings(events, market, repaired, values),
        *_adjusted_findings(booked, adjusted, doubtful, repaired),
        *activity_findings(market, excess, unusual),
        *found(moved, "large_move", "info", values, _MOVED),
    ]
    paid = market.dividend.mask(events.copied | (events.denied & ordinary), 0.0)  # it was not
    return PriceReview(
        market=replace(market, dividend=paid),
        returns=returns.mask(doubtful, adjusted.where(repaired)),
        broken=events.unbooked.astype("int8") - events.undone.astype("int8"),
        findings=findings,
    )


def adjusted_returns(market: Market) -> Returns:
    """Return what the adjusted closes say of each day, since the last day that has a price."""
    if market.adjusted is None:
        return pd.DataFrame(np.nan, index=market.close.index, columns=market.close.columns)
    adjusted = market.adjusted.where((market.adjusted > 0) & market.close.notna())
    return adjusted / adjusted.ffill().shift() - 1


def _adjusted_findings(
    booked: Market, adjusted: Returns, doubtful: pd.DataFrame, repaired: pd.DataFrame
) -> list[Finding]:
    """Return where close, dividend and split give another return than the adjusted close.

    The returns are those of the numbers as they came, since the last day that has a price.
    """
    if booked.adjusted is None:
        return []
    close = booked.close.where(booked.close > 0)
    rebuilt = (close + booked.dividend) * booked.split / close.ffill().shift() - 1
    differ = (rebuilt - adjusted).abs() > DISAGREES
    values = {"r": rebuilt, "a": adjusted}
    check = "adjusted_close_disagrees"
    return [
        *found(differ & repaired, check, "error", values, _DIFFERS + _AS_ADJUSTED),
        *found(differ & doubtful & ~repaired, check, "error", values, _DIFFERS + _LEFT_OUT),
        *found(differ & ~doubtful, check, "warning", values, _DIFFERS + _AS_BOOKED),
    ]


def _event_findings(
    events: Events, market: Market, repaired: pd.DataFrame, values: Mapping[str, pd.DataFrame]
) -> list[Finding]:
    doubtful = events.doubtful
    large = (values["worth"] > SPIN_OFF) & ~doubtful
    odd = odd_splits(market.split) & ~events.copied
    findings: list[Finding] = []
    for where, check, said, left_out in (
        (events.copied, "doubled_event", _COPIED, _LEFT_OUT),
        (events.denied, "event_denied_by_price", _DENIED, _LEFT_OUT),
        (events.unbooked, "unbooked_split", _UNBOOKED, f"{_LEFT_OUT} {_BROKEN}"),
        (events.undone, "reverted_jump", _REVERTED, _LEFT_OUT),
    ):
        mended = f"{_AS_ADJUSTED} {_BROKEN}" if check == "unbooked_split" else _AS_ADJUSTED
        findings += found(where & ~repaired, check, "error", values, said + left_out)
        findings += found(where & repaired, check, "error", values, said + mended)
    return [
        *findings,
        *found(events.reverted & ~doubtful, "reverted_jump", "warning", values, _REVERTED + _KEPT),
        *found(events.near, "near_split_ratio", "info", values, _NEAR),
        *found(large, "large_dividend", "info", values, _LARGE),
        *found(odd, "odd_split", "warning", values, _ODD),
    ]


_KEPT = "Kept."
_LEFT_OUT = "Quarantined: the return is left out."
_AS_ADJUSTED = "Repaired: the return is that of the adjusted close, {a:+.1%}."
_AS_BOOKED = "Kept: the return is that of close, dividend and split."
_BROKEN = "Shares and figures of before are not used any longer."
_NO_PRICE = "The close is {close:g}. | Quarantined: left out of prices and returns."
_DOUBLED = (
    "A dividend of {booked:g} follows one of the same size within "
    f"{SAME_DIVIDEND_DAYS} days. | Repaired: counted once."
)
_COPIED = (
    "A split of {s:g} and a dividend of {d:g} on one day look like one event booked twice; "
    "together they make a return of {r:+.1%}. | "
)
_DENIED = (
    "With the booked split of {s:g} and dividend of {d:g} the return is {r:+.1%}; "
    "without the dividend {without:+.1%}. | "
)
_UNBOOKED = (
    "The return is {r:+.1%} on ordinary trading and no split is booked; a split of {k:.3g} "
    "would make it {mended:+.1%}. | "
)
_REVERTED = "The return of {r:+.1%} takes back that of the day before, {before:+.1%}. | "
_NEAR = (
    "The return is {r:+.1%}, which is also that of a split of {k:.3g}; none is booked, and heavy "
    "trading or wild days explain it. | Kept."
)
_LARGE = (
    "A dividend of {d:g} is {worth:.0%} of the last close, and the price fell by as much: "
    "a spin-off or a special dividend. | Kept in the return."
)
_ODD = "A split of {s:g} is no ratio of small numbers. | Kept in the return."
_MOVED = "The return is {r:+.1%} without an event that explains it. | Kept."
_DIFFERS = (
    "Close, dividend and split make a return of {r:+.1%}, the adjusted close one of {a:+.1%}. | "
)
