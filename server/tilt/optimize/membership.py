"""Why a name is held as much as it is and no more, or why it is not held: one sentence each."""

from dataclasses import dataclass, replace

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.check import BINDING, Reading
from tilt.optimize.constraints import IMPLICIT, Rule, Side, amount
from tilt.optimize.explain import Priced
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.route import Found
from tilt.optimize.standing import bounds_of
from tilt.optimize.terms import RISK_OBJECTIVES, SHOWN, Array, Shown

PER_CENT = 0.01  # of capital: what one name more or less is judged by
LEAST = 1e-7  # of the reported objective: a smaller effect is none
HELD = 1e-6


@dataclass(frozen=True, eq=False)
class Pull:
    """What one unit more of each name would add to the reported objective, source by source.

    Capital for a name is taken from the others: all is counted from the average of the names whose
    weight no bound of their own holds, so that what all names have in common is not in it.

    parts : assets × sources; positive is better
    words : of the sources: the factors, its own risk, its alpha, what else counts, binding rules
    own   : what holds each name by itself
    """

    parts: Array
    words: list[str]
    own: "_Own"

    @property
    def net(self) -> Array:
        """What is left by asset: nothing, but for a name held by its own bounds."""
        net: Array = self.parts.sum(axis=1)
        return net


def pull_of(case: Case, found: Found, priced: list[Priced]) -> Pull:
    """Return what holds each name where it is."""
    slope = 1.0
    if case.objective in RISK_OBJECTIVES:  # of a root: d√v = dv / 2√v
        slope = 1 / (2 * max(case.headline(found.weights), 1e-12))
    weights = found.weights
    words = [f"through {name}" for name in case.factors]
    words += ["through its issuer"] * (case.model.exposures.shape[1] - len(words))
    words += ["through its own risk", "through its alpha", "in the objective"]
    parts = [_goal_parts(case, weights) * slope]
    for one in priced:
        if one.reading.rule.rule in IMPLICIT or not one.shadow_price > 0:
            continue
        use = _use(case, weights, one.reading)
        if use is not None:
            sign = -1.0 if one.reading.side == "max" else 1.0
            parts.append((sign * one.shadow_price * use)[:, None])
            words.append(f"under '{_words(one.reading)}'")
    every = np.hstack(parts)
    own = _own_bounds(case)
    free = _free(case, weights, own)
    return Pull(every - every[free].mean(axis=0), words, own)


@dataclass(frozen=True, eq=False)
class _Own:
    """The least and largest weight of each name, and the rule that says so; None: no shorts."""

    lower: Array
    upper: Array
    floor: list[Rule | None]
    cap: list[Rule | None]


def _own_bounds(case: Case) -> _Own:
    sides = halves(lay_out(case), [rule for rule in case.rules if rule.rule == "weight"])
    lower, upper, floor, cap = bounds_of(len(case.assets), sides, shorts=case.options.long_short)
    rules: list[Rule | None] = [half.rule for half in sides]
    rules.append(None)  # at NOBODY, the last place
    return _Own(lower, upper, [rules[int(n)] for n in floor], [rules[int(n)] for n in cap])


def _free(case: Case, weights: Array, own: _Own) -> Array:
    """Return which names no bound of their own holds, nor the cost of a trade; never none."""
    held = np.abs(weights) > HELD
    still = np.abs(weights - case.current) < HELD
    inside = (weights - own.lower > BINDING) & (own.upper - weights > BINDING)
    choices: tuple[Array, ...] = (held & inside & ~still, held & inside, held)
    for free in choices:
        if free.any():
            return free
    return np.ones(len(weights), dtype=bool)


def _goal_parts(case: Case, weights: Array) -> Array:
    """Return the gradient of the goal by asset, split into sources."""
    model = case.model
    n, k = model.exposures.shape
    parts = np.zeros((n, k + 3))
    for scale, form in case.goal.forms():
        off = weights - form.center
        if form.factor:
            through = model.covariance @ (model.exposures.T @ off)
            parts[:, :k] += 2 * scale * form.factor * model.exposures * through
        parts[:, k] += 2 * scale * form.diagonal * off
        parts[:, k + 1] += scale * form.linear
    parts[:, k + 2] = case.goal.gradient(weights, model) - parts.sum(axis=1)
    return parts


def _use(case: Case, weights: Array, reading: Reading) -> Array | None:
    """Return how much of a rule one unit of each name takes; None for its own bounds."""
    rule = replace(reading.rule, who=reading.who or reading.rule.who)
    if rule.rule == "factor":
        return np.asarray(case.model.exposures[:, case.exposures_of(rule)[0]])
    if rule.rule in ("tracking_error", "volatility"):
        off = weights - case.center if rule.rule == "tracking_error" else weights
        return np.asarray(case.model.apply(off) / max(case.model.volatility(off), 1e-12))
    if rule.rule == "beta":
        covariance = case.model.apply(case.center)
        return np.asarray(covariance / (case.center @ covariance))
    if rule.rule == "turnover":
        # Of a name that stays as it is, more would be a purchase.
        return (weights > case.current - HELD).astype(float)
    if rule.rule == "net":
        return np.ones(len(weights))
    if rule.kind.members in ("sector", "industry", "country", "group"):
        held = np.zeros(len(weights))
        held[case.members(rule)[0][1]] = 1.0
        return held
    return None


def _words(reading: Reading) -> str:
    return replace(reading.rule, who=reading.who or reading.rule.who).only(reading.side).words()


def why_held(case: Case, weights: Array, pull: Pull, at: int) -> str:
    """Return the sentence for one asset."""
    weight = float(weights[at])
    bound = _bound(case, pull.own, weight, at)
    net = float(pull.net[at]) * PER_CENT
    if bound is not None:
        rule, side = bound
        lead = _lead(case, weight, at)
        if side == "max" and net > LEAST:
            return f"{lead}: {_more(case, net)}, but '{rule.words()}' stops it."
        if side == "min" and net < -LEAST:
            only = f" only because of '{rule.words()}'" if rule.rule != "long_only" else ""
            return f"{lead}{only}: {_more(case, net)}, most {_through(pull, at, worst=True)}."
        return f"{lead}, where one per cent more or less changes nothing."
    if abs(net) > LEAST and abs(weight - case.current[at]) < HELD:
        return f"Kept at the {amount(weight)} held: a trade either way costs more than it gains."
    gains = float(pull.parts[at].clip(min=0.0).sum()) * PER_CENT
    lead = _lead(case, weight, at)
    if gains < LEAST or abs(net) > LEAST:
        return f"{lead}, where one per cent more or less changes nothing."
    gained, lost = (_through(pull, at, worst=worst) for worst in (False, True))
    size = _size(case, gains)
    return f"{lead}: one per cent more gains {size}, most {gained}, and loses as much, most {lost}."


def _bound(case: Case, own: _Own, weight: float, at: int) -> tuple[Rule, Side] | None:
    """Return the rule on its own weight that an asset lies on, and the side."""
    who = str(case.assets[at])
    rules: tuple[tuple[Side, float, Rule | None], ...] = (
        ("max", float(own.upper[at]), own.cap[at]),
        ("min", float(own.lower[at]), own.floor[at]),
    )
    for side, limit, rule in rules:
        if abs(weight - limit) < BINDING:
            if rule is None:
                return Rule("long_only", "*", 0.0), side
            return replace(rule, who=who).only(side), side
    return None


def _lead(case: Case, weight: float, at: int) -> str:
    if abs(weight) > HELD:
        return f"Held at {amount(weight)}"
    return "Sold" if abs(case.current[at]) > HELD else "Not held"


def _more(case: Case, net: float) -> str:
    """Return what one per cent of capital more of a name would do, with the number."""
    known = SHOWN.get(case.objective, Shown("the objective"))
    verb = "lower" if (net > 0) == known.smaller_is_better else "raise"
    return f"one per cent more would {verb} {known.name} by {_size(case, net)}"


def _size(case: Case, effect: float) -> str:
    size = abs(effect)
    if not SHOWN.get(case.objective, Shown("")).percent:
        return f"{size:.2g}"
    return f"{100 * size:.2g} %" if size >= 1e-5 else "under 0.001 %"


def _through(pull: Pull, at: int, *, worst: bool) -> str:
    """Return the largest source of gain or loss of one asset, as 'through its alpha'."""
    parts = pull.parts[at]
    return pull.words[int(np.argmin(parts) if worst else np.argmax(parts))]
