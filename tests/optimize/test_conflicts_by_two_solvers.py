"""What is said of an impossible problem is the same by the plain filter and by the quick one.

The plain filter asks Clarabel each time and nobody else, and takes no shorter way.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from tilt.optimize.constraints import KINDS, Rule
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.native import solve_clarabel, solve_piqp
from tilt.optimize.posing import open_case
from tilt.optimize.program import Ease, build
from tilt.optimize.proof import Proof, proof_of
from tilt.optimize.violation import FEASIBLE, PAID, Violation, solve_moves

SEEDS = range(8)
SECTORS = ("Energy", "Finance", "Health", "Technology")
_DEEP = ("beta", "factor", "industry", "sector")


def crossed(problem_of, seed):
    """Return a problem in which several sets of rules conflict, and some rules are in none."""
    rng = np.random.default_rng(seed)
    rules = [
        Rule("weight", "*", 0.0, float(rng.choice([0.02, 0.05, 0.2]))),
        *(Rule("sector", s, None, float(rng.choice([0.1, 0.15, 0.2]))) for s in SECTORS),
        Rule("turnover", "", None, float(rng.choice([0.02, 0.1, 0.5]))),
        Rule("factor", "Size", 1.0, None, relative=True),
        Rule("beta", "", 0.7, 1.3),
    ]
    if seed % 2:
        rules.append(Rule("cost", "", None, 0.0001))
    return replace(problem_of("min_te", n=20, held=6, seed=seed), rules=tuple(rules))


def violation_of(problem):
    layout = lay_out(case := open_case(problem))
    return Violation(layout, halves(layout, case.rules))


def eased(violation, which):
    sides = [violation.halves[n] for n in which]
    costs = {
        k: Ease(KINDS["factor"].step / half.rule.kind.step, shared=True)
        for k, half in enumerate(sides)
    }
    return build(violation.layout, sides, None, ease=costs)


def plain_filter(violation):
    """Return a smallest impossible set: each half in turn is left out, if the rest stays so."""

    def asked(which):
        answer = solve_clarabel(eased(violation, which))
        paid = {which[k]: float(p.sum()) for k, p in answer.prices.items()}
        dearest = max(paid.values(), default=0.0)
        moved = answer.x[len(answer.x) - len(which) :]
        bearing = [n for n in which if paid[n] > PAID * dearest]
        return max(moved, default=0.0) > FEASIBLE, bearing

    kept, waiting = [], asked(list(range(len(violation.halves))))[1]
    rank = {name: n for n, name in enumerate(_DEEP)}
    waiting = sorted(waiting, key=lambda n: rank.get(violation.halves[n].rule.rule, len(_DEEP)))
    while waiting:
        out = waiting.pop(0)
        impossible, bearing = asked([*kept, *waiting])
        if not impossible:
            kept.append(out)
        else:
            waiting = [n for n in waiting if n in bearing]
    return sorted(kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quick_filter_ends_at_the_set_of_the_plain_one(problem_of, seed):
    violation = violation_of(crossed(problem_of, seed))
    first = violation.of_all()
    assert not first.feasible
    assert violation.smallest_set(first) == plain_filter(violation)


def test_a_rule_that_cannot_hold_alone_is_the_whole_conflict_when_tried_last(problem_of):
    rules = (
        Rule("sector", "Energy", 0.5),
        Rule("sector", "Health", 0.6),
        Rule("weight", "*", None, 0.01),
    )
    violation = violation_of(replace(problem_of("min_te"), rules=rules))
    assert violation.smallest_set(violation.of_all()) == [2] == plain_filter(violation)


def test_a_rule_that_cannot_hold_alone_goes_when_a_later_set_conflicts(problem_of):
    rules = (
        Rule("factor", "Size", 50.0),
        Rule("sector", "Energy", 0.5),
        Rule("weight", "Energy", None, 0.05),
    )
    violation = violation_of(replace(problem_of("min_te"), rules=rules))
    assert not violation.smallest([0]).feasible
    assert violation.smallest_set(violation.of_all()) == [1, 2] == plain_filter(violation)


@pytest.mark.parametrize("seed", SEEDS)
def test_multipliers_prove_nearly_the_least_violation_and_never_more(problem_of, seed):
    violation = violation_of(crossed(problem_of, seed))
    program = eased(violation, range(len(violation.halves)))
    judge = linprog(
        program.linear,
        program.inequality_matrix,
        program.inequality_bound,
        program.equality_matrix,
        program.equality_bound,
        np.column_stack([program.lower, program.upper]),
    )
    proof = proof_of(program, solve_piqp(program))
    assert judge.fun - 1e-5 < proof.least_cost() <= judge.fun + 1e-9
    rng = np.random.default_rng(seed)
    wrong = Proof(
        program,
        proof.equality + rng.normal(0, 0.1, len(proof.equality)),
        proof.inequality * rng.uniform(0, 2, len(proof.inequality)),
    )
    assert wrong.least_cost() <= judge.fun + 1e-9


def test_no_multipliers_show_a_possible_problem_to_be_impossible(problem_of):
    rules = (Rule("weight", "*", None, 0.2), Rule("turnover", "", None, 0.3))
    violation = violation_of(replace(problem_of("min_te"), rules=rules))
    program = build(violation.layout, violation.halves, None)
    equal, less = len(program.equality_bound), len(program.inequality_bound)
    rng = np.random.default_rng(3)
    drawn = [(rng.normal(size=equal), rng.exponential(size=less)) for _ in range(50)]
    single = [(np.zeros(equal), row) for row in np.eye(less)]  # these nearly show it
    for multipliers in (*drawn, *single):
        assert not Proof(program, *multipliers).shows_impossible()


def test_an_impossible_program_without_a_proof_is_left_to_clarabel(problem_of, monkeypatch):
    rules = (Rule("weight", "*", None, 0.01), Rule("turnover", "", None, 0.3))
    violation = violation_of(replace(problem_of("min_te"), rules=rules))
    program = build(violation.layout, violation.halves, None, ease={1: Ease(1.0, shared=True)})
    assert solve_moves(program).solver == "piqp"
    assert solve_moves(program).status == solve_clarabel(program).status == "infeasible"
    answer = solve_piqp(program)
    unproven = replace(answer, multipliers=tuple(0 * m for m in answer.multipliers))
    monkeypatch.setattr("tilt.optimize.violation.solve_piqp", lambda _: unproven)
    assert solve_moves(program).solver == "clarabel"
