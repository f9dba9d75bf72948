"""Optimal weights by a risk model that is sent."""

from dataclasses import replace

import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.solutions import solution_body
from tilt.api.v1.asking import Cell, StrictRoute, grid_of, in_pool
from tilt.api.v1.own_data.risk import ModelBody, own_model, own_weights
from tilt.api.v1.own_data.tables import Column, answer, series_body
from tilt.errors import DataError
from tilt.optimize.constraints import parse_rules
from tilt.optimize.options import read_options
from tilt.optimize.solve import Problem, solve
from tilt.optimize.terms import OBJECTIVES

router = APIRouter(route_class=StrictRoute)
GROUPS = ("sector", "industry")
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
        default={}, description='{"sector": {asset: name}, "industry": {asset: name}}.'
    )
    constraints: list[Row] | list[list[Cell]] = Field(
        default=[], description="Objects or rows of rule, who, min, max, relative, priority."
    )
    options: dict[str, str | bool | int | float] = Field(
        default={}, description="By the names of the options of TILT.OPTIMIZE."
    )


HEADER = ("rule", "who", "min", "max", "relative", "priority")


@router.post("/optimize")
async def optimize(body: OptimizeBody, request: Request) -> dict[str, object]:
    """Find optimal weights, each rule priced; or what conflicts, and its repairs."""

    def work(_: object) -> dict[str, object]:
        solution = solve(_problem(body))
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
        return answer(result, body, conventions, solution.messages)

    return await in_pool(request, work)


def _problem(body: OptimizeBody) -> Problem:
    model, _ = own_model(body)
    if body.assets is not None:
        outside = [a for a in body.assets if a not in model.assets]
        if outside:
            raise DataError(f"assets has '{outside[0]}', which the risk model has not.")
        model = replace(
            model,
            exposures=model.exposures.loc[body.assets],
            specific_var=model.specific_var.loc[body.assets],
        )
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
        grid_of(_rows(body.constraints), "constraints", 1_000_000) or [],
        securities=securities,
        factors=model.factor_cov.index,
        long_short=read_options(body.options).long_short,
    )
    return Problem(
        body.objective,
        model,
        securities,
        pd.Series(dtype=float) if current is None else current,
        benchmark,
        alpha=alpha,
        rules=rules,
        options=body.options,
    )


def _securities(body: OptimizeBody, assets: "pd.Index[str]") -> pd.DataFrame:
    unknown = [g for g in body.groups if g not in GROUPS]
    if unknown:
        raise DataError(f"groups has '{unknown[0]}'; it may have {' and '.join(GROUPS)}.")
    table = pd.DataFrame({"name": assets, "sector": "", "industry": ""}, index=assets)
    for group, names in body.groups.items():
        outside = [a for a in names if a not in assets]
        if outside:
            raise DataError(f"groups.{group} has '{outside[0]}', which the risk model has not.")
        table[group] = pd.Series(names).reindex(assets).fillna("")
    return table


def _rows(given: list[Row] | list[list[Cell]]) -> list[list[Cell]]:
    """Return rows with a header, from objects or from rows."""
    objects = [(n, one) for n, one in enumerate(given, start=1) if isinstance(one, dict)]
    rows = [one for one in given if isinstance(one, list)]
    if not objects:
        return rows
    if rows:
        raise DataError("constraints must be all objects or all rows.")
    for number, one in objects:
        unknown = [key for key in one if key not in HEADER]
        if unknown:
            raise DataError(
                f"constraints {number} has '{unknown[0]}'; it may have {', '.join(HEADER)}."
            )
    return [list(HEADER), *([one.get(key) for key in HEADER] for _, one in objects)]
