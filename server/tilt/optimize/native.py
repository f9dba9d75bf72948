"""The native solvers: PIQP for quadratic programs, Clarabel for cones as well, HiGHS for lines."""

import time
from dataclasses import dataclass
from typing import Literal, TypeAlias

import clarabel
import numpy as np
import piqp
import scipy.sparse as sp
from scipy.optimize import linprog

from tilt.optimize.costs import POWER
from tilt.optimize.program import NOBODY, Powers, Program
from tilt.optimize.sparse_rows import one_each
from tilt.optimize.terms import Array

Status: TypeAlias = Literal[
    "optimal", "optimal_inaccurate", "infeasible", "unbounded", "time_limit", "failed"
]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver found.

    x      : the variables
    prices : by half, what one unit more room is worth, row by row, in one sum for single weights
    budget : what one unit more of invested capital is worth, of any sign
    multipliers : of the rows of the program's equalities and inequalities, as the solver left them;
        None where it tells none
    """

    status: Status
    solver: str
    seconds: float
    x: Array
    prices: dict[int, Array]
    budget: float
    multipliers: tuple[Array, Array] | None = None


def solve_piqp(program: Program) -> Answer:
    """Solve a program without cones by PIQP's sparse interface."""
    start = time.perf_counter()
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = 1e-9
    solver.settings.eps_rel = 1e-10
    solver.settings.max_iter = 200
    solver.setup(
        program.quadratic,
        program.linear,
        program.equality_matrix,
        program.equality_bound,
        program.inequality_matrix,
        None,
        program.inequality_bound,
        program.lower,
        program.upper,
    )
    status = solver.solve()
    result = solver.result
    seconds = time.perf_counter() - start
    return _answer(
        program,
        _PIQP_STATUS.get(status, "failed"),
        "piqp",
        seconds,
        _Raw(
            np.array(result.x),
            np.array(result.y),
            np.array(result.z_u),
            np.array(result.z_bl),
            np.array(result.z_bu),
            np.zeros(0),
        ),
    )


_PIQP_STATUS: dict[piqp.Status, Status] = {
    piqp.PIQP_SOLVED: "optimal",
    piqp.PIQP_PRIMAL_INFEASIBLE: "infeasible",
    piqp.PIQP_DUAL_INFEASIBLE: "unbounded",
}


@dataclass(frozen=True, eq=False)
class _Raw:
    """Variables and duals as a solver orders them; those of bounds by variable."""

    x: Array
    equality: Array
    inequality: Array
    lower: Array
    upper: Array
    cones: Array


def _answer(program: Program, status: Status, solver: str, seconds: float, raw: _Raw) -> Answer:
    prices: dict[int, Array] = {}

    def add(owners: Array, duals: Array, *, by_row: bool) -> None:
        for index in known(owners):
            here = np.clip(duals[owners == index], 0.0, None)
            here = here if by_row else here.sum(keepdims=True)
            before = prices.get(index)
            prices[index] = here if before is None else before + here

    add(program.inequality, raw.inequality, by_row=True)
    add(program.equality[:, 0], -raw.equality, by_row=True)
    add(program.equality[:, 1], raw.equality, by_row=True)
    # Single weights stand in bounds, some in equalities: only their sum has a meaning.
    for index in set(prices).intersection(known(program.floor), known(program.cap)):
        prices[index] = prices[index].sum(keepdims=True)
    add(program.floor, raw.lower, by_row=False)
    add(program.cap, raw.upper, by_row=False)
    for cone, price in zip(program.cones, raw.cones, strict=True):
        prices[cone.half] = np.array([max(float(price), 0.0)])
    budget = 0.0 if program.budget_row == NOBODY else float(raw.equality[program.budget_row])
    rows = (raw.equality, raw.inequality)
    return Answer(status, solver, seconds, raw.x, prices, budget, rows)


def known(owners: Array) -> list[int]:
    """Return the halves that own something, in order."""
    return [int(n) for n in np.flatnonzero(np.bincount(owners[owners != NOBODY]))]


def solve_clarabel(program: Program, *, time_limit: float | None = None) -> Answer:
    """Solve a program by Clarabel.

    Clarabel corrects each step for the rounding in it, up to ten times: a third of its time, mostly
    for nothing. An answer counts by its residuals, which are taken from the program itself. Where
    they do not get small enough with fewer corrections, the program is solved again with all.
    """
    start = time.perf_counter()
    form = _conic_form(program)
    for thorough in (False, True):
        settings = _settings(program, thorough=thorough)
        if time_limit is not None:
            settings.time_limit = max(time_limit - (time.perf_counter() - start), 0.0)
        found = _run_clarabel(program, form, settings)
        status = _CLARABEL_STATUS.get(str(found.status), "failed")
        if status not in ("optimal_inaccurate", "failed"):
            break
    seconds = time.perf_counter() - start
    return _answer(program, status, "clarabel", seconds, _unstack(program, found))


def _settings(program: Program, *, thorough: bool) -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = 1e-8
    settings.tol_feas = 1e-9
    if program.powers is not None:  # the solver's steps are shorter on power cones
        settings.tol_gap_abs = settings.tol_gap_rel = 1e-7
        settings.tol_feas = 1e-8
    if not thorough:
        curved = bool(program.cones) or program.powers is not None or program.quadratic.nnz > 0
        settings.iterative_refinement_enable = curved  # linear programs do without
        settings.iterative_refinement_max_iter = 1
    return settings


def _run_clarabel(
    program: Program,
    form: tuple[sp.csc_matrix, Array, list[object]],
    settings: clarabel.DefaultSettings,
) -> clarabel.DefaultSolution:
    quadratic = sp.triu(program.quadratic, format="csc")
    return clarabel.DefaultSolver(quadratic, program.linear, *form, settings).solve()


_CLARABEL_STATUS: dict[str, Status] = {
    "Solved": "optimal",
    "AlmostSolved": "optimal_inaccurate",
    "PrimalInfeasible": "infeasible",
    "DualInfeasible": "unbounded",
    "MaxTime": "time_limit",
}


def _conic_form(program: Program) -> tuple[sp.csc_matrix, Array, list[object]]:
    """Return Clarabel's ``A x + s = b`` with s in cones, in that order: =, ≤, bounds, norms."""
    size = program.size
    lower, upper = np.isfinite(program.lower), np.isfinite(program.upper)
    blocks = [  # all row by row: scipy stacks such matrices at once
        program.equality_matrix.tocsr(),
        program.inequality_matrix.tocsr(),
        one_each(np.flatnonzero(lower), -1.0, size).csr(),
        one_each(np.flatnonzero(upper), 1.0, size).csr(),
    ]
    bounds = [
        program.equality_bound,
        program.inequality_bound,
        -program.lower[lower],
        program.upper[upper],
    ]
    inequalities = len(program.inequality_bound) + int(lower.sum() + upper.sum())
    cones: list[object] = [
        clarabel.ZeroConeT(len(program.equality_bound)),
        clarabel.NonnegativeConeT(inequalities),
    ]
    for cone in program.cones:
        flat = cone.matrix.tocsr()
        rows = sp.csr_matrix((flat.data, flat.indices, flat.indptr), (flat.shape[0], size))
        head = sp.csr_matrix((1, size))
        if cone.slack != NOBODY:
            head = sp.csr_matrix(([-1.0], ([0], [cone.slack])), (1, size))
        blocks += [head, -rows]
        bounds += [np.array([cone.radius]), cone.shift]
        cones.append(clarabel.SecondOrderConeT(flat.shape[0] + 1))
    if program.powers is not None:
        rows, bound = _power_rows(program.powers, size)
        blocks.append(rows)
        bounds.append(bound)
        cones += [clarabel.PowerConeT(1 / POWER)] * len(program.powers.at)
    return sp.vstack(blocks, format="csr").tocsc(), np.concatenate(bounds), cones


def _power_rows(powers: Powers, size: int) -> tuple[sp.csr_matrix, Array]:
    """Return rows of ``(s, 1, w - held)`` for each name: ``s^(2/3) ≥ |w - held|``."""
    count = len(powers.at)
    at = 3 * np.arange(count)
    rows = sp.csr_matrix(
        (
            -np.ones(2 * count),
            (np.concatenate([at, at + 2]), np.concatenate([powers.above, powers.at])),
        ),
        shape=(3 * count, size),
    )
    bound = np.zeros(3 * count)
    bound[at + 1], bound[at + 2] = 1.0, -powers.held
    return rows, bound


def _unstack(program: Program, found: clarabel.DefaultSolution) -> _Raw:
    z = np.array(found.z)
    lower, upper = np.isfinite(program.lower), np.isfinite(program.upper)
    counts = [
        len(program.equality_bound),
        len(program.inequality_bound),
        int(lower.sum()),
        int(upper.sum()),
    ]
    equality, inequality, below, above, rest = np.split(z, np.cumsum(counts))
    full_lower, full_upper = np.zeros(program.size), np.zeros(program.size)
    full_lower[lower], full_upper[upper] = below, above
    heads = np.cumsum([0, *(c.matrix.shape[0] + 1 for c in program.cones)])[:-1]
    cones = rest[heads] if len(heads) else np.zeros(0)
    return _Raw(np.array(found.x), equality, inequality, full_lower, full_upper, cones)


def solve_linear(program: Program, *, time_limit: float | None = None) -> Answer:
    """Solve a program without a quadratic part, cones or powers by HiGHS's dual simplex."""
    start = time.perf_counter()
    found = linprog(
        program.linear,
        A_ub=program.inequality_matrix,
        b_ub=program.inequality_bound,
        A_eq=program.equality_matrix,
        b_eq=program.equality_bound,
        bounds=np.column_stack([program.lower, program.upper]),
        method="highs-ds",
        options={} if time_limit is None else {"time_limit": time_limit},
    )
    status = _LINEAR_STATUS.get(found.status, "failed")
    if status != "optimal":
        nowhere = np.full(program.size, np.nan)
        return Answer(status, "highs", time.perf_counter() - start, nowhere, {}, 0.0)
    raw = _Raw(
        np.asarray(found.x),
        -np.asarray(found.eqlin.marginals),
        -np.asarray(found.ineqlin.marginals),
        np.asarray(found.lower.marginals),
        -np.asarray(found.upper.marginals),
        np.zeros(0),
    )
    return _answer(program, status, "highs", time.perf_counter() - start, raw)


_LINEAR_STATUS: dict[int, Status] = {
    0: "optimal", 1: "time_limit", 2: "infeasible", 3: "unbounded",
}  # fmt: skip
