"""The mixed-integer linear program behind rules on names and trades, and its cuts, in HiGHS.

Squares are replaced by variables above their tangents. Where a name is in or out, the tangents are
those of the perspective ``v²/z``, which is as tight as the choice allows (Günlük, Linderoth 2010,
Perspective reformulations of mixed integer nonlinear programs with indicator variables); the factor
part is cut along the eigenvectors' axes, one variable each, so that few rounds of cuts are enough
(Vielma, Dunning, Huchette, Lubin 2017, Extended formulations in mixed integer conic quadratic
programming).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp

from tilt.optimize.costs import POWER
from tilt.optimize.discrete import choice_of
from tilt.optimize.limits import Half, Layout
from tilt.optimize.linear import Draft, Entries, Linear, add_row, add_rows, open_solver
from tilt.optimize.native import Status
from tilt.optimize.program import NOBODY, Ease, Program
from tilt.optimize.relaxed import Curves
from tilt.optimize.terms import Array

REACH = 4.0  # times the capital: no single weight is ever larger
CHOSEN = 1e-6  # a weight or trade larger than it is one
_GROWN = 1e3  # squares of weights are small: solvers like numbers near one


@dataclass(frozen=True, eq=False)
class Part:
    """``w = center + up - down``, each part zero or at least ``least``; columns by asset."""

    center: Array
    least: float
    up: Array
    down: Array
    bought: Array
    sold: Array


@dataclass(frozen=True, eq=False)
class Point:
    """A solution of the master: all columns, and the proven bound on the objective."""

    status: Status
    x: Array
    bound: float


class Master:
    """Linear program with binaries whose cuts tighten round by round.

    The first columns are those of the program. Its objective is the program's, from below.
    """

    def __init__(
        self,
        layout: Layout,
        program: Program,
        sides: Sequence[Half],
        ease: Mapping[int, Ease] | None = None,
    ) -> None:
        self.program = program
        self.assets, self.factors = layout.assets, layout.factors
        self.choice = choice_of(sides, layout.assets)
        self._root = layout.case.model.root
        self._draft = Draft(program.lower, program.upper, program.linear)
        self.floor, self.cap = _single_bounds(program, layout.assets)
        n = layout.assets
        weights = np.arange(n)
        low = np.maximum(self.floor, -REACH)
        high = np.minimum(self.cap, REACH)
        self.slack = {
            index: self._draft.columns(1, 0.0, np.inf, cost)[0]
            for index, cost in _extra_columns(sides, ease or {})
        }
        self._keep_rows()
        self.parts: list[Part] = []
        if self.choice.chooses:
            eased = self._slack_of(sides, "holding", "min")
            held = self._part(weights, np.zeros(n), low, high, self.choice.holding, eased)
            self.parts.append(held)
            self._count(held, sides)
        if self.choice.trade is not None:
            eased = self._slack_of(sides, "trade", "min")
            current = layout.case.current
            self.parts.append(self._part(weights, current, low, high, self.choice.trade, eased))
        self._squares()
        self._cones()
        linear = self._draft.written()
        self.curves = self._curves(linear)  # nothing cut off yet
        self._solver = open_solver(linear, self.offset)
        self._searching = False

    # Building -----------------------------------------------------------------------------------

    def _keep_rows(self) -> None:
        program = self.program
        free = np.full(len(program.inequality_bound), -np.inf)
        for matrix, low, high in (
            (program.equality_matrix, program.equality_bound, program.equality_bound),
            (program.inequality_matrix, free, program.inequality_bound),
        ):
            self._draft.stack(matrix.tocsr(), low, high)

    def _slack_of(self, sides: Sequence[Half], rule: str, side: str) -> int:
        for index, half in enumerate(sides):
            if index in self.slack and (half.rule.rule, half.side) == (rule, side):
                return int(self.slack[index])
        return NOBODY

    def _part(
        self, weights: Array, center: Array, low: Array, high: Array, least: float, eased: int
    ) -> Part:
        """Add columns and rows for weights that stay at a center or move away by at least some."""
        n = len(weights)
        above, below = np.clip(high - center, 0.0, None), np.clip(center - low, 0.0, None)
        draft = self._draft
        up, down = draft.columns(n, 0.0, np.inf), draft.columns(n, 0.0, np.inf)
        bought, sold = draft.columns(n, 0.0, 1.0), draft.columns(n, 0.0, 1.0)
        draft.rows([(weights, 1.0), (up, -1.0), (down, 1.0)], center, center)
        draft.rows([(bought, 1.0), (sold, 1.0)], 0.0, 1.0)
        for moved, made, reach in ((up, bought, above), (down, sold, below)):
            draft.rows([(moved, 1.0), (made, -reach)], -np.inf, 0.0)
            if least > 0:
                entries: list[tuple[Array, Array | float]] = [(moved, 1.0), (made, -least)]
                if eased != NOBODY:
                    entries.append((np.full(n, eased), 1.0))
                draft.rows(entries, 0.0, np.inf)
        return Part(center, least, up, down, bought, sold)

    def _count(self, held: Part, sides: Sequence[Half]) -> None:
        binaries = np.concatenate([held.bought, held.sold])
        for side, low, high in (
            ("min", self.choice.fewest, np.inf),
            ("max", -np.inf, self.choice.most),
        ):
            eased = self._slack_of(sides, "names", side)
            columns, values = binaries, np.ones(len(binaries))
            if eased != NOBODY:
                columns = np.append(columns, eased)
                values = np.append(values, 1.0 if side == "min" else -1.0)
            self._draft.row(columns, values, low, high)

    def _squares(self) -> None:
        """Add a variable for each square that the objective or a fixed cone has."""
        n, k, program = self.assets, self.factors, self.program
        quadratic = program.quadratic.tocsr()
        own = quadratic.diagonal()[:n] / 2
        fixed = [c for c in program.cones if c.slack == NOBODY]
        block = quadratic[n : n + k, n : n + k].toarray() / 2
        inner = self._root @ self._root.T
        share = float(np.trace(block) / np.trace(inner)) if k and np.trace(inner) > 0 else 0.0
        self.center = self.parts[0].center
        self.own = self.factor = np.zeros(0, dtype=int)
        self.along = np.zeros(0, dtype=int)
        if own.any() or fixed:
            # v² of the first part: w² = v² + 2 center w - center²
            self.own = self._draft.columns(n, 0.0, np.inf, own / _GROWN)
            self._draft.raise_cost(2 * own * self.center)
        if share or fixed:
            self.along = self._draft.columns(k, -np.inf, np.inf)
            self.factor = self._draft.columns(k, 0.0, np.inf, share / _GROWN)
            matrix = sp.hstack(
                [
                    sp.csr_matrix((k, n)),
                    sp.csr_matrix(self._root.T),
                    sp.csr_matrix((k, int(self.along[0]) - n - k)),
                    -sp.identity(k, format="csr"),
                ],
                format="csr",
            )
            self._draft.stack(matrix, 0.0, 0.0)
        self.offset = -float(own @ self.center**2)

    def _cones(self) -> None:
        """Write each cone of fixed radius as one row over the squares."""
        n, k = self.assets, self.factors
        for cone in self.program.cones:
            if cone.slack != NOBODY:
                continue
            deviation = cone.matrix.tocsr()[k:, :n].diagonal()
            shift, own = cone.shift[:k], cone.shift[k:]
            row = np.zeros(self._draft.size)
            row[self.factor] = 1.0
            row[self.along] = 2 * shift
            row[self.own] = deviation**2
            row[:n] = 2 * deviation * own + 2 * deviation**2 * self.center
            row *= np.where(np.isin(np.arange(len(row)), [*self.own, *self.factor]), 1.0, _GROWN)
            constant = shift @ shift + own @ own - deviation**2 @ self.center**2
            at = np.flatnonzero(row)
            self._draft.row(at, row[at], -np.inf, _GROWN * (cone.radius**2 - constant))

    # Solving ------------------------------------------------------------------------------------

    def _curves(self, linear: Linear) -> Curves:
        """Return the program with its squares as curves."""
        part = self.parts[0]
        some = np.arange(self.assets) if len(self.own) else np.zeros(0, dtype=int)
        return Curves(
            linear=linear,
            grown=_GROWN,
            products=(self.own, some, part.center[some], part.bought[some], part.sold[some]),
            squares=(self.factor, self.along),
            program=self.program,
        )

    @property
    def binaries(self) -> Array:
        """The columns that are zero or one."""
        return np.concatenate([np.concatenate([p.bought, p.sold]) for p in self.parts])

    def integral(self) -> None:
        """From now on names are in or out and not in between."""
        columns = self.binaries.astype(np.int32)
        kinds = np.full(len(columns), highspy.HighsVarType.kInteger)
        self._solver.changeColsIntegrality(len(columns), columns, kinds)
        self._searching = True

    def propose(self, weights: Array) -> None:
        """Let the next search start from the names that some weights hold, and their trades."""
        columns, values = [], []
        for part in self.parts:
            off = weights - part.center
            made = np.abs(off) > CHOSEN
            columns += [part.bought, part.sold]
            values += [made & (off > 0), made & (off < 0)]
        index = np.concatenate(columns).astype(np.int32)
        self._solver.setSolution(len(index), index, np.concatenate(values).astype(float))

    def solve(self, seconds: float, gap: float = 1e-4) -> Point:
        """Return the best point found in some seconds, and the bound proven."""
        solver = self._solver
        # HiGHS counts the runs before towards the limit of a linear program, of a search not
        spent = 0.0 if self._searching else solver.getRunTime()
        solver.setOptionValue("time_limit", spent + seconds)
        solver.setOptionValue("mip_rel_gap", gap)
        solver.run()
        status = solver.getModelStatus()
        info = solver.getInfo()
        known = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        x = np.array(solver.getSolution().col_value) if known else np.zeros(0)
        integral = info.mip_node_count >= 0
        bound = info.mip_dual_bound if integral else info.objective_function_value
        if status == highspy.HighsModelStatus.kOptimal:
            return Point("optimal", x, float(bound))
        if status in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ):
            return Point("infeasible", np.zeros(0), np.inf)
        if status == highspy.HighsModelStatus.kUnbounded:
            return Point("unbounded", np.zeros(0), -np.inf)
        return Point("time_limit", x, float(bound) if integral else -np.inf)

    # Cutting ------------------------------------------------------------------------------------

    def cut(self, x: Array, tolerance: float) -> int:
        """Add tangents where a point lies below what it stands for; return how many."""
        added = 0
        if len(self.own):
            part = self.parts[0]
            v = x[: self.assets] - part.center
            z = np.clip(x[part.bought] + x[part.sold], 1e-9, 1.0)
            ratio = v / z
            short = _GROWN * v * ratio - x[self.own]
            at = np.flatnonzero(short > tolerance)
            added += self._tangents(part, at, ratio[at])
        if len(self.factor):
            g = x[self.along]
            at = np.flatnonzero(_GROWN * g**2 - x[self.factor] > tolerance)
            slope = -2 * _GROWN * g[at]
            added += add_rows(
                self._solver,
                [(self.factor[at], 1.0), (self.along[at], slope)],
                -_GROWN * g[at] ** 2,
            )
        added += self._cut_powers(x, tolerance)
        return added + self._cut_eased(x, tolerance)

    def _tangents(self, part: Part, at: Array, ratio: Array) -> int:
        """Add ``T ≥ 2 r v - r² z``, with ``v = w - center``."""
        slope, constant = 2 * _GROWN * ratio, _GROWN * ratio**2
        entries: Entries = [
            (self.own[at], 1.0),
            (at, -slope),
            (part.bought[at], constant),
            (part.sold[at], constant),
        ]
        return add_rows(self._solver, entries, -slope * part.center[at])

    def _cut_powers(self, x: Array, tolerance: float) -> int:
        powers = self.program.powers
        if powers is None:
            return 0
        trade = x[powers.at] - powers.held
        size = np.abs(trade)
        at = np.flatnonzero(size**POWER - x[powers.above] > tolerance)
        slope = POWER * np.sqrt(size[at]) * np.sign(trade[at])
        constant = (POWER - 1) * size[at] ** POWER + slope * powers.held[at]
        return add_rows(self._solver, [(powers.above[at], 1.0), (powers.at[at], -slope)], -constant)

    def _cut_eased(self, x: Array, tolerance: float) -> int:
        """Cut cones whose radius may grow by their gradient."""
        added = 0
        for cone in self.program.cones:
            if cone.slack == NOBODY:
                continue
            matrix = cone.matrix.tocsr()
            off = matrix @ x[: matrix.shape[1]] + cone.shift
            length = float(np.linalg.norm(off))
            if length - cone.radius - x[cone.slack] <= tolerance:
                continue
            row = matrix.T @ (off / length)
            dense = np.zeros(len(x))
            dense[: len(row)] = -row
            dense[cone.slack] += 1.0
            at = np.flatnonzero(dense)
            constant = float(off @ cone.shift) / length - cone.radius
            add_row(self._solver, at, dense[at], constant)
            added += 1
        return added

    def forbid(self, x: Array) -> None:
        """Rule out one choice of names and trades, and no other."""
        columns = self.binaries
        on = x[columns] > 0.5
        values = np.where(on, -1.0, 1.0)
        add_row(self._solver, columns, values, 1.0 - float(on.sum()))


def _extra_columns(sides: Sequence[Half], ease: Mapping[int, Ease]) -> list[tuple[int, float]]:
    """Return the discrete halves that may be violated, and what a unit costs."""
    return [
        (n, ease[n].cost) for n, half in enumerate(sides) if half.rule.kind.discrete and n in ease
    ]


def _single_bounds(program: Program, assets: int) -> tuple[Array, Array]:
    """Return the bounds of single weights, those that stand as equalities included."""
    low, high = program.lower[:assets].copy(), program.upper[:assets].copy()
    matrix = program.equality_matrix.tocsr()
    single = np.flatnonzero(np.diff(matrix.indptr) == 1)
    columns = matrix.indices[matrix.indptr[single]]
    here = columns < assets
    values = program.equality_bound[single] / matrix.data[matrix.indptr[single]]
    low[columns[here]] = high[columns[here]] = values[here]
    return low, high
