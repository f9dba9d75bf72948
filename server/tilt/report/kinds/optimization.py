"""The optimization report: the problem, what each rule costs, the trades, before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tilt.errors import ArgumentError, one_of
from tilt.frames import Weights
from tilt.optimize.frontier import Frontier, trace_frontier, whole_points
from tilt.optimize.solve import OPTIONS as SOLVER_OPTIONS
from tilt.optimize.solve import Problem, Solution, solve
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds import asked
from tilt.report.kinds import optimization_sheets as sheets
from tilt.report.kinds.before_after import exposures_section
from tilt.report.kinds.frontier_sheets import frontier_section
from tilt.report.review import HOUSE_RULES, OBJECTIVE, Review, review_portfolio

SECTIONS = {
    "problem": "Problem and answer",
    "rules": "Rules and what they cost",
    "trades": "Trades",
    "exposures": "Exposures and risk, before and after",
    "frontier": "Frontier",
}
PASSED = ("risk_aversion", "risk_free", "long_short", "cash", "pin", "exclude", "factor",
          "budgets", "time_limit", "cost_bps")  # fmt: skip
OPTIONS = {
    "objective": "what is striven for, as in OPTIMIZE; min_te unless given",
    "alpha": "a factor of the model: one unit of it counts as 1 % expected return a year",
    "frontier": "yes adds the efficient frontier; it needs alpha",
    "points": "of the frontier, 20 unless given",
    **{name: SOLVER_OPTIONS[name] for name in PASSED},
}
ALPHA_PER_SCORE = 0.01  # a year, as the cells have it


@dataclass(frozen=True, eq=False)
class _Asked:
    """A problem as its report asks for it; it is solved once, when a section needs it."""

    review: Review
    options: Mapping[str, str]

    @cached_property
    def problem(self) -> Problem:
        review = self.review
        return Problem(
            self.options.get("objective", "").strip() or OBJECTIVE,
            review.model,
            review.panel.securities,
            review.held,
            review.benchmark,
            alpha=self._alpha(),
            rules=review.rules,
            options={k: v for k in PASSED if (v := self.options.get(k, "").strip())},
        )

    @cached_property
    def solution(self) -> Solution:
        found = solve(self.problem)
        self.review.record.solution(found)
        return found

    @cached_property
    def frontier(self) -> Frontier | None:
        """The frontier where it is asked for.

        Raises
        ------
        ArgumentError
            If there are no expected returns.
        """
        if not asked.flag(self.options, "frontier"):
            return None
        if self.problem.alpha is None:
            raise ArgumentError(
                "The frontier needs expected returns: give option alpha, such as alpha=Value."
            )
        return trace_frontier(self.problem, points=self._points)

    @property
    def _points(self) -> int:
        return whole_points(asked.number(self.options, "points", 20))

    def frontier_run(self) -> str:
        """Return the run id of the frontier; that of the problem where none is on record."""
        if self.frontier is None:
            return ""
        run = self.review.record.frontier(self.problem, self._points, self.frontier)
        return run or self.solution.run_id

    def _alpha(self) -> Weights | None:
        given = self.options.get("alpha", "").strip()
        if not given:
            return None
        exposures = self.review.model.exposures
        return exposures[one_of("option alpha", given, exposures.columns)] * ALPHA_PER_SCORE


def open_optimization(material: Material) -> Study:
    """Read what the sections of an optimization share.

    Raises
    ------
    ArgumentError
        If there are no holdings, or an option or rule is wrong.
    """
    if material.holdings is None:
        raise ArgumentError("An optimization needs a portfolio. Name one, or give its holdings.")
    review = review_portfolio(
        material.panel,
        material.holdings,
        portfolio=material.portfolio,
        rules=material.rules or HOUSE_RULES,
        strategy_rules=[],
        rebalanced=False,
        record=material.record,
    )
    it = _Asked(review, material.options)
    subject = review.subject
    return Study(
        subject,
        {
            "problem": lambda: sheets.problem_section(it.solution, subject),
            "rules": lambda: sheets.rules_section(it.solution, subject),
            "trades": lambda: sheets.trades_section(it.solution, subject),
            "exposures": lambda: exposures_section(it.solution, subject),
            "frontier": lambda: frontier_section(
                it.frontier, it.solution, subject, it.frontier_run()
            ),
        },
    )


OPTIMIZATION = Kind(
    "optimization",
    "Optimization",
    "The problem in words, what each rule costs, the trades and why, before and after; or why "
    "there is no solution and what repairs it.",
    SECTIONS,
    open_optimization,
    OPTIONS,
)
