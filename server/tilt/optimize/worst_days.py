"""The least mean loss of the worst days: CVaR over equally likely scenarios.

The mean of the worst ``1 - confidence`` of T losses is the least over z of
``z + Σ max(loss - z, 0) / ((1 - confidence) T)``, so that its minimum over weights is a linear
program (Rockafellar, Uryasev 2000, Optimization of Conditional Value-at-Risk, J. Risk 2(3)).
"""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from tilt.errors import ArgumentError
from tilt.frames import listed
from tilt.optimize.case import Case
from tilt.optimize.constraints import Rule
from tilt.optimize.goals import WorstDays
from tilt.optimize.limits import halves, lay_out, without_rows
from tilt.optimize.native import solve_clarabel, solve_linear
from tilt.optimize.program import NOBODY, SCALE, Ease, Program, build
from tilt.optimize.route import Found, first_kept


def find_least_loss(case: Case) -> Found:
    """Return the portfolio whose worst days lose least within the rules.

    Raises
    ------
    ArgumentError
        If there are too few scenarios, or a rule is mixed-integer or has a power law.
    """
    apart = without_rows(case.rules)
    if apart:
        raise ArgumentError(
            f"min_cvar does not take the rule '{apart[0].words()}'. Leave it out, or use min_risk."
        )
    found = _generally(case) if case.options.solver == "cvxpy" else _natively(case)
    found = replace(found, notes=(*found.notes, *_holes(case)))
    if found.status == "infeasible" and len(case.unknown_days):
        return _refused(case, found)
    return found


def _natively(case: Case) -> Found:
    layout = lay_out(case)
    sides = halves(layout, case.rules)
    ease = {
        n: Ease(half.rule.priority * SCALE, shared=False)
        for n, half in enumerate(sides)
        if half.rule.priority is not None
    }
    plain = build(layout, sides, None, ease=ease)
    program = with_worst_days(_without_unknown(plain, case), case.worst_days, len(case.assets))
    limit = case.options.time_limit
    if program.cones or program.powers is not None or case.options.solver == "clarabel":
        return first_kept(case, sides, [lambda: solve_clarabel(program, time_limit=limit)])
    return first_kept(case, sides, [lambda: solve_linear(program, time_limit=limit)])


def _generally(case: Case) -> Found:
    """Solve through cvxpy, where a name that is unknown needs a rule of its own."""
    from tilt.optimize.general import solve_cvxpy  # cvxpy takes a second to load

    without = [Rule("weight", str(a), None, 0.0) for a in case.assets[case.unknown_days]]
    ruled = replace(case, rules=(*case.rules, *without))
    sides = halves(lay_out(ruled), ruled.rules)
    limit = case.options.time_limit
    return first_kept(case, sides, [lambda: solve_cvxpy(ruled, time_limit=limit)])


def _without_unknown(program: Program, case: Case) -> Program:
    """Return a program that holds no name without a return on each day."""
    upper = program.upper.copy()
    upper[case.unknown_days] = np.minimum(upper[case.unknown_days], 0.0)
    return replace(program, upper=upper)


def with_worst_days(program: Program, term: WorstDays, assets: int) -> Program:
    """Return a program that also minimizes CVaR: one edge and one excess for each day more."""
    days, size = len(term.scenarios), program.size
    rows = sp.hstack(
        [
            sp.csr_matrix(-term.scenarios),
            sp.csr_matrix((days, size - assets)),
            sp.csr_matrix(-np.ones((days, 1))),
            -sp.identity(days, format="csr"),
        ]
    )
    more = sp.csc_matrix((program.inequality_matrix.shape[0], 1 + days))
    known = sp.hstack([program.inequality_matrix, more])
    equality = sp.hstack(
        [program.equality_matrix, sp.csc_matrix((program.equality_matrix.shape[0], 1 + days))],
        format="csc",
    )
    nobody = np.full(1 + days, NOBODY)
    quadratic = sp.block_diag(
        [program.quadratic, sp.csc_matrix((1 + days, 1 + days))], format="csc"
    )
    return replace(
        program,
        quadratic=quadratic,
        linear=np.concatenate([program.linear, [SCALE], np.full(days, SCALE / term.tail)]),
        equality_matrix=equality,
        inequality_matrix=sp.vstack([known, rows], format="csc"),
        inequality_bound=np.concatenate([program.inequality_bound, np.zeros(days)]),
        inequality=np.concatenate([program.inequality, np.full(days, NOBODY)]),
        lower=np.concatenate([program.lower, [-np.inf], np.zeros(days)]),
        upper=np.concatenate([program.upper, np.full(1 + days, np.inf)]),
        floor=np.concatenate([program.floor, nobody]),
        cap=np.concatenate([program.cap, nobody]),
    )


def _refused(case: Case, found: Found) -> Found:
    """Say that the rules need names that cannot be judged, where they hold with them."""
    names = listed([str(a) for a in case.assets[case.unknown_days]])
    return replace(
        found,
        refusal=f"No solution among the names with a return on each of the "
        f"{len(case.worst_days.scenarios)} days ({names} have not). Shorten option lookback, "
        "or loosen a rule.",
    )


def _holes(case: Case) -> tuple[str, ...]:
    """Say which names have no return on some of the days."""
    days = len(case.worst_days.scenarios)
    notes: list[str] = []
    if len(case.unknown_days):
        names = listed([str(a) for a in case.assets[case.unknown_days]])
        notes.append(f"Not bought, for want of a return on each of the {days} days: {names}.")
    if case.problem.scenarios is not None:
        known = case.problem.scenarios.reindex(columns=case.assets[case.current != 0])
        held = known.columns[known.isna().any().to_numpy()]
        if len(held):
            notes.append(f"A missing return of {listed(held)}, which is held, counts with zero.")
    return tuple(notes)
