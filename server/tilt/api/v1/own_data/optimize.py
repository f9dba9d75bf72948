"""Optimal weights by a risk model that is sent."""

from dataclasses import replace

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.solutions import solution_body
from tilt.api.v1.asking import Cell, StrictRoute, grid_of, in_pool
from tilt.api.v1.own_data.risk import ModelBody, own_model, own_weights
from tilt.api.v1.own_data.tables import (
    Column,
    Table,
    answer,
    check_size,
    frame_of,
    series_body,
    series_of,
)
from tilt.api.values import Grid
from tilt.errors import DataError, did_you_mean
from tilt.optimize.constraints import GROUPED, parse_rules
from tilt.optimize.options import read_options
from tilt.optimize.solve import Problem, solve
from tilt.optimize.terms import OBJECTIVES
from tilt.optimize.views import View, parse_views
from tilt.risk.model import RiskModel

router = APIRouter(route_class=StrictRoute)
Row = dict[str, Cell]


class OptimizeBody(ModelBody):
    """What to strive for within which rules, by a risk model per period."""

    objective: str = Field(max_length=100, description=", ".join(OBJECTIVES))
    assets: list[str] | None = Field(
        default=None, description="The assets to choose from; left out: those of the model."
    )
    expected_returns: Column | None = Field(default=None, description="A year, by asset.")
    benchmark: Column | None = None
    current: Column | None = Field(default=None, description="Weights held now; else all cash.")
    groups: dict[str, dict[str, str]] = Field(
        default={},
        description='{"sector": {asset: name}, ...}: sector, industry, country, or a name of yours '
        "for a rule group:<name>.",
    )
    adv: Column | None = Field(
        default=None, description="Money traded a day, by asset: for the rule adv and impact."
    )
    sigma: Column | None = Field(
        default=None, description="Standard deviation of a day's return, by asset: for impact."
    )
    prices: Column | None = Field(default=None, description="Of a share, for the rule lot.")
    factors: Table | None = Field(
        default=None,
        description="Exposures to factors beside those of the risk model, assets × factors: for "
        "rules about them. They carry no risk of their own.",
    )
    scenarios: Table | None = Field(
        default=None,
        description="Simple returns of a day, dates or numbers × assets, equally likely: for "
        "min_cvar and the term cvar.",
    )
    views: list[Row] | list[list[Cell]] = Field(
        default=[],
        description="Objects or rows of name, minus, view, confidence; a name is an asset or a "
        "sector, A + B several, A - B one above another.",
    )
    constraints: list[Row] | list[list[Cell]] = Field(
        default=[], description="Objects or rows of rule, who, min, max, relative, priority."
    )
    options: dict[str, str | bool | int | float] = Field(
        default={}, description="By the names of the options of TILT.OPTIMIZE."
    )


HEADER = ("rule", "who", "min", "max", "relative", "priority")
VIEWS = ("name", "minus", "view", "confidence")


@router.post("/optimize")
async def optimize(body: OptimizeBody, request: Request) -> dict[str, object]:
    """Find optimal weights, each rule priced; or what conflicts, and its repairs."""

    def work(_: object) -> dict[str, object]:
        problem, notes = _problem(body)
        solution = solve(problem)
        found = solution_body(solution)
        result = {
            **found,
            "objective": found["value"],
            "objective_name": found["objective"],
            "weights": series_body(solution.weights) if solution.solved else None,
            "explanation": found["explain"],
        }
        del result["run_id"], result["value"], result["explain"]
        year = f"Risk is annualized with {body.periods_per_year:g} periods a year"
        conventions = [
            f"{year}; expected returns are a year's.",
            "Every rule is checked after the solve, independently of the solver, to 1e-6.",
        ]
        return answer(result, body, conventions, (*notes, *solution.messages))

    return await in_pool(request, work)


def _problem(body: OptimizeBody) -> tuple[Problem, tuple[str, ...]]:
    """Return the problem that was sent, and notes on what had to be repaired."""
    model, notes = own_model(body)
    if body.assets is not None:
        outside = [a for a in body.assets if a not in model.assets]
        if outside:
            raise DataError(f"assets has '{outside[0]}', which the risk model has not.")
        model = replace(
            model,
            exposures=model.exposures.loc[body.assets],
            specific_var=model.specific_var.loc[body.assets],
        )
    if body.factors is not None:
        model = _with_factors(model, frame_of(body.factors, "factors"))
    known = model.assets
    securities = _securities(body, known)
    current, benchmark = (
        None if given is None else own_weights(given, name, known)
        for given, name in ((body.current, "current"), (body.benchmark, "benchmark"))
    )
    alpha = None
    if body.expected_returns is not None:
        alpha = own_weights(body.expected_returns, "expected_returns", known)
    rules = parse_rules(
        _grid(body.constraints, "constraints", HEADER),
        securities=securities,
        factors=model.factor_cov.index,
        long_short=read_options(body.options).long_short,
    )
    _check_groups(body, {rule.column for rule in rules})
    market = {
        name: None if given is None else series_of(given, name)
        for name, given in (("adv", body.adv), ("sigma", body.sigma), ("prices", body.prices))
    }
    problem = Problem(
        body.objective,
        model,
        securities,
        pd.Series(dtype=float) if current is None else current,
        benchmark,
        alpha=alpha,
        rules=rules,
        options=body.options,
        adv=market["adv"],
        sigma=market["sigma"],
        prices=market["prices"],
        scenarios=None if body.scenarios is None else _scenarios(body.scenarios, known),
        views=_views(body, securities),
    )
    return problem, notes


def _with_factors(model: RiskModel, more: pd.DataFrame) -> RiskModel:
    """Return a risk model that also knows exposures which carry no risk."""
    twice = model.exposures.columns.intersection(more.columns)
    if len(twice):
        raise DataError(f"factors has '{twice[0]}', which is a factor of the risk model already.")
    missing = model.assets.difference(more.index)
    if len(missing):
        raise DataError(f"factors has no exposure of '{missing[0]}'. Give 0 for none.")
    chosen = more.loc[model.assets]
    bad = ~np.isfinite(chosen.to_numpy(dtype=float))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"factors of '{chosen.index[row]}', '{chosen.columns[column]}' is missing. "
            "Give a number."
        )
    names = model.exposures.columns.append(more.columns)
    return replace(
        model,
        exposures=pd.concat([model.exposures, chosen], axis=1),
        factor_cov=model.factor_cov.reindex(index=names, columns=names, fill_value=0.0),
        groups=pd.concat([model.groups, pd.Series("given", more.columns)]),
    )


def _scenarios(given: Table, assets: "pd.Index[str]") -> pd.DataFrame:
    check_size(given)
    table = frame_of(given, "scenarios")
    outside = table.columns.difference(assets)
    if len(outside):
        raise DataError(f"scenarios has '{outside[0]}', which the risk model has not.")
    return table


def _views(body: OptimizeBody, securities: pd.DataFrame) -> tuple[View, ...]:
    sectors = [str(s) for s in securities["sector"].unique() if s]
    names = [*map(str, securities.index), *sectors]
    known = {name.casefold(): name for name in reversed(names)}
    grid = _grid(body.views, "views", VIEWS)
    return parse_views(grid, lambda text: known.get(text.casefold()), names)


def _grid(given: list[Row] | list[list[Cell]], name: str, header: tuple[str, ...]) -> Grid:
    return grid_of(_rows(given, name, header), name, 1_000_000) or []


def _check_groups(body: OptimizeBody, read: set[str]) -> None:
    """Raise ``DataError`` for a group that is none of the usual ones and that no rule reads."""
    for group in body.groups:
        if group not in GROUPED and group not in read:
            raise DataError(
                f"groups has '{group}', which no rule group:{group} reads; the usual ones are "
                f"{', '.join(GROUPED)}.{did_you_mean(group, GROUPED)}"
            )


def _securities(body: OptimizeBody, assets: "pd.Index[str]") -> pd.DataFrame:
    table = pd.DataFrame({"name": assets, "sector": "", "industry": ""}, index=assets)
    for group, names in body.groups.items():
        outside = [a for a in names if a not in assets]
        if outside:
            raise DataError(f"groups.{group} has '{outside[0]}', which the risk model has not.")
        table[group] = pd.Series(names).reindex(assets).fillna("")
    return table


def _rows(
    given: list[Row] | list[list[Cell]], name: str, header: tuple[str, ...]
) -> list[list[Cell]]:
    """Return rows with a header, from objects or from rows."""
    objects = [(n, one) for n, one in enumerate(given, start=1) if isinstance(one, dict)]
    rows = [one for one in given if isinstance(one, list)]
    if not objects:
        return rows
    if rows:
        raise DataError(f"{name} must be all objects or all rows.")
    for number, one in objects:
        unknown = [key for key in one if key not in header]
        if unknown:
            raise DataError(f"{name} {number} has '{unknown[0]}'; it may have {', '.join(header)}.")
    return [list(header), *([one.get(key) for key in header] for _, one in objects)]
