"""Mixed-integer problems: outer approximation between HiGHS and the continuous solvers.

The master program in HiGHS chooses which names are held and which trades are made, and bounds the
objective from below; with the choice fixed, the continuous problem is solved exactly and is an
answer. Its point and the master's are cut off, until answer and bound meet to the option ``gap``
or time is over (Duran, Grossmann 1986, An outer-approximation algorithm for a class of
mixed-integer nonlinear programs).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tilt.optimize.case import Case
from tilt.optimize.choice import CUT, cost_of, settle, solve_choice
from tilt.optimize.limits import Half, Layout
from tilt.optimize.master import CHOSEN, Master, Point
from tilt.optimize.native import Answer, Status
from tilt.optimize.program import SCALE, Program
from tilt.optimize.relaxed import pulls, solve_relaxed, swap_names
from tilt.optimize.terms import RISK_OBJECTIVES, Array, Objective

SECONDS = 10.0  # for a mixed-integer problem, unless option time_limit says otherwise
ROUNDS = 40  # of cuts before names have to be in or out
SMALLEST = 1e-4  # a gap is a share of the objective, or of this where that is nearly zero


@dataclass(frozen=True, eq=False)
class Best:
    """The best answer of a mixed-integer search.

    answer : with the names as chosen; status infeasible or time_limit where there is none
    gap    : how far it may be from the best possible, as a share of the reported objective
    bound  : what no answer can better, as the objective is reported
    """

    answer: Answer
    gap: float
    bound: float


@dataclass(frozen=True, eq=False)
class _Incumbent:
    cost: float
    answer: Answer
    x: Array


class Search:
    """One search: the master, the best answer so far and the clock.

    reported : the objective as a reader sees it, of the program's cost
    enough   : a cost that need not be bettered, and need not be reached once it is out of reach
    """

    def __init__(
        self,
        master: Master,
        reported: Callable[[float], float],
        *,
        gap: float,
        seconds: float,
        enough: float | None = None,
    ) -> None:
        self.master, self.program, self.reported = master, master.program, reported
        self.wanted, self.enough = gap, enough
        self.started = time.perf_counter()
        self.seconds = seconds
        self.best: _Incumbent | None = None
        self.bound = -np.inf
        self.relaxed = np.zeros(0)

    @property
    def left(self) -> float:
        return self.seconds - (time.perf_counter() - self.started)

    def gap(self) -> float:
        """Return the gap in the objective as it is reported."""
        if self.best is None:
            return np.inf
        reached, possible = self.reported(self.best.cost), self.reported(self.bound)
        return abs(reached - possible) / max(abs(reached), SMALLEST)

    def settled(self) -> bool:
        """Return whether no more is to be found out."""
        if self.enough is not None and self.bound > self.enough:
            return True
        if self.best is None:
            return False
        reached = self.enough is not None and self.best.cost <= self.enough
        return reached or self.gap() <= self.wanted

    def run(self) -> Best:
        ended = self._relax()
        if ended is not None:
            return self._ended(ended)
        self._round_off()
        self.master.integral()
        while not self.settled() and self.left > 0:
            if self.best is not None:
                self.master.propose(self.best.x[: self.master.assets])
            point = self.master.solve(max(self.left, 0.05), self.wanted / 4)
            if point.status in ("infeasible", "unbounded"):
                if self.best is None:
                    return self._ended(point)
                self.bound = self.best.cost  # every other choice has been ruled out
                break
            self.bound = max(self.bound, point.bound)
            if not len(point.x):
                break
            self._take(point)
        return self._ended(None)

    def _relax(self) -> Point | None:
        """Cut while names may still be held by halves; return where the search ends here."""
        x = solve_relaxed(self.master.curves, seconds=self.left)
        if x is not None:
            self.master.cut(x, -1.0)
            self.relaxed = x
        for _ in range(ROUNDS):
            point = self.master.solve(max(self.left, 0.05))
            if point.status != "optimal":
                return point
            gained = point.bound - self.bound
            self.bound = max(self.bound, point.bound)
            if x is None:
                self.relaxed = point.x
            slow = gained < self.wanted / 100 * abs(self.bound)
            if not self.master.cut(point.x, CUT) or slow or self.left <= 0:
                break
        return None

    def _round_off(self) -> None:
        """Look for good choices near the relaxation, before any search."""
        master, program = self.master, self.program
        part = master.parts[0]
        share = self.relaxed[part.bought] + self.relaxed[part.sold]
        size = np.abs(self.relaxed[: master.assets] - part.center)
        order = np.lexsort((-size, -share.round(6)))
        chosen = np.zeros(master.assets, dtype=bool)
        most = master.choice.most if master.choice.chooses else master.assets
        chosen[order[:most]] = True
        chosen &= size > CHOSEN
        chosen[order[: master.choice.fewest]] = True

        def value(names: Array, *, strict: bool = True) -> tuple[float, Array] | None:
            answer = settle(master, program, names, strict=strict)
            if answer is None:
                return None
            if strict:
                self._keep(answer)
            return cost_of(program, answer.x), answer.x

        swap_names(
            chosen,
            value,
            lambda x, names: pulls(program, x, names),
            lambda: not self.settled() and self.left > self.seconds / 2,
        )

    def _keep(self, answer: Answer) -> None:
        cost = cost_of(self.program, answer.x)
        if self.best is None or cost < self.best.cost:
            self.best = _Incumbent(cost, answer, answer.x)

    def _take(self, point: Point) -> None:
        """Solve for the choice of a point exactly, keep the better answer, and cut both off."""
        chosen = solve_choice(self.master, self.program, point.x)
        self.master.cut(point.x, CUT)
        if chosen is None:
            self.master.forbid(point.x)
            return
        self._keep(chosen)

    def _ended(self, point: Point | None) -> Best:
        seconds = time.perf_counter() - self.started
        status: Status
        if self.best is None:
            status = "time_limit" if point is None else point.status
            nowhere = np.full(self.master.assets, np.nan)
            answer = Answer(status, "highs", seconds, nowhere, {}, 0.0)
            return Best(answer, np.nan, np.nan)
        gap = self.gap()
        status = "optimal" if gap <= self.wanted else "time_limit"
        answer = replace(self.best.answer, status=status, solver="highs", seconds=seconds)
        return Best(answer, gap, self.reported(self.bound))


def solve_mixed(case: Case, layout: Layout, program: Program, sides: Sequence[Half]) -> Best:
    """Return the best answer of a case whose rules say which names are held or traded."""
    offset = offset_of(layout, program, case.goal)

    def reported(cost: float) -> float:
        value = (cost + offset) / SCALE
        return root_of(value) if case.objective in RISK_OBJECTIVES else -value

    seconds = case.options.time_limit or SECONDS
    master = Master(layout, program, sides)
    return Search(master, reported, gap=case.options.gap, seconds=seconds).run()


def offset_of(layout: Layout, program: Program, goal: Objective) -> float:
    """Return what the program's objective lacks of the goal: constants that no weight changes."""
    n, k, case = layout.assets, layout.factors, layout.case
    x = np.zeros(program.size)
    x[n : n + k] = -layout.definitions[1]
    nothing = np.zeros(n)
    constant = 0.0
    for scale, term in goal.terms:
        if term.quadratic:
            constant -= SCALE * scale * term.value(nothing, case.model)
        elif term is case.cost:
            constant -= SCALE * scale * layout.cost[1]
    return constant - cost_of(program, x)


def root_of(variance: float) -> float:
    """Return a deviation, of a variance that rounding may have made negative."""
    return float(np.sqrt(max(variance, 0.0)))
