"""Align a portfolio problem with its risk model, and say what is wrong with it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, UnknownNameError, did_you_mean, one_of
from tilt.frames import Weights, listed
from tilt.optimize.belief import alpha_views, believe
from tilt.optimize.case import Case, grouped, is_budget, labels_of
from tilt.optimize.constraints import amount, check_rule
from tilt.optimize.options import Options, read_options
from tilt.optimize.pins import pin_rules
from tilt.optimize.problem import Problem
from tilt.optimize.shares import BUDGETED
from tilt.optimize.sums import Sum, is_sum, parse_sum
from tilt.optimize.terms import (
    OBJECTIVES,
    Array,
    Factors,
)
from tilt.optimize.views import View, parse_text
from tilt.risk.model import RiskModel

DAYS = 252
ALPHA_OBJECTIVES = ("max_return", "max_sharpe")
BELIEVING = ("max_return", "max_utility", "max_sharpe", "black_litterman")


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
    model, sector = _yearly(problem.model), labels_of(named, "sector")
    sectors = grouped(sector)
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
        sectors=sectors,
        invested=invested,
        messages=notes,
        delta=0.0 if belief is None else belief.delta,
    )
    if objective in BUDGETED and case.tilt:
        return replace(case, objective="factor_budget")
    if objective in BUDGETED and options.long_short:
        raise ArgumentError(f"{objective} is long-only. Leave option long_short out.")
    return case


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
