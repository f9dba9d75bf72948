"""Covariances, and risk by a model that is sent."""

from typing import Literal

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.frames import plain
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.api.v1.own_data.tables import (
    Column,
    PeriodsPerYear,
    Table,
    answer,
    check_size,
    frame_of,
    labelled,
    same_labels,
    series_of,
    table_body,
)
from tilt.errors import ArgumentError, DataError, ZeroDenominatorError
from tilt.frames import Weights
from tilt.risk.covariance import repair
from tilt.risk.estimators import HALF_LIFE, Tuning, estimate_covariance
from tilt.risk.measures import DAYS, MEASURES, risk_measure_many, risk_table
from tilt.risk.model import CASH, RiskModel
from tilt.risk.tail import parametric_tail

router = APIRouter(route_class=StrictRoute)

SYMMETRIC = 1e-8  # of the largest entry
NEGATIVE = 1e-8  # of the largest eigenvalue: what rounding leaves; beyond it the matrix is wrong
CONFIDENCE = 0.95


class CovarianceBody(Body):
    """Returns and how their covariance is estimated."""

    returns: Table = Field(description="Simple returns per period, dates down, assets across.")
    estimator: Literal[
        "sample", "ewma", "ledoit_wolf", "ledoit_wolf_identity", "oas", "pca"
    ] = "ledoit_wolf"  # fmt: skip
    half_life: float = Field(default=HALF_LIFE, gt=0, description="Of ewma, in periods.")
    correlation_half_life: float | None = Field(default=None, gt=0)
    lags: int = Field(default=0, ge=0, description="Newey-West lags of ewma.")
    factors: int | None = Field(default=None, ge=1, description="Components of pca.")


@router.post("/covariance")
async def covariance(body: CovarianceBody, request: Request) -> dict[str, object]:
    """Estimate a covariance matrix per period from returns."""

    def work(_: object) -> dict[str, object]:
        check_size(body.returns)
        told = Tuning(body.half_life, body.correlation_half_life, body.lags, body.factors)
        returns = frame_of(body.returns, "returns", dated=True)
        found = estimate_covariance(returns, body.estimator, told)
        result = {
            "covariance": table_body(found.cov),
            "shrinkage": plain(found.shrinkage),
            "factors": found.factors,
        }
        return answer(result, body, ["Per period of the returns, not annualized."], found.notes)

    return await in_pool(request, work)


class ModelBody(Body):
    """A risk model per period: a covariance, or exposures, factor covariance, specific variance."""

    covariance: Table | None = Field(default=None, description="Assets × assets.")
    exposures: Table | None = Field(default=None, description="Assets × factors.")
    factor_cov: Table | None = Field(default=None, description="Factors × factors.")
    specific_var: Column | None = Field(default=None, description="Variance by asset.")
    periods_per_year: PeriodsPerYear = 252


class RiskBody(ModelBody):
    """A portfolio, its benchmark and a risk model."""

    weights: Column = Field(description="Fractions of capital by asset; the rest is cash.")
    benchmark: Column | None = None


@router.post("/risk")
async def risk(body: RiskBody, request: Request) -> dict[str, object]:
    """Return what a portfolio risks, and the contributions that add up to it."""

    def work(_: object) -> dict[str, object]:
        model, notes = own_model(body)
        weights = own_weights(body.weights, "weights", model.assets)
        base = (
            None
            if body.benchmark is None
            else own_weights(body.benchmark, "benchmark", model.assets)
        )
        result = {
            "totals": _totals(model, weights, base, body.periods_per_year),
            "by_name": _table(model, weights, base, "position"),
            "by_factor": _table(model, weights, base, "factor")
            if body.covariance is None
            else None,
        }
        return answer(result, body, _conventions(body.periods_per_year), notes)

    return await in_pool(request, work)


def _totals(
    model: RiskModel, weights: Weights, base: "Weights | None", periods: float
) -> dict[str, object]:
    held = weights.to_frame("w")
    totals = {m: float(risk_measure_many(model, held, base, m).iloc[0]) for m in MEASURES}
    tail = parametric_tail(totals["volatility"] / np.sqrt(periods), CONFIDENCE)
    totals |= {"var95": tail.var, "cvar95": tail.cvar}
    return {name: plain(value) for name, value in totals.items()}


def _table(
    model: RiskModel, weights: Weights, base: "Weights | None", by: str
) -> dict[str, object] | None:
    """Return contributions, or None where there is no risk to split."""
    try:
        return table_body(risk_table(model, weights, base, by=by).set_index("name"))
    except ZeroDenominatorError:
        return None


def _conventions(periods: float) -> list[str]:
    year = f"Volatilities and contributions are annualized with {periods:g} periods a year."
    return [year, "var95 and cvar95 are of one period, normal, with zero mean."]


def own_weights(column: Column, name: str, assets: "pd.Index[str]") -> Weights:
    """Return weights by asset, all of them assets of the model; cash is left out."""
    weights = series_of(column, name)
    missing = weights.index[weights.isna().to_numpy()]
    if len(missing):
        raise DataError(f"{name} of '{missing[0]}' is missing. Give 0 or leave it out.")
    weights = weights.drop(index=CASH) if CASH in weights.index and CASH not in assets else weights
    outside = weights.index.difference(assets)
    if len(outside):
        raise DataError(f"{name} has '{outside[0]}', which the risk model has not.")
    return weights


def own_model(body: ModelBody) -> tuple[RiskModel, tuple[str, ...]]:
    """Return the risk model that was sent, per day of a year of 252, and notes on repairs.

    Raises
    ------
    ArgumentError
        If neither or both of a covariance and a factor model were sent.
    DataError
        If labels differ, a value is missing, or a matrix is not symmetric or has negative risk.
    """
    parts = (body.exposures, body.factor_cov, body.specific_var)
    if (body.covariance is None) == all(p is None for p in parts):
        raise ArgumentError("Send either covariance, or exposures, factor_cov and specific_var.")
    check_size(body.covariance, *parts)
    per_day = body.periods_per_year / DAYS
    if body.covariance is not None:
        given = frame_of(body.covariance, "covariance")
        cov, notes = _positive(given, "covariance")
        values, vectors = np.linalg.eigh(cov.to_numpy())
        common = pd.Index([f"component {i + 1}" for i in range(len(values))])
        x = pd.DataFrame(vectors * np.sqrt(np.maximum(values, 0.0)), cov.index, common)
        f = pd.DataFrame(np.eye(len(values)), common, common)
        own = pd.Series(0.0, cov.index)
    else:
        x, f, own, notes = _factor_model(body)
    model = RiskModel(
        universe="own data",
        snapshot="",
        date=pd.Timestamp(0),
        horizon="own",
        exposures=x,
        factor_cov=f * per_day,
        specific_var=own * per_day,
        groups=pd.Series("factor", x.columns),
        notes=notes,
    )
    return model, notes


def _factor_model(
    body: ModelBody,
) -> tuple[pd.DataFrame, pd.DataFrame, "pd.Series[float]", tuple[str, ...]]:
    if body.exposures is None or body.factor_cov is None or body.specific_var is None:
        raise ArgumentError("A factor model needs exposures, factor_cov and specific_var.")
    x = frame_of(body.exposures, "exposures")
    _complete(x, "exposures")
    given, notes = _positive(frame_of(body.factor_cov, "factor_cov"), "factor_cov")
    order = same_labels(given.index, x.columns, "factor_cov", "exposures")
    own = series_of(body.specific_var, "specific_var").to_frame("specific_var")
    _complete(own, "specific_var")
    own = labelled(own, x.index, "specific_var", "exposures")
    if (own["specific_var"] < 0).any():
        name = own.index[(own["specific_var"] < 0).to_numpy()][0]
        raise DataError(f"specific_var of '{name}' is negative.")
    return x, given.loc[order, order], own["specific_var"], notes


def _positive(given: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a covariance, its rows in the order of its columns, without negative eigenvalues."""
    _complete(given, name)
    cov = labelled(given, given.columns, f"{name}.index", f"{name}.columns")
    values = cov.to_numpy()
    apart = np.abs(values - values.T)
    if apart.max(initial=0.0) > SYMMETRIC * np.abs(values).max(initial=0.0):
        row, column = divmod(int(apart.argmax()), apart.shape[1])
        a, b = cov.columns[row], cov.columns[column]
        raise DataError(
            f"{name} is not symmetric: {a}, {b} is {values[row, column]:.6g} but {b}, {a} is "
            f"{values[column, row]:.6g}."
        )
    even = (values + values.T) / 2
    eigenvalues = np.linalg.eigvalsh(even) if len(even) else np.zeros(1)
    if eigenvalues[0] < -NEGATIVE * max(eigenvalues[-1], 0.0) or eigenvalues[-1] <= 0:
        raise DataError(
            f"{name} has negative risk: its smallest eigenvalue is {eigenvalues[0]:.3g}, its "
            f"largest {eigenvalues[-1]:.3g}. Estimate it from complete returns or shrink it."
        )
    mended, raised = repair(even) if eigenvalues[0] < 0 else (even, 0)
    notes = (f"{raised} eigenvalues of {name} were raised to keep it positive.",) if raised else ()
    return pd.DataFrame(mended, cov.columns, cov.columns), notes


def _complete(table: pd.DataFrame, name: str) -> None:
    bad = ~np.isfinite(table.to_numpy())
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{name} of '{table.index[row]}', '{table.columns[column]}' is missing. Give a number."
        )
