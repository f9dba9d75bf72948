"""Mixed-integer problems: outer approximation between HiGHS and the continuous solvers.

The master program in HiGHS chooses which names are held and which trades are made, and bounds the
objective from below; with the choice fixed, the continuous problem is solved exactly and is an
answer. Its point and the master's are cut off, until answer and bound meet to the option ``gap``
or time is over (Duran, Grossmann 1986, An outer-approximation algorithm for a class of
mixed-integer nonlinear programs).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from tilt.optimize.costs import POWER
from tilt.optimize.limits import Half, Layout, halves
from tilt.optimize.master import CHOSEN, REACH, Master, Part, Point
from tilt.optimize.native import Answer, Status, solve_clarabel, solve_piqp
from tilt.optimize.problem import Case
from tilt.optimize.program import NOBODY, SCALE, Cone, Ease, Powers, Program, build
from tilt.optimize.relaxed import pulls, solve_relaxed, swap_names
from tilt.optimize.terms import RISK_OBJECTIVES, Array, Objective, Variance

SECONDS = 10.0  # for a mixed-integer problem, unless option time_limit says otherwise
ROUNDS = 40  # of cuts before names have to be in or out
CUT = 1e-6  # a square this little below its curve is not cut
FINE = 1e-7  # the same where rules are asked whether they hold together
UNIT = 1e-4  # of capital: repairs are found to this
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


class _Search:
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
            return _cost(program, answer.x), answer.x

        swap_names(
            chosen,
            value,
            lambda x, names: pulls(program, x, names),
            lambda: not self.settled() and self.left > self.seconds / 2,
        )

    def _keep(self, answer: Answer) -> None:
        cost = _cost(self.program, answer.x)
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
    offset = _offset(layout, program, case.goal)

    def reported(cost: float) -> float:
        value = (cost + offset) / SCALE
        return _root(value) if case.objective in RISK_OBJECTIVES else -value

    seconds = case.options.time_limit or SECONDS
    master = Master(layout, program, sides)
    return _Search(master, reported, gap=case.options.gap, seconds=seconds).run()


def hold_together(layout: Layout, sides: Sequence[Half]) -> bool | None:
    """Return whether halves, discrete ones among them, can hold together; None if time is over."""
    if not any(half.rule.kind.discrete for half in sides):
        program = build(layout, sides, None)
        return solve_clarabel(program).status in ("optimal", "optimal_inaccurate")
    cone = next((half for half in sides if half.conic), None)
    if cone is None:
        found = _least(layout, sides, build(layout, sides, None), _plain)
        return found.holds
    # The least risk guides the search for a portfolio within a cap on risk.
    others = [half for half in sides if half is not cone]
    program, offset = _least_risk(layout, others, cone)
    enough = SCALE * float(cone.bound[0]) ** 2 - offset
    found = _least(layout, others, program, _plain, enough)
    if found.cost is not None and found.cost <= enough:
        return True
    if found.bound > enough:
        return False
    return None if found.holds else found.holds


def _least_risk(layout: Layout, sides: Sequence[Half], cone: Half) -> tuple[Program, float]:
    """Return the program of the least risk that a cap speaks of, and its offset."""
    case = layout.case
    tracking = cone.rule.rule == "tracking_error"
    goal = -Variance(case.model, case.center if tracking else np.zeros(layout.assets))
    program = build(layout, sides, goal)
    return program, _offset(layout, program, goal)


def least_move(layout: Layout, sides: Sequence[Half], index: int) -> float | None:
    """Return how far the bound of one half must move while the others hold; None if no way helps.

    A bound on single weights, a count or a least size is found by halving: it says how tight the
    choice of names is, and eased it would say nothing. A bound on risk is the least risk.
    """
    half = sides[index]
    others = [side for n, side in enumerate(sides) if n != index]
    if half.rule.kind.discrete or len(half.at):
        return _by_halving(layout, half, others)
    if half.conic:
        program, offset = _least_risk(layout, others, half)
        found = _least(layout, others, program, lambda c: _root((c + offset) / SCALE))
        if found.cost is None:
            return None
        return max(_root((found.cost + offset) / SCALE) - float(half.bound[0]), 0.0)
    program = build(layout, sides, None, ease={index: Ease(SCALE, shared=True)})
    found = _least(layout, sides, program, _plain)
    return None if found.cost is None else found.cost / SCALE


def _by_halving(layout: Layout, half: Half, others: list[Half]) -> float | None:
    """Return the least number of units by which a bound must move, as an amount."""
    if not hold_together(layout, others):
        return None
    unit = 1.0 if half.rule.kind.integer else UNIT
    bound = half.rule.bound(half.side) or 0.0
    too_little, enough = 0, math.ceil((bound if half.side == "min" else _room(layout, half)) / unit)
    sign = 1.0 if half.side == "max" else -1.0
    while enough - too_little > 1:
        middle = (too_little + enough) // 2
        moved = half.rule.moved(half.side, bound + sign * unit * middle)
        if hold_together(layout, [*others, *halves(layout, [moved.only(half.side)])]):
            enough = middle
        else:
            too_little = middle
    return unit * enough


def _plain(cost: float) -> float:
    return cost / SCALE


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


def _room(layout: Layout, half: Half) -> float:
    """Return how far a largest weight or count can be raised before it says nothing."""
    if half.rule.kind.integer:
        return layout.assets - (half.rule.high or 0.0)
    return REACH - (half.rule.high or 0.0)


@dataclass(frozen=True)
class _Least:
    """The least cost found of a program, None where it has none; and what none can better."""

    status: str
    cost: float | None
    bound: float

    @property
    def holds(self) -> bool | None:
        """Whether the rules hold together; None where time was over before it was known."""
        if self.cost is not None:
            return True
        return None if self.status == "time_limit" else False


def _least(
    layout: Layout,
    sides: Sequence[Half],
    program: Program,
    reported: Callable[[float], float],
    enough: float | None = None,
) -> _Least:
    """Return the least cost of a program with its discrete halves, those that stay."""
    if (program.lower > program.upper).any():
        return _Least("infeasible", None, np.inf)
    if not any(half.rule.kind.discrete for half in sides):
        answer = solve_clarabel(program)
        solved = answer.status in ("optimal", "optimal_inaccurate")
        cost = _cost(program, answer.x) if solved else None
        return _Least(answer.status, cost, np.inf if cost is None else cost)
    master = Master(layout, program, sides)
    gap = 1e-3 if enough is None else 1e-7  # a cap is reached or not
    search = _Search(master, reported, gap=gap, seconds=SECONDS, enough=enough)
    status = search.run().answer.status
    cost = None if search.best is None else search.best.cost
    return _Least("optimal" if search.settled() else status, cost, search.bound)


def least_moves(
    layout: Layout, program: Program, sides: Sequence[Half], ease: Mapping[int, Ease]
) -> dict[int, float] | None:
    """Return by how much each eased half must move so that all hold; None if not found in time.

    Parameters
    ----------
    program : of the halves, without a goal, built with the same ``ease``
    ease : halves that may move, by one shared amount each; discrete ones among them
    """
    master = Master(layout, program, sides, ease)
    x = solve_relaxed(master.curves, seconds=SECONDS)
    if x is not None:
        master.cut(x, -1.0)
    master.integral()
    over = time.perf_counter() + SECONDS
    while True:
        point = master.solve(max(over - time.perf_counter(), 0.05))
        if not len(point.x):
            return None
        if not master.cut(point.x, FINE):
            break
        if time.perf_counter() > over:
            return None
    columns = {**program.slack, **{k: np.array([at]) for k, at in master.slack.items()}}
    return {k: max(float(point.x[at].max()), 0.0) for k, at in columns.items()}


def _cost(program: Program, x: Array) -> float:
    return float(0.5 * x @ (program.quadratic @ x) + program.linear @ x)


def _offset(layout: Layout, program: Program, goal: Objective) -> float:
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
    return constant - _cost(program, x)


def solve_choice(master: Master, program: Program, x: Array) -> Answer | None:
    """Solve the program with names and trades as a point chooses them; None if they cannot be."""
    low, high = master.floor.copy(), master.cap.copy()
    for part in master.parts:
        up, down = x[part.bought] > 0.5, x[part.sold] > 0.5
        low, high = _between(part, up, down, low, high)
    return _solve_between(program, low, high)


def settle(master: Master, program: Program, chosen: Array, *, strict: bool) -> Answer | None:
    """Solve the program for a set of names (or of trades, where only they are asked about).

    The sign of each, and what is too small to be made, follow from the solution that knows no
    least size; without ``strict`` that one is returned.
    """
    n, first = master.assets, master.parts[0]
    low = np.where(chosen, master.floor, np.maximum(master.floor, first.center))
    high = np.where(chosen, master.cap, np.minimum(master.cap, first.center))
    answer = _solve_between(program, low, high)
    if answer is None or not strict:
        return answer
    if all(part.least == 0 for part in master.parts):
        return answer
    weights = answer.x[:n]
    low, high = master.floor.copy(), master.cap.copy()
    for part in master.parts:
        off = weights - part.center
        made = np.abs(off) >= max(part.least / 2, CHOSEN)
        if part is first:
            largest = np.argsort(-np.where(chosen, np.abs(off), -1.0), kind="stable")
            made[largest[: master.choice.fewest]] = True
            made &= chosen
        low, high = _between(part, made & (off >= 0), made & (off < 0), low, high)
    return _solve_between(program, low, high)


def _between(part: Part, up: Array, down: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds of the weights when a part moves up, down or, where neither, stays."""
    low = np.maximum(low, np.where(down, -np.inf, part.center + part.least * up))
    high = np.minimum(high, np.where(up, np.inf, part.center - part.least * down))
    return low, high


def _solve_between(program: Program, low: Array, high: Array) -> Answer | None:
    """Solve the program with single weights between bounds; those without room drop out."""
    n = len(low)
    if (low > high + 1e-9).any():
        return None
    fixed = high <= low + 1e-12
    middle = np.full(n, np.nan)
    middle[fixed] = (low[fixed] + high[fixed]) / 2
    inner, kept = restrict(program, middle, low, high)
    answer = solve_clarabel(inner) if inner.cones or inner.powers is not None else solve_piqp(inner)
    if answer.status == "failed":
        answer = solve_clarabel(inner)
    if answer.status not in ("optimal", "optimal_inaccurate"):
        return None
    whole = np.zeros(program.size)
    whole[:n][fixed] = middle[fixed]
    whole[kept] = answer.x
    return replace(answer, x=whole)


def restrict(program: Program, value: Array, low: Array, high: Array) -> tuple[Program, Array]:
    """Return a program without the weights that have a value, and which columns it keeps.

    Parameters
    ----------
    value : by asset; NaN where the weight stays free
    low, high : bounds of the free weights
    """
    n = len(value)
    fixed = np.zeros(program.size)
    out = np.zeros(program.size, dtype=bool)
    out[:n] = np.isfinite(value)
    fixed[:n][out[:n]] = value[out[:n]]
    kept = np.flatnonzero(~out)
    lower, upper = program.lower.copy(), program.upper.copy()
    floor, cap = program.floor.copy(), program.cap.copy()
    floor[:n] = np.where(low > lower[:n], NOBODY, floor[:n])
    cap[:n] = np.where(high < upper[:n], NOBODY, cap[:n])
    lower[:n], upper[:n] = np.maximum(lower[:n], low), np.minimum(upper[:n], high)
    place = np.full(program.size, NOBODY)
    place[kept] = np.arange(len(kept))
    powers = program.powers
    if powers is not None:
        stuck = out[powers.at]
        lower[powers.above[stuck]] = np.abs(fixed[powers.at] - powers.held)[stuck] ** POWER
        free = ~stuck
        powers = Powers(place[powers.above[free]], place[powers.at[free]], powers.held[free])
    cones = []
    for cone in program.cones:
        matrix = _wide(cone.matrix, program.size)
        shift = cone.shift + matrix @ fixed
        slack = NOBODY if cone.slack == NOBODY else int(place[cone.slack])
        cones.append(Cone(cone.half, matrix[:, kept], shift, cone.radius, slack))
    equality = program.equality_matrix.tocsc()[:, kept]
    rest = program.equality_bound - program.equality_matrix @ fixed
    left = (np.diff(equality.tocsr().indptr) > 0) | (np.abs(rest) > CUT)
    quadratic = program.quadratic.tocsc()
    inequality = program.inequality_matrix.tocsc()
    inner = replace(
        program,
        quadratic=quadratic[kept][:, kept].tocsc(),
        linear=(program.linear + quadratic @ fixed)[kept],
        equality_matrix=equality[left],
        equality_bound=rest[left],
        equality=program.equality[left],
        inequality_matrix=inequality[:, kept],
        inequality_bound=program.inequality_bound - inequality @ fixed,
        lower=lower[kept],
        upper=upper[kept],
        floor=floor[kept],
        cap=cap[kept],
        cones=tuple(cones),
        slack={index: place[columns] for index, columns in program.slack.items()},
        budget_row=NOBODY
        if program.budget_row == NOBODY or not left[program.budget_row]
        else int(left[: program.budget_row].sum()),
        powers=powers,
    )
    return inner, kept


def _wide(matrix: sp.csr_matrix, size: int) -> sp.csc_matrix:
    flat = matrix.tocsr()
    rows = (flat.data, flat.indices, flat.indptr)
    return sp.csr_matrix(rows, shape=(flat.shape[0], size)).tocsc()
