"""What the multipliers of a program's rows prove by arithmetic alone, whichever solver found them.

For any multipliers ``y`` of ``A x = b`` and ``z ≥ 0`` of ``G x ≤ h`` no point of a program costs
less than ``min (c + A'y + G'z)'x - b'y - h'z`` over the bounds of the single variables: weak
duality (Boyd, Vandenberghe 2004, Convex Optimization, section 5.2.2). Good multipliers prove much
and wrong ones little, but none prove what is not so.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tilt.optimize.native import Answer
from tilt.optimize.program import NOBODY, Program
from tilt.optimize.terms import Array

REACH = 1e3  # times the capital: no weight, exposure or trade is ever larger
CLEAR = 1e-6  # what multipliers of at most one must show before a program counts as impossible


@dataclass(frozen=True, eq=False)
class Proof:
    """A program without a quadratic part, cones or powers, and multipliers of its rows.

    equality, inequality : by row of the program; the latter zero or more
    """

    program: Program
    equality: Array
    inequality: Array

    def least_cost(self) -> float:
        """Return a cost that no point of the program is below."""
        return self._least(self.program.linear, self.equality, self.inequality)

    def least_cost_of(self, which: Collection[int]) -> float:
        """Return a cost that no point is below even where only some halves are kept.

        Every half of the program must be one that may move, so that it stands in rows.
        """
        kept = np.isin(self.program.inequality, [NOBODY, *which])
        return self._least(self.program.linear, self.equality, self.inequality * kept)

    def shows_impossible(self) -> bool:
        """Return whether no point keeps all rows, whatever it costs (Farkas's lemma)."""
        largest = max(np.abs(self.equality).max(initial=0.0), self.inequality.max(initial=0.0))
        if not np.isfinite(largest) or largest == 0:
            return False
        free = np.zeros(self.program.size)
        return self._least(free, self.equality / largest, self.inequality / largest) > CLEAR

    def _least(self, cost: Array, equality: Array, inequality: Array) -> float:
        program = self.program
        slope = (
            cost + program.equality_matrix.T @ equality + program.inequality_matrix.T @ inequality
        )
        low, high = np.maximum(program.lower, -REACH), np.minimum(program.upper, REACH)
        cheapest = float(slope @ np.where(slope > 0, low, high))
        paid = float(program.equality_bound @ equality + program.inequality_bound @ inequality)
        return cheapest - paid


def proof_of(program: Program, answer: Answer) -> Proof | None:
    """Return what an answer's multipliers prove; None where it has none or they cannot be used."""
    linear = not program.cones and program.powers is None and not program.quadratic.nnz
    if answer.multipliers is None or not linear:
        return None
    equality, inequality = answer.multipliers
    return Proof(program, equality, np.maximum(inequality, 0.0))
