"""Two hundred impossible problems, drawn at random: what is said of each is judged by HiGHS.

The judge knows the meaning of each rule and none of our matrices. A set that is impossible, and
possible without any one of its rules, is possible in each proper subset.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.optimize import linprog

from tilt.optimize.conflict import explain_conflict
from tilt.optimize.constraints import Rule
from tilt.optimize.posing import open_case
from tilt.risk.measures import risk_measure

BATCHES, EACH = 20, 10
MARGIN = 1e-4  # a problem nearer to the edge than this is no test
SECTORS = ("Energy", "Finance", "Health", "Technology")


def _weights(rng, _):
    return Rule("weight", "*", None, rng.uniform(0.05, 0.2))


def _floors(rng, _):
    return Rule("weight", str(rng.choice(SECTORS)), rng.uniform(0.02, 0.1))


def _one_name(rng, _):
    return Rule("weight", f"N{rng.integers(12):02d}", rng.uniform(0.05, 0.3))


def _sector_floor(rng, _):
    return Rule("sector", str(rng.choice(SECTORS)), rng.uniform(0.2, 0.6))


def _sector_cap(rng, _):
    return Rule("sector", str(rng.choice(SECTORS)), None, rng.uniform(0.05, 0.3))


def _all_sectors(rng, _):
    return Rule("sector", "*", -rng.uniform(0.0, 0.1), rng.uniform(0.0, 0.1), relative=True)


def _turnover(rng, _):
    return Rule("turnover", "", None, rng.uniform(0.02, 0.4))


def _tilt(rng, _):
    return Rule("factor", str(rng.choice(["Size", "Value"])), rng.uniform(0.3, 1.2), relative=True)


def _against(rng, _):
    return Rule("factor", "Momentum", None, -rng.uniform(0.3, 1.2))


def _market(rng, problem):
    betas = problem.model.exposures["Market"]
    return Rule("factor", "Market", None, rng.uniform(0.5, 0.95) * betas.mean())


def _beta(rng, _):
    return Rule("beta", "", rng.uniform(1.0, 1.4), None)


def _net(rng, _):
    low = rng.uniform(0.8, 1.0)
    return Rule("net", "", low, low + 0.05)


MAKERS = (
    _weights, _floors, _one_name, _sector_floor, _sector_cap, _all_sectors, _turnover, _tilt,
    _against, _market, _beta, _net,
)  # fmt: skip


def drawn(problem, rng):
    """Return rules of four to seven kinds, each about another thing."""
    chosen = rng.choice(len(MAKERS), size=int(rng.integers(4, 8)), replace=False)
    return tuple(MAKERS[i](rng, problem) for i in chosen)


def columns_of(problem, rule):
    """Return what a rule adds the weights up to, a row for each member."""
    assets = problem.model.assets
    n, sector = len(assets), problem.securities["sector"].to_numpy()
    if rule.rule == "weight":
        inside = (assets == rule.who) | (sector == rule.who) | (rule.who == "*")
        return [np.eye(n)[i] for i in np.flatnonzero(inside)]
    if rule.rule == "sector":
        named = SECTORS if rule.who == "*" else (rule.who,)
        return [(sector == name).astype(float) for name in named]
    if rule.rule == "factor":
        return [problem.model.exposures[rule.who].to_numpy()]
    if rule.rule == "beta":
        one = partial(risk_measure, problem.model, benchmark=problem.benchmark, measure="beta")
        return [np.array([one(problem.current * 0 + unit) for unit in np.eye(n)])]
    return [np.ones(n)]


def linear(problem, rules):
    """Return ``A x ≤ b`` of the rules over weights and buys, from the meaning of each rule."""
    held, base = problem.current.to_numpy(), problem.benchmark.to_numpy()
    n = len(held)
    # A buy is at least what is held more.
    rows, bounds = [*np.hstack([np.eye(n), -np.eye(n)])], [*held]

    def keep(row, low, high, buys=0.0):
        for sign, bound in ((-1.0, low), (1.0, high)):
            if bound is not None:
                rows.append(sign * np.concatenate([row, np.full(n, buys)]))
                bounds.append(sign * bound)

    for rule in rules:
        if rule.rule == "turnover":  # the larger of buys and sells
            keep(np.zeros(n), None, rule.high, buys=1.0)
            keep(-np.ones(n), None, rule.high - held.sum(), buys=1.0)
            continue
        for column in columns_of(problem, rule):
            moved = column @ base if rule.relative else 0.0
            low, high = (None if b is None else b + moved for b in (rule.low, rule.high))
            keep(column, low, high)
    if not any(rule.rule == "net" for rule in rules):
        keep(np.ones(n), held.sum(), held.sum())
    return np.array(rows), np.array(bounds)


def possible(problem, rules, margin=0.0):
    """Return whether weights of zero or more keep the rules, each with some room to spare."""
    matrix, bounds = linear(problem, rules)
    size = matrix.shape[1]
    found = linprog(np.zeros(size), matrix, bounds + margin, bounds=[(0, None)] * size)
    assert found.status in (0, 2), found.message
    return found.status == 0


def impossible_problems(problem_of, batch):
    rng = np.random.default_rng(batch)
    kept = 0
    while kept < EACH:
        problem = problem_of("min_te", n=12, held=5, seed=int(rng.integers(1000)))
        rules = drawn(problem, rng)
        if not possible(problem, rules, margin=MARGIN):
            kept += 1
            yield replace(problem, rules=rules)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_conflict_is_found_is_smallest_and_its_repairs_repair(problem_of, batch):
    for problem in impossible_problems(problem_of, batch):
        _judge(problem, explain_conflict(open_case(problem)))


def _judge(problem, conflict):
    net = tuple(r for r in problem.rules if r.rule == "net")
    # A net rule takes the budget's place, whether it is part of the conflict or not.
    free = () if not net else (Rule("net", "", 0.0, 4.0),)
    assert not possible(problem, (*conflict.rules, *free))
    for out in conflict.rules:
        rest = tuple(r for r in conflict.rules if r is not out)
        assert possible(problem, (*rest, *free), margin=1e-6), "it is not the smallest"
    repairs = [r for r in conflict.repairs if r.to is not None]
    for repair in repairs:
        assert possible(problem, _moved(problem.rules, [repair]), margin=1e-9)
    together = [r for r in conflict.least if r.to is not None]
    assert together
    assert possible(problem, _moved(problem.rules, together), margin=1e-9)


def _moved(rules, repairs):
    changed = list(rules)
    for repair in repairs:
        same = [
            n
            for n, rule in enumerate(changed)
            if (rule.rule, rule.who) == (repair.rule.rule, repair.rule.who)
            and rule.bound(repair.side) == repair.bound
        ]
        assert len(same) == 1
        changed[same[0]] = changed[same[0]].moved(repair.side, repair.to)
    return tuple(changed)
