"""Solve a portfolio problem, and show the answer from every side."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import NoSolutionError, UnknownNameError, did_you_mean, one_of
from tilt.frames import Weights
from tilt.optimize.case import Case
from tilt.optimize.check import check_rules
from tilt.optimize.conflict import Conflict, explain_conflict
from tilt.optimize.constraints import Rule, amount
from tilt.optimize.explain import (
    Priced,
    objective_name,
    price_rules,
    rule_sentences,
    shown_objective,
    step_rules,
    warnings_of,
)
from tilt.optimize.lots import Rounded, round_lots
from tilt.optimize.membership import Pull, pull_of, why_held
from tilt.optimize.methods import find
from tilt.optimize.options import OPTIONS
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem
from tilt.optimize.route import Found
from tilt.optimize.rule_tables import conflict_table, rule_table
from tilt.optimize.solution_tables import (
    beside_unpinned,
    figures,
    summary_table,
    trades_table,
    weights_table,
)
from tilt.optimize.terms import OBJECTIVES
from tilt.risk.measures import exposure_table, risk_table

__all__ = ["OBJECTIVES", "OPTIONS", "VIEWS", "Problem", "Solution", "check_rules", "solve"]

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "trades": "ticker, name, current, optimal, trade and the reason of each trade",
        "weights": "ticker, name, weight, benchmark, active, current",
        "summary": "measure, before, after",
        "constraints": "each rule's value, slack, status and price",
        "exposures": "factor, group, portfolio, benchmark, active",
        "risk": "where the risk comes from, adding up to the total",
        "explain": "one sentence a row",
    }
)
SOLVED = ("optimal", "optimal_inaccurate")
TOP_TRADES = 5  # in the explanation


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to a problem; views of it do not solve it again.

    status    : optimal, optimal_inaccurate, infeasible, unbounded, time_limit
    weights   : by asset of the model, zero where nothing is held; empty without an answer
    objective : yearly tracking error or volatility, expected return or utility; NaN without one
    solver    : which one gave the answer
    seconds   : the solver's time
    messages  : what the reader should know
    trouble   : why there is no answer, where rules cannot hold together
    """

    problem: Problem
    status: str
    weights: Weights
    objective: float
    solver: str
    seconds: float
    messages: tuple[str, ...]
    case: Case
    found: Found
    trouble: Conflict | None

    @property
    def run_id(self) -> str:
        """Twelve digits that depend on everything that decides the answer."""
        return self.problem.run_id

    @property
    def solved(self) -> bool:
        return self.found.solved

    @property
    def conflict(self) -> tuple[Rule, ...]:
        """A smallest set of rules that cannot hold together, each with the bound that matters."""
        return () if self.trouble is None else self.trouble.rules

    @cached_property
    def repairs(self) -> pd.DataFrame:
        """What makes the problem feasible: rule, who, side, bound, to, alone."""
        return _repairs(self.trouble)

    def require(self) -> "Solution":
        """Return the solution itself.

        Raises
        ------
        NoSolutionError
            If there is none; its first 120 characters say why.
        """
        if self.solved:
            return self
        raise NoSolutionError(self.refusal)

    @property
    def refusal(self) -> str:
        """Why there is no answer, in words; empty where there is one."""
        if self.solved:
            return ""
        if self.trouble is not None:
            return self.trouble.headline()
        if self.found.refusal:
            return self.found.refusal
        if self.status == "unbounded":
            return (
                f"No solution: nothing limits {objective_name(self.case)}. "
                "Add a weight min and max, a gross or a tracking_error rule."
            )
        limit = self.case.options.time_limit
        if self.status == "time_limit" and limit is not None:
            return f"No solution within {limit:g} s. Raise option time_limit."
        return (
            "No solution: the rules hold together by less than solvers can see. "
            f"Loosen one a little. {' '.join(self.messages)}"
        )

    @cached_property
    def rules(self) -> pd.DataFrame:
        """Each rule's value, slack, status and shadow price, without solving again."""
        return rule_table(self.case, self._priced if self.solved else [])

    @cached_property
    def _priced(self) -> list[Priced]:
        return price_rules(self.case, self.found)

    @cached_property
    def _pull(self) -> Pull:
        return pull_of(self.case, self.found, self._priced)

    def why(self, ticker: str) -> str:
        """Return in one sentence why a name is held as much as it is, or why it is not.

        Raises
        ------
        UnknownNameError
            If the risk model has no such name.
        NoSolutionError
            If there is no answer.
        """
        self.require()
        known = {str(name).casefold(): at for at, name in enumerate(self.case.assets)}
        at = known.get(ticker.strip().casefold())
        if at is None:
            raise UnknownNameError(
                f"'{ticker}' has no risk data at this date."
                f"{did_you_mean(ticker, map(str, self.case.assets))}"
            )
        return f"{self.case.assets[at]}: {self._reason(at)}"

    @cached_property
    def unpinned(self) -> "Solution | None":
        """The answer without pins and exclusions; None where there are none."""
        mine = ("pin", "exclude")
        given = {k: v for k, v in self.problem.options.items() if k.strip().casefold() not in mine}
        if len(self.case.rules) == len(self.problem.rules) or len(given) == len(
            self.problem.options
        ):
            return None
        return solve(replace(self.problem, options=given))

    @cached_property
    def _stepped(self) -> list[Priced]:
        return step_rules(self.case, self.found)

    def view(self, name: str = "trades") -> pd.DataFrame:
        """Return one of ``VIEWS``; summary, constraints and explain even without an answer.

        Raises
        ------
        ArgumentError
            If there is no such view.
        NoSolutionError
            If the view needs an answer and there is none.
        """
        view = one_of("view", name, VIEWS)
        if view == "summary":
            return self._summary()
        if view == "constraints":
            if self.solved:
                return rule_table(self.case, self._stepped)
            return conflict_table(self.case, self.conflict)
        if view == "explain":
            return pd.DataFrame({"explanation": self._sentences()})
        self.require()
        benchmark = self.problem.benchmark
        if view == "exposures":
            return exposure_table(self.problem.model, self.weights, benchmark)
        if view == "risk":
            return risk_table(self.problem.model, self.weights, benchmark)
        if view == "weights":
            return weights_table(self.case, self.weights, self._reason)
        return self._trades()

    def _reason(self, at: int) -> str:
        return why_held(self.case, self.found.weights, self._pull, at)

    def _trades(self) -> pd.DataFrame:
        return trades_table(self.case, self.weights, self._priced)

    def _summary(self) -> pd.DataFrame:
        case, free = self.case, self.unpinned
        table = summary_table(case, figures(case, self.weights) if self.solved else None)
        if free is None:
            return table
        return beside_unpinned(table, figures(case, free.weights) if free.solved else {})

    @cached_property
    def warnings(self) -> list[str]:
        """What makes the answer fragile, each with its number."""
        return warnings_of(self.case, self._stepped) if self.solved else []

    def _sentences(self) -> list[str]:
        if self.trouble is not None:
            return [*self.trouble.sentences(), *self.messages]
        if not self.solved:
            return [self.refusal, *self.messages]
        case = self.case
        name = objective_name(case)
        start = shown_objective(case, case.headline(case.current))
        reached = f"{name[0].upper()}{name[1:]} is {shown_objective(case, self.objective)}"
        told = [
            f"{reached}, the best within the rules (holdings: {start}).",
            *self.messages,
            *self.warnings,
            *rule_sentences(case, self.found, self._stepped),
        ]
        for row in self._trades().head(TOP_TRADES).itertuples():
            verb = "Buy" if float(str(row.trade)) > 0 else "Sell"
            told.append(
                f"{verb} {amount(abs(float(str(row.trade))))} of {row.ticker}: {row.reason}"
            )
        told.append(
            f"Solved by {self.solver}; every rule was checked from the weights to 0.000001."
        )
        return told


def solve(problem: Problem) -> Solution:
    """Solve a problem; where it has no solution, find out why.

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        If the problem is not well stated. A problem without a solution is no error here: see
        ``Solution.status`` and ``Solution.require``.
    """
    case = open_case(problem)
    found = find(case)
    conflict: Conflict | None = None
    if found.status in ("infeasible", "failed") and not found.refusal:
        conflict = explain_conflict(case)
        if conflict is None and not case.discrete:
            found = _insist(case, found)
    status = "infeasible" if found.status == "failed" else found.status
    solved = found.solved
    index = problem.model.exposures.index
    rounded = round_lots(case, found.weights) if solved else Rounded(found.weights, ())
    weights = pd.Series(rounded.weights, index=index) if solved else pd.Series(dtype=float)
    return Solution(
        problem=problem,
        status=status,
        weights=weights,
        objective=case.headline(rounded.weights) if solved else np.nan,
        solver=found.solver,
        seconds=found.seconds,
        messages=(*case.messages, *found.notes, *rounded.notes),
        case=case,
        found=found,
        trouble=conflict,
    )


def _insist(case: Case, found: Found) -> Found:
    """Try the other solvers where one saw no solution but the rules do hold together."""
    for solver in ("clarabel", "cvxpy"):
        if solver != found.solver:
            again = find(replace(case, options=replace(case.options, solver=solver)))
            if again.status in SOLVED:
                note = f"{found.solver} saw no solution; {solver} found one."
                return replace(again, notes=(*found.notes, note, *again.notes))
    return found


def _repairs(conflict: Conflict | None) -> pd.DataFrame:
    columns = ["rule", "who", "side", "bound", "to", "alone"]
    if conflict is None:
        return pd.DataFrame(columns=columns)
    return pd.DataFrame(
        [
            (r.rule.rule, r.rule.who, r.side, r.bound, r.to, alone)
            for group, alone in ((conflict.repairs, "yes"), (conflict.least, "together"))
            for r in group
        ],
        columns=columns,
    ).astype({"bound": float, "to": float})
