"""A portfolio problem as aligned arrays: what every solver and every check works on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError, did_you_mean, one_of
from tilt.optimize.constraints import Rule
from tilt.optimize.costs import Cost, Turnover
from tilt.optimize.goals import LOSSES, Ratio, WorstDays, budget_goal, worst_days
from tilt.optimize.hierarchy import hierarchical_weights
from tilt.optimize.market import participation, trading_cost
from tilt.optimize.options import Options
from tilt.optimize.problem import Problem
from tilt.optimize.shares import BUDGETED, Budgets, factor_budgets, read_budgets
from tilt.optimize.sums import Part, Sum, is_sum, parse_sum
from tilt.optimize.target import budget_portfolio, pure_portfolio
from tilt.optimize.terms import (
    RISK_OBJECTIVES,
    Array,
    Distance,
    Factors,
    Objective,
    Return,
    Term,
    Variance,
)


@dataclass(frozen=True, eq=False)
class Case:
    """A problem as arrays over the model's assets; yearly risk."""

    problem: Problem
    objective: str
    options: Options
    assets: Array  # of text
    factors: Array  # of text
    model: Factors
    current: Array
    benchmark: Array | None
    alpha: Array
    rules: tuple[Rule, ...]
    sector: Array  # of text
    sectors: Mapping[str, Array]  # positions by name
    invested: float | None  # what weights sum to; None where a net rule decides
    messages: tuple[str, ...]
    strive: Objective | None = None  # in place of the goal of the objective
    delta: float = 0.0  # the price of variance behind views

    @property
    def center(self) -> Array:
        """The benchmark, or nothing: what risk is measured from."""
        return np.zeros(len(self.assets)) if self.benchmark is None else self.benchmark

    @cached_property
    def goal(self) -> Objective:
        """The objective as terms, maximized."""
        if self.strive is not None:
            return self.strive
        if self.objective in ("max_sharpe", "max_diversification"):
            return Ratio(self._gain)
        if self.objective in BUDGETED:
            return budget_goal(self.model, self.budgets.by_name)
        own = self._own_goal
        if own is not None:
            return own
        active = Variance(self.model, self.center)
        if self.sum is not None:
            return Objective(tuple((p.scale, self._term(p)) for p in self.sum.parts))
        if self.objective == "min_te":
            return -active
        if self.objective == "min_risk":
            return -Variance(self.model, np.zeros(len(self.assets)))
        if self.objective == "max_return":
            return Return(self.alpha) * 1.0
        if self.objective == "equal_weight":
            total = self.current.sum() if self.invested is None else self.invested
            return -Distance(np.full(len(self.assets), total / len(self.assets)))
        return Return(self.alpha) - self.options.risk_aversion * active

    def headline(self, weights: Array) -> float:
        """Return the objective as it is reported: a yearly risk, a return or a utility."""
        value = self.goal.value(weights, self.model)
        if self.objective in RISK_OBJECTIVES:
            return float(np.sqrt(max(-value, 0.0)))
        return -value if self.objective in LOSSES else value

    @property
    def _own_goal(self) -> Objective | None:
        """The goal of an objective with a target, a tail or a price of its own."""
        n = len(self.assets)
        if self.objective == "black_litterman":
            return Return(self.alpha) - self.delta / 2 * Variance(self.model, np.zeros(n))
        if self.objective == "min_cvar":
            return -self.worst_days
        if self.objective == "min_cost":
            free = self.cost.half == 0 and not self.cost.slope.any()
            return -Turnover(self.current) if free else -self.cost
        if self.objective == "hrp":
            factor = self.model.exposures @ self.model.root
            cov = factor @ factor.T + np.diag(self.model.specific)
            total = self.current.sum() if self.invested is None else self.invested
            return -Distance(total * hierarchical_weights(cov))
        if self.objective == "factor_budget":
            shares = {int(np.flatnonzero(self.factors == f)[0]): b for f, b in self.tilt.items()}
            target = budget_portfolio(self.model, shares, len(self.factors))
            return -Variance(self.model, self.center + target)
        if self.objective == "pure_factor":
            name = one_of("option factor", self.options.factor, map(str, self.factors))
            at = int(np.flatnonzero(self.factors == name)[0])
            pure = pure_portfolio(self.model, at, len(self.factors))
            return -Variance(self.model, self.center + pure)
        return None

    @cached_property
    def worst_days(self) -> WorstDays:
        """The mean loss of the worst days by the scenarios of the problem."""
        return worst_days(self.problem.scenarios, self.assets, self.options.confidence)

    @cached_property
    def unknown_days(self) -> Array:
        """Return the positions of the names that no scenario judges: without a return on a day.

        Those that are held stay; a missing return of theirs counts with zero.
        """
        scenarios = self.problem.scenarios
        if scenarios is None:
            return np.zeros(0, dtype=int)
        holes = scenarios.reindex(columns=self.assets).isna().any().to_numpy()
        return np.flatnonzero(holes & (self.current == 0))

    @property
    def _gain(self) -> Array:
        """Return by asset what a ratio has above volatility."""
        if self.objective == "max_sharpe":
            return self.alpha - self.options.risk_free
        factor = self.model.exposures @ self.model.root
        variance = np.einsum("ij,ij->i", factor, factor) + self.model.specific
        return np.asarray(np.sqrt(variance))

    @cached_property
    def budgets(self) -> Budgets:
        """The shares of the risk that are asked for."""
        return read_budgets(
            _budgets_of(self.problem, self.options),
            assets=self.assets,
            sectors=self.groups("sector"),
            held=self.current > 0,
        )

    @cached_property
    def tilt(self) -> dict[str, float]:
        """The shares of the active factor risk that are asked for, by factor."""
        others = [*map(str, self.assets), *self.groups("sector")]
        text = _budgets_of(self.problem, self.options)
        return factor_budgets(text, factors=self.factors, others=others)

    @cached_property
    def sum(self) -> Sum | None:
        """The terms of an objective that is a sum; None for one that has a name."""
        if not is_sum(self.objective):
            return None
        return parse_sum(self.objective, self.factors, self.options.risk_aversion)

    def _term(self, part: Part) -> Term:
        """Return a term of a sum over the case's arrays."""
        n = len(self.assets)
        if part.name == "exposure":
            at = int(np.flatnonzero(self.factors == part.who)[0])
            return Return(self.model.exposures[:, at])
        if part.name == "distance":
            total = float(self.current.sum()) if self.invested is None else self.invested
            even = np.full(n, total / n)
            return Distance({"benchmark": self.center, "current": self.current}.get(part.who, even))
        terms: dict[str, Callable[[], Term]] = {
            "return": lambda: Return(self.alpha),
            "risk": lambda: Variance(self.model, np.zeros(n)),
            "active_risk": lambda: Variance(self.model, self.center),
            "cost": lambda: self.cost,
            "turnover": lambda: Turnover(self.current),
        }
        return terms[part.name]()

    @property
    def discrete(self) -> bool:
        """Whether names are in or out, or trades made or not: a mixed-integer problem."""
        return any(rule.kind.discrete for rule in self.rules)

    @cached_property
    def cost(self) -> Cost:
        """What trades from the holdings are expected to cost."""
        market = self.problem
        return trading_cost(self.assets, self.current, self.options, market.adv, market.sigma)

    @cached_property
    def participation(self) -> Array:
        """Return by name the share of a day's volume that one unit of capital is.

        Raises
        ------
        ArgumentError
            If the value of the portfolio or the volumes are not known.
        """
        return participation(self.assets, self.options, self.problem.adv)

    def labels(self, column: str) -> Array:
        """Return by asset its group in a column of the securities; empty text where unknown."""
        if column in ("sector", "industry"):
            return self.sector if column == "sector" else self.industry
        named = self.problem.securities
        if column not in named.columns:
            raise UnknownNameError(
                f"The securities have no column '{column}'.{did_you_mean(column, named.columns)}"
            )
        return labels_of(named.reindex(self.assets), column)

    @cached_property
    def industry(self) -> Array:
        """Return by asset its industry; empty text where unknown."""
        return labels_of(self.problem.securities.reindex(self.assets), "industry")

    @cached_property
    def _place_of_factor(self) -> dict[str, int]:
        return {str(name): at for at, name in enumerate(self.factors)}

    def members(self, rule: Rule) -> list[tuple[str, Array]]:
        """Return by name what a rule bounds, as positions of the assets it adds up.

        A weight rule gives one entry with every position that it bounds one by one.
        """
        if rule.rule == "weight":
            return [(rule.who, self._weighted(rule))]
        groups = self.groups(rule.column)
        if rule.who == "*" and not groups:
            raise UnknownNameError(f"No {rule.column} is known for any asset of the risk model.")
        if rule.who == "*":
            return list(groups.items())
        if rule.who not in groups:
            raise UnknownNameError(
                f"No asset of {rule.column} '{rule.who}' has risk data at this date."
                f"{did_you_mean(rule.who, groups)}"
            )
        return [(rule.who, groups[rule.who])]

    def groups(self, column: str) -> Mapping[str, Array]:
        """Return the positions of the assets of each group."""
        if column == "sector":
            return self.sectors
        if column not in self._groups:
            self._groups[column] = grouped(self.labels(column))
        return self._groups[column]

    @cached_property
    def _groups(self) -> dict[str, dict[str, Array]]:
        return {}

    def _weighted(self, rule: Rule) -> Array:
        if rule.who == "*":
            return np.arange(len(self.assets))
        at = np.flatnonzero(self.assets == rule.who)
        if len(at):
            return at
        if rule.who in self.groups("sector"):
            return self.groups("sector")[rule.who]
        raise UnknownNameError(
            f"'{rule.who}' of '{rule.words()}' has no risk data at this date."
            f"{did_you_mean(rule.who, [*self.assets, *self.groups('sector')])}"
        )

    def exposures_of(self, rule: Rule) -> Array:
        """Return the positions of the factors that a factor rule is about."""
        if rule.who == "*":
            return np.arange(len(self.factors))
        at = self._place_of_factor.get(rule.who)
        if at is None:
            raise UnknownNameError(
                f"The risk model has no factor '{rule.who}'.{did_you_mean(rule.who, self.factors)}"
            )
        return np.array([at])


def grouped(column: Array) -> dict[str, Array]:
    """Return the positions of each name that is not empty, in the order of the names."""
    codes, names = pd.factorize(column, sort=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names))).tolist()
    spans = zip(names, [0, *ends], ends, strict=False)
    return {str(name): order[start:end] for name, start, end in spans if name != ""}


def labels_of(named: pd.DataFrame, column: str) -> Array:
    """Return a column of labels as text, empty where there is none."""
    if column not in named.columns:
        return np.full(len(named), "", dtype=object)
    labels = named[column].to_numpy(dtype=object)
    return np.where(pd.isna(labels), "", labels)


def _budgets_of(problem: Problem, options: Options) -> str:
    """Return the text of the budgets: the option, or else what rules risk_share say."""
    rules = ", ".join(f"{r.who}={r.high!r}" for r in problem.rules if is_budget(r))
    return options.budgets or rules


def is_budget(rule: Rule) -> bool:
    """Return whether a rule states a share of the risk, whose max risk_budget takes as a budget."""
    return rule.rule == "risk_share" and rule.high is not None
