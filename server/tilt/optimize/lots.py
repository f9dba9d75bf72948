"""Trades in round lots, after the solve: whole lots, what stays in cash, and what they break."""

from dataclasses import dataclass

import numpy as np

from tilt.errors import ArgumentError
from tilt.frames import listed
from tilt.optimize.case import Case
from tilt.optimize.check import TOLERANCE, read_rules
from tilt.optimize.market import share_prices
from tilt.optimize.rules import amount
from tilt.optimize.terms import Array

NEAR = 1e-9  # of capital: no spending


@dataclass(frozen=True, eq=False)
class Rounded:
    """Weights whose trades are whole lots.

    notes : the cash that is left, and each rule that rounding breaks
    """

    weights: Array
    notes: tuple[str, ...]


def round_lots(case: Case, weights: Array) -> Rounded:
    """Round each trade to the nearest whole lots, without spending more than is to be invested.

    A position that is sold out is sold to the last share. Where rounding up spends too much, the
    buys that were rounded up most give a lot back.

    Raises
    ------
    ArgumentError
        If option value or the price of a name that trades is not known.
    """
    rule = next((rule for rule in case.rules if rule.rule == "lot"), None)
    if rule is None:
        return Rounded(weights, ())
    if case.options.value is None:
        raise ArgumentError(
            "rule lot needs option value, the money of the portfolio: value=100000000."
        )
    trade = weights - case.current
    moved = np.abs(trade) > TOLERANCE
    prices = share_prices(case.assets, case.problem.prices)
    unknown = case.assets[moved & np.isnan(prices)]
    if len(unknown):
        raise ArgumentError(f"rule lot needs a price of {listed(list(unknown))}, and has none.")
    size = rule.low or 1.0
    lot = size * prices / case.options.value  # weight of a lot
    lots = np.zeros(len(trade))
    lots[moved] = np.rint(trade[moved] / lot[moved]) * lot[moved]
    rounded = np.where(moved, case.current + lots, weights)
    rounded[moved & (np.abs(weights) <= TOLERANCE)] = 0.0
    target = float(weights.sum())
    while rounded.sum() > target + NEAR:
        up = np.where(moved & (rounded > weights) & (trade > 0), rounded - weights, 0.0)
        if not up.any():
            break
        at = int(np.argmax(up))
        rounded[at] -= lot[at]
    cash = target - float(rounded.sum())
    told = (
        f"Trades are rounded to lots of {rule.shown(size)}: {amount(cash)} more than planned "
        f"stays in cash ({cash * case.options.value:,.0f})."
    )
    return Rounded(rounded, (told, *_broken(case, weights, rounded)))


def _broken(case: Case, weights: Array, rounded: Array) -> list[str]:
    """Return what rounding breaks of the rules that the exact weights keep."""
    before = {(r.rule, r.who): r.slack for r in read_rules(case, weights, case.rules)}
    told: list[str] = []
    for reading in read_rules(case, rounded, case.rules):
        rule, kept = reading.rule, before[reading.rule, reading.who] >= -TOLERANCE
        if kept and reading.slack < -TOLERANCE:
            of = f" for {reading.who}" if reading.who and rule.who == "*" else ""
            told.append(f"Rounding breaks '{rule.words()}' by {rule.shown(-reading.slack)}{of}.")
    return told
