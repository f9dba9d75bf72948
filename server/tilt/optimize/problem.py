"""A portfolio problem as it is asked, and the same as aligned arrays."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, UnknownNameError, did_you_mean, one_of
from tilt.frames import Weights, content_id, listed
from tilt.optimize.belief import alpha_views, believe
from tilt.optimize.constraints import Rule, amount, check_rule
from tilt.optimize.costs import Cost, Turnover
from tilt.optimize.goals import LOSSES, Ratio, WorstDays, budget_goal, worst_days
from tilt.optimize.hierarchy import hierarchical_weights
from tilt.optimize.market import participation, trading_cost
from tilt.optimize.options import Options, read_options
from tilt.optimize.pins import pin_rules
from tilt.optimize.shares import BUDGETED, Budgets, factor_budgets, read_budgets
from tilt.optimize.sums import Part, Sum, is_sum, parse_sum
from tilt.optimize.target import budget_portfolio, pure_portfolio
from tilt.optimize.terms import (
    OBJECTIVES,
    RISK_OBJECTIVES,
    Array,
    Distance,
    Factors,
    Objective,
    Return,
    Term,
    Variance,
)
from tilt.optimize.views import View, parse_text
from tilt.risk.model import RiskModel

DAYS = 252
ALPHA_OBJECTIVES = ("max_return", "max_sharpe")
BELIEVING = ("max_return", "max_utility", "max_sharpe", "black_litterman")


@dataclass(frozen=True, eq=False)
class Problem:
    """What to strive for, from where, within which rules.

    objective  : a name of ``OBJECTIVES``
    model      : the risk model; its assets are the assets of the problem
    securities : by ticker: name, sector, industry
    current    : weights held now, fractions of capital; empty means all cash
    benchmark  : weights, or None for absolute risk
    alpha      : expected yearly return by ticker, as decimals
    rules      : of ``parse_rules``, or built in code
    options    : by the names of ``OPTIONS``
    configuration : id of the configuration that states a part of it; empty for none
    adv        : money traded a day by ticker, for the rule adv and for impact
    sigma      : standard deviation of a day's return by ticker, for impact
    prices     : of a share by ticker, for the rule lot
    scenarios  : dates × assets, simple returns a day, for min_cvar and the term cvar
    views      : on expected returns, in place of alpha
    """

    objective: str
    model: RiskModel
    securities: pd.DataFrame
    current: Weights
    benchmark: Weights | None = None
    alpha: Weights | None = None
    rules: tuple[Rule, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    configuration: str = ""
    adv: "pd.Series[float] | None" = None
    sigma: "pd.Series[float] | None" = None
    prices: "pd.Series[float] | None" = None
    scenarios: pd.DataFrame | None = None
    views: tuple[View, ...] = ()

    @cached_property
    def run_id(self) -> str:
        """Twelve digits that depend on everything that decides the answer."""
        model = self.model
        labels = dict.fromkeys(("name", "sector", "industry", *(r.column for r in self.rules)))
        labels.pop("", None)
        named = self.securities.reindex(index=model.exposures.index, columns=list(labels))
        own = content_id(
            self.objective.strip().casefold(),
            _joined(model.exposures.index),
            _joined(model.exposures.columns),
            model.exposures.to_numpy(dtype=float),
            model.factor_cov.to_numpy(dtype=float),
            model.specific_var.to_numpy(dtype=float),
            model.links,
            [_joined(named[label].astype(object)) for label in labels],
            [_content(weights) for weights in (self.current, self.benchmark, self.alpha)],
            [_content(known) for known in self._market],
            [(v.long, v.short, v.value, v.confidence) for v in self.views],
            None if self.scenarios is None else self.scenarios.to_numpy(dtype=float),
            [(r.rule, r.who, r.low, r.high, r.relative, r.priority) for r in self.rules],
            {f.name: getattr(read_options(self.options), f.name) for f in fields(Options)},
        )
        return content_id(self.configuration, [own]) if self.configuration else own

    @property
    def _market(self) -> tuple[Weights | None, ...]:
        """What of the market decides the answer: nothing without a rule or cost that reads it."""
        needed = {r.rule for r in self.rules}
        impact = read_options(self.options).impact > 0
        return (
            self.adv if impact or "adv" in needed else None,
            self.sigma if impact else None,
            self.prices if "lot" in needed else None,
        )


def _joined(labels: Iterable[object]) -> str:
    return "\x1f".join(str(label) for label in labels)


def _content(weights: Weights | None) -> tuple[str, Array] | None:
    """Return what weights say: their order does not count, and no position is no position."""
    if weights is None:
        return None
    held = weights[weights != 0].sort_index()
    return _joined(held.index), held.to_numpy(dtype=float)


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
    industry: Array  # of text
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
        return _labels(named.reindex(self.assets), column)

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

    def groups(self, column: str) -> dict[str, Array]:
        """Return the positions of the assets of each group."""
        if column not in self._groups:
            self._groups[column] = _grouped(self.labels(column))
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
        at = np.flatnonzero(self.factors == rule.who)
        if not len(at):
            raise UnknownNameError(
                f"The risk model has no factor '{rule.who}'.{did_you_mean(rule.who, self.factors)}"
            )
        return at


def _grouped(column: Array) -> dict[str, Array]:
    """Return the positions of each name that is not empty, in the order of the names."""
    codes, names = pd.factorize(column, sort=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    found = zip(names, np.split(order, ends[:-1]), strict=True)
    return {str(name): at for name, at in found if name != ""}


def open_case(problem: Problem) -> Case:
    """Align and check a problem.

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        If the objective, an option, a rule, a weight or an alpha is not what it must be.
    """
    options = read_options(problem.options)
    summed: Sum | None = None
    if is_sum(problem.objective):
        factors = problem.model.exposures.columns
        summed = parse_sum(problem.objective, factors, options.risk_aversion)
        objective = summed.text()
    else:
        objective = one_of("objective", problem.objective, OBJECTIVES)
    assets = problem.model.exposures.index
    for rule in problem.rules:
        where = f"constraints row {rule.row}" if rule.row else "constraints"
        check_rule(rule, where, long_short=options.long_short)
    labels = assets.to_numpy(dtype=object)
    current = _aligned(problem.current, problem.model, "holdings")
    benchmark = (
        None
        if problem.benchmark is None
        else _aligned(problem.benchmark, problem.model, "benchmark")
    )
    named = problem.securities
    if not named.index.equals(assets):
        named = named.reindex(assets)
    model, sector = _yearly(problem.model), _labels(named, "sector")
    sectors = _grouped(sector)
    views = _views(problem, objective, summed, options, sectors)
    belief = None
    if views is None:
        alpha, notes = _alpha(problem, objective, assets, summed)
    else:
        belief = believe(model, benchmark, views, options, assets=labels, sectors=sectors)
        alpha, notes = belief.mean, belief.notes
        if objective == "max_sharpe":
            alpha = alpha + options.risk_free
        if objective == "black_litterman":
            model = belief.model
    _check_own(objective, problem, options)
    _needs_benchmark(objective, problem, summed)
    _needs_cap(objective, problem, summed)
    invested = _invested(problem, current, options)
    case = Case(
        problem=problem,
        objective=objective,
        options=options,
        assets=labels,
        factors=problem.model.exposures.columns.to_numpy(dtype=object),
        model=model,
        current=current,
        benchmark=benchmark,
        alpha=alpha,
        rules=(
            *(
                replace(r, who="*") if r.kind.members and not r.who else r
                for r in problem.rules
                if not (objective == "risk_budget" and not options.budgets and is_budget(r))
            ),
            *pin_rules(options.pin, options.exclude, labels, current, sectors),
        ),
        sector=sector,
        industry=_labels(named, "industry"),
        invested=invested,
        messages=notes,
        delta=0.0 if belief is None else belief.delta,
    )
    if objective in BUDGETED and case.tilt:
        return replace(case, objective="factor_budget")
    if objective in BUDGETED and options.long_short:
        raise ArgumentError(f"{objective} is long-only. Leave option long_short out.")
    return case


def _budgets_of(problem: Problem, options: Options) -> str:
    """Return the text of the budgets: the option, or else what rules risk_share say."""
    rules = ", ".join(f"{r.who}={r.high!r}" for r in problem.rules if is_budget(r))
    return options.budgets or rules


def is_budget(rule: Rule) -> bool:
    """Return whether a rule states a share of the risk, whose max risk_budget takes as a budget."""
    return rule.rule == "risk_share" and rule.high is not None


def _views(
    problem: Problem,
    objective: str,
    summed: Sum | None,
    options: Options,
    sectors: Mapping[str, Array],
) -> tuple[View, ...] | None:
    """Return the views that give the expected returns; None where alpha does."""
    believes = objective in BELIEVING or (summed is not None and summed.has("return"))
    views = problem.views
    if options.views and believes:
        if views:
            raise ArgumentError("Both views and option views are given. Keep one of them.")
        names = [*map(str, problem.model.exposures.index), *sectors]
        by_fold = {name.casefold(): name for name in reversed(names)}
        views = parse_text(options.views, lambda text: by_fold.get(text.casefold()), names)
    if objective == "black_litterman" and not views:
        if problem.alpha is None:
            return ()
        _alpha(problem, objective, problem.model.exposures.index, None)  # raises what is wrong
        return alpha_views(problem.alpha)
    if not views:
        return None
    if problem.alpha is not None:
        raise ArgumentError("Both alpha and views are given. Keep one of them.")
    if not believes:
        raise ArgumentError(
            f"views say nothing to {objective}. Use them with {', '.join(BELIEVING)}."
        )
    return views


def _check_own(objective: str, problem: Problem, options: Options) -> None:
    """Check what single objectives need."""
    budgets = options.budgets or any(is_budget(r) for r in problem.rules)
    if objective == "risk_budget" and not budgets:
        raise ArgumentError(
            "risk_budget needs option budgets: sector, holdings, or shares such as "
            "Energy=0.3, Health=0.7. The max of rules risk_share gives them too."
        )
    if objective == "pure_factor" and not options.factor:
        known = ", ".join(map(str, problem.model.exposures.columns[:6]))
        raise ArgumentError(f"pure_factor needs option factor: {known}, ...")
    if objective == "max_diversification" and options.long_short:
        raise ArgumentError("max_diversification is long-only. Leave option long_short out.")


def _aligned(weights: Weights, model: RiskModel, name: str) -> Array:
    """Return weights over the model's assets; cash and what is not held count with zero."""
    assets = model.exposures.index
    values = weights.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        bad = weights.index[~np.isfinite(values)]
        raise DataError(
            f"The weight of {listed(bad)} in {name} is missing. Give one or leave it out."
        )
    at = assets.get_indexer(weights.index)
    if (values[at < 0] != 0).any():
        model.positions(weights, name)  # says which name has no risk data; cash is no such name
    aligned = np.zeros(len(assets))
    np.add.at(aligned, at[at >= 0], values[at >= 0])
    return aligned


def _labels(named: pd.DataFrame, column: str) -> Array:
    if column not in named.columns:
        return np.full(len(named), "", dtype=object)
    labels = named[column].to_numpy(dtype=object)
    return np.where(pd.isna(labels), "", labels)


def _yearly(model: RiskModel) -> Factors:
    covariance = model.factor_cov.to_numpy(dtype=float) * DAYS
    covariance = (covariance + covariance.T) / 2
    values, vectors = np.linalg.eigh(covariance)
    if len(values) and values[0] < -1e-8 * max(values[-1], 1e-12):
        raise DataError(
            f"The factor covariance is not positive semi-definite: its smallest eigenvalue is "
            f"{values[0]:.3g} a year. Estimate the model again or repair the matrix."
        )
    specific = model.specific_var.to_numpy(dtype=float) * DAYS
    if (specific < 0).any() or not np.isfinite(specific).all():
        bad = model.specific_var.index[~(specific >= 0)]
        raise DataError(f"The specific variance of {listed(bad)} is negative or missing.")
    links = model.links * np.sqrt(DAYS)  # columns after the factors', without a name
    k, j = len(values), links.shape[1]
    inner, root = np.eye(k + j), np.eye(k + j)
    inner[:k, :k] = covariance
    root[:k, :k] = vectors * np.sqrt(np.maximum(values, 0.0))
    return Factors(
        exposures=np.hstack([model.exposures.to_numpy(dtype=float), links]),
        covariance=inner,
        specific=model.unshared_var.to_numpy(dtype=float) * DAYS,
        root=root,
    )


def _alpha(
    problem: Problem, objective: str, assets: "pd.Index[str]", summed: Sum | None
) -> tuple[Array, tuple[str, ...]]:
    if problem.alpha is None:
        if objective in ALPHA_OBJECTIVES or (summed is not None and summed.has("return")):
            raise ArgumentError(
                f"{objective} needs alpha: a range of ticker and expected yearly return."
            )
        note = ("No alpha is given: every name counts with zero.",)
        return np.zeros(len(assets)), note if objective == "max_utility" else ()
    alpha = problem.alpha
    unknown = alpha.index[assets.get_indexer(alpha.index) < 0]
    if len(unknown):
        raise UnknownNameError(
            f"alpha names {listed(unknown)}, without risk data at this date."
            f"{did_you_mean(str(unknown[0]), assets)}"
        )
    bad = alpha.index[~np.isfinite(alpha.to_numpy(dtype=float))]
    if len(bad):
        raise DataError(f"alpha of {listed(bad)} is not a number.")
    if alpha.index.has_duplicates:
        raise DataError(f"alpha names {listed(alpha.index[alpha.index.duplicated()])} twice.")
    if (alpha.abs() > 1).any():
        name = str(alpha.abs().idxmax())
        raise ArgumentError(
            f"alpha of {name} is {alpha[name]:g}, or {100 * alpha[name]:g} % a year. "
            f"Type {alpha[name]:g} % as {alpha[name] / 100:g}."
        )
    missing = len(assets) - len(alpha)
    note = (f"{missing} of {len(assets)} names have no alpha and count with zero.",)
    return alpha.reindex(assets).fillna(0.0).to_numpy(dtype=float), note if missing else ()


def _needs_benchmark(objective: str, problem: Problem, summed: Sum | None) -> None:
    if problem.benchmark is not None:
        return
    if objective == "min_te":
        raise ArgumentError("min_te needs a benchmark. Give one, or use min_risk.")
    if summed is not None and summed.needs_benchmark():
        raise ArgumentError(f"'{objective}' needs a benchmark. Give one, or use risk.")
    for rule in problem.rules:
        if rule.relative or rule.rule in ("tracking_error", "beta"):
            raise ArgumentError(f"'{rule.words()}' needs a benchmark.")


def _needs_cap(objective: str, problem: Problem, summed: Sum | None) -> None:
    capped = {r.rule for r in problem.rules if r.hard and r.high is not None}
    curbed = ("risk", "active_risk", "distance")
    greedy = objective == "max_return" if summed is None else not summed.has(*curbed)
    if greedy and not capped & {"weight", "tracking_error", "volatility"}:
        raise ArgumentError(
            f"{objective} alone puts everything into one name. "
            "Add a max on weight, tracking_error or volatility, or use max_utility."
        )


def _invested(problem: Problem, current: Array, options: Options) -> float | None:
    """Return what the weights must sum to: one less the cash, unless a net rule decides."""
    if any(rule.rule == "net" for rule in problem.rules):
        return None
    if options.cash is not None:
        invested = 1.0 - options.cash
    else:
        invested = float(current.sum()) if np.any(current) else 1.0
    if invested < 0 and not options.long_short:
        raise ArgumentError(
            f"{amount(1 - invested)} in cash leaves {amount(invested)} to invest: not long-only. "
            "Give option cash, a net rule, or long_short=yes."
        )
    return invested


def kind_step(rule: Rule, side: Literal["min", "max"]) -> float:
    """Return by how much a bound is moved to price it: the kind's step, or half a small bound."""
    step = rule.kind.step
    bound = abs(rule.bound(side) or 0.0)
    return bound / 2 if 0 < bound <= step else step
