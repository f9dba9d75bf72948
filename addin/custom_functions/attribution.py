"""The cell that explains why a portfolio did better or worse than its benchmark."""

from typing import Annotated, Literal

import pandas as pd

from custom_functions._arguments import Benchmark, End, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, choice, one, text
from tilt.api.attributions import METHODS, OPTIONS, AttributionAsked, explain
from tilt.api.runs import keep_attribution
from tilt.api.state import current
from tilt.api.values import Grid

Explained = Annotated[
    Grid,
    cells("Holdings, dated ones, a portfolio or universe, a strategy or a run id of BACKTEST."),
]
Method = Annotated[
    Literal["brinson", "factor", "position", "forecast", "regimes"],
    choice("brinson (default), factor, position, forecast or regimes.", tuple(METHODS)),
]
From = Annotated[object, one("The close before the first return; left out: a month ago.")]


@udf(
    result="method brinson: group, weight, benchmark_weight, return, benchmark_return, allocation, "
    "selection, interaction, total; factor: name, group, exposure, factor_return, contribution; "
    "position: name, group, weight, benchmark_weight, return, contribution, "
    "benchmark_contribution, active_contribution; the last rows are Residual and Total; forecast: "
    "period, model, last, days, volatility, realized_volatility, bias, low, high, tracking_error, "
    "realized_tracking_error, active_bias; regimes: state, periods, share, mean, volatility, "
    "sharpe, max_drawdown, hit_rate, active_return, tracking_error, information_ratio, beta, alpha",
    example='=TILT.ATTRIBUTION("SAMPLE",,"-1Y",,"brinson","sector")',
    keys=OPTIONS,
    totals=2,
    alone=True,
    traced=True,
)
def attribution(
    holdings: Explained,
    benchmark: Benchmark = None,
    start: From = None,
    end: End = None,
    method: Method = "brinson",
    by: Annotated[
        str, text("sector (default), industry, or a column of the range; of factor: group.")
    ] = "",
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Explain why a portfolio did better or worse than its benchmark, day by day.

    Weights drift and are those of each day's start. The effects of all days are linked, so that
    they sum to the compounded active return of the row Total; the row Residual says what they
    leave, which is nothing. Holdings are held from the close of start; dated holdings (date,
    ticker, weight) and portfolios saved with several dates are traded at the closes of their dates,
    without costs. A strategy is one of BACKTEST, with its costs in a row of their own; a run id, as
    BACKTEST shows it, is that backtest, on the data it ran on, against its own benchmark unless
    another is given, over all its days or those from start to end.

    forecast holds the risk forecast at each month's start, by the model known then, against what
    the days after it brought: bias is the deviation of their returns over the forecast, 1 if it was
    right, low and high what chance allows. regimes tells performance in calm and in turbulent days
    of the market, as they were known at the close before.
    """
    asked = AttributionAsked(
        holdings,
        benchmark,
        start,
        end,
        method,
        by,
        universe or "",
        options.own,
        options.flag("long_short"),
    )
    state = current()
    found = explain(state, asked).noted
    keep_attribution(state, asked.universe, asked.method, asked, found)
    return found
