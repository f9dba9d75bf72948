"""Cells about performance: of a strategy through time, and of any series of returns."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Benchmark, Constraints, End, Start
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, number, text
from custom_functions._series import read_series
from tilt.api.backtests import OPTIONS, Asked, ask_backtest
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.backtest.result import VIEWS
from tilt.errors import one_of
from tilt.portfolio import performance

StrategyGiven = Annotated[
    Grid, cells('Holdings; dated weights; or a text such as "quantile:Momentum:5:1" or "min_te".')
]
Returns = Annotated[Grid, cells("Returns as decimals in one column, or dates and returns in two.")]
BenchmarkReturns = Annotated[Grid | None, cells("Returns to compare with, as returns.")]


@udf(
    result="view stats: measure, portfolio, benchmark, active; series: date, nav, return, "
    "benchmark_nav, active, drawdown, turnover, ...; weights; trades; costs; monthly; drawdowns; "
    "assumptions",
    example='=TILT.BACKTEST("quantile:Momentum:5:1","2014-01-02")',
    keys=OPTIONS,
    alone=True,
)
def backtest(
    strategy: StrategyGiven,
    start: Start = None,
    end: End = None,
    rebalance: Annotated[str, text("M (default), D, W, Q, Y or drift:0.05.")] = "M",
    constraints: Constraints = None,
    benchmark: Benchmark = None,
    view: Annotated[str, text(f"{', '.join(VIEWS)}; stats is the default.")] = "stats",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what a strategy would have earned, after costs.

    It decides with what was known at the close and is filled at the close of the next session.
    """
    view = one_of("view", view, VIEWS)
    asked = Asked(
        strategy,
        start,
        end,
        rebalance,
        constraints,
        benchmark,
        options.own,
        options.flag("long_short"),
    )
    return ask_backtest(current(), asked).view(view)


@udf(
    result="measure, portfolio, benchmark, active",
    example='=TILT.STATS(B2:B500,C2:C500,"M")',
    keys={
        "mar": "least acceptable yearly return of the Sortino ratio; 0 unless given",
        "confidence": "of VaR and CVaR; 0.95 unless given",
    },
)
def stats(
    returns: Returns,
    benchmark: BenchmarkReturns = None,
    frequency: Annotated[str, text("Of the returns: D (default), W, M, Q or Y.")] = "D",
    risk_free: Annotated[float, number("Yearly rate as a decimal; 0 unless given.")] = 0.0,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Measure a series of returns: return, volatility, Sharpe, drawdown, and more."""
    return performance.statistics(
        read_series(returns, "returns"),
        None if benchmark is None else read_series(benchmark, "benchmark"),
        frequency=frequency,
        risk_free=risk_free,
        mar=options.number("mar", 0.0),
        confidence=options.number("confidence", 0.95),
    )
