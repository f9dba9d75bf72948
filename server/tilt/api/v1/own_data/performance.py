"""Statistics, regression and attribution of returns that are sent."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.frames import plain
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.api.v1.own_data.tables import (
    Column,
    Table,
    answer,
    check_size,
    frame_of,
    series_of,
    table_body,
)
from tilt.portfolio.attribution import EFFECTS, LINKS, brinson, brinson_table
from tilt.portfolio.measures import MEASURES
from tilt.portfolio.performance import statistics
from tilt.portfolio.regression import regress

router = APIRouter(route_class=StrictRoute)
Frequency = Literal["D", "W", "M", "Q", "Y"]


class StatisticsBody(Body):
    """Returns and how to judge them."""

    returns: Column = Field(description="Simple returns per period, by date.")
    benchmark: Column | None = None
    frequency: Frequency = "D"
    risk_free: float = Field(default=0.0, description="A year, as a decimal.")
    mar: float = Field(default=0.0, description="Least acceptable return of Sortino, a year.")
    confidence: float = Field(default=0.95, description="Of VaR and CVaR.")


@router.post("/statistics")
async def statistics_(body: StatisticsBody, request: Request) -> dict[str, object]:
    """Return every measure of STATS by name, for the portfolio, the benchmark and active."""

    def work(_: object) -> dict[str, object]:
        check_size(body.returns, body.benchmark)
        benchmark = body.benchmark
        table = statistics(
            series_of(body.returns, "returns", dated=True),
            None if benchmark is None else series_of(benchmark, "benchmark", dated=True),
            frequency=body.frequency,
            risk_free=body.risk_free,
            mar=body.mar,
            confidence=body.confidence,
        )
        portfolio = zip(table["measure"], table["portfolio"], strict=True)
        result = {
            "measures": {str(name): plain(float(value)) for name, value in portfolio},
            "table": table_body(table.set_index("measure")),
        }
        conventions = [f"{name}: {words}" for name, words in MEASURES.items()]
        return answer(result, body, conventions, table.attrs["notes"])

    return await in_pool(request, work)


class RegressionBody(Body):
    """Returns and what shall explain them."""

    returns: Column
    factors: Table = Field(description="Factor returns per period, dates down.")
    frequency: Frequency = "D"
    errors: Literal["hac", "ols", "hc1"] = "hac"
    lags: int | None = Field(default=None, ge=0, le=1000, description="Of hac; else by its rule.")


@router.post("/regression")
async def regression(body: RegressionBody, request: Request) -> dict[str, object]:
    """Regress returns on factor returns and a constant."""

    def work(_: object) -> dict[str, object]:
        check_size(body.returns, body.factors)
        table = regress(
            series_of(body.returns, "returns", dated=True),
            frame_of(body.factors, "factors", dated=True),
            frequency=body.frequency,
            errors=body.errors,
            lags=body.lags,
        )
        conventions = ["alpha is annualized arithmetically, the other coefficients are per period."]
        result = {"coefficients": table_body(table.set_index("name"))}
        return answer(result, body, conventions, table.attrs["notes"])

    return await in_pool(request, work)


class AttributionBody(Body):
    """Weights at the start of each period and returns over it, periods × groups."""

    portfolio_weights: Table
    benchmark_weights: Table
    portfolio_returns: Table
    benchmark_returns: Table
    link: Literal["carino", "menchero", "grap", "frongello"] = "carino"


@router.post("/attribution")
async def attribution(body: AttributionBody, request: Request) -> dict[str, object]:
    """Split active returns by Brinson and Fachler, per period and linked over all."""

    def work(_: object) -> dict[str, object]:
        names = ("portfolio_weights", "benchmark_weights", "portfolio_returns", "benchmark_returns")
        given = [getattr(body, name) for name in names]
        check_size(*given)
        found = brinson(*(frame_of(t, n) for t, n in zip(given, names, strict=True)))
        table = brinson_table(found, link=body.link)
        result = {
            "groups": table_body(table.set_index("group")),
            "periods": {effect: table_body(getattr(found, effect)) for effect in EFFECTS},
        }
        conventions = [
            "allocation (wp - wb)(rb - Rb), selection wb (rp - rb), interaction (wp - wb)(rp - rb)",
            (LINKS[body.link].__doc__ or "").strip(),
        ]
        return answer(result, body, conventions)

    return await in_pool(request, work)
