"""By how much rules must be broken together, and a smallest set of them that cannot hold.

The least total violation is a linear program (a conic one with a cap on risk). PIQP solves the
linear ones several times sooner than Clarabel. What it says is impossible must be proven by its
multipliers, or Clarabel is asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tilt.optimize.check import TOLERANCE
from tilt.optimize.constraints import KINDS, Rule
from tilt.optimize.limits import Half, Layout
from tilt.optimize.native import Answer, solve_clarabel, solve_piqp
from tilt.optimize.program import Ease, Program, build
from tilt.optimize.proof import Proof, proof_of
from tilt.optimize.together import hold_together, least_moves

FEASIBLE = TOLERANCE / 2  # a smaller violation is a rule kept
SOLVED = ("optimal", "optimal_inaccurate")
PAID = 1e-6  # of the dearest price: a half with less bears nothing
DOUBT = (1e-8, 1e-4)  # of the dearest price: what PIQP finds between is left to Clarabel
_DEEPEST_FIRST = ("tracking_error", "volatility", "beta", "factor", "industry", "sector")


@dataclass(frozen=True)
class Smallest:
    """The least total violation of some halves: by how much each moves, and which ones bear it.

    proof : what is known of a linear program of theirs, by their place in ``chosen``
    """

    feasible: bool
    moved: Mapping[int, float]
    bearing: tuple[int, ...]
    chosen: Sequence[int] = ()
    proof: Proof | None = None

    def proves(self, which: Iterable[int]) -> bool:
        """Return whether it is proven that some of the halves cannot hold; False is no promise."""
        if self.proof is None:
            return False
        places = [self.chosen.index(n) for n in which]
        return self.proof.least_cost_of(places) > _nothing(self.proof.program, places)


@dataclass(frozen=True, eq=False)
class Violation:
    """What the halves of a case, and any of them, must be broken by."""

    layout: Layout
    halves: Sequence[Half]

    def of_all(self) -> Smallest:
        """Move all bounds as little as makes them hold together.

        Where several moves are as small, Clarabel's lie in the middle of them.
        """
        return self._smallest(list(range(len(self.halves))), central=True)

    def smallest(self, which: Iterable[int]) -> Smallest:
        """Do the same for the bounds of ``which``, in any of as small moves; others are absent."""
        return self._smallest(list(which), central=False)

    def _smallest(self, chosen: list[int], *, central: bool) -> Smallest:
        sides = [self.halves[n] for n in chosen]
        if any(half.rule.kind.discrete for half in sides):
            return self._whole(chosen, sides)
        program = build(self.layout, sides, None, ease=_each_eased(sides))
        answer = solve_clarabel(program) if central else solve_moves(program)
        found = _read(chosen, program, answer)
        if not central and not found.feasible and _doubtful(answer):
            answer = solve_clarabel(program)
        if answer.status not in SOLVED and not program.cones:
            answer = solve_piqp(program)
        return _read(chosen, program, answer)

    def _whole(self, chosen: list[int], sides: list[Half]) -> Smallest:
        """Do the same for rules on names and trades: without prices any of them may bear it."""
        if hold_together(self.layout, sides) is not False:
            return Smallest(feasible=True, moved={}, bearing=())
        rest = [n for n in chosen if not self.halves[n].rule.kind.discrete]
        others = self.smallest(rest) if rest else None
        bearing = others.bearing if others is not None and not others.feasible else tuple(chosen)
        return Smallest(feasible=False, moved={}, bearing=bearing)

    def together(self) -> Mapping[int, float]:
        """Return the least moves of all bounds that make rules on names and trades hold."""
        ease = _each_eased(self.halves)
        program = build(self.layout, self.halves, None, ease=ease)
        return least_moves(self.layout, program, self.halves, ease) or {}

    def smallest_set(self, first: Smallest) -> list[int]:
        """Drop halves one by one while what is left stays impossible (a deletion filter).

        The halves with a price prove the impossibility, so the others go at once; each later proof
        may shrink the set again.

        Parameters
        ----------
        first : the violation of all, which are impossible
        """
        core = list(first.bearing)
        if not self._impossible(core, first):
            core = list(range(len(self.halves)))
        kept: list[int] = []
        waiting = sorted(core, key=lambda n: _depth(self.halves[n].rule))
        last = waiting[-1:]
        # A half that cannot hold alone bears its full price in every proof, so it stays to the
        # end; where it comes last, all before it go.
        if all(first.moved.get(n, 0.0) > FEASIBLE for n in last) and self._impossible(last):
            return last
        while waiting:
            out = waiting.pop(0)
            without = self.smallest([*kept, *waiting])
            if without.feasible:
                kept.append(out)
                continue
            shrunk = [n for n in waiting if n in without.bearing]
            if len(shrunk) < len(waiting) and self._impossible([*kept, *shrunk], without):
                waiting = shrunk
        return sorted(kept)

    def _impossible(self, which: Sequence[int], known: Smallest | None = None) -> bool:
        """Return whether some halves cannot hold, by what is known of more halves if that says."""
        if known is not None and known.proves(which):
            return True
        return not self.smallest(which).feasible


def solve_moves(program: Program) -> Answer:
    """Return the least cost of the bounds that may move, by the sooner solver if it is sure.

    program : built without a goal
    """
    if program.cones or program.powers is not None:
        return solve_clarabel(program)
    answer = solve_piqp(program)
    proof = proof_of(program, answer)
    if proof is not None and _sure(program, answer, proof):
        return answer
    return solve_clarabel(program)


def _sure(program: Program, answer: Answer, proof: Proof) -> bool:
    """Return whether an answer needs no second opinion.

    Its point is there to see where no bound moves; that one must, or that none can help, is proven.
    """
    if answer.status != "optimal":
        return answer.status == "infeasible" and proof.shows_impossible()
    moves = (float(answer.x[columns].max()) for columns in program.slack.values())
    return max(moves, default=0.0) <= FEASIBLE or (
        proof.least_cost() > _nothing(program, program.slack)
    )


def _read(chosen: Sequence[int], program: Program, answer: Answer) -> Smallest:
    moved = {chosen[k]: float(answer.x[at[0]]) for k, at in program.slack.items()}
    worst = max(moved.values(), default=0.0)
    shares = _shares(answer)
    bearing = tuple(chosen[k] for k in sorted(shares) if shares[k] > PAID)
    return Smallest(worst <= FEASIBLE, moved, bearing, chosen, proof_of(program, answer))


def _shares(answer: Answer) -> dict[int, float]:
    """Return each half's price as a share of the dearest."""
    prices = {k: float(p.sum()) for k, p in answer.prices.items()}
    dearest = max(prices.values(), default=0.0)
    return {k: price / dearest if dearest > 0 else 0.0 for k, price in prices.items()}


def _doubtful(answer: Answer) -> bool:
    """Return whether a price is so small that it may be none, or the solver's rounding."""
    nearly, surely = DOUBT
    return answer.solver == "piqp" and any(nearly < p < surely for p in _shares(answer).values())


def _each_eased(sides: Sequence[Half]) -> dict[int, Ease]:
    """Return for each half what a move of its bound costs: a step of any kind costs the same."""
    return {
        k: Ease(KINDS["factor"].step / half.rule.kind.step, shared=True)
        for k, half in enumerate(sides)
    }


def _nothing(program: Program, which: Iterable[int]) -> float:
    """Return the most that moves of some halves cost while each is no violation."""
    return FEASIBLE * sum(float(program.linear[program.slack[k]].sum()) for k in which)


def _depth(rule: Rule) -> int:
    """Return when a rule is tried without: the ones that are harder to see through first."""
    return _DEEPEST_FIRST.index(rule.rule) if rule.rule in _DEEPEST_FIRST else len(_DEEPEST_FIRST)
