"""What each rule costs: its shadow price, and what one step looser or tighter would change."""

from dataclasses import dataclass, replace

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.check import Reading, read_each, read_implicit, read_rules
from tilt.optimize.constraints import IMPLICIT, Rule, Side, amount
from tilt.optimize.methods import find
from tilt.optimize.nearby import Nearby, near
from tilt.optimize.route import Found
from tilt.optimize.terms import RISK_OBJECTIVES, SHOWN, Array

ILL_CONDITIONED = 1e10  # of a covariance; float64 keeps six digits of a solution there
STEP_SECONDS = 3.0  # for one step where names are chosen
SHORT_STEP = 0.005  # of capital: what long-only is loosened by


@dataclass(frozen=True, eq=False)
class Priced:
    """A rule's reading and what its bound is worth, in the unit of the reported objective.

    shadow_price : improvement of the objective for one unit more room, from the dual solution;
                   zero where the rule does not bind, NaN where there is none
    looser       : improvement when the bound is one step looser, by solving again
    tighter      : the same one step tighter, so zero or negative; NaN where nothing is left
    step         : by how much the bound was moved
    then         : the reported objective one step looser; with soft rules it can fall while the
                   gain, which counts what they give up, rises
    """

    reading: Reading
    shadow_price: float
    looser: float = np.nan
    tighter: float = np.nan
    step: float = np.nan
    then: float = np.nan


def _worth(case: Case, weights: Array) -> float:
    """Return what the solver maximizes: the goal less what broken soft rules cost."""
    broken = 0.0
    for reading in read_each(case, weights):
        broken += (reading.rule.priority or 0.0) * max(-reading.slack, 0.0)
    return case.goal.value(weights, case.model) - broken


def price_rules(case: Case, found: Found) -> list[Priced]:
    """Return each rule's reading with its shadow price; implicit rules come last."""
    reported = case.headline(found.weights)
    slope = 1.0
    if case.objective in RISK_OBJECTIVES:  # of a root: d√v = dv / 2√v
        slope = 1 / (2 * reported) if reported > 1e-9 else np.nan
    priced: list[Priced] = []
    for rule in dict.fromkeys(case.rules):
        readings = read_rules(case, found.weights, (rule,))
        for n, reading in enumerate(readings):
            paid = _paid(found, rule, n, len(readings))
            if rule.kind.discrete:  # a choice has no price; one step more is solved for
                paid = {"min": np.nan, "max": np.nan}
            priced += [
                Priced(one, 0.0 if one.status == "slack" else paid[one.side] * slope)
                for one in _by_side(case, found.weights, reading, paid)
            ]
    for reading in read_implicit(case, found.weights):
        price = found.budget * slope if reading.rule.rule == "budget" else np.nan
        priced.append(Priced(reading, price))
    return priced


def _paid(found: Found, rule: Rule, row: int, rows: int) -> dict[Side, float]:
    """Return what each bound of a rule costs by the dual solution, for one row of its readings."""
    total: dict[Side, float] = {"min": 0.0, "max": 0.0}
    for n, half in enumerate(found.halves):
        if half.rule == rule and n in found.prices:
            prices = found.prices[n]
            total[half.side] += float(prices[row] if len(prices) == rows else prices.sum())
    if rule.low is not None and rule.low == rule.high:  # two bounds at one place pull as one
        net = total["max"] - total["min"]
        return {"min": max(-net, 0.0), "max": max(net, 0.0)}
    return total


def _by_side(
    case: Case, weights: Array, reading: Reading, paid: dict[Side, float]
) -> list[Reading]:
    """Return a reading for each bound that holds the portfolio back, the dearer one first.

    An equality holds back on the side that costs. The weights of many names can lie on both bounds
    of their rule at once, some on either.
    """
    rule = reading.rule
    dearer: Side = "max" if paid["max"] >= paid["min"] else "min"
    if reading.status == "slack" or rule.low is None or rule.high is None:
        return [reading]
    if rule.low == rule.high:
        return [replace(reading, side=dearer)]
    if rule.rule != "weight":
        return [reading]
    sides: tuple[Side, ...] = (dearer, "min" if dearer == "max" else "max")
    ones = [read_rules(case, weights, (rule.only(side),))[0] for side in sides]
    held = [
        replace(one, rule=rule, low=rule.low, high=rule.high)
        for one in ones
        if one.status != "slack"
    ]
    return held if len(held) > 1 else [reading]


def step_rules(case: Case, found: Found) -> list[Priced]:
    """Return the rules priced, and each binding one solved again one step looser and tighter."""
    priced = price_rules(case, found)
    if not any(_steppable(p.reading) for p in priced):
        return priced
    nearby = near(case, found)
    return [_stepped(case, found, p, nearby) if _steppable(p.reading) else p for p in priced]


def _steppable(reading: Reading) -> bool:
    return reading.status == "binding" and reading.rule.rule != "budget"


def _stepped(case: Case, found: Found, priced: Priced, nearby: Nearby | None) -> Priced:
    reading = priced.reading
    if reading.rule.rule == "long_only":
        gain, then = _gain(case, found, _with_shorts(case))
        return replace(priced, looser=gain, step=SHORT_STEP, then=then)
    step = kind_step(reading.rule, reading.side)
    looser, then = _gain_if(case, found, reading, step, nearby)
    if case.discrete and looser < 0:  # the present answer keeps a looser rule as well
        looser, then = 0.0, case.headline(found.weights)
    tighter, _ = _gain_if(case, found, reading, -step, nearby)
    return replace(priced, looser=looser, tighter=tighter, step=step, then=then)


def _gain_if(
    case: Case, found: Found, reading: Reading, by: float, nearby: Nearby | None
) -> tuple[float, float]:
    """Return the gain of a bound looser by ``by``, and the objective then; NaN for nothing left."""
    changed = _moved(case, reading, by if reading.side == "max" else -by)
    if changed is None:
        return np.nan, np.nan
    if nearby is not None:
        there = nearby.moved(reading.rule, reading.side, reading.who, by)
        if there is not None:
            return _better(case, found.weights, changed, there.weights)
    return _gain(case, found, changed)


def _gain(case: Case, found: Found, changed: Case) -> tuple[float, float]:
    if case.discrete:  # each step is a search of its own
        seconds = min(case.options.time_limit or STEP_SECONDS, STEP_SECONDS)
        changed = replace(changed, options=replace(changed.options, time_limit=seconds))
    again = find(changed)
    if not again.solved:
        return np.nan, np.nan
    return _better(case, found.weights, changed, again.weights)


def _better(case: Case, weights: Array, changed: Case, others: Array) -> tuple[float, float]:
    """Return the gain of the objective in a changed case, soft rules counted, and its value."""
    gain = _worth(changed, others) - _worth(case, weights)
    then = changed.headline(others)
    if case.objective in RISK_OBJECTIVES:  # v0 - v1 = (√v0 - √v1)(√v0 + √v1)
        both = case.headline(weights) + then
        return (gain / both if both > 0 else 0.0), then
    return gain, then


def _moved(case: Case, reading: Reading, by: float) -> Case | None:
    """Return the case with one bound moved, for one member where the rule names each."""
    rules: list[Rule] = []
    for rule in case.rules:
        if rule != reading.rule:
            rules.append(rule)
            continue
        if rule.who == "*" and rule.kind.members not in ("", "asset"):
            names = (
                list(case.factors)
                if rule.rule == "factor"
                else [name for name, _ in case.members(rule)]
            )
            rules += [replace(rule, who=str(n)) for n in names if n != reading.who]
        moved = _shifted(replace(rule, who=reading.who or rule.who), reading.side, by)
        if moved is None:
            return None
        rules.append(moved)
    return replace(case, rules=tuple(rules))


def _shifted(rule: Rule, side: Side, by: float) -> Rule | None:
    """Return the rule with a bound moved, or None where that leaves nothing."""
    moved = rule.moved(side, (rule.bound(side) or 0.0) + by)
    if moved.low is not None and moved.high is not None and moved.low > moved.high:
        return None
    if rule.kind.max_only and (moved.high or 0.0) < 0:
        return None
    return moved


def _with_shorts(case: Case) -> Case:
    return replace(
        case,
        options=replace(case.options, long_short=True),
        rules=(*case.rules, Rule("weight", "*", low=-SHORT_STEP)),
    )


def rule_sentences(case: Case, found: Found, stepped: list[Priced]) -> list[str]:
    """Return a sentence for each rule that binds, the dearest first, and one for the others."""
    told: list[str] = []
    reported = case.headline(found.weights)
    binding = [p for p in stepped if p.reading.status == "binding" and np.isfinite(p.looser)]
    binding.sort(key=lambda p: -p.looser)
    for n, priced in enumerate(binding):
        lead = "costs most" if n == 0 and priced.looser > 1e-9 else "binds"
        told.append(f"'{_words(priced)}' {lead}: {_looser(case, priced, reported)}")
    for priced in stepped:
        if priced.reading.status == "given up":
            reading = priced.reading
            told.append(
                f"'{_words(priced)}' is soft and was given up by "
                f"{reading.rule.shown(-reading.slack)}."
            )
    free = sum(p.reading.status == "slack" for p in stepped)
    if free:
        bounds = "bound leaves" if free == 1 else "bounds leave"
        told.append(f"{free} other {bounds} room and cost{'s' if free == 1 else ''} nothing.")
    return told


def _words(priced: Priced) -> str:
    reading = priced.reading
    if reading.rule.rule == "long_only":
        return "no short positions"
    rule = replace(reading.rule, who=reading.who).only(reading.side)
    return rule.words()


def _looser(case: Case, priced: Priced, reported: float) -> str:
    reading, rule = priced.reading, priced.reading.rule
    name = objective_name(case)
    if rule.rule == "long_only":
        at = f"with shorts to {amount(-SHORT_STEP)}"
    else:
        sign = 1 if reading.side == "max" else -1
        at = f"at {rule.shown((rule.bound(reading.side) or 0.0) + sign * priced.step)}"
    smaller = case.objective in SHOWN and SHOWN[case.objective].smaller_is_better
    now, then = shown_objective(case, reported), shown_objective(case, priced.then)
    if then == now:
        return f"{at} {name} would stay {now}."
    worse = (priced.then > reported) == smaller
    soft = " and soft rules would give up less" if worse and priced.looser > 0 else ""
    return f"{at} {name} would be {then} instead of {now}{soft}."


def warnings_of(case: Case, stepped: list[Priced]) -> list[str]:
    """Return what makes an answer fragile: rules with hardly any room, and near-singular risk."""
    told = [
        f"'{_words(p)}' is nearly impossible: {p.reading.rule.shown(p.step)} tighter "
        "no weights keep the rules."
        for p in stepped
        if np.isfinite(p.step) and np.isnan(p.tighter) and p.reading.rule.rule not in IMPLICIT
    ]
    number = condition_number(case)
    if number > ILL_CONDITIONED:
        told.append(
            f"The covariance is ill-conditioned (condition number about {number:.1g}): "
            "small changes of the inputs can move the weights a lot."
        )
    return told


def condition_number(case: Case) -> float:
    """Return an upper bound of the condition number of the covariance, from its factor form."""
    least = float(case.model.specific.min(initial=np.inf))
    most = float(case.model.specific.max(initial=0.0))
    loadings = case.model.exposures @ case.model.root
    most += float(np.linalg.norm(loadings.T @ loadings, 2)) if loadings.size else 0.0
    return most / least if least > 0 else np.inf


def objective_name(case: Case) -> str:
    """Return what the objective is called in a sentence."""
    shown = SHOWN.get(case.objective)
    return f"the sum {case.objective}" if shown is None else shown.name


def shown_objective(case: Case, value: float) -> str:
    """Return a value of the reported objective as a reader sees it."""
    if case.objective in ("equal_weight", "hrp"):
        return f"{-value:.4g}"
    if not np.isfinite(value):
        return "not defined"
    shown = SHOWN.get(case.objective)
    return amount(value, percent=shown is None or shown.percent)


def kind_step(rule: Rule, side: Side) -> float:
    """Return by how much a bound is moved to price it: the kind's step, or half a small bound."""
    step = rule.kind.step
    bound = abs(rule.bound(side) or 0.0)
    return bound / 2 if 0 < bound <= step else step
