"""Why a problem has no solution: the smallest set of rules that conflict, and what repairs it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tilt.optimize.arithmetic import shortcomings
from tilt.optimize.case import Case
from tilt.optimize.check import TOLERANCE
from tilt.optimize.constraints import Rule, Side, amount
from tilt.optimize.limits import Half, Layout, halves, lay_out
from tilt.optimize.program import Ease, build
from tilt.optimize.terms import Array
from tilt.optimize.together import least_move
from tilt.optimize.violation import FEASIBLE, SOLVED, Violation, solve_moves

HEAD = 120  # characters of a message that a cell shows


@dataclass(frozen=True)
class Repair:
    """One bound of one rule, and where it must be moved.

    rule : with that bound only
    to   : the bound that makes the whole problem feasible, rounded outward; None where moving this
           rule alone is not enough
    """

    rule: Rule
    side: Side
    to: float | None

    @property
    def bound(self) -> float:
        return self.rule.bound(self.side) or 0.0

    @property
    def steps(self) -> float:
        """How far the bound moves, in the steps of its kind."""
        if self.to is None:
            return np.inf
        return abs(self.to - self.bound) / self.rule.kind.step

    def words(self) -> str:
        """Return 'raise the max of turnover to 7.3 %', by the name of the table's column."""
        verb = "raise" if self.side == "max" else "lower"
        against = " against the benchmark" if self.rule.relative else ""
        to = self.rule.shown(self.to or 0.0)
        return f"{verb} the {self.side} of {self.rule.subject()} to {to}{against}"


@dataclass(frozen=True)
class Release:
    """An option that alone makes the whole problem feasible, where no rule of the table need move.

    option : cash, as a fraction of capital, or long_short
    """

    option: str
    to: float | bool

    def words(self) -> str:
        """Return 'leave 12 % in cash' or 'allow short positions'."""
        return "allow short positions" if self.to is True else f"leave {amount(self.to)} in cash"


@dataclass(frozen=True)
class Conflict:
    """What stands in the way.

    rules   : a smallest set that cannot hold together, each with the one bound that matters;
              without any of them the others can hold
    repairs : for each of them, the value that alone makes the whole problem feasible
    least   : the least that several bounds together must move, measured in steps of their kind
    releases : options that alone make it feasible: less invested, or short positions
    reasons : what plain arithmetic says
    """

    rules: tuple[Rule, ...]
    repairs: tuple[Repair, ...]
    least: tuple[Repair, ...]
    releases: tuple[Release, ...]
    reasons: tuple[str, ...]
    invested: float | None

    def headline(self) -> str:
        """Return the conflict as a message whose first 120 characters stand alone."""
        quoted = " and ".join(f"'{rule.words()}'" for rule in self.rules)
        if len(self.rules) == 1:
            said = f"{quoted} cannot hold"
            if self.invested is not None:
                said += f" with {amount(self.invested)} invested"
        elif self.rules:
            said = f"{quoted} conflict"
        else:
            said = "no set of rules that conflicts was found"
        ways = [r.words() for r in sorted(self.repairs, key=_steps) if r.to is not None]
        told = f"No solution: {said}."
        full = told + _sentence(" or ".join(ways))
        if len(full) <= HEAD:
            return full
        first = _sentence(ways[0]) if ways else " No single change repairs it."
        others = _sentence(" or ".join(ways[1:]), lead="Or ")
        if len(told) <= HEAD:
            return told + first + others
        count = f"{len(self.rules)} rules" if len(self.rules) > 1 else "one rule"
        return f"No solution because of {count}.{first} {said[0].upper()}{said[1:]}.{others}"

    def sentences(self) -> list[str]:
        """Return the whole explanation, a sentence a row."""
        told = [self.headline(), *self.reasons]
        told += [f"In conflict: '{rule.words()}'." for rule in self.rules]
        for repair in self.repairs:
            if repair.to is None:
                told.append(f"Moving '{repair.rule.words()}' alone repairs nothing.")
            else:
                now = repair.rule.shown(repair.bound)
                told.append(f"To repair it alone, {repair.words()} (now {now}).")
        if len(self.least) > 1:
            ways = " and ".join(r.words() for r in self.least)
            told.append(f"The least change over all rules together: {ways}.")
        told += [f"To keep all rules, {r.words()} (option {r.option})." for r in self.releases]
        return told


def _steps(repair: Repair) -> float:
    return repair.steps


def _sentence(text: str, lead: str = "") -> str:
    if not text:
        return ""
    body = lead + text if lead else text[0].upper() + text[1:]
    return f" {body}."


def explain_conflict(case: Case) -> Conflict | None:
    """Return why a case has no solution, or None if its hard rules can hold together."""
    layout = lay_out(case)
    sides = halves(layout, [rule for rule in case.rules if rule.hard])
    violation = Violation(layout, sides)
    first = violation.of_all()
    if first.feasible:
        return None
    core = violation.smallest_set(first)
    repairs = tuple(_alone(layout, sides, n) for n in core)
    moved = first.moved
    if case.discrete and all(repair.to is None for repair in repairs):
        moved = violation.together()
    return Conflict(
        rules=tuple(sides[n].rule.only(sides[n].side) for n in core),
        repairs=repairs,
        least=tuple(
            Repair(sides[n].rule.only(sides[n].side), sides[n].side, _outward(sides[n], by))
            for n, by in moved.items()
            if by > FEASIBLE
        ),
        releases=_releases(case, core),
        reasons=shortcomings(case),
        invested=case.invested,
    )


def _alone(layout: Layout, sides: Sequence[Half], index: int) -> Repair:
    """Return how far one half must move while all others hold."""
    half = sides[index]
    rule = half.rule.only(half.side)
    program = build(layout, sides, None, ease={index: Ease(1.0, shared=True)})
    if (program.lower > program.upper).any():
        return Repair(rule, half.side, None)
    if any(one.rule.kind.discrete for one in sides):
        far = least_move(layout, sides, index)
        return Repair(rule, half.side, None if far is None else _outward(half, far))
    answer = solve_moves(program)
    if answer.status not in SOLVED:
        return Repair(rule, half.side, None)
    by: Array = answer.x[program.slack[index]]
    return Repair(rule, half.side, _outward(half, float(by[0])))


def _releases(case: Case, core: Sequence[int]) -> tuple[Release, ...]:
    """Return what repairs a case while all its rules stay: less invested, or short positions.

    core : halves that conflict; where they do so with short positions too, the others need no look
    """
    found: list[Release] = []
    cash = _cash(case)
    if cash is not None:
        found.append(Release("cash", cash))
    if not case.options.long_short:
        shorts = replace(case, options=replace(case.options, long_short=True))
        if _holds(shorts, core):
            found.append(Release("long_short", to=True))
    return tuple(found)


def _cash(case: Case) -> float | None:
    """Return the least cash with which all rules hold; None where no amount does."""
    if case.invested is None:
        return None
    least = Rule("net", "", case.invested, None)
    free = replace(case, invested=None, rules=(*(r for r in case.rules if r.hard), least))
    layout = lay_out(free)
    sides = halves(layout, free.rules)
    invested = _alone(layout, sides, len(sides) - 1).to
    if invested is None or invested < 0 or not _holds(replace(case, invested=invested)):
        return None
    return round(1.0 - invested, 10)


def _holds(case: Case, doubtful: Sequence[int] = ()) -> bool:
    """Return whether the hard rules of a case can hold together.

    doubtful : halves that may well not; they are asked alone first, as few are solved soon
    """
    sides = halves(layout := lay_out(case), [rule for rule in case.rules if rule.hard])
    violation = Violation(layout, sides)
    if doubtful and not case.discrete and not violation.smallest(doubtful).feasible:
        return False
    return violation.smallest(range(len(sides))).feasible


def _outward(half: Half, by: float) -> float:
    """Return the bound moved by a little more than needed, so that the repaired rule has room."""
    unit = 1e-4 if half.rule.kind.percent else 1e-3
    if half.rule.kind.integer:
        unit, by = 1.0, by - 2 * TOLERANCE  # a count is whole
    bound = half.rule.bound(half.side) or 0.0
    if half.side == "max":
        return round(math.ceil((bound + by + TOLERANCE) / unit) * unit, 10)
    return round(math.floor((bound - by - TOLERANCE) / unit) * unit, 10)
