"""The cell with a strategy through time."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Benchmark, Constraints, End, Start
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, text
from tilt.api.backtest_views import OPTIONS, VIEWS, view_backtest
from tilt.api.backtests import Asked
from tilt.api.configured import CONFIG, OPTION, complete
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.errors import one_of

StrategyGiven = Annotated[
    Grid, cells('Holdings; dated weights; or a text such as "quantile:Momentum:5:1" or "min_te".')
]


@udf(
    result="view stats: measure, portfolio, benchmark, active; series: date, nav, return, "
    "benchmark_nav, active, drawdown, turnover, ...; weights; trades; costs; monthly; drawdowns; "
    "attribution; overfitting: measure, value, meaning; monte_carlo, horizons, permutation: what "
    "luck may have done; capacity; trials; assumptions; forecast and regimes as in ATTRIBUTION",
    example='=TILT.BACKTEST("quantile:Momentum:5:1","2014-01-02")',
    keys={**OPTIONS, **OPTION},
    alone=True,
    traced=True,
)
def backtest(
    strategy: StrategyGiven,
    start: Start = None,
    end: End = None,
    rebalance: Annotated[str, text("M (default), D, W, Q, Y or drift:0.05.")] = "",
    constraints: Constraints = None,
    benchmark: Benchmark = None,
    view: Annotated[str, text(f"{', '.join([*VIEWS][:9])}, ...")] = "stats",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what a strategy would have earned, after costs.

    It decides with what was known at the close and is filled at the close of the next session.

    The option config names a saved configuration, which says what the call leaves out: dates,
    schedule, costs, benchmark, an objective's rules; the strategy config is its objective.
    """
    view = one_of("view", view, VIEWS)
    asked = Asked(
        strategy,
        start,
        end,
        rebalance,
        constraints,
        benchmark,
        {key: value for key, value in options.own.items() if key != CONFIG},
        options.flag("long_short"),
    )
    state = current()
    return view_backtest(state, complete(state, asked, options.own.get(CONFIG)), view)
