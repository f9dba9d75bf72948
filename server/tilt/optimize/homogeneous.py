"""A program over all multiples of the portfolios that keep its rules, for goals without a scale.

A ratio such as return over volatility is the same for a portfolio and for any multiple of it. With
``x = y / t`` every rule ``G x ≤ h`` reads ``G y ≤ h t``, and one equality more fixes the multiple,
so that the ratio becomes a quadratic program (Charnes, Cooper 1962, Programming with
linear fractional functionals, Naval Research Logistics Quarterly 9; Schaible 1974 for the cones).
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from tilt.optimize.program import NOBODY, Cone, Program
from tilt.optimize.terms import Array


@dataclass(frozen=True, eq=False)
class Homogeneous:
    """A program in ``y = t x``, with ``t ≥ 0`` in the column ``scale``."""

    program: Program
    scale: int

    def fixing(self, row: Array, value: float) -> Program:
        """Return the program with ``row y = value`` added; row is as long as the first columns."""
        program = self.program
        at = np.flatnonzero(row)
        more = sp.csc_matrix((row[at], (np.zeros(len(at), dtype=int), at)), (1, program.size))
        return replace(
            program,
            equality_matrix=sp.vstack([program.equality_matrix, more], format="csc"),
            equality_bound=np.append(program.equality_bound, value),
            equality=np.vstack([program.equality, [NOBODY, NOBODY]]),
        )


def homogenize(program: Program, constant: float = 0.0) -> Homogeneous:
    """Return a program over the multiples of what it allows.

    Parameters
    ----------
    program : continuous; its objective ``x'Px/2 + q'x + constant`` must be a quadratic form of the
        portfolio, and becomes ``t²`` times it
    constant : what its objective leaves out

    Returns
    -------
    The first columns are those of the program; then ``t``, and one radius for each cone.
    """
    size, cones = program.size, [c for c in program.cones if np.isfinite(c.radius)]
    width = size + 1 + len(cones)
    equality = _with_scale(program.equality_matrix, -program.equality_bound, width)
    radii = _radii(cones, size, width)
    rows, owners = _bounds(program, width)
    inequality = _with_scale(program.inequality_matrix, -program.inequality_bound, width)
    lower, upper = np.full(width, -np.inf), np.full(width, np.inf)
    lower[:size][program.lower == 0] = 0.0
    upper[:size][program.upper == 0] = 0.0
    lower[size] = 0.0
    nobody = np.full(1 + len(cones), NOBODY)
    bounded = sp.vstack([inequality, rows], format="csc")
    return Homogeneous(
        Program(
            quadratic=_quadratic(program, constant, width),
            linear=np.zeros(width),
            equality_matrix=sp.vstack([equality, radii], format="csc"),
            equality_bound=np.zeros(equality.shape[0] + len(cones)),
            equality=np.vstack([program.equality, np.full((len(cones), 2), NOBODY)]),
            inequality_matrix=bounded,
            inequality_bound=np.zeros(bounded.shape[0]),
            inequality=np.concatenate([program.inequality, owners]),
            lower=lower,
            upper=upper,
            floor=np.concatenate([np.where(program.lower == 0, program.floor, NOBODY), nobody]),
            cap=np.concatenate([np.where(program.upper == 0, program.cap, NOBODY), nobody]),
            cones=tuple(_cone(c, size, size + 1 + n) for n, c in enumerate(cones)),
            slack=program.slack,
            budget_row=program.budget_row,
        ),
        size,
    )


def _with_scale(matrix: sp.csc_matrix, column: Array, width: int) -> sp.csr_matrix:
    scale = sp.csr_matrix(column.reshape(-1, 1))
    rest = sp.csr_matrix((matrix.shape[0], width - matrix.shape[1] - 1))
    return sp.hstack([matrix, scale, rest], format="csr")


def _radii(cones: list[Cone], size: int, width: int) -> sp.csr_matrix:
    """Return ``radius t + slack - r = 0``, one row for each cone."""
    rows = sp.lil_matrix((len(cones), width))
    for n, cone in enumerate(cones):
        rows[n, size] = cone.radius
        rows[n, size + 1 + n] = -1.0
        if cone.slack != NOBODY:
            rows[n, cone.slack] = 1.0
    return rows.tocsr()


def _cone(cone: Cone, size: int, radius: int) -> Cone:
    """Return ``‖matrix y + shift t‖ ≤ r``."""
    flat = cone.matrix.tocsr()
    wide = sp.csr_matrix((flat.data, flat.indices, flat.indptr), (flat.shape[0], size))
    matrix = sp.hstack([wide, sp.csr_matrix(cone.shift.reshape(-1, 1))], format="csr")
    return Cone(cone.half, matrix, np.zeros(len(cone.shift)), 0.0, radius)


def _bounds(program: Program, width: int) -> tuple[sp.csr_matrix, Array]:
    """Return the bounds that are not zero as rows, and the halves that they come from."""
    below = np.flatnonzero(np.isfinite(program.lower) & (program.lower != 0))
    above = np.flatnonzero(np.isfinite(program.upper) & (program.upper != 0))
    count = len(below) + len(above)
    sign = np.concatenate([-np.ones(len(below)), np.ones(len(above))])
    bound = np.concatenate([program.lower[below], -program.upper[above]])
    at = np.concatenate([below, above])
    rows, scale = np.arange(count), np.full(count, program.size)
    matrix = sp.csr_matrix(
        (
            np.concatenate([sign, bound]),
            (np.concatenate([rows, rows]), np.concatenate([at, scale])),
        ),
        shape=(count, width),
    )
    return matrix, np.concatenate([program.floor[below], program.cap[above]])


def _quadratic(program: Program, constant: float, width: int) -> sp.csc_matrix:
    linear = sp.csc_matrix(program.linear.reshape(-1, 1))
    whole = sp.bmat(
        [[program.quadratic, linear], [linear.T, sp.csc_matrix([[2.0 * constant]])]], format="csc"
    )
    rest = width - whole.shape[0]
    return sp.block_diag([whole, sp.csc_matrix((rest, rest))], format="csc") if rest else whole
