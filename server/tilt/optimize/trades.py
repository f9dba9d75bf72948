"""Why each trade is made: what it adds to the objective, which broken rule it repairs, or funds."""

from dataclasses import dataclass, replace

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.check import Reading, read_rules
from tilt.optimize.explain import Priced, objective_name
from tilt.optimize.goals import Ratio, RiskBudgets, risk_shares
from tilt.optimize.terms import RISK_OBJECTIVES, SHOWN, Array, Shown

LEAST_TRADE = 1e-6  # a smaller change is the solver's rounding
LEAST_SHARE = 0.05  # of what a rule is broken by: a trade that mends less is made for other reasons
LAST = {  # what the last part of a gain goes through
    "min_cvar": "the worst days",
    "min_cost": "what it costs",
    "max_diversification": "its own volatility",
    "black_litterman": "the return that is believed",
}
WITHOUT_GAIN = ("equal_weight", "hrp", "risk_parity", "risk_budget", "min_cost")
_LINEAR = ("weight", "sector", "industry", "factor", "net")


@dataclass(frozen=True, eq=False)
class Gains:
    """How the improvement of the objective splits over trades.

    The objective is quadratic, so its change is exactly the trade times the gradient halfway. What
    all trades have in common is funding, and is taken out of each.

    total  : by asset, in the unit of the reported objective
    parts  : assets × sources, same unit
    source : names of the sources: factors, own risk, alpha
    """

    total: Array
    parts: Array
    source: list[str]


def split_gains(case: Case, weights: Array) -> Gains:
    """Return what each trade from the holdings to ``weights`` adds to the objective."""
    trade = weights - case.current
    middle = (weights + case.current) / 2
    model = case.model
    n, k = len(case.assets), len(case.factors)
    parts = np.zeros((n, k + 2))
    for scale, form in case.goal.forms():
        off = middle - form.center
        if form.factor:
            pull = model.covariance @ (model.exposures.T @ off)
            pulled = 2 * scale * form.factor * model.exposures * pull
            parts[:, :k] += pulled[:, :k]
            parts[:, k] += pulled[:, k:].sum(axis=1)  # shared with the company's other shares
        parts[:, k] += 2 * scale * form.diagonal * off
        parts[:, k + 1] += scale * form.linear
    for scale, term in case.goal.others():
        parts[:, k + 1] += scale * term.gradient(middle, model)
    if isinstance(case.goal, Ratio):
        parts += case.goal.parts(case.current, weights, model, k)
    size = np.abs(trade)
    if size.sum() > 0:
        parts = parts - (size @ parts) / size.sum()
    parts = parts * trade[:, None]
    if case.objective in RISK_OBJECTIVES:  # v1 - v0 = (√v1 - √v0)(√v1 + √v0)
        both = case.headline(weights) + case.headline(case.current)
        parts = parts / both if both > 0 else parts
    source = [*map(str, case.factors), "its own risk", LAST.get(case.objective, "its alpha")]
    return Gains(parts.sum(axis=1), parts, source)


def reasons(case: Case, weights: Array, priced: list[Priced]) -> dict[int, str]:
    """Return one sentence for each trade, by position of the asset."""
    trade = weights - case.current
    gains = split_gains(case, weights)
    broken = [r for r in read_rules(case, case.current, case.rules) if r.slack < -1e-6]
    paid = [
        (p, _coefficients(case, p.reading))
        for p in priced
        if p.reading.rule.rule in _LINEAR and p.shadow_price > 0
    ]
    return {
        int(i): _reason(case, int(i), trade, gains, broken, paid)
        for i in np.flatnonzero(np.abs(trade) > LEAST_TRADE)
    }


def _coefficients(case: Case, reading: Reading) -> Array:
    """Return by how much one unit of each asset moves what a rule bounds."""
    rule = replace(reading.rule, who=reading.who or reading.rule.who)
    if rule.rule == "factor":
        return np.asarray(case.model.exposures[:, case.exposures_of(rule)[0]])
    held = np.zeros(len(case.assets))
    if rule.rule == "net":
        held += 1.0
    else:
        held[case.members(rule)[0][1]] = 1.0
    return held


def _reason(
    case: Case,
    at: int,
    trade: Array,
    gains: Gains,
    broken: list[Reading],
    paid: list[tuple[Priced, Array]],
) -> str:
    gain = float(gains.total[at])
    repaired = _repaired(case, at, trade, broken)
    if repaired:
        more = f" Also {_gain_words(case, gain, gains, at)}" if gain > 0 else ""
        return repaired + (more if case.objective not in WITHOUT_GAIN else "")
    if case.objective == "equal_weight":
        return "Moves it toward the equal weight, as far as the rules allow."
    if case.objective == "hrp":
        return "Moves it toward the weight that the hierarchy gives it."
    if isinstance(case.goal, RiskBudgets):
        return _share_words(case, at, trade)
    if gain > 0:
        words = _gain_words(case, gain, gains, at)
        return words[0].upper() + words[1:]
    best, words = 0.0, ""
    for priced, coefficient in paid:
        reading = priced.reading
        sign = -1.0 if reading.side == "max" else 1.0
        worth = sign * priced.shadow_price * coefficient[at] * trade[at]
        if worth > best:
            rule = replace(reading.rule, who=reading.who or reading.rule.who).only(reading.side)
            best, words = worth, rule.words()
    cost = _loss_words(case, -gain) if gain < 0 else "Costs nothing"
    if case.objective == "min_cost":
        cost = f"Costs {_small(float(case.cost.by_name(case.current + trade)[at]))}"
    if words:
        return f"{cost}, and makes room under '{words}'."
    paid_for = "pays for the purchases" if trade[at] < 0 else "takes up what the sales free"
    return f"{cost}, and {paid_for}."


def _repaired(case: Case, at: int, trade: Array, broken: list[Reading]) -> str:
    for reading in broken:
        rule = reading.rule
        if rule.rule not in _LINEAR:
            continue
        if rule.rule == "weight":
            value = float(case.current[at] - (case.center[at] if rule.relative else 0.0))
            inside = at in case.members(rule)[0][1]
            over = rule.high is not None and value > rule.high and trade[at] < 0
            under = rule.low is not None and value < rule.low and trade[at] > 0
            if inside and (over or under):
                side = rule.only("max" if over else "min")
                return f"Repairs '{side.words()}': {rule.shown(value)} held."
            continue
        moved = float(_coefficients(case, reading)[at] * trade[at])
        helps = moved * (-1.0 if reading.side == "max" else 1.0)
        if helps > LEAST_SHARE * -reading.slack:
            side = replace(rule, who=reading.who).only(reading.side)
            return f"Repairs '{side.words()}': {rule.shown(reading.value)} held."
    return ""


def _gain_words(case: Case, gain: float, gains: Gains, at: int) -> str:
    through = gains.source[int(np.argmax(gains.parts[at]))]
    if case.objective in RISK_OBJECTIVES:
        return f"lowers {objective_name(case)} by {_small(gain)}, most of it through {through}."
    if not SHOWN.get(case.objective, Shown("")).percent:
        return f"adds {gain:.2g} to the {objective_name(case)}, most of it through {through}."
    return f"adds {_small(gain)} of {objective_name(case)}, most of it through {through}."


def _loss_words(case: Case, loss: float) -> str:
    if case.objective in RISK_OBJECTIVES:
        return f"Adds {_small(loss)} to {objective_name(case)}"
    if not SHOWN.get(case.objective, Shown("")).percent:
        return f"Takes {loss:.2g} off the {objective_name(case)}"
    return f"Costs {_small(loss)} of {objective_name(case)}"


def _share_words(case: Case, at: int, trade: Array) -> str:
    """Return what becomes of a name's share of the risk."""
    before = risk_shares(case.current, case.model)[at] if case.current.any() else 0.0
    after = risk_shares(case.current + trade, case.model)[at]
    return (
        f"Its share of the risk goes from {100 * before:.3g} % to {100 * after:.3g} %; "
        f"its budget is {100 * case.budgets.by_name[at]:.3g} %."
    )


def _small(value: float) -> str:
    """Return a yearly figure with two digits that count, down to a thousandth of a per cent."""
    return f"{100 * value:.2g} %" if abs(value) >= 1e-5 else "under 0.001 %"
