"""Impossible problems that plain arithmetic shows, in the words a colleague would use."""

from dataclasses import dataclass

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.check import TOLERANCE
from tilt.optimize.constraints import KINDS, Rule, amount
from tilt.optimize.terms import Array


@dataclass(frozen=True, eq=False)
class _Ranges:
    """What the hard rules allow each name and the sum; rows as long as the assets."""

    low: Array
    high: Array
    least: float
    most: float


def shortcomings(case: Case) -> tuple[str, ...]:
    """Return a sentence for each impossibility found without a solver; none is no promise."""
    rules = tuple(r for r in case.rules if r.hard)
    ranges = _ranges(case, rules)
    return (
        *_names(case, ranges),
        *_sum(case, rules, ranges),
        *_counted(case, rules, ranges),
        *_too_small(case, rules, ranges),
        *_groups(case, rules, ranges),
        *_turnover(case, rules, ranges),
        *_factors(case, rules, ranges),
    )


def _ranges(case: Case, rules: tuple[Rule, ...]) -> _Ranges:
    n = len(case.assets)
    low = np.full(n, -np.inf if case.options.long_short else 0.0)
    high = np.full(n, np.inf)
    least = most = case.invested
    for rule in rules:
        offset = case.center if rule.relative else np.zeros(n)
        if rule.rule == "weight":
            at = case.members(rule)[0][1]
            if rule.low is not None:
                low[at] = np.maximum(low[at], rule.low + offset[at])
            if rule.high is not None:
                high[at] = np.minimum(high[at], rule.high + offset[at])
        elif rule.rule == "net":
            least = rule.low if least is None else max(least, rule.low or least)
            most = rule.high if most is None else min(most, rule.high or most)
    return _Ranges(low, high, -np.inf if least is None else least, np.inf if most is None else most)


def _names(case: Case, ranges: _Ranges) -> list[str]:
    crossed = np.flatnonzero(ranges.low > ranges.high + TOLERANCE)
    return [
        f"{case.assets[i]} must weigh at least {amount(ranges.low[i])} "
        f"and at most {amount(ranges.high[i])}."
        for i in crossed[:3]
    ]


def _sum(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    found: list[str] = []
    n, caps, floors = len(case.assets), ranges.high.sum(), ranges.low.sum()
    if caps < ranges.least - TOLERANCE:
        found.append(
            f"{_many(n, ranges.high)} at most {_each(ranges.high)} allow {amount(caps)} invested "
            f"at most; {amount(ranges.least)} must be."
        )
    if floors > ranges.most + TOLERANCE:
        found.append(
            f"{_many(n, ranges.low)} at least {_each(ranges.low)} take {amount(floors)} at least; "
            f"{amount(ranges.most)} is to be invested."
        )
    for kind in _groupings(rules):
        low, high = _group_bounds(case, rules, kind)
        floor = sum(b for b in low.values() if b > 0)
        if floor > ranges.most + TOLERANCE and not case.options.long_short:
            found.append(
                f"The least {_said(kind)} weights add up to {amount(floor)}; "
                f"{amount(ranges.most)} is to be invested."
            )
        covered = len(high) > 0 and set(high) >= {str(g) for g in case.labels(_said(kind))}
        if covered and sum(high.values()) < ranges.least - TOLERANCE:
            found.append(
                f"The largest {_said(kind)} weights add up to {amount(sum(high.values()))}; "
                f"{amount(ranges.least)} must be invested."
            )
    return found


def _counted(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    """Return what a number of names and their largest or smallest weights rule out."""
    if case.options.long_short:
        return []
    bound = {(r.rule, side): r.bound(side) for r in rules for side in ("min", "max")}
    found: list[str] = []
    most, fewest = bound.get(("names", "max")), bound.get(("names", "min"))
    least = bound.get(("holding", "min")) or 0.0
    if most is not None and most < len(case.assets):
        caps = np.sort(ranges.high)[::-1][: int(most)]
        if np.isfinite(caps).all() and caps.sum() < ranges.least - TOLERANCE:
            found.append(
                f"{most:g} names at most {_each(caps)} allow {amount(caps.sum())} invested at "
                f"most; {amount(ranges.least)} must be."
            )
        needed = int((ranges.low > TOLERANCE).sum())
        if needed > most:
            found.append(f"{needed} names must be held by the weight rules; {most:g} may be.")
    if fewest is not None and fewest * least > ranges.most + TOLERANCE:
        found.append(
            f"{fewest:g} names at least {amount(least)} each take {amount(fewest * least)}; "
            f"{amount(ranges.most)} is to be invested."
        )
    if fewest is not None and fewest > len(case.assets):
        found.append(f"{fewest:g} names are asked and {len(case.assets)} have risk data.")
    return found


def _too_small(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    """Return the names that must be held and cannot be as much as a holding must be."""
    least = max((r.low or 0.0 for r in rules if r.rule == "holding"), default=0.0)
    small = np.flatnonzero((ranges.low > TOLERANCE) & (ranges.high < least - TOLERANCE))
    return [
        f"{case.assets[i]} must be held and may weigh {amount(ranges.high[i])} at most; a held "
        f"name weighs at least {amount(least)}."
        for i in small[:3]
    ]


def _many(n: int, bounds: Array) -> str:
    return f"{n} names" if np.ptp(bounds) < TOLERANCE else f"{n} names together"


def _each(bounds: Array) -> str:
    if np.ptp(bounds) < TOLERANCE:
        return f"{amount(bounds[0])} each"
    return f"{amount(bounds.min())} to {amount(bounds.max())} each"


def _groupings(rules: tuple[Rule, ...]) -> list[str]:
    """Return the names of the rules about groups, each once."""
    return list(dict.fromkeys(rule.rule for rule in rules if rule.column))


def _said(kind: str) -> str:
    """Return the column that a rule of that name groups by."""
    return Rule(kind).column


def _group_bounds(
    case: Case, rules: tuple[Rule, ...], kind: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the least and the largest weight of each group that has one."""
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for rule in rules:
        if rule.rule != kind:
            continue
        for name, at in case.members(rule):
            offset = float(case.center[at].sum()) if rule.relative else 0.0
            if rule.low is not None:
                low[name] = max(low.get(name, -np.inf), rule.low + offset)
            if rule.high is not None:
                high[name] = min(high.get(name, np.inf), rule.high + offset)
    return low, high


def _groups(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    found: list[str] = []
    for kind in _groupings(rules):
        low, high = _group_bounds(case, rules, kind)
        for rule_name in {**low, **high}:
            at = case.members(Rule(kind, rule_name))[0][1]
            caps, floors = ranges.high[at].sum(), ranges.low[at].sum()
            if rule_name in low and caps < low[rule_name] - TOLERANCE:
                found.append(
                    f"{_said(kind)} {rule_name} has {len(at)} names "
                    f"at most {_each(ranges.high[at])}: "
                    f"{amount(caps)} at most, but at least {amount(low[rule_name])} is asked."
                )
            if rule_name in high and floors > high[rule_name] + TOLERANCE:
                found.append(
                    f"{_said(kind)} {rule_name} has {len(at)} names "
                    f"at least {_each(ranges.low[at])}: "
                    f"{amount(floors)} at least, but at most {amount(high[rule_name])} is asked."
                )
    return found


def _turnover(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    caps = [r for r in rules if r.rule == "turnover" and r.high is not None]
    if not caps:
        return []
    tightest = min(caps, key=lambda r: r.high if r.high is not None else np.inf)
    limit = tightest.high if tightest.high is not None else np.inf
    over = np.clip(case.current - ranges.high, 0.0, None)
    under = np.clip(ranges.low - case.current, 0.0, None)
    sells, buys = float(over.sum()), float(under.sum())
    causes = ["the weight rules"]
    for kind in _groupings(rules):
        low, high = _group_bounds(case, rules, kind)
        sold, bought = sells, buys
        for name in {**low, **high}:
            at = case.members(Rule(kind, name))[0][1]
            held = float(case.current[at].sum())
            sold += max(held - high.get(name, np.inf) - over[at].sum(), 0.0)
            bought += max(low.get(name, -np.inf) - held - under[at].sum(), 0.0)
        if max(sold, bought) > max(sells, buys) + TOLERANCE:
            sells, buys, causes = sold, bought, [f"the weight and {_said(kind)} rules"]
    total = float(case.current.sum())
    needed = max(sells, buys, ranges.least - total, total - ranges.most)
    if needed <= limit + TOLERANCE:
        return []
    cause = causes[0] if max(sells, buys) == needed else "the change of cash"
    sentence = (
        f"Bringing the holdings within {cause} takes {amount(needed)} one-way turnover at least; "
        f"'{tightest.words()}' is asked."
    )
    return [sentence]


def _factors(case: Case, rules: tuple[Rule, ...], ranges: _Ranges) -> list[str]:
    found: list[str] = []
    # Nobody can hold more than everything: with shorts there is no such cap.
    high = ranges.high
    if not case.options.long_short and np.isfinite(ranges.most):
        high = np.minimum(high, ranges.most)
    room = _Ranges(ranges.low, high, ranges.least, ranges.most)
    if not (np.isfinite(room.low).all() and np.isfinite(high).all()) or (room.low > high).any():
        return []
    for rule in rules:
        if rule.rule != "factor":
            continue
        for k in case.exposures_of(rule):
            column = case.model.exposures[:, k]
            offset = float(column @ case.center) if rule.relative else 0.0
            best, worst = _extreme(column, room), -_extreme(-column, room)
            name = f"exposure to {case.factors[k]}"
            if rule.low is not None and best < rule.low + offset - TOLERANCE:
                found.append(
                    f"The largest {name} that the weight rules allow is {_number(best)}; "
                    f"at least {_number(rule.low + offset)} is asked."
                )
            if rule.high is not None and worst > rule.high + offset + TOLERANCE:
                found.append(
                    f"The smallest {name} that the weight rules allow is {_number(worst)}; "
                    f"at most {_number(rule.high + offset)} is asked."
                )
    return found


def _number(value: float) -> str:
    return amount(value, percent=KINDS["factor"].percent)


def _extreme(column: Array, ranges: _Ranges) -> float:
    """Return the largest exposure: fill the best names first, to the sum that pays."""
    order = np.argsort(-column, kind="stable")
    room = (ranges.high - ranges.low)[order]
    start = float(ranges.low.sum())
    best = float(column @ ranges.low)
    filled = np.cumsum(room)
    gains = column[order]
    total = min(ranges.most, start + float(room.sum()))
    taken = np.clip(total - start - (filled - room), 0.0, room)
    # Beyond the least sum, only names with a positive exposure are worth their place.
    needed = np.clip(ranges.least - start - (filled - room), 0.0, room)
    taken = np.where(gains > 0, taken, needed)
    return best + float(gains @ taken)
