"""What a portfolio held, was exposed to and risked on one date, to be held against another."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from tilt.errors import ZeroDenominatorError
from tilt.frames import Weights
from tilt.optimize.check import check_rules
from tilt.optimize.problem import Problem
from tilt.report.review import OBJECTIVE, Review
from tilt.risk.measures import exposure_table, risk_measure_many, risk_table

SERIES = ("weights", "exposures", "measures", "contributions")
LIMITS = ("rule", "who", "min", "max", "value", "slack", "status")
MEASURES = ("tracking_error", "volatility", "beta", "active_share", "var95", "effective_n", "names")


@dataclass(frozen=True, eq=False)
class Figures:
    """A portfolio on a date.

    weights       : by ticker, fractions of capital; cash is what is missing to one
    exposures     : by style, against the benchmark
    measures      : by name, yearly
    contributions : by factor and ``Specific``, to the tracking error
    limits        : rule, who, min, max, value, slack, status
    """

    date: pd.Timestamp
    weights: Weights
    exposures: "pd.Series[float]"
    measures: "pd.Series[float]"
    contributions: "pd.Series[float]"
    limits: pd.DataFrame

    @property
    def cash(self) -> float:
        return 1.0 - float(self.weights.sum())


def figures_of(review: Review) -> Figures:
    """Return the figures of a review's portfolio at its date."""
    model, held, benchmark = review.model, review.held, review.benchmark
    exposures = exposure_table(model, held, benchmark)
    styles = exposures[exposures["group"] == "style"].set_index("factor")["active"]
    book = pd.DataFrame({"w": held})
    measures = {m: float(risk_measure_many(model, book, benchmark, m).iloc[0]) for m in MEASURES}
    try:
        contributions = risk_table(model, held, benchmark).iloc[:-1].set_index("name")["ctr"]
    except ZeroDenominatorError:  # it is its benchmark
        contributions = pd.Series(dtype=float)
    problem = Problem(
        OBJECTIVE,
        model,
        review.panel.securities,
        held,
        benchmark,
        rules=review.rules,
        options={"long_short": "yes"} if bool((held < 0).any()) else {},
    )
    return Figures(
        date=review.date,
        weights=review.holdings.weights,
        exposures=styles,
        measures=pd.Series(measures),
        contributions=contributions,
        limits=check_rules(held, review.rules, problem) if review.rules else no_limits(),
    )


def no_limits() -> pd.DataFrame:
    """Return the table of limits without a row."""
    return pd.DataFrame({c: pd.Series(dtype=object) for c in LIMITS})


def to_json(figures: Figures) -> dict[str, object]:
    """Return figures as JSON knows them: a number that is none, or without end, is null."""
    series = {name: _plain(getattr(figures, name)) for name in SERIES}
    limits = [
        [str(row.rule), str(row.who), *map(_number, (row.min, row.max, row.value, row.slack)),
         str(row.status)]
        for row in figures.limits.itertuples()
    ]  # fmt: skip
    return {"date": f"{figures.date:%Y-%m-%d}", **series, "limits": limits}


def from_json(body: Mapping[str, object]) -> Figures:
    """Return figures as they were written down."""
    given = TypeAdapter(_Written).validate_python(body)
    limits = pd.DataFrame(given.limits, columns=list(LIMITS)) if given.limits else no_limits()
    limits["min"] = limits["min"].fillna(-np.inf)
    limits["max"] = limits["max"].fillna(np.inf)
    return Figures(
        pd.Timestamp(given.date),
        pd.Series(given.weights, dtype=float),
        pd.Series(given.exposures, dtype=float),
        pd.Series(given.measures, dtype=float),
        pd.Series(given.contributions, dtype=float),
        limits,
    )


@dataclass(frozen=True)
class _Written:
    """Figures in JSON."""

    date: str
    weights: dict[str, float]
    exposures: dict[str, float]
    measures: dict[str, float | None]
    contributions: dict[str, float]
    limits: list[tuple[str, str, float | None, float | None, float | None, float | None, str]]


def _plain(values: "pd.Series[float]") -> dict[str, float | None]:
    return {str(name): _number(value) for name, value in values.items()}


def _number(value: object) -> float | None:
    number = float(str(value))
    return number if np.isfinite(number) else None


def beside(before: "pd.Series[float]", after: "pd.Series[float]", name: str) -> pd.DataFrame:
    """Return name, before, after, change; what only one of them has counts as 0 in the other."""
    both = pd.DataFrame({"before": before, "after": after}).fillna(0.0).rename_axis(name)
    return both.assign(change=both["after"] - both["before"]).reset_index()


def larger_first(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the rows that changed by ``least`` or more, the largest changes first."""
    size = table["change"].abs()
    kept = table[size >= least]
    order = size[kept.index].sort_values(ascending=False, kind="stable").index
    return kept.loc[order].reset_index(drop=True)


def total_moved(table: pd.DataFrame) -> float:
    """Return half the sum of the absolute changes of weights, cash counted."""
    change = table["change"].to_numpy(dtype=float)
    return float((np.abs(change).sum() + abs(change.sum())) / 2)
