"""What was asked, by content and as JSON, so that it can be read years later and asked again."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import TypeAdapter

from tilt.api.backtests import Asked
from tilt.api.frames import plain
from tilt.api.values import Grid
from tilt.configuration import Configuration
from tilt.frames import Weights
from tilt.optimize.options import Options, read_options
from tilt.optimize.problem import Problem
from tilt.optimize.rules import Rule
from tilt.optimize.views import View
from tilt.portfolio.cells import DECIMAL_SIGN

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Question = Mapping[str, object]
RULE = ("rule", "who", "low", "high", "relative", "priority", "row")
VIEW = ("long", "short", "value", "confidence", "row")


def of_problem(problem: Problem) -> dict[str, object]:
    """Return a portfolio problem: names and weights as they were read, rules, options."""
    model = problem.model
    lookback = read_options(problem.options).lookback
    return {
        "date": f"{model.date:%Y-%m-%d}",
        "objective": problem.objective,
        "holdings": weights_of(problem.current),
        "benchmark": weights_of(problem.benchmark),
        "alpha": weights_of(problem.alpha),
        "rules": [{name: getattr(rule, name) for name in RULE} for rule in problem.rules],
        "views": [{name: getattr(view, name) for name in VIEW} for view in problem.views],
        "options": {str(key): plain(value) for key, value in problem.options.items()},
        "model": {"estimator": model.estimator, "horizon": model.horizon, "lookback": lookback},
        "configuration": problem.configuration,
    }


def of_asked(asked: "DataclassInstance") -> dict[str, object]:
    """Return a backtest or an attribution as it is asked for, its ranges cell by cell."""
    found = {f.name: _plain(getattr(asked, f.name)) for f in fields(asked)}
    return {**found, "decimal": DECIMAL_SIGN.get()}


def backtest_from(question: Question) -> Asked:
    """Return the backtest of a question."""
    return TypeAdapter(Asked).validate_python(without_sign(question))


def without_sign(question: Question) -> dict[str, object]:
    """Return what ``of_asked`` took from a dataclass."""
    return {name: value for name, value in question.items() if name != "decimal"}


def weights_of(weights: Weights | None) -> dict[str, float] | None:
    """Return weights by name; None for none."""
    if weights is None:
        return None
    return {str(name): float(weight) for name, weight in weights.items()}


def weights_from(given: object) -> "pd.Series[float] | None":
    """Return weights as they were; None for none."""
    return pd.Series(given, dtype=float) if isinstance(given, Mapping) else None


def rules_from(question: Question) -> tuple[Rule, ...]:
    """Return the rules of a question."""
    given = question["rules"]
    return tuple(Rule(**rule) for rule in given) if isinstance(given, list) else ()


def views_from(question: Question) -> tuple[View, ...]:
    """Return the views of a question."""
    given = question["views"]
    if not isinstance(given, list):
        return ()
    return tuple(
        View(**{**view, "long": tuple(view["long"]), "short": tuple(view["short"])})
        for view in given
    )


def options_in_force(question: Question) -> list[tuple[str, object, bool]]:
    """Return name, value, and whether it was given, of every option of a problem."""
    given = question["options"]
    chosen = given if isinstance(given, Mapping) else {}
    read = read_options(chosen)
    mine = {str(key).strip().casefold() for key in chosen}
    return [(f.name, getattr(read, f.name), f.name in mine) for f in fields(Options)]


def _plain(value: object) -> object:
    if isinstance(value, Configuration):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return _rows(value) if isinstance(value, list) else plain(value)


def _rows(grid: Grid) -> Grid:
    return [[plain(cell) for cell in row] for row in grid]
