"""Whether a portfolio keeps its rules, computed from the weights alone and never from a solver."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tilt.frames import Weights
from tilt.optimize.case import Case
from tilt.optimize.constraints import DISCRETE, Rule
from tilt.optimize.limits import FROZEN
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem
from tilt.optimize.risk_shares import risk_share
from tilt.optimize.terms import Array

TOLERANCE = 1e-6  # a rule is kept to this
BINDING = 1e-5  # a rule this near its bound holds the portfolio back


@dataclass(frozen=True, eq=False)
class Reading:
    """A rule's value for one member, and for a weight rule of many names its tightest one.

    slack    : room to the nearer bound; negative where the rule is broken
    side     : the nearer bound
    touching : the names on a bound, for a weight rule
    """

    rule: Rule
    who: str
    low: float | None
    high: float | None
    value: float
    slack: float
    side: Literal["min", "max"]
    touching: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        if self.slack < -TOLERANCE:
            return "violated" if self.rule.hard else "given up"
        return "binding" if self.slack < BINDING else "slack"


def check_rules(weights: Weights, rules: tuple[Rule, ...], problem: Problem) -> pd.DataFrame:
    """Return for each rule its value for the weights, and by how much it is kept or broken.

    Parameters
    ----------
    weights : fractions of capital, by ticker
    rules : the rules to check; they need not be the problem's own
    problem : gives the risk model, sectors, benchmark and current holdings

    Returns
    -------
    rule, who, min, max, value, slack, status (slack, binding, violated, or given up if soft)
    """
    case = open_case(problem)
    aligned = weights.reindex(problem.model.exposures.index).fillna(0.0).to_numpy(dtype=float)
    return pd.DataFrame(
        [
            (r.rule.rule, r.who, r.low, r.high, r.value, r.slack, r.status)
            for r in read_rules(case, aligned, rules)
        ],
        columns=["rule", "who", "min", "max", "value", "slack", "status"],
    ).astype({"min": float, "max": float, "value": float, "slack": float})


def read_rules(case: Case, weights: Array, rules: tuple[Rule, ...]) -> list[Reading]:
    """Return the readings of rules for weights in the order of the case's assets."""
    readings: list[Reading] = []
    for rule in rules:
        low = None if rule.kind.max_only else rule.low
        names, values = _values(case, weights, rule)
        if rule.rule in ("weight", "adv") and len(values) != 1:
            readings.append(_tightest(rule, low, names, values))
        else:
            readings += [
                _reading(rule, name, low, value) for name, value in zip(names, values, strict=True)
            ]
    return readings


def read_each(case: Case, weights: Array) -> list[Reading]:
    """Return the readings of the soft rules, with one for every single weight."""
    readings: list[Reading] = []
    for rule in case.rules:
        if not rule.hard:
            low = None if rule.kind.max_only else rule.low
            names, values = _values(case, weights, rule)
            readings += [_reading(rule, n, low, v) for n, v in zip(names, values, strict=True)]
    return readings


def read_implicit(case: Case, weights: Array) -> list[Reading]:
    """Return the readings of the budget and of long-only, where they hold."""
    readings: list[Reading] = []
    if case.invested is not None:
        rule = Rule("budget", "", case.invested, case.invested)
        readings.append(_reading(rule, "", case.invested, float(weights.sum())))
    if not case.options.long_short:
        rule = Rule("long_only", "*", 0.0)
        at = tuple(case.assets[weights < BINDING])
        least = float(weights.min(initial=np.inf))
        readings.append(Reading(rule, "*", 0.0, None, least, least, "min", at))
    return readings


def worst(readings: list[Reading]) -> Reading | None:
    """Return the hard rule that is broken most, or None if all hold."""
    broken = [r for r in readings if r.rule.hard and r.slack < -TOLERANCE]
    return min(broken, key=lambda r: r.slack) if broken else None


def _reading(
    rule: Rule, who: str, low: float | None, value: float, at: tuple[str, ...] = ()
) -> Reading:
    below = np.inf if low is None else value - low
    above = np.inf if rule.high is None else rule.high - value
    side: Literal["min", "max"] = "min" if below < above else "max"
    return Reading(rule, who, low, rule.high, value, float(min(below, above)), side, at)


def _tightest(rule: Rule, low: float | None, names: list[str], values: Array) -> Reading:
    below = np.full(len(values), np.inf) if low is None else values - low
    above = np.full(len(values), np.inf) if rule.high is None else rule.high - values
    room = np.minimum(below, above)
    at = tuple(names[n] for n in np.flatnonzero(room < BINDING))
    return _reading(rule, rule.who, low, float(values[int(np.argmin(room))]), at)


def worst_broken(case: Case, weights: Array) -> Reading | None:
    """Return what ``worst`` finds among all readings, read of the rules that are broken alone."""
    broken = [rule for rule in case.rules if rule.hard and _room(case, weights, rule) < -TOLERANCE]
    return worst(read_rules(case, weights, tuple(broken)) + read_implicit(case, weights))


def _room(case: Case, weights: Array, rule: Rule) -> float:
    """Return the least room of what a rule bounds."""
    values = _amounts(case, weights, rule)
    below = np.inf if rule.low is None or rule.kind.max_only else values.min() - rule.low
    above = np.inf if rule.high is None else rule.high - values.max()
    return float(min(below, above))


def _values(case: Case, weights: Array, rule: Rule) -> tuple[list[str], Array]:
    """Return the members of a rule and what it bounds for each."""
    return _names(case, rule), _amounts(case, weights, rule)


def _names(case: Case, rule: Rule) -> list[str]:
    if rule.rule == "weight":
        return list(case.assets[case.members(rule)[0][1]])
    if rule.column:
        return [name for name, _ in case.members(rule)]
    if rule.rule == "adv":
        return list(case.assets)
    if rule.rule == "factor":
        return list(case.factors[case.exposures_of(rule)])
    return [""]


def _amounts(case: Case, weights: Array, rule: Rule) -> Array:
    """Return what a rule bounds, for each of its members."""
    off = weights - case.center if rule.relative else weights
    if rule.rule == "weight":
        return np.asarray(off[case.members(rule)[0][1]])
    if rule.column:
        groups = [at for _, at in case.members(rule)]
        group = np.repeat(np.arange(len(groups)), [len(at) for at in groups])
        return np.bincount(group, weights=off[np.concatenate(groups)], minlength=len(groups))
    if rule.rule == "adv":
        return _participation(case, weights)
    if rule.rule == "factor":
        return np.asarray(off @ case.model.exposures[:, case.exposures_of(rule)])
    return np.array([_whole(case, weights, rule)])


def _whole(case: Case, weights: Array, rule: Rule) -> float:
    if rule.rule == "tracking_error":
        return case.model.volatility(weights - case.center)
    if rule.rule == "volatility":
        return case.model.volatility(weights)
    if rule.rule == "beta":
        covariance = case.model.apply(case.center)
        beta = float(weights @ covariance / (case.center @ covariance))
        return beta - 1.0 if rule.relative else beta
    if rule.rule == "turnover":
        return turnover(case.current, weights)
    if rule.rule == "cost":
        return float(case.cost.by_name(weights).sum())
    if rule.rule == "risk_share":
        return risk_share(case, weights, rule)
    if rule.rule == "lot":  # of the trades, which are rounded after the solve
        return np.nan
    if rule.rule in DISCRETE:
        return _least(case, weights, rule)
    return {
        "net": float(weights.sum()),
        "gross": float(np.abs(weights).sum()),
        "long": float(weights.clip(min=0).sum()),
        "short": float(-weights.clip(max=0).sum()),
    }[rule.rule]


def _least(case: Case, weights: Array, rule: Rule) -> float:
    """Return how many names are held, or the smallest of them, or the smallest trade."""
    if rule.rule == "names":
        return float((np.abs(weights) > TOLERANCE).sum())
    size = np.abs(weights - case.current if rule.rule == "trade" else weights)
    made = size[size > TOLERANCE]
    return float(made.min()) if len(made) else np.nan


def _participation(case: Case, weights: Array) -> Array:
    """Return each trade as a share of the name's volume."""
    size = np.abs(weights - case.current)
    moved = size > 0
    share = np.zeros(len(size))
    share[moved] = size[moved] * np.where(
        np.isfinite(case.participation[moved]), case.participation[moved], FROZEN
    )
    return share


def turnover(held: Array, weights: Array) -> float:
    """Return one-way turnover with the change of cash counted."""
    trade = weights - held
    return float((np.abs(trade).sum() + abs(trade.sum())) / 2)
